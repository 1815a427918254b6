"""Payload templates of a definition, checked before anything runs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ..language.intrinsic_calls import is_function
from ..language.paths import is_path
from .fields import JSONATA, JSONPATH
from .jsonata import jsonata_problems
from .problem import SCHEMA, Problem

_LOOKS_LIKE_A_PATH = re.compile(r"\$(\$?[.\[]|\$?$)")


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


def assign_problems(
    value: Any, location: str, *, language: str = JSONPATH, in_catch: bool = False
) -> Iterator[Problem]:
    """Of the Assign of a choice rule or a catcher; `in_catch` where `$states.errorOutput` is known."""
    if not isinstance(value, dict):
        yield Problem(SCHEMA, "Expected value of type object", location)
    elif language == JSONATA:
        yield from jsonata_problems(value, location, in_catch=in_catch)
    else:
        yield from template_problems(value, location)
