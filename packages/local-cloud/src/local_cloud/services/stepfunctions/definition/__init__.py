"""Definitions in the Amazon States Language. `check` finds what is wrong with one."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from ..model import EXPRESS
from .problem import JSON, SCHEMA, Problem

__all__ = ["Problem", "check"]


class _Twice(ValueError):
    """A name that comes twice in one JSON object, where the second would silently win."""


def check(text: str, type: str = "STANDARD") -> list[Problem]:
    """Everything wrong with a definition, errors and warnings, in the order of the text; nothing for a good one."""
    from .structure import Walk

    try:
        document = json.loads(text, object_pairs_hook=_no_duplicates) if text else None
    except _Twice as error:
        return [Problem(SCHEMA, str(error))]
    except ValueError as error:
        return [Problem(JSON, str(error))]
    if not isinstance(document, dict):
        return [Problem(SCHEMA, "Definition must be a valid JSON object")]
    return list(Walk(express=type == EXPRESS).definition(document))


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    for name, times in Counter(name for name, _ in pairs).items():
        if times > 1:
            raise _Twice(f"The name '{name}' is there {times} times in one object")
    return dict(pairs)
