"""What a deployment would change: the entries of a change set."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from local_cloud.services.cloudformation.schema import Schema
from local_cloud.services.cloudformation.templates.values import contains_unknown

_ABSENT: Any = object()


@dataclass(frozen=True)
class Detail:
    """One reason why one attribute of a resource changes."""

    attribute: str
    """Properties, Tags, Metadata, DeletionPolicy or UpdateReplacePolicy."""
    name: str = ""
    """The property, where `attribute` is Properties."""
    recreation: str = "Never"
    """Never, Always or Conditionally."""
    evaluation: str = "Static"
    """Static, or Dynamic: only the deployment will know the value."""
    source: str = "DirectModification"
    cause: str = ""
    """The parameter, the resource or the resource's attribute (`Queue.Arn`) behind it."""
    before: Any = None
    after: Any = None


@dataclass(frozen=True)
class ResourceChange:
    """What happens to one resource. `action` is Add, Modify or Remove."""

    action: str
    logical_id: str
    type: str
    physical_id: str = ""
    replacement: str = ""
    """True, False or Conditional, of a Modify."""
    policy_action: str = ""
    """What becomes of a removed or replaced resource: Delete, Retain, ReplaceAndDelete, ReplaceAndRetain."""
    details: tuple[Detail, ...] = ()
    before: Any = None
    after: Any = None

    @property
    def scope(self) -> list[str]:
        return sorted({detail.attribute for detail in self.details})


@dataclass(frozen=True)
class Difference:
    """A property whose value differs."""

    name: str
    before: Any
    after: Any
    replaces: bool
    """Its change needs a new resource."""
    dynamic: bool
    """Part of the new value is not known yet."""


def differences(schema: Schema, before: dict[str, Any], after: dict[str, Any]) -> list[Difference]:
    """The properties that differ, by name."""
    result = []
    for name in sorted(before.keys() | after.keys()):
        old, new = before.get(name, _ABSENT), after.get(name, _ABSENT)
        if old == new:
            continue
        replaces = name in schema.replacement or any(
            _inner(old, path) != _inner(new, path)
            for path in (entry.partition("/")[2] for entry in schema.replacement if entry.startswith(f"{name}/"))
        )
        result.append(
            Difference(
                name=name,
                before=None if old is _ABSENT else old,
                after=None if new is _ABSENT else new,
                replaces=replaces,
                dynamic=contains_unknown(new),
            )
        )
    return result


def _inner(value: Any, path: str) -> Any:
    for name in path.split("/"):
        value = value.get(name) if isinstance(value, dict) else None
    return value
