"""Brings a stack back to what it was before an update that failed."""

from __future__ import annotations

import copy
from collections.abc import Collection

from local_cloud.services.cloudformation.deploying.actions import Actions
from local_cloud.services.cloudformation.deploying.deletion import clean_up, names
from local_cloud.services.cloudformation.planning.schedule import run
from local_cloud.services.cloudformation.stacks import Resource, Stack


def roll_back_update(actions: Actions, *, skip: Collection[str] = ()) -> None:
    """UPDATE_ROLLBACK_IN_PROGRESS to UPDATE_ROLLBACK_COMPLETE or UPDATE_ROLLBACK_FAILED.

    Resources in `skip` are taken to be as they were.
    """
    stack = actions.stack
    stable = stack.stable
    assert stable, "a stack keeps what to return to while an update is not settled"

    def step(logical_id: str) -> None:
        before = stable.resources[logical_id]
        current = stack.resources[logical_id]
        if logical_id in skip:
            with actions.lock:
                stack.resources[logical_id] = copy.deepcopy(before)
            actions.log(stack.resources[logical_id], "UPDATE_COMPLETE")
        elif current.physical_id != before.physical_id:
            _swap_back(actions, logical_id, before)
        elif current.attempted or current.properties != before.properties:
            actions.update(current, before.properties)
        elif current.status == "UPDATE_FAILED":
            actions.log(current, "UPDATE_COMPLETE")
        _restore_policies(actions, stack.resources[logical_id], before)

    graph = {name: set(resource.requires) for name, resource in stable.resources.items()}
    failures = run(graph, step, stop_on_failure=False, may_start=actions.may_go_on)
    actions.check()
    if failures:
        actions.log_stack(
            "UPDATE_ROLLBACK_FAILED", f"The following resource(s) failed to update: [{names(failures)}]. "
        )
        return
    actions.log_stack("UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS")
    with actions.lock:
        added = [name for name in stack.resources if name not in stable.resources]
        stack.leftovers += [_to_delete(stack.resources.pop(name)) for name in added]
        _settle(stack)
    clean_up(actions)
    actions.log_stack("UPDATE_ROLLBACK_COMPLETE")


def _swap_back(actions: Actions, logical_id: str, before: Resource) -> None:
    """Take the resource that was replaced back from the leftovers, and leave its replacement there."""
    stack = actions.stack
    with actions.lock:
        stack.leftovers = [each for each in stack.leftovers if each.physical_id != before.physical_id]
        stack.leftovers.append(_to_delete(stack.resources[logical_id]))
        stack.resources[logical_id] = copy.deepcopy(before)
    actions.log(stack.resources[logical_id], "UPDATE_COMPLETE")


def _to_delete(resource: Resource) -> Resource:
    """What a failed update made goes, unless its own policy keeps even that."""
    if resource.deletion_policy == "RetainExceptOnCreate":
        resource.deletion_policy = "Delete"
    return resource


def _restore_policies(actions: Actions, resource: Resource, before: Resource) -> None:
    with actions.lock:
        resource.requires = before.requires
        resource.deletion_policy = before.deletion_policy
        resource.update_replace_policy = before.update_replace_policy
        resource.metadata = before.metadata


def _settle(stack: Stack) -> None:
    assert stack.stable
    stack.definition = stack.stable.definition
    stack.outputs = list(stack.stable.outputs)
    stack.stable = None
