"""One execution of a pipeline: start it, follow it, tell what became of it."""

from __future__ import annotations

import datetime
import json
import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from orchestration.pipelines import Month, Pipeline

FINAL = ("SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED")
#: History events that say an attempt of a task failed.
_ATTEMPT_FAILED = ("TaskFailed", "TaskTimedOut", "TaskStartFailed", "TaskSubmitFailed")
#: What a job's state fails with while all runs that its job or the account may have at once are taken.
_NO_SLOT = ("Glue.ConcurrentRunsExceededException", "Glue.ResourceNumberLimitExceededException")


@dataclass(frozen=True)
class StateRun:
    """One state of an execution. `status` is RUNNING, SUCCEEDED or FAILED; `seconds` counts to now if RUNNING.

    `is_waiting` if it is RUNNING but its job is not, because no slot is free.
    """

    name: str
    status: str
    started: datetime.datetime
    seconds: float
    job: str | None = None
    job_run: str | None = None
    arguments: Mapping[str, str] = field(default_factory=dict)
    """Those of the state's job, of the last attempt."""
    is_waiting: bool = False


@dataclass(frozen=True)
class Execution:
    """An execution as Step Functions tells it now. `input` is what it was started with."""

    arn: str
    status: str
    seconds: float
    started: datetime.datetime
    input: Mapping[str, Any]
    states: tuple[StateRun, ...] = field(default=())
    error: str | None = None
    cause: str | None = None
    warning: str | None = None
    """What one that succeeded could not do, as its output has it."""

    @property
    def name(self) -> str:
        return self.arn.rsplit(":", 1)[-1]

    @property
    def machine(self) -> str:
        """The state machine's name, from `arn:aws:states:REGION:ACCOUNT:execution:MACHINE:NAME`."""
        return self.arn.split(":")[-2]

    @property
    def is_final(self) -> bool:
        return self.status in FINAL

    @property
    def month(self) -> str | None:
        year, month = self.input.get("year"), self.input.get("month")
        return f"{year}-{month}" if year and month else None

    @property
    def day(self) -> str | None:
        day = self.input.get("day")
        return str(day) if day else None

    @property
    def source_url(self) -> str:
        """The template that a monthly execution fetches from, as its ingest was given it; "" before that."""
        return next((run.arguments["--source_url"] for run in self.states if "--source_url" in run.arguments), "")

    @property
    def failed_state(self) -> str | None:
        return next((state.name for state in self.states if state.status == "FAILED"), None)

    def as_json(self) -> dict[str, Any]:
        return {
            "execution": self.arn,
            "name": self.name,
            "status": self.status,
            **({"day": self.day} if self.day else {"month": self.month}),
            "started": self.started.isoformat(),
            "seconds": round(self.seconds, 2),
            "states": [
                {"name": state.name, "status": state.status, "seconds": round(state.seconds, 2)}
                for state in self.states
            ],
            "error": self.error,
            "cause": self.cause,
            "warning": self.warning,
        }


def start(
    states: Any,
    machine: str,
    *,
    pipeline: Pipeline,
    month: Month,
    source_url: str | None,
    rerun: str,
    force: bool,
    engine: str,
) -> str:
    """Start a deliberate run of one month, under a name of its own, and return the execution's ARN.

    `source_url` is a template with {dataset}, {year} and {month}; None takes the deployed default. `rerun` is the
    command the alert will tell people to type, `engine` is auto, duckdb or spark.
    """
    given = {"year": f"{month.year:04}", "month": f"{month.number:02}", "rerun": rerun, "engine": engine}
    if source_url:
        given["source_url"] = source_url
    if force:
        given["force"] = "true"
    return _start(states, machine, f"{pipeline.dataset}-{month}", given)


def start_day(
    states: Any, machine: str, *, pipeline: Pipeline, day: datetime.date, rerun: str, gone: Sequence[str] = ()
) -> str:
    """Start a deliberate run for a day, under a name of its own, and return the execution's ARN.

    Categories that are `gone` may have no reviews in the source any more.
    """
    given = {"day": day.isoformat(), "rerun": rerun}
    if gone:
        given["gone"] = "/".join(gone)  # a category is a folder's name, so it has no slash
    return _start(states, machine, f"{pipeline.dataset}-{day}", given)


def _start(states: Any, machine: str, what: str, given: Mapping[str, str]) -> str:
    now = datetime.datetime.now(datetime.UTC)
    name = f"{what}-{now:%Y%m%dT%H%M%S}-{secrets.token_hex(2)}"
    answer = states.start_execution(stateMachineArn=machine, name=name, input=json.dumps(given))
    return str(answer["executionArn"])


