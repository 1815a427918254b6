"""Makes, finds, executes and deletes change sets.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-updating-stacks-changesets.html
"""

from __future__ import annotations

import re
import uuid
from typing import Any

from local_cloud.services.cloudformation.engine import UPDATABLE, Engine, Operation
from local_cloud.services.cloudformation.errors import (
    ChangeSetNotExecutable,
    ChangeSetNotFound,
    StackExists,
    ValidationError,
)
from local_cloud.services.cloudformation.requests import check_stack_name, read_definition, read_template
from local_cloud.services.cloudformation.stacks import ChangeSet, Stack, now

NO_CHANGES = "The submitted information didn't contain changes. Submit different information to create a change set."


def create_change_set(engine: Engine, request: dict[str, Any]) -> tuple[Stack, ChangeSet]:
    """A change set of type CREATE or UPDATE, ready or, where it would change nothing of a stack, FAILED.

    A template or parameter that cannot be deployed is a ValidationError, and leaves no stack behind.
    """
    name, kind = request["ChangeSetName"], request.get("ChangeSetType", "UPDATE")
    if not re.fullmatch(r"[a-zA-Z][-a-zA-Z0-9]{0,127}", name):
        raise ValidationError(
            f"1 validation error detected: Value '{name}' at 'changeSetName' failed to satisfy constraint: Member "
            "must satisfy regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*"
        )
    stack = _stack_for(engine, request["StackName"], name, kind)
    previous = stack if stack and stack.status != "REVIEW_IN_PROGRESS" else None
    if stack:
        for existing in stack.pending_change_sets:
            if existing.name == name and request.get("ClientToken") and existing.token == request["ClientToken"]:
                return stack, existing
            if existing.name == name:
                raise StackExists(f"ChangeSet {name} already exists")
    client = engine.client_of(request, previous)
    template = read_template(request, previous=previous, client=client)
    engine.check_transforms(template)
    definition = read_definition(request, template, previous=previous, client=client)
    target = stack or engine.new_stack(request["StackName"], definition)
    plan = engine.plan(target, template, definition)
    where = f"arn:aws:cloudformation:{engine.cloud.settings.region}:{engine.cloud.settings.account_id}"
    change_set = ChangeSet(
        id=f"{where}:changeSet/{name}/{uuid.uuid4()}",
        name=name,
        type=kind,
        definition=definition,
        description=request.get("Description", ""),
        changes=plan.changes,
        on_stack_failure=request.get("OnStackFailure", ""),
        token=request.get("ClientToken", ""),
    )
    if previous and plan.is_empty and target.status not in ("CREATE_FAILED", "UPDATE_FAILED"):
        change_set.status, change_set.reason = "FAILED", NO_CHANGES
        change_set.execution_status = "UNAVAILABLE"
    if stack is None:
        engine.stacks[target.id] = target
        engine.store.save(target, target.log("REVIEW_IN_PROGRESS", "User Initiated"))
    target.change_sets[change_set.id] = change_set
    engine.store.save(target)
    return target, change_set


def find_change_set(engine: Engine, name: str, stack_name: str | None) -> tuple[Stack, ChangeSet]:
    """Return a change set by its ARN, or by its name and the stack's: of those of one name the newest.

    Errors: ValidationError, ChangeSetNotFound.
    """
    if not stack_name and not name.startswith("arn:"):
        raise ValidationError("StackName must be specified if ChangeSetName is not specified as an ARN.")
    if stack_name and not (engine.stacks.get(stack_name) or engine.by_name(stack_name)):
        raise ValidationError(f"Stack [{stack_name}] does not exist")
    stacks = [engine.find(stack_name)] if stack_name else list(engine.stacks.values())
    for stack in stacks:
        for change_set in reversed(stack.change_sets.values()):
            if change_set.id == name or (stack_name and change_set.name == name):
                return stack, change_set
    raise ChangeSetNotFound(f"ChangeSet [{name}] does not exist")


def execute_change_set(engine: Engine, request: dict[str, Any]) -> Operation | None:
    """Deploy a change set. The stack's others are deleted, and its own name is free again.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-updating-stacks-changesets-execute.html
    """
    stack, change_set = find_change_set(engine, request["ChangeSetName"], request.get("StackName"))
    token = request.get("ClientRequestToken", "")
    if token and stack.tokens.get(token) == change_set.id:
        return engine.operations.get(stack.id)
    if change_set.status == "FAILED":
        raise ChangeSetNotExecutable(
            f"ChangeSet [{change_set.id}] cannot be executed in its current status of [{change_set.status}]"
        )
    if change_set.execution_status != "AVAILABLE":
        raise ChangeSetNotExecutable(
            f"ChangeSet [{change_set.id}] cannot be executed in its current execution status of "
            f"[{change_set.execution_status}]"
        )
    refuse_unless_updatable(stack, also=("REVIEW_IN_PROGRESS",))
    on_failure = change_set.on_stack_failure or "ROLLBACK"
    if request.get("DisableRollback"):
        on_failure = "DO_NOTHING"
    stack.change_sets = {change_set.id: change_set}
    stack.change_set_id = change_set.id
    change_set.execution_status = "EXECUTE_COMPLETE"
    if token:
        stack.tokens[token] = change_set.id
    if stack.status == "REVIEW_IN_PROGRESS":
        stack.definition = change_set.definition
        stack.updated = now()
        return engine.create(stack, on_failure=on_failure, token=token)
    return engine.update(stack, change_set.definition, on_failure=on_failure, token=token)


def delete_change_set(engine: Engine, name: str, stack_name: str | None) -> None:
    """Delete a change set; a no-op where there is none, as on AWS. Errors: ValidationError for an unknown stack."""
    try:
        stack, change_set = find_change_set(engine, name, stack_name)
    except ChangeSetNotFound:
        return
    del stack.change_sets[change_set.id]
    engine.store.save(stack)


def refuse_unless_updatable(stack: Stack, *, also: tuple[str, ...] = ()) -> None:
    if stack.status not in (*UPDATABLE, *also):
        raise ValidationError(f"Stack:{stack.id} is in {stack.status} state and can not be updated.")


def _stack_for(engine: Engine, name: str, change_set: str, kind: str) -> Stack | None:
    """The stack that is there already, in a state that the kind of change set can start from."""
    stack = engine.stacks.get(name) or engine.by_name(name)
    if kind == "CREATE":
        if stack is None:
            check_stack_name(name)
        elif stack.status != "REVIEW_IN_PROGRESS":
            raise ValidationError(
                f"Stack [{name}] already exists and cannot be created again with the changeSet [{change_set}]."
            )
        return stack
    if kind != "UPDATE":
        raise ValidationError(f"Change sets of type {kind} are not supported by this local cloud")
    if stack is None:
        raise ValidationError(f"Stack [{name}] does not exist")
    refuse_unless_updatable(stack)
    return stack
