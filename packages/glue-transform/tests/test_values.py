"""Single values of a file, each cast by both engines to the same thing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from trip_files import read_rows, write_parquet

from glue_transform.errors import NothingKept

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

#: Files, each with some columns of another type: the column, its place in the table, and what becomes of its values.
FILES = {
    "text": {
        "VendorID VARCHAR": (0, CODES),
        "tpep_dropoff_datetime VARCHAR": (2, TIMES),
        "passenger_count VARCHAR": (3, INTEGERS),
        "tip_amount VARCHAR": (9, NUMBERS),
    },
    "doubles and nanoseconds": {
        "tpep_dropoff_datetime TIMESTAMP_NS": (2, NANOSECONDS),
        "passenger_count DOUBLE": (3, DOUBLES),
        "tip_amount DOUBLE": (9, {"NaN": None, "Infinity": None, "-Infinity": None, "0.1": 0.1}),
    },
    "longs, dates and floats": {
        "tpep_dropoff_datetime DATE": (2, {"2024-02-03": at("2024-02-03 00:00:00")}),
        "passenger_count BIGINT": (3, LONGS),
        "tip_amount FLOAT": (9, {"0.5": 0.5, "NaN": None, "Infinity": None}),
    },
    "decimals": {
        "passenger_count DECIMAL(20,1)": (3, {"1.0": 1, "1.5": None, "2147483648.0": None}),
        "tip_amount DECIMAL(18,2)": (9, {"123456789.12": 123456789.12, "-0.01": -0.01}),
    },
    "smallest and largest": {
        "passenger_count TINYINT": (3, {"-128": -128}),
        "tip_amount BIGINT": (9, {"3": 3.0}),
    },
}

COLUMNS = {
    "VendorID": "2",
    "tpep_pickup_datetime": "TIMESTAMP '2024-02-03 10:00:00'",
    "tpep_dropoff_datetime": "TIMESTAMP '2024-02-03 10:20:00'",
    "passenger_count": "1",
    "trip_distance": "CAST(2.5 AS DOUBLE)",
    "PULocationID": "CAST(number AS INTEGER)",
    "DOLocationID": "237",
    "payment_type": "1",
    "fare_amount": "CAST(10.0 AS DOUBLE)",
    "tip_amount": "CAST(2.0 AS DOUBLE)",
    "total_amount": "CAST(15.0 AS DOUBLE)",
}


AMOUNTS = ("fare_amount", "tip_amount", "total_amount")


def write_trips(lake, columns: Mapping[str, Sequence[str]]) -> int:
    """Write trips that go through the columns' values. Their numbers are their pickup locations. Gives their count."""
    count = max(map(len, columns.values()))
    rows = [[str(number), *(values[number % len(values)] for values in columns.values())] for number in range(count)]
    literals = ", ".join("(" + ", ".join(f"'{value}'" for value in row) + ")" for row in rows)
    changes = {
        name: f"CAST(value_{i} AS {type_})" for i, (name, type_) in enumerate(key.split(" ", 1) for key in columns)
    }
    query = ", ".join(f'{expression} AS "{name}"' for name, expression in {**COLUMNS, **changes}.items())
    names = ", ".join(["number", *(f"value_{i}" for i in range(len(columns)))])
    write_parquet(f"SELECT {query} FROM (VALUES {literals}) AS trips({names})", lake.raw("yellow", 2024, 2))
    return count


@pytest.mark.parametrize("columns", FILES.values(), ids=FILES)
def test_a_value_of_every_kind_becomes_that_of_its_column(lake, engine, columns: dict[str, tuple[int, dict[str, Any]]]):
    count = write_trips(lake, {key: list(values) for key, (_, values) in columns.items()})
    manifest = lake.transform("yellow", 2024, 2, engine=engine)
    rows = {row[5]: row for row in read_rows(lake.kept(manifest))}
    assert len(rows) == count
    for key, (position, values) in columns.items():
        assert {text: rows[number][position] for number, text in enumerate(values)} == values, key


@pytest.mark.parametrize("type_", ["DOUBLE", "FLOAT"])
def test_an_amount_that_is_no_number_is_missing(lake, engine, type_: str):
    write_trips(lake, {f"{name} {type_}": ["NaN", "-Infinity", "Infinity", "1"] for name in AMOUNTS})
    manifest = lake.transform("yellow", 2024, 2, engine=engine)
    assert (manifest["load"]["rows_kept"], manifest["rejected"]["fare_amount_not_positive"]) == (1, 3)
    assert [row[8:11] for row in read_rows(lake.kept(manifest))] == [(1.0, 1.0, 1.0)]
    assert [(line["column"], line["change"], line["rows"]) for line in manifest["drift"]] == [
        (name, "unreadable_values", 2) for name in AMOUNTS
    ]


def test_a_missing_total_or_distance_is_rejected_by_its_rule(lake, engine):
    write_trips(
        lake,
        {
            "trip_distance DOUBLE": ["NaN", "Infinity", "1", "1", "1"],
            "total_amount DOUBLE": ["1", "1", "NaN", "Infinity", "1"],
        },
    )
    manifest = lake.transform("yellow", 2024, 2, engine=engine)
    rejected = {rule: rows for rule, rows in manifest["rejected"].items() if rows}
    assert (manifest["load"]["rows_kept"], rejected) == (
        1,
        {"trip_distance_not_positive": 2, "total_amount_not_positive": 2},
    )


def test_a_month_of_unreadable_amounts_names_their_column(lake, engine):
    write_trips(lake, {"fare_amount VARCHAR": ["$1.00", "$2.00"], "tip_amount VARCHAR": ["$1.00", "2.00"]})
    with pytest.raises(NothingKept) as error:
        lake.transform("yellow", 2024, 2, engine=engine)
    assert str(error.value) == (
        "s3://raw/yellow/2024/02/yellow_tripdata_2024-02.parquet: none of its 2 rows is kept "
        "(fare_amount_not_positive 2; column 'fare_amount' holds text that cannot be read as fare_amount in 2 rows; "
        "column 'tip_amount' holds text that cannot be read as tip_amount in 1 rows); the month is left as it was: "
        "look at the file, and at the rules of the dataset"
    )
    assert lake.processed() == []
