"""Brings a stack to its blueprint, and back again when that fails.

Statuses and their order:
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events.html#cfn-console-view-stack-data-resources-status-codes
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from threading import Event
from typing import Any

from local_cloud.services.cloudformation.changes import differences
from local_cloud.services.cloudformation.deploying.actions import Actions
from local_cloud.services.cloudformation.deploying.deletion import clean_up, delete_stack, names, roll_back_creation
from local_cloud.services.cloudformation.deploying.rollback import roll_back_update
from local_cloud.services.cloudformation.errors import CloudFormationError, ResourceError
from local_cloud.services.cloudformation.planning.blueprint import Blueprint
from local_cloud.services.cloudformation.planning.schedule import run
from local_cloud.services.cloudformation.resource_types import type_of
from local_cloud.services.cloudformation.schema import schema_of
from local_cloud.services.cloudformation.stacks import Output, Resource, Stack
from local_cloud.services.cloudformation.templates.sections import ResourceDefinition


@dataclass
class LiveResources:
    """Ref and Fn::GetAtt while resources are being made."""

    stack: Stack

    def ref(self, logical_id: str) -> Any:
        return self.stack.resources[logical_id].physical_id

    def attribute(self, logical_id: str, name: str) -> Any:
        try:
            return self.stack.resources[logical_id].attribute(name)
        except KeyError:
            raise ResourceError(f"Attribute {name} of resource {logical_id} has no value") from None


@dataclass
class Deployment:
    """One creation or update of a stack, with its rollback."""

    actions: Actions
    blueprint: Blueprint
    check_exports: Callable[[list[Output]], None]
    cancelled: Event
    deadline: float | None = None
    failures: dict[str, Exception] = field(default_factory=dict)

    @property
    def stack(self) -> Stack:
        return self.actions.stack

    def create(self) -> None:
        """CREATE_IN_PROGRESS to CREATE_COMPLETE, or what `on_failure` says."""
        problem = self._apply()
        if not problem:
            self.actions.log_stack("CREATE_COMPLETE")
        elif self.stack.on_failure == "DO_NOTHING":
            self.actions.log_stack("CREATE_FAILED", problem)
        elif self.stack.on_failure == "DELETE":
            self.actions.log_stack("DELETE_IN_PROGRESS", f"{problem} Delete requested by user.")
            delete_stack(self.actions)
        else:
            self.actions.log_stack("ROLLBACK_IN_PROGRESS", f"{problem} Rollback requested by user.")
            roll_back_creation(self.actions)

    def update(self) -> None:
        """UPDATE_IN_PROGRESS to UPDATE_COMPLETE, or back."""
        problem = self._apply()
        if problem and self.stack.on_failure == "DO_NOTHING":
            self.actions.log_stack("UPDATE_FAILED", problem)
        elif problem and self.stack.stable is None:  # it was never whole
            self.actions.log_stack("ROLLBACK_IN_PROGRESS", problem)
            roll_back_creation(self.actions)
        elif problem:
            self.actions.log_stack("UPDATE_ROLLBACK_IN_PROGRESS", problem)
            roll_back_update(self.actions)
        else:
            self.actions.log_stack("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
            with self.actions.lock:
                gone = [name for name in self.stack.resources if name not in self.blueprint.active]
                self.stack.leftovers += [self.stack.resources.pop(name) for name in gone]
                self.stack.stable = None
            clean_up(self.actions)
            self.actions.log_stack("UPDATE_COMPLETE")

    def _apply(self) -> str:
        """Settle every resource, then the outputs. Gives the reason of a failure, or nothing."""
        self.failures = run(
            self.blueprint.requires,
            self._settle,
            stop_on_failure=True,
            may_start=lambda: self.actions.may_go_on() and not self.cancelled.is_set() and not self._is_late(),
        )
        self.actions.check()
        if self.failures:
            return self._failure_text()
        if self._is_late():
            return "Stack operation time exceeded the specified timeout."
        if self.cancelled.is_set():
            return "User Initiated."
        try:
            outputs = self.blueprint.outputs()
            self.check_exports(outputs)
        except (CloudFormationError, ResourceError) as error:
            return str(error)
        with self.actions.lock:
            self.stack.outputs = outputs
            self.stack.imports = frozenset(self.blueprint.imports)
        return ""

    def _is_late(self) -> bool:
        return self.deadline is not None and time.monotonic() > self.deadline

    def _failure_text(self) -> str:
        texts = []
        for verb, status in (("create", "CREATE_FAILED"), ("update", "UPDATE_FAILED")):
            failed = [name for name in self.failures if self.stack.resources[name].status == status]
            if failed:
                texts.append(f"The following resource(s) failed to {verb}: [{names(failed)}].")
        return " ".join(texts)

    def _settle(self, logical_id: str) -> None:
        """Bring one resource to what the template says of it."""
        definition = self.blueprint.active[logical_id]
        current = self.stack.resources.get(logical_id)
        try:
            properties = self.blueprint.properties(logical_id)
            definition = replace(definition, metadata=self.blueprint.metadata(logical_id))
        except (CloudFormationError, ResourceError) as error:
            resource = current or self._enter(definition)
            self.actions.log(resource, "UPDATE_FAILED" if current else "CREATE_FAILED", str(error))
            raise
        if current is None or current.status in ("CREATE_FAILED", "DELETE_COMPLETE"):
            if current:
                self.actions.delete(current)
            self.actions.create(self._enter(definition), properties)
            return
        self._describe(current, definition)
        schema = schema_of(definition.type)
        assert schema
        changed = differences(schema, current.properties, properties)
        if any(each.replaces for each in changed):
            self._replace(current, definition, properties)
        elif changed or current.attempted:
            self.actions.update(current, properties)
        elif current.status == "UPDATE_FAILED":
            self.actions.log(current, "UPDATE_COMPLETE")

    def _replace(self, old: Resource, definition: ResourceDefinition, properties: dict[str, Any]) -> None:
        kind = type_of(definition.type)
        names_it = (kind.name_property, *kind.name_scope)
        given = properties.get(kind.name_property) if kind.name_property else None
        if given and all(properties.get(name) == old.properties.get(name) for name in names_it):
            reason = (
                "CloudFormation cannot update a stack when a custom-named resource requires replacing. Rename "
                f"{given} and update the stack again."
            )
            self.actions.log(old, "UPDATE_FAILED", reason)
            raise ResourceError(reason)
        new = Resource(logical_id=definition.logical_id, type=definition.type)
        self._describe(new, definition)
        with self.actions.lock:
            self.stack.leftovers.append(new)
        try:
            self.actions.create(new, properties, replaces=True)
        except ResourceError:
            with self.actions.lock:
                old.status, old.reason = new.status, new.reason
            raise
        with self.actions.lock:
            self.stack.leftovers.remove(new)
            # What becomes of a replaced resource is for its UpdateReplacePolicy, not its DeletionPolicy, to say.
            self.stack.leftovers.append(old)
            old.deletion_policy = definition.update_replace_policy
            self.stack.resources[definition.logical_id] = new

    def _enter(self, definition: ResourceDefinition) -> Resource:
        resource = Resource(logical_id=definition.logical_id, type=definition.type)
        self._describe(resource, definition)
        with self.actions.lock:
            self.stack.resources[definition.logical_id] = resource
        return resource

    def _describe(self, resource: Resource, definition: ResourceDefinition) -> None:
        with self.actions.lock:
            resource.requires = self.blueprint.requires[definition.logical_id]
            resource.deletion_policy = definition.deletion_policy
            resource.update_replace_policy = definition.update_replace_policy
            resource.metadata = definition.metadata
