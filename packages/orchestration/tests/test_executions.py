"""An execution's history, read as states."""

from __future__ import annotations

import datetime
import json
from typing import Any

import pytest

from orchestration import progress
from orchestration.executions import read, warning_of

T0 = datetime.datetime(2024, 11, 5, 6, 0, tzinfo=datetime.UTC)
ARN = "arn:aws:states:us-east-1:123456789012:execution:trips:yellow-2024-09"


def event(second: float, kind: str, **details: Any) -> dict[str, Any]:
    return {"timestamp": T0 + datetime.timedelta(seconds=second), "type": kind, **details}


def entered(second: float, kind: str, name: str) -> dict[str, Any]:
    return event(second, f"{kind}StateEntered", stateEnteredEventDetails={"name": name})


def task(second: float, name: str, seconds: float, *, failed: bool = False, attempts: int = 1) -> list[dict[str, Any]]:
    run: list[dict[str, Any]] = [entered(second, "Task", name)]
    for attempt in range(attempts):
        last = attempt == attempts - 1
        parameters = {"JobName": f"j-{name}", "Arguments": {"--source_url": "http://h/"} if name == "IngestRaw" else {}}
        run.append(event(second, "TaskScheduled", taskScheduledEventDetails={"parameters": json.dumps(parameters)}))
        run.append(
            event(
                second, "TaskSubmitted", taskSubmittedEventDetails={"output": json.dumps({"JobRunId": f"r{attempt}"})}
            )
        )
        run.append(event(second + seconds, "TaskFailed" if failed or not last else "TaskSucceeded"))
    return [*run, event(second + seconds, "TaskStateExited")]


class States:
    """The two calls `read` makes."""

    def __init__(self, events: list[dict[str, Any]], **description: Any) -> None:
        self.events = events
        self.description = {
            "status": "RUNNING",
            "startDate": T0,
            "input": '{"year": "2024", "month": "09"}',
        } | description

    def describe_execution(self, executionArn: str) -> dict[str, Any]:
        return self.description

    def get_paginator(self, operation: str) -> Any:
        assert operation == "get_execution_history"
        return self

    def paginate(self, executionArn: str) -> list[dict[str, Any]]:
        half = len(self.events) // 2
        return [{"events": self.events[:half]}, {"events": self.events[half:]}]


SUCCEEDED = [
    entered(0, "Choice", "ValidateInput"),
    event(0, "ChoiceStateExited"),
    *task(0, "IngestRaw", 2),
    *task(2, "LoadRedshift", 3.5, attempts=2),
    entered(5.5, "Succeed", "PipelineSucceeded"),
    event(5.5, "SucceedStateExited"),
    event(5.5, "ExecutionSucceeded"),
]
FAILED = [
    *task(0, "IngestRaw", 1),
    *task(1, "TransformTrips", 4, failed=True),
    *task(5, "NotifyFailure", 0.5),
    entered(5.5, "Fail", "PipelineFailed"),
    event(5.5, "ExecutionFailed"),
]
RUNNING = task(0, "IngestRaw", 2)[:3]


def refused(second: float, error: str) -> list[dict[str, Any]]:
    """An attempt whose job did not start."""
    scheduled = event(second, "TaskScheduled", taskScheduledEventDetails={"parameters": '{"JobName": "j"}'})
    return [scheduled, event(second, "TaskSubmitFailed", taskSubmitFailedEventDetails={"error": error})]


NO_SLOT = [
    entered(0, "Task", "IngestRaw"),
    *refused(0, "Glue.ConcurrentRunsExceededException"),
    *refused(4, "Glue.ConcurrentRunsExceededException"),
]
#: Retries used up; it waits in a Wait state.
NO_SLOT_STILL = [
    *NO_SLOT,
    event(4, "TaskStateExited"),
    entered(4, "Choice", "MayWaitForSlot"),
    event(4, "ChoiceStateExited"),
    entered(4, "Wait", "WaitForSlot"),
]
SLOT_AT_LAST = [
    *NO_SLOT_STILL,
    event(7, "WaitStateExited"),
    entered(7, "Choice", "ReturnToJob"),
    event(7, "ChoiceStateExited"),
    *task(7, "IngestRaw", 1),
]
ABORTED = [*RUNNING, event(1, "ExecutionAborted")]


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        (
            SUCCEEDED,
            [
                ("IngestRaw", "SUCCEEDED", 2, "r0"),
                ("LoadRedshift", "SUCCEEDED", 3.5, "r1"),
                ("PipelineSucceeded", "SUCCEEDED", 0, None),
            ],
        ),
        (
            FAILED,
            [
                ("IngestRaw", "SUCCEEDED", 1, "r0"),
                ("TransformTrips", "FAILED", 4, "r0"),
                ("NotifyFailure", "SUCCEEDED", 0.5, "r0"),
                ("PipelineFailed", "FAILED", 0, None),
            ],
        ),
        (RUNNING, [("IngestRaw", "RUNNING", 9, "r0")]),
        (ABORTED, [("IngestRaw", "FAILED", 1, "r0")]),
        (NO_SLOT, [("IngestRaw", "RUNNING", 9, None)]),
        (NO_SLOT_STILL, [("IngestRaw", "RUNNING", 9, None)]),
        ([*NO_SLOT_STILL, event(5, "ExecutionAborted")], [("IngestRaw", "FAILED", 5, None)]),
        (
            [*SLOT_AT_LAST, *task(8, "LoadRedshift", 1), event(9, "ExecutionSucceeded")],
            [("IngestRaw", "SUCCEEDED", 8, "r0"), ("LoadRedshift", "SUCCEEDED", 1, "r0")],
        ),
        ([], []),
    ],
)
def test_states_are_read_from_the_history(events: list[dict[str, Any]], expected: list[tuple[Any, ...]]) -> None:
    states = States(events, stopDate=T0 + datetime.timedelta(seconds=9))
    execution = read(states, ARN)
    assert [(s.name, s.status, s.seconds, s.job_run) for s in execution.states] == expected


