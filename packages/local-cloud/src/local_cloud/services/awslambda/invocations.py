"""One event to one function: a worker, the timeout, the log around it, and the answer as AWS words it."""

from __future__ import annotations

import base64
import contextlib
import datetime
import json
import math
import shutil
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local_cloud import moto_state
from local_cloud.caches import Busy
from local_cloud.processes import children
from local_cloud.processes.errors import PreparationError
from local_cloud.services.awslambda.errors import TooManyRequests, WorkerExited, WorkerGone, WorkerTimedOut
from local_cloud.services.awslambda.functions import Function
from local_cloud.services.awslambda.preparation import Preparation, revision_of
from local_cloud.services.awslambda.workers import INIT_TIMEOUT_S, TAIL, Worker
from local_cloud.services.logs import LogWriter

#: A worker that has had nothing to do for so long is closed, in seconds.
KEEP_IDLE_S = 300.0

#: A worker takes no more events at this age, well before its role's keys end, in seconds of the wall's clock as theirs.
OLDEST_S = 6 * 3600.0

#: The most an answer may hold, in bytes. https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
LARGEST_ANSWER = 6_291_556


@dataclass(frozen=True)
class Answer:
    """What an invocation came to. `failed` sets X-Amz-Function-Error; `log_tail` is the text that Tail shows."""

    request_id: str
    payload: bytes
    failed: bool
    log_tail: str

    @property
    def log_result(self) -> str:
        return base64.b64encode(self.log_tail.encode()[-TAIL:]).decode()


