"""Start, stop and look at a local cloud from outside.

These are library functions; `local-cloud …` (cli.py) puts them on the command line.
"""

from __future__ import annotations

import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

from local_cloud import errors, lifetime, ports
from local_cloud.errors import LocalCloudError, PortInUse, StartFailed, StateInUse, StateUnusable, StopFailed
from local_cloud.files import UMASK, check_owner, unwritable
from local_cloud.settings import HOST, STATE_NAMES, Settings

#: How long a start or a stop may take before it counts as failed, in seconds.
PATIENCE = 30.0

_POLL = 0.02

#: Processes that this one started, to be reaped when they have ended.
_children: list[subprocess.Popen[bytes]] = []


@dataclass(frozen=True)
class Status:
    """Whether a cloud runs on a state folder, and where. `since` is ISO 8601; empty and 0 when it does not.

    `unsaved` is what it cannot save at the moment (`what`, `since`, `cause`), `notices` what it found when it started.
    """

    running: bool
    state_dir: Path
    pid: int = 0
    port: int = 0
    endpoint: str = ""
    since: str = ""
    unsaved: dict[str, Any] | None = None
    notices: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        return {
            "running": self.running,
            "pid": self.pid or None,
            "port": self.port or None,
            "endpoint": self.endpoint or None,
            "state": str(self.state_dir),
            "since": self.since or None,
            "unsaved": self.unsaved,
            "notices": [*self.notices],
        }

    @property
    def line(self) -> str:
        if not self.running:
            return f"not running (state in {self.state_dir})"
        return f"running at {self.endpoint} (pid {self.pid}, since {self.since}, state in {self.state_dir})"

    def __str__(self) -> str:
        lines = [self.line]
        if self.unsaved:
            what, cause = ", ".join(self.unsaved["what"]), self.unsaved["cause"]
            lines.append(f"cannot save {what} since {self.unsaved['since']}: {cause}; changes are refused until it can")
        return "\n".join([*lines, *self.notices])


def status(settings: Settings) -> Status:
    """Who works on the state folder; its port may be another than the settings'."""
    running = lifetime.read(settings) if lifetime.is_held(settings) else None
    if running is None:
        return Status(running=False, state_dir=settings.state_dir)
    answer = _ask(running.port) or {}
    return Status(
        running=True,
        state_dir=settings.state_dir,
        pid=running.pid,
        port=running.port,
        endpoint=running.endpoint,
        since=running.since,
        unsaved=answer.get("unsaved"),
        notices=tuple(answer.get("notices", ())),
    )


def up(settings: Settings) -> Status:
    """Start a server process that outlives this one and wait until it answers; nothing to do if it runs.

    Raises PortInUse, StateInUse (it runs on another port), StateUnusable, StartFailed.
    """
    if found := _running_as_asked(settings):
        return found
    _check_port(settings)
    try:
        settings.state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        check_owner(settings.state_dir)
        process = _spawn(settings)
    except OSError as error:
        raise StateUnusable(unwritable(settings.state_dir, error).said(settings.typed.command), "") from error
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        answer = _ask(settings.port)
        if answer and answer.get("state_dir") == str(settings.state_dir) and (found := _running_as_asked(settings)):
            return found
        if process.poll() is not None and not lifetime.is_held(settings):
            raise _failure(process, settings)
        time.sleep(_POLL)
    raise StartFailed(f"The local cloud did not answer within {PATIENCE:.0f} s. See {_log(settings)}.")


def down(settings: Settings) -> bool:
    """Stop the cloud of a state folder and wait until it has. False when none ran. StopFailed if it does not end."""
    if not lifetime.is_held(settings):
        return False
    deadline = time.monotonic() + PATIENCE
    running = None
    while lifetime.is_held(settings) or (running and lifetime.is_alive(running)):
        if running is None and (running := lifetime.read(settings)):
            os.kill(running.pid, signal.SIGTERM)
        if time.monotonic() > deadline:
            raise StopFailed(f"The local cloud did not stop within {PATIENCE:.0f} s. See {_log(settings)}.")
        time.sleep(_POLL)
        _reap()
    return True


def reset(settings: Settings) -> list[Path]:
    """Delete all state. Returns what was deleted. StateInUse while a cloud works on it."""
    if lifetime.is_held(settings):
        raise lifetime.in_use(settings)
    deleted = []
    for path in state_of(settings):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
        deleted.append(path)
    if settings.state_dir.is_dir() and not any(settings.state_dir.iterdir()):
        settings.state_dir.rmdir()
    return deleted


