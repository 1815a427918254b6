"""Paths, intrinsic functions and templates of a definition, checked before anything runs."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from ..patches.json_paths import quoted
from .jsonata import expressions_in
from .problem import SCHEMA, Problem

_REFERENCE_PATH = re.compile(r"\$(\.[^\s.\[\]*?@()&|,:'\"]+|\['[^']+'\]|\[\d+\])*")
_VARIABLE = re.compile(r"\$(?P<name>[A-Za-z_]\w*)(?P<path>[.\[].*)?", re.DOTALL)
_LOOKS_LIKE_A_PATH = re.compile(r"\$(\$?[.\[]|\$?$)")


def is_path(text: Any) -> bool:
    """A JSONPath on the input (`$.a`), on the context object (`$$.Execution.Name`) or on a variable (`$month.year`)."""
    if not isinstance(text, str) or not text.startswith("$"):
        return False
    if text.startswith("$$"):
        return _parses(text[1:])
    variable = _VARIABLE.fullmatch(text)
    return _parses("$" + (variable["path"] or "")) if variable else _parses(text)


def is_reference_path(text: Any) -> bool:
    """A path that can name one node only, where a result can be put."""
    return isinstance(text, str) and bool(_REFERENCE_PATH.fullmatch(text))


def is_function(text: Any) -> bool:
    """An intrinsic function call the interpreter understands."""
    if not isinstance(text, str) or not text.startswith("States."):
        return False
    from .functions import parse_function

    try:
        parse_function(text)
    except Exception:  # the grammar raises whatever its generated code comes to
        return False
    return True


def template_problems(value: Any, location: str) -> Iterator[Problem]:
    """Of a payload template: each `name.$` holds a path or a function, and no name comes twice."""
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from template_problems(item, f"{location}[{index}]")
    elif isinstance(value, dict):
        for key, item in value.items():
            if key.endswith(".$"):
                if key.removesuffix(".$") in value:
                    yield Problem(SCHEMA, f"The field '{key.removesuffix('.$')}' is there twice", location)
                if not is_path(item) and not is_function(item):
                    message = (
                        f"The value for the field '{key}' must be a valid JSONPath or a valid intrinsic function call"
                    )
                    yield Problem(SCHEMA, message, location)
            else:
                if isinstance(item, str) and _LOOKS_LIKE_A_PATH.match(item):
                    message = (
                        f"The value of '{key}' looks like a path; to have it read as one, name the field '{key}.$'"
                    )
                    yield Problem("NO_DOLLAR", message, f"{location}/{key}", severity="WARNING")
                yield from template_problems(item, f"{location}/{key}")


def field_of(expression: str, definition: str, state_name: str) -> str:
    """Where in a state a JSONata expression stands, as `Arguments/Input/month` or `Choices[1]/Condition`."""
    state = next((state for name, state in _states(json.loads(definition)) if name == state_name), {})
    own = {name: value for name, value in state.items() if name not in ("Branches", "ItemProcessor", "Iterator")}
    return next((place for place, found in expressions_in(own, "") if found == expression), "")


def _states(machine: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, state in machine["States"].items():
        yield name, state
        for inner in (*state.get("Branches", ()), state.get("ItemProcessor"), state.get("Iterator")):
            if inner:
                yield from _states(inner)


@lru_cache(maxsize=512)
def _parses(path: str) -> bool:
    from jsonpath_ng.ext import parse

    try:
        parse(quoted(path))
    except Exception:  # ply raises bare Exceptions
        return False
    return True
