"""The transform as SQL: three queries on a view named `source`, the same text for both engines.

Spark takes standard quotes and TRY_CAST with the settings in engines/spark.py.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from glue_transform.casts import cast, lost
from glue_transform.datasets import Dataset
from glue_transform.datasets.definition import SOURCE_MONTH
from glue_transform.mapping import FileMapping
from glue_transform.source import SourceColumn, normal

#: The column that a rejected row has beside its own: the name of the rule it broke.
REJECTED_BY = "rejected_by"


@dataclass(frozen=True)
class Queries:
    """What an engine runs on a file.

    `kept` gives the table's columns, `rejected` the file's own, which it calls by reference, and `rejected_by`.
    `losses` gives one row: for each of the table's columns in `lossy`, how many values of the file could not become
    it; None where none can be lost.
    """

    kept: str
    rejected: str
    losses: str | None
    lossy: Sequence[str]


def build(dataset: Dataset, mapping: FileMapping, *, source: Sequence[SourceColumn], month: dt.date) -> Queries:
    """The queries for one file: its columns, how they fit the dataset, and the first day of its month."""
    names = [column.name for column in dataset.columns[:-1]]
    mapped = [f"{cast(mapping.columns.get(c.name), c)} AS {c.name}" for c in dataset.columns[:-1]]
    own = [column.reference for column in source]
    broken = _conditions(dataset, month)
    # Whether a row breaks any rule is asked of all rows, which one only of those that do: an eighth less work.
    rejected = " OR ".join(broken.values())
    first_broken = " ".join(f"WHEN {condition} THEN '{rule}'" for rule, condition in broken.items())
    # Spark would write a plain literal as a column that is never NULL. What is kept breaks no rule, so not the first.
    source_month = f"CASE WHEN {next(iter(broken.values()))} IS NOT TRUE THEN DATE '{month}' END AS {SOURCE_MONTH}"
    losses = {
        column.name: condition
        for column in dataset.columns[:-1]
        if column.name in mapping.columns and (condition := lost(mapping.columns[column.name], column))
    }
    counts = [f"(SELECT COUNT(*) FROM source WHERE {lost_here})" for lost_here in losses.values()]  # noqa: S608 (ours)
    return Queries(
        kept=_query(mapped, [*names, source_month], f"({rejected}) IS NOT TRUE"),
        rejected=_query([*own, *mapped], [*own, f"CASE {first_broken} END AS {REJECTED_BY}"], rejected),
        losses=f"SELECT\n    {_lines(counts)}" if counts else None,
        lossy=list(losses),
    )


def names_in_rejects(source: Sequence[SourceColumn]) -> list[str]:
    """What the file's columns are called in the rejects: as in the file, but for no name and for that of the rule."""
    taken = {REJECTED_BY, *(normal(column.name) for column in source)}
    names = []
    for column in source:
        name = column.name
        if not name or name.lower() == REJECTED_BY:
            name = f"source_{REJECTED_BY}" if name else f"column_{column.position + 1}"
            while normal(name) in taken:
                name += "_"
            taken.add(normal(name))
        names.append(name)
    return names


def _query(mapped: Sequence[str], columns: Sequence[str], condition: str) -> str:
    return (
        f"WITH mapped AS (\n  SELECT\n    {_lines(mapped)}\n  FROM source\n)\n"
        f"SELECT\n    {_lines(columns)}\nFROM mapped\nWHERE {condition}"
    )


def _lines(items: Sequence[str]) -> str:
    return ",\n    ".join(items)


def _conditions(dataset: Dataset, month: dt.date) -> dict[str, str]:
    """For each rule, the condition under which a row breaks it."""
    following = (month + dt.timedelta(days=32)).replace(day=1)
    instants = {":month_start": f"TIMESTAMP '{month} 00:00:00'", ":month_end": f"TIMESTAMP '{following} 00:00:00'"}
    conditions = {}
    for rule in dataset.rules:
        condition = rule.broken
        for parameter, instant in instants.items():
            condition = condition.replace(parameter, instant)
        conditions[rule.name] = f"({condition})"
    return conditions
