"""Definitions in the Amazon States Language. `check` finds what is wrong with one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from ..json_text import BadJson, parse
from ..model import EXPRESS
from .problem import JSON, SCHEMA, Problem

__all__ = ["Problem", "check", "check_state"]


class _Twice(ValueError):
    """A name that comes twice in one JSON object, where the second would silently win."""


def check(text: str, type: str = "STANDARD") -> list[Problem]:
    """Everything wrong with a definition, errors and warnings, in the order of the text; nothing for a good one."""
    from .structure import Walk

    return _check(text, lambda document: Walk(express=type == EXPRESS).definition(document))


def check_state(text: str, name: str) -> list[Problem]:
    """Everything wrong with a single state, which may lead to states that are not there."""
    from .structure import Walk

    return _check(text, lambda state: Walk(express=False).state(name, state, f"/States/{name}", outer=frozenset()))


def _check(text: str, walk: Callable[[dict[str, Any]], Iterable[Problem]]) -> list[Problem]:
    try:
        document = parse(text, object_pairs_hook=_no_duplicates) if text.strip() else None
    except BadJson as error:
        return [Problem(JSON, f"{error}\n at {error.place}", error.place)]
    except _Twice as error:
        return [Problem(SCHEMA, str(error))]
    if not isinstance(document, dict):
        return [Problem(SCHEMA, "Definition must be a valid JSON object")]
    return list(walk(document))


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    for name, times in Counter(name for name, _ in pairs).items():
        if times > 1:
            raise _Twice(f"The name '{name}' is there {times} times in one object")
    return dict(pairs)
