"""What stands between a client and S3: it writes down each request, and may answer itself."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

import boto3
import pytest
import urllib3
from botocore.config import Config

_HOP = {"connection", "transfer-encoding", "content-length", "host", "expect"}


@dataclass(frozen=True)
class Seen:
    """A request as it came. Names of headers are in small letters."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]

    @property
    def operation(self) -> str:
        if "uploadId" in self.query:
            names = {"PUT": "UploadPart", "POST": "CompleteMultipartUpload", "DELETE": "AbortMultipartUpload"}
        else:
            names = {"HEAD": "HeadObject", "GET": "GetObject", "POST": "CreateMultipartUpload"}
        return names[self.method]


Reply = tuple[int, Mapping[str, str], bytes]


@dataclass
class Front:
    """`answer` may give a reply in S3's place, `change` another than S3 gave; `seen` are all requests."""

    address: str = ""
    answer: Callable[[Seen], Reply | None] = lambda seen: None
    change: Callable[[Seen, Reply], Reply] = lambda seen, reply: reply
    seen: list[Seen] = field(default_factory=list)

    def refuse(self, operation: str, status: int, error: str, *, times: int = 1000) -> None:
        """Answer an operation with an error, `Code and message`, so many times. Earlier refusals hold on."""
        code, _, message = error.partition(" ")
        calls: list[Seen] = []
        others = self.answer

        def answer(seen: Seen) -> Reply | None:
            if seen.operation != operation or len(calls) == times:
                return others(seen)
            calls.append(seen)
            text = "" if seen.method == "HEAD" else f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
            return status, {}, text.encode()

        self.answer = answer

    def asked(self, operation: str) -> list[Seen]:
        return [seen for seen in self.seen if seen.operation == operation]


class FrontHandler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    front: Front
    s3: str
    pool = urllib3.PoolManager()

    def do(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path, _, query = self.path.partition("?")
        headers = {name.lower(): value for name, value in self.headers.items()}
        seen = Seen(self.command, path, dict(parse_qsl(query, keep_blank_values=True)), headers)
        self.front.seen.append(seen)
        reply = self.front.answer(seen) or self.forward(seen, body)
        status, given, text = self.front.change(seen, reply)
        self.send_response(status)
        for name, value in {"Content-Length": str(len(text)), **given}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(text)

    do_HEAD = do_GET = do_PUT = do_POST = do_DELETE = do

    def forward(self, seen: Seen, body: bytes) -> Reply:
        headers = {name: value for name, value in seen.headers.items() if name not in _HOP}
        url = self.s3 + self.path
        answer = self.pool.request(seen.method, url, headers=headers, body=body, redirect=False, retries=False)
        given = {name: value for name, value in answer.headers.items() if name.lower() not in _HOP}
        if seen.method == "HEAD":
            given["Content-Length"] = answer.headers["Content-Length"]
        return answer.status, given, answer.data

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture
def front(s3_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Front]:
    """S3 for every client made from now on."""
    front = Front()

    class Handler(FrontHandler):
        pass

    Handler.front, Handler.s3 = front, s3_endpoint
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    front.address = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", front.address)
    yield front
    server.shutdown()
    server.server_close()


@pytest.fixture
def client(front: Front) -> Any:
    """S3 behind the front, where nothing is tried again."""
    return boto3.session.Session().client("s3", config=Config(retries={"total_max_attempts": 1, "mode": "standard"}))
