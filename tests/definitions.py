"""What a state machine's definition gets wrong that Step Functions finds out too late, or never."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

Definition = Mapping[str, Any]

_NAME = re.compile(r"\$([A-Za-z_]\w*)")
_BOUND = re.compile(r"\$([A-Za-z_]\w*)\s*:=|function\(([^)]*)\)")
_CALLED = re.compile(r"\$([A-Za-z_]\w*)\s*\(")
_TEXTS = re.compile(r"'(?:[^'\\]|\\.)*'|/(?:[^/\\ ]|\\.)+/")
#: What ends by waiting. Errors that a second attempt meets again (no such job, bad input) have other names:
#: https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html and botocore's models.
_PASSING = re.compile(r"\w+\.\w*(Throttl|TooMany|LimitExceeded|ConcurrentRunsExceeded|Internal|Timeout|SdkClient)\w*")
#: What a service says that has no name for it: throttling (https://repost.aws/knowledge-center/glue-throttling-rate-exceeded)
#: and 5xx of the services here, but a missing permission too. A Retry of these is a choice, and says so.
_GENERAL = re.compile(r"\w+\.(AWSGlue|S3|Sfn)Exception")
#: The state that a Catch is of, so that all Catch blocks are alike and none names another state.
_STATE_NAME = "{% $states.context.State.Name %}"


def problems(definition: Definition) -> list[str]:
    """All of them, each with the state it is in."""
    found = [] if definition.get("TimeoutSeconds") else ["the machine has no TimeoutSeconds"]
    assigned = set(_assigned(definition))
    for path, machine in machines(definition):
        found += [f"{path}{problem}" for problem in _graph(machine)]
        for name, state in machine["States"].items():
            found += [f"{path}{name}: {problem}" for problem in (*_task(state), *_variables(state, assigned))]
    return found


def machines(definition: Definition, path: str = "") -> Iterator[tuple[str, Definition]]:
    """The definition, and those of its Map and Parallel states with the names that lead to them."""
    yield path, definition
    for name, state in definition["States"].items():
        inner = [state["ItemProcessor"]] if "ItemProcessor" in state else state.get("Branches", [])
        for one in inner:
            yield from machines(one, f"{path}{name}/")


def _targets(state: Mapping[str, Any]) -> list[str]:
    branches = (*state.get("Catch", []), *state.get("Choices", []))
    return [name for name in (state.get("Next"), state.get("Default"), *(one.get("Next") for one in branches)) if name]


def _graph(machine: Definition) -> Iterator[str]:
    reached: set[str] = set()
    waiting = [machine["StartAt"]]
    while waiting:
        name = waiting.pop()
        if name in reached:
            continue
        reached.add(name)
        if name not in machine["States"]:
            yield f"{name}: named, but there is no such state"
            continue
        state = machine["States"][name]
        ends = state["Type"] in ("Succeed", "Fail") or state.get("End")
        for one in state.get("Catch", []):
            if "States.ALL" in one["ErrorEquals"] and not _keeps_the_error(one, machine["States"]):
                yield f"{name}: a Catch that says nowhere what it caught, a missing permission too"
            if one.get("Assign", {}).get("failed_at", _STATE_NAME) != _STATE_NAME:
                yield f"{name}: a Catch whose failed_at is not the state's own name"
        if state["Type"] == "Choice" and not state.get("Default"):
            yield f"{name}: no Default"
        if state["Type"] not in ("Choice", "Succeed", "Fail") and not state.get("Next") and not ends:
            yield f"{name}: neither Next nor End"
        waiting += _targets(state)
    for name in machine["States"]:
        if name not in reached:
            yield f"{name}: nothing leads to it"


def _keeps_the_error(catch: Mapping[str, Any], states: Mapping[str, Any]) -> bool:
    """In a variable, or it goes to a state that reads it. That state has it as its input."""
    kept = "$states.errorOutput" in json.dumps(catch.get("Assign", {}))
    return kept or "$states.input" in json.dumps(states.get(catch["Next"], {}))


def _task(state: Mapping[str, Any]) -> Iterator[str]:
    if state["Type"] == "Task":
        if not state.get("TimeoutSeconds"):
            yield "no TimeoutSeconds"
        if [one["ErrorEquals"] for one in state.get("Catch", [])][-1:] != [["States.ALL"]]:
            yield "its last Catch is not one of States.ALL"
    for retry in state.get("Retry", []):
        if retry.get("JitterStrategy") != "FULL" or retry.get("BackoffRate", 1) <= 1:
            yield "a Retry without backoff or jitter"
        for error in retry["ErrorEquals"]:
            if _GENERAL.fullmatch(error):
                if "permission" not in retry.get("Comment", ""):
                    yield f"a Retry of {error}, which a missing permission is too, and no Comment on that"
            elif not _PASSING.fullmatch(error):
                yield f"a Retry of {error}, which waiting does not cure"


def _assigned(definition: Definition) -> Iterator[str]:
    for _, machine in machines(definition):
        for state in machine["States"].values():
            for one in (state, *state.get("Catch", []), *state.get("Choices", [])):
                yield from one.get("Assign", {})


def _variables(state: Mapping[str, Any], assigned: set[str]) -> Iterator[str]:
    for expression in _expressions({key: value for key, value in state.items() if key != "ItemProcessor"}):
        code = _TEXTS.sub("''", expression)
        bound = {word.strip(" $") for pair in _BOUND.findall(code) for one in pair for word in one.split(",")}
        for name in sorted(set(_NAME.findall(code)) - bound - set(_CALLED.findall(code)) - {"states"} - assigned):
            yield f"${name} is never assigned"


def _expressions(value: Any) -> Iterator[str]:
    if isinstance(value, str) and value.startswith("{%"):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _expressions(inner)
