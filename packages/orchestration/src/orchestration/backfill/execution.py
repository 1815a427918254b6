"""A backfill's execution and those of its months, as Step Functions tells them now."""

from __future__ import annotations

import datetime
import json
import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from orchestration import executions
from orchestration.executions import FINAL, Execution, seconds_between, warning_of
from orchestration.pipelines import Month, Pipeline

WAITING = "WAITING"
RUNNING = "RUNNING"
SUCCEEDED = "SUCCEEDED"
FAILED = "FAILED"
STOPPED = "STOPPED"
OVERTAKEN = "OVERTAKEN"

#: The states at whose end the definition puts out what became of a month.
_LAST_OF_A_MONTH = ("ReadManifest", "MonthFailed")


@dataclass(frozen=True)
class MonthRun:
    """One month of a backfill. `status` is WAITING, RUNNING, SUCCEEDED, FAILED or STOPPED (with the backfill).

    It is OVERTAKEN where another run of the month has loaded it meanwhile; `cause` is then who did.

    `rows` are those in the table, of a month that succeeded; `state` is where it failed, or where it is.
    """

    month: str
    status: str = WAITING
    execution: str | None = None
    started: datetime.datetime | None = None
    seconds: float = 0.0
    rows: int | None = None
    state: str | None = None
    cause: str | None = None

    def as_json(self) -> dict[str, Any]:
        return {
            "month": self.month,
            "status": self.status,
            "rows": self.rows,
            "state": self.state,
            "cause": self.cause,
            "seconds": round(self.seconds, 1),
            "execution": self.execution,
        }


@dataclass(frozen=True)
class Backfill:
    """A backfill as it is now, its months in order."""

    arn: str
    status: str
    seconds: float
    months: tuple[MonthRun, ...]
    error: str | None = None
    cause: str | None = None
    rerun: str | None = None
    """The command that does what is missing."""
    warning: str | None = None
    """What one that succeeded could not do, as its output has it."""

    @property
    def name(self) -> str:
        return self.arn.rsplit(":", 1)[-1]

    @property
    def is_final(self) -> bool:
        return self.status in FINAL

    def having(self, status: str) -> list[MonthRun]:
        return [month for month in self.months if month.status == status]


def start(
    states: Any,
    alias: str,
    *,
    pipeline: Pipeline,
    months: Sequence[Month],
    max_concurrency: int,
    source_url: str | None,
    rerun: str,
) -> str:
    """Start a backfill of `months` and return the execution's ARN. `rerun` is what its mail tells people to type."""
    now = datetime.datetime.now(datetime.UTC)
    given: dict[str, Any] = {
        "pipeline": pipeline.name,
        "months": [str(month) for month in months],
        "max_concurrency": max_concurrency,
        "rerun": rerun,
    }
    if source_url:
        given["source_url"] = source_url
    answer = states.start_execution(
        stateMachineArn=alias,
        name=f"{_prefix(pipeline)}{now:%Y%m%dT%H%M%S}-{secrets.token_hex(2)}",
        input=json.dumps(given),
    )
    return str(answer["executionArn"])


def newest(states: Any, alias: str, pipeline: Pipeline, *, running: bool) -> str | None:
    """Return the ARN of the newest backfill of a pipeline, or of the newest that is under way; None where there is
    none.
    """
    given = {"statusFilter": RUNNING} if running else {}
    pages = states.get_paginator("list_executions").paginate(stateMachineArn=alias.rsplit(":", 1)[0], **given)
    found = (one for page in pages for one in page["executions"] if one["name"].startswith(_prefix(pipeline)))
    return next((str(one["executionArn"]) for one in found), None)


def _prefix(pipeline: Pipeline) -> str:
    return f"{pipeline.dataset}-backfill-"


