"""Whether a file is published: what its server's answers mean. The servers are real, on this machine."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from trigger import source
from trigger.events import EventError
from trigger.periods import Month
from trigger.source import SourceError, address_of, why_missing

SEPTEMBER = Month(2024, 9)
PROXIED = "http://source.invalid"


class Server(BaseHTTPRequestHandler):
    """Answers /STATUS so; /to/ADDRESS redirects there, /round in a circle; /no-head/STATUS refuses HEAD."""

    asked: list[str]

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def _answer(self) -> None:
        self.asked.append(f"{self.command} {self.path}")
        kind, _, rest = self.path.removeprefix(PROXIED).partition("?")[0].lstrip("/").partition("/")
        if kind == "no-head":
            status = 501 if self.command == "HEAD" else int(rest)
        else:
            status = 302 if kind in ("to", "round") else int(kind)
        self.send_response(status)
        if kind == "to":
            self.send_header("Location", rest)
        if kind == "round":
            self.send_header("Location", "/round")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Not on stderr."""


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    Server.asked = []
    with ThreadingHTTPServer(("127.0.0.1", 0), Server) as listening:
        threading.Thread(target=listening.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{listening.server_port}"
        listening.shutdown()


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("/200", ""),
        ("/403", "HTTP 403"),
        ("/404", "HTTP 404"),
        ("/to//200", ""),
        ("/to//404", "HTTP 404"),
        ("/no-head/200", ""),
        ("/no-head/404", "HTTP 404"),
    ],
)
def test_a_file_is_there_or_is_missing(server: str, path: str, answer: str) -> None:
    assert why_missing(server + path) == answer


def test_nothing_but_the_head_is_asked_for_also_after_a_redirect(server: str) -> None:
    Server.asked.clear()
    assert why_missing(f"{server}/to//200") == ""
    assert Server.asked == ["HEAD /to//200", "HEAD /200"]


@pytest.mark.parametrize(
    ("path", "complaint"),
    [
        ("/401", "answered HTTP 401, which does not tell whether it is published"),
        ("/410", "answered HTTP 410, which does not tell whether it is published"),
        ("/429", "answered HTTP 429, which does not tell whether it is published"),
        ("/503?signature=s3cr3t", "answered HTTP 503, which does not tell whether it is published"),
        ("/round", "answered HTTP 302 and leads nowhere"),
        ("/to/file:///etc/passwd", "answered HTTP 302 and leads nowhere"),
        ("/to/ftp://127.0.0.1/x", "did not answer"),
    ],
)
def test_every_other_answer_is_an_error_and_no_missing_file(server: str, path: str, complaint: str) -> None:
    with pytest.raises(SourceError) as caught:
        why_missing(server + path)
    assert str(caught.value).startswith(f"{server}{path.partition('?')[0]} {complaint}")
    assert "s3cr3t" not in str(caught.value)


@contextmanager
def listening(answer: bytes) -> Iterator[str]:
    """A server that sends this to its one client, and then nothing."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        connections: list[socket.socket] = []

        def serve() -> None:
            connection, _ = listener.accept()
            connections.append(connection)
            connection.sendall(answer)

        threading.Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/file"
        for connection in connections:
            connection.close()


def test_a_server_that_is_silent_or_is_none_did_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "TIMEOUT", 0.2)
    with listening(b"") as silent, pytest.raises(SourceError, match=r"/file did not answer: \w*[tT]imeout"):
        why_missing(silent)
    with (
        listening(b"SSH-2.0-x\r\n\r\n") as other,
        pytest.raises(SourceError, match="/file did not answer: BadStatusLine"),
    ):
        why_missing(other)
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{closed.getsockname()[1]}/file"
        with pytest.raises(SourceError, match="/file did not answer: ConnectionRefusedError"):
            why_missing(address)


def test_the_environments_proxy_is_asked(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", server)
    Server.asked.clear()
    assert why_missing(f"{PROXIED}/404") == "HTTP 404"
    assert Server.asked == [f"HEAD {PROXIED}/404"]


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    with mock_aws():
        boto3.client("s3").create_bucket(Bucket="mirror")
        yield "mirror"


def test_an_object_in_s3_is_there_or_is_missing(bucket: str) -> None:
    address = address_of("s3://mirror/{dataset}/{year}-{month}.parquet", dataset="yellow", month=SEPTEMBER)
    assert why_missing(address) == "HTTP 404"
    boto3.client("s3").put_object(Bucket=bucket, Key="yellow/2024-09.parquet", Body=b"")
    assert why_missing(address) == ""


def test_s3_without_permission_is_an_error_that_names_it(bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    class Forbidden:
        def head_object(self, **given: str) -> None:
            raise ClientError({"Error": {"Code": "403"}, "ResponseMetadata": {"HTTPStatusCode": 403}}, "HeadObject")

    monkeypatch.setattr(boto3, "client", lambda service: Forbidden())
    with pytest.raises(SourceError, match=r"allow this function's role s3:GetObject on it, and s3:ListBucket"):
        why_missing("s3://mirror/file")


def test_the_placeholders_are_filled_in() -> None:
    template = "https://example.com/{dataset}_tripdata_{year}-{month}.parquet"
    address = address_of(template, dataset="yellow", month=SEPTEMBER)
    assert address == "https://example.com/yellow_tripdata_2024-09.parquet"


@pytest.mark.parametrize(
    ("template", "complaint"),
    [
        ("https://example.com/{day}", "has the placeholder {day}; there are {dataset}, {year}, {month}"),
        ("https://example.com/{", "source 'https://example.com/{': "),
        ("ftp://example.com/file", "must be an http://, https:// or s3:// address, but is 'ftp://example.com/file'"),
        ("/srv/tlc", "must be an http://, https:// or s3:// address"),
        ("s3://bucket", "must be an http://, https:// or s3:// address"),
        ("https://me:secret@example.com/file", "source must not hold a user or password: addresses are logged"),
    ],
)
def test_an_address_that_is_none_is_refused(template: str, complaint: str) -> None:
    with pytest.raises(EventError) as caught:
        address_of(template, dataset="yellow", month=SEPTEMBER)
    assert complaint in str(caught.value)
