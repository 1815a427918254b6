"""A raw file as both engines describe it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

#: What a column of a raw file can hold, whatever the engine calls it. `integer` has at most 32 bits and a sign.
#: Nanosecond and zoned timestamps are `timestamp`, since an engine shows them without zone in microseconds.
KINDS = (
    "integer", "long", "float", "double", "decimal", "text", "timestamp", "date", "boolean", "null", "other",
)  # fmt: skip


@dataclass(frozen=True)
class SourceColumn:
    """A column of a raw file: its name as the file has it, and what it holds (one of KINDS)."""

    name: str
    kind: str


@dataclass(frozen=True)
class SourceFile:
    """A raw file that was found to be Parquet."""

    url: str
    rows: int
    columns: Sequence[SourceColumn]


def normal(name: str) -> str:
    """A column's name without what re-publishing changed about it: case, surrounding and inner spaces."""
    return "_".join(name.split()).lower()
