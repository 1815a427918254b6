"""The values of fields."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from . import fields
from .expressions import (
    is_function,
    is_path,
    is_reference_path,
    template_problems,
)
from .fields import JSONATA
from .jsonata import expression_of, jsonata_problems
from .problem import SCHEMA, Problem


def value_problems(field: str, state: dict[str, Any], location: str, language: str) -> Iterator[Problem]:
    """Of one field of a state or machine, where it is there."""
    value = state.get(field)
    place = f"{location}/{field}"
    if field not in state or (value is None and field in fields.MAY_BE_NULL):
        return
    may_be_jsonata = language == JSONATA and field not in fields.STRINGS
    if may_be_jsonata and (expression_of(value) is not None or field in fields.HOLD_JSONATA):
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


def _wrong(field: str, value: Any) -> str:
    """Why a value is none for a field, or nothing."""
    reasons = (
        (fields.PATHS, is_path, "Value is not a valid JSONPath"),
        (fields.PATHS_OR_FUNCTIONS, lambda text: is_path(text) or is_function(text), "Value is not a valid JSONPath"),
        ({"ResultPath"}, is_reference_path, "Value is not a Reference Path"),
        (fields.STRINGS, lambda text: isinstance(text, str), "Expected value of type string"),
        (fields.BOOLEANS, lambda flag: isinstance(flag, bool), "Expected value of type boolean"),
        (fields.TEMPLATES, lambda template: isinstance(template, dict), "Expected value of type object"),
    )
    return next((reason for names, is_right, reason in reasons if field in names and not is_right(value)), "")
