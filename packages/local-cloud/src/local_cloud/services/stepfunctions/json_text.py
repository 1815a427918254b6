"""JSON texts that callers send, and what is wrong with one, in the words of Jackson, with which AWS reads them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

from .language.json_values import Json

_TOKENS = "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')"
_SHOWN = 500
"""Characters of a text that Jackson repeats."""
_WORD = re.compile(r"[A-Za-z_$][\w$]*")


class BadJson(ValueError):
    """`str()` is what is wrong; `place` says where."""

    def __init__(self, message: str, place: str) -> None:
        super().__init__(message)
        self.place = place


def parse(text: str, *, object_pairs_hook: Callable[[list[tuple[str, Json]]], Json] | None = None) -> Json:
    """Raises BadJson."""
    try:
        return json.loads(text, object_pairs_hook=object_pairs_hook)
    except json.JSONDecodeError as error:
        raise _problem(text, error) from None


def _problem(text: str, error: json.JSONDecodeError) -> BadJson:
    place, message = error.pos, error.msg
    if place >= len(text):
        message = "Unexpected end-of-input"
    elif message.startswith("Expecting property name"):
        message = f"Unexpected character ({_character(text[place])}): was expecting double-quote to start field name"
    elif message == "Expecting value" and (word := _WORD.match(text, place)):
        message = f"Unrecognized token '{word[0]}': was expecting {_TOKENS}"
        place = word.end()
    elif message == "Expecting value":
        message = f"Unexpected character ({_character(text[place])}): expected a valid value {_TOKENS}"
    line = text.count("\n", 0, place) + 1
    column = place - text.rfind("\n", 0, place)
    cut = f"[truncated {len(text) - _SHOWN} chars]" if len(text) > _SHOWN else ""
    shown = f'[Source: (String)"{text[:_SHOWN]}"{cut}; line: {line}, column: {column}]'
    return BadJson(message, shown)


def _character(character: str) -> str:
    return f"'{character}' (code {ord(character)})"
