"""Evaluates a template's values and conditions for one deployment.

Functions and their rules:
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from local_cloud.services.cloudformation.errors import ValidationError
from local_cloud.services.cloudformation.templates.conditions import CONDITIONS
from local_cloud.services.cloudformation.templates.functions import FUNCTIONS
from local_cloud.services.cloudformation.templates.scope import Resources
from local_cloud.services.cloudformation.templates.values import NO_VALUE


@dataclass
class Evaluator:
    """One template with the values of one deployment. ValidationError where a function cannot be applied."""

    names: Mapping[str, Any]
    """Parameters and pseudo parameters: strings, or lists of strings."""
    mappings: Mapping[str, Any]
    condition_definitions: Mapping[str, Any]
    resources: Resources
    import_value: Callable[[str], str]
    language_extensions: bool = False
    _conditions: dict[str, bool | None] = field(default_factory=dict)

    def evaluate(self, value: Any) -> Any:
        """The value with every function applied; NO_VALUE when the whole of it is taken away."""
        if isinstance(value, list):
            return [item for item in map(self.evaluate, value) if item is not NO_VALUE]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            ((name, argument),) = value.items()
            if function := FUNCTIONS.get(name):
                return function(self, argument)
            if name.startswith("Fn::"):
                raise ValidationError(f"Template error: {name} is not supported here")
        evaluated = ((name, self.evaluate(item)) for name, item in value.items())
        return {name: item for name, item in evaluated if item is not NO_VALUE}

    def condition(self, name: Any) -> bool:
        """Whether a named condition holds."""
        if not isinstance(name, str) or name not in self.condition_definitions:
            raise ValidationError(f"Template error: unresolved condition dependency {name} in Fn::If")
        if name not in self._conditions:
            self._conditions[name] = None
            self._conditions[name] = self.holds(self.condition_definitions[name])
        result = self._conditions[name]
        if result is None:
            raise ValidationError(f"Template error: Circular dependency between conditions: [{name}]")
        return result

    def holds(self, value: Any) -> bool:
        """A condition function's result."""
        if isinstance(value, dict) and len(value) == 1:
            ((name, argument),) = value.items()
            if function := CONDITIONS.get(name):
                return function(self, argument)
        raise ValidationError(
            "Template format error: Conditions can only be boolean operations on parameters and other conditions"
        )

    def ref(self, argument: Any) -> Any:
        return self.names[argument] if argument in self.names else self.resources.ref(argument)
