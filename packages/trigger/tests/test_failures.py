"""The mail about an execution that could not mail its own failure: when there is one, and what it says."""

from __future__ import annotations

import json
from typing import Any

import boto3
import pytest

from trigger import failures
from trigger.failures import has_mailed, mail, why_not

ARN = "arn:aws:states:eu-west-1:123456789012:execution:elt-prod-yellow-trips:yellow-2024-09"
URL = f"https://eu-west-1.console.aws.amazon.com/states/home?region=eu-west-1#/v2/executions/details/{ARN}"
MONTH = {"year": "2024", "month": "09"}


def ended(status: str, given: Any = MONTH, *, machine: str = "yellow-trips", **more: str) -> dict[str, Any]:
    """An execution as DescribeExecution gives it."""
    arn = ARN.replace("yellow-trips", machine)
    return {"executionArn": arn, "name": "yellow-2024-09", "status": status, "input": json.dumps(given), **more}


def entered(name: str) -> dict[str, Any]:
    return {"type": "TaskStateEntered", "stateEnteredEventDetails": {"name": name}}


def history(*events: Any) -> list[dict[str, Any]]:
    """Events as an execution has them, oldest first, in the order the function gets them."""
    return [event if isinstance(event, dict) else {"type": event} for event in reversed(events)]


MAILED = (entered("NotifyFailure"), "TaskScheduled", "TaskStarted", "TaskSucceeded", "TaskStateExited")
REFUSED = (entered("NotifyFailure"), "TaskScheduled", "TaskStarted", "TaskFailed", "TaskStateExited")
FAILED = (entered("PipelineFailed"), "ExecutionFailed")


@pytest.mark.parametrize(
    ("events", "mailed"),
    [
        ((*MAILED, *FAILED), True),
        ((*MAILED, "ExecutionAborted"), True),
        ((*REFUSED, *FAILED), False),
        ((*REFUSED, "TaskScheduled", "TaskStarted", "TaskSucceeded", "TaskStateExited", *FAILED), True),
        ((entered("NotifyFailure"), "TaskScheduled", "ExecutionTimedOut"), False),
        ((entered("IngestRaw"), "TaskScheduled", "TaskSucceeded", "ExecutionAborted"), False),
        ((entered("IngestRaw"), "TaskSucceeded", *REFUSED, *FAILED), False),
        ((*MAILED, *FAILED, "ExecutionRedriven", entered("IngestRaw"), "ExecutionAborted"), False),
        ((), False),
    ],
)
def test_a_mail_went_out_when_the_last_notify_failure_succeeded(events: tuple[Any, ...], mailed: bool) -> None:
    assert has_mailed(history(*events)) is mailed


@pytest.mark.parametrize(
    ("execution", "events", "reason"),
    [
        (ended("FAILED"), (*REFUSED, *FAILED), ""),
        (ended("ABORTED", "not an object"), ("ExecutionAborted",), ""),
        (ended("FAILED"), (*MAILED, *FAILED), "it has mailed its failure itself"),
        (
            ended("ABORTED", MONTH | {"backfill": "b"}),
            ("ExecutionAborted",),
            "its backfill mails for all of its months",
        ),
        (ended("SUCCEEDED"), ("ExecutionSucceeded",), "it is SUCCEEDED since"),
        (ended("RUNNING"), ("ExecutionRedriven",), "it is RUNNING since"),
    ],
)
def test_what_nobody_has_mailed_is_mailed(execution: dict[str, Any], events: tuple[Any, ...], reason: str) -> None:
    assert why_not(execution, history(*events)) == reason


def test_a_run_that_was_stopped() -> None:
    assert mail(ended("ABORTED"), "prod") == (
        "[prod] yellow-trips 2024-09 was stopped",
        "yellow-trips 2024-09 was stopped.\n"
        "\n"
        "Cause:     none was given to StopExecution\n"
        f"Execution: {URL}\n"
        "Logs:      elt logs yellow-2024-09 --env prod\n"
        "Try again: elt run yellow-trips --month 2024-09 --env prod\n"
        "\n"
        "Trying again is safe: a table holds what a run loads exactly once, or is unchanged.\n",
    )


@pytest.mark.parametrize(
    ("execution", "subject", "cause", "again"),
    [
        (
            ended("TIMED_OUT"),
            "[prod] yellow-trips 2024-09 timed out",
            "its TimeoutSeconds were over; the history shows which state it was in",
            "elt run yellow-trips --month 2024-09 --env prod",
        ),
        (
            ended(
                "FAILED", MONTH | {"rerun": "elt smoke --env prod"}, error="States.QueryEvaluationError", cause="a\nb"
            ),
            "[prod] yellow-trips 2024-09 failed",
            "States.QueryEvaluationError: a b",
            "elt smoke --env prod",
        ),
        (
            ended("FAILED", {"day": "2024-09-05"}, machine="reviews", cause="c" * 2000),
            "[prod] reviews 2024-09-05 failed",
            "c" * 1000,
            "elt run reviews --env prod",
        ),
        (
            ended("ABORTED", {"pipeline": "green-trips", "months": ["2024-01", "2024-02"]}, machine="backfill"),
            "[prod] backfill yellow-2024-09 was stopped",
            "none was given to StopExecution",
            "elt backfill green-trips --from 2024-01 --to 2024-02 --env prod",
        ),
        (
            ended("ABORTED", {"day": "fünf\n" * 50}, machine="reviews"),
            "[prod] reviews " + ("f?nf?" * 50)[:84],
            "none was given to StopExecution",
            "elt run reviews --env prod",
        ),
    ],
)
def test_subject_cause_and_what_to_do(execution: dict[str, Any], subject: str, cause: str, again: str) -> None:
    told, text = mail(execution, "prod")
    assert told == subject
    assert f"\nCause:     {cause}\n" in text
    assert f"\nTry again: {again}\n" in text


def test_the_handler_asks_step_functions_and_publishes_once(machine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    topic = boto3.client("sns").create_topic(Name="alerts")["TopicArn"]
    queue = boto3.client("sqs").create_queue(QueueName="mails")["QueueUrl"]
    boto3.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint="arn:aws:sqs:us-east-1:123456789012:mails")
    monkeypatch.setenv("ALERT_TOPIC", topic)
    states = boto3.client("stepfunctions")
    arn = states.start_execution(stateMachineArn=machine, name="x", input=json.dumps(MONTH))["executionArn"]
    states.stop_execution(executionArn=arn)
    monkeypatch.setattr(failures, "has_mailed", lambda newest: False)  # moto's own history is a canned one

    event = {"detail": {"executionArn": arn, "status": "ABORTED"}}
    assert failures.handler(event, None) == {"execution": arn, "status": "ABORTED", "mailed": True}
    gone = {"detail": event["detail"] | {"executionArn": f"{arn}-gone"}}
    assert failures.handler(gone, None)["reason"] == "it was deleted, with its state machine"
    (message,) = boto3.client("sqs").receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]
    assert json.loads(message["Body"])["Subject"] == "[prod] yellow-trips 2024-09 was stopped"
