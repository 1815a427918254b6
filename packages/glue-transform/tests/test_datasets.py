"""The datasets' definitions, and what is made of them for Redshift."""

from __future__ import annotations

import subprocess
import sys

import pytest

import glue_transform.__main__ as command
from glue_transform import datasets, redshift
from glue_transform.datasets.definition import parse
from glue_transform.errors import InvalidDataset, UnknownDataset

COLUMNS = """\
    vendor_id INTEGER,
    pickup_datetime TIMESTAMP,
    dropoff_datetime TIMESTAMP,
    passenger_count INTEGER,
    trip_distance DOUBLE PRECISION,
    pickup_location_id INTEGER,
    dropoff_location_id INTEGER,
    payment_type INTEGER,
    fare_amount DOUBLE PRECISION,
    tip_amount DOUBLE PRECISION,
    total_amount DOUBLE PRECISION,
    source_month DATE
"""

RULES = [
    "pickup_missing",
    "pickup_outside_month",
    "trip_distance_not_positive",
    "fare_amount_not_positive",
    "total_amount_not_positive",
]


def test_there_are_two():
    assert datasets.names() == ["green", "yellow"]


@pytest.mark.parametrize("name", ["green", "yellow"])
def test_the_table(name: str):
    dataset = datasets.load(name)
    assert redshift.create_table(dataset) == f"CREATE TABLE IF NOT EXISTS {name}_trips (\n{COLUMNS});\n"
    assert redshift.copy_columns(dataset) == (
        "vendor_id, pickup_datetime, dropoff_datetime, passenger_count, trip_distance, pickup_location_id, "
        "dropoff_location_id, payment_type, fare_amount, tip_amount, total_amount, source_month"
    )
    assert [rule.name for rule in dataset.rules] == RULES
    assert dataset.file_name(year=2024, month=9) == f"{name}_tripdata_2024-09.parquet"


def test_an_unknown_one():
    with pytest.raises(UnknownDataset, match=r"^no dataset 'fhv': choose one of green, yellow$"):
        datasets.load("fhv")


def definition(**changes: object) -> dict[str, object]:
    """A dataset of one column, with changes."""
    return {
        "table": "t",
        "file": "t_{year}-{month}.parquet",
        "bytes_per_row": 8,
        "columns": [{"name": "fare", "type": "INTEGER"}],
        "eras": [{"name": "2020", "columns": {"fare": "Fare"}}],
        "rules": [{"name": "fare_missing", "broken": "fare IS NULL"}],
        **changes,
    }


def test_a_definition_that_holds():
    assert [column.name for column in parse("t", definition()).columns] == ["fare", "source_month"]


def test_times_with_a_zone_become_those_of_utc_unless_the_definition_says_otherwise():
    assert parse("t", definition()).zone == "UTC"
    assert parse("t", definition(zone="America/New_York")).zone == "America/New_York"


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"columns": [{"name": "fare", "type": "INTEGER"}] * 2}, "column fare is there twice"),
        ({"columns": [{"name": "source_month", "type": "DATE"}]}, "column source_month is there twice"),
        ({"rules": [{"name": "r", "broken": "fare < 0"}] * 2}, "rule r is there twice"),
        (
            {"columns": [{"name": "fare", "type": "BIGINT"}]},
            "column fare has type BIGINT: choose one of INTEGER, DOUBLE PRECISION, TIMESTAMP",
        ),
        (
            {"columns": [{"name": "fare", "type": "INTEGER", "values": {"cash": 1}}]},
            "column fare: the code 'cash' is not in upper case",
        ),
        (
            {"eras": [{"name": "2020", "columns": {"tip": "Tip"}}]},
            "era 2020 fills tip, which is no column of the table",
        ),
        *(
            ({"zone": zone}, f"zone {zone} is no IANA zone: give one such as America/New_York, or none for UTC")
            for zone in ("EST", "+05:00", "America/New York", "America/New_York'", "")
        ),
        ({"rules": [{"name": "r"}]}, "'broken' is missing"),
        ({"columns": [{"name": "fare"}]}, "'type' is missing"),
    ],
)
def test_a_definition_that_does_not(changes: dict[str, object], problem: str):
    with pytest.raises(InvalidDataset) as error:
        parse("t", definition(**changes))
    assert str(error.value) == f"t.toml: {problem}"


def test_the_command_prints_the_ddl(capsys: pytest.CaptureFixture[str]):
    assert command.main(["ddl", "yellow"]) == 0
    assert capsys.readouterr().out == redshift.create_table(datasets.load("yellow"))


@pytest.mark.parametrize("argv", [[], ["ddl"], ["ddl", "fhv"], ["dll", "yellow"]])
def test_wrong_usage_of_the_command(argv: list[str]):
    run = subprocess.run([sys.executable, "-m", "glue_transform", *argv], capture_output=True, text=True)
    assert (run.returncode, run.stdout) == (2, "")
    assert run.stderr.startswith("usage: glue_transform")
