"""A function's processes: started when an event finds none free, kept for the next event, dropped with its code."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local_cloud.processes import children, lines
from local_cloud.services.awslambda.errors import WorkerExited, WorkerGone, WorkerTimedOut

BOOTSTRAP = Path(__file__).parent / "runtime" / "bootstrap.py"

#: How much of an invocation's log LogType=Tail shows, in bytes.
TAIL = 4096

#: For loading the handler's module, in seconds. AWS gives 10; a laptop may be busy with other things.
INIT_TIMEOUT_S = 30.0

#: How long output is waited for once a worker has answered or ended, in seconds.
_SETTLE_S = 2.0


@dataclass(frozen=True)
class WorkerSpec:
    """What a worker is started with. `revision` changes with the function's version, code and configuration."""

    python: Path
    code: Path
    env: dict[str, str]
    log_stream: str
    revision: str


class Worker:
    """One process. Its invocations come one at a time; when one fails here, the worker is closed."""

    def __init__(self, spec: WorkerSpec, *, folder: Path, write: Callable[[list[str]], None]) -> None:
        self.spec = spec
        self.started = time.time()
        self.invocations = 0
        self.tail: deque[str] = deque(maxlen=TAIL)
        self._folder = folder
        self._write = write
        self._marker = _new_marker()
        self._settled = threading.Event()
        scratch = folder / "tmp"
        scratch.mkdir(parents=True)
        requests, our_requests = os.pipe()
        our_responses, responses = os.pipe()
        self._requests = os.fdopen(our_requests, "wb", buffering=0)
        self._responses = os.fdopen(our_responses, "rb")
        try:
            self._child = children.spawn(
                [str(spec.python), str(BOOTSTRAP), str(requests), str(responses), self._marker],
                folder=folder,
                cwd=spec.code,
                env={
                    **spec.env,
                    "HOME": str(scratch),
                    "TMPDIR": str(scratch),
                    "PYTHONUNBUFFERED": "1",
                    "LOCAL_CLOUD_CHILD_PATH": str(children.CHILD_PATH),
                },
                stderr=subprocess.STDOUT,
                pass_fds=(requests, responses),
            )
        finally:
            os.close(requests)
            os.close(responses)
        self._pump = threading.Thread(target=self._carry, daemon=True)
        self._pump.start()

    def answers(self) -> bool:
        """Whether the process can take an event. It may have ended while idle; then the worker is closed."""
        try:
            self._exchange(b"\n", INIT_TIMEOUT_S)
        except WorkerGone:
            return False
        return True

    def wait_ready(self) -> None:
        """Wait for the handler's module to be loaded. WorkerTimedOut or WorkerExited when it is not."""
        self._exchange(b"", INIT_TIMEOUT_S)
        self._settled.wait(_SETTLE_S)

    def invoke(self, request: dict[str, Any], *, timeout_s: float) -> dict[str, Any]:
        """One event's answer. WorkerTimedOut or WorkerExited when there is none."""
        self.invocations += 1
        self._settled.clear()
        self._marker = _new_marker()
        line = json.dumps({**request, "marker": self._marker}).encode() + b"\n"
        answer = self._exchange(line, timeout_s)
        self._settled.wait(_SETTLE_S)
        return answer

    def log(self, *said: str) -> None:
        """Add the runtime's own lines to the function's."""
        self.tail.extend(line[-TAIL:] for line in said)
        self._write([*said])

    def close(self) -> None:
        """End the process and everything of it."""
        self._child.close()
        self._pump.join(_SETTLE_S)
        self._requests.close()
        self._responses.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _exchange(self, request: bytes, timeout_s: float) -> dict[str, Any]:
        """Send a line, read a line. Out of time, the process is killed, which ends both."""
        expired = threading.Event()

        def expire() -> None:
            expired.set()
            self._child.signal_group(signal.SIGKILL)

        timer = threading.Timer(timeout_s, expire)
        timer.start()
        try:
            while request:
                request = request[self._requests.write(request) or 0 :]
            line = self._responses.readline()
        except BrokenPipeError:
            line = b""
        finally:
            timer.cancel()
        if line:
            answer: dict[str, Any] = json.loads(line)
            return answer
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._child.process.wait(_SETTLE_S)  # its pipes close a little before it ends
        self.close()
        raise WorkerTimedOut if expired.is_set() else WorkerExited(self._status())

    def _status(self) -> str:
        code = self._child.process.returncode
        if not code:
            return "Runtime exited without providing a reason"
        return f"Runtime exited with error: {f'exit status {code}' if code > 0 else f'signal: {-code}'}"

    def _carry(self) -> None:
        stream = self._child.process.stdout
        assert stream is not None
        with stream:
            lines.pump(stream, self._take)

    def _take(self, batch: list[str]) -> None:
        """Log what the function wrote; the marker, alone or after an unfinished line, ends an invocation."""
        said, ended = [], False
        for line in batch:
            text, found, _ = line.partition(self._marker)
            if text or not found:
                said.append(text)
            ended = ended or bool(found)
        if said:
            self.log(*said)
        if ended:  # by now all of it is in the log, where the invocation's own last lines follow
            self._settled.set()


def _new_marker() -> str:
    """What a function does not print by chance."""
    return f"\x1bend of {uuid.uuid4()}"
