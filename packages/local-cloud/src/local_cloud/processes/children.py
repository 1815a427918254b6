"""Child processes that never outlive the local cloud.

Each child leads a process group and holds two things: the read end of a pipe, the lifeline, and a locked
file. The lifeline's other end closes when the server dies, however it dies, and the child then kills its group
(`child/lifeline.py`). The lock tells the next server that a child is still there all the same (one that
was suspended, say), to be killed before anything new starts.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

#: Of the server's own environment, all that a child gets to see: no keys, tokens or settings of the user.
HOST_VARIABLES = (
    "PATH",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "TZ",
    "JAVA_HOME",
    *("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "AWS_CA_BUNDLE"),
)

#: Where a child finds `lifeline`: put on sys.path for that one import.
CHILD_PATH = Path(__file__).parent / "child"

#: The file in a child's folder that it holds locked for as long as it lives; the text in it is its process id.
LOCK_NAME = "alive"


def host_environment() -> dict[str, str]:
    """The allowed part of the server's environment."""
    return {name: os.environ[name] for name in HOST_VARIABLES if name in os.environ}


@dataclass
class Child:
    """A running child and our end of its lifeline."""

    process: subprocess.Popen[bytes]
    lifeline: int

    def signal_group(self, signum: int) -> None:
        """Signal the child and everything it started; nothing happens when all of it is gone."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signum)

    def stop(self, grace_s: float) -> None:
        """SIGTERM, and SIGKILL to what is left of the group after `grace_s` seconds."""
        self.signal_group(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(grace_s)
        self.close()

    def close(self) -> None:
        """Kill what may be left of the group and let go of the lifeline. Safe to call twice."""
        self.signal_group(signal.SIGKILL)
        self.process.wait()
        if self.lifeline >= 0:
            os.close(self.lifeline)
            self.lifeline = -1


def spawn(
    command: Sequence[str],
    *,
    folder: Path,
    env: Mapping[str, str],
    cwd: Path | None = None,
    stderr: int = subprocess.PIPE,
    pass_fds: Sequence[int] = (),
) -> Child:
    """Start `command`, with the lifeline's file descriptor in LOCAL_CLOUD_LIFELINE.

    `folder` holds the lock and is the working directory, unless `cwd` is. Output goes to pipes, input is empty.
    """
    theirs, ours = os.pipe()
    lock = os.open(folder / LOCK_NAME, os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        process = subprocess.Popen(
            list(command),
            cwd=cwd or folder,
            env={**env, "LOCAL_CLOUD_LIFELINE": str(theirs)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=stderr,
            start_new_session=True,
            pass_fds=(theirs, lock, *pass_fds),
        )
        os.write(lock, str(process.pid).encode())
    except BaseException:
        os.close(ours)
        raise
    finally:
        os.close(theirs)
        os.close(lock)
    return Child(process, ours)


def kill_orphan(folder: Path) -> bool:
    """Kill the group whose child still holds the lock in `folder`; True when there was one."""
    try:
        lock = os.open(folder / LOCK_NAME, os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        pid = os.read(lock, 32).decode()
        if pid.isdigit():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(int(pid), signal.SIGKILL)
        return True
    finally:
        os.close(lock)
    return False
