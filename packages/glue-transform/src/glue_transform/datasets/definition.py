"""A dataset's definition as read from its TOML file."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from glue_transform.errors import InvalidDataset
from glue_transform.source import UTC

#: Redshift types that a column may have. COPY widens nothing, so Parquet must hold exactly their like: 32-bit
#: integers, doubles, timestamps in microseconds without zone.
COLUMN_TYPES = ("INTEGER", "DOUBLE PRECISION", "TIMESTAMP")

#: Every table's last column: the month of the file a row came from. The load replaces a month by it.
SOURCE_MONTH = "source_month"

#: Area/Location. Abbreviations such as EST are left out: engines differ about them.
_ZONE = re.compile(r"UTC|[A-Z][A-Za-z_]+(/[A-Za-z][A-Za-z0-9_+-]*)+")


@dataclass(frozen=True)
class Column:
    """A column of the table. `values` maps upper-case codes of text sources to numbers."""

    name: str
    type: str
    values: Mapping[str, int]


@dataclass(frozen=True)
class Era:
    """One shape of the source files.

    `columns` maps the table's columns to the file's, `marks` are further columns that tell this era from another,
    `also` those that are known and not loaded. Names of the file as published.
    """

    name: str
    columns: Mapping[str, str]
    marks: Sequence[str]
    also: Sequence[str]


@dataclass(frozen=True)
class Rule:
    """A row for which the SQL condition `broken` holds is rejected. It speaks of the table's columns."""

    name: str
    broken: str


@dataclass(frozen=True)
class Dataset:
    """All there is to know about a dataset. `columns` ends with `source_month`.

    `zone` is where the wall clock hangs by which times with a zone become the table's.
    """

    name: str
    table: str
    file: str
    zone: str
    bytes_per_row: int
    columns: Sequence[Column]
    eras: Sequence[Era]
    rules: Sequence[Rule]

    def file_name(self, *, year: int, month: int) -> str:
        """The published name of a month's file: `yellow_tripdata_2024-09.parquet`."""
        return self.file.format(year=year, month=f"{month:02}")


def parse(name: str, content: Mapping[str, Any]) -> Dataset:
    """Check a parsed TOML document and make it a Dataset. Raises InvalidDataset, naming what is wrong."""
    try:
        columns = [Column(c["name"], c["type"], c.get("values", {})) for c in content["columns"]]
        dataset = Dataset(
            name=name,
            table=content["table"],
            file=content["file"],
            zone=content.get("zone", UTC),
            bytes_per_row=content["bytes_per_row"],
            columns=(*columns, Column(SOURCE_MONTH, "DATE", {})),
            eras=[Era(e["name"], e["columns"], e.get("marks", []), e.get("also", [])) for e in content["eras"]],
            rules=[Rule(r["name"], r["broken"]) for r in content["rules"]],
        )
    except KeyError as error:
        raise InvalidDataset(f"{name}.toml: {error} is missing") from None
    for problem in _problems(dataset):
        raise InvalidDataset(f"{name}.toml: {problem}")
    return dataset


def _problems(dataset: Dataset) -> list[str]:
    known = [column.name for column in dataset.columns]
    rules = [rule.name for rule in dataset.rules]
    problems = [f"column {name} is there twice" for name in sorted({n for n in known if known.count(n) > 1})]
    if not _ZONE.fullmatch(dataset.zone):
        problems.append(f"zone {dataset.zone} is no IANA zone: give one such as America/New_York, or none for UTC")
    problems += [f"rule {name} is there twice" for name in sorted({n for n in rules if rules.count(n) > 1})]
    problems += [
        f"column {column.name} has type {column.type}: choose one of {', '.join(COLUMN_TYPES)}"
        for column in dataset.columns[:-1]
        if column.type not in COLUMN_TYPES
    ]
    problems += [
        f"column {column.name}: the code {code!r} is not in upper case"
        for column in dataset.columns
        for code in column.values
        if code != code.strip().upper()
    ]
    problems += [
        f"era {era.name} fills {target}, which is no column of the table"
        for era in dataset.eras
        for target in era.columns
        if target not in known[:-1]
    ]
    return problems
