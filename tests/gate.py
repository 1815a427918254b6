"""A gate in front of a cloud: lets requests through, and does something at a chosen one, before or after it."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal
from urllib.parse import parse_qs

When = Literal["before", "during", "after"]


@dataclass(frozen=True)
class Request:
    """`what` is the action of one that has a name, else method and path."""

    what: str
    parameters: dict[str, list[str]] = field(default_factory=dict)


@dataclass
class Gate:
    """`act` is called once, at the first request that `at` takes: before the cloud gets it, while it works on it, or
    before its answer goes out. The connection is then closed without one."""

    port: int
    url: str = ""
    at: Callable[[Request], bool] = lambda request: False
    when: When = "before"
    act: Callable[[], None] = lambda: None
    reached: threading.Event = field(default_factory=threading.Event)

    def set(self, at: Callable[[Request], bool], when: When, act: Callable[[], None]) -> None:
        self.reached.clear()
        self.at, self.when, self.act = at, when, act

    def is_reached_by(self, request: Request) -> bool:
        if self.reached.is_set() or not self.at(request):
            return False
        self.reached.set()
        return True


@contextmanager
def gate(port: int) -> Iterator[Gate]:
    """A gate on a port of its own, in front of the cloud on `port`."""
    passing = Gate(port)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            stopped = passing.is_reached_by(_request(self, body))
            if stopped and passing.when == "before":
                passing.act()
            elif stopped and passing.when == "during":
                forwarding = threading.Thread(target=self._forward, args=(body,))
                forwarding.start()
                passing.act()
                forwarding.join()
            else:
                status, headers, answer = self._forward(body)
                if not stopped:
                    self._answer(status, headers, answer)
                    return
                passing.act()
            self.close_connection = True

        do_GET = do_PUT = do_HEAD = do_DELETE = do_POST

        def _forward(self, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
            connection = http.client.HTTPConnection("127.0.0.1", passing.port, timeout=60)
            try:
                connection.request(self.command, self.path, body, dict(self.headers))
                answer = connection.getresponse()
                return answer.status, answer.getheaders(), answer.read()
            except OSError:
                return 503, [], b""
            finally:
                connection.close()

        def _answer(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
            self.send_response_only(status)
            for name, value in headers:
                if name.lower() not in ("transfer-encoding", "connection"):
                    self.send_header(name, value)
            if not any(name.lower() == "content-length" for name, _ in headers):
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: object) -> None:
            """Not on the tests' own output."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    passing.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield passing
    finally:
        server.shutdown()
        server.server_close()


def _request(handler: BaseHTTPRequestHandler, body: bytes) -> Request:
    if target := handler.headers.get("X-Amz-Target"):
        return Request(target.rsplit(".", 1)[-1])
    if "x-www-form-urlencoded" in handler.headers.get("Content-Type", ""):
        parameters = parse_qs(body.decode())
        return Request(parameters["Action"][0], parameters)
    return Request(f"{handler.command} {handler.path}")
