"""The entries of a template's sections, each on its own."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from local_cloud.services.cloudformation.errors import ValidationError
from local_cloud.services.cloudformation.templates.references import Reference, references

SECTIONS = (
    *("AWSTemplateFormatVersion", "Conditions", "Description", "Mappings", "Metadata", "Outputs", "Parameters"),
    *("Resources", "Rules", "Transform"),
)
RESOURCE_KEYS = frozenset(
    (
        *("Type", "Properties", "DependsOn", "Condition", "Description", "Metadata", "DeletionPolicy"),
        "UpdateReplacePolicy",
    )
)
DELETION_POLICIES = ("Delete", "Retain", "RetainExceptOnCreate")


@dataclass(frozen=True)
class ResourceDefinition:
    """One entry of Resources, its properties and metadata not evaluated."""

    logical_id: str
    type: str
    properties: dict[str, Any]
    depends_on: tuple[str, ...] = ()
    condition: str | None = None
    metadata: Any = None
    deletion_policy: str = "Delete"
    update_replace_policy: str = "Delete"

    def references(self) -> Iterable[Reference]:
        return references([self.properties, self.metadata])


@dataclass(frozen=True)
class OutputDefinition:
    """One entry of Outputs, its value and export name not evaluated."""

    name: str
    value: Any
    description: str = ""
    condition: str | None = None
    export: Any = None


def section(document: dict[str, Any], name: str) -> dict[str, Any]:
    value = document.get(name, {})
    if not isinstance(value, dict):
        raise ValidationError(f"Template format error: [/{name}] {name} must be a map")
    if name in ("Parameters", "Resources", "Outputs"):
        for key in value:
            if not re.fullmatch(r"[A-Za-z0-9]+", key):
                raise ValidationError(f"Template format error: {name.rstrip('s')} name {key} is non alphanumeric.")
    return value


def resource_definition(logical_id: str, value: Any) -> ResourceDefinition:
    """Return an entry of Resources. ValidationError where it is malformed.

    A policy may be an intrinsic function, which `check_policy` sees once it is evaluated: no transform is needed
    (https://github.com/aws/serverless-application-model/pull/3317).
    """
    where = f"[/Resources/{logical_id}]"
    if not isinstance(value, dict):
        raise ValidationError(f"Template format error: {where} resource definition is malformed")
    if not isinstance(value.get("Type"), str):
        raise ValidationError(f"Template format error: {where} Every Resources object must contain a Type member.")
    if later := sorted(value.keys() & {"CreationPolicy", "UpdatePolicy"}):
        raise ValidationError(f"{where} {later[0]} is not supported by this local cloud")
    if unknown := sorted(value.keys() - RESOURCE_KEYS):
        raise ValidationError(f"Invalid template resource property '{unknown[0]}'")
    if not isinstance(value.get("Properties", {}), dict):
        raise ValidationError(f"Template format error: {where} Properties must be a map")
    depends_on = value.get("DependsOn", [])
    names = [depends_on] if isinstance(depends_on, str) else depends_on
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ValidationError(
            f"Template format error: {where} Every DependsOn value must be a string or a list of strings."
        )
    policies = {}
    for key in ("DeletionPolicy", "UpdateReplacePolicy"):
        policies[key] = value.get(key, "Delete")
        if not isinstance(policies[key], dict):
            check_policy(key, policies[key], f"resource {logical_id} of type {value['Type']}")
    return ResourceDefinition(
        logical_id=logical_id,
        type=value["Type"],
        properties=value.get("Properties", {}),
        depends_on=tuple(names),
        condition=value.get("Condition"),
        metadata=value.get("Metadata"),
        deletion_policy=policies["DeletionPolicy"],
        update_replace_policy=policies["UpdateReplacePolicy"],
    )


def check_policy(key: str, value: Any, resource: str) -> str:
    """Return the value of a DeletionPolicy or UpdateReplacePolicy. ValidationError where it is none."""
    allowed = DELETION_POLICIES if key == "DeletionPolicy" else DELETION_POLICIES[:2]
    if value not in allowed:
        raise ValidationError(f"Template error: {resource} does not support {key} {value}: one of {', '.join(allowed)}")
    return str(value)


def output_definition(name: str, value: Any) -> OutputDefinition:
    if not isinstance(value, dict) or "Value" not in value:
        raise ValidationError(
            f"Template format error: [/Outputs/{name}] Every Outputs member must contain a Value object"
        )
    if unknown := sorted(value.keys() - {"Value", "Description", "Condition", "Export"}):
        raise ValidationError(f"Invalid template output property '{unknown[0]}'")
    export = value.get("Export")
    if export is not None and (not isinstance(export, dict) or export.keys() != {"Name"}):
        raise ValidationError(
            f"Template format error: [/Outputs/{name}] Every Export must have a Name and nothing else"
        )
    return OutputDefinition(
        name=name,
        value=value["Value"],
        description=str(value.get("Description", "")),
        condition=value.get("Condition"),
        export=export["Name"] if export else None,
    )


def refuse_null(value: Any, path: str) -> None:
    if value is None:
        raise ValidationError(f"[{path}] 'null' values are not allowed in templates")
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        refuse_null(item, f"{path}/{key}")
