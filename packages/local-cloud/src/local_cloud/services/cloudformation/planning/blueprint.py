"""A template with the values of one deployment: which resources there are, in which order, with what properties."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from local_cloud.services.cloudformation.errors import ValidationError
from local_cloud.services.cloudformation.planning.schedule import cycle
from local_cloud.services.cloudformation.resource_types import type_of
from local_cloud.services.cloudformation.schema import Schema, schema_of
from local_cloud.services.cloudformation.stacks import Definition, Output
from local_cloud.services.cloudformation.templates.evaluator import Evaluator
from local_cloud.services.cloudformation.templates.references import references
from local_cloud.services.cloudformation.templates.scope import Resources
from local_cloud.services.cloudformation.templates.sections import ResourceDefinition, check_policy
from local_cloud.services.cloudformation.templates.template import Template, refuse_unknown_types, unresolved_references
from local_cloud.services.cloudformation.templates.values import NO_VALUE, UNKNOWN, scalar_text


@dataclass(frozen=True)
class Identity:
    """Whose deployment it is: what the pseudo parameters say."""

    stack_id: str
    stack_name: str
    account: str
    region: str


@dataclass
class Blueprint:
    template: Template
    definition: Definition
    evaluator: Evaluator
    imports: set[str] = field(default_factory=set)
    active: dict[str, ResourceDefinition] = field(default_factory=dict)
    requires: dict[str, frozenset[str]] = field(default_factory=dict)

    @classmethod
    def build(
        cls,
        *,
        template: Template,
        definition: Definition,
        identity: Identity,
        resources: Resources,
        import_value: Callable[[str], str],
    ) -> Blueprint:
        """Choose by the conditions, check the rules and order by dependency. ValidationError where that fails."""
        imports: set[str] = set()

        def read(name: str) -> str:
            value = import_value(name)
            imports.add(name)
            return value

        evaluator = Evaluator(
            names=_names(template, definition, identity),
            mappings=template.mappings,
            condition_definitions=template.conditions,
            resources=resources,
            import_value=read,
            language_extensions=template.language_extensions,
        )
        blueprint = cls(template=template, definition=definition, evaluator=evaluator, imports=imports)
        blueprint._choose()
        return blueprint

    def properties(self, logical_id: str) -> dict[str, Any]:
        """A resource's properties, evaluated, in their types, stack tags merged in."""
        resource = self.active[logical_id]
        schema = _schema(resource)
        properties = self.evaluator.evaluate(resource.properties)
        coerced, problems = schema.coerce(properties)
        if not problems:
            problems = type_of(resource.type).refusals(coerced, account=self.evaluator.names["AWS::AccountId"])
        if problems:
            raise ValidationError(
                f"Properties validation failed for resource {logical_id} with message:\n" + "\n".join(problems)
            )
        return _with_tags(schema, coerced, self.definition.tags)

    def metadata(self, logical_id: str) -> Any:
        """A resource's metadata, evaluated; None without."""
        evaluated = self.evaluator.evaluate(self.active[logical_id].metadata)
        return None if evaluated is NO_VALUE else evaluated

    def outputs(self) -> list[Output]:
        """The outputs. Values that are not known yet come as empty text."""
        result = []
        for output in self.template.outputs.values():
            if output.condition is not None and not self.evaluator.condition(output.condition):
                continue
            value = self._text(output.value, f"{output.name}: the Value field of every Outputs member")
            export = ""
            if output.export is not None:
                export = self._text(output.export, f"{output.name}: the Export Name of every Outputs member")
            result.append(Output(output.name, value, output.description, export))
        return result

    def _text(self, value: Any, what: str) -> str:
        evaluated = self.evaluator.evaluate(value)
        if evaluated is UNKNOWN:
            return ""
        if isinstance(evaluated, (dict, list)) or evaluated is NO_VALUE:
            raise ValidationError(f"Template format error: Output {what} must evaluate to a String.")
        return scalar_text(evaluated)

    def _choose(self) -> None:
        for name in self.template.conditions:
            self.evaluator.condition(name)
        self._check_rules()
        for resource in self.template.resources.values():
            if resource.condition is None or self.evaluator.condition(resource.condition):
                self.active[resource.logical_id] = self._with_policies(resource)
        refuse_unknown_types(self.active.values())
        for resource in self.active.values():
            used = self._used([resource.properties, resource.metadata]) | set(resource.depends_on)
            if absent := sorted(used - self.active.keys()):
                raise unresolved_references(absent, "Resources")
            self.requires[resource.logical_id] = frozenset(used)
        for output in self.template.outputs.values():
            if output.condition is not None and not self.evaluator.condition(output.condition):
                continue
            if absent := sorted(self._used([output.value, output.export]) - self.active.keys()):
                raise unresolved_references(absent, "Outputs")
        if circle := cycle(self.requires):
            raise ValidationError(f"Circular dependency between resources: [{', '.join(circle)}]")

    def _with_policies(self, resource: ResourceDefinition) -> ResourceDefinition:
        """A resource whose policies are values: they may depend on parameters and conditions."""
        where = f"resource {resource.logical_id} of type {resource.type}"
        policies = {"DeletionPolicy": resource.deletion_policy, "UpdateReplacePolicy": resource.update_replace_policy}
        deletion, replacing = (
            check_policy(key, self.evaluator.evaluate(value), where) for key, value in policies.items()
        )
        return replace(resource, deletion_policy=deletion, update_replace_policy=replacing)

    def _used(self, value: Any) -> set[str]:
        found = references(value, condition=self.evaluator.condition)
        return {ref.name for ref in found if ref.name in self.template.resources}

    def _check_rules(self) -> None:
        for name, rule in self.template.rules.items():
            if "RuleCondition" in rule and not self.evaluator.holds(rule["RuleCondition"]):
                continue
            for assertion in rule.get("Assertions", []):
                if not self.evaluator.holds(assertion.get("Assert")):
                    text = assertion.get("AssertDescription", f"Rule {name} is not satisfied")
                    raise ValidationError(f"Template constraint assertion failed: {text}")


def _schema(resource: ResourceDefinition) -> Schema:
    schema = schema_of(resource.type)
    assert schema, "the template was checked for unknown types"
    return schema


def _names(template: Template, definition: Definition, identity: Identity) -> dict[str, Any]:
    values = {
        name: parameter.value(definition.parameters[name].text) for name, parameter in template.parameters.items()
    }
    return values | {
        "AWS::AccountId": identity.account,
        "AWS::NoValue": NO_VALUE,
        "AWS::NotificationARNs": list(definition.notification_arns),
        "AWS::Partition": "aws",
        "AWS::Region": identity.region,
        "AWS::StackId": identity.stack_id,
        "AWS::StackName": identity.stack_name,
        "AWS::URLSuffix": "amazonaws.com",
    }


def _with_tags(schema: Schema, properties: dict[str, Any], stack_tags: dict[str, str]) -> dict[str, Any]:
    """Stack tags go to every resource that has tags; its own win."""
    if not stack_tags or "Tags" not in schema.properties:
        return properties
    if schema.tags_are_a_map:
        return properties | {"Tags": stack_tags | properties.get("Tags", {})}
    own = properties.get("Tags", [])
    named = {tag["Key"] for tag in own}
    return properties | {
        "Tags": [*own, *({"Key": key, "Value": value} for key, value in stack_tags.items() if key not in named)]
    }
