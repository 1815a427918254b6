"""A real PostgreSQL that redshift_connector accepts: lexing as Redshift does, behind a proxy that mends the hello.

The driver sends start-up parameters that PostgreSQL refuses, and can't parse its version; the proxy drops the
first and rewrites the second. Everything after that is the driver and the server talking.
"""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

_DROPPED = {b"client_protocol_version", b"driver_version", b"os_version", b"driver_discovery_version"}
_SSL_REQUEST = 80877103


def binaries() -> Path | None:
    """The folder of `initdb` and `postgres`, if this machine has them."""
    on_path = shutil.which("initdb")
    found = [Path(on_path).parent] if on_path else sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    return found[-1] if found and (found[-1] / "initdb").exists() else None


def _account() -> str | None:
    """PostgreSQL refuses to run as root: the account to run it as then."""
    if os.geteuid() != 0:
        return None
    with suppress(KeyError):
        return pwd.getpwnam("postgres").pw_name
    return "nobody"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Postgres:
    """User and password of a running server, and the port of its proxy."""

    port: int
    user: str = "elt"
    password: str = field(default_factory=lambda: secrets.token_hex(12))
    proxy_port: int = 0


@contextmanager
def running(folder: Path) -> Iterator[Postgres]:
    """A server with its data in a temporary folder, and its proxy, within the block."""
    server = Postgres(free_port())
    data = Path(tempfile.mkdtemp(prefix="rs-query-postgres-"))
    account = _account()
    if account:
        shutil.chown(data, account)
    password_file = data / "password"
    password_file.touch(0o600)
    password_file.write_text(server.password)
    if account:
        shutil.chown(password_file, account)
    initdb = [folder / "initdb", "-D", data / "db", "-U", server.user, "-A", "md5", "-E", "UTF8", "--locale=C"]
    subprocess.run(
        [*map(str, initdb), "--pwfile", str(password_file), "--no-sync"],
        check=True,
        capture_output=True,
        user=account,
        cwd="/",
    )
    settings = {
        "port": server.port,
        "listen_addresses": "127.0.0.1",
        "unix_socket_directories": "",
        "fsync": "off",
        "standard_conforming_strings": "off",
        "escape_string_warning": "off",
        "backslash_quote": "on",
    }
    options = [option for name, value in settings.items() for option in ("-c", f"{name}={value}")]
    process = subprocess.Popen(
        [str(folder / "postgres"), "-D", str(data / "db"), *options],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        user=account,
        cwd="/",
    )
    try:
        _wait_for(server.port, process)
        with _proxy(server.port) as server.proxy_port:
            yield server
    finally:
        process.send_signal(signal.SIGINT)  # without waiting for its clients
        process.wait(20)
        shutil.rmtree(data)


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + 30
    while time.monotonic() < end:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        assert process.poll() is None, "the server did not start"
        time.sleep(0.02)
    raise AssertionError("the server did not open its port")


@contextmanager
def _proxy(port: int) -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def accept() -> None:
            with suppress(OSError):
                while True:
                    client, _ = listener.accept()
                    threading.Thread(target=_serve, args=(client, port), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield listener.getsockname()[1]


def _serve(client: socket.socket, port: int) -> None:
    with suppress(OSError, EOFError), closing(client), socket.create_connection(("127.0.0.1", port)) as server:
        for end in (client, server):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        length, code = struct.unpack("!ii", _exactly(client, 8))
        if code == _SSL_REQUEST:
            client.sendall(b"N")
            length, code = struct.unpack("!ii", _exactly(client, 8))
        words = _exactly(client, length - 8).rstrip(b"\0").split(b"\0")
        kept = [word for name, value in zip(words[::2], words[1::2]) if name not in _DROPPED for word in (name, value)]
        hello = b"\0".join(kept) + b"\0\0"
        server.sendall(struct.pack("!ii", len(hello) + 8, code) + hello)
        threading.Thread(target=_pipe, args=(client, server), daemon=True).start()
        kind = b""
        while kind != b"Z":
            head = _exactly(server, 5)
            kind, length = head[:1], struct.unpack("!i", head[1:])[0]
            body = _exactly(server, length - 4)
            if kind == b"S" and body.startswith(b"server_version\0"):
                body = b"server_version\x008.0.2\0"
            client.sendall(kind + struct.pack("!i", len(body) + 4) + body)
        _pipe(server, client)


def _pipe(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_RDWR)


def _exactly(source: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        more = source.recv(count - len(data))
        if not more:
            raise EOFError
        data += more
    return data
