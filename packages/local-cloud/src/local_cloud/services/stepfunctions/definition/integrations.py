"""What a Task calls: the Resource, and the parameters the called API has."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..integrations.services import ACTIVITY, LAMBDA, TASK_TOKEN, Call, find_call
from .problem import SCHEMA, Problem


def resource_problems(state: dict[str, Any], location: str, *, express: bool) -> Iterator[Problem]:
    """Of a Task's Resource and of the names of its Parameters or Arguments."""
    resource = state.get("Resource")
    place = f"{location}/Resource"
    if not isinstance(resource, str):
        return
    if LAMBDA.fullmatch(resource):
        return
    if ACTIVITY.fullmatch(resource):
        if express:
            yield Problem(SCHEMA, "Express state machine does not support Activity ARN", place)
        return
    call = find_call(resource)
    if call is None:
        message = (
            f"The resource provided {resource} is not recognized. The value is not a valid resource ARN, or the"
            " resource is not available in this region."
        )
        yield Problem(SCHEMA, message, place)
        return
    if express and call.pattern:
        # AWS's own words: with a space at the end for callbacks alone (recorded, see `errors`).
        space = " " if call.pattern == TASK_TOKEN else ""
        yield Problem(
            SCHEMA, f"Express state machine does not support '.{call.pattern}' service integration{space}", place
        )
    for field in ("Parameters", "Arguments"):
        if isinstance(state.get(field), dict):
            yield from _parameter_problems(call, state[field], f"{location}/{field}")
    if "Parameters" not in state and "Arguments" not in state:
        yield from _parameter_problems(call, {}, location)


def _parameter_problems(call: Call, parameters: dict[str, Any], location: str) -> Iterator[Problem]:
    given = {name.removesuffix(".$") for name in parameters}
    for name in sorted(given - set(call.parameters)):
        yield Problem(SCHEMA, f'The field "{name}" is not supported by Step Functions', location)
    for name in sorted(call.required - given):
        yield Problem(SCHEMA, f'The field "{name}" is required but was missing', location)
