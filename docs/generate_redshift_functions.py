"""docs/redshift-functions.md, from the local warehouse's table of functions: `make docs`."""

from __future__ import annotations

from collections.abc import Iterator

from local_cloud.services.redshift.sql.functions import (
    aggregates,
    conditional,
    dates,
    json_super,
    numbers,
    refused,
    text,
)
from local_cloud.services.redshift.sql.functions.table import MANUAL, Function

HEAD = """\
# Redshift's functions on a laptop

Made by `make docs` from the table that the local warehouse reads SQL by. Each example is a test, by value and type. A
function that only Redshift has is refused by name; any other call "does not exist", as on Redshift.
"""
GROUPS = {
    "Text": text,
    "Numbers": numbers,
    "Dates and times": dates,
    "Conditions and types": conditional,
    "JSON and SUPER": json_super,
    "Aggregates and windows": aggregates,
}


def page() -> str:
    """Write the whole page."""
    return "\n".join([HEAD, *(line for name, group in GROUPS.items() for line in section(name, group.ROWS)), *rest()])


def section(name: str, rows: tuple[Function, ...]) -> Iterator[str]:
    """Write a group of functions as a table."""
    yield f"## {name}\n"
    yield "| function | an example | gives |\n|---|---|---|"
    for row in rows:
        call, value = row.examples[0] if row.examples else ("", "")
        shown = (f"`{cell(call)}`", f"`{cell(repr(value))}`") if call else ("", "")
        yield f"| {linked(row)} | {' | '.join(shown)} |"
    yield ""


def linked(row: Function) -> str:
    """Write a function's names, the first with a link to its page of the manual."""
    first, *others = (name.upper() for name in row.names)
    return ", ".join([f"[{first}]({MANUAL}/{row.page}.html)", *others])


def rest() -> Iterator[str]:
    """Write what is refused."""
    yield "## Refused by name\n"
    names = ", ".join(f"`{name}`" for name in sorted(refused.NAMES))
    families = ", ".join(f"`{begin}`" for begin in refused.FAMILIES)
    yield f"{names}, and what begins with {families}.\n"


def cell(written: str) -> str:
    return written.replace("\n", " ").replace("|", "\\|")


if __name__ == "__main__":
    print(page(), end="")
