"""The rules of a Choice state."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..language.jsonata_text import expression_of
from ..language.paths import is_path
from ..times import parse_timestamp
from .expressions import assign_problems
from .fields import JSONATA, JSONPATH
from .jsonata import jsonata_problems
from .problem import SCHEMA, Problem, field_problem

_ORDER = ("Equals", "LessThan", "GreaterThan", "LessThanEquals", "GreaterThanEquals")
_OPERATORS: dict[str, type | tuple[type, ...]] = {
    "BooleanEquals": bool,
    **{f"Numeric{order}": (int, float) for order in _ORDER},
    **{f"String{order}": str for order in _ORDER},
    **{f"Timestamp{order}": str for order in _ORDER},
    "StringMatches": str,
    **{f"Is{kind}": bool for kind in ("Boolean", "Null", "Numeric", "Present", "String", "Timestamp")},
}
_PATH_OPERATORS = {f"{name}Path" for name in _OPERATORS if not name.startswith("Is") and name != "StringMatches"}
_COMBINED = ("And", "Or", "Not")


def rule_problems(rule: Any, location: str, *, language: str, nested: bool = False) -> Iterator[Problem]:
    """Of one rule; a rule inside And, Or or Not (`nested`) has no Next of its own."""
    if not isinstance(rule, dict):
        yield Problem(SCHEMA, "A choice rule must be a JSON object", location)
        return
    if not nested and "Next" not in rule:
        yield Problem(SCHEMA, "These fields are required: [Next]", location)
    if nested and "Next" in rule:
        yield field_problem("Next", location)
    if language == JSONATA:
        yield from _jsonata_rule_problems(rule, location)
        return
    if "Assign" in rule:
        yield from assign_problems(rule["Assign"], f"{location}/Assign")
    combined = next((name for name in _COMBINED if name in rule), "")
    operators = [name for name in rule if name in _OPERATORS or name in _PATH_OPERATORS]
    known = {"Next", "Comment", "Assign"} | ({combined} if combined else {"Variable", *operators})
    if combined:
        yield from _combined_problems(rule, combined, location)
    else:
        yield from _compared_problems(rule, operators, location)
    for name in rule:
        if name not in known:
            yield field_problem(name, location)


def _compared_problems(rule: dict[str, Any], operators: list[str], location: str) -> Iterator[Problem]:
    if "Variable" not in rule:
        yield Problem(SCHEMA, "These fields are required: [Variable]", location)
    elif not is_path(rule["Variable"]):
        yield Problem(SCHEMA, "Value is not a valid JSONPath", f"{location}/Variable")
    if len(operators) != 1:
        yield Problem(SCHEMA, f"A choice rule must have one comparison operator, it has {len(operators)}", location)
    for operator in operators:
        yield from _operand_problems(operator, rule[operator], f"{location}/{operator}")


def _jsonata_rule_problems(rule: dict[str, Any], location: str) -> Iterator[Problem]:
    condition = rule.get("Condition")
    if condition is None:
        yield Problem(SCHEMA, "These fields are required: [Condition]", location)
    elif not isinstance(condition, bool) and expression_of(condition) is None:
        yield Problem(SCHEMA, "Condition must be a JSONata expression or a boolean", f"{location}/Condition")
    for name in rule:
        if name not in {"Condition", "Next", "Comment", "Assign", "Output"}:
            yield field_problem(name, location)
    if "Assign" in rule:
        yield from assign_problems(rule["Assign"], f"{location}/Assign", language=JSONATA)
    yield from jsonata_problems({name: rule.get(name) for name in ("Condition", "Output")}, location)


def _combined_problems(rule: dict[str, Any], operator: str, location: str) -> Iterator[Problem]:
    inner = rule[operator]
    place = f"{location}/{operator}"
    if operator == "Not":
        yield from rule_problems(inner, place, language=JSONPATH, nested=True)
    elif not isinstance(inner, list) or not inner:
        yield Problem(SCHEMA, f"{operator} must be a non-empty array of choice rules", place)
    else:
        for index, each in enumerate(inner):
            yield from rule_problems(each, f"{place}[{index}]", language=JSONPATH, nested=True)


def _operand_problems(operator: str, value: Any, location: str) -> Iterator[Problem]:
    if operator in _PATH_OPERATORS:
        if not is_path(value):
            yield Problem(SCHEMA, "Value is not a valid JSONPath", location)
        return
    kind = _OPERATORS[operator]
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        wanted = "boolean" if kind is bool else "string" if kind is str else "number"
        yield Problem(SCHEMA, f"Expected value of type {wanted}", location)
    elif operator.startswith("Timestamp") and parse_timestamp(value) is None:
        yield Problem(SCHEMA, "Expected an ISO-8601 timestamp like 2016-03-14T01:59:00Z", location)
