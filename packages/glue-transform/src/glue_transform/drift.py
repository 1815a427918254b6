"""What a file has that its era did not, as lines of the manifest and of the log."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from glue_transform.mapping import FileMapping
from glue_transform.queries import names_in_rejects
from glue_transform.source import SourceFile

_NEW, _UNREADABLE, _ZONED, _ZONE_UNKNOWN, _RENAMED = (
    "new_column", "unreadable_values", "zoned_times", "times_of_unknown_zone", "renamed_in_rejects",
)  # fmt: skip


def drift_of(source: SourceFile, mapping: FileMapping, *, losses: Mapping[str, int], zone: str) -> list[dict[str, Any]]:
    """Columns no era has, and of those the table gets: values that could not become its, times with a zone.

    `losses` are rows by the table's column, `zone` the dataset's. Also what the rejects call other than the file does.
    """
    new = [{"column": column.name, "change": _NEW, "type": column.kind} for column in mapping.new]
    lost = [
        {
            "column": mapping.columns[name].name,
            "change": _UNREADABLE,
            "type": mapping.columns[name].kind,
            "into": name,
            "rows": rows,
        }
        for name, rows in losses.items()
        if rows
    ]
    zoned = [
        {
            "column": column.name,
            "change": _ZONE_UNKNOWN if column.zone == "unknown" else _ZONED,
            "type": column.kind,
            "read_as": "wall clock" if column.zone == "unknown" else zone,
        }
        for column in mapping.columns.values()
        if column.zone and column.kind == "timestamp"
    ]
    renamed = [
        {"column": column.name, "change": _RENAMED, "type": column.kind, "into": name}
        for column, name in zip(source.columns, names_in_rejects(source.columns))
        if name != column.name
    ]
    return [*new, *lost, *zoned, *renamed]


def unreadable(drift: Iterable[Mapping[str, Any]]) -> list[str]:
    """List each column with values that could not become the table's, and how many."""
    return [
        f"column {line['column']!r} holds {line['type']} that cannot be read as {line['into']} in {line['rows']} rows"
        for line in drift
        if line["change"] == _UNREADABLE
    ]
