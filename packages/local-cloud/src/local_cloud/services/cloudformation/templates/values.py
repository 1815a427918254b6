"""Values of a template while it is evaluated: text of scalars, and the two that stand for no value at all."""

from __future__ import annotations

import enum
from typing import Any, Final

from local_cloud.services.cloudformation.errors import ValidationError


class _Special(enum.Enum):
    UNKNOWN = "known after the deployment"
    NO_VALUE = "AWS::NoValue"


#: What a plan sees where the value exists only once a resource was made.
UNKNOWN: Final = _Special.UNKNOWN

#: `!Ref AWS::NoValue`: takes the property, or the item of a list, away.
NO_VALUE: Final = _Special.NO_VALUE


def scalar_text(value: Any) -> str:
    """A scalar as CloudFormation writes it into strings: `true`, `5`, `0.5`."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return f"{value:.1f}"
    return str(value)


def contains_unknown(value: Any) -> bool:
    """True when some part of the value is UNKNOWN."""
    if isinstance(value, dict):
        return any(contains_unknown(item) for item in value.values())
    if isinstance(value, list):
        return any(contains_unknown(item) for item in value)
    return value is UNKNOWN


def pair(argument: Any, complaint: str) -> tuple[Any, Any]:
    """The two items of a function's argument, else a ValidationError with the complaint."""
    if not isinstance(argument, list) or len(argument) != 2:
        raise ValidationError(f"Template error: {complaint}")
    return argument[0], argument[1]
