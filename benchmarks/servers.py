"""A local cloud, MiniStack and moto's server, started with nothing on a free port, for benchmarks beside each other."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path

Server = Callable[[Path, int], AbstractContextManager[int]]
"""Starts a server on a folder and a port, and gives its process."""


def servers(beside: Path | None) -> dict[str, Server]:
    """The local cloud, and those of the others that the folder has, by name."""
    found: dict[str, Server] = {"local-cloud": local_cloud}
    for name, server in (("ministack", ministack), ("moto_server", moto_server)):
        if beside and (program := beside / name).exists():
            found[name] = partial(server, program)
    return found


@contextmanager
def local_cloud(folder: Path, port: int) -> Iterator[int]:
    command = [str(Path(sys.executable).with_name("local-cloud"))]
    up = [*command, "up", "--state", str(folder), "--port", str(port)]
    subprocess.run(up, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield int(json.loads((folder / "local-cloud.json").read_text(encoding="utf-8"))["pid"])
    finally:
        subprocess.run([*command, "down", "--state", str(folder)], check=True, capture_output=True)


def ministack(program: Path, folder: Path, port: int) -> AbstractContextManager[int]:
    return started([str(program)], folder, GATEWAY_PORT=str(port), MINISTACK_HOST="127.0.0.1")


def moto_server(program: Path, folder: Path, port: int) -> AbstractContextManager[int]:
    return started([str(program), "-p", str(port)], folder)


@contextmanager
def started(command: list[str], folder: Path, **environment: str) -> Iterator[int]:
    process = subprocess.Popen(
        command, cwd=folder, env=os.environ | environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield process.pid
    finally:
        process.terminate()
        process.wait(timeout=30)


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def resident(process: int) -> float:
    """Megabytes."""
    status = Path(f"/proc/{process}/status").read_text(encoding="utf-8")
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024
