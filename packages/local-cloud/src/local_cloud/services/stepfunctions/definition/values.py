"""The values of fields."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..language.intrinsic_calls import is_function
from ..language.jsonata_text import expression_of
from ..language.paths import is_path, is_reference_path
from ..times import parse_timestamp
from . import fields
from .expressions import template_problems
from .fields import JSONATA
from .jsonata import jsonata_problems
from .problem import SCHEMA, Problem, field_problem

_NO_TIMESTAMP = "String does not match RFC3339 timestamp"


def value_problems(field: str, state: dict[str, Any], location: str, language: str) -> Iterator[Problem]:
    """Of one field of a state or machine, where it is there."""
    value = state.get(field)
    place = f"{location}/{field}"
    if field not in state or (value is None and field in fields.MAY_BE_NULL):
        return
    if field == "Credentials":
        yield from _credentials_problems(value, place, language)
        return
    may_be_jsonata = language == JSONATA and field not in fields.STRINGS
    if may_be_jsonata and (expression_of(value) is not None or field in fields.HOLD_JSONATA):
        kinds, wanted = fields.JSONATA_KINDS.get(field, ((object,), ""))
        if expression_of(value) is None and not isinstance(value, kinds):
            yield Problem(SCHEMA, f"Expected value of type {wanted}, or a JSONata expression", place)
        yield from jsonata_problems(value, place)
    elif field in fields.INTEGERS or field in fields.NUMBERS:
        yield from number_problems(field, value, place)
    elif reason := _wrong(field, value):
        yield Problem(SCHEMA, reason, place)
    elif field in fields.TEMPLATES:
        yield from template_problems(value, place)


def number_problems(field: str, value: Any, location: str) -> Iterator[Problem]:
    """Of a field in `fields.INTEGERS` or `fields.NUMBERS`."""
    low, high = fields.INTEGERS.get(field) or fields.NUMBERS[field]
    kinds = (int,) if field in fields.INTEGERS else (int, float)
    if not isinstance(value, kinds) or isinstance(value, bool):
        wanted = "integer" if field in fields.INTEGERS else "number"
        yield Problem(SCHEMA, f"Expected value of type {wanted}", location)
    elif not low <= value <= high:
        yield Problem(SCHEMA, f"Value must be at least {low} and at most {high}", location)


def _credentials_problems(value: Any, location: str, language: str) -> Iterator[Problem]:
    """Of the role that a Task calls a service as."""
    names = ("RoleArn",) if language == JSONATA else ("RoleArn", "RoleArn.$")
    if not isinstance(value, dict):
        yield Problem(SCHEMA, "Expected value of type object", location)
        return
    given = [name for name in names if name in value]
    if len(given) != 1:
        yield Problem(SCHEMA, "The field 'RoleArn' is required but was missing", location)
        return
    yield from (field_problem(name, location) for name in value if name not in names)
    for name in given:
        if not isinstance(value[name], str):
            yield Problem(SCHEMA, "Expected value of type string", f"{location}/{name}")
    if language == JSONATA:
        yield from jsonata_problems(value, location)
    else:
        yield from template_problems(value, location)


def _wrong(field: str, value: Any) -> str:
    """Why a value is none for a field, or nothing."""
    reasons = (
        (fields.PATHS, is_path, "Value is not a valid JSONPath"),
        (fields.PATHS_OR_FUNCTIONS, lambda text: is_path(text) or is_function(text), "Value is not a valid JSONPath"),
        ({"ResultPath"}, is_reference_path, "Value is not a Reference Path"),
        (fields.STRINGS, lambda text: isinstance(text, str), "Expected value of type string"),
        (fields.TEXTS, lambda text: isinstance(text, str), "Expected value of type string"),
        ({"Timestamp"}, lambda text: parse_timestamp(text) is not None, _NO_TIMESTAMP),
        (fields.BOOLEANS, lambda flag: isinstance(flag, bool), "Expected value of type boolean"),
        (fields.TEMPLATES, lambda template: isinstance(template, dict), "Expected value of type object"),
    )
    return next((reason for names, is_right, reason in reasons if field in names and not is_right(value)), "")
