"""What the API's model says that a request may hold, in AWS's words.

Shapes: botocore's `stepfunctions/2016-11-23` model. Words: AWS's recorded answers (see `errors`); the value of a
sensitive member is not shown. Members that the model does not have are passed over, as by AWS.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from .errors import SerializationException, ValidationException

_KINDS: dict[str, tuple[type, ...]] = {
    "boolean": (bool,),
    "double": (int, float),
    "float": (int, float),
    "integer": (int,),
    "list": (list,),
    "long": (int,),
    "string": (str,),
    "structure": (dict,),
}


def check(parameters: Any, shape: Any) -> None:
    """Raises SerializationException and ValidationException."""
    problems = list(_problems(parameters, shape, ""))
    if problems:
        errors = "error" if len(problems) == 1 else "errors"
        raise ValidationException(f"{len(problems)} validation {errors} detected: {'; '.join(problems)}")


def _problems(value: Any, shape: Any, place: str) -> Iterator[str]:
    kinds = _KINDS.get(shape.type_name, (object,))
    is_right = isinstance(value, kinds) and (not isinstance(value, bool) or shape.type_name == "boolean")
    if not is_right:
        raise SerializationException(f"'{place or 'The request'}' must be of type {shape.type_name}")
    if (reason := _outside(value, shape)) is not None:
        shown = "Value" if shape.metadata.get("sensitive") else f"Value '{_shown(value, shape)}'"
        yield f"{shown} at '{place}' failed to satisfy constraint: Member must {reason}"
    if shape.type_name == "structure":
        yield from _members(value, shape, place)
    elif shape.type_name == "list":
        for number, item in enumerate(value, 1):
            yield from _problems(item, shape.member, f"{place}.{number}.member")


def _members(value: dict[str, Any], shape: Any, place: str) -> Iterator[str]:
    for name, member in shape.members.items():
        inner = f"{place}.{name}" if place else name
        if value.get(name) is not None:
            yield from _problems(value[name], member, inner)
        elif name in shape.required_members:
            yield f"Value null at '{inner}' failed to satisfy constraint: Member must not be null"


def _outside(value: Any, shape: Any) -> str | None:
    """What a value must be and is not."""
    limits = shape.metadata
    if limits.get("enum") and value not in limits["enum"]:
        return f"satisfy enum value set: [{', '.join(limits['enum'])}]"
    is_number = isinstance(value, (int, float))
    size = value if is_number else _size(value, limits)
    of = "value" if is_number else "length"
    if "min" in limits and size < limits["min"]:
        return f"have {of} greater than or equal to {limits['min']}"
    if "max" in limits and size > limits["max"]:
        return f"have {of} less than or equal to {limits['max']}"
    pattern = limits.get("pattern", "")
    if pattern and r"\p{" not in pattern and not re.fullmatch(pattern, value):  # of Java's own classes there is one
        return f"satisfy regular expression pattern: {pattern}"
    return None


def _size(value: Any, limits: dict[str, Any]) -> int:
    """The length of data is that of its bytes: API_StartExecution."""
    return len(value.encode()) if isinstance(value, str) and limits.get("sensitive") else len(value)


def _shown(value: Any, shape: Any) -> str:
    """As Java writes it: `[Item(name=a, size=1)]`."""
    if shape.type_name == "list":
        return f"[{', '.join(_shown(item, shape.member) for item in value)}]"
    if shape.type_name == "structure":
        given = [f"{name}={_shown(value[name], member)}" for name, member in shape.members.items() if name in value]
        return f"{shape.name}({', '.join(given)})"
    return str(value)
