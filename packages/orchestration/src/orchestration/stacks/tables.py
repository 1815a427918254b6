"""The datasets' tables: what brings one up to its dataset, or the error that says why it cannot be.

A load makes its table where there is none. After that the table is altered here, by the warehouse's administrator: a
column that is missing is added, a VARCHAR is widened. Each is one statement and a transaction of its own: Redshift adds
one column a statement, and alters no type within a transaction block
(https://docs.aws.amazon.com/redshift/latest/dg/r_ALTER_TABLE.html). It waits for the transactions that hold the table;
loads name their columns, so one that is under way, or of an earlier release, is not disturbed by a further one. Done
again after it was cut short, it alters what is left.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import tomllib

from orchestration.errors import DeployError
from orchestration.stacks.grants import Query

_SCHEMA = "public"
_DATASET = re.compile(r"glue_transform/datasets/(\w+)\.toml")
#: Every table's last column, which no dataset lists: the month of the file that a row came from.
_SOURCE_MONTH = {"source_month": "DATE"}
#: What SVV_COLUMNS calls the types that datasets call otherwise.
_NAMES = {
    "character varying": "VARCHAR",
    "numeric": "DECIMAL",
    "timestamp without time zone": "TIMESTAMP",
}
_VARCHAR = re.compile(r"VARCHAR\((\d+)\)")


@dataclass(frozen=True)
class Table:
    """A dataset's table: its columns and their types, as the dataset writes them."""

    dataset: str
    name: str
    columns: Mapping[str, str]

    @property
    def full_name(self) -> str:
        return f"{_SCHEMA}.{self.name}"


@dataclass(frozen=True)
class Alteration:
    """One statement that brings a table nearer to its dataset."""

    table: Table
    column: str
    sql: str


def read_wheel(wheel: bytes) -> list[Table]:
    """Read the tables from the datasets in glue-transform's wheel. Errors: DeployError names the dataset."""
    with zipfile.ZipFile(io.BytesIO(wheel)) as archive:
        found = [match for file in sorted(archive.namelist()) if (match := _DATASET.fullmatch(file))]
        return [_table(match[1], archive.read(match[0])) for match in found]


def _table(dataset: str, text: bytes) -> Table:
    try:
        content = tomllib.loads(text.decode())
        columns = {one["name"]: str(one["type"]).replace(", ", ",") for one in content["columns"]}
        return Table(dataset, content["table"], columns | _SOURCE_MONTH)
    except (ValueError, KeyError, TypeError) as error:
        raise DeployError(f"the dataset {dataset}.toml says nothing of its table ({error!r}): correct it") from error


def digest(tables: Iterable[Table]) -> str:
    """Identify what datasets say of their tables, to be kept where the tables have been brought to it."""
    described = json.dumps([[one.name, sorted(one.columns.items())] for one in tables])
    return hashlib.sha256(described.encode()).hexdigest()[:16]


def read(tables: Sequence[Table], query: Query) -> dict[str, dict[str, str]]:
    """Read the columns and types of the tables that exist, by table.

    https://docs.aws.amazon.com/redshift/latest/dg/r_SVV_COLUMNS.html
    """
    names = ", ".join(f"'{table.name}'" for table in tables)
    rows = query(
        "SELECT table_name, column_name, data_type, character_maximum_length, numeric_precision, numeric_scale "  # noqa: S608
        f"FROM svv_columns WHERE table_schema = '{_SCHEMA}' AND table_name IN ({names}) ORDER BY ordinal_position"
    )
    found: dict[str, dict[str, str]] = {}
    for table, column, kind, length, precision, scale in rows:
        name = _NAMES.get(kind, kind.upper())
        size = {"VARCHAR": f"({length})", "DECIMAL": f"({precision},{scale})"}.get(name, "")
        found.setdefault(table, {})[column] = name + size
    return found


def alterations(table: Table, found: Mapping[str, str], *, going_back: bool) -> list[Alteration]:
    """List what brings a table with the columns `found` up to its dataset.

    `going_back` is for a release that was there before: what a later one added to the table may stay. Errors:
    DeployError, which names every column that cannot be brought to its dataset, and what to do.
    """
    missing = [name for name in table.columns if name not in found]
    altered = [
        Alteration(table, name, f"ALTER TABLE {table.full_name} ADD COLUMN {name} {table.columns[name]}")
        for name in missing
    ]
    refused = []
    for name, there in found.items():
        wanted = table.columns.get(name)
        if wanted is None:
            if not going_back:
                refused.append(_explain_removal(table, name))
        elif there != wanted:
            wider = _wider(there, wanted)
            if wider:
                sql = f"ALTER TABLE {table.full_name} ALTER COLUMN {name} TYPE {wanted}"
                altered.append(Alteration(table, name, sql))
            elif wider is None or not going_back:
                refused.append(_explain_change(table, name, there, wanted, narrower=wider is False))
    if refused:
        raise DeployError("; ".join(refused))
    return altered


def reload_hint(table: Table, columns: Sequence[str], pipeline: str, months: tuple[str, str], environment: str) -> str:
    """Say which months were loaded before the columns were there, and how they are loaded again."""
    first, last = months
    return (
        f"{table.full_name} was brought up to its dataset ({', '.join(columns)}); the months loaded before have none "
        f"of that: `elt backfill {pipeline} --from {first} --to {last} --force --env {environment}` loads them again"
    )


def _wider(there: str, wanted: str) -> bool | None:
    """Is the wanted VARCHAR wider than the one there? None where one of them is no VARCHAR."""
    sizes = [_VARCHAR.fullmatch(one) for one in (there, wanted)]
    if sizes[0] is None or sizes[1] is None:
        return None
    return int(sizes[1][1]) > int(sizes[0][1])


def _explain_removal(table: Table, column: str) -> str:
    return (
        f"{table.full_name} has the column {column}, and the dataset {table.dataset!r} has not: a deployment drops no "
        f"data; give it back to the dataset (an era may leave it out), or `ALTER TABLE {table.full_name} DROP COLUMN "
        f"{column}` and deploy again"
    )


def _explain_change(table: Table, column: str, there: str, wanted: str, *, narrower: bool) -> str:
    what = "text that is loaded may be longer" if narrower else "Redshift changes no column to another type"
    return (
        f"the column {column} of {table.full_name} is {there}, and {wanted} in the dataset {table.dataset!r}: {what}; "
        f"give it {there} again, or a column of another name"
    )
