"""High-volume for-hire trips: every shape in which they were published, by both engines."""

from __future__ import annotations

import datetime as dt
from typing import Any

import duckdb
import pytest
from trip_files import read_rows, write_parquet

from glue_transform.engines import NAMES

#: The columns as published since February 2019, with the types of the year that is asked for.
COLUMNS = """
    hvfhs_license_num VARCHAR, dispatching_base_num VARCHAR, originating_base_num VARCHAR, request_datetime TIMESTAMP,
    on_scene_datetime TIMESTAMP, pickup_datetime TIMESTAMP, dropoff_datetime TIMESTAMP, PULocationID {integer},
    DOLocationID {integer}, trip_miles DOUBLE, trip_time BIGINT, base_passenger_fare DOUBLE, tolls DOUBLE, bcf DOUBLE,
    sales_tax DOUBLE, congestion_surcharge DOUBLE, airport_fee DOUBLE, tips DOUBLE, driver_pay DOUBLE,
    shared_request_flag VARCHAR, shared_match_flag VARCHAR, access_a_ride_flag VARCHAR, wav_request_flag VARCHAR,
    wav_match_flag {wav_match}
"""
CBD = ", cbd_congestion_fee DOUBLE"

#: By era: the month, the columns, and what its wav_match_flag can say.
SHAPES = {
    "2019-02": (dt.date(2019, 2, 1), COLUMNS.format(integer="BIGINT", wav_match="INTEGER"), None),
    "2023-02": (dt.date(2023, 2, 1), COLUMNS.format(integer="INTEGER", wav_match="VARCHAR"), "Y"),
    "2025-01": (dt.date(2025, 1, 1), COLUMNS.format(integer="INTEGER", wav_match="VARCHAR") + CBD, "Y"),
}


def trip(day: dt.date, wav: str | None, *, cbd: bool, **changes: Any) -> list[Any]:
    """One of Uber's trips, with changes."""
    at = dt.datetime.combine(day, dt.time(10))
    columns = {
        **{"license": "HV0003", "base": "B02764", "from_base": "B02764", "request": at - dt.timedelta(minutes=5)},
        **{"scene": at - dt.timedelta(minutes=1), "pickup": at, "dropoff": at + dt.timedelta(minutes=20)},
        **{"from": 161, "to": 237, "miles": 2.5, "seconds": 1200, "fare": 18.4, "tolls": 0.0, "bcf": 0.51},
        **{"tax": 1.63, "surcharge": 2.75, "airport": 0.0, "tips": 3.0, "pay": 14.2},
        **{"shared": "Y", "matched": "N", "access": " ", "wav_asked": "N", "wav_matched": wav},
    }
    return [*{**columns, **changes}.values(), *([1.5] if cbd else [])]


@pytest.fixture(params=SHAPES)
def shape(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def write(lake: Any, shape: str) -> dt.date:
    """Write eight trips, of which two can be kept. Gives their month."""
    month, columns, wav = SHAPES[shape]
    cbd = CBD in columns
    lyft = {"license": "HV0005", "base": "B02510", "from_base": None, "scene": None, "access": "N"}
    dirt = [
        {"fare": -3.5},
        {"miles": 0.0},
        {"seconds": 0},
        {"base": "B02764 & co"},
        {"wav_asked": "?"},
        {"pickup": None},
    ]
    rows = [trip(month, wav, cbd=cbd, **changes) for changes in ({}, lyft, *dirt)]
    with duckdb.connect() as connection:
        connection.execute(f"CREATE TABLE trips ({columns})")
        connection.executemany(f"INSERT INTO trips VALUES ({', '.join('?' * len(rows[0]))})", rows)
        connection.execute(f"COPY trips TO '{lake.raw('fhvhv', month.year, month.month)}' (FORMAT parquet)")
    return month


def test_a_trip_becomes_text_flags_and_numbers(lake, engine, shape: str):
    month = write(lake, shape)
    manifest = lake.transform("fhvhv", month.year, month.month, engine=engine)
    at = dt.datetime.combine(month, dt.time(10))
    times = [at - dt.timedelta(minutes=5), at - dt.timedelta(minutes=1), at, at + dt.timedelta(minutes=20)]
    wav = None if SHAPES[shape][2] is None else True
    numbers = (161, 237, 2.5, 1200, 18.4, 0.0, 0.51, 1.63, 2.75, 0.0, 3.0, 14.2)
    last = (1.5 if shape == "2025-01" else None, month)
    assert read_rows(lake.kept(manifest)) == [
        ("HV0003", "B02764", "B02764", *times, *numbers, True, False, None, False, wav, *last),
        ("HV0005", "B02510", None, times[0], None, *times[2:], *numbers, True, False, False, False, wav, *last),
    ]
    assert {rule: rows for rule, rows in manifest["rejected"].items() if rows} == {
        **dict.fromkeys(("dispatching_base_num_invalid", "wav_request_flag_invalid", "pickup_missing"), 1),
        **dict.fromkeys(("trip_miles_not_positive", "trip_time_not_positive", "base_passenger_fare_not_positive"), 1),
    }
    assert manifest["source"]["era"] == ("2025" if shape == "2025-01" else "2019-02")
    assert [line["column"] for line in manifest["drift"]] == ["dispatching_base_num", "wav_request_flag"]
    load = manifest["load"]
    assert (load["rows_read"], load["rows_kept"], load["rows_rejected"]) == (8, 2, 6)


def test_the_engines_write_the_same(lake, spark, shape: str):
    month = write(lake, shape)
    by_duckdb, by_spark = (lake.transform("fhvhv", month.year, month.month, engine=name, keep=True) for name in NAMES)
    assert read_rows(lake.kept(by_spark)) == read_rows(lake.kept(by_duckdb))
    assert read_rows(lake.rejected(by_spark)) == read_rows(lake.rejected(by_duckdb))
    assert lake.comparable(by_spark) == lake.comparable(by_duckdb)


@pytest.mark.skipif(duckdb.__version__ < "2", reason="DuckDB before 2.0 writes no columns of Parquet's null type")
def test_a_fee_that_is_of_the_null_type_is_null(lake, engine):
    month = write(lake, "2019-02")
    raw = lake.raw("fhvhv", month.year, month.month)
    write_parquet(
        f"SELECT * REPLACE (NULL AS airport_fee) FROM read_parquet('{raw}')", lake.storage.root / "null.parquet"
    )
    (lake.storage.root / "null.parquet").replace(raw)
    manifest = lake.transform("fhvhv", month.year, month.month, engine=engine)
    assert [row[16] for row in read_rows(lake.kept(manifest))] == [None, None]