def follow(states: Any, arn: str) -> Iterator[Backfill]:
    """Yield the backfill again and again until it is final; often while it is young, every 2 s later on."""
    reader = Reader(states, arn)
    delay = 0.3
    while True:
        backfill = reader.read()
        yield backfill
        if backfill.is_final:
            return
        time.sleep(delay)
        delay = min(delay * 1.1, 2.0)


@dataclass
class Reader:
    """Reads one backfill again and again, and of its history each time only what is new."""

    states: Any
    arn: str
    _months: dict[str, MonthRun] = field(default_factory=dict)
    _month_of: dict[str, str] = field(default_factory=dict)
    """By the name of the month's execution."""
    _last_event: int = 0

    def read(self) -> Backfill:
        answer = self.states.describe_execution(executionArn=self.arn)
        given = json.loads(answer["input"])
        if not self._months:
            self._months = {month: MonthRun(month) for month in given.get("months", [])}
        for event in self._new_events():
            self._learn(event)
        now = answer.get("stopDate") or datetime.datetime.now(answer["startDate"].tzinfo)
        is_final = answer["status"] in FINAL
        return Backfill(
            arn=self.arn,
            status=answer["status"],
            seconds=seconds_between(answer["startDate"], now),
            months=tuple(self._now(month, now, is_final=is_final) for month in self._months.values()),
            error=answer.get("error"),
            cause=answer.get("cause"),
            rerun=given.get("rerun"),
            warning=warning_of(answer),
        )

    def _new_events(self) -> list[dict[str, Any]]:
        """Oldest first. Read from the end, because a history can only be read from one of its ends."""
        pages = self.states.get_paginator("get_execution_history").paginate(
            executionArn=self.arn, reverseOrder=True, PaginationConfig={"PageSize": 200}
        )
        found: list[dict[str, Any]] = []
        for event in (event for page in pages for event in page["events"]):
            if event["id"] <= self._last_event:
                break
            found.append(event)
        if found:
            self._last_event = found[0]["id"]
        return found[::-1]

    def _learn(self, event: Mapping[str, Any]) -> None:
        kind = event["type"]
        if kind == "TaskScheduled" and event["taskScheduledEventDetails"]["resourceType"] == "states":
            given = json.loads(event["taskScheduledEventDetails"]["parameters"])
            month = f"{given['Input']['year']}-{given['Input']['month']}"
            self._month_of[given["Name"]] = month
            self._months[month] = MonthRun(month, RUNNING, started=event["timestamp"])
        elif kind == "TaskSubmitted" and event["taskSubmittedEventDetails"]["resourceType"] == "states":
            execution = json.loads(event["taskSubmittedEventDetails"]["output"])["ExecutionArn"]
            month = self._month_of[execution.rsplit(":", 1)[-1]]
            self._months[month] = replace(self._months[month], execution=execution)
        elif kind.endswith("StateExited") and event["stateExitedEventDetails"]["name"] in _LAST_OF_A_MONTH:
            output = json.loads(event["stateExitedEventDetails"]["output"])
            if "status" in output:
                self._end(output, event["timestamp"])

    def _end(self, output: Mapping[str, Any], moment: datetime.datetime) -> None:
        month = self._months[output["month"]]
        self._months[output["month"]] = replace(
            month,
            status=output["status"],
            seconds=seconds_between(month.started or moment, moment),
            rows=output.get("rows_kept"),
            state=output.get("state"),
            cause=output.get("cause"),
        )

    def _now(self, month: MonthRun, now: datetime.datetime, *, is_final: bool) -> MonthRun:
        """Return a month with what changes by the moment: where it is, and for how long it has been running."""
        if month.status not in (WAITING, RUNNING):
            return month
        if is_final:
            return replace(month, status=STOPPED)
        if month.status == WAITING or month.started is None:
            return month
        reading = self._execution(month)
        return replace(
            month,
            seconds=seconds_between(month.started, now),
            state=reading.states[-1].name if reading and reading.states else None,
        )

    def _execution(self, month: MonthRun) -> Execution | None:
        return executions.read(self.states, month.execution) if month.execution else None