def recover(settings: Settings) -> list[str]:
    """Set aside what cannot be read, so that the rest can be used: one line for each thing done. StateInUse."""
    from local_cloud import recovery

    if lifetime.is_held(settings):
        raise lifetime.in_use(settings)
    return recovery.recover(settings)


def state_of(settings: Settings) -> list[Path]:
    """What a reset would delete: the cloud's own files and folders, never another one beside them."""
    return [path for name in STATE_NAMES if os.path.lexists(path := settings.state_dir / name)]


def environment(settings: Settings) -> dict[str, str]:
    """What boto3 and the `aws` command need to find this cloud. The keys are the account's administrator.

    There is no host `sync-127.0.0.1`, where both send StartSyncExecution and TestState else.
    """
    return {
        "AWS_ENDPOINT_URL": settings.endpoint,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": settings.region,
        "AWS_DEFAULT_REGION": settings.region,
        "AWS_DISABLE_HOST_PREFIX_INJECTION": "true",
    }


def _running_as_asked(settings: Settings) -> Status | None:
    found = status(settings)
    if found.running and found.port != settings.port:
        raise StateInUse(
            f"A local cloud already works on {settings.state_dir} at {found.endpoint} (pid {found.pid}). "
            f"Use that port, or stop it first: {settings.typed.command('down')}."
        )
    return found if found.running else None


def _check_port(settings: Settings) -> None:
    """PortInUse when something answers on the port that is not a cloud of this state folder."""
    with socket.socket() as probe:
        probe.settimeout(2)
        if probe.connect_ex((HOST, settings.port)) != 0:
            return
    answer = _ask(settings.port)
    if answer is None:
        holder = ports.holder(settings.port)
        raise PortInUse(
            f"Port {settings.port} is in use{f' by {holder}' if holder else ''}. "
            "Stop that, or choose another port with --port or LOCAL_CLOUD_PORT."
        )
    if answer.get("state_dir") != str(settings.state_dir):
        raise PortInUse(
            f"Port {settings.port} serves the local cloud of {answer.get('state_dir')} (pid {answer.get('pid')}). "
            "Stop that, or choose another port with --port or LOCAL_CLOUD_PORT."
        )


def _ask(port: int) -> dict[str, Any] | None:
    """The status document of the cloud on a port, None when nothing or something else is there."""
    connection = http.client.HTTPConnection(HOST, port, timeout=2)
    try:
        connection.request("GET", "/_local-cloud/status")
        answer = json.loads(connection.getresponse().read())
    except (OSError, http.client.HTTPException, ValueError):
        return None
    finally:
        connection.close()
    return answer if isinstance(answer, dict) and "state_dir" in answer else None


def _spawn(settings: Settings) -> subprocess.Popen[bytes]:
    log = _log(settings)
    if log.exists() and log.stat().st_size > 1_000_000:
        log.replace(log.with_name(f"{log.name}.1"))
    variables = {"LOCAL_CLOUD_STATE": str(settings.state_dir), "LOCAL_CLOUD_PORT": str(settings.port)}
    with log.open("ab") as err:
        process = subprocess.Popen(
            [sys.executable, "-m", "local_cloud", "--detached", *astuple(settings.typed)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=err,
            cwd=settings.state_dir,
            env=os.environ | variables,
            start_new_session=True,
            umask=UMASK,
        )
    _children.append(process)
    return process


def _failure(process: subprocess.Popen[bytes], settings: Settings) -> LocalCloudError:
    """What a server process that ended at once had to say: one line of JSON on its output."""
    said = process.stdout.read() if process.stdout else b""
    _reap()
    try:
        answer = json.loads(said)
        kind, message = getattr(errors, answer["kind"]), str(answer["message"])
        error: LocalCloudError = StateUnusable(message, "") if issubclass(kind, StateUnusable) else kind(message)
    except (ValueError, KeyError):
        error = StartFailed(f"The local cloud ended with code {process.returncode}. See {_log(settings)}.")
    return error


def _reap() -> None:
    _children[:] = [process for process in _children if process.poll() is None]


def _log(settings: Settings) -> Path:
    return settings.state_dir / "local-cloud.log"
