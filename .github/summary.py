#!/usr/bin/env python3
"""A job summary that people can read, from what an `elt … --json` command printed.

    summary.py TITLE FILE [NAME…] >> "$GITHUB_STEP_SUMMARY"

An object becomes a table of its values, of those that are named if any are, then a section for each list or object in
it. A list of objects, or an object of objects in it, becomes one table with a row each. An empty or missing file means
that the command did not get as far: the summary says so, with the last line of what it said beside it, in FILE with
.log in the place of .json. Needs nothing but Python.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

#: The heading level of a summary's own title.
TOP = 2
#: Characters of a list in a cell; a longer one is only counted.
LONGEST = 200


def markdown(title: str, value: Any, *, level: int = TOP) -> str:
    """A JSON value as GitHub's Markdown, under a heading."""
    text = "\n".join([f"{'#' * level} {title}", "", *_body(value, level)])
    return re.sub(r"\n{3,}", "\n\n", text).rstrip() + "\n"


def _body(value: Any, level: int) -> Iterator[str]:
    if level > TOP and isinstance(value, dict) and value and all(isinstance(one, dict) for one in value.values()):
        yield from _body([{"": name, **one} for name, one in value.items()], level)
    elif isinstance(value, dict):
        plain = {name: one for name, one in value.items() if not _has_parts(one)}
        if plain:
            yield from _table(("", ""), [(_words(name), one) for name, one in plain.items()])
        for name, one in value.items():
            if _has_parts(one):
                yield from markdown(_words(name), one, level=min(level + 1, 6)).splitlines()
                yield ""
    elif isinstance(value, list) and value and all(isinstance(one, dict) for one in value):
        columns = list(dict.fromkeys(name for row in value for name in row))
        yield from _table([_words(name) for name in columns], [[row.get(name) for name in columns] for row in value])
    elif isinstance(value, list):
        yield from ([f"- {_cell(one)}" for one in value] or ["nothing"])
        yield ""
    else:
        yield _cell(value)
        yield ""


def _has_parts(value: Any) -> bool:
    """Whether a value is too large for a cell: an object, or a list of them."""
    return bool(value) and (isinstance(value, dict) or (isinstance(value, list) and isinstance(value[0], dict)))


def _table(columns: Any, rows: Any) -> Iterator[str]:
    yield f"| {' | '.join(columns)} |"
    yield f"|{' --- |' * len(columns)}"
    for row in rows:
        yield f"| {' | '.join(_cell(value) for value in row)} |"
    yield ""


def _words(name: str) -> str:
    return _escaped(name.replace("_", " "))


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{round(value, 4):,}"
    if isinstance(value, (list, dict)):
        items = value if isinstance(value, list) else [f"{name} {_plain(one)}" for name, one in value.items()]
        text = ", ".join(_cell(item) for item in items)
        return text if len(text) <= LONGEST else f"{len(value)} of them"
    return _escaped(str(value))


def _plain(value: Any) -> str:
    return _cell(value) if isinstance(value, (int, float)) else str(value)


def _escaped(text: str) -> str:
    """Text that no one's Markdown or HTML can break out of, on one line."""
    return re.sub(r"([\\`*_\[\]<>|])", r"\\\1", " ".join(text.split()))


def main(argv: list[str]) -> int:
    if len(argv) < 2:
        print("usage: summary.py TITLE FILE [NAME…]", file=sys.stderr)
        return 2
    title, file, names = argv[0], Path(argv[1]), argv[2:]
    text = file.read_text(encoding="utf-8") if file.is_file() else ""
    if text.strip():
        value = json.loads(text)
        print(markdown(title, {name: value[name] for name in names} if names else value))
    else:
        log = file.with_suffix(".log")
        said = log.read_text(encoding="utf-8").split("\n") if log.is_file() else []
        why = next((line for line in reversed(said) if line.strip()), "the step's log says why.")
        print(markdown(title, f"It did not get as far as a result: {why}"))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
