"""The transform as SQL: three queries on a view named `source`, the same text for both engines.

Spark takes standard quotes and TRY_CAST with the settings in engines/spark.py.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from glue_transform.casts import cast, lost, quoted
from glue_transform.datasets import Dataset
from glue_transform.datasets.definition import SOURCE_MONTH
from glue_transform.mapping import FileMapping
from glue_transform.source import SourceColumn

#: The column that a rejected row has beside its own: the name of the rule it broke.
REJECTED_BY = "rejected_by"


@dataclass(frozen=True)
class Queries:
    """What an engine runs on a file.

    `audit` gives one row of counts: rows read, rows rejected by each rule, values lost in each of `lossy` (names of
    the table's columns). `kept` gives the table's columns, `rejected` the file's own and `rejected_by`.
    """

    audit: str
    kept: str
    rejected: str
    rules: Sequence[str]
    lossy: Sequence[str]


def build(dataset: Dataset, mapping: FileMapping, *, source: Sequence[SourceColumn], month: dt.date) -> Queries:
    """The queries for one file: its columns, how they fit the dataset, and the first day of its month."""
    values = {c.name: cast(mapping.columns.get(c.name), c) for c in dataset.columns[:-1]}
    # A CASE without ELSE can be NULL, so Spark writes the column as nullable; a bare literal it would not.
    values[SOURCE_MONTH] = f"CASE WHEN TRUE THEN DATE '{month}' END"
    mapped = [f"{expression} AS {name}" for name, expression in values.items()]
    losses = {
        column.name: condition
        for column in dataset.columns[:-1]
        if column.name in mapping.columns and (condition := lost(mapping.columns[column.name], column))
    }
    judged = _first_broken(dataset, month)
    rules = [rule.name for rule in dataset.rules]
    counts = [
        "COUNT(*)",
        *(f"COUNT(CASE WHEN broken_rule = '{rule}' THEN 1 END)" for rule in rules),
        *(f"COUNT(CASE WHEN lost_{name} THEN 1 END)" for name in losses),
    ]
    own = [f"{quoted(column.name)} AS source_{i}" for i, column in enumerate(source)]
    return Queries(
        audit=_query([*mapped, *(f"{condition} AS lost_{name}" for name, condition in losses.items())], judged, counts),
        kept=_query(mapped, judged, list(values)) + "\nWHERE broken_rule IS NULL",
        rejected=_query(
            [*own, *mapped],
            judged,
            [
                *(f"source_{i} AS {quoted(column.name)}" for i, column in enumerate(source)),
                f"broken_rule AS {REJECTED_BY}",
            ],
        )
        + "\nWHERE broken_rule IS NOT NULL",
        rules=rules,
        lossy=list(losses),
    )


def _query(mapped: Sequence[str], judged: str, columns: Sequence[str]) -> str:
    mapped_rows = f"mapped AS (\n  SELECT\n    {_lines(mapped)}\n  FROM source\n)"
    judged_rows = f"judged AS (\n  SELECT *, {judged} AS broken_rule\n  FROM mapped\n)"
    return f"WITH {mapped_rows},\n{judged_rows}\nSELECT\n    {_lines(columns)}\nFROM judged"


def _lines(items: Sequence[str]) -> str:
    return ",\n    ".join(items)


def _first_broken(dataset: Dataset, month: dt.date) -> str:
    following = (month + dt.timedelta(days=32)).replace(day=1)
    instants = {":month_start": f"TIMESTAMP '{month} 00:00:00'", ":month_end": f"TIMESTAMP '{following} 00:00:00'"}
    cases = []
    for rule in dataset.rules:
        condition = rule.broken
        for parameter, instant in instants.items():
            condition = condition.replace(parameter, instant)
        cases.append(f"WHEN {condition} THEN '{rule.name}'")
    return "CASE " + " ".join(cases) + " END"
