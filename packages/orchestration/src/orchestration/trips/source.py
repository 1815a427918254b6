"""Where a month's file comes from: a URL, or a folder of TLC-named files, which is served over loopback HTTP.

So ingest runs its real path on a folder, too.
"""

from __future__ import annotations

import string
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from orchestration.errors import UsageError

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

    from orchestration.pipelines import Month

_FILE_NAME = "{dataset}_tripdata_{year}-{month}.parquet"


def is_url(source: str) -> bool:
    return source.startswith(("http://", "https://", "s3://"))


def folder_of(source: str | None) -> Path | None:
    """Return the folder that a source is; None for a URL, or none at all."""
    return Path(source) if source and not is_url(source) else None


def url_template(source: str) -> str:
    """Return the template a job fetches from: a URL as it is, or with TLC's file name appended to a folder's URL."""
    return source if "{" in source else f"{source.rstrip('/')}/{_FILE_NAME}"


def address(template: str, dataset: str, month: Month) -> str:
    """Return a month's address, as ingest fills the template in and records it with the file."""
    filled = template.format(dataset=dataset, year=f"{month.year}", month=f"{month.number:02}")
    return quote(filled, safe=string.punctuation)


def missing_from(source: str | None, dataset: str, months: Iterable[Month]) -> list[Month]:
    """List the months of which a folder has no file; none where the source is no folder, for that only a fetch can
    tell.
    """
    if not source or is_url(source):
        return []
    names = {month: _FILE_NAME.format(dataset=dataset, year=month.year, month=f"{month.number:02}") for month in months}
    return [month for month, name in names.items() if not (Path(source) / name).is_file()]


@contextmanager
def offer(source: str | None) -> Iterator[str | None]:
    """Offer a source while the block runs: a URL's template, or that of a folder, which is served.

    None for no source, so that the job takes its own default. Errors: UsageError.
    """
    if not source or is_url(source):
        yield url_template(source) if source else None
        return
    with serve(Path(source)) as url:
        yield url


@contextmanager
def serve(folder: Path) -> Iterator[str]:
    """Serve `folder` while the block runs; yields the URL template of its files. Errors: UsageError.

    Answers as a static file server does: ranges, ETag, Last-Modified, 404.
    """
    from werkzeug.exceptions import HTTPException
    from werkzeug.serving import WSGIRequestHandler, make_server
    from werkzeug.utils import send_from_directory

    if not folder.is_dir():
        raise UsageError(f"there is no folder {folder}; --source takes a folder of TLC-named files or a URL")

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Any:
        answer: Any
        try:
            answer = send_from_directory(folder, environ["PATH_INFO"].lstrip("/"), environ, conditional=True)
        except HTTPException as error:
            answer = error
        return answer(environ, start_response)

    class Handler(WSGIRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_request(self, *args: Any, **kwargs: Any) -> None:
            """Log nothing: the job logs what it fetched."""

    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/{_FILE_NAME}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
