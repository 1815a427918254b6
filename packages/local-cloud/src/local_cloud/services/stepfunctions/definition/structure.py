"""Walks a whole definition and tells everything that is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from . import fields
from .choices import rule_problems
from .fields import JSONATA, JSONPATH
from .integrations import resource_problems
from .policies import catch_problems, retry_problems
from .problem import DUPLICATE, SCHEMA, TRANSITION, Problem
from .values import value_problems


class Walk:
    """One pass over a definition. State names are unique in the whole of it, over all branches and iterators."""

    def __init__(self, *, express: bool) -> None:
        self.express = express
        self.places: dict[str, str] = {}

    def machine(self, machine: Any, location: str, *, known: set[str], outer: str = "") -> Iterator[Problem]:
        """Of a state machine, a branch or an item processor, which knows the fields `known`.

        `outer` is the query language around it, if any.
        """
        if not isinstance(machine, dict):
            yield Problem(SCHEMA, "Expected a JSON object with StartAt and States", location or "/")
            return
        missing = [name for name in ("States", "StartAt") if name not in machine]
        if missing:
            yield Problem(SCHEMA, f"These fields are required: [{', '.join(missing)}]", location or "/")
        for name in machine:
            if name not in known:
                yield Problem(SCHEMA, "Field is not supported", f"{location}/{name}")
        language = machine.get("QueryLanguage", outer or JSONPATH)
        yield from _language_problems(language, outer, location)
        if machine.get("Version", "1.0") != "1.0":
            yield Problem(SCHEMA, "Value must be '1.0'", f"{location}/Version")
        yield from value_problems("TimeoutSeconds", machine, location, JSONPATH)
        states = machine.get("States", {})
        if not isinstance(states, dict) or ("States" in machine and not states):
            yield Problem(SCHEMA, "States must be a JSON object with at least one state", f"{location}/States")
            return
        for name, state in states.items():
            yield from self.state(name, state, f"{location}/States/{name}", outer=language)
        yield from _transition_problems(machine, states, location)

    def state(self, name: str, state: Any, location: str, *, outer: str) -> Iterator[Problem]:
        if name in self.places:
            yield Problem(DUPLICATE, f"State name '{name}' is used before, at {self.places[name]}", location)
        self.places.setdefault(name, location)
        if not 1 <= len(name) <= 80:
            yield Problem(SCHEMA, "A state name has 1 to 80 characters", location)
        kind = state.get("Type") if isinstance(state, dict) else None
        if kind not in fields.STATES:
            yield Problem(SCHEMA, f"Type must be one of [{', '.join(fields.STATES)}]", f"{location}/Type")
            return
        language = state.get("QueryLanguage", outer)
        yield from _language_problems(language, outer, location)
        yield from _field_problems(state, kind, location, language)
        for field in state:
            yield from value_problems(field, state, location, language)
        if kind == "Task":
            yield from resource_problems(state, location, express=self.express)
        elif kind == "Choice":
            yield from self._choices(state, location, language)
        elif kind == "Parallel":
            yield from self._branches(state, location, language)
        elif kind == "Map":
            processor = "Iterator" if "Iterator" in state else "ItemProcessor"
            place = f"{location}/{processor}"
            yield from self.machine(state.get(processor), place, known=fields.PROCESSOR, outer=language)
        yield from retry_problems(state.get("Retry"), f"{location}/Retry")
        yield from catch_problems(state.get("Catch"), f"{location}/Catch", language=language)

    def _choices(self, state: dict[str, Any], location: str, language: str) -> Iterator[Problem]:
        choices = state.get("Choices")
        if not isinstance(choices, list) or not choices:
            yield Problem(SCHEMA, "Choices must be a non-empty array", f"{location}/Choices")
            return
        for index, rule in enumerate(choices):
            yield from rule_problems(rule, f"{location}/Choices[{index}]", language=language)

    def _branches(self, state: dict[str, Any], location: str, language: str) -> Iterator[Problem]:
        branches = state.get("Branches")
        if not isinstance(branches, list) or not branches:
            yield Problem(SCHEMA, "Branches must be a non-empty array", f"{location}/Branches")
            return
        for index, branch in enumerate(branches):
            yield from self.machine(branch, f"{location}/Branches[{index}]", known=fields.BRANCH, outer=language)


def _language_problems(language: Any, outer: str, location: str) -> Iterator[Problem]:
    if language not in (JSONPATH, JSONATA):
        yield Problem(SCHEMA, "Value must be 'JSONPath' or 'JSONata'", f"{location}/QueryLanguage")
    elif outer == JSONATA and language == JSONPATH:
        message = "'QueryLanguage' can not be 'JSONPath' if set to 'JSONata' for whole state machine"
        yield Problem(SCHEMA, message, location)


def _field_problems(state: dict[str, Any], kind: str, location: str, language: str) -> Iterator[Problem]:
    for field in state:
        if field not in fields.STATES[kind]:
            yield Problem(SCHEMA, "Field is not supported", f"{location}/{field}")
        elif field in (fields.ONLY_JSONPATH if language == JSONATA else fields.ONLY_JSONATA):
            message = f"The QueryLanguage '{language}' does not support the field '{field}'"
            yield Problem(SCHEMA, message, f"{location}/{field}")
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


def _transition_problems(machine: dict[str, Any], states: dict[str, Any], location: str) -> Iterator[Problem]:
    reached = set()
    for target, place in _transitions(machine, states, location):
        if target in states:
            reached.add(target)
        else:
            yield Problem(TRANSITION, f"Missing 'Next' target: {target}", place)
    for name in states:
        if name not in reached and "StartAt" in machine:
            yield Problem(TRANSITION, f'State "{name}" is not reachable.', f"{location}/States/{name}")


def _transitions(machine: dict[str, Any], states: dict[str, Any], location: str) -> Iterator[tuple[Any, str]]:
    if "StartAt" in machine:
        yield machine["StartAt"], f"{location}/StartAt"
    for name, state in states.items():
        if not isinstance(state, dict):
            continue
        place = f"{location}/States/{name}"
        for field in ("Next", "Default"):
            if field in state:
                yield state[field], f"{place}/{field}"
        for field in ("Choices", "Catch"):
            rules = state.get(field)
            for index, rule in enumerate(rules if isinstance(rules, list) else ()):
                if isinstance(rule, dict) and "Next" in rule:
                    yield rule["Next"], f"{place}/{field}[{index}]/Next"
