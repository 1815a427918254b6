"""The functions that give true or false: for Conditions, and for Rules."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from local_cloud.services.cloudformation.errors import ValidationError
from local_cloud.services.cloudformation.templates.scope import Scope
from local_cloud.services.cloudformation.templates.values import pair, scalar_text


def _equals(scope: Scope, argument: Any) -> bool:
    left, right = pair(argument, "every Fn::Equals object requires a list of 2 string parameters.")
    left, right = scope.evaluate(left), scope.evaluate(right)
    if isinstance(left, (dict, list)) or isinstance(right, (dict, list)):
        return bool(left == right)
    return scalar_text(left) == scalar_text(right)


def _operands(name: str, argument: Any) -> list[Any]:
    if not isinstance(argument, list) or not 2 <= len(argument) <= 10:
        raise ValidationError(
            f"Template error: every {name} object requires a list of at least 2 and at most 10 boolean parameters."
        )
    return argument


def _and(scope: Scope, argument: Any) -> bool:
    return all([scope.holds(item) for item in _operands("Fn::And", argument)])


def _or(scope: Scope, argument: Any) -> bool:
    return any([scope.holds(item) for item in _operands("Fn::Or", argument)])


def _not(scope: Scope, argument: Any) -> bool:
    if not isinstance(argument, list) or len(argument) != 1:
        raise ValidationError("Template error: every Fn::Not object requires a list with exactly 1 boolean parameter.")
    return not scope.holds(argument[0])


def _named(scope: Scope, argument: Any) -> bool:
    return scope.condition(argument)


def _contains(scope: Scope, argument: Any) -> bool:
    items, item = pair(argument, "every Fn::Contains object requires a list of strings and a string")
    return scalar_text(scope.evaluate(item)) in [scalar_text(each) for each in scope.evaluate(items)]


def _each_member_equals(scope: Scope, argument: Any) -> bool:
    items, item = pair(argument, "every Fn::EachMemberEquals object requires a list of strings and a string")
    return all(scalar_text(each) == scalar_text(scope.evaluate(item)) for each in scope.evaluate(items))


def _each_member_in(scope: Scope, argument: Any) -> bool:
    items, allowed = pair(argument, "every Fn::EachMemberIn object requires two lists of strings")
    return all(item in scope.evaluate(allowed) for item in scope.evaluate(items))


CONDITIONS: dict[str, Callable[[Scope, Any], bool]] = {
    "Condition": _named,
    "Fn::And": _and,
    "Fn::Contains": _contains,
    "Fn::EachMemberEquals": _each_member_equals,
    "Fn::EachMemberIn": _each_member_in,
    "Fn::Equals": _equals,
    "Fn::Not": _not,
    "Fn::Or": _or,
}
