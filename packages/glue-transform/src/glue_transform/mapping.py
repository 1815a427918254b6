"""Which columns of a raw file become which of the table's: the file's era, found by its own schema."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from glue_transform.casts import castable
from glue_transform.datasets import Dataset, Era
from glue_transform.errors import MissingColumn, UncastableColumn
from glue_transform.source import SourceColumn, SourceFile, normal

#: What is left behind when a data frame's index is written as a column. Not drift, and not loaded.
_INDEX_COLUMN = re.compile(r"(__index_level_\d+__|unnamed:_\d+|index|level_\d+)?")


@dataclass(frozen=True)
class FileMapping:
    """How one file fits its dataset.

    `columns` has the file's column for each of the table's that the era knows; `new` are the file's columns that no
    known era has.
    """

    era: str
    columns: Mapping[str, SourceColumn]
    new: Sequence[SourceColumn]


def map_file(source: SourceFile, dataset: Dataset) -> FileMapping:
    """Find the era whose columns the file has, and check that their types can become the table's.

    Raises MissingColumn and UncastableColumn, each with the file, the column and what to do.
    """
    present = {normal(column.name): column for column in source.columns}
    era = next((era for era in dataset.eras if not _list_absent(era, present)), None)
    if era is None:
        raise _missing(source, dataset, present)
    columns = {target: present[normal(name)] for target, name in era.columns.items()}
    for column in dataset.columns:
        found = columns.get(column.name)
        if found and not castable(found.kind, column.type):
            raise UncastableColumn(
                f"{source.url}: column {found.name!r} holds {found.kind} and cannot become {column.name} "
                f"{column.type}; publish the month again, or add the era to the dataset {dataset.name!r}",
                file=source.url,
                column=column.name,
            )
    known = {normal(name) for e in dataset.eras for name in (*e.columns.values(), *e.marks, *e.also)}
    new = [c for key, c in present.items() if key not in known and not _INDEX_COLUMN.fullmatch(key)]
    return FileMapping(era.name, columns, new)


def _list_absent(era: Era, present: Mapping[str, SourceColumn]) -> list[str]:
    return [name for name in (*era.columns.values(), *era.marks) if normal(name) not in present]


def _missing(source: SourceFile, dataset: Dataset, present: Mapping[str, SourceColumn]) -> MissingColumn:
    """Return the error for a file of no known era, which names the era that it misses least of."""
    nearest = min(dataset.eras, key=lambda e: len(_list_absent(e, present)) / len([*e.columns, *e.marks]))
    absent = _list_absent(nearest, present)
    wanted = [
        f"{column.name} {column.type} ({nearest.columns[column.name]!r} in the era of {nearest.name})"
        for column in dataset.columns
        if nearest.columns.get(column.name) in absent
    ] or [f"{name!r} (era of {nearest.name})" for name in absent]
    has = ", ".join(f"{column.name} {column.kind}" for column in source.columns)
    return MissingColumn(
        f"{source.url}: no column for {', '.join(wanted)}; the file has {has}; "
        f"if it was renamed, add the era to the dataset {dataset.name!r}",
        file=source.url,
        column=next((t for t, name in nearest.columns.items() if name in absent), absent[0]),
    )
