"""What a file's columns may be: unknown ones are told, wrong ones refused before anything is written."""

from __future__ import annotations

import duckdb
import pytest
from trip_files import read_rows, write_parquet

from glue_transform.errors import AmbiguousColumns, MissingColumn, SchemaError, UncastableColumn

URL = "s3://raw/yellow/2024/02/yellow_tripdata_2024-02.parquet"

#: A file of 2024 with one good trip.
COLUMNS = {
    "VendorID": "2",
    "tpep_pickup_datetime": "TIMESTAMP '2024-02-03 10:00:00'",
    "tpep_dropoff_datetime": "TIMESTAMP '2024-02-03 10:20:00'",
    "passenger_count": "CAST(1 AS BIGINT)",
    "trip_distance": "CAST(2.5 AS DOUBLE)",
    "PULocationID": "161",
    "DOLocationID": "237",
    "payment_type": "CAST(1 AS BIGINT)",
    "fare_amount": "CAST(10.0 AS DOUBLE)",
    "tip_amount": "CAST(2.0 AS DOUBLE)",
    "total_amount": "CAST(15.0 AS DOUBLE)",
}


def write(lake, more_rows: str = "", **changes: str | None) -> None:
    """Write the file with some columns changed, added, or (None) left out."""
    columns = {name: value for name, value in {**COLUMNS, **changes}.items() if value is not None}
    query = "SELECT " + ", ".join(f'{value} AS "{name}"' for name, value in columns.items())
    write_parquet(query + more_rows, lake.raw("yellow", 2024, 2))


def test_new_columns_are_drift(lake, engine, events):
    write(lake, surge_fee="CAST(0.75 AS DOUBLE)", stops="[1, 2]", cbd_congestion_fee="CAST(1 AS DOUBLE)", index="5")
    manifest = lake.transform("yellow", 2024, 2, engine=engine)
    expected = [
        {"column": "surge_fee", "change": "new_column", "type": "double"},
        {"column": "stops", "change": "new_column", "type": "nested"},
    ]
    assert manifest["drift"] == expected
    assert manifest["load"]["rows_kept"] == 1
    told = [event for event in events() if event["event"] == "drift"]
    assert [{key: event[key] for key in ("column", "change", "type", "level")} for event in told] == [
        {**line, "level": "warning"} for line in expected
    ]


def test_values_that_cannot_be_read_are_drift(lake, engine):
    more = """ UNION ALL SELECT
        3000000000, TIMESTAMP '2024-02-04 10:00:00', TIMESTAMP '2024-02-04 10:10:00', 1, 1.0, 1, 2, 'four', 1, 1, 1
    """
    write(lake, more, VendorID="CAST(1 AS BIGINT)", passenger_count="CAST(2.5 AS DOUBLE)", payment_type="'1'")
    manifest = lake.transform("yellow", 2024, 2, engine=engine)
    assert manifest["drift"] == [
        {"column": column, "change": "unreadable_values", "type": kind, "into": into, "rows": 1}
        for column, kind, into in (
            ("VendorID", "long", "vendor_id"),
            ("passenger_count", "double", "passenger_count"),
            ("payment_type", "text", "payment_type"),
        )
    ]
    found = [(row[0], row[3], row[7]) for row in read_rows(lake.kept(manifest))]
    assert found == [(1, None, 1), (None, 1, None)]


@pytest.mark.skipif(duckdb.__version__ < "2", reason="DuckDB before 2.0 writes no columns of Parquet's null type")
def test_a_column_without_values_is_null(lake, engine):
    write(lake, passenger_count="NULL", tpep_dropoff_datetime="NULL", PULocationID="NULL", tip_amount="NULL")
    manifest = lake.transform("yellow", 2024, 2, engine=engine)
    (row,) = read_rows(lake.kept(manifest))
    assert [row[2], row[3], row[5], row[9]] == [None] * 4
    assert manifest["drift"] == []


@pytest.mark.parametrize(
    ("changes", "kind", "message"),
    [
        (
            {"fare_amount": None},
            MissingColumn,
            f"{URL}: no column for fare_amount DOUBLE PRECISION ('fare_amount' in the era of 2016-07); the file has "
            "VendorID integer, tpep_pickup_datetime timestamp, tpep_dropoff_datetime timestamp, passenger_count long, "
            "trip_distance double, PULocationID integer, DOLocationID integer, payment_type long, tip_amount double, "
            "total_amount double; if it was renamed, add the era to the dataset 'yellow'",
        ),
        (
            {"PULocationID": None, "DOLocationID": None, "pickup_longitude": "1.5"},
            MissingColumn,
            f"{URL}: no column for 'dropoff_longitude' (era of 2015); the file has VendorID integer, "
            "tpep_pickup_datetime timestamp, tpep_dropoff_datetime timestamp, passenger_count long, trip_distance "
            "double, payment_type long, fare_amount double, tip_amount double, total_amount double, pickup_longitude "
            "decimal; if it was renamed, add the era to the dataset 'yellow'",
        ),
        (
            {"trip_distance": "[2.5]"},
            UncastableColumn,
            f"{URL}: column 'trip_distance' holds nested and cannot become trip_distance DOUBLE PRECISION; publish the "
            "month again, or add the era to the dataset 'yellow'",
        ),
        (
            {"total_amount": "TRUE"},
            UncastableColumn,
            f"{URL}: column 'total_amount' holds boolean and cannot become total_amount DOUBLE PRECISION; publish the "
            "month again, or add the era to the dataset 'yellow'",
        ),
        (
            {"tpep_pickup_datetime": "CAST(1706954400 AS BIGINT)"},
            UncastableColumn,
            f"{URL}: column 'tpep_pickup_datetime' holds long and cannot become pickup_datetime TIMESTAMP; publish the "
            "month again, or add the era to the dataset 'yellow'",
        ),
        (
            {"Fare amount": "1.0"},
            AmbiguousColumns,
            f"{URL}: columns 'fare_amount' and 'Fare amount' differ only in case or spaces; publish the file with one "
            "of them",
        ),
    ],
    ids=lambda value: ", ".join(value) if isinstance(value, dict) else "",
)
def test_columns_that_do_not_give_the_table(lake, engine, changes, kind: type[SchemaError], message: str):
    write(lake, **changes)
    with pytest.raises(kind) as error:
        lake.transform("yellow", 2024, 2, engine=engine)
    assert str(error.value) == message
    assert error.value.file == URL
    assert lake.processed() == []
