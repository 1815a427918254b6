"""Drift in a person's words: what a file has that the dataset did not expect, and what to do about it.

A line of drift is one object of the manifest's `drift`, or one `drift` event of the transform's log: the same fields.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

Line = Mapping[str, Any]

#: By the `change` of glue-transform's drift; what is in braces are fields of the line.
_WORDS = {
    "new_column": (
        "the column {column} ({type}) is new, and is not loaded: add it to the dataset, or to `also` of its era "
        "(docs/adding-a-dataset.md)"
    ),
    "unreadable_values": (
        "the column {column} has values ({type}) that {into} cannot hold: look at the file, and at `invalid_values` of "
        "the dataset, which decides between NULL and a rejected row"
    ),
    "zoned_times": "the times of {column} have a zone, and were read as {read_as}: compare some with the months before",
    "times_of_unknown_zone": (
        "the times of {column} do not tell whether they have a zone, and were read as {read_as}: compare some with the "
        "months before"
    ),
    "renamed_in_rejects": "the rejects have the column {column} as {into}: there is nothing to do",
}


def explain(line: Line) -> str:
    """Return one line of drift in words; one of a kind that is not known here as its JSON."""
    words = _WORDS.get(line.get("change", ""))
    rows = line.get("rows")
    try:
        text = words.format_map(line) if words else json.dumps(dict(line), ensure_ascii=False)
    except KeyError:
        return json.dumps(dict(line), ensure_ascii=False)
    return f"{text}; rows: {rows:,}" if words and isinstance(rows, int) else text


def explain_months(months: Iterable[tuple[str, Iterable[Line]]]) -> list[str]:
    """Explain the drift of months, in their order: what several share is one line, with all their rows."""
    found: dict[str, tuple[dict[str, Any], list[str]]] = {}
    for month, lines in months:
        for line in lines:
            kind = {name: value for name, value in line.items() if name != "rows"}
            known, having = found.setdefault(json.dumps(kind, sort_keys=True), (dict(kind), []))
            if "rows" in line:
                known["rows"] = known.get("rows", 0) + line["rows"]
            having.append(month)
    return [f"{_span(having)}: {explain(line)}" for line, having in found.values()]


def _span(months: list[str]) -> str:
    return months[0] if len(months) == 1 else f"{len(months)} months from {months[0]} to {months[-1]}"
