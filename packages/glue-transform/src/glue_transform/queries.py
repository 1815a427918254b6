"""The transform as SQL: queries on a view named `source`, the same text for both engines.

Spark takes standard quotes and TRY_CAST with the settings in engines/spark.py.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from glue_transform.casts import cast, loss_condition
from glue_transform.datasets import Dataset
from glue_transform.datasets.definition import SOURCE_MONTH
from glue_transform.mapping import FileMapping
from glue_transform.source import SourceColumn, normal

#: The column that a rejected row has beside its own: the name of the rule it broke.
REJECTED_BY = "rejected_by"


@dataclass(frozen=True)
class Losses:
    """By the table's column, the condition under which a row of the file has a value that it cannot hold.

    `query` gives one row: for each of these columns, how many such rows there are; None where no value can be lost.
    """

    conditions: Mapping[str, str]

    @property
    def query(self) -> str | None:
        counts = [f"(SELECT COUNT(*) FROM source WHERE {one})" for one in self.conditions.values()]  # noqa: S608 (ours)
        return f"SELECT\n    {_lines(counts)}" if counts else None


@dataclass(frozen=True)
class Queries:
    """What an engine runs on a file.

    `kept` gives the table's columns, `rejected` the file's own, which it calls by reference, and `rejected_by`: the
    name of the first of `rules` that a row breaks.
    """

    kept: str
    rejected: str
    rules: Sequence[str]


def losses_of(dataset: Dataset, mapping: FileMapping) -> Losses:
    """Return what the table could lose of a file's values."""
    found = {
        column.name: condition
        for column in dataset.columns[:-1]
        if column.name in mapping.columns and (condition := loss_condition(mapping.columns[column.name], column))
    }
    return Losses(found)


def build(
    dataset: Dataset,
    mapping: FileMapping,
    *,
    source: Sequence[SourceColumn],
    month: dt.date,
    losses: Losses,
    counted: Mapping[str, int],
) -> Queries:
    """Return the queries for one file: its columns, how they fit the dataset, and the first day of its month.

    `counted` are the rows that the losses' query counted, by the table's column.
    """
    names = [column.name for column in dataset.columns[:-1]]
    mapped = [
        f"{cast(mapping.columns.get(c.name), c, fits=not counted.get(c.name))} AS {c.name}"
        for c in dataset.columns[:-1]
    ]
    own = [column.reference for column in source]
    rules = _conditions(dataset, month)
    rejecting = dataset.invalid_values == "reject"
    invalid = [column for column in dataset.columns if rejecting and counted.get(column.name)]
    # An invalid value is NULL by now, of which a rule may say something else.
    broken = {column.invalid_rule: f"({losses.conditions[column.name]})" for column in invalid}
    broken.update(rules)
    # Whether a row breaks any rule is asked of all rows, which one only of those that do: an eighth less work.
    rejected = " OR ".join(broken.values())
    # Rule by rule: DuckDB takes a condition of one column into the scan, which saves a tenth of the whole.
    kept = " AND ".join(f"{condition} IS NOT TRUE" for condition in broken.values())
    first_broken = " ".join(f"WHEN {condition} THEN '{rule}'" for rule, condition in broken.items())
    # Spark would write a plain literal as a column that is never NULL. What is kept breaks no rule, so not the first.
    source_month = f"CASE WHEN {next(iter(rules.values()))} IS NOT TRUE THEN DATE '{month}' END AS {SOURCE_MONTH}"
    asked = sorted({mapping.columns[column.name].reference for column in invalid})
    return Queries(
        kept=_query([*asked, *mapped], [*names, source_month], kept),
        rejected=_query([*own, *mapped], [*own, f"CASE {first_broken} END AS {REJECTED_BY}"], rejected),
        rules=list(broken),
    )


def names_in_rejects(source: Sequence[SourceColumn]) -> list[str]:
    """List the names of the file's columns in the rejects: those in the file, but for none and the rule's."""
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
