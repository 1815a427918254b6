"""Which variables the states of a definition read, as DescribeStateMachine names them.

https://docs.aws.amazon.com/step-functions/latest/dg/workflow-variables.html; recorded in LocalStack's
`test_sfn_api_variable_references.snapshot.json`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from .intrinsic_calls import Call, PathArgument, is_function, parse_call
from .json_values import Json
from .jsonata_text import expression_of
from .paths import VARIABLE

_INNER = ("ItemProcessor", "Iterator")


@lru_cache(maxsize=128)
def variable_references(definition: str) -> Mapping[str, list[str]]:
    """Name the variables of each state that reads any, by the state's name. The definition is one that is accepted."""
    machine = json.loads(definition)
    found = _of_machine(machine, machine.get("QueryLanguage", "JSONPath"))
    return {state: sorted(names) for state, names in found if names}


def _of_machine(machine: Mapping[str, Json], language: str) -> Iterator[tuple[str, set[str]]]:
    for name, state in machine["States"].items():
        own = {key: value for key, value in state.items() if key not in (*_INNER, "Branches")}
        is_jsonata = state.get("QueryLanguage", language) == "JSONata"
        yield name, set(_in_expressions(own) if is_jsonata else _in_paths(own))
        inner = [state[key] for key in _INNER if key in state]
        for each in [*inner, *state.get("Branches", ())]:
            yield from _of_machine(each, language)


def _in_paths(value: Json) -> Iterator[str]:
    """Of paths and functions: fields `…Path`, `….$` and the Variable of a choice rule."""
    if isinstance(value, list):
        for item in value:
            yield from _in_paths(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            if isinstance(item, str) and (key.endswith(("Path", ".$")) or key == "Variable"):
                yield from _of_call(parse_call(item)) if is_function(item) else _of_path(item)
            else:
                yield from _in_paths(item)


def _of_call(call: Call) -> Iterator[str]:
    for argument in call.arguments:
        if isinstance(argument, Call):
            yield from _of_call(argument)
        elif isinstance(argument, PathArgument):
            yield from _of_path(argument.path)


def _of_path(path: str) -> Iterator[str]:
    if match := VARIABLE.fullmatch(path):
        yield match["name"]


def _in_expressions(value: Json) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield from _in_expressions(item)
    elif isinstance(value, dict):
        for item in value.values():
            yield from _in_expressions(item)
    elif (expression := expression_of(value)) is not None:
        yield from _of_expression(expression)


def _of_expression(expression: str) -> Iterator[str]:
    from .jsonata_engine import function_names, parse

    known = {"states", *function_names()}
    yield from (name for name in _free(parse(expression), set()) if name not in known)


def _free(node: Any, bound: set[str]) -> Iterator[str]:
    """The names that an expression's tree reads and does not itself assign."""
    if isinstance(node, (list, tuple)):
        for each in node:
            yield from _free(each, bound)
        return
    if not hasattr(node, "type"):
        return
    match node.type:
        case "variable":
            if node.value and node.value not in bound:
                yield str(node.value)
        case "bind":
            yield from _free(node.rhs, bound)
            bound.add(node.lhs.value)
        case "block":
            yield from _free(node.expressions, set(bound))
        case "lambda":
            yield from _free(node.body, bound | {argument.value for argument in node.arguments})
        case _:
            bound |= {name for name in (node.focus, node.index) if isinstance(name, str)}
            for name, inner in vars(node).items():
                if name not in ("_outer_instance", "ancestor"):
                    yield from _free(inner, bound)
