"""The generated month: TLC's schema, its dirt, and the same rows for the same seed."""

from __future__ import annotations

import hashlib
from pathlib import Path

import duckdb
import pytest

from orchestration.generate import yellow_month
from orchestration.pipelines import Month

SEPTEMBER = Month(2024, 9)
SCHEMA_OF_2024 = [
    ("VendorID", "INTEGER"),
    ("tpep_pickup_datetime", "TIMESTAMP"),
    ("tpep_dropoff_datetime", "TIMESTAMP"),
    ("passenger_count", "BIGINT"),
    ("trip_distance", "DOUBLE"),
    ("RatecodeID", "BIGINT"),
    ("store_and_fwd_flag", "VARCHAR"),
    ("PULocationID", "INTEGER"),
    ("DOLocationID", "INTEGER"),
    ("payment_type", "BIGINT"),
    ("fare_amount", "DOUBLE"),
    ("extra", "DOUBLE"),
    ("mta_tax", "DOUBLE"),
    ("tip_amount", "DOUBLE"),
    ("tolls_amount", "DOUBLE"),
    ("improvement_surcharge", "DOUBLE"),
    ("total_amount", "DOUBLE"),
    ("congestion_surcharge", "DOUBLE"),
    ("Airport_fee", "DOUBLE"),
]


@pytest.fixture(scope="module")
def month(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return yellow_month(tmp_path_factory.mktemp("source"), month=SEPTEMBER, rows=200_000)


def scalar(sql: str) -> object:
    row = duckdb.sql(sql).fetchall()
    return row[0][0]


def test_name_schema_and_rows(month: Path) -> None:
    assert month.name == "yellow_tripdata_2024-09.parquet"
    described = duckdb.sql(f"DESCRIBE SELECT * FROM '{month}'").fetchall()
    assert [(row[0], row[1]) for row in described] == SCHEMA_OF_2024
    assert scalar(f"SELECT count(*) FROM '{month}'") == 200_000


def test_dirt(month: Path) -> None:
    outside = f"tpep_pickup_datetime < '{SEPTEMBER.first_day}' OR tpep_pickup_datetime >= '2024-10-01'"
    strays = scalar(f"SELECT count(*) FROM '{month}' WHERE {outside}")
    negative = scalar(f"SELECT count(*) FROM '{month}' WHERE fare_amount < 0")
    assert isinstance(strays, int)
    assert isinstance(negative, int)
    assert 1 <= strays <= 20
    assert 0.001 < negative / 200_000 < 0.004
    five = "passenger_count, RatecodeID, store_and_fwd_flag, congestion_surcharge, Airport_fee"
    nulls = duckdb.sql(
        f"SELECT DISTINCT len(list_filter([{', '.join(f'{c} IS NULL' for c in five.split(', '))}], "
        f"lambda missing: missing)) FROM '{month}' ORDER BY 1"
    ).fetchall()
    assert nulls == [(0,), (5,)], "the five are null together or not at all"


def test_amounts_add_up(month: Path) -> None:
    parts = "fare_amount + extra + mta_tax + tip_amount + tolls_amount + improvement_surcharge"
    wrong = scalar(
        f"SELECT count(*) FROM '{month}' WHERE congestion_surcharge IS NOT NULL "
        f"AND abs({parts} + congestion_surcharge + Airport_fee - total_amount) > 0.005"
    )
    assert wrong == 0


def test_the_seed_decides(tmp_path: Path) -> None:
    def digest(folder: str, seed: int) -> str:
        file = yellow_month(tmp_path / folder, month=SEPTEMBER, rows=5_000, seed=seed)
        rows = duckdb.sql(f"SELECT * FROM '{file}'").fetchall()
        return hashlib.sha256(repr(sorted(rows, key=repr)).encode()).hexdigest()

    assert digest("a", 1) == digest("b", 1) != digest("c", 2)


def test_nothing_is_left_behind(month: Path) -> None:
    assert [file.name for file in month.parent.iterdir()] == [month.name]
