"""Compares a stack with a blueprint: what a deployment would change, before anything is done."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from local_cloud.services.cloudformation.changes import Detail, Difference, ResourceChange, differences
from local_cloud.services.cloudformation.errors import ValidationError
from local_cloud.services.cloudformation.planning.blueprint import Blueprint, Identity
from local_cloud.services.cloudformation.planning.schedule import order
from local_cloud.services.cloudformation.resource_types import type_of
from local_cloud.services.cloudformation.schema import schema_of
from local_cloud.services.cloudformation.stacks import Definition, Output, Resource, Stack
from local_cloud.services.cloudformation.templates.references import references
from local_cloud.services.cloudformation.templates.sections import ResourceDefinition
from local_cloud.services.cloudformation.templates.template import Template
from local_cloud.services.cloudformation.templates.values import UNKNOWN


@dataclass
class PlannedResources:
    """Ref and Fn::GetAtt as far as they are known before the deployment."""

    existing: dict[str, Resource]
    changes: dict[str, ResourceChange] = field(default_factory=dict)

    def ref(self, logical_id: str) -> Any:
        return self.existing[logical_id].physical_id if self._stays(logical_id) else UNKNOWN

    def attribute(self, logical_id: str, name: Any) -> Any:
        if not self._stays(logical_id) or name is UNKNOWN:
            return UNKNOWN
        resource = self.existing[logical_id]
        if change := self.changes.get(logical_id):
            changed = {detail.name for detail in change.details} | type_of(resource.type).moving_attributes
            if name in changed or name.split(".")[0] in changed:
                return UNKNOWN
        try:
            return resource.attribute(name)
        except KeyError:
            return UNKNOWN

    def _stays(self, logical_id: str) -> bool:
        change = self.changes.get(logical_id)
        return logical_id in self.existing and (change is None or change.replacement == "False")


@dataclass(frozen=True)
class Plan:
    blueprint: Blueprint
    changes: list[ResourceChange]
    outputs_change: bool
    tags_change: bool

    @property
    def is_empty(self) -> bool:
        return not (self.changes or self.outputs_change or self.tags_change)


def make_plan(
    stack: Stack,
    *,
    template: Template,
    definition: Definition,
    identity: Identity,
    import_value: Callable[[str], str],
) -> Plan:
    """What deploying the template would change. ValidationError where it cannot be deployed."""
    existing = {name: each for name, each in stack.resources.items() if each.exists}
    lookup = PlannedResources(existing)
    blueprint = Blueprint.build(
        template=template.with_values(definition.parameters),
        definition=definition,
        identity=identity,
        resources=lookup,
        import_value=import_value,
    )
    before = stack.definition
    old_template = Template.parse(before.template, before.parameters) if stack.resources else None
    comparison = _Comparison(blueprint, lookup, old_template, stack.definition)
    for logical_id in order(blueprint.requires):
        if change := comparison.compare(logical_id):
            lookup.changes[logical_id] = change
    changes = [lookup.changes[name] for name in blueprint.active if name in lookup.changes]
    changes += [
        ResourceChange(
            action="Remove",
            logical_id=each.logical_id,
            type=each.type,
            physical_id=each.physical_id,
            policy_action="Retain" if each.deletion_policy != "Delete" else "Delete",
            before=each.properties,
        )
        for name, each in existing.items()
        if name not in blueprint.active
    ]
    return Plan(
        blueprint=blueprint,
        changes=changes,
        outputs_change=_outputs(blueprint.outputs()) != _outputs(stack.outputs),
        tags_change=bool(stack.resources) and definition.tags != stack.definition.tags,
    )


@dataclass
class _Comparison:
    blueprint: Blueprint
    lookup: PlannedResources
    old_template: Template | None
    old_definition: Definition

    def compare(self, logical_id: str) -> ResourceChange | None:
        resource = self.blueprint.active[logical_id]
        after = self.blueprint.properties(logical_id)
        existing = self.lookup.existing.get(logical_id)
        if existing is None or existing.status == "CREATE_FAILED":
            return ResourceChange(action="Add", logical_id=logical_id, type=resource.type, after=after)
        if existing.type != resource.type:
            raise ValidationError(
                "Update of resource type is not permitted. The new template modifies resource type of the following "
                f"resources: [{logical_id}]"
            )
        schema = schema_of(resource.type)
        assert schema
        changed = differences(schema, existing.properties, after)
        details = [detail for each in changed for detail in self._details(resource, each)]
        details += _attribute_details(existing, resource, self.blueprint.metadata(logical_id))
        if not details and existing.status != "UPDATE_FAILED":
            return None
        replacement = _replacement(changed)
        keep = resource.update_replace_policy == "Retain"
        return ResourceChange(
            action="Modify",
            logical_id=logical_id,
            type=resource.type,
            physical_id=existing.physical_id,
            replacement=replacement,
            policy_action=("ReplaceAndRetain" if keep else "ReplaceAndDelete") if replacement == "True" else "",
            details=tuple(details),
            before=existing.properties,
            after=after,
        )

    def _details(self, resource: ResourceDefinition, changed: Difference) -> list[Detail]:
        def detail(source: str, cause: str = "", *, dynamic: bool) -> Detail:
            recreation = "Never" if not changed.replaces else "Conditionally" if dynamic else "Always"
            return Detail(
                attribute="Tags" if changed.name == "Tags" else "Properties",
                name="" if changed.name == "Tags" else changed.name,
                recreation=recreation,
                evaluation="Dynamic" if dynamic else "Static",
                source=source,
                cause=cause,
                before=changed.before,
                after=changed.after,
            )

        expression = resource.properties.get(changed.name)
        found: list[Detail] = []
        for name, attribute in self._causes(expression):
            if attribute is None and name in self.blueprint.template.parameters:
                found.append(detail("ParameterReference", name, dynamic=False))
            elif attribute is None:
                found.append(detail("ResourceReference", name, dynamic=True))
            else:
                found.append(detail("ResourceAttribute", f"{name}.{attribute}", dynamic=True))
        old = self.old_template.resources.get(resource.logical_id) if self.old_template else None
        if not found or old is None or old.properties.get(changed.name) != expression:
            found.append(detail("DirectModification", dynamic=changed.dynamic))
        return found

    def _causes(self, expression: Any) -> list[tuple[str, str | None]]:
        """The parameters and resources in an expression that change."""
        found = []
        for ref in references(expression, condition=self.blueprint.evaluator.condition):
            value = self.blueprint.definition.parameters.get(ref.name)
            if value is not None:
                changed = value != self.old_definition.parameters.get(ref.name)
            elif ref.name not in self.blueprint.active:
                continue
            elif ref.attribute is None:
                changed = self.lookup.ref(ref.name) is UNKNOWN
            else:
                changed = self.lookup.attribute(ref.name, ref.attribute) is UNKNOWN
            cause = (ref.name, ref.attribute)
            if changed and cause not in found:
                found.append(cause)
        return found


def _replacement(changed: list[Difference]) -> str:
    if any(each.replaces and not each.dynamic for each in changed):
        return "True"
    return "Conditional" if any(each.replaces for each in changed) else "False"


def _attribute_details(existing: Resource, resource: ResourceDefinition, metadata: Any) -> list[Detail]:
    pairs = {
        "Metadata": (existing.metadata, metadata),
        "DeletionPolicy": (existing.deletion_policy, resource.deletion_policy),
        "UpdateReplacePolicy": (existing.update_replace_policy, resource.update_replace_policy),
    }
    return [
        Detail(attribute=name, before=before, after=after) for name, (before, after) in pairs.items() if before != after
    ]


def _outputs(outputs: list[Output]) -> list[Output]:
    return sorted(outputs, key=lambda output: output.key)
