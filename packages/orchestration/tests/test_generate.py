"""The generated months: TLC's schema, its dirt, and the same rows for the same seed."""

from __future__ import annotations

import hashlib
from pathlib import Path

import duckdb
import pytest

from orchestration.generate import fhvhv_month, yellow_month
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
    row = duckdb.connect().sql(sql).fetchall()
    return row[0][0]


def test_name_schema_and_rows(month: Path) -> None:
    assert month.name == "yellow_tripdata_2024-09.parquet"
    described = duckdb.connect().sql(f"DESCRIBE SELECT * FROM '{month}'").fetchall()
    assert [(row[0], row[1]) for row in described] == SCHEMA_OF_2024
    assert scalar(f"SELECT count(*) FROM '{month}'") == 200_000


def test_a_generated_month_has_rows_that_break_rules(month: Path) -> None:
    outside = f"tpep_pickup_datetime < '{SEPTEMBER.first_day}' OR tpep_pickup_datetime >= '2024-10-01'"
    strays = scalar(f"SELECT count(*) FROM '{month}' WHERE {outside}")
    negative = scalar(f"SELECT count(*) FROM '{month}' WHERE fare_amount < 0")
    assert isinstance(strays, int)
    assert isinstance(negative, int)
    assert 1 <= strays <= 20
    assert 0.001 < negative / 200_000 < 0.004
    five = "passenger_count, RatecodeID, store_and_fwd_flag, congestion_surcharge, Airport_fee"
    nulls = (
        duckdb.connect()
        .sql(
            f"SELECT DISTINCT len(list_filter([{', '.join(f'{c} IS NULL' for c in five.split(', '))}], "
            f"lambda missing: missing)) FROM '{month}' ORDER BY 1"
        )
        .fetchall()
    )
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
        rows = duckdb.connect().sql(f"SELECT * FROM '{file}'").fetchall()
        return hashlib.sha256(repr(sorted(rows, key=repr)).encode()).hexdigest()

    assert digest("a", 1) == digest("b", 1) != digest("c", 2)


def test_nothing_is_left_behind(month: Path) -> None:
    assert [file.name for file in month.parent.iterdir()] == [month.name]


HIGH_VOLUME_SCHEMA = [
    *((name, "VARCHAR") for name in ("hvfhs_license_num", "dispatching_base_num", "originating_base_num")),
    *((f"{name}_datetime", "TIMESTAMP") for name in ("request", "on_scene", "pickup", "dropoff")),
    *(("PULocationID", "INTEGER"), ("DOLocationID", "INTEGER"), ("trip_miles", "DOUBLE"), ("trip_time", "BIGINT")),
    *((name, "DOUBLE") for name in ("base_passenger_fare", "tolls", "bcf", "sales_tax", "congestion_surcharge")),
    *((name, "DOUBLE") for name in ("airport_fee", "tips", "driver_pay")),
    *((f"{name}_flag", "VARCHAR") for name in ("shared_request", "shared_match", "access_a_ride", "wav_request")),
    ("wav_match_flag", "VARCHAR"),
]


@pytest.mark.parametrize(("year", "more"), [(2024, []), (2025, [("cbd_congestion_fee", "DOUBLE")])])
def test_high_volume_trips_have_the_fee_of_their_year(tmp_path: Path, year: int, more: list[tuple[str, str]]) -> None:
    file = fhvhv_month(tmp_path, month=Month(year, 3), rows=2_000)
    assert [file.name for file in tmp_path.iterdir()] == [file.name] == [f"fhvhv_tripdata_{year}-03.parquet"]
    described = duckdb.connect().sql(f"DESCRIBE SELECT * FROM '{file}'").fetchall()
    assert [(row[0], row[1]) for row in described] == [*HIGH_VOLUME_SCHEMA, *more]
    assert scalar(f"SELECT count(*) FROM '{file}'") == 2_000


def test_high_volume_trips_have_what_is_seen_in_published_ones(tmp_path: Path) -> None:
    file = fhvhv_month(tmp_path, month=Month(2025, 3), rows=20_000)

    def share(condition: str) -> float:
        return float(str(scalar(f"SELECT count(*) FILTER ({condition}) / count(*) FROM '{file}'")))

    lyft = "hvfhs_license_num = 'HV0005'"
    assert 0.2 < share(lyft) < 0.3
    assert share(f"({lyft}) = (originating_base_num IS NULL AND on_scene_datetime IS NULL)") == 1
    assert share(f"access_a_ride_flag = CASE WHEN {lyft} THEN 'N' ELSE ' ' END") == 1
    assert share("dropoff_datetime = pickup_datetime + to_seconds(trip_time)") == 1
    for dirt in ("base_passenger_fare < 0", "trip_miles = 0", "pickup_datetime < '2025-03-01'"):
        assert 0 < share(dirt) < 0.005, dirt


def test_the_seed_decides_of_high_volume_trips_too(tmp_path: Path) -> None:
    files = [
        fhvhv_month(tmp_path / name, month=Month(2025, 3), rows=1_000, seed=seed)
        for name, seed in (("a", 1), ("b", 1), ("c", 2))
    ]
    same, again, other = (
        sorted(duckdb.connect().sql(f"SELECT * FROM '{file}'").fetchall(), key=repr) for file in files
    )
    assert same == again != other
