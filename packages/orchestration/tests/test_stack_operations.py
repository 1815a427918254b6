"""Operations on stacks: waited for, not mistaken for the one before, and what to do where one is stuck."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from orchestration.errors import DeployError
from orchestration.stacks import operation


def refusal(message: str, code: str = "ValidationError") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "ExecuteChangeSet")


class Scripted:
    """CloudFormation that gives the next status at each look, and the events that go with it; "" is no stack."""

    def __init__(self, *looks: tuple[str, list[dict[str, str]]]) -> None:
        self.looks = list(looks)
        self.events: list[dict[str, str]] = []

    def describe_stacks(self, StackName: str) -> Any:
        status, self.events = self.looks.pop(0)
        if not status:
            raise refusal(f"Stack with id {StackName} does not exist")
        return {"Stacks": [{"StackStatus": status, "StackName": StackName}]}

    def get_paginator(self, operation: str) -> Any:
        assert operation == "describe_stack_events"
        return SimpleNamespace(paginate=lambda StackName: [{"StackEvents": self.events}])


def event(number: str, status: str, *, token: str = "", of: str = "stack") -> dict[str, str]:
    return {
        "EventId": number,
        "StackId": "stack",
        "PhysicalResourceId": of,
        "LogicalResourceId": of,
        "ResourceStatus": status,
        "ClientRequestToken": token,
    }


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operation.time, "sleep", lambda seconds: None)


def test_the_status_from_before_is_not_taken_for_the_new_one() -> None:
    """CloudFormation still tells of the update before, then of ours, then has only the resources' events."""
    before = event("1", "UPDATE_COMPLETE", token="theirs")
    begun = event("2", "UPDATE_IN_PROGRESS", token="ours")
    job = event("3", "UPDATE_COMPLETE", token="ours", of="job")
    ended = event("4", "UPDATE_ROLLBACK_COMPLETE", token="ours")
    late = event("1b", "UPDATE_COMPLETE", token="theirs")
    stack = Scripted(
        ("UPDATE_COMPLETE", [before]),
        ("UPDATE_COMPLETE", [late, before]),
        ("UPDATE_IN_PROGRESS", []),
        ("UPDATE_ROLLBACK_COMPLETE", [job, begun, late, before]),
        ("UPDATE_ROLLBACK_COMPLETE", [ended, job, begun, late, before]),
    )
    assert operation.follow(stack, "stack", token="ours", after="1") == "UPDATE_ROLLBACK_COMPLETE"
    assert stack.looks == []


@pytest.mark.parametrize("gone", ["", "DELETE_COMPLETE"])
def test_a_deletion_ends_with_the_stack(gone: str) -> None:
    stack = Scripted(("UPDATE_COMPLETE", []), ("DELETE_IN_PROGRESS", []), (gone, []))
    assert operation.follow(stack, "stack", token="ours", after="1") == "DELETE_COMPLETE"


def test_an_operation_under_way_is_waited_for_and_said_to_be() -> None:
    said: list[str] = []
    looks: list[tuple[str, list[dict[str, str]]]] = [(status, []) for status in ("UPDATE_IN_PROGRESS",) * 3]
    stack = Scripted(*looks, ("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", []), ("UPDATE_COMPLETE", []))
    assert operation.settle(stack, "elt-dev-pipelines", report=said.append) == "UPDATE_COMPLETE"
    assert said == ["stack elt-dev-pipelines is UPDATE_IN_PROGRESS: waiting for that to end"]
    assert operation.settle(Scripted(("REVIEW_IN_PROGRESS", [])), "x", report=said.append) == "REVIEW_IN_PROGRESS"
    assert operation.settle(Scripted(("", [])), "x", report=said.append) == ""


CONTINUE = (
    "look at its events, fix what they name, `aws cloudformation continue-update-rollback --stack-name s` and "
    "`aws cloudformation wait stack-rollback-complete --stack-name s`, then do this again"
)
DELETE = (
    "look at its events, fix what they name, `aws cloudformation delete-stack --stack-name s` and "
    "`aws cloudformation wait stack-delete-complete --stack-name s`, then do this again"
)


@pytest.mark.parametrize(
    ("status", "line"),
    [
        ("UPDATE_ROLLBACK_FAILED", CONTINUE),
        ("ROLLBACK_FAILED", DELETE),
        ("DELETE_FAILED", DELETE),
        ("UPDATE_IN_PROGRESS", "do this again when that has ended"),
        ("DELETE_IN_PROGRESS", "do this again when that has ended"),
        *((status, "") for status in ("", "CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE")),
        *((status, "") for status in ("CREATE_FAILED", "UPDATE_FAILED", "IMPORT_COMPLETE", "REVIEW_IN_PROGRESS")),
    ],
)
def test_what_to_do_about_a_stack_that_cannot_be_updated(status: str, line: str) -> None:
    if not line:
        operation.require_updatable("s", status)
        return
    with pytest.raises(DeployError) as caught:
        operation.require_updatable("s", status)
    assert str(caught.value) == f"stack s is {status}: {line}"


@pytest.mark.parametrize(
    ("error", "overtaken"),
    [
        (refusal("ChangeSet [x] does not exist", "ChangeSetNotFound"), True),
        (refusal("cannot be executed in its current status", "InvalidChangeSetStatus"), True),
        (refusal("Stack:arn:… is in UPDATE_IN_PROGRESS state and can not be updated."), True),
        (refusal("Stack [s] already exists and cannot be created again with the changeSet [x]."), True),
        (refusal("Stack [s] does not exist"), True),
        (refusal("Stack:arn:… is in UPDATE_ROLLBACK_FAILED state and can not be updated."), False),
        (refusal("S3 error: The specified key does not exist."), False),
        (refusal("Parameters: [A] do not exist in the template"), False),
        (refusal("User is not authorized", "AccessDenied"), False),
    ],
)
def test_whether_somebody_elses_operation_came_first(error: ClientError, overtaken: bool) -> None:
    assert operation.is_overtaken(error) is overtaken
