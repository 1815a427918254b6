"""Wildcards and policy variables in actions, resources and conditions.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html: `${key}`, `${key, 'default'}`,
and `${*}`, `${?}`, `${$}` for the characters themselves. A variable without a value matches nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

#: Condition keys in lower case with their values. What a request has not is not in it.
Context = Mapping[str, Sequence[str]]

_VARIABLE = re.compile(r"\$\{\s*([^},]+?)\s*(?:,\s*'([^']*)')?\s*\}")
_LITERAL = {"*": "*", "?": "?", "$": "$"}


def matches(pattern: str, value: str, context: Context, *, ignore_case: bool = False) -> bool:
    """Whether a value fits a pattern with `*`, `?` and variables."""
    if "${" in pattern:
        resolved = _with_variables(pattern, context, re.escape)
        if resolved is None:
            return False
        return re.fullmatch(resolved, value, _flags(ignore_case)) is not None
    return _compiled(pattern, ignore_case)(value)


def substitute(text: str, context: Context) -> str | None:
    """The text with its variables' values, None where one has none. Wildcards stay what they are."""
    if "${" not in text:
        return text
    parts, end = [], 0
    for found in _VARIABLE.finditer(text):
        value = _value(found, context)
        if value is None:
            return None
        parts += [text[end : found.start()], value]
        end = found.end()
    return "".join([*parts, text[end:]])


@lru_cache(maxsize=16_384)
def _compiled(pattern: str, ignore_case: bool) -> Callable[[str], bool]:
    if pattern == "*":
        return lambda value: True
    if not ignore_case and "*" not in pattern and "?" not in pattern:
        return pattern.__eq__
    found = re.compile(_regex(pattern), _flags(ignore_case))
    return lambda value: found.fullmatch(value) is not None


def _flags(ignore_case: bool) -> re.RegexFlag:
    return re.DOTALL | re.IGNORECASE if ignore_case else re.DOTALL


def _regex(pattern: str) -> str:
    return "".join({"*": ".*", "?": "."}.get(char) or re.escape(char) for char in pattern)


def _with_variables(pattern: str, context: Context, quote: Callable[[str], str]) -> str | None:
    """The pattern as a regular expression; the variables' values stand for themselves, `*` in them included."""
    parts, end = [], 0
    for found in _VARIABLE.finditer(pattern):
        value = _value(found, context)
        if value is None:
            return None
        parts += [_regex(pattern[end : found.start()]), quote(value)]
        end = found.end()
    return "".join([*parts, _regex(pattern[end:])])


def _value(found: re.Match[str], context: Context) -> str | None:
    name, default = found[1], found[2]
    if name in _LITERAL:
        return _LITERAL[name]
    values = context.get(name.lower())
    if values is not None and len(values) == 1:
        return values[0]
    return default
