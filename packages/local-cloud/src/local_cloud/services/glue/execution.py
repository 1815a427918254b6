"""One run's process: start it, carry its output to the logs, and say how it ended."""

from __future__ import annotations

import contextlib
import logging
import signal
import subprocess
import threading
from collections.abc import Callable
from typing import IO

from local_cloud.processes import children, lines
from local_cloud.processes.children import Child
from local_cloud.services.glue.errors import JobFailure, JobStopped, JobTimedOut
from local_cloud.services.glue.preparation import Launch

log = logging.getLogger("local_cloud.glue")

#: Between the SIGTERM of a stop or a timeout and the SIGKILL, in seconds.
STOP_GRACE_S = 10.0

#: How long output is still read once the job's processes are gone, in seconds.
DRAIN_S = 5.0

Write = Callable[[list[str]], None]


class Execution:
    """A run's process from start to end; `stop` may be called from any thread, at any time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._stop_asked = False
        self._child: Child | None = None

    @property
    def is_stopped(self) -> bool:
        """Whether somebody has asked for its end."""
        return self._stop_asked

    def check_stopped(self) -> None:
        """Raise JobStopped once somebody has asked for it."""
        if self._stop_asked:
            raise JobStopped

    def stop(self, grace_s: float) -> None:
        """SIGTERM to the run's processes, SIGKILL `grace_s` later; a run that has none yet never gets one."""
        with self._lock:
            self._stop_asked = True
            child = self._child
        if child:
            threading.Thread(target=child.stop, args=(grace_s,), daemon=True).start()

    def run(self, launch: Launch, *, timeout_s: float, output: Write, errors: Write) -> None:
        """Return when the script ended well; else JobFailure, JobStopped or JobTimedOut."""
        with self._lock:
            self.check_stopped()
            child = self._child = children.spawn(launch.command, folder=launch.folder, env=launch.env)
        pumps = [_pump(child.process.stdout, output), _pump(child.process.stderr, errors)]
        timed_out = False
        try:
            child.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            timed_out = True
            child.stop(STOP_GRACE_S)
        child.close()
        for pump in pumps:
            pump.join(DRAIN_S)
        self.check_stopped()
        if timed_out:
            raise JobTimedOut
        if child.process.returncode:
            raise JobFailure(_reason(child.process.returncode, launch))


def _pump(stream: IO[bytes] | None, write: Write) -> threading.Thread:
    assert stream is not None

    def write_or_complain(batch: list[str]) -> None:
        try:
            write(batch)
        except Exception:  # a job must not hang on a full pipe because its log cannot be written
            log.exception("%d lines of a job's output are lost", len(batch))

    def carry() -> None:
        with stream:
            lines.pump(stream, write_or_complain)

    thread = threading.Thread(target=carry, daemon=True)
    thread.start()
    return thread


def _reason(code: int, launch: Launch) -> str:
    """What the launcher reported, else the exit code as AWS words it, else the signal."""
    with contextlib.suppress(FileNotFoundError):
        if reported := launch.report.read_text(encoding="utf-8"):
            return reported
    if code > 0:
        return f"Command failed with exit code {code}"
    name = signal.Signals(-code).name
    hint = ": the machine may have run out of memory" if -code == signal.SIGKILL else ""
    return f"Command was killed by signal {-code} ({name}){hint}"
