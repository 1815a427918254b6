"""A raw file as both engines describe it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

#: What a column of a raw file can hold, whatever the engine calls it. `integer` has at most 32 bits and a sign; times
#: of every unit and zone are `timestamp`, since an engine shows them without zone in microseconds.
KINDS = (
    "integer", "long", "float", "double", "decimal", "text", "timestamp", "date", "boolean", "null",
    "bytes", "time", "interval", "uuid", "half", "unknown", "nested",
)  # fmt: skip

#: The zone of instants, and of a dataset that says nothing else.
UTC = "UTC"


@dataclass(frozen=True)
class SourceColumn:
    """A column of a raw file: its name as the file has it, what it holds (one of KINDS), its place from 0 on.

    `zone` is that of a time: UTC for an instant, `unknown` where the format cannot tell, None for a plain wall clock.
    `nanos` are times of nanoseconds. `precision` and `scale` are a decimal's digits, and how many of them are decimals.
    """

    name: str
    kind: str
    position: int
    zone: str | None = None
    nanos: bool = False
    precision: int = 0
    scale: int = 0

    @property
    def reference(self) -> str:
        """Its name in the view `source`. By place, so that no name of a file can be one of the view's, or two."""
        return f"source_{self.position}"


@dataclass(frozen=True)
class SourceFile:
    """A raw file that was found to be Parquet."""

    url: str
    rows: int
    columns: Sequence[SourceColumn]


def normal(name: str) -> str:
    """Return a column's name without what re-publishing changed about it: case, surrounding and inner spaces."""
    return "_".join(name.split()).lower()
