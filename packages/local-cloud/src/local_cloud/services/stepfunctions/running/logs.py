"""Execution events in CloudWatch Logs, for machines with a loggingConfiguration.

https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html: levels, the form of a log event, and the names of
streams (`states/<machine>/<date>/<id>`).
"""

from __future__ import annotations

import datetime
import json
import queue
import threading
import uuid
from functools import lru_cache
from typing import Any

from local_cloud.cloud import Cloud

from ..journal import Start

_FATAL = {"ExecutionAborted", "ExecutionFailed", "ExecutionTimedOut"}
_ERRORS = _FATAL | {
    "ActivityFailed",
    "ActivityScheduleFailed",
    "ActivityTimedOut",
    "EvaluationFailed",
    "FailStateEntered",
    "LambdaFunctionFailed",
    "LambdaFunctionScheduleFailed",
    "LambdaFunctionStartFailed",
    "LambdaFunctionTimedOut",
    "MapIterationAborted",
    "MapIterationFailed",
    "MapRunAborted",
    "MapRunFailed",
    "MapStateAborted",
    "MapStateFailed",
    "ParallelStateAborted",
    "ParallelStateFailed",
    "TaskFailed",
    "TaskStartFailed",
    "TaskStateAborted",
    "TaskSubmitFailed",
    "TaskTimedOut",
    "WaitStateAborted",
}
_DATA = ("input", "inputDetails", "output", "outputDetails", "parameters")


class HistoryLog:
    """The log of one execution; events are sent by a thread that all executions share."""

    def __init__(self, start: Start, sender: Sender, *, redrives: int = 0) -> None:
        logging = start.revision.logging
        arn = logging["destinations"][0]["cloudWatchLogsLogGroup"]["logGroupArn"]
        self._group = arn.removesuffix(":*").rpartition(":log-group:")[2]
        day = datetime.datetime.fromtimestamp(start.started, tz=datetime.UTC)
        self._stream = f"states/{start.machine_name}/{day:%Y-%m-%d-%H-%M}/{uuid.uuid4().hex[:8]}"
        self._level = logging["level"]
        self._with_data = logging.get("includeExecutionData", False)
        self._arn = start.arn
        self._sender = sender
        self._redrives = redrives

    def add(self, event: dict[str, Any]) -> None:
        wanted = {"ALL": None, "ERROR": _ERRORS, "FATAL": _FATAL}[self._level]
        if wanted is not None and event["type"] not in wanted:
            return
        details: dict[str, Any] = next((value for name, value in event.items() if name.endswith("Details")), {})
        if not self._with_data:
            details = {name: value for name, value in details.items() if name not in _DATA}
        milliseconds = int(event["timestamp"] * 1000)
        message = {
            "id": str(event["id"]),
            "type": event["type"],
            "details": details,
            "previous_event_id": str(event["previousEventId"]),
            "event_timestamp": str(milliseconds),
            "execution_arn": self._arn,
            "redrive_count": str(self._redrives),
        }
        self._sender.send(self._group, self._stream, {"timestamp": milliseconds, "message": json.dumps(message)})


class Sender:
    """Puts log events in the order they came, some at a time. A group that is not there loses them, as on AWS."""

    _AT_ONCE = 200

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._queue: queue.SimpleQueue[tuple[str, str, dict[str, Any]]] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def send(self, group: str, stream: str, event: dict[str, Any]) -> None:
        self._queue.put((group, stream, event))
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="execution-logs", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while True:
            waiting = [self._queue.get()]
            while len(waiting) < self._AT_ONCE and not self._queue.empty():
                waiting.append(self._queue.get())
            together: dict[tuple[str, str], list[dict[str, Any]]] = {}
            for group, stream, event in waiting:
                together.setdefault((group, stream), []).append(event)
            for (group, stream), events in together.items():
                self._put(group, stream, events)

    def _put(self, group: str, stream: str, events: list[dict[str, Any]]) -> None:
        from botocore.exceptions import BotoCoreError, ClientError

        logs = self._cloud.client("logs")
        try:
            try:
                logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=events)
            except logs.exceptions.ResourceNotFoundException:
                logs.create_log_stream(logGroupName=group, logStreamName=stream)
                logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=events)
        except (BotoCoreError, ClientError) as error:
            _tell_once(group, str(error))


@lru_cache(maxsize=256)
def _tell_once(group: str, reason: str) -> None:
    import logging

    logging.getLogger(__name__).warning("No execution logs in %s: %s", group, reason)
