"""The handler: a month or day is started once, and a month with a source only when that has its file."""

from __future__ import annotations

import json
from typing import Any

import boto3
import pytest

from trigger import handler as handling
from trigger.events import EventError
from trigger.handler import handler
from trigger.source import SourceError

SOURCE = "https://example.com/{dataset}_{year}-{month}.parquet"
SEPTEMBER = {"dataset": "yellow", "pipeline": "yellow-trips", "year": 2024, "month": 9, "source": SOURCE}
EVENTS = [
    ({"dataset": "yellow", "year": 2024, "month": 9}, "yellow-2024-09", {"year": "2024", "month": "09"}),
    ({"dataset": "reviews", "day": "2024-09-05T06:00:00Z"}, "reviews-2024-09-05", {"day": "2024-09-05"}),
]


@pytest.mark.parametrize(("event", "name", "given"), EVENTS, ids=["month", "day"])
def test_firing_twice_starts_once(machine: str, event: dict[str, Any], name: str, given: dict[str, str]) -> None:
    states = boto3.client("stepfunctions")
    event = event | {"state_machine": machine}

    first = handler(event, None)
    states.stop_execution(executionArn=first["execution"])
    second = handler(event, None)

    (execution,) = states.list_executions(stateMachineArn=machine)["executions"]
    arn = execution["executionArn"]
    assert first == {"name": name, "started": True, "execution": arn}
    assert second == {"name": name, "started": False, "execution": arn, "reason": f"already started as {name}"}
    assert json.loads(states.describe_execution(executionArn=arn)["input"]) == given


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """What the source says of an address that is no published file; without it, each is published."""
    found: dict[str, str] = {}
    monkeypatch.setattr(handling, "why_missing", lambda address: found.get(address, ""))
    return found


def test_a_month_is_started_on_the_first_day_that_its_source_has_it(
    machine: str, answers: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    event = SEPTEMBER | {"state_machine": machine}
    address = "https://example.com/yellow_2024-09.parquet"
    answers[address] = "HTTP 403"
    waits = {"started": False, "reason": f"not published yet: {address} answered HTTP 403"}
    assert handler(event, None) == handler(event, None) == {"name": "yellow-2024-09", **waits}
    assert json.loads(capsys.readouterr().out.splitlines()[0]) == {
        "event": "triggered",
        "name": "yellow-2024-09",
        **waits,
    }
    assert boto3.client("stepfunctions").list_executions(stateMachineArn=machine)["executions"] == []
    answers.clear()
    assert handler(event, None)["started"] is True
    assert handler(event, None)["reason"] == "already running as yellow-2024-09"


@pytest.mark.parametrize(
    ("executions", "reason"),
    [
        ([], None),
        ([("yellow-2024-08", "SUCCEEDED"), ("yellow-2024-090", "SUCCEEDED")], None),
        ([("yellow-2024-09-by-hand", "SUCCEEDED")], "already loaded by yellow-2024-09-by-hand"),
        ([("yellow-2024-09-by-hand", "RUNNING")], "already running as yellow-2024-09-by-hand"),
        (
            [("yellow-2024-09", "FAILED"), ("yellow-2024-09-again", "SUCCEEDED")],
            "already loaded by yellow-2024-09-again",
        ),
        (
            [("yellow-2024-09", "TIMED_OUT"), ("yellow-2024-09-again", "RUNNING")],
            "already running as yellow-2024-09-again",
        ),
        *(
            (
                [("yellow-2024-09", status), ("yellow-2024-09-again", "FAILED")],
                "failed on 2024-11-05 as yellow-2024-09: run it again with "
                "elt run yellow-trips --month 2024-09 --env prod",
            )
            for status in ("FAILED", "TIMED_OUT", "ABORTED")
        ),
        ([("yellow-2024-09-too-early", "FAILED")], None),
    ],
)
def test_a_month_that_somebody_loaded_or_that_failed_is_not_started(
    machine: str,
    answers: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    executions: list[tuple[str, str]],
    reason: str | None,
) -> None:
    """A run by hand that failed is none of the schedule's: it may have been before the file was published."""
    import datetime

    began = datetime.datetime(2024, 11, 5, 6, tzinfo=datetime.timezone.utc)
    listed = [
        {"name": name, "status": status, "startDate": began, "executionArn": f"ARN:{name}"}
        for name, status in executions
    ]
    monkeypatch.setattr(handling, "list_executions", lambda states, target: iter(listed))
    answer = handler(SEPTEMBER | {"state_machine": machine}, None)
    assert answer.get("reason") == reason
    assert answer["started"] is (reason is None)


def test_a_source_that_does_not_say_whether_it_has_the_month_fails_the_call(
    machine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(address: str) -> str:
        raise SourceError(f"{address} answered HTTP 503")

    monkeypatch.setattr(handling, "why_missing", unknown)
    with pytest.raises(SourceError, match="HTTP 503"):
        handler(SEPTEMBER | {"state_machine": machine}, None)
    assert boto3.client("stepfunctions").list_executions(stateMachineArn=machine)["executions"] == []


@pytest.mark.parametrize(
    ("event", "complaint"),
    [
        ({}, "dataset must be text, but is None"),
        ({"dataset": 1}, "dataset must be text, but is 1"),
        ({"dataset": "yellow"}, "state_machine must be text, but is None"),
        ({"dataset": "yellow", "state_machine": "ARN"}, "lag_months must be a whole number, but is None"),
        (SEPTEMBER | {"state_machine": "ARN", "source": ""}, "source must be text, but is ''"),
        (SEPTEMBER | {"state_machine": "ARN", "pipeline": None}, "pipeline must be text, but is None"),
        (SEPTEMBER | {"state_machine": "ARN", "day": "2024-09-05"}, "source is of a month"),
    ],
)
def test_an_event_that_lacks_something_is_refused(machine: str, event: dict[str, Any], complaint: str) -> None:
    with pytest.raises(EventError, match=complaint):
        handler(event, None)