class Invocations:
    """Runs functions. Workers without work wait here for the next event of their function's revision."""

    def __init__(self, preparation: Preparation, *, folder: Path) -> None:
        self._preparation = preparation
        self._folder = folder
        self._idle: list[Worker] = []
        self._busy: Counter[str] = Counter()
        self._lock = threading.Lock()

    def invoke(self, function: Function, event: Any, *, qualifier: str = "", request_id: str = "") -> Answer:
        """Run the function on an event and wait for its answer.

        TooManyRequests when the function's reserved concurrency is used up. What goes wrong in the function is in
        the answer.
        """
        request_id = request_id or str(uuid.uuid4())
        with moto_state.released(), self._slot(function):
            worker = self._take_idle(function)
            if worker is None:
                stream = _new_stream(function)
                writer = LogWriter(
                    self._preparation.cloud,
                    function.logs_group_name,
                    stream,
                    role_arn=function.role,
                    session_name=function.function_name,
                )
                try:
                    worker = self._start(function, stream, writer.write)
                except (PreparationError, WorkerGone) as error:
                    payload = _crashed(error, "the function's start-up", request_id, INIT_TIMEOUT_S)
                    line = f"{payload['errorType']}: {payload['errorMessage']}"
                    writer.write([line])
                    return Answer(request_id, json.dumps(payload).encode(), failed=True, log_tail=line)
            return self._run(worker, function, event, qualifier=qualifier, request_id=request_id)

    def _run(self, worker: Worker, function: Function, event: Any, *, qualifier: str, request_id: str) -> Answer:
        timeout_s = float(function.timeout)
        request = {
            "event": event,
            "timeout_s": timeout_s,
            "context": {
                "aws_request_id": request_id,
                "function_name": function.function_name,
                "function_version": str(function.version),
                "invoked_function_arn": function.unqualified_arn + (f":{qualifier}" if qualifier else ""),
                "memory_limit_in_mb": str(function.memory_size),
                "log_group_name": function.logs_group_name,
                "log_stream_name": worker.spec.log_stream,
            },
        }
        worker.tail.clear()
        worker.log(f"START RequestId: {request_id} Version: {function.version}")
        start, peak, alive = time.monotonic(), 0, True
        try:
            answered = worker.invoke(request, timeout_s=timeout_s)
            peak, alive = answered["max_memory_mb"], not answered.get("init_failed")
            payload, failed = _payload(answered)
        except WorkerGone as error:
            crashed = _crashed(error, "Task", request_id, timeout_s)
            worker.log(crashed["errorMessage"])
            payload, failed, alive = json.dumps(crashed), True, False
        milliseconds = (time.monotonic() - start) * 1000
        worker.log(
            f"END RequestId: {request_id}",
            f"REPORT RequestId: {request_id}\tDuration: {milliseconds:.2f} ms\tBilled Duration: "
            f"{math.ceil(milliseconds)} ms\tMemory Size: {function.memory_size} MB\tMax Memory Used: {peak} MB",
        )
        tail = "".join(f"{line}\n" for line in worker.tail)
        if alive:
            self._keep(worker)
        else:
            worker.close()
        return Answer(request_id, payload.encode(), failed=failed, log_tail=tail)

    def _start(self, function: Function, stream: str, write: Callable[[list[str]], None]) -> Worker:
        spec = self._preparation.worker_spec(function, stream, log=lambda line: write([line]))
        worker = Worker(spec, folder=self._folder / uuid.uuid4().hex, write=write)
        worker.wait_ready()
        return worker

    @contextlib.contextmanager
    def _slot(self, function: Function) -> Iterator[None]:
        """Count the event among the function's running ones."""
        name = function.function_name
        with self._lock:
            limit = function.reserved_concurrency
            if limit is not None and self._busy[name] >= int(limit):
                raise TooManyRequests
            self._busy[name] += 1
        try:
            yield
        finally:
            with self._lock:
                self._busy[name] -= 1

    def needs(self, functions: Iterable[Function]) -> set[str]:
        """What the functions take out of the cache. Raises Busy during an invocation."""
        with self._lock:
            if any(self._busy.values()):
                raise Busy("a function is at work: wait until it has ended")
        return {name for function in functions for name in self._preparation.needs(function)}

    def _take_idle(self, function: Function) -> Worker | None:
        revision, oldest = revision_of(function), time.time() - OLDEST_S
        while True:
            with self._lock:
                fits = [idle for idle in self._idle if idle.spec.revision == revision and idle.started > oldest]
                if not fits:
                    return None
                self._idle.remove(fits[0])
            if fits[0].answers():
                return fits[0]

    def _keep(self, worker: Worker) -> None:
        """Let the worker wait for more, but not for ever."""
        with self._lock:
            self._idle.append(worker)
        timer = threading.Timer(KEEP_IDLE_S, self._drop, args=(worker, worker.invocations))
        timer.daemon = True
        timer.start()

    def _drop(self, worker: Worker, invocations: int) -> None:
        """Close the worker if it has had no event since."""
        with self._lock:
            if worker not in self._idle or worker.invocations != invocations:
                return
            self._idle.remove(worker)
        worker.close()

    def shut_down(self) -> None:
        """The server stops: close the idle workers; the others die with their lifeline."""
        with self._lock:
            idle, self._idle = self._idle, []
        for worker in idle:
            worker.close()

    def recover(self) -> None:
        """At start: kill what a server that was killed has left behind, and clear its folders."""
        for left in self._folder.iterdir() if self._folder.exists() else ():
            children.kill_orphan(left)
            shutil.rmtree(left, ignore_errors=True)


def _new_stream(function: Function) -> str:
    return f"{datetime.datetime.now(datetime.UTC):%Y/%m/%d}/[{function.version}]{uuid.uuid4().hex}"


def _payload(answered: dict[str, Any]) -> tuple[str, bool]:
    """The answer's text, and whether it is an error."""
    if "error" in answered:
        return json.dumps(answered["error"], ensure_ascii=False), True
    text: str = answered["result"]
    if len(text.encode()) > LARGEST_ANSWER:
        message = f"Response payload size exceeded maximum allowed payload size ({LARGEST_ANSWER} bytes)."
        return json.dumps({"errorType": "Function.ResponseSizeTooLarge", "errorMessage": message}), True
    return text, False


def _crashed(error: Exception, what: str, request_id: str, limit_s: float) -> dict[str, str]:
    """The payload for a function that gave no answer of its own."""
    if isinstance(error, WorkerTimedOut):
        kind, text = "Sandbox.Timedout", f"{what} timed out after {limit_s:.2f} seconds"
    elif isinstance(error, WorkerExited):
        kind, text = "Runtime.ExitError", str(error)
    else:
        return {"errorType": "Runtime.PreparationFailed", "errorMessage": str(error)}
    return {"errorType": kind, "errorMessage": f"RequestId: {request_id} Error: {text}"}
