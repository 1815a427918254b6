"""An operation on a stack: waited for, followed to its own end, and what to do where one got stuck."""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

from botocore.exceptions import ClientError

from orchestration.errors import DeployError

#: Of stacks that can only be deleted.
REMAINS = ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "DELETE_FAILED")
#: What ends each state that no update can start from, as AWS has it:
#: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/troubleshooting.html
_WAYS_OUT = {
    "UPDATE_ROLLBACK_FAILED": ("continue-update-rollback", "stack-rollback-complete"),
    "ROLLBACK_FAILED": ("delete-stack", "stack-delete-complete"),
    "DELETE_FAILED": ("delete-stack", "stack-delete-complete"),
}
_REPORT_SECONDS = 30
_OVERTAKEN = re.compile(r"Stack.*(_IN_PROGRESS state|already exists|does not exist)")


def describe(cloudformation: Any, name: str) -> dict[str, Any] | None:
    """Return a stack as CloudFormation describes it, by its name or ID; None where there is none."""
    try:
        description: dict[str, Any] = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
    except ClientError as error:
        if "does not exist" in str(error):
            return None
        raise
    return description


def status_of(cloudformation: Any, name: str) -> str:
    """Return a stack's status, "" where there is no stack."""
    description = describe(cloudformation, name)
    return str(description["StackStatus"]) if description else ""


def is_busy(status: str) -> bool:
    """Whether an operation is under way. REVIEW_IN_PROGRESS is a stack that has a change set and nothing else."""
    return status.endswith("_IN_PROGRESS") and status != "REVIEW_IN_PROGRESS"


def settle(cloudformation: Any, name: str, *, report: Callable[[str], None]) -> str:
    """Wait for the operation that is under way on a stack, whoever started it; the status it then has, "" for none.

    Such an operation goes on in CloudFormation when the command that started it is killed.
    """
    next_report = time.monotonic()
    for _ in delays():
        status = status_of(cloudformation, name)
        if not is_busy(status):
            return status
        if time.monotonic() >= next_report:
            report(f"stack {name} is {status}: waiting for that to end")
            next_report += _REPORT_SECONDS
    raise AssertionError("unreachable")


def require_updatable(name: str, status: str) -> None:
    """Raise DeployError, which says what to do, for a stack whose status takes no change set."""
    if is_busy(status):
        raise DeployError(f"stack {name} is {status}: do this again when that has ended")
    if status in _WAYS_OUT:
        raise DeployError(f"stack {name} is {status}: {way_out(name, status)}, then do this again")


def way_out(name: str, status: str) -> str:
    """Return the commands that bring a stack out of a state that it is stuck in; "" for one that an update ends."""
    if status not in _WAYS_OUT:
        return ""
    act, waiter = _WAYS_OUT[status]
    return (
        f"look at its events, fix what they name, `aws cloudformation {act} --stack-name {name}` "
        f"and `aws cloudformation wait {waiter} --stack-name {name}`"
    )


def follow(cloudformation: Any, name: str, *, token: str, after: str) -> str:
    """Wait for the operation of a ClientRequestToken, later than an event; the status it ended at.

    `name` is the stack's, or its ID: no stack has the name any more when it is deleted.

    What CloudFormation tells may be of a moment before, so only an event of the operation itself ends it: all of them
    have its token (https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_StackEvent.html).
    """
    for _ in delays():
        status = status_of(cloudformation, name)
        if status in ("", "DELETE_COMPLETE"):
            return "DELETE_COMPLETE"
        if not is_busy(status):
            status = next(
                (
                    event["ResourceStatus"]
                    for event in events_since(cloudformation, name, after)
                    if event.get("ClientRequestToken") == token and event["PhysicalResourceId"] == event["StackId"]
                ),
                "",
            )
            if status and not is_busy(status):
                return str(status)
    raise AssertionError("unreachable")


def delete(cloudformation: Any, name: str, *, report: Callable[[str], None]) -> bool:
    """Delete a stack, after the operation that is under way on it, and wait; False where there was none.

    Errors: DeployError.
    """
    description = describe(cloudformation, name)
    if description is None:
        return False
    if not settle(cloudformation, name, report=report):
        return True
    started = latest_event(cloudformation, name)
    token = f"elt-{uuid.uuid4().hex[:12]}"
    cloudformation.delete_stack(StackName=name, ClientRequestToken=token)
    status = follow(cloudformation, description["StackId"], token=token, after=started)
    if status != "DELETE_COMPLETE":
        raise_failure(cloudformation, name, status, after=started)
    return True


def latest_event(cloudformation: Any, name: str) -> str:
    """Return the newest event's ID, "" where there is none."""
    events = cloudformation.describe_stack_events(StackName=name)["StackEvents"]
    return str(events[0]["EventId"]) if events else ""


def events_since(cloudformation: Any, name: str, event_id: str) -> Iterator[dict[str, Any]]:
    """Yield the events later than one, newest first."""
    pages = cloudformation.get_paginator("describe_stack_events").paginate(StackName=name)
    for event in (event for page in pages for event in page["StackEvents"]):
        if event["EventId"] == event_id:
            return
        yield event


def first_failure(cloudformation: Any, name: str, *, after: str) -> str:
    """Return the first resource that failed since an event, and why: what follows it is only the rollback."""
    reason = "no reason given; see its events"
    for event in events_since(cloudformation, name, after):
        if event["ResourceStatus"].endswith("_FAILED") and "cancelled" not in event.get("ResourceStatusReason", ""):
            reason = f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason', event['ResourceStatus'])}"
    return reason


def is_overtaken(error: ClientError) -> bool:
    """Whether a request on a change set was refused because somebody else's operation came first.

    Executing one change set deletes a stack's others:
    https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ExecuteChangeSet.html
    """
    code, message = error.response["Error"]["Code"], error.response["Error"].get("Message", "")
    if code in ("ChangeSetNotFound", "InvalidChangeSetStatus"):
        return True
    return code == "ValidationError" and bool(_OVERTAKEN.match(message))


def delays() -> Iterator[None]:
    """Short waits first, for a cloud that answers at once; 3 s later on, well below CloudFormation's limits."""
    delay = 0.05
    while True:
        yield
        time.sleep(delay)
        delay = min(delay * 1.2, 3.0)


def raise_failure(cloudformation: Any, name: str, status: str, *, after: str) -> NoReturn:
    """Raise DeployError for an operation that ended with such a status: its reason, and the way out."""
    reason = first_failure(cloudformation, name, after=after)
    advice = way_out(name, status)
    raise DeployError(f"stack {name} ended {status}: {reason}" + (f"; {advice}" if advice else ""))
