"""Condition operators.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html and, for
ForAllValues and ForAnyValue, reference_policies_condition-single-vs-multi-valued-context-keys.html.
"""

from __future__ import annotations

import datetime
import ipaddress
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Any

from local_cloud.permissions.patterns import Context, matches, substitute

_SETS = ("ForAllValues", "ForAnyValue")
#: Between the parts of an ARN's pattern: not the one in a variable, as in `${aws:username}`.
_COLON = re.compile(r":(?![^{}]*\})")


@dataclass(frozen=True)
class Condition:
    """One operator on one key: `ForAnyValue:StringLikeIfExists` is split into its three parts."""

    quantifier: str
    operator: str
    if_exists: bool
    key: str
    values: tuple[str, ...]

    def holds(self, context: Context) -> bool:
        """An operator that does not exist never holds; AWS refuses such a policy when it is put."""
        have = context.get(self.key)
        if self.operator == "Null":
            return (not have) == (self.values[0].lower() == "true")
        negated, compare = _OPERATORS.get(self.operator, (False, _never))
        if not have:
            if self.quantifier:
                return self.quantifier == "ForAllValues" or self.if_exists
            return self.if_exists or negated
        fits = [compare(value, self.values, context) != negated for value in have]
        if self.quantifier == "ForAllValues":
            return all(fits)
        return all(fits) if negated and not self.quantifier else any(fits)


def parse_conditions(block: dict[str, Any]) -> tuple[Condition, ...]:
    """All of them have to hold."""
    found = []
    for operator, keys in block.items():
        quantifier, colon, name = operator.partition(":")
        if not colon or quantifier not in _SETS:
            quantifier, name = "", operator
        for key, values in keys.items():
            texts = tuple(_text(each) for each in (values if isinstance(values, list) else [values]))
            if_exists = name.endswith("IfExists") and name != "IfExists"
            found.append(Condition(quantifier, name.removesuffix("IfExists"), if_exists, key.lower(), texts))
    return tuple(found)


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


_Compare = Callable[[str, Sequence[str], Context], bool]


def _never(value: str, wanted: Sequence[str], context: Context) -> bool:
    return False


def _equals(value: str, wanted: Sequence[str], context: Context) -> bool:
    return any(value == substitute(each, context) for each in wanted)


def _equals_ignore_case(value: str, wanted: Sequence[str], context: Context) -> bool:
    return any(value.lower() == (substitute(each, context) or "").lower() for each in wanted)


def _like(value: str, wanted: Sequence[str], context: Context) -> bool:
    return any(matches(each, value, context) for each in wanted)


def _arn_like(value: str, wanted: Sequence[str], context: Context) -> bool:
    """ArnEquals and ArnLike are the same: each of the six parts is compared for itself, with wildcards."""
    parts = value.split(":", 5)
    for each in wanted:
        patterns = _COLON.split(each, maxsplit=5)
        if len(parts) == len(patterns) == 6 and all(map(matches, patterns, parts, repeat(context))):
            return True
        if each == "*":
            return True
    return False


def _bool(value: str, wanted: Sequence[str], context: Context) -> bool:
    return any(value.lower() == (substitute(each, context) or "").lower() for each in wanted)


def _compared(convert: Callable[[str], Any], test: Callable[[Any, Any], bool]) -> _Compare:
    def compare(value: str, wanted: Sequence[str], context: Context) -> bool:
        try:
            have = convert(value)
            return any(test(have, convert(substitute(each, context) or "")) for each in wanted)
        except ValueError:
            return False

    return compare


def _moment(text: str) -> float:
    """A date in ISO 8601 or in seconds since 1970."""
    try:
        return float(text)
    except ValueError:
        read = datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
        return (read if read.tzinfo else read.replace(tzinfo=datetime.timezone.utc)).timestamp()


def _address(value: str, wanted: Sequence[str], context: Context) -> bool:
    try:
        return any(ipaddress.ip_address(value) in ipaddress.ip_network(each, strict=False) for each in wanted)
    except ValueError:
        return False


def _both(name: str, negated_name: str, compare: _Compare) -> dict[str, tuple[bool, _Compare]]:
    return {name: (False, compare), negated_name: (True, compare)}


def _ordered(kind: str, convert: Callable[[str], Any]) -> dict[str, tuple[bool, _Compare]]:
    return {
        **_both(f"{kind}Equals", f"{kind}NotEquals", _compared(convert, lambda a, b: bool(a == b))),
        f"{kind}LessThan": (False, _compared(convert, lambda a, b: bool(a < b))),
        f"{kind}LessThanEquals": (False, _compared(convert, lambda a, b: bool(a <= b))),
        f"{kind}GreaterThan": (False, _compared(convert, lambda a, b: bool(a > b))),
        f"{kind}GreaterThanEquals": (False, _compared(convert, lambda a, b: bool(a >= b))),
    }


#: Whether the operator is negated, and what it negates.
_OPERATORS: dict[str, tuple[bool, _Compare]] = {
    **_both("StringEquals", "StringNotEquals", _equals),
    **_both("StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase", _equals_ignore_case),
    **_both("StringLike", "StringNotLike", _like),
    **_both("ArnEquals", "ArnNotEquals", _arn_like),
    **_both("ArnLike", "ArnNotLike", _arn_like),
    **_both("IpAddress", "NotIpAddress", _address),
    **_ordered("Numeric", float),
    **_ordered("Date", _moment),
    "Bool": (False, _bool),
    "BinaryEquals": (False, _equals),
}

#: Every operator there is, without quantifier and IfExists.
OPERATORS = frozenset({*_OPERATORS, "Null"})
