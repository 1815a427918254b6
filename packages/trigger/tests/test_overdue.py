"""Whether a pipeline is overdue: which month must be there by when, and what counts as there."""

from __future__ import annotations

import datetime
import json
from typing import Any

import boto3
import pytest
from hypothesis import given
from hypothesis import strategies as st
from moto import mock_aws

from trigger.events import EventError
from trigger.executions import is_of
from trigger.overdue import handler, is_overdue, month_due, running_time
from trigger.periods import Month, months_before

NOW = datetime.datetime(2024, 11, 8, 12, tzinfo=datetime.timezone.utc)
MONTHLY = {"dataset": "yellow", "lag_months": 2, "due_day": 8}


@pytest.mark.parametrize(
    ("today", "month"),
    [
        ("2024-11-07", "2024-08"),
        ("2024-11-08", "2024-09"),
        ("2024-11-30", "2024-09"),
        ("2024-12-01", "2024-09"),
        ("2024-02-07", "2023-11"),
        ("2024-02-08", "2023-12"),
        ("2024-01-01", "2023-10"),
    ],
)
def test_the_month_due_is_that_of_the_lag_from_the_due_day_on(today: str, month: str) -> None:
    assert str(month_due(datetime.date.fromisoformat(today), lag_months=2, due_day=8)) == month


@given(day=st.dates(min_value=datetime.date(1971, 1, 1)), lag=st.integers(0, 24), due_day=st.integers(1, 28))
def test_the_month_due_moves_on_at_the_due_day_alone(day: datetime.date, lag: int, due_day: int) -> None:
    yesterday = day - datetime.timedelta(days=1)
    before, after = (month_due(one, lag_months=lag, due_day=due_day) for one in (yesterday, day))
    assert (before != after) == (day.day == due_day)
    assert after in (months_before(day, lag), months_before(day, lag + 1))


@pytest.mark.parametrize(
    ("name", "done"),
    [
        ("yellow-2024-09", True),
        ("yellow-2024-09-20241105T060000-a1b2", True),
        ("yellow-2024-090", False),
        ("yellow-2024-08", False),
        ("green-2024-09", False),
    ],
)
def test_an_execution_is_of_its_dataset_and_month(name: str, done: bool) -> None:
    assert is_of(name, dataset="yellow", month=Month(2024, 9)) is done


def ended(name: str, hours_ago: float = 0) -> dict[str, Any]:
    return {"name": name, "stopDate": NOW - datetime.timedelta(hours=hours_ago)}


@pytest.mark.parametrize(
    ("event", "succeeded", "overdue"),
    [
        (MONTHLY, [], True),
        (MONTHLY, [ended("yellow-2024-08")], True),
        (MONTHLY, [ended("yellow-2024-08"), ended("yellow-2024-09-again", 70)], False),
        (MONTHLY | {"due_day": 9}, [ended("yellow-2024-08")], False),
        ({"within_hours": 30}, [], True),
        ({"within_hours": 30}, [ended("x", 31)], True),
        ({"within_hours": "30"}, [ended("x", 31), ended("y", 29)], False),
    ],
)
def test_it_is_overdue_unless_one_succeeded_in_time(
    event: dict[str, Any], succeeded: list[dict[str, Any]], overdue: bool
) -> None:
    assert is_overdue(event, succeeded, now=NOW) is overdue


@pytest.mark.parametrize(("minutes", "longest"), [([], 0), ([5], 5), ([5, 61, 7], 61), ([-5], 0)])
def test_the_running_time_is_that_of_the_longest_execution(minutes: list[int], longest: int) -> None:
    running = [{"startDate": NOW - datetime.timedelta(minutes=number)} for number in minutes]
    assert running_time(running, now=NOW) == longest * 60_000


@pytest.mark.parametrize(
    ("event", "complaint"),
    [
        ({}, "pipeline must be text, but is None"),
        ({"pipeline": "p"}, "state_machine must be text, but is None"),
        ({"pipeline": "p", "state_machine": "MACHINE"}, "dataset must be text, but is None"),
        ({"pipeline": "p", "state_machine": "MACHINE", "dataset": "d"}, "lag_months must be a whole number"),
        ({"pipeline": "p", "state_machine": "MACHINE", "within_hours": "x"}, "within_hours must be a whole number"),
    ],
)
@mock_aws
def test_an_event_that_lacks_something_is_refused(
    monkeypatch: pytest.MonkeyPatch, event: dict[str, Any], complaint: str
) -> None:
    machine = machine_in(monkeypatch)
    with pytest.raises(EventError, match=complaint):
        handler({key: machine if value == "MACHINE" else value for key, value in event.items()}, None)


def machine_in(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("ENVIRONMENT", "test")
    role = boto3.client("iam").create_role(RoleName="states", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    definition = json.dumps({"StartAt": "End", "States": {"End": {"Type": "Succeed"}}})
    machine = boto3.client("stepfunctions").create_state_machine(name="m", definition=definition, roleArn=role)
    return str(machine["stateMachineArn"])


@mock_aws
def test_the_answers_are_metrics(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = machine_in(monkeypatch)
    boto3.client("stepfunctions").start_execution(stateMachineArn=machine)  # moto's run until they are stopped
    answer = handler({"pipeline": "reviews", "state_machine": machine, "within_hours": 30}, None)
    assert answer == {"pipeline": "reviews", "overdue": True, "running_ms": answer["running_ms"]}
    assert answer["running_ms"] > 0
    metrics = boto3.client("cloudwatch").list_metrics(Namespace="ELT")["Metrics"]
    assert sorted(metric["MetricName"] for metric in metrics) == ["Overdue", "RunningTime"]
    assert [metric["Dimensions"] for metric in metrics] == 2 * [
        [{"Name": "Environment", "Value": "test"}, {"Name": "Pipeline", "Value": "reviews"}]
    ]
