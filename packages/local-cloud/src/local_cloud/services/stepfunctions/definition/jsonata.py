"""JSONata expressions of a definition: what AWS refuses before anything runs.

An expression has no context item: what does not start from `$states`, a variable or a function names nothing. Codes
and words: measured with ValidateStateMachineDefinition in us-east-1 by the tests of https://github.com/floci-io/floci.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from ..language.jsonata_text import expression_of, message_of
from .problem import Problem

_ERROR_OUTPUT = re.compile(r"\$states\s*\.\s*errorOutput\b")
_INVALID = "INVALID_JSONATA_EXPRESSION"
_UNSUPPORTED = "UNSUPPORTED_JSONATA_EXPRESSION"


def expressions_in(value: Any, place: str) -> Iterator[tuple[str, str]]:
    """Every expression in a value with where it stands, as `Output/a/b[0]`."""
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from expressions_in(item, f"{place}[{index}]")
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from expressions_in(item, f"{place}/{key}" if place else key)
    elif (expression := expression_of(value)) is not None:
        yield place, expression


def jsonata_problems(value: Any, location: str, *, in_catch: bool = False) -> Iterator[Problem]:
    """Of every expression in a value of a JSONata state; `in_catch` where `$states.errorOutput` is known."""
    for place, expression in expressions_in(value, location):
        yield from (Problem(code, message, place) for code, message in _problems(expression))
        if _ERROR_OUTPUT.search(expression) and not in_catch:
            yield Problem(_UNSUPPORTED, "Field '$states.errorOutput' does not exist.", place)


@lru_cache(maxsize=512)
def _problems(expression: str) -> tuple[tuple[str, str], ...]:
    from jsonata import Jsonata
    from jsonata.jexception import JException

    try:
        tree = Jsonata(expression).ast
    except JException as error:
        return ((_INVALID, message_of(error)),)
    names = dict.fromkeys(_without_anchor(tree))
    return tuple(
        (_UNSUPPORTED, f"Reference to '{name}'{'' if name == '$$' else ' at the top level'} is not supported.")
        for name in names
    )


def _without_anchor(node: Any) -> Iterator[str]:
    """Names that an expression reads from the context item it does not have."""
    if node is None:
        return
    match node.type:
        case "path":  # later steps, predicates, sort terms and groups have a context: what the steps before gave
            yield from _without_anchor(node.steps[0])
        case "name" | "wildcard" | "descendant":
            yield str(node.value)
        case "variable" if node.value in ("", "$"):
            yield f"${node.value}"
        case _:
            inner = [node.lhs, node.rhs, node.expression, node.procedure, node.body]
            inner += [node.condition, node.then, node._else, *(node.expressions or ())]
            inner += [part for pair in node.lhs_object or () for part in pair]
            if node.type in ("function", "partial"):
                inner += node.arguments
            for each in inner:
                if each is not None:
                    yield from _without_anchor(each)
