"""HTTP/1.1 for the one port: keep-alive, 100-continue on demand, streamed bodies both ways.

The base is werkzeug's threaded server, as moto's own server uses it. Its handler closes every connection after
one answer and sends `100 Continue` before the application has looked at the headers, so this one answers itself:
a body is read only as far as the application asks, what is left is drained (or the connection closed), and files
leave by `sendfile`.
"""

from __future__ import annotations

import contextlib
import io
import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Any, BinaryIO
from xml.sax.saxutils import escape

from moto.moto_server.werkzeug_app import MotoRequestHandler
from werkzeug.serving import DechunkedInput, ThreadedWSGIServer

from local_cloud.settings import HOST

log = logging.getLogger("local_cloud.http")

#: What an unread body may hold and still be read away to keep the connection, in bytes.
DRAIN_LIMIT = 1 << 20

#: What a refused upload may still send before its connection is cut, in bytes.
LINGER_LIMIT = 64 << 20


class RequestBody(io.RawIOBase):
    """The body of one request: ends where the message ends, and asks the client to go on when first read."""

    def __init__(self, stream: BinaryIO, *, length: int | None, go_on: Callable[[], None] | None) -> None:
        self._stream = stream
        self._left = length
        self._go_on = go_on
        self.complete = length == 0

    @property
    def waiting(self) -> bool:
        """True while the client still holds the body back for a `100 Continue`."""
        return self._go_on is not None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if self.complete:
            return 0
        self._ask()
        view = memoryview(buffer).cast("B")
        if self._left is not None:
            view = view[: self._left]
        if not view:
            return 0
        count = self._stream.readinto(view)  # type: ignore[attr-defined]
        return self._count(count or 0)

    def readline(self, size: int | None = -1) -> bytes:
        if self.complete:
            return b""
        self._ask()
        limit = -1 if size is None else size
        if self._left is not None:
            limit = self._left if limit < 0 else min(limit, self._left)
        line = self._stream.readline(limit)
        self._count(len(line))
        return line

    def drain(self, limit: int) -> bool:
        """Read away what is left, at most `limit` bytes. True when the message ended."""
        buffer = bytearray(min(limit, 1 << 18))
        while not self.complete and limit > 0:
            count = self.readinto(buffer)
            if not count:
                break
            limit -= count
        return self.complete

    def _ask(self) -> None:
        if self._go_on:
            go_on, self._go_on = self._go_on, None
            go_on()

    def _count(self, count: int) -> int:
        if self._left is None:
            self.complete = self.complete or count == 0
        else:
            self._left -= count
            self.complete = self._left == 0
            if not count and self._left:
                raise ConnectionError("the client closed the connection before its body was whole")
        return count


class FileSlice:
    """A response body out of a file: `length` bytes from `offset`. Owns the open file."""

    def __init__(self, file: BinaryIO, *, offset: int, length: int) -> None:
        self.file = file
        self.offset = offset
        self.length = length

    def send(self, connection: socket.socket) -> None:
        offset, left = self.offset, self.length
        while left > 0:
            sent = os.sendfile(connection.fileno(), self.file.fileno(), offset, min(left, 1 << 24))
            if not sent:
                raise ConnectionError("the file became shorter while it was sent")
            offset, left = offset + sent, left - sent

    def __iter__(self) -> Iterator[bytes]:
        self.file.seek(self.offset)
        left = self.length
        while left > 0 and (block := self.file.read(min(left, 1 << 20))):
            left -= len(block)
            yield block

    def close(self) -> None:
        self.file.close()


