"""Makes, changes and deletes one resource of a stack, and writes the events that say so."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from threading import Event as Flag
from threading import RLock
from typing import Any

from botocore.exceptions import ClientError, ConnectionError, HTTPClientError

from local_cloud.services.cloudformation.deploying.dynamic_references import resolve, resolve_what_is_left
from local_cloud.services.cloudformation.deploying.failures import failure_reason
from local_cloud.services.cloudformation.deploying.notifications import notify
from local_cloud.services.cloudformation.errors import Halted, ResourceError
from local_cloud.services.cloudformation.resource_types import type_of
from local_cloud.services.cloudformation.resource_types.base import Target, is_absent
from local_cloud.services.cloudformation.stacks import Resource, Stack

log = logging.getLogger(__name__)


@dataclass
class Actions:
    """What can be done to the resources of one stack. Failures are ResourceErrors, after their event, or Halted."""

    stack: Stack
    account: str
    region: str
    client: Callable[[str], Any]
    lock: RLock
    keep: Callable[..., None]
    """Writes the stack as it is, with the event that is passed, if any."""
    stopping: Flag
    secrets: tuple[str, ...] = ()
    """Values of NoEcho parameters, which events do not show."""

    def create(self, resource: Resource, properties: dict[str, Any], *, replaces: bool = False) -> None:
        """Make the resource. What was made before a failure stays in `resource.physical_id`."""
        verb = "UPDATE" if replaces else "CREATE"
        kind = type_of(resource.type)
        shown = mask(json.dumps(properties), self.secrets)
        begun = "Requested update requires the creation of a new physical resource; hence creating one."
        self.log(resource, f"{verb}_IN_PROGRESS", begun if replaces else "", properties=shown)
        try:
            target = self._target(resource, resolve(properties, self.client))
            with self.lock:
                resource.expected_id = kind.expected_id(target)
                self.keep()
            physical_id = kind.create(target)
            with self.lock:
                resource.physical_id = physical_id
            self.log(resource, f"{verb}_IN_PROGRESS", "Resource creation Initiated", properties=shown)
            target = replace(target, physical_id=physical_id)
            kind.configure(target, {})
            attributes = kind.attributes(target)
        except Exception as error:
            with self.lock:
                resource.properties = properties
                if not self.stopping.is_set():
                    resource.expected_id = ""
            raise self._failed(resource, f"{verb}_FAILED", error) from error
        with self.lock:
            resource.expected_id = ""
            resource.properties, resource.attributes = properties, attributes
        self.log(resource, f"{verb}_COMPLETE", properties=shown)

    def update(self, resource: Resource, properties: dict[str, Any]) -> None:
        """Change the resource in place. `resource.attempted` tells, after failures, what was tried."""
        kind = type_of(resource.type)
        shown = mask(json.dumps(properties), self.secrets)
        before = possible_properties([resource.properties, *resource.attempted], properties)
        with self.lock:
            resource.attempted = [*resource.attempted, properties]
        self.log(resource, "UPDATE_IN_PROGRESS", properties=shown)
        try:
            target = self._target(resource, resolve(properties, self.client))
            kind.update(target, resolve_what_is_left(before, self.client))
            attributes = kind.attributes(target)
        except Exception as error:
            raise self._failed(resource, "UPDATE_FAILED", error) from error
        with self.lock:
            resource.properties, resource.attributes, resource.attempted = properties, attributes, []
        self.log(resource, "UPDATE_COMPLETE", properties=shown)

    def may_go_on(self) -> bool:
        """False once the server stops."""
        return not self.stopping.is_set()

    def check(self) -> None:
        """Halted once the server stops."""
        if self.stopping.is_set():
            raise Halted

    def delete(self, resource: Resource) -> None:
        """Delete the resource; one that is not there any more is as good as deleted."""
        if not resource.exists:
            if resource.status != "DELETE_COMPLETE":
                self.log(resource, "DELETE_COMPLETE")
            return
        self.log(resource, "DELETE_IN_PROGRESS")
        try:
            properties = resolve_what_is_left(resource.properties, self.client)
            type_of(resource.type).delete(self._target(resource, properties))
        except ClientError as error:
            if not is_absent(error):
                raise self._failed(resource, "DELETE_FAILED", error) from error
        except Exception as error:
            raise self._failed(resource, "DELETE_FAILED", error) from error
        self.log(resource, "DELETE_COMPLETE")

    def skip_deletion(self, resource: Resource) -> None:
        """Leave the resource where it is, no longer the stack's."""
        self.log(resource, "DELETE_SKIPPED")

    def log_stack(self, status: str, reason: str = "") -> None:
        with self.lock:
            event = self.stack.log(status, reason)
            self.keep(event)
        notify(self.stack, event, self.client)

    def log(self, resource: Resource, status: str, reason: str = "", *, properties: str = "") -> None:
        with self.lock:
            event = self.stack.log_resource(resource, status, reason, properties=properties)
            self.keep(event)
        notify(self.stack, event, self.client)

    def _target(self, resource: Resource, properties: dict[str, Any]) -> Target:
        kind = type_of(resource.type)
        name = ""
        if kind.name_property:
            given = properties.get(kind.name_property)
            name = given or kind.generate_name(stack_name=self.stack.name, logical_id=resource.logical_id)
        return Target(
            logical_id=resource.logical_id,
            stack_name=self.stack.name,
            account=self.account,
            region=self.region,
            properties=properties,
            client=self.client,
            name=name,
            physical_id=resource.physical_id,
        )

    def _failed(self, resource: Resource, status: str, error: Exception) -> Exception:
        if self.stopping.is_set() or isinstance(error, (ConnectionError, HTTPClientError)):
            return Halted()  # the calls go to this very server, which no longer answers
        reason = mask(failure_reason(error), self.secrets)
        self.log(resource, status, reason)
        return ResourceError(reason)


def possible_properties(candidates: list[dict[str, Any]], wanted: dict[str, Any]) -> dict[str, Any]:
    """What a resource may have, chosen so that every property that may not be as wanted differs from it.

    After a failed update nobody knows which of its changes were made; a type that compares what was with what is
    wanted must then see a difference wherever there can be one.
    """
    result = {}
    for name in {name for candidate in candidates for name in candidate}:
        values = [candidate.get(name) for candidate in candidates]
        value = next((each for each in values if each != wanted.get(name)), wanted.get(name))
        if value is not None:
            result[name] = value
    return result


def mask(text: str, secrets: tuple[str, ...]) -> str:
    for secret in secrets:
        if secret:
            text = text.replace(secret, "****")
    return text
