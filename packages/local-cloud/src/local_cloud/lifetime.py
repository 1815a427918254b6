"""Which process works on a state folder: a lock that dies with it, and a file that tells who it is."""

from __future__ import annotations

import datetime
import fcntl
import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from local_cloud.errors import StateInUse
from local_cloud.files import make_private, write_whole
from local_cloud.settings import Settings


@dataclass(frozen=True)
class Running:
    """The process behind `local-cloud.json`. `started` identifies it beside its pid, `since` is ISO 8601."""

    pid: int
    started: str
    port: int
    endpoint: str
    state_dir: str
    since: str


def lock_file(settings: Settings) -> Path:
    return settings.state_dir / "local-cloud.lock"


def identity_file(settings: Settings) -> Path:
    return settings.state_dir / "local-cloud.json"


@contextmanager
def holding(settings: Settings) -> Iterator[None]:
    """Hold the state folder. StateInUse when another process does."""
    make_private(settings.state_dir, marker=lock_file(settings))
    with lock_file(settings).open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise in_use(settings) from None
        yield


def in_use(settings: Settings) -> StateInUse:
    other = read(settings)
    where = f" at {other.endpoint} (pid {other.pid})" if other else ""
    return StateInUse(
        f"A local cloud already works on {settings.state_dir}{where}. Use that one, or stop it: "
        f"{settings.typed.command('down')}."
    )


def is_held(settings: Settings) -> bool:
    """True while a process holds the state folder."""
    try:
        with lock_file(settings).open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return False


def announce(settings: Settings) -> None:
    """Write who serves this folder, once the port answers."""
    pid = os.getpid()
    running = Running(
        pid=pid,
        started=process_start(pid),
        port=settings.port,
        endpoint=settings.endpoint,
        state_dir=str(settings.state_dir),
        since=datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
    )
    write_whole(identity_file(settings), json.dumps(asdict(running), indent=2).encode(), b"\n")


def withdraw(settings: Settings) -> None:
    identity_file(settings).unlink(missing_ok=True)


def read(settings: Settings) -> Running | None:
    """Who `local-cloud.json` names if that process lives; a file that a killed process left behind says nothing."""
    try:
        running = Running(**json.loads(identity_file(settings).read_text()))
    except (FileNotFoundError, ValueError, TypeError):
        return None
    return running if is_alive(running) else None


def is_alive(running: Running) -> bool:
    return running.started != "" and process_start(running.pid) == running.started


def process_start(pid: int) -> str:
    """When a process started, in the system's own terms; "" when there is none. Pids are used again, this is not."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        if Path("/proc/self/stat").exists():
            return ""
        shown = subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
        return shown.stdout.strip()
    # proc(5): after the command in parentheses come state (3rd field), …, starttime (22nd).
    fields = stat.rpartition(")")[2].split()
    return "" if fields[0] == "Z" else fields[19]
