"""Walks a whole definition and tells everything that is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from . import fields
from .choices import rule_problems
from .fields import JSONATA, JSONPATH
from .integrations import resource_problems
from .maps import map_problems
from .policies import catch_problems, retry_problems
from .problem import DUPLICATE, SCHEMA, VARIABLE, Problem, field_problem, language_problem
from .scopes import assigned, transition_problems
from .values import value_problems

Names = frozenset[str]
_LANGUAGES = (JSONPATH, JSONATA)


class Walk:
    """One pass over a definition. State names are unique in the whole of it, over all branches and iterators."""

    def __init__(self, *, express: bool) -> None:
        self.express = express
        self.language = JSONPATH
        self.places: dict[str, str] = {}

    def definition(self, document: dict[str, Any]) -> Iterator[Problem]:
        """Of a whole state machine."""
        language = document.get("QueryLanguage", JSONPATH)
        if language not in _LANGUAGES:
            yield _unknown_language("")
        self.language = JSONPATH if language == JSONPATH else JSONATA
        if document.get("Version", "1.0") != "1.0":
            yield Problem(SCHEMA, "Value must be '1.0'", "/Version")
        yield from value_problems("TimeoutSeconds", document, "", JSONPATH)
        yield from self.machine(document, "", known=fields.MACHINE)

    def machine(self, machine: Any, location: str, *, known: set[str], outer: Names = frozenset()) -> Iterator[Problem]:
        """Of a state machine, a branch or an item processor, which has the fields `known`.

        `outer` has the names of the variables that are assigned around it.
        """
        if not isinstance(machine, dict):
            yield Problem(SCHEMA, "Expected a JSON object with StartAt and States", location or "/")
            return
        missing = [name for name in ("States", "StartAt") if name not in machine]
        if missing:
            yield Problem(SCHEMA, f"These fields are required: [{', '.join(missing)}]", location or "/")
        yield from (field_problem(name, location or "/") for name in machine if name not in known)
        yield from value_problems("Comment", machine, location, JSONPATH)
        if missing:
            return
        states = machine["States"]
        if not isinstance(states, dict) or not states:
            yield Problem(SCHEMA, "States must be a JSON object with at least one state", f"{location}/States")
            return
        inside = outer | {name for name, _ in assigned(states, location)}
        for name, place in assigned(states, location):
            if name in outer:
                message = f"The variable name '{name}' was already defined in a parent scope."
                yield Problem(VARIABLE, message, place)
        for name, state in states.items():
            yield from self.state(name, state, f"{location}/States/{name}", outer=inside)
        yield from transition_problems(machine, states, location)

    def state(self, name: str, state: Any, location: str, *, outer: Names) -> Iterator[Problem]:
        if name in self.places:
            yield Problem(DUPLICATE, f"State name '{name}' is used before, at {self.places[name]}", location)
        self.places.setdefault(name, location)
        if not 1 <= len(name) <= 80:
            yield Problem(SCHEMA, "A state name has 1 to 80 characters", location)
        kind = state.get("Type") if isinstance(state, dict) else None
        if not isinstance(kind, str) or kind not in fields.STATES:
            message = f"The field 'Type' should have one of these values: [{', '.join(fields.TYPES)}]"
            yield Problem(SCHEMA, message, f"{location}/Type")
            return
        language = state.get("QueryLanguage", self.language)
        if language not in _LANGUAGES:
            yield _unknown_language(location)
        if language == JSONPATH and self.language == JSONATA:
            message = "'QueryLanguage' can not be 'JSONPath' if set to 'JSONata' for whole state machine"
            yield Problem(SCHEMA, message, location)
            return
        yield from _field_problems(state, kind, location, language)
        for field in state:
            yield from value_problems(field, state, location, language)
        if kind == "Task":
            yield from resource_problems(state, location, express=self.express)
        elif kind == "Choice":
            yield from self._choices(state, location, language)
        elif kind == "Parallel":
            yield from self._branches(state, location, outer)
        elif kind == "Map":
            yield from map_problems(state, location, language=language)
            processor = "Iterator" if "Iterator" in state else "ItemProcessor"
            place = f"{location}/{processor}"
            yield from self.machine(state.get(processor), place, known=fields.PROCESSOR, outer=outer)
        yield from retry_problems(state.get("Retry"), f"{location}/Retry")
        yield from catch_problems(state.get("Catch"), f"{location}/Catch", language=language)

    def _choices(self, state: dict[str, Any], location: str, language: str) -> Iterator[Problem]:
        choices = state.get("Choices")
        if not isinstance(choices, list) or not choices:
            yield _not_filled(choices, f"{location}/Choices")
            return
        for index, rule in enumerate(choices):
            yield from rule_problems(rule, f"{location}/Choices[{index}]", language=language)

    def _branches(self, state: dict[str, Any], location: str, outer: Names) -> Iterator[Problem]:
        branches = state.get("Branches")
        if not isinstance(branches, list) or not branches:
            yield _not_filled(branches, f"{location}/Branches")
            return
        for index, branch in enumerate(branches):
            yield from self.machine(branch, f"{location}/Branches[{index}]", known=fields.BRANCH, outer=outer)


def _not_filled(value: Any, location: str) -> Problem:
    message = "Value cannot be empty" if value == [] else "Expected value of type array"
    return Problem(SCHEMA, message, location)


def _unknown_language(location: str) -> Problem:
    message = f"Value should be one of the following: [{', '.join(_LANGUAGES)}]"
    return Problem(SCHEMA, message, f"{location}/QueryLanguage")


def _field_problems(state: dict[str, Any], kind: str, location: str, language: str) -> Iterator[Problem]:
    for field in state:
        if field not in fields.STATES[kind]:
            yield field_problem(field, location)
        elif field in (fields.ONLY_JSONPATH if language == JSONATA else fields.ONLY_JSONATA):
            yield language_problem(field, language, location)
    missing = [field for field in fields.REQUIRED.get(kind, ()) if field not in state]
    if missing:
        yield Problem(SCHEMA, f"These fields are required: [{', '.join(missing)}]", location)
    if "Next" in fields.STATES[kind] and "Next" not in state and state.get("End") is not True:
        yield Problem(SCHEMA, "One of these fields is required: [Next, End]", location)
    if kind == "Wait" and not any(field in state for field in fields.EXCLUSIVE[3]):
        yield Problem(SCHEMA, f"One of these fields is required: [{', '.join(fields.EXCLUSIVE[3])}]", location)
    for row in fields.EXCLUSIVE:
        there = [field for field in row if field in state and state[field] is not False]
        if len(there) > 1:
            yield Problem(SCHEMA, f"Only one of these fields is allowed: [{', '.join(there)}]", location)
    timeout, heartbeat = state.get("TimeoutSeconds"), state.get("HeartbeatSeconds")
    if isinstance(timeout, int) and isinstance(heartbeat, int) and heartbeat >= timeout:
        yield Problem(SCHEMA, "HeartbeatSeconds must be less than TimeoutSeconds", f"{location}/HeartbeatSeconds")
