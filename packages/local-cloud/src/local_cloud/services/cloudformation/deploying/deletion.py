"""Takes resources away: of a deleted stack, of a failed creation, and what an update replaced or left out."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from local_cloud.services.cloudformation.deploying.actions import Actions
from local_cloud.services.cloudformation.planning.schedule import run
from local_cloud.services.cloudformation.stacks import Resource, now


@dataclass(frozen=True)
class Kept:
    """Which deletion policies keep a resource, beside those named one by one."""

    policies: frozenset[str]
    logical_ids: frozenset[str] = field(default_factory=frozenset)

    def __contains__(self, resource: Resource) -> bool:
        return resource.deletion_policy in self.policies or resource.logical_id in self.logical_ids


KEPT = Kept(frozenset({"Retain", "RetainExceptOnCreate"}))
KEPT_AFTER_FAILED_CREATION = Kept(frozenset({"Retain"}))


def delete_stack(actions: Actions, *, retain: Collection[str] = (), force: bool = False) -> None:
    """DELETE_IN_PROGRESS to DELETE_COMPLETE or DELETE_FAILED. `force` leaves behind what cannot be deleted."""
    stack = actions.stack
    resources = [*stack.leftovers, *stack.resources.values()]
    failures = _take_away(actions, resources, Kept(KEPT.policies, frozenset(retain)))
    if failures and force:
        for resource in failures:
            actions.skip_deletion(resource)
    elif failures:
        actions.log_stack("DELETE_FAILED", f"The following resource(s) failed to delete: [{_ids(failures)}]. ")
        return
    with actions.lock:
        stack.leftovers.clear()
        stack.outputs.clear()
        for each in stack.pending_change_sets:
            del stack.change_sets[each.id]
        stack.imports = frozenset()
        stack.stable = None
        for resource in stack.resources.values():
            resource.properties, resource.attributes, resource.attempted = {}, {}, []
        stack.deleted = now()
    actions.log_stack("DELETE_COMPLETE")


def roll_back_creation(actions: Actions) -> None:
    """ROLLBACK_IN_PROGRESS to ROLLBACK_COMPLETE or ROLLBACK_FAILED."""
    resources = [*actions.stack.leftovers, *actions.stack.resources.values()]
    failures = _take_away(actions, resources, KEPT_AFTER_FAILED_CREATION)
    if failures:
        actions.log_stack("ROLLBACK_FAILED", f"The following resource(s) failed to delete: [{_ids(failures)}]. ")
    else:
        actions.log_stack("ROLLBACK_COMPLETE")


def clean_up(actions: Actions) -> None:
    """Delete the stack's leftovers. What cannot be deleted stays behind, as its event says, and is forgotten."""
    _take_away(actions, list(actions.stack.leftovers), KEPT)
    with actions.lock:
        actions.stack.leftovers.clear()


def names(logical_ids: Iterable[str]) -> str:
    return ", ".join(sorted(logical_ids))


def _take_away(actions: Actions, resources: Iterable[Resource], kept: Kept) -> list[Resource]:
    """Delete, dependents first, as far as it goes. Gives those that could not be deleted."""
    nodes = {f"{index} {each.logical_id}": each for index, each in enumerate(resources)}
    graph = {
        name: {other for other, dependent in nodes.items() if each.logical_id in dependent.requires}
        for name, each in nodes.items()
    }

    def step(name: str) -> None:
        resource = nodes[name]
        if resource.status in ("DELETE_COMPLETE", "DELETE_SKIPPED"):
            return
        if resource in kept and resource.exists:
            actions.skip_deletion(resource)
        else:
            actions.delete(resource)

    failures = run(graph, step, stop_on_failure=False, may_start=actions.may_go_on)
    actions.check()
    return [nodes[name] for name in failures]


def _ids(resources: Iterable[Resource]) -> str:
    return names(resource.logical_id for resource in resources)
