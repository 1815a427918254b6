"""What CloudFormation remembers: stacks, their resources, events and change sets. Plain data, picklable."""

from __future__ import annotations

import datetime
import uuid
from dataclasses import dataclass, field
from typing import Any

from local_cloud.services.cloudformation.changes import ResourceChange
from local_cloud.services.cloudformation.parameters import ParameterValue

STACK_TYPE = "AWS::CloudFormation::Stack"


def now() -> datetime.datetime:
    """The time, to the millisecond as AWS gives it."""
    moment = datetime.datetime.now(datetime.timezone.utc)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


@dataclass
class Resource:
    """One resource of a stack. `properties` and `attributes` are those of its last success."""

    logical_id: str
    type: str
    physical_id: str = ""
    status: str = ""
    reason: str = ""
    updated: datetime.datetime = field(default_factory=now)
    properties: dict[str, Any] = field(default_factory=dict)
    """Evaluated; dynamic references (`{{resolve:…}}`) as they stand in the template."""
    attributes: dict[str, Any] = field(default_factory=dict)
    expected_id: str = ""
    """While it is being made: the physical id it will have, as far as that is known."""
    attempted: list[dict[str, Any]] = field(default_factory=list)
    """The properties of updates that have not succeeded: what it has now lies somewhere among these and its own."""
    requires: frozenset[str] = frozenset()
    """Logical ids that must exist before it, and go after it."""
    deletion_policy: str = "Delete"
    update_replace_policy: str = "Delete"
    metadata: Any = None

    def attribute(self, name: str) -> Any:
        """Return what Fn::GetAtt gives: an attribute, or a property as the template has it. KeyError without one."""
        if name in self.attributes:
            return self.attributes[name]
        value: Any = self.properties
        for part in name.split("."):
            if not isinstance(value, dict):
                raise KeyError(name)
            value = value[part]
        return value

    @property
    def exists(self) -> bool:
        """True when there may be something to update or delete."""
        return bool(self.physical_id) and self.status != "DELETE_COMPLETE"


@dataclass(frozen=True)
class Event:
    id: str
    logical_id: str
    physical_id: str
    type: str
    status: str
    reason: str
    time: datetime.datetime
    properties: str
    token: str


@dataclass(frozen=True)
class Output:
    key: str
    value: str
    description: str = ""
    export: str = ""


@dataclass(frozen=True)
class Definition:
    """Everything a stack is deployed from."""

    template: str
    parameters: dict[str, ParameterValue]
    tags: dict[str, str] = field(default_factory=dict)
    capabilities: tuple[str, ...] = ()
    notification_arns: tuple[str, ...] = ()
    role_arn: str = ""
    description: str = ""


@dataclass(frozen=True)
class Stable:
    """What a rollback returns to."""

    definition: Definition
    resources: dict[str, Resource]
    outputs: list[Output]


@dataclass
class ChangeSet:
    id: str
    name: str
    type: str
    definition: Definition
    description: str = ""
    status: str = "CREATE_COMPLETE"
    reason: str = ""
    execution_status: str = "AVAILABLE"
    changes: list[ResourceChange] = field(default_factory=list)
    on_stack_failure: str = ""
    token: str = ""
    created: datetime.datetime = field(default_factory=now)


@dataclass
class Stack:
    id: str
    name: str
    definition: Definition
    status: str = "REVIEW_IN_PROGRESS"
    reason: str = ""
    created: datetime.datetime = field(default_factory=now)
    updated: datetime.datetime | None = None
    deleted: datetime.datetime | None = None
    resources: dict[str, Resource] = field(default_factory=dict)
    leftovers: list[Resource] = field(default_factory=list)
    """Replaced by another, or no longer wanted, and still to be deleted."""
    outputs: list[Output] = field(default_factory=list)
    imports: frozenset[str] = frozenset()
    """Names of the exports its template uses."""
    change_sets: dict[str, ChangeSet] = field(default_factory=dict)
    change_set_id: str = ""
    """The change set it was last deployed from."""
    stable: Stable | None = None
    """Set while an update is not settled."""
    on_failure: str = "ROLLBACK"
    timeout_minutes: int | None = None
    termination_protection: bool = False
    token: str = ""
    tokens: dict[str, str] = field(default_factory=dict)
    """ClientRequestToken → the operation it started."""

    @property
    def busy(self) -> bool:
        return self.status.endswith("_IN_PROGRESS") and self.status != "REVIEW_IN_PROGRESS"

    @property
    def pending_change_sets(self) -> list[ChangeSet]:
        """The change sets that are not executed; the executed one gives its name back and is known by its ARN."""
        return [each for each in self.change_sets.values() if each.execution_status != "EXECUTE_COMPLETE"]

    @property
    def is_deleted(self) -> bool:
        return self.status == "DELETE_COMPLETE"

    def log(self, status: str, reason: str = "") -> Event:
        """Set the stack's status. Gives the event that says so."""
        self.status, self.reason = status, reason
        return Event(str(uuid.uuid4()), self.name, self.id, STACK_TYPE, status, reason, now(), "", self.token)

    def log_resource(self, resource: Resource, status: str, reason: str = "", *, properties: str = "") -> Event:
        """Set a resource's status. Gives the event that says so."""
        resource.status, resource.reason, resource.updated = status, reason, now()
        stamp = resource.updated.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return Event(
            id=f"{resource.logical_id}-{status}-{stamp}",
            logical_id=resource.logical_id,
            physical_id=resource.physical_id,
            type=resource.type,
            status=status,
            reason=reason,
            time=resource.updated,
            properties=properties,
            token=self.token,
        )
