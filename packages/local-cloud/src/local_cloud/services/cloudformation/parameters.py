"""A template's parameters: their declarations, and the values of one deployment, checked.

Types and constraints:
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/parameters-section-structure.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from local_cloud.services.cloudformation.errors import ValidationError
from local_cloud.services.cloudformation.templates.values import scalar_text

NOT_A_NUMBER = "must be a number."
KEYS = frozenset(
    (
        *(
            "AllowedPattern",
            "AllowedValues",
            "ConstraintDescription",
            "Default",
            "Description",
            "MaxLength",
            "MaxValue",
        ),
        *("MinLength", "MinValue", "NoEcho", "Type"),
    )
)
TYPE = re.compile(
    r"(String|Number|CommaDelimitedList|List<(String|Number|AWS::[\w:]+)>"
    r"|AWS::SSM::Parameter::Value<(String|CommaDelimitedList|List<[\w:]+>|AWS::[\w:]+)>|AWS::[\w:]+)"
)


@dataclass(frozen=True)
class Parameter:
    """One declaration."""

    name: str
    type: str
    default: str | None = None
    description: str = ""
    no_echo: bool = False
    allowed_values: tuple[str, ...] = ()
    allowed_pattern: str = ""
    constraint_description: str = ""
    min_length: int | None = None
    max_length: int | None = None
    min_value: float | None = None
    max_value: float | None = None

    @property
    def is_stored(self) -> bool:
        """True when the value is the name of an SSM parameter that holds the real one."""
        return self.type.startswith("AWS::SSM::Parameter::Value<")

    @property
    def is_list(self) -> bool:
        return "List<" in self.type or "CommaDelimitedList" in self.type

    @classmethod
    def parse(cls, name: str, declaration: Any) -> Parameter:
        """A declaration of the template's Parameters section."""
        where = f"[/Parameters/{name}]"
        if not isinstance(declaration, dict) or not isinstance(declaration.get("Type"), str):
            raise ValidationError(f"Template format error: {where} Every Parameters object must contain a Type member.")
        if unknown := sorted(declaration.keys() - KEYS):
            raise ValidationError(f"Invalid template parameter property '{unknown[0]}'")
        if not TYPE.fullmatch(declaration["Type"]):
            raise ValidationError(f"Template format error: Unrecognized parameter type: {declaration['Type']}")
        default = declaration.get("Default")
        if isinstance(default, (dict, list)):
            raise ValidationError(
                f"Template format error: {where.replace(']', '/Default]')} Every Default member must be a string."
            )
        allowed = declaration.get("AllowedValues", [])
        if not isinstance(allowed, list):
            raise ValidationError(f"Template format error: {where} Every AllowedValues value must be a list.")
        parameter = cls(
            name=name,
            type=declaration["Type"],
            default=None if default is None else scalar_text(default),
            description=str(declaration.get("Description", "")),
            no_echo=scalar_text(declaration.get("NoEcho", False)).lower() == "true",
            allowed_values=tuple(map(scalar_text, allowed)),
            allowed_pattern=str(declaration.get("AllowedPattern", "")),
            constraint_description=str(declaration.get("ConstraintDescription", "")),
            min_length=_number(declaration, "MinLength", int, where),
            max_length=_number(declaration, "MaxLength", int, where),
            min_value=_number(declaration, "MinValue", float, where),
            max_value=_number(declaration, "MaxValue", float, where),
        )
        if parameter.default is not None and not parameter.is_stored:
            parameter.check(parameter.default)
        return parameter

    def check(self, value: str) -> None:
        """Refuse a value that breaks a constraint."""
        problem = self._problem(value)
        if problem and self.constraint_description and problem != NOT_A_NUMBER:
            raise ValidationError(
                f"Parameter '{self.name}' failed to satisfy constraint: {self.constraint_description}"
            )
        if problem:
            raise ValidationError(f"Parameter '{self.name}' {problem}")

    def value(self, text: str) -> str | list[str]:
        """What Ref gives for it."""
        return [item.strip() for item in text.split(",")] if self.is_list else text

    def _problem(self, value: str) -> str:
        """What is wrong with a value; nothing, if nothing is."""
        items = [item.strip() for item in value.split(",")] if self.is_list else [value]
        if "Number" in self.type and not all(map(_is_number, items)):
            return NOT_A_NUMBER
        low, high = self.min_value, self.max_value
        complaints = {
            "must be one of AllowedValues": self.allowed_values and any(i not in self.allowed_values for i in items),
            f"must match pattern {self.allowed_pattern}": self.allowed_pattern
            and not re.fullmatch(self.allowed_pattern, value),
            f"must contain at least {self.min_length} characters": len(value) < (self.min_length or 0),
            f"must contain at most {self.max_length} characters": self.max_length is not None
            and len(value) > self.max_length,
            f"must be a number not less than {low or 0:g}": low is not None and any(float(i) < low for i in items),
            f"must be a number not greater than {high or 0:g}": high is not None
            and any(float(i) > high for i in items),
        }
        return next((text for text, applies in complaints.items() if applies), "")


@dataclass(frozen=True)
class ParameterValue:
    """A value of one deployment. `resolved` is what a stored (SSM) parameter held then."""

    name: str
    given: str
    resolved: str | None = None

    @property
    def text(self) -> str:
        return self.given if self.resolved is None else self.resolved


def choose(
    declared: Mapping[str, Parameter],
    given: list[dict[str, Any]],
    *,
    previous: Mapping[str, ParameterValue],
    read_stored: Callable[[str], str],
) -> dict[str, ParameterValue]:
    """The value of each declared parameter: given, previous where asked for, else the default.

    `given` is the API's list of ParameterKey with ParameterValue or UsePreviousValue.
    """
    chosen: dict[str, str] = {}
    for item in given:
        name = item["ParameterKey"]
        if item.get("UsePreviousValue") and item.get("ParameterValue"):
            raise ValidationError(
                f"Invalid input for parameter key {name}. Cannot specify usePreviousValue as true and non empty value "
                "for a parameter"
            )
        if not item.get("UsePreviousValue"):
            chosen[name] = item.get("ParameterValue", "")
        elif name in previous:
            chosen[name] = previous[name].given
        elif name in declared:
            raise ValidationError(
                f"Invalid input for parameter key {name}. Cannot specify usePreviousValue as true for a parameter key "
                "not in the previous template"
            )
    if undeclared := sorted(chosen.keys() - declared.keys()):
        raise ValidationError(f"Parameters: [{', '.join(undeclared)}] do not exist in the template")
    for name, parameter in declared.items():
        if name not in chosen and parameter.default is not None:
            chosen[name] = parameter.default
    if missing := [name for name in declared if name not in chosen]:
        raise ValidationError(f"Parameters: [{', '.join(missing)}] must have values")
    values = {}
    for name, parameter in declared.items():
        text = chosen[name]
        if parameter.is_stored:
            values[name] = ParameterValue(name, text, read_stored(text))
        else:
            values[name] = ParameterValue(name, text)
        parameter.check(values[name].text)
    return values


def _is_number(text: str) -> bool:
    return bool(re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", text))


def _number(declaration: dict[str, Any], key: str, kind: type[Any], where: str) -> Any:
    if key not in declaration:
        return None
    try:
        return kind(declaration[key])
    except (TypeError, ValueError):
        raise ValidationError(f"Template format error: {where} {key} must be a number") from None
