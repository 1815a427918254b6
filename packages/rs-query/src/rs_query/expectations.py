"""What a script expects of its own queries: a comment before a statement, and the transaction fails where it is not so.

-- @expect no rows: {held} rows are loaded, and the manifest has {kept}
SELECT COUNT(*) AS held, 3 AS kept FROM trips HAVING COUNT(*) <> 3;

-- @expect one row (0, 'ready')
SELECT COUNT(*), 'ready' FROM trips WHERE fare < 0;
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Optional, Union

Literal = Optional[Union[str, bool, Decimal]]

_WORD = re.compile(r"--\s*@expect\b")
_DIRECTIVE = re.compile(r"--\s*@expect\s+(?:no\s+rows|one\s+row\s*\((?P<row>.*?)\))\s*(?::\s*(?P<message>\S.*?))?\s*")
_VALUE = re.compile(
    r"\s*(?:'(?P<text>(?:[^']|'')*)'|(?P<word>null|true|false)|(?P<number>-?\d+(?:\.\d+)?))\s*(?:,|$)", re.IGNORECASE
)
_FIELD = re.compile(r"\{(\w+)\}")
_WORDS = {"null": None, "true": True, "false": False}


class Malformed(Exception):
    """A comment that begins as an expectation, and is none."""


@dataclass(frozen=True)
class Expectation:
    """`row` is the one that is expected, None for no rows at all; `message` may name columns as {column}."""

    row: tuple[Literal, ...] | None
    message: str = ""

    def failure(self, columns: Sequence[str], found: Sequence[Sequence[object]]) -> str:
        """Return why a result is not what is expected; "" where it is.

        `found` are two of its rows, or as many as it has.
        """
        if self.row is None:
            if not found:
                return ""
        elif len(found) == 1 and len(found[0]) == len(self.row) and all(map(_same, self.row, found[0])):
            return ""
        if self.message and found:
            values = dict(zip(columns, found[0]))
            return _FIELD.sub(lambda field: str(values.get(field[1], field[0])), self.message)
        return self.message or f"expected {self._words()}, found {_show_rows(found)}"

    def _words(self) -> str:
        return "no rows" if self.row is None else f"one row ({', '.join(map(_literal, self.row))})"


def parse(comment: str) -> Expectation | None:
    """Return the expectation that a comment is; None for any other comment. Raises Malformed."""
    if not _WORD.match(comment):
        return None
    found = _DIRECTIVE.fullmatch(comment)
    if found is None:
        raise Malformed("write `-- @expect no rows: message` or `-- @expect one row (0, 'text'): message`")
    row = None if found["row"] is None else tuple(_values(found["row"]))
    return Expectation(row, found["message"] or "")


def _values(text: str) -> Iterator[Literal]:
    position = 0
    while position < len(text):
        value = _VALUE.match(text, position)
        if value is None:
            raise Malformed(f"{text[position:].strip()!r} begins with no number, 'text', true, false or null")
        if value["text"] is not None:
            yield value["text"].replace("''", "'")
        else:
            yield _WORDS[value["word"].lower()] if value["word"] else Decimal(value["number"])
        position = value.end()


def _same(expected: Literal, found: object) -> bool:
    """Numbers by their value, whatever their type; all else exactly, a date or time by its text."""
    if isinstance(expected, Decimal):
        return (
            isinstance(found, (int, float, Decimal)) and not isinstance(found, bool) and expected == Decimal(str(found))
        )
    if isinstance(expected, str):
        return str(found) == expected and not isinstance(found, (bool, int, float, Decimal))
    return found is expected


def _show_rows(rows: Sequence[Sequence[object]]) -> str:
    if not rows:
        return "none"
    more = " and more" if len(rows) > 1 else ""
    return f"({', '.join(map(_literal, rows[0]))}){more}"


def _literal(value: object) -> str:
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    return str(value) if isinstance(value, (int, float, Decimal)) else f"'{value}'"
