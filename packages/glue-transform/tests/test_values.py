"""Single values of a file, each cast by both engines to the same thing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

import pytest
from trip_files import read_rows, write_parquet

at = dt.datetime.fromisoformat

NUMBERS = {
    "1": 1.0,
    " 1 ": 1.0,
    "+1": 1.0,
    "1.": 1.0,
    ".5": 0.5,
    "1.25": 1.25,
    "-1.25": -1.25,
    "1e2": 100.0,
    "1E-2": 0.01,
    "0007": 7.0,
    "1e400": None,
    "-1e400": None,
    "1d": None,
    "1f": None,
    "0x10": None,
    "1_000": None,
    "1,000": None,
    "$1": None,
    "1 2": None,
    "NaN": None,
    "Infinity": None,
    "inf": None,
    ".": None,
    "-": None,
    "e5": None,
    "": None,
    "  ": None,
    "\t1": None,
    "1\n": None,
    "N": None,
    "\u0661": None,
}

INTEGERS = {
    **NUMBERS,
    ".5": None,
    "1.25": None,
    "-1.25": None,
    "1E-2": None,
    "2147483647": 2147483647,
    "2147483648": None,
}

CODES = {"CMT": 1, "cmt": 1, " Vts ": 2, "DDS": 3, "2": 2, "2.0": 2, "XYZ": None, "": None}

TIMES = {
    "2024-02-03 10:11:12": at("2024-02-03 10:11:12"),
    " 2024-02-03 10:11:12 ": at("2024-02-03 10:11:12"),
    "2024-02-03T10:11:12": at("2024-02-03 10:11:12"),
    "2024-02-03 10:11:12.5": at("2024-02-03 10:11:12.500000"),
    "2024-02-03 10:11:12.123456": at("2024-02-03 10:11:12.123456"),
    "2024-02-29 23:59:59": at("2024-02-29 23:59:59"),
    "2023-02-29 00:00:00": None,
    "2024-13-01 00:00:00": None,
    "2024-02-03 24:00:00": None,
    "2024-02-03 10:60:00": None,
    "2024-02-03 10:11:60": None,
    "2024-02-03 10:11": None,
    "2024-02-03": None,
    "2024": None,
    "2024-02-03 10:11:12+05": None,
    "2024-02-03 10:11:12Z": None,
    "02/03/2024 10:11:12": None,
    "2024-2-3 10:11:12": None,
    "now": None,
    "epoch": None,
    "infinity": None,
    "": None,
}

DOUBLES = {
    "1.0": 1,
    "2147483647.0": 2147483647,
    "2147483648.0": None,
    "1.5": None,
    "-0.0": 0,
    "1e300": None,
    "NaN": None,
}

LONGS = {"1": 1, "-2147483648": -2147483648, "-2147483649": None, "9223372036854775807": None}

NANOSECONDS = {
    "2024-02-03 10:11:12.000000001": at("2024-02-03 10:11:12"),
    "2024-02-03 10:11:12.123456999": at("2024-02-03 10:11:12.123456"),
    "1969-12-31 23:59:59.999999999": at("1969-12-31 23:59:59.999999"),
}

CASES = [
    pytest.param("tip_amount", "VARCHAR", 9, NUMBERS, id="text to double"),
    pytest.param("passenger_count", "VARCHAR", 3, INTEGERS, id="text to integer"),
    pytest.param("VendorID", "VARCHAR", 0, CODES, id="codes"),
    pytest.param("tpep_dropoff_datetime", "VARCHAR", 2, TIMES, id="text to timestamp"),
    pytest.param("passenger_count", "DOUBLE", 3, DOUBLES, id="double to integer"),
    pytest.param("passenger_count", "BIGINT", 3, LONGS, id="long to integer"),
    pytest.param("tpep_dropoff_datetime", "TIMESTAMP_NS", 2, NANOSECONDS, id="nanoseconds"),
    pytest.param(
        "tip_amount", "DOUBLE", 9, {"NaN": None, "Infinity": None, "-Infinity": None, "0.1": 0.1}, id="not finite"
    ),
    pytest.param("tip_amount", "FLOAT", 9, {"0.5": 0.5, "NaN": None}, id="float to double"),
    pytest.param("tip_amount", "DECIMAL(18,2)", 9, {"123456789.12": 123456789.12, "-0.01": -0.01}, id="decimal"),
    pytest.param("tip_amount", "BIGINT", 9, {"3": 3.0}, id="long to double"),
    pytest.param("tpep_dropoff_datetime", "DATE", 2, {"2024-02-03": at("2024-02-03 00:00:00")}, id="date to timestamp"),
]


COLUMNS = {
    "VendorID": "2",
    "tpep_pickup_datetime": "TIMESTAMP '2024-02-03 10:00:00'",
    "tpep_dropoff_datetime": "TIMESTAMP '2024-02-03 10:20:00'",
    "passenger_count": "1",
    "trip_distance": "CAST(2.5 AS DOUBLE)",
    "PULocationID": "number",
    "DOLocationID": "237",
    "payment_type": "1",
    "fare_amount": "CAST(10.0 AS DOUBLE)",
    "tip_amount": "CAST(2.0 AS DOUBLE)",
    "total_amount": "CAST(15.0 AS DOUBLE)",
}


def write_trips(lake, values: Iterable[str], **changes: str) -> None:
    """One trip for each value. Its number is its pickup location, so that the rows can be told apart."""
    rows = ", ".join(f"({number}, {_literal(text)})" for number, text in enumerate(values))
    columns = ", ".join(f'{expression} AS "{name}"' for name, expression in {**COLUMNS, **changes}.items())
    write_parquet(f"SELECT {columns} FROM (VALUES {rows}) AS trips(number, value)", lake.raw("yellow", 2024, 2))


def _literal(text: str) -> str:
    return "'" + text + "'"


@pytest.mark.parametrize(("column", "type_", "position", "values"), CASES)
def test_a_value(lake, engine, column: str, type_: str, position: int, values: dict[str, Any]):
    write_trips(lake, values, **{column: f"CAST(value AS {type_})"})
    manifest = lake.transform("yellow", 2024, 2, engine=engine)
    found = {row[5]: row[position] for row in read_rows(lake.kept(manifest))}
    assert {text: found[number] for number, text in enumerate(values)} == values


def test_an_amount_that_is_no_number_is_missing(lake, engine):
    write_trips(lake, ["NaN", "Infinity", "-Infinity", "1"], fare_amount="CAST(value AS DOUBLE)")
    manifest = lake.transform("yellow", 2024, 2, engine=engine)
    assert (manifest["load"]["rows_kept"], manifest["rejected"]["fare_amount_not_positive"]) == (1, 3)
