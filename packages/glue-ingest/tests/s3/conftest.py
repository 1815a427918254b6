"""What stands between a client and S3: it writes down each request, checks its signature, and may answer itself."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import boto3
import pytest
import urllib3
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials

from glue_ingest.connection import Patience
from glue_ingest.s3 import S3Client
from glue_ingest.s3.place import find

TWICE = Patience(attempts=2, first_wait=0.001, longest_wait=0.002, connect_timeout=5, read_timeout=5)
_HOP = {"connection", "transfer-encoding", "content-length", "host", "expect"}


@dataclass(frozen=True)
class Seen:
    """A request as it came. Names of headers are in small letters."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    @property
    def operation(self) -> str:
        if "uploadId" in self.query and self.method == "PUT":
            return "UploadPartCopy" if "x-amz-copy-source" in self.headers else "UploadPart"
        if "uploadId" in self.query:
            return {"POST": "CompleteMultipartUpload", "DELETE": "AbortMultipartUpload"}[self.method]
        names = {"HEAD": "HeadObject", "GET": "GetObject", "POST": "CreateMultipartUpload", "DELETE": "DeleteObject"}
        return names[self.method]

    @property
    def signed_headers(self) -> dict[str, str]:
        names = self.headers["authorization"].split("SignedHeaders=")[1].split(",")[0]
        return {name: self.headers[name] for name in names.split(";")}

    @property
    def region(self) -> str:
        return self.headers["authorization"].split("/")[2]


Reply = tuple[int, Mapping[str, str], bytes]


@dataclass
class Front:
    """`answer` may give a reply in S3's place, or raise ConnectionError to hang up; `seen` are all requests."""

    address: str = ""
    answer: Callable[[Seen], Reply | None] = lambda seen: None
    seen: list[Seen] = field(default_factory=list)
    forged: list[Seen] = field(default_factory=list)
    """Requests whose signature is not the one of what came."""

    def refuse(self, operation: str, status: int, error: str, *, times: int = 1000, after: int = 0) -> None:
        """Answer an operation with an error, `Code and message`: `times` times, after it has passed `after` times.

        What was to be refused before is refused still.
        """
        code, _, message = error.partition(" ")
        calls: list[Seen] = []
        others = self.answer

        def answer(seen: Seen) -> Reply | None:
            if seen.operation != operation:
                return others(seen)
            calls.append(seen)
            if not after < len(calls) <= after + times:
                return others(seen)
            text = "" if seen.method == "HEAD" else f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
            return status, {}, text.encode()

        self.answer = answer


class FrontHandler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    front: Front
    s3: str
    pool = urllib3.PoolManager()

    def do(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path, _, query = self.path.partition("?")
        headers = {name.lower(): value for name, value in self.headers.items()}
        seen = Seen(self.command, path, dict(parse_qsl(query, keep_blank_values=True)), headers, body)
        self.front.seen.append(seen)
        if "authorization" in headers and not self.honest(seen):
            self.front.forged.append(seen)
        try:
            reply = self.front.answer(seen)
        except ConnectionError:
            self.close_connection = True
            return
        status, told, text = reply or self.forward(seen)
        self.send_response(status)
        for name, value in {"Content-Length": str(len(text)), **told}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(text)

    do_HEAD = do_GET = do_PUT = do_POST = do_DELETE = do

    def forward(self, seen: Seen) -> Reply:
        headers = {name: value for name, value in seen.headers.items() if name not in _HOP}
        url = self.s3 + self.path
        answer = self.pool.request(seen.method, url, headers=headers, body=seen.body, redirect=False, retries=False)
        told = {name: value for name, value in answer.headers.items() if name.lower() not in _HOP}
        if seen.method == "HEAD":
            told["Content-Length"] = answer.headers["Content-Length"]
        return answer.status, told, answer.data

    def honest(self, seen: Seen) -> bool:
        """Sign what came, with the secret that everybody has here."""
        signer = S3SigV4Auth(Credentials("test", "test", seen.headers.get("x-amz-security-token")), "s3", seen.region)
        url = self.path if self.path.startswith("http") else f"http://{self.headers['Host']}{self.path}"
        request = AWSRequest(seen.method, url, data=seen.body, headers=seen.signed_headers)
        request.context["timestamp"] = seen.headers["x-amz-date"]
        text = signer.string_to_sign(request, signer.canonical_request(request))
        return seen.headers["authorization"].endswith(f"Signature={signer.signature(text, request)}")

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture
def front(s3_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Front]:
    """S3 for every client made from now on. Each request's signature has to be good."""
    front = Front()

    class Handler(FrontHandler):
        pass

    Handler.front, Handler.s3 = front, s3_endpoint
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    front.address = f"http://127.0.0.1:{server.server_port}"
    for name, value in {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_SESSION_TOKEN", raising=False)
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", front.address)
    yield front
    server.shutdown()
    server.server_close()
    assert front.forged == []


def own_client() -> S3Client:
    return S3Client(find(), connections=8, patience=TWICE)


def sdk_client() -> Any:
    config = Config(
        retries={"mode": "standard", "total_max_attempts": 2},
        signature_version="s3v4",
        s3={"payload_signing_enabled": False},
    )
    return boto3.session.Session().client("s3", config=config)


@pytest.fixture(params=[own_client, sdk_client], ids=["own", "sdk"])
def client(request: pytest.FixtureRequest, front: Front) -> Any:
    """Each of the clients that a run takes, with one more attempt than a request's first."""
    return request.param()


@pytest.fixture
def clients(front: Front) -> tuple[S3Client, Any]:
    """Ours, and the SDK's."""
    return own_client(), sdk_client()


@pytest.fixture
def split() -> Callable[[str], tuple[str, str, dict[str, str]]]:
    """Takes a URL apart: scheme and host, path as it is meant, query."""

    def apart(url: str) -> tuple[str, str, dict[str, str]]:
        parts = urlsplit(url)
        return f"{parts.scheme}://{parts.netloc}", unquote(parts.path), dict(parse_qsl(parts.query))

    return apart
