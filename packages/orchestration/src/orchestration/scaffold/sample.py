"""A sample of a month's file: its columns as Redshift could hold them, read from the Parquet footer by DuckDB."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from orchestration.errors import UsageError
from orchestration.pipelines import Month

_MONTH_IN_NAME = re.compile(r"(20\d\d-(?:0[1-9]|1[0-2]))\.parquet$")
_TYPES = {
    **dict.fromkeys(("TINYINT", "UTINYINT", "SMALLINT"), "SMALLINT"),
    **dict.fromkeys(("USMALLINT", "INTEGER"), "INTEGER"),
    **dict.fromkeys(("UINTEGER", "BIGINT", "UBIGINT", "HUGEINT"), "BIGINT"),
    **dict.fromkeys(("FLOAT", "DOUBLE"), "DOUBLE PRECISION"),
    **dict.fromkeys(("BOOLEAN", "DATE"), ""),
}
#: TLC's own names, whose words capitals do not tell apart: PULocationID, PUlocationID.
_PLACE = re.compile(r"(pu|do)_?location_?id", re.IGNORECASE)
_DECIMAL = re.compile(r"DECIMAL\((\d+),(\d+)\)")
#: What a DECIMAL of a dataset may have: glue_transform.types.
_MOST_DIGITS = 18
_LONGEST_TEXT = 65535


@dataclass(frozen=True)
class Column:
    """A column of the sample: its own name, that of the table, and its type in Redshift; "" where no type holds it."""

    source: str
    name: str
    type: str


@dataclass(frozen=True)
class Sample:
    """A file and what it says of itself. `month` is that of its name."""

    file: Path
    month: Month
    columns: tuple[Column, ...]

    @property
    def loadable(self) -> tuple[Column, ...]:
        return tuple(one for one in self.columns if one.type)

    @property
    def left_out(self) -> tuple[Column, ...]:
        return tuple(one for one in self.columns if not one.type)

    @property
    def pickup(self) -> Column:
        """The time that says which month a row is of: the first that is called a pickup, else the first."""
        times = [one for one in self.columns if one.type == "TIMESTAMP"]
        if not times:
            raise UsageError(f"{self.file} has no column of times, and a month's rows are checked by one")
        return next((one for one in times if "pickup" in one.name), times[0])


def read(file: Path) -> Sample:
    """Read a sample. Errors: UsageError for what is no Parquet file, or is not named after its month."""
    if not find_spec("duckdb"):
        raise UsageError("samples are read by DuckDB, of orchestration[local]: pip install duckdb")
    if not file.is_file():
        raise UsageError(f"there is no file {file}; --sample takes a month's Parquet file")
    found = _MONTH_IN_NAME.search(file.name)
    if not found:
        raise UsageError(
            f"{file.name} names no month: call it as it is published, such as fhv_tripdata_2024-09.parquet"
        )
    with _rows(file) as (connection, rows):
        described = connection.execute(f"DESCRIBE FROM {rows}").fetchall()
        columns = tuple(
            Column(name, to_name(name), _type(connection, rows, name, kind)) for name, kind, *_ in described
        )
    names = [one.name for one in columns]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise UsageError(f"{file}: more than one column would be called {twice[0]}; rename one")
    return Sample(file, Month.parse(found[1]), columns)


def head(sample: Sample, target: Path, *, rows: int) -> int:
    """Write the first rows of the sample's month to a Parquet file, and return how many.

    Errors: UsageError where there are none.
    """
    pickup, month = f"CAST({_quote(sample.pickup.source)} AS TIMESTAMP)", f"TIMESTAMP '{sample.month.first_day}'"
    within = f"{pickup} >= {month} AND {pickup} < {month} + INTERVAL 1 MONTH"
    with _rows(sample.file) as (connection, source):
        connection.execute(
            f"COPY (FROM {source} WHERE {within} LIMIT {rows}) TO {_text(target)} (FORMAT parquet, COMPRESSION snappy)"
        )
        (written,) = connection.execute(f"SELECT count(*) FROM read_parquet({_text(target)})").fetchone()  # noqa: S608
    if not written:
        raise UsageError(f"{sample.file} has no row of {sample.month} by {sample.pickup.source}: give another sample")
    return int(written)


def to_name(source: str) -> str:
    """Return a column's name as tables have them: `PULocationID` is pu_location_id."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", source.strip())
    if place := _PLACE.fullmatch(source.strip()):
        words = f"{place[1]}_location_id"
    name = re.sub(r"[^a-z0-9]+", "_", words.lower()).strip("_") or "column"
    return f"_{name}" if name[0].isdigit() else f"{name}_" if name == "source_month" else name


def _type(connection: Any, rows: str, name: str, kind: str) -> str:
    if kind in _TYPES:
        return _TYPES[kind] or kind
    if kind.startswith("TIMESTAMP"):
        return "TIMESTAMP"
    if decimal := _DECIMAL.fullmatch(kind):
        return kind if int(decimal[1]) <= _MOST_DIGITS else "DOUBLE PRECISION"
    if kind == "VARCHAR":
        (longest,) = connection.execute(f"SELECT max(strlen({_quote(name)})) FROM {rows}").fetchone()  # noqa: S608
        return f"VARCHAR({_round_up(int(longest or 1))})"
    return ""


def _round_up(longest: int) -> int:
    """Round bytes up to a power of two with room to spare: what comes later may be longer than a sample's."""
    return min(max(8, 1 << longest.bit_length()), _LONGEST_TEXT)


@contextmanager
def _rows(file: Path) -> Iterator[tuple[Any, str]]:
    import duckdb

    try:
        with duckdb.connect() as connection:
            yield connection, f"read_parquet({_text(file)}, hive_partitioning = false)"
    except duckdb.Error as error:
        raise UsageError(f"{file} can't be read as Parquet: {str(error).splitlines()[0]}") from error


def _quote(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _text(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"
