"""A dataset's definition as read from its TOML file."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Union

from glue_transform import types
from glue_transform.errors import InvalidDataset
from glue_transform.source import UTC
from glue_transform.types import ColumnType

#: Every table's last column: the month of the file a row came from. The load replaces a month by it.
SOURCE_MONTH = "source_month"

#: Area/Location. Abbreviations such as EST are left out: engines differ about them.
_ZONE = re.compile(r"UTC|[A-Z][A-Za-z_]+(/[A-Za-z][A-Za-z0-9_+-]*)+")


#: What becomes of a row with a value that its column cannot hold: it is rejected, or the value becomes NULL.
INVALID_VALUES = ("reject", "null")

#: A name in SQL that needs no quotes, of which every engine takes the same 127 characters.
_NAME = re.compile(r"[a-z_][a-z0-9_]{0,126}")

#: By type, what the codes of a text source may stand for.
_CODED = {"SMALLINT": int, "INTEGER": int, "BIGINT": int, "BOOLEAN": bool, "VARCHAR": str}

Code = Union[int, bool, str]


@dataclass(frozen=True)
class Column:
    """A column of the table. `values` maps upper-case codes of text sources to what they stand for."""

    name: str
    type: ColumnType
    values: Mapping[str, Code]

    @property
    def invalid_rule(self) -> str:
        """The rule by which rows are rejected whose value the column cannot hold."""
        return f"{self.name}_invalid"


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

    `zone` is where the wall clock hangs by which times with a zone become the table's, `invalid_values` one of
    INVALID_VALUES.
    """

    name: str
    table: str
    file: str
    zone: str
    invalid_values: str
    columns: Sequence[Column]
    eras: Sequence[Era]
    rules: Sequence[Rule]

    def file_name(self, *, year: int, month: int) -> str:
        """Return the published name of a month's file: `yellow_tripdata_2024-09.parquet`."""
        return self.file.format(year=year, month=f"{month:02}")


def parse(name: str, content: Mapping[str, Any]) -> Dataset:
    """Check a parsed TOML document and make it a Dataset. Raises InvalidDataset, naming what is wrong."""
    try:
        dataset = Dataset(
            name=name,
            table=content["table"],
            file=content["file"],
            zone=content.get("zone", UTC),
            invalid_values=content.get("invalid_values", "reject"),
            columns=(*(_column(name, c) for c in content["columns"]), Column(SOURCE_MONTH, ColumnType("DATE"), {})),
            eras=[Era(e["name"], e["columns"], e.get("marks", []), e.get("also", [])) for e in content["eras"]],
            rules=[Rule(r["name"], r["broken"]) for r in content["rules"]],
        )
    except KeyError as error:
        raise InvalidDataset(f"{name}.toml: {error} is missing") from None
    except (TypeError, AttributeError):
        raise InvalidDataset(
            f"{name}.toml: columns, eras and rules are tables, each begun by a line such as [[columns]]; write them so"
        ) from None
    for problem in _problems(dataset):
        raise InvalidDataset(f"{name}.toml: {problem}")
    return dataset


def _column(dataset: str, content: Mapping[str, Any]) -> Column:
    type_ = types.parse(content["type"])
    if type_ is None:
        raise InvalidDataset(
            f"{dataset}.toml: column {content['name']} has type {content['type']}: choose one of {types.CHOICES}"
        )
    return Column(content["name"], type_, content.get("values", {}))


def _problems(dataset: Dataset) -> list[str]:
    known = [column.name for column in dataset.columns]
    rules = [rule.name for rule in dataset.rules]
    problems = [f"column {name} is there twice" for name in sorted({n for n in known if known.count(n) > 1})]
    problems += [
        f"{name!r} is no name for a {what}: take lower-case letters, digits and underscores"
        for what, names in (("column", known), ("table", [dataset.table]))
        for name in names
        if not _NAME.fullmatch(name)
    ]
    problems += [
        f"there are no {what}: give at least one"
        for what, found in (("columns", known[:-1]), ("eras", dataset.eras), ("rules", rules))
        if not found
    ]
    if not _ZONE.fullmatch(dataset.zone):
        problems.append(f"zone {dataset.zone} is no IANA zone: give one such as America/New_York, or none for UTC")
    if dataset.invalid_values not in INVALID_VALUES:
        problems.append(f"invalid_values is {dataset.invalid_values}: choose one of {', '.join(INVALID_VALUES)}")
    problems += [f"rule {name} is there twice" for name in sorted({n for n in rules if rules.count(n) > 1})]
    problems += [
        f"rule {column.invalid_rule} is the one for invalid values of {column.name}: give it another name"
        for column in dataset.columns
        if column.invalid_rule in rules
    ]
    problems += [problem for column in dataset.columns for problem in _code_problems(column)]
    problems += [
        f"era {era.name} fills {target}, which is no column of the table"
        for era in dataset.eras
        for target in era.columns
        if target not in known[:-1]
    ]
    return problems


def _code_problems(column: Column) -> list[str]:
    kind = _CODED.get(column.type.name)
    if column.values and kind is None:
        return [f"column {column.name}: {column.type} has no codes: leave out its values"]
    problems = []
    for code, value in column.values.items():
        if code != code.strip().upper():
            problems.append(f"column {column.name}: the code {code!r} is not in upper case")
        if any(character in f"{code}{value}" for character in "'\\"):
            problems.append(f"column {column.name}: the code {code!r} has a quote or a backslash: leave it out")
        if type(value) is not kind or not _holds(column.type, value):
            problems.append(f"column {column.name}: the code {code!r} stands for {value!r}, which is no {column.type}")
    return problems


def _holds(type_: ColumnType, value: Code) -> bool:
    if isinstance(value, str):
        return len(value.encode()) <= type_.size
    return isinstance(value, bool) or type_.whole_range[0] <= value <= type_.whole_range[1]
