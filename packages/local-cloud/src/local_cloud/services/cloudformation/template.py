"""A template, parsed and checked as far as it can be without parameter values.

Sections and their rules:
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-anatomy.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from local_cloud.services.cloudformation.documents import load
from local_cloud.services.cloudformation.errors import ValidationError
from local_cloud.services.cloudformation.parameters import Parameter
from local_cloud.services.cloudformation.references import PSEUDO_PARAMETERS, Reference, references
from local_cloud.services.cloudformation.schema import schema_of

SECTIONS = (
    *("AWSTemplateFormatVersion", "Conditions", "Description", "Mappings", "Metadata", "Outputs", "Parameters"),
    *("Resources", "Rules", "Transform"),
)
RESOURCE_KEYS = frozenset(
    ("Type", "Properties", "DependsOn", "Condition", "Metadata", "DeletionPolicy", "UpdateReplacePolicy")
)
DELETION_POLICIES = ("Delete", "Retain", "RetainExceptOnCreate")
LANGUAGE_EXTENSIONS = "AWS::LanguageExtensions"
MAX_RESOURCES = 500


@dataclass(frozen=True)
class ResourceDefinition:
    """One entry of Resources, its properties not evaluated."""

    logical_id: str
    type: str
    properties: dict[str, Any]
    depends_on: tuple[str, ...] = ()
    condition: str | None = None
    metadata: Any = None
    deletion_policy: str = "Delete"
    update_replace_policy: str = "Delete"

    def references(self) -> Iterable[Reference]:
        return references(self.properties)


@dataclass(frozen=True)
class OutputDefinition:
    """One entry of Outputs, its value and export name not evaluated."""

    name: str
    value: Any
    description: str = ""
    condition: str | None = None
    export: Any = None


@dataclass(frozen=True)
class Template:
    """A whole template. `text` is as it was given."""

    text: str
    description: str
    metadata: Any
    transforms: tuple[str, ...]
    parameters: Mapping[str, Parameter]
    mappings: Mapping[str, Any]
    conditions: Mapping[str, Any]
    rules: Mapping[str, Any]
    resources: Mapping[str, ResourceDefinition]
    outputs: Mapping[str, OutputDefinition] = field(default_factory=dict)

    @classmethod
    def parse(cls, text: str) -> Template:
        """The template in `text`. ValidationError in AWS's words for the first thing that is wrong."""
        document = load(text)
        if unknown := [name for name in document if name not in SECTIONS]:
            raise ValidationError(f"Invalid template property or properties [{', '.join(unknown)}]")
        if document.get("AWSTemplateFormatVersion", "2010-09-09") != "2010-09-09":
            raise ValidationError("Template format error: unsupported value for AWSTemplateFormatVersion.")
        _refuse_null(document, "")
        sections = {name: _section(document, name) for name in SECTIONS[1:8] if name not in ("Description", "Metadata")}
        transform = document.get("Transform", [])
        template = cls(
            text=text,
            description=str(document.get("Description", "")),
            metadata=document.get("Metadata"),
            transforms=tuple(transform if isinstance(transform, list) else [transform]),
            parameters={name: Parameter.parse(name, value) for name, value in sections["Parameters"].items()},
            mappings=sections["Mappings"],
            conditions=sections["Conditions"],
            rules=_section(document, "Rules"),
            resources={name: _resource(name, value) for name, value in sections["Resources"].items()},
            outputs={name: _output(name, value) for name, value in sections["Outputs"].items()},
        )
        template._check()
        return template

    @property
    def language_extensions(self) -> bool:
        return LANGUAGE_EXTENSIONS in self.transforms

    def _check(self) -> None:
        for transform in self.transforms:
            if transform != LANGUAGE_EXTENSIONS:
                raise ValidationError(f"No transform named {transform} found.")
        if not self.resources:
            raise ValidationError("Template format error: At least one Resources member must be defined.")
        if len(self.resources) > MAX_RESOURCES:
            raise ValidationError(
                f"Template format error: Number of resources, {len(self.resources)}, is greater than maximum allowed, "
                f"{MAX_RESOURCES}"
            )
        self._check_types()
        self._check_mappings()
        self._check_conditions()
        self._check_references()

    def _check_types(self) -> None:
        types = {resource.type for resource in self.resources.values()}
        if unknown := sorted(name for name in types if schema_of(name) is None):
            raise ValidationError(f"Template format error: Unrecognized resource types: [{', '.join(unknown)}]")

    def _check_mappings(self) -> None:
        for name, mapping in self.mappings.items():
            if not isinstance(mapping, dict):
                raise ValidationError(f"Template format error: [/Mappings/{name}] Every Mappings member must be a map")
            for key, attributes in mapping.items():
                if not isinstance(attributes, dict):
                    raise ValidationError(
                        f"Template format error: [/Mappings/{name}/{key}] Every Mappings attribute must be a map"
                    )

    def _check_conditions(self) -> None:
        known = self.parameters.keys() | PSEUDO_PARAMETERS
        for section in (self.conditions, self.rules):
            unresolved = {ref.name for ref in references(section)} - known
            if unresolved:
                raise ValidationError(
                    f"Template format error: Unresolved dependencies [{', '.join(sorted(unresolved))}]. Cannot "
                    "reference resources in the Conditions block of the template"
                )
        for block, items in (("Resources", self.resources), ("Outputs", self.outputs)):
            for item in items.values():
                name = item.condition
                if name is not None and name not in self.conditions:
                    raise ValidationError(
                        f"Template format error: Unresolved condition dependency {name} in the {block} block of the "
                        "template"
                    )

    def _check_references(self) -> None:
        for resource in self.resources.values():
            used = [*resource.references(), *(Reference(name) for name in resource.depends_on)]
            self._check_block("Resources", used)
        for output in self.outputs.values():
            self._check_block("Outputs", references([output.value, output.export]))

    def _check_block(self, block: str, used: Iterable[Reference]) -> None:
        used = list(used)
        plain = {ref.name for ref in used if ref.attribute is None}
        known = self.resources.keys() | self.parameters.keys() | PSEUDO_PARAMETERS
        if unresolved := sorted(plain - known):
            raise unresolved_references(unresolved, block)
        for ref in used:
            if ref.attribute is None:
                continue
            if ref.name not in self.resources:
                raise ValidationError(
                    f"Template error: instance of Fn::GetAtt references undefined resource {ref.name}"
                )
            schema = schema_of(self.resources[ref.name].type)
            if ref.attribute and schema and ref.attribute not in schema.attributes:
                raise ValidationError(
                    f"Template error: resource {ref.name} does not support attribute type {ref.attribute} in Fn::GetAtt"
                )


