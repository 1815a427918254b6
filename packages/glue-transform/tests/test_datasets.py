"""The datasets' definitions, and what is made of them for Redshift."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

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


def test_every_file_of_the_folder_is_a_dataset():
    folder = Path(datasets.__file__).parent
    assert datasets.names() == sorted(file.stem for file in folder.glob("*.toml")) == ["fhvhv", "green", "yellow"]
    assert [datasets.load(name).name for name in datasets.names()] == datasets.names()


@pytest.mark.parametrize("name", ["green", "yellow"])
def test_a_dataset_describes_its_table_its_copy_and_its_rules(name: str):
    dataset = datasets.load(name)
    assert redshift.create_table(dataset) == f"CREATE TABLE IF NOT EXISTS {name}_trips (\n{COLUMNS});\n"
    assert redshift.copy_columns(dataset) == (
        "vendor_id, pickup_datetime, dropoff_datetime, passenger_count, trip_distance, pickup_location_id, "
        "dropoff_location_id, payment_type, fare_amount, tip_amount, total_amount, source_month"
    )
    assert [rule.name for rule in dataset.rules] == RULES
    assert dataset.file_name(year=2024, month=9) == f"{name}_tripdata_2024-09.parquet"


def test_an_unknown_one():
    with pytest.raises(UnknownDataset, match=r"^no dataset 'fhv': choose one of fhvhv, green, yellow$"):
        datasets.load("fhv")


def definition(**changes: object) -> dict[str, object]:
    """A dataset of one column, with changes."""
    return {
        "table": "t",
        "file": "t_{year}-{month}.parquet",
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
            {"columns": [{"name": "fare", "type": "TEXT"}]},
            "column fare has type TEXT: choose one of SMALLINT, INTEGER, BIGINT, DECIMAL(p,s) of at most 18 digits, "
            "DOUBLE PRECISION, BOOLEAN, VARCHAR(n) of at most 65535 bytes, DATE, TIMESTAMP",
        ),
        (
            {"columns": [{"name": "Fare $", "type": "INTEGER"}]},
            "'Fare $' is no name for a column: take lower-case letters, digits and underscores",
        ),
        ({"table": "t; --"}, "'t; --' is no name for a table: take lower-case letters, digits and underscores"),
        ({"invalid_values": "drop"}, "invalid_values is drop: choose one of reject, null"),
        (
            {"rules": [{"name": "fare_invalid", "broken": "fare < 0"}]},
            "rule fare_invalid is the one for invalid values of fare: give it another name",
        ),
        *(
            ({"columns": [{"name": "fare", "type": type_, "values": {"A": value}}]}, f"column fare: {problem}")
            for type_, value, problem in (
                ("DATE", 1, "DATE has no codes: leave out its values"),
                ("INTEGER", True, "the code 'A' stands for True, which is no INTEGER"),
                ("BOOLEAN", 1, "the code 'A' stands for 1, which is no BOOLEAN"),
                ("SMALLINT", 32768, "the code 'A' stands for 32768, which is no SMALLINT"),
                ("VARCHAR(3)", "éé", "the code 'A' stands for 'éé', which is no VARCHAR(3)"),
                ("VARCHAR(3)", "it's", "the code 'A' has a quote or a backslash: leave it out"),
            )
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
        *(({what: []}, f"there are no {what}: give at least one") for what in ("columns", "eras", "rules")),
        ({"columns": [{"name": "fare"}]}, "'type' is missing"),
        (
            {"columns": {"fare": "INTEGER"}},
            "columns, eras and rules are tables, each begun by a line such as [[columns]]; write them so",
        ),
    ],
)
def test_a_definition_that_does_not(changes: dict[str, object], problem: str):
    with pytest.raises(InvalidDataset) as error:
        parse("t", definition(**changes))
    assert str(error.value) == f"t.toml: {problem}"


def test_the_command_prints_what_the_load_says_of_the_table(capsys: pytest.CaptureFixture[str]):
    assert command.main(["ddl", "yellow"]) == 0
    assert capsys.readouterr() == (
        f"CREATE TABLE IF NOT EXISTS yellow_trips (\n{COLUMNS});\n\nCOPY copied (\n"
        "    vendor_id, pickup_datetime, dropoff_datetime, passenger_count, trip_distance, pickup_location_id,\n"
        "    dropoff_location_id, payment_type, fare_amount, tip_amount, total_amount, source_month\n)\n",
        "",
    )


def test_the_command_says_in_one_line_what_is_wrong(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch):
    assert command.main(["ddl", "fhv"]) == 2
    assert capsys.readouterr() == ("", "glue_transform: no dataset 'fhv': choose one of fhvhv, green, yellow\n")
    monkeypatch.setattr(datasets, "files", lambda name: tmp_path)
    for text, problem in (
        ("table = ", "fhv.toml is not TOML: Invalid value (at end of document); correct it there"),
        ('table = "fhv_trips"', "fhv.toml: 'file' is missing"),
    ):
        (tmp_path / "fhv.toml").write_text(text)
        assert command.main(["ddl", "fhv"]) == 1
        assert capsys.readouterr() == ("", f"glue_transform: {problem}\n")


@pytest.mark.parametrize("argv", [[], ["ddl"], ["dll", "yellow"]])
def test_wrong_usage_of_the_command(argv: list[str]):
    run = subprocess.run([sys.executable, "-m", "glue_transform", *argv], capture_output=True, text=True)
    assert (run.returncode, run.stdout) == (2, "")
    assert run.stderr.startswith("usage: glue_transform")