def warning_of(answer: Mapping[str, Any]) -> str | None:
    """Return the `warning` in an execution's output, as DescribeExecution gives it; None where there is none.

    A pipeline of somebody else's may end with any JSON, not only with an object.
    """
    output = json.loads(answer.get("output") or "{}")
    return output.get("warning") if isinstance(output, dict) else None


def read(states: Any, arn: str) -> Execution:
    """Return the execution with its states so far."""
    answer = states.describe_execution(executionArn=arn)
    pages = states.get_paginator("get_execution_history").paginate(executionArn=arn)
    events = [event for page in pages for event in page["events"]]
    now = answer.get("stopDate") or datetime.datetime.now(answer["startDate"].tzinfo)
    return Execution(
        arn=arn,
        status=answer["status"],
        seconds=seconds_between(answer["startDate"], now),
        started=answer["startDate"],
        input=json.loads(answer.get("input", "{}")),
        states=tuple(_states(events, now)),
        error=answer.get("error"),
        cause=answer.get("cause"),
        warning=warning_of(answer),
    )


def follow(states: Any, arn: str) -> Iterator[Execution]:
    """Yield the execution again and again, until it is final; often while it is young, at least every 2 s later on."""
    delay = 0.2
    while True:
        execution = read(states, arn)
        yield execution
        if execution.is_final:
            return
        time.sleep(delay)
        delay = min(delay * 1.05, 2.0)


def seconds_between(begin: datetime.datetime, end: datetime.datetime) -> float:
    """Never less than 0: the two may come from different clocks, AWS's and this machine's."""
    return max(0.0, (end - begin).total_seconds())


def _states(events: list[dict[str, Any]], now: datetime.datetime) -> Iterator[StateRun]:
    """Yield the task, Succeed and Fail states entered so far, in order; Choice, Pass and Wait do no work to tell of.

    A task that is entered again after nothing but Choice and Wait states, as by waiting for a slot or for its turn, is
    one run from its first beginning to its last end.
    """
    current: dict[str, Any] | None = None
    for event in events:
        kind: str = event["type"]
        if kind in ("TaskStateEntered", "SucceedStateEntered", "FailStateEntered"):
            name = event["stateEnteredEventDetails"]["name"]
            if current is not None and current["name"] == name:
                continue
            if current is not None:
                yield _state_run(current, current["left"], over=True)
            current = _open_state(name, event["timestamp"])
            current["failed"] = kind == "FailStateEntered"
        elif current is None:
            continue
        elif kind in ("ExecutionFailed", "ExecutionAborted", "ExecutionTimedOut"):
            current |= {"failed": True, "left": event["timestamp"]}
        else:
            _learn(current, event)
        if kind.startswith("Execution") or kind in ("SucceedStateEntered", "FailStateEntered"):
            yield _state_run(current, current["left"], over=True)
            current = None
    if current is not None:
        yield _state_run(current, now, over=False)


def _open_state(name: str, moment: datetime.datetime) -> dict[str, Any]:
    return {"name": name, "since": moment, "left": moment, "waiting": False, "job": None, "run": None, "arguments": {}}


def _learn(state: dict[str, Any], event: Mapping[str, Any]) -> None:
    """Take what an event tells of the state that the execution is in."""
    kind = event["type"]
    if kind == "TaskScheduled":
        state["failed"] = False
        parameters = json.loads(event["taskScheduledEventDetails"]["parameters"])
        state["job"] = parameters.get("JobName")
        state["arguments"] = parameters.get("Arguments", {}) if state["job"] else {}
    elif kind == "TaskSubmitted":
        state["waiting"] = False
        state["run"] = json.loads(event["taskSubmittedEventDetails"].get("output") or "{}").get("JobRunId")
    elif kind in _ATTEMPT_FAILED:
        state["failed"] = True
        state["waiting"] = event.get("taskSubmitFailedEventDetails", {}).get("error") in _NO_SLOT
    elif kind == "TaskStateExited":
        state["left"] = event["timestamp"]


def _state_run(state: Mapping[str, Any], until: datetime.datetime, *, over: bool) -> StateRun:
    return StateRun(
        name=state["name"],
        status="RUNNING" if not over else "FAILED" if state["failed"] else "SUCCEEDED",
        started=state["since"],
        seconds=seconds_between(state["since"], until),
        job=state["job"],
        arguments=state["arguments"],
        job_run=state["run"],
        is_waiting=not over and state["waiting"],
    )
