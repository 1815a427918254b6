"""Retry and Catch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..language.paths import is_reference_path
from . import fields
from .expressions import assign_problems
from .fields import JSONATA
from .jsonata import jsonata_problems
from .problem import SCHEMA, Problem, field_problem, language_problem
from .values import number_problems

_RETRIER = {
    "ErrorEquals",
    "IntervalSeconds",
    "MaxAttempts",
    "BackoffRate",
    "MaxDelaySeconds",
    "JitterStrategy",
    "Comment",
}
_CATCHER = {"ErrorEquals", "Next", "ResultPath", "Assign", "Output", "Comment"}


def retry_problems(retriers: Any, location: str) -> Iterator[Problem]:
    for index, retrier in _each(retriers):
        place = f"{location}[{index}]"
        yield from _common_problems(retrier, place, _RETRIER, last=index == len(retriers) - 1)
        if not isinstance(retrier, dict):
            continue
        for field in retrier:
            if field in fields.INTEGERS or field in fields.NUMBERS:
                yield from number_problems(field, retrier[field], f"{place}/{field}")
        if retrier.get("JitterStrategy", "NONE") not in ("FULL", "NONE"):
            yield Problem(SCHEMA, "Value must be 'FULL' or 'NONE'", f"{place}/JitterStrategy")
    if retriers is not None and not isinstance(retriers, list):
        yield Problem(SCHEMA, "Expected value of type array", location)


def catch_problems(catchers: Any, location: str, *, language: str) -> Iterator[Problem]:
    for index, catcher in _each(catchers):
        place = f"{location}[{index}]"
        yield from _common_problems(catcher, place, _CATCHER, last=index == len(catchers) - 1)
        if not isinstance(catcher, dict):
            continue
        if "Next" not in catcher:
            yield Problem(SCHEMA, "These fields are required: [Next]", place)
        path = catcher.get("ResultPath")
        if path is not None and not is_reference_path(path):
            yield Problem(SCHEMA, "Value is not a Reference Path", f"{place}/ResultPath")
        wrong = "ResultPath" if language == JSONATA else "Output"
        if wrong in catcher:
            yield language_problem(wrong, language, place)
        if language == JSONATA:
            yield from jsonata_problems({"Output": catcher.get("Output")}, place, in_catch=True)
        if "Assign" in catcher:
            yield from assign_problems(catcher["Assign"], f"{place}/Assign", language=language, in_catch=True)
    if catchers is not None and not isinstance(catchers, list):
        yield Problem(SCHEMA, "Expected value of type array", location)


def _each(rules: Any) -> Iterator[tuple[int, Any]]:
    return enumerate(rules) if isinstance(rules, list) else iter(())


def _common_problems(rule: Any, location: str, known: set[str], *, last: bool) -> Iterator[Problem]:
    if not isinstance(rule, dict):
        yield Problem(SCHEMA, "Expected value of type object", location)
        return
    for field in rule:
        if field not in known:
            yield field_problem(field, location)
    errors = rule.get("ErrorEquals")
    place = f"{location}/ErrorEquals"
    if not isinstance(errors, list) or not errors or not all(isinstance(error, str) for error in errors):
        yield Problem(SCHEMA, "ErrorEquals must be a non-empty array of strings", place)
    elif "States.ALL" in errors and (len(errors) > 1 or not last):
        yield Problem(SCHEMA, "States.ALL must appear alone and in the last rule", place)