def test_a_machine_whose_clock_is_behind_that_of_aws_shows_no_negative_seconds() -> None:
    ahead = datetime.datetime.now(datetime.UTC) + datetime.timedelta(hours=1)
    events = [{**entered(0, "Task", "IngestRaw"), "timestamp": ahead}]
    execution = read(States(events, startDate=ahead), ARN)
    assert (execution.seconds, [state.seconds for state in execution.states]) == (0, [0])


@pytest.mark.parametrize(
    ("events", "waiting"),
    [
        (NO_SLOT, True),
        (NO_SLOT_STILL, True),
        ([entered(0, "Task", "IngestRaw"), *refused(0, "Glue.AWSGlueException")], False),
        ([*NO_SLOT, *task(6, "IngestRaw", 1)[1:3]], False),
        (RUNNING, False),
        (ABORTED, False),
    ],
)
def test_a_job_without_a_slot_is_told_from_one_that_runs(events: list[dict[str, Any]], waiting: bool) -> None:
    (state,) = read(States(events), ARN).states
    assert state.is_waiting is waiting


def test_the_whole_reading_as_json() -> None:
    states = States(
        FAILED,
        status="FAILED",
        error="States.TaskFailed",
        cause="TransformTrips: SchemaError: no fare_amount",
        stopDate=T0 + datetime.timedelta(seconds=5.5),
    )
    execution = read(states, ARN)
    assert execution.failed_state == "TransformTrips"
    assert execution.as_json() == {
        "execution": ARN,
        "name": "yellow-2024-09",
        "status": "FAILED",
        "month": "2024-09",
        "started": "2024-11-05T06:00:00+00:00",
        "seconds": 5.5,
        "states": [
            {"name": "IngestRaw", "status": "SUCCEEDED", "seconds": 1},
            {"name": "TransformTrips", "status": "FAILED", "seconds": 4},
            {"name": "NotifyFailure", "status": "SUCCEEDED", "seconds": 0.5},
            {"name": "PipelineFailed", "status": "FAILED", "seconds": 0},
        ],
        "error": "States.TaskFailed",
        "cause": "TransformTrips: SchemaError: no fare_amount",
        "warning": None,
    }


def test_what_a_run_that_succeeded_could_not_do_is_shown_at_its_end(capsys: pytest.CaptureFixture[str]) -> None:
    reason = "the mail was not sent: SNS: not authorized to perform: SNS:Publish"
    execution = read(States(SUCCEEDED, status="SUCCEEDED", output=json.dumps({"warning": reason})), ARN)
    assert execution.as_json()["warning"] == reason
    with progress.following(lambda state: "") as show:
        show(execution)
    assert capsys.readouterr().err.splitlines()[-1] == f"warning: {reason}"


def test_an_execution_knows_what_its_ingest_fetches_from() -> None:
    assert read(States(SUCCEEDED), ARN).source_url == "http://h/"
    assert read(States(SUCCEEDED[:2]), ARN).source_url == ""


@pytest.mark.parametrize(
    ("output", "warning"),
    [
        ('{"warning": "no mail: AccessDenied"}', "no mail: AccessDenied"),
        ('{"rows": 1}', None),
        ('"done"', None),
        ("[1]", None),
        ("null", None),
        (None, None),
    ],
)
def test_an_execution_may_end_with_any_json(output: str | None, warning: str | None) -> None:
    assert warning_of({} if output is None else {"output": output}) == warning