def unresolved_references(names: Iterable[str], block: str) -> ValidationError:
    return ValidationError(
        f"Template format error: Unresolved resource dependencies [{', '.join(names)}] in the {block} block of the "
        "template"
    )


def _section(document: dict[str, Any], name: str) -> dict[str, Any]:
    value = document.get(name, {})
    if not isinstance(value, dict):
        raise ValidationError(f"Template format error: [/{name}] {name} must be a map")
    if name in ("Parameters", "Resources", "Outputs"):
        for key in value:
            if not re.fullmatch(r"[A-Za-z0-9]+", key):
                raise ValidationError(f"Template format error: {name.rstrip('s')} name {key} is non alphanumeric.")
    return value


def _resource(logical_id: str, value: Any) -> ResourceDefinition:
    where = f"[/Resources/{logical_id}]"
    if not isinstance(value, dict):
        raise ValidationError(f"Template format error: {where} resource definition is malformed")
    if not isinstance(value.get("Type"), str):
        raise ValidationError(f"Template format error: {where} Every Resources object must contain a Type member.")
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
        allowed = DELETION_POLICIES if key == "DeletionPolicy" else DELETION_POLICIES[:2]
        policies[key] = value.get(key, "Delete")
        if policies[key] not in allowed:
            raise ValidationError(
                f"Template error: resource {logical_id} of type {value['Type']} does not support {key} "
                f"{policies[key]}: one of {', '.join(allowed)}"
            )
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


def _output(name: str, value: Any) -> OutputDefinition:
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


def _refuse_null(value: Any, path: str) -> None:
    if value is None:
        raise ValidationError(f"[{path}] 'null' values are not allowed in templates")
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        _refuse_null(item, f"{path}/{key}")
