"""Bring a stack up to date by a change set, plan that, and delete a stack."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from orchestration.errors import DeployError
from orchestration.stacks import Change, Stack, operation, template
from orchestration.stacks.change_sets import has_changes, open_change_set

#: How often a stack is taken up again after somebody else's operation came first.
_ATTEMPTS = 5

Result = TypeVar("Result")


def outputs(cloudformation: Any, stack: Stack) -> dict[str, str] | None:
    """Read the outputs of a stack that is in place; None where there is none, or only what is left of one."""
    description = operation.describe(cloudformation, stack.name)
    if description is None or description["StackStatus"] in ("REVIEW_IN_PROGRESS", *operation.REMAINS):
        return None
    return {output["OutputKey"]: output["OutputValue"] for output in description.get("Outputs", [])}


def settle(cloudformation: Any, stack: Stack, *, report: Callable[[str], None]) -> str:
    """Wait for what is under way on a stack; returns the status that it then has, "" for none.

    Errors: DeployError for one that `deploy` can do nothing about, with what to do.
    """
    status = operation.settle(cloudformation, stack.name, report=report)
    if not (stack.stateless and status in operation.REMAINS):
        operation.require_updatable(stack.name, status)
    return status


def deploy(
    cloudformation: Any,
    stack: Stack,
    *,
    parameters: Mapping[str, str],
    tags: Mapping[str, str],
    report: Callable[[str], None],
    before_change: Callable[[], object] = lambda: None,
) -> dict[str, str]:
    """Create or update a stack and return its outputs.

    An operation that is under way is waited for. `before_change` is called before CloudFormation is asked to act, and
    prevents that by raising. Errors: DeployError with the resource and its reason, or with what to do about a stack
    that is stuck.
    """
    _retry_overtaken(
        stack,
        lambda: _deploy(cloudformation, stack, parameters, tags, report=report, before_change=before_change),
    )
    return outputs(cloudformation, stack) or {}


def _retry_overtaken(stack: Stack, work: Callable[[], Result]) -> Result:
    """Do work on a stack's change set, and retry where somebody else's operation came first. Errors: DeployError."""
    for _ in range(_ATTEMPTS):
        try:
            return work()
        except ClientError as error:
            if not operation.is_overtaken(error):
                raise
    raise DeployError(f"stack {stack.name} is changed by others again and again: do this again when they are done")


def _deploy(
    cloudformation: Any,
    stack: Stack,
    parameters: Mapping[str, str],
    tags: Mapping[str, str],
    *,
    report: Callable[[str], None],
    before_change: Callable[[], object],
) -> None:
    """`deploy`, once. Errors: ClientError where an operation of somebody else came first."""
    if settle(cloudformation, stack, report=report) in operation.REMAINS and stack.stateless:
        before_change()
        operation.delete(cloudformation, stack.name, report=report)
    change_set = open_change_set(cloudformation, stack, parameters, tags)
    try:
        if not has_changes(cloudformation, stack, change_set):
            cloudformation.delete_change_set(StackName=stack.name, ChangeSetName=change_set)
            return
        started = operation.latest_event(cloudformation, stack.name)
        before_change()
        cloudformation.execute_change_set(StackName=stack.name, ChangeSetName=change_set, ClientRequestToken=change_set)
    except BaseException:  # nobody is to execute it later, unseen
        try:
            cloudformation.delete_change_set(StackName=stack.name, ChangeSetName=change_set)
        except (BotoCoreError, ClientError) as error:
            report(f"change set {change_set} of stack {stack.name} is left, do not execute it: {error}")
        raise
    status = operation.follow(cloudformation, stack.name, token=change_set, after=started)
    if status not in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
        operation.raise_failure(cloudformation, stack.name, status, after=started)


def plan(
    cloudformation: Any,
    stack: Stack,
    *,
    parameters: Mapping[str, str],
    tags: Mapping[str, str],
) -> list[Change]:
    """List what `deploy` with the same arguments would do, in the change set's order. It changes nothing.

    Errors: DeployError.
    """
    return _retry_overtaken(stack, lambda: _plan(cloudformation, stack, parameters, tags))


def _plan(cloudformation: Any, stack: Stack, parameters: Mapping[str, str], tags: Mapping[str, str]) -> list[Change]:
    change_set = open_change_set(cloudformation, stack, parameters, tags)
    try:
        if not has_changes(cloudformation, stack, change_set):
            return []
        pages = cloudformation.get_paginator("describe_change_set").paginate(
            StackName=stack.name, ChangeSetName=change_set
        )
        return [_change(stack, one["ResourceChange"]) for page in pages for one in page["Changes"]]
    finally:
        cloudformation.delete_change_set(StackName=stack.name, ChangeSetName=change_set)
        if operation.status_of(cloudformation, stack.name) == "REVIEW_IN_PROGRESS":
            operation.delete(cloudformation, stack.name, report=lambda step: None)


def _change(stack: Stack, change: Mapping[str, Any]) -> Change:
    details = (detail["Target"] for detail in change.get("Details", []))
    names = {target.get("Name") or target["Attribute"] for target in details}
    return Change(
        stack=stack.name,
        action=change["Action"],
        resource=change["LogicalResourceId"],
        kind=change["ResourceType"],
        name=change.get("PhysicalResourceId", ""),
        replacement=change.get("Replacement", "False"),
        kept=change.get("PolicyAction") in ("Retain", "ReplaceAndRetain"),
        properties=tuple(sorted(names)),
    )


def additions(stack: Stack) -> list[Change]:
    """List what a stack that is not there would add, by its template, with conditions as properties."""
    return [
        Change(stack.name, "Add", name, kind, properties=(f"if {condition}",) if condition else ())
        for name, kind, condition in template.resources(stack.body)
    ]
