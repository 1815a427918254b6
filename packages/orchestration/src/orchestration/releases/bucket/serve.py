"""The artifact bucket's package index on loopback, for as long as pip needs it.

The bucket is private and pip signs no requests, so this does it: a GET of a page or a wheel becomes a signed GetObject.
https://packaging.python.org/en/latest/specifications/simple-repository-api/
"""

from __future__ import annotations

import os
import re
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import ClientError
from werkzeug.datastructures import MIMEAccept
from werkzeug.http import parse_accept_header
from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.wrappers import Request, Response

from orchestration.errors import UsageError
from orchestration.releases.bucket.index import CONTENT_TYPES, FOLDER, HTML, JSON
from orchestration.releases.bucket.store import Store

_PAGE = re.compile(rf"/{FOLDER}/([a-z0-9-]+/)?")
_WHEEL = re.compile(r"/([\w.-]+(?:/[\w.-]+)*\.whl)")
_CHUNK = 1 << 20


class _Quiet(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_request(self, *args: Any, **kwargs: Any) -> None:
        """pip says what it fetches."""


#: Where pip and uv would look besides: https://pip.pypa.io/en/stable/topics/configuration/,
#: https://docs.astral.sh/uv/reference/environment/
_ELSEWHERE = (
    *("PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "PIP_NO_INDEX"),
    *("UV_INDEX", "UV_INDEX_URL", "UV_EXTRA_INDEX_URL", "UV_FIND_LINKS", "UV_NO_INDEX"),
)


def exclusively(url: str, variables: Mapping[str, str]) -> dict[str, str]:
    """Variables of a process to which the index at `url` is the only one: no other, no configuration, no links.

    A name that is only in the bucket could be registered elsewhere by anybody, and a newer version there would win.
    """
    kept = {name: value for name, value in variables.items() if name not in _ELSEWHERE}
    only = {"PIP_CONFIG_FILE": os.devnull, "PIP_INDEX_URL": url, "UV_NO_CONFIG": "1", "UV_DEFAULT_INDEX": url}
    return kept | only


def application(store: Store) -> Callable[..., Any]:
    """Return the index as a WSGI application: pages in HTML or JSON, as the client prefers, and wheels."""

    @Request.application
    def answer(request: Request) -> Response:
        if request.host.partition(":")[0] != "127.0.0.1":  # a page that a browser got elsewhere has no business here
            return Response("not for you", 403)
        if request.method not in ("GET", "HEAD"):
            return Response("only GET", 405)
        if _PAGE.fullmatch(request.path):
            accepted = parse_accept_header(request.headers.get("Accept"), MIMEAccept)
            best = accepted.best_match([CONTENT_TYPES[JSON], "text/html"], default="text/html")
            name = JSON if best == CONTENT_TYPES[JSON] else HTML
            return _object(store, request.path.lstrip("/") + name)
        if wheel := _WHEEL.fullmatch(request.path):
            return _object(store, wheel[1])
        return Response("not found", 404)

    return answer


@contextmanager
def serving(store: Store, *, port: int = 0) -> Iterator[str]:
    """Serve the index on 127.0.0.1 while the block runs; its URL, for pip's --index-url. Port 0 takes a free one.

    Errors: UsageError for a port that cannot be had.
    """
    try:
        listening = socket.create_server(("127.0.0.1", port))
    except OSError as error:
        reason = os.strerror(error.errno or 0)  # without the address, which Python adds
        raise UsageError(f"port {port} of 127.0.0.1 cannot be had: {reason}; give another, or none") from error
    with listening:  # the server keeps a copy of it
        server = make_server(
            "127.0.0.1", port, application(store), threaded=True, request_handler=_Quiet, fd=listening.fileno()
        )
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}/{FOLDER}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _object(store: Store, key: str) -> Response:
    try:
        found = store.s3.get_object(Bucket=store.bucket, Key=key)
    except ClientError as error:
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        return Response(f"{key}: {error.response['Error']['Code']}", status)
    return Response(
        found["Body"].iter_chunks(_CHUNK),
        content_type=found["ContentType"],
        headers={"Content-Length": str(found["ContentLength"])},
    )
