"""What the jobs of an execution wrote to CloudWatch Logs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from orchestration.executions import Execution

#: Glue's groups for Python Shell jobs, and for Spark jobs.
GROUPS = (
    "/aws-glue/python-jobs/output",
    "/aws-glue/python-jobs/error",
    "/aws-glue/jobs/output",
    "/aws-glue/jobs/error",
)


@dataclass(frozen=True)
class LogLine:
    """One line of a job run. `milliseconds` since the epoch."""

    milliseconds: int
    state: str
    job_run: str
    text: str
    event_id: str


def read(logs: Any, execution: Execution) -> list[LogLine]:
    """List all lines of the execution's job runs so far, oldest first."""
    lines = [line for state in execution.states if state.job_run for line in _of_run(logs, state.name, state.job_run)]
    return sorted(lines, key=lambda line: line.milliseconds)


def _of_run(logs: Any, state: str, run: str) -> Iterator[LogLine]:
    """Read a group's lines; a job's groups appear with its first line, until then there are none."""
    for group in GROUPS:
        pages = logs.get_paginator("filter_log_events").paginate(logGroupName=group, logStreamNamePrefix=run)
        try:
            for page in pages:
                for event in page["events"]:
                    yield LogLine(
                        milliseconds=event["timestamp"],
                        state=state,
                        job_run=run,
                        text=event["message"].rstrip("\n"),
                        event_id=event["eventId"],
                    )
        except logs.exceptions.ResourceNotFoundException:
            continue
