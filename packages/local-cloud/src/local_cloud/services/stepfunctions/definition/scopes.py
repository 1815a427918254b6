"""One scope of a definition, the machine or a branch or an item processor: its transitions and its variables."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .problem import NO_END, SCHEMA, TRANSITION, Problem


def transition_problems(machine: dict[str, Any], states: dict[str, Any], location: str) -> Iterator[Problem]:
    """Targets that are not there; then that nothing ends, or else what nothing leads to."""
    reached = set()
    for target, place in _transitions(machine, states, location):
        if not isinstance(target, str):
            yield Problem(SCHEMA, "Expected value of type string", place)
        elif target in states:
            reached.add(target)
        else:
            yield Problem(TRANSITION, f"Missing 'Next' target: {target}", place)
    if not any(_ends(state) for state in states.values()):
        yield Problem(NO_END, "Workflow has no terminal state")
        return
    for name in states:
        if name not in reached and "StartAt" in machine:
            yield Problem(TRANSITION, f'State "{name}" is not reachable.', f"{location}/States/{name}")


def assigned(states: dict[str, Any], location: str) -> Iterator[tuple[str, str]]:
    """Names of the variables that the states of a scope assign, and where."""
    for name, state in states.items():
        place = f"{location}/States/{name}"
        for part, where in _parts(state, place):
            assign = part.get("Assign")
            for variable in assign if isinstance(assign, dict) else ():
                yield variable.removesuffix(".$"), f"{where}/Assign/{variable}"


def _ends(state: Any) -> bool:
    return isinstance(state, dict) and (state.get("End") is True or state.get("Type") in ("Fail", "Succeed"))


def _transitions(machine: dict[str, Any], states: dict[str, Any], location: str) -> Iterator[tuple[Any, str]]:
    if "StartAt" in machine:
        yield machine["StartAt"], f"{location}/StartAt"
    for name, state in states.items():
        for part, where in _parts(state, f"{location}/States/{name}"):
            for field in ("Next", "Default"):
                if field in part:
                    yield part[field], f"{where}/{field}"


def _parts(state: Any, place: str) -> Iterator[tuple[dict[str, Any], str]]:
    """The state, then its choice rules and catchers."""
    if not isinstance(state, dict):
        return
    yield state, place
    for field in ("Choices", "Catch"):
        rules = state.get(field)
        for index, rule in enumerate(rules if isinstance(rules, list) else ()):
            if isinstance(rule, dict):
                yield rule, f"{place}/{field}[{index}]"
