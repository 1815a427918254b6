"""Answers that no other attempt will better are refused at once: what is no HTTP, leads nowhere, or has no size."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from glue_ingest.address import Address
from glue_ingest.arguments import parse
from glue_ingest.connection import RetryPolicy
from glue_ingest.errors import SourceRefused, Unreachable
from glue_ingest.log import Log
from glue_ingest.source import Source

TWICE = RetryPolicy(attempts=2, first_wait=0.0, longest_wait=0.0, connect_timeout=5, read_timeout=5)
MOVED = b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\n"
FOUND = b"HTTP/1.1 200 OK\r\n"

NO_HTTP = "gave an answer that is no HTTP"
NO_ADDRESS = "redirects to what is no http:// or https:// address"
TOO_LARGE = "is larger than can be stored (52,428,800,000 bytes at most)"
NO_LENGTH = "gave a Content-Length that is no number of bytes"


@pytest.fixture
def answering() -> Iterator[Callable[[bytes], str]]:
    """Start a server that answers every request with these bytes; the address of a file on it."""
    listeners = []

    def serve(listener: socket.socket, answer: bytes) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                connection.recv(65536)
                connection.sendall(answer)

    def start(answer: bytes) -> str:
        listeners.append(socket.create_server(("127.0.0.1", 0)))
        threading.Thread(target=serve, args=(listeners[-1], answer), daemon=True).start()
        return f"http://127.0.0.1:{listeners[-1].getsockname()[1]}/yellow_tripdata_2024-01.parquet"

    yield start
    for listener in listeners:
        listener.close()


def opened(url: str) -> None:
    request = parse(f"--dataset yellow --year 2024 --month 1 --raw_bucket raw --source_url {url}".split())
    address = Address(lambda method: request.url)
    Source(
        request, address=address, stop=threading.Event(), log=Log(month=""), connections=1, retry_policy=TWICE
    ).open()


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (MOVED + b"Location: file:///etc/passwd\r\n\r\n", NO_ADDRESS),
        (MOVED + b"Location: s3://bucket/key\r\n\r\n", NO_ADDRESS),
        (MOVED + b"Location: http://127.0.0.1:70000/\r\n\r\n", NO_ADDRESS),
        (MOVED + b"Location: http://[::1/\r\n\r\n", NO_ADDRESS),
        (MOVED + b"Location: /again\r\n\r\n", "redirects more than 5 times"),
        (MOVED + b"\r\n", "answered HTTP 302 without an address to go on to"),
        (FOUND + b"Content-Length: abc\r\n\r\nPAR1", NO_LENGTH),
        (FOUND + b"Content-Length: -5\r\n\r\nPAR1", NO_LENGTH),
        (FOUND + b"Content-Length: 4\r\nContent-Length: 5\r\n\r\nPAR1", NO_HTTP),
        (FOUND + b"Content-Length: " + b"9" * 30 + b"\r\n\r\nPAR1", TOO_LARGE),
        (b"\x00\xffSSH-2.0-OpenSSH_9.6\r\n\x1b[31mred\r\n", NO_HTTP),
        (b"HTTP/1.1 many OK\r\n\r\n", NO_HTTP),
        (FOUND + b"X: " + b"a" * 70_000 + b"\r\n\r\n", NO_HTTP),
    ],
)
def test_an_answer_that_stays_useless_is_refused_in_one_line_without_its_bytes(
    answering: Callable[[bytes], str], answer: bytes, problem: str
) -> None:
    url = answering(answer)
    with pytest.raises(SourceRefused) as refused:
        opened(url)
    assert str(refused.value) == f"{url} {problem}: correct --source_url"


def test_a_connection_that_is_closed_without_an_answer_is_tried_again(answering: Callable[[bytes], str]) -> None:
    url = answering(b"")
    with pytest.raises(Unreachable, match="failed 2 times"):
        opened(url)