@dataclass
class Reply:
    """An answer, apart from WSGI."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | FileSlice = b""


class Handler(MotoRequestHandler):  # type: ignore[misc]  # untyped
    """One connection. `make_environ` is moto's (it keeps metadata names with underscores)."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    rbufsize = 1 << 16
    server: Server

    def log_request(self, *args: Any, **kwargs: Any) -> None:
        """The log is for what goes wrong; a record of calls is not part of this cloud."""

    def log_error(self, format: str, *args: Any) -> None:
        log.debug(format, *args)

    def handle_expect_100(self) -> bool:
        return True  # RequestBody sends it, when the body is wanted

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """What is no HTTP request at all."""
        text = f"<Error><Code>BadRequest</Code><Message>{escape(message or 'Bad request')}</Message></Error>"
        head = f"HTTP/1.1 {int(code)} Bad Request\r\nContent-Type: application/xml\r\nConnection: close\r\n"
        self.close_connection = True
        self.connection.sendall(f"{head}Content-Length: {len(text.encode())}\r\n\r\n{text}".encode())

    def make_environ(self) -> dict[str, Any]:
        environ: dict[str, Any] = super().make_environ()
        stream = environ["wsgi.input"]
        length: int | None = None
        if isinstance(stream, DechunkedInput):
            stream = io.BufferedReader(stream, 1 << 16)
        else:
            length = _content_length(environ.get("CONTENT_LENGTH") or "0")
        expects = self.headers.get("Expect", "").strip().lower() == "100-continue"
        environ["wsgi.input"] = RequestBody(stream, length=length, go_on=self._continue if expects else None)
        environ["wsgi.input_terminated"] = True
        return environ

    def _continue(self) -> None:
        self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def run_wsgi(self) -> None:
        try:
            self.environ = environ = self.make_environ()
        except ValueError as error:
            self.send_error(400, str(error))
            return
        body: RequestBody = environ["wsgi.input"]
        with self.server.busy():
            try:
                self._answer(environ, body)
            except (ConnectionError, TimeoutError) as error:
                log.debug("connection dropped: %s", error)
                self.close_connection = True

    def _answer(self, environ: dict[str, Any], body: RequestBody) -> None:
        started: list[tuple[str, list[tuple[str, str]]]] = []

        def start_response(status: str, headers: list[tuple[str, str]], exc_info: object = None) -> Any:
            started[:] = [(status, headers)]
            return None

        result: Iterable[bytes] = self.server.app(environ, start_response)
        try:
            self._send(environ, body, *started[0], result)
        finally:
            if close := getattr(result, "close", None):
                close()
        if self.close_connection and not body.complete and not body.waiting:
            self._linger(body)

    def _send(
        self,
        environ: dict[str, Any],
        body: RequestBody,
        status: str,
        headers: list[tuple[str, str]],
        result: Iterable[bytes],
    ) -> None:
        code = int(status.split(None, 1)[0])
        bare = environ["REQUEST_METHOD"] == "HEAD" or code in (204, 304)
        result, framing = self._frame(headers, result, bare=bare)
        if body.waiting or not body.drain(DRAIN_LIMIT):
            self.close_connection = True
        headers = [*headers, *framing, ("Date", formatdate(usegmt=True))]
        if self.close_connection:
            headers.append(("Connection", "close"))
        head = f"HTTP/1.1 {status}\r\n" + "".join(f"{k}: {_one_line(v)}\r\n" for k, v in headers) + "\r\n"
        pending = head.encode("latin-1", "replace")
        if isinstance(result, FileSlice) and not bare:
            self.connection.sendall(pending)
            result.send(self.connection)
            return
        for block in () if bare else result:
            self.connection.sendall(pending + block)  # headers and a small body leave together
            pending = b""
        if pending:
            self.connection.sendall(pending)

    def _frame(
        self, headers: list[tuple[str, str]], result: Iterable[bytes], *, bare: bool
    ) -> tuple[Iterable[bytes], list[tuple[str, str]]]:
        """The body as it goes out, and the headers that say where it ends."""
        if bare or any(name.lower() == "content-length" for name, _ in headers):
            return result, []
        if isinstance(result, (list, tuple)):
            whole = b"".join(result)
            return [whole], [("Content-Length", str(len(whole)))]
        if self.request_version >= "HTTP/1.1":
            return _chunked(result), [("Transfer-Encoding", "chunked")]
        self.close_connection = True
        return result, []

    def _linger(self, body: RequestBody) -> None:
        """Let a client that is still sending see the answer: a close with unread bytes would reset it."""
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_WR)
            self.connection.settimeout(2)
            body.drain(LINGER_LIMIT)


def _content_length(text: str) -> int:
    """ValueError for what is no number of bytes, or more than a file can have."""
    if not (text.isascii() and text.isdigit() and len(text) < 20 and int(text) < 1 << 63):
        raise ValueError("Content-Length is no number of bytes")
    return int(text)


def _chunked(blocks: Iterable[bytes]) -> Iterator[bytes]:
    for block in blocks:
        if block:
            yield b"%x\r\n%b\r\n" % (len(block), block)
    yield b"0\r\n\r\n"


def _one_line(value: object) -> str:
    return str(value).replace("\r", " ").replace("\n", " ")


class Server(ThreadedWSGIServer):
    """One thread a connection, on a socket that `listen` has bound."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, listener: socket.socket, app: Any) -> None:
        port = listener.getsockname()[1]
        super().__init__(HOST, port, app, handler=Handler, passthrough_errors=True, fd=listener.fileno())
        self._listener = listener
        self._working = 0
        self._idle = threading.Condition()

    @contextlib.contextmanager
    def busy(self) -> Iterator[None]:
        """Around one request, so that a stop can wait for it."""
        with self._idle:
            self._working += 1
        try:
            yield
        finally:
            with self._idle:
                self._working -= 1
                self._idle.notify_all()

    def wait_idle(self, seconds: float) -> bool:
        """Wait until no request is in work. False when some still are after `seconds`."""
        deadline = time.monotonic() + seconds
        with self._idle:
            return self._idle.wait_for(lambda: self._working == 0, max(0.0, deadline - time.monotonic()))

    def handle_error(self, request: Any, client_address: Any) -> None:
        log.exception("connection of %s failed", client_address)
