"""Result sets as text: a table for people, JSON lines and CSV for programs."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal
from itertools import chain, islice
from typing import Any, TextIO

from rs_query.pages import Page
from rs_query.results import Result
from rs_query.values import as_text

_MEASURED = 1000  # rows that the widths of a table are taken from


def write(results: Iterable[Result], form: str, stream: TextIO) -> None:
    """Write the result sets among `results`, in order, as `table`, `json` or `csv`, empty lines between.

    Holds one page of rows.
    """
    later = False
    for result in results:
        if not result.has_result_set:
            continue
        if later and form != "json":
            stream.write("\n")
        for line in FORMS[form](result.pages()):
            stream.write(line + "\n")
        later = True


def _table(pages: Iterator[Page]) -> Iterator[str]:
    first = next(pages)
    rows = (row for page in chain([first], pages) for row in page.rows)
    measured = [[_cell(value) for value in row] for row in islice(rows, _MEASURED)]
    names = [_printable(column.name) for column in first.columns]
    widths = [max(map(len, cells)) for cells in zip(names, *measured)]
    numbers = [column.type in _NUMBERS for column in first.columns]

    def line(cells: Sequence[str]) -> str:
        aligned = (
            cell.rjust(width) if number else cell.ljust(width) for cell, width, number in zip(cells, widths, numbers)
        )
        return "  ".join(aligned).rstrip()

    yield line(names)
    yield "  ".join("-" * width for width in widths)
    count = 0
    for cells in measured:
        count += 1
        yield line(cells)
    for row in rows:
        count += 1
        yield line([_cell(value) for value in row])
    yield f"({count} row{'s' * (count != 1)})"


def _json(pages: Iterator[Page]) -> Iterator[str]:
    keys: list[str] = []
    for page in pages:
        keys = keys or [json.dumps(name, ensure_ascii=False) for name in _unique(c.name for c in page.columns)]
        for row in page.rows:
            yield "{" + ", ".join(f"{key}: {_json_value(value)}" for key, value in zip(keys, row)) + "}"


def _csv(pages: Iterator[Page]) -> Iterator[str]:
    first = next(pages)
    yield ",".join(_csv_value(column.name) for column in first.columns)
    for page in chain([first], pages):
        for row in page.rows:
            yield ",".join(_csv_value(value) for value in row)


FORMS: dict[str, Callable[[Iterator[Page]], Iterator[str]]] = {"table": _table, "json": _json, "csv": _csv}

_NUMBERS = frozenset({"int2", "int4", "int8", "numeric", "float4", "float8", "oid"})


def _cell(value: Any) -> str:
    return "NULL" if value is None else _printable(as_text(value))


def _printable(text: str) -> str:
    """On one line, and without the control characters that a terminal would obey."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _csv_value(value: Any) -> str:
    """NULL is nothing, the empty string is `""`: they stay apart, as in PostgreSQL's CSV."""
    if value is None:
        return ""
    text = as_text(value)
    if not text or any(c in text for c in ',"\r\n'):
        return '"' + text.replace('"', '""') + '"'
    return text


def _json_value(value: Any) -> str:
    """Decimals are numbers with all their digits; what JSON has no number for (NaN, infinity) is text."""
    if isinstance(value, Decimal) and value.is_finite():
        return as_text(value)
    if value is None or isinstance(value, (bool, int)) or (isinstance(value, float) and math.isfinite(value)):
        return json.dumps(value)
    return json.dumps(as_text(value), ensure_ascii=False)


def _unique(names: Iterable[str]) -> Iterator[str]:
    """Number names that repeat: a second `count` becomes `count_2`, as an object has each key once."""
    seen: set[str] = set()
    for name in names:
        key, number = name, 1
        while key in seen:
            number += 1
            key = f"{name}_{number}"
        seen.add(key)
        yield key
