"""Which names a part of a template refers to: for validation, and for the order of work."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from local_cloud.services.cloudformation.errors import ValidationError

#: `${Name}` or `${Name.Attribute}` in Fn::Sub; `${!Literal}` stays as `${Literal}`.
SUB_VARIABLE = re.compile(r"\$\{(!?)([^}]*)\}")

PSEUDO_PARAMETERS = frozenset(
    f"AWS::{name}"
    for name in (
        *("AccountId", "NoValue", "NotificationARNs", "Partition", "Region", "StackId", "StackName", "URLSuffix"),
    )
)


@dataclass(frozen=True)
class Reference:
    """One use of a name: `Ref` (no attribute) or `Fn::GetAtt`. The attribute is "" when itself computed."""

    name: str
    attribute: str | None = None


def references(value: Any, *, condition: Callable[[str], bool] | None = None) -> Iterator[Reference]:
    """Every reference in `value`. With `condition`, only in those branches of Fn::If that are taken."""
    if isinstance(value, list):
        for item in value:
            yield from references(item, condition=condition)
    elif isinstance(value, dict):
        if len(value) == 1:
            ((name, argument),) = value.items()
            if name in _READERS:
                yield from _READERS[name](argument, condition)
                return
        for item in value.values():
            yield from references(item, condition=condition)


def sub_parts(argument: Any) -> tuple[str, dict[str, Any]]:
    """The text and the local variables of a Fn::Sub."""
    if isinstance(argument, str):
        return argument, {}
    if (
        isinstance(argument, list)
        and len(argument) == 2
        and isinstance(argument[0], str)
        and isinstance(argument[1], dict)
    ):
        return argument[0], argument[1]
    raise ValidationError(
        "Template error: One or more Fn::Sub intrinsic functions don't specify expected arguments. Specify a string "
        "as first argument, and an optional second argument to specify a mapping of values to replace in the string"
    )


def get_att_parts(argument: Any) -> tuple[str, Any]:
    """The resource and the attribute of a Fn::GetAtt, from `A.B.C` or [A, B.C]."""
    parts = argument.split(".", 1) if isinstance(argument, str) else argument
    if isinstance(parts, list) and len(parts) > 2 and all(isinstance(part, str) for part in parts):
        parts = [parts[0], ".".join(parts[1:])]
    if not isinstance(parts, list) or len(parts) != 2 or not isinstance(parts[0], str):
        raise ValidationError(
            "Template error: every Fn::GetAtt object requires two non-empty parameters, the resource name and the "
            "resource attribute"
        )
    return parts[0], parts[1]


Condition = Callable[[str], bool] | None


def _of_ref(argument: Any, condition: Condition) -> Iterator[Reference]:
    if not isinstance(argument, str):
        raise ValidationError("Template error: every Ref object must have a single String value.")
    yield Reference(argument)


def _of_get_att(argument: Any, condition: Condition) -> Iterator[Reference]:
    name, attribute = get_att_parts(argument)
    if isinstance(attribute, str):
        yield Reference(name, attribute)
    else:
        yield Reference(name, "")
        yield from references(attribute, condition=condition)


def _of_sub(argument: Any, condition: Condition) -> Iterator[Reference]:
    text, variables = sub_parts(argument)
    for literal, variable in SUB_VARIABLE.findall(text):
        name = variable.strip()
        if literal or name in variables:
            continue
        if not re.fullmatch(r"[A-Za-z0-9_.:]+", name):
            raise ValidationError(
                "Template error: variable names in Fn::Sub syntax must contain only alphanumeric characters, "
                "underscores, periods, and colons"
            )
        head, dot, attribute = name.partition(".")
        yield Reference(head, attribute if dot else None)
    yield from references(variables, condition=condition)


def _of_if(argument: Any, condition: Condition) -> Iterator[Reference]:
    if not isinstance(argument, list) or len(argument) != 3:
        raise ValidationError("Template error: Fn::If requires a list argument with three elements")
    taken = argument[1:]
    if condition:
        taken = [argument[1] if condition(argument[0]) else argument[2]]
    for branch in taken:
        yield from references(branch, condition=condition)


_READERS: dict[str, Callable[[Any, Condition], Iterator[Reference]]] = {
    "Ref": _of_ref,
    "Fn::GetAtt": _of_get_att,
    "Fn::Sub": _of_sub,
    "Fn::If": _of_if,
}
