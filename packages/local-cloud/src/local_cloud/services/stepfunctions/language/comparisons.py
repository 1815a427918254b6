"""The comparison operators of Choice rules.

https://states-language.net/#choice-state. Values of another type than the operator's never match.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from typing import Any

from ..times import parse_timestamp
from .json_values import Json

_ORDERS: dict[str, Callable[[Any, Any], bool]] = {
    "Equals": operator.eq,
    "LessThan": operator.lt,
    "GreaterThan": operator.gt,
    "LessThanEquals": operator.le,
    "GreaterThanEquals": operator.ge,
}


def compare(name: str, value: Json, operand: Json) -> bool:
    """Compare by the name of an operator, without `Path`."""
    if name.startswith("Is"):
        return _is(name.removeprefix("Is"), value) is operand
    if name == "StringMatches":
        return isinstance(value, str) and _pattern(operand).fullmatch(value) is not None
    match = re.fullmatch(r"(String|Numeric|Timestamp|Boolean)(\w+)", name)
    assert match, name
    kind = {"String": _text, "Numeric": _number, "Timestamp": parse_timestamp, "Boolean": _boolean}[match[1]]
    left, right = kind(value), kind(operand)
    return left is not None and right is not None and _ORDERS[match[2]](left, right)


def _is(kind: str, value: Json) -> bool:
    match kind:
        case "Null":
            return value is None
        case "Boolean":
            return isinstance(value, bool)
        case "Numeric":
            return _number(value) is not None
        case "String":
            return isinstance(value, str)
    return parse_timestamp(value) is not None


def _text(value: Json) -> str | None:
    return value if isinstance(value, str) else None


def _number(value: Json) -> float | None:
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def _boolean(value: Json) -> bool | None:
    return value if isinstance(value, bool) else None


def _pattern(text: str) -> re.Pattern[str]:
    """`*` stands for any characters, `\\*` for itself, `\\\\` for a backslash."""
    parts = re.split(r"(\\\\|\\\*|\*)", text)
    meanings = {"*": ".*", "\\*": r"\*", "\\\\": r"\\"}
    return re.compile("".join(meanings.get(part, re.escape(part)) for part in parts), re.DOTALL)
