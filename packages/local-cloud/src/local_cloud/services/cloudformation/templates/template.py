"""A template, parsed and checked as far as it can be without parameter values.

Sections and their rules:
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-anatomy.html
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from local_cloud.services.cloudformation.errors import ValidationError
from local_cloud.services.cloudformation.parameters import Parameter, ParameterValue
from local_cloud.services.cloudformation.schema import schema_of
from local_cloud.services.cloudformation.templates.documents import load
from local_cloud.services.cloudformation.templates.loops import unroll
from local_cloud.services.cloudformation.templates.references import PSEUDO_PARAMETERS, Reference, references
from local_cloud.services.cloudformation.templates.sections import (
    SECTIONS,
    OutputDefinition,
    ResourceDefinition,
    output_definition,
    refuse_null,
    resource_definition,
    section,
)
from local_cloud.services.cloudformation.templates.serverless import SERVERLESS, expand

LANGUAGE_EXTENSIONS = "AWS::LanguageExtensions"
MAX_RESOURCES = 500


@dataclass(frozen=True)
class Template:
    """A whole template. `text` is as it was given."""

    text: str
    description: str
    metadata: Any
    transforms: tuple[Any, ...]
    parameters: Mapping[str, Parameter]
    mappings: Mapping[str, Any]
    conditions: Mapping[str, Any]
    rules: Mapping[str, Any]
    resources: Mapping[str, ResourceDefinition]
    outputs: Mapping[str, OutputDefinition] = field(default_factory=dict)
    looped: frozenset[str] = frozenset()
    """The list parameters that loops go over."""
    document: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def parse(cls, text: str, values: Mapping[str, ParameterValue] | None = None) -> Template:
        """Return the template in `text`, its transforms carried out for the parameters' `values`.

        Without values loops go over the parameters' defaults; of one that has none nothing is written out, and
        references are not checked. Errors: ValidationError in AWS's words for the first thing that is wrong.
        """
        document = load(text)
        transform = document.get("Transform", [])
        transforms = tuple(transform if isinstance(transform, list) else [transform])
        known = (*SECTIONS, "Globals") if SERVERLESS in transforms else SECTIONS
        if unknown := [name for name in document if name not in known]:
            raise ValidationError(f"Invalid template property or properties [{', '.join(unknown)}]")
        if document.get("AWSTemplateFormatVersion", "2010-09-09") != "2010-09-09":
            raise ValidationError("Template format error: unsupported value for AWSTemplateFormatVersion.")
        refuse_null(document, "")
        declared = {name: Parameter.parse(name, value) for name, value in section(document, "Parameters").items()}
        lists = _Lists(declared, values)
        if LANGUAGE_EXTENSIONS in transforms:
            document = unroll(document, lists.read)
        if SERVERLESS in transforms:
            document = expand(document, {name: value.text for name, value in (values or {}).items()})
        sections = {name: section(document, name) for name in ("Conditions", "Mappings", "Outputs", "Resources")}
        template = cls(
            text=text,
            description=str(document.get("Description", "")),
            metadata=document.get("Metadata"),
            transforms=transforms,
            parameters=declared,
            mappings=sections["Mappings"],
            conditions=sections["Conditions"],
            rules=section(document, "Rules"),
            resources={name: resource_definition(name, value) for name, value in sections["Resources"].items()},
            outputs={name: output_definition(name, value) for name, value in sections["Outputs"].items()},
            looped=frozenset(lists.used),
            document=document,
        )
        template._check(references=not lists.unknown)
        return template

    def with_values(self, values: Mapping[str, ParameterValue]) -> Template:
        """Return the template for one deployment: the same, unless a transform reads its parameters."""
        return Template.parse(self.text, values) if self.looped or SERVERLESS in self.transforms else self

    @property
    def processed(self) -> str:
        """The text after the transforms, in JSON; as it was given where there are none."""
        if not self.transforms:
            return self.text
        return json.dumps({name: value for name, value in self.document.items() if name != "Transform"}, indent=2)

    @property
    def language_extensions(self) -> bool:
        return LANGUAGE_EXTENSIONS in self.transforms

    def _check(self, *, references: bool) -> None:
        for transform in self.transforms:
            if isinstance(transform, dict) and not isinstance(transform.get("Name"), str):
                raise ValidationError("Key Name of transform definition must be a string.")
            if transform not in (LANGUAGE_EXTENSIONS, SERVERLESS):
                raise ValidationError(f"No transform named {transform} found.")
        if not self.resources and references:
            raise ValidationError("Template format error: At least one Resources member must be defined.")
        if len(self.resources) > MAX_RESOURCES:
            raise ValidationError(
                f"Template format error: Number of resources, {len(self.resources)}, is greater than maximum allowed, "
                f"{MAX_RESOURCES}"
            )
        refuse_unknown_types(resource for resource in self.resources.values() if resource.condition is None)
        self._check_mappings()
        if references:
            self._check_conditions()
            self._check_references()

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
        for conditional in (self.conditions, self.rules):
            unresolved = {ref.name for ref in references(conditional)} - known
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
            if ref.attribute and schema and not schema.has_attribute(ref.attribute):
                raise ValidationError(
                    f"Template error: resource {ref.name} does not support attribute type {ref.attribute} in Fn::GetAtt"
                )


class _Lists:
    """The list parameters that a template's loops read."""

    def __init__(self, declared: Mapping[str, Parameter], values: Mapping[str, ParameterValue] | None) -> None:
        self.declared = declared
        self.values = values
        self.used: set[str] = set()
        self.unknown = False

    def read(self, name: str) -> list[str]:
        parameter = self.declared[name]
        if not parameter.is_list:
            raise ValidationError(
                f"Transform AWS::LanguageExtensions failed with: the parameter {name} of a loop must be a list."
            )
        self.used.add(name)
        known = parameter.default if self.values is None else self.values[name].text
        if known is None:
            self.unknown = True
            return []
        value = parameter.value(known)
        return [item for item in value if item] if isinstance(value, list) else [value]


def refuse_unknown_types(resources: Iterable[ResourceDefinition]) -> None:
    """AWS has more types than this cloud: one with a condition may stand in a template until the condition holds."""
    types = {resource.type for resource in resources}
    if unknown := sorted(name for name in types if schema_of(name) is None):
        raise ValidationError(f"Template format error: Unrecognized resource types: [{', '.join(unknown)}]")


def unresolved_references(names: Iterable[str], block: str) -> ValidationError:
    return ValidationError(
        f"Template format error: Unresolved resource dependencies [{', '.join(names)}] in the {block} block of the "
        "template"
    )


@functools.lru_cache(maxsize=32)
def declared_parameters(text: str) -> Mapping[str, Parameter]:
    """The parameters of a template that was accepted; kept, because everyone who waits for a stack asks for them."""
    return Template.parse(text).parameters
