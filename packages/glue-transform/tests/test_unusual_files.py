"""Files as data frames, Spark or a careless join write them: the same end by both engines."""

from __future__ import annotations

import datetime as dt
import json
import time
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from trip_files import read_rows

from glue_transform import datasets
from glue_transform.errors import (
    AmbiguousColumns,
    Encrypted,
    EngineFailed,
    MissingColumn,
    NothingKept,
    UncastableColumn,
)

pa: Any = pytest.importorskip("pyarrow", reason="pyarrow is not installed")

URL = "s3://raw/yellow/2024/01/yellow_tripdata_2024-01.parquet"
PICKUP = dt.datetime(2024, 1, 3, 10)  # noqa: DTZ001 (a wall clock)
ROWS = 3
#: What the table gets of the two good trips.
KEPT = [(2, PICKUP, PICKUP, 1, 2.5, place, 5, 1, 10.0, 1.0, 12.0, dt.date(2024, 1, 1)) for place in (0, 1)]


def good_columns() -> dict[str, Any]:
    """Three trips of 2024, of which the last has a negative fare."""
    times = pa.array([PICKUP] * ROWS, pa.timestamp("us"))
    return {
        "VendorID": pa.array([2] * ROWS, pa.int32()),
        "tpep_pickup_datetime": times,
        "tpep_dropoff_datetime": times,
        "passenger_count": pa.array([1] * ROWS),
        "trip_distance": pa.array([2.5] * ROWS),
        "PULocationID": pa.array(range(ROWS), pa.int32()),
        "DOLocationID": pa.array([5] * ROWS, pa.int32()),
        "payment_type": pa.array([1] * ROWS),
        "fare_amount": pa.array([10.0, 10.0, -1.0]),
        "tip_amount": pa.array([1.0] * ROWS),
        "total_amount": pa.array([12.0] * ROWS),
    }


def write(
    lake: Any,
    *more: tuple[str, Any],
    changes: Mapping[str, Any] | None = None,
    metadata: Mapping[str, str] | None = None,
    **options: Any,
) -> None:
    """Write the trips with some columns changed (None: left out) and, at the end, `more`, whatever their names."""
    import pyarrow.parquet

    columns = {**good_columns(), **(changes or {})}
    pairs = [*((name, column) for name, column in columns.items() if column is not None), *more]
    table = pa.table([column for _, column in pairs], names=[name for name, _ in pairs])
    pyarrow.parquet.write_table(
        table.replace_schema_metadata(metadata), lake.raw("yellow", 2024, 1), store_schema=False, **options
    )


def transform(lake: Any, engine: str) -> dict[str, Any]:
    manifest: dict[str, Any] = lake.transform("yellow", 2024, 1, engine=engine)
    return manifest


def refused(lake: Any, engine: str, kind: type[Exception]) -> str:
    """The message of a transform that fails and leaves nothing."""
    with pytest.raises(kind) as error:
        transform(lake, engine)
    assert type(error.value) is kind
    assert "\n" not in str(error.value)
    assert lake.processed() == []
    return str(error.value)


def rejects(lake: Any, manifest: Mapping[str, Any]) -> dict[str, Any]:
    """The one rejected trip: its values by the names of the file's columns."""
    (file,) = lake.rejected(manifest)
    with duckdb.connect() as connection:
        names = connection.execute("SELECT name FROM parquet_schema(?) OFFSET 1", [str(file)]).fetchall()
        (row,) = connection.execute("SELECT * FROM read_parquet(?)", [str(file)]).fetchall()
    return dict(zip((name for (name,) in names), row))


#: Names that mean something in SQL, to an engine, to the transform or to nobody.
NAMES = (
    "it's", 'say "hi"', "a.b", "$x", "{}", " ", "Größe", "tip;\t=\n", "`tick`", "__index_level_0__", "_metadata",
    "Rejected_By", "source_rejected_by", "FILE_ROW_NUMBER", "filename", "file_index", "source", "source_0", "raw",
    "mapped", "pickup_datetime", "select",
)  # fmt: skip


def test_no_name_of_a_file_is_taken_for_another(lake, engine):
    write(lake, *((name, pa.array([n] * ROWS)) for n, name in enumerate(NAMES)))
    manifest = transform(lake, engine)
    assert read_rows(lake.kept(manifest)) == KEPT
    told = {name: n for n, name in enumerate(NAMES)}
    told["source_rejected_by_"] = told.pop("Rejected_By")
    found = rejects(lake, manifest)
    assert {name: found[name] for name in told} == told
    assert found["rejected_by"] == "fare_amount_not_positive"
    assert len(found) == len(good_columns()) + len(NAMES) + 1
    assert manifest["drift"][-1] == {
        "column": "Rejected_By",
        "change": "renamed_in_rejects",
        "type": "long",
        "into": "source_rejected_by_",
    }


def test_a_column_without_a_name_gets_that_of_its_place_in_the_rejects(lake, engine):
    write(lake, ("", pa.array([1, 2, 3])), ("nested", pa.array([{"a.b": 1, "it's": [2]}] * ROWS)))
    manifest = transform(lake, engine)
    assert read_rows(lake.kept(manifest)) == KEPT
    (file,) = lake.rejected(manifest)
    with duckdb.connect() as connection:
        query = "SELECT column_12, nested, rejected_by FROM read_parquet(?)"
        found = connection.execute(query, [str(file)]).fetchall()
    assert found == [(3, {"a.b": 1, "it's": [2]}, "fare_amount_not_positive")]


@pytest.mark.parametrize(
    ("name", "column", "what"),
    [
        ("total_amount", [1000.0] * ROWS, "two columns are named 'total_amount'"),
        ("Total_Amount", [1000.0] * ROWS, "columns 'total_amount' and 'Total_Amount' differ only in case or spaces"),
        ("stops", [{"a": 1, "A": 2}] * ROWS, "columns 'stops.a' and 'stops.A' differ only in case or spaces"),
    ],
)
def test_columns_named_alike_are_ambiguous(lake, engine, name: str, column: list[Any], what: str):
    # Older pyarrow sorts the fields of a struct that it infers.
    kind = pa.struct([(key, pa.int64()) for key in column[0]]) if isinstance(column[0], dict) else None
    write(lake, (name, pa.array(column, kind)))
    assert refused(lake, engine, AmbiguousColumns) == f"{URL}: {what}; publish the file with one of them"


def test_columns_are_those_of_the_footer_whatever_spark_noted_of_an_earlier_file(lake, engine):
    fields = [
        {"name": name, "type": type_, "nullable": True, "metadata": {}}
        for name, type_ in (("VendorID", "string"), ("old_fare", "double"), ("total_amount", "double"))
    ]
    noted = json.dumps({"type": "struct", "fields": fields})
    write(lake, metadata={"org.apache.spark.sql.parquet.row.metadata": noted, "org.apache.spark.version": "3.5.0"})
    assert read_rows(lake.kept(transform(lake, engine))) == KEPT


def in_zone(monkeypatch: pytest.MonkeyPatch, zone: str) -> None:
    """Let the dataset's definition say where its clock hangs."""
    dataset = replace(datasets.load("yellow"), zone=zone)
    monkeypatch.setattr(datasets, "load", lambda name: dataset)


@pytest.mark.parametrize("zone", ["UTC", "America/New_York"])
def test_times_with_a_zone_are_wall_clocks_of_the_datasets(lake, engine, monkeypatch, zone: str):
    """Whatever zone the writer had. Of the two instants, New York had one in winter and one in summer."""
    instants = [dt.datetime(2024, 1, 3, 15), dt.datetime(2024, 7, 3, 14), dt.datetime(2024, 1, 3, 15)]  # noqa: DTZ001
    changes = {
        "tpep_pickup_datetime": pa.array([instants[0]] * ROWS, pa.timestamp("us", tz="America/New_York")),
        "tpep_dropoff_datetime": pa.array(instants, pa.timestamp("ns", tz="UTC")),
    }
    write(lake, changes=changes)
    in_zone(monkeypatch, zone)
    manifest = transform(lake, engine)
    expected = instants[:2] if zone == "UTC" else [PICKUP, dt.datetime(2024, 7, 3, 10)]  # noqa: DTZ001
    assert [row[1:3] for row in read_rows(lake.kept(manifest))] == [(expected[0], time) for time in expected]
    assert manifest["drift"] == [
        {"column": name, "change": "zoned_times", "type": "timestamp", "read_as": zone} for name in changes
    ]


@pytest.mark.parametrize("name", ["stops", "file_row_number"])
def test_the_zone_of_the_machine_does_not_matter(lake, engine, monkeypatch, name: str):
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    write(
        lake,
        (name, pa.array([1] * ROWS)),
        changes={"tpep_pickup_datetime": pa.array([PICKUP] * ROWS, pa.timestamp("us", tz="Asia/Tokyo"))},
    )
    try:
        manifest = transform(lake, engine)
    finally:
        monkeypatch.undo()
        time.tzset()
    assert read_rows(lake.kept(manifest)) == KEPT
    assert rejects(lake, manifest)["tpep_pickup_datetime"] == PICKUP


def test_a_zone_that_the_engine_does_not_know_is_one_line(lake, engine, monkeypatch):
    write(lake, changes={"tpep_pickup_datetime": pa.array([PICKUP] * ROWS, pa.timestamp("us", tz="UTC"))})
    in_zone(monkeypatch, "America/Nowhere")
    assert "America/Nowhere" in refused(lake, engine, EngineFailed)


def test_times_of_unknown_zone_are_read_as_they_are(lake, engine):
    write(lake, use_deprecated_int96_timestamps=True)
    manifest = transform(lake, engine)
    assert read_rows(lake.kept(manifest)) == KEPT
    assert [(line["column"], line["change"], line["read_as"]) for line in manifest["drift"]] == [
        (name, "times_of_unknown_zone", "wall clock") for name in ("tpep_pickup_datetime", "tpep_dropoff_datetime")
    ]


def test_unsigned_numbers_too_large_are_missing_and_counted(lake, engine):
    changes = {
        "VendorID": pa.array([2] * ROWS, pa.uint8()),
        "PULocationID": pa.array([0, 2**32 - 1, 7], pa.uint32()),
        "DOLocationID": pa.array([5, 2**64 - 1, 7], pa.uint64()),
    }
    write(lake, changes=changes)
    manifest = transform(lake, engine)
    assert [(row[5], row[6]) for row in read_rows(lake.kept(manifest))] == [(0, 5), (None, None)]
    assert [(line["column"], line["rows"]) for line in manifest["drift"]] == [("PULocationID", 1), ("DOLocationID", 1)]


def test_a_decimal_that_both_read_is_read_and_a_larger_one_refused(lake, engine):
    amounts = [Decimal("10.00"), Decimal("10.00"), Decimal("-1.00")]
    write(lake, changes={"fare_amount": pa.array(amounts, pa.decimal128(38, 2))})
    assert read_rows(lake.kept(lake.transform("yellow", 2024, 1, engine=engine, keep=True))) == KEPT
    write(lake, changes={"fare_amount": pa.array(amounts, pa.decimal256(50, 2))})
    with pytest.raises(UncastableColumn) as error:
        transform(lake, engine)
    assert str(error.value) == (
        f"{URL}: column 'fare_amount' is a decimal of 50 digits, and 38 are read exactly; publish the month with fewer"
    )


@pytest.mark.parametrize(
    ("column", "kind"),
    [
        ([b"1.5"] * ROWS, "bytes"),
        ([[1.5]] * ROWS, "nested"),
        ([{"x": 1.5}] * ROWS, "nested"),
        ([True] * ROWS, "boolean"),
    ],
    ids=["bytes", "list", "struct", "boolean"],
)
def test_what_is_no_number_is_no_amount(lake, engine, column: list[Any], kind: str):
    write(lake, changes={"fare_amount": pa.array(column)})
    assert refused(lake, engine, UncastableColumn) == (
        f"{URL}: column 'fare_amount' holds {kind} and cannot become fare_amount DOUBLE PRECISION; publish the month "
        "again, or add the era to the dataset 'yellow'"
    )


def test_a_month_without_rows_keeps_nothing(lake, engine):
    write(lake, changes={name: column.slice(0, 0) for name, column in good_columns().items()})
    assert refused(lake, engine, NothingKept) == (
        f"{URL}: none of its 0 rows is kept (it has none); the month is left as it was: look at the file, and at the "
        "rules of the dataset"
    )


@pytest.mark.parametrize("type_", [pa.null(), pa.float64()], ids=str)
def test_a_month_without_amounts_keeps_nothing(lake, engine, type_: Any):
    write(lake, changes={"fare_amount": pa.nulls(ROWS, type_)})
    assert "none of its 3 rows is kept (fare_amount_not_positive 3);" in refused(lake, engine, NothingKept)


def test_a_month_without_a_column_is_refused_by_its_name(lake, engine):
    write(lake, changes={"fare_amount": None})
    message = refused(lake, engine, MissingColumn)
    assert message.startswith(
        f"{URL}: no column for fare_amount DOUBLE PRECISION ('fare_amount' in the era of 2016-07)"
    )


def test_a_type_that_spark_lacks_is_duckdbs_alone(lake, spark):
    write(lake, ("since", pa.array([1] * ROWS, pa.time64("us"))))
    assert refused(lake, "spark", EngineFailed) == (
        f"{URL}: column 'since' holds time, which Spark does not read; run the month with the engine duckdb, or "
        "publish it without"
    )
    assert read_rows(lake.kept(transform(lake, "duckdb"))) == KEPT


@pytest.mark.parametrize("plaintext_footer", [True, False], ids=["plain footer", "encrypted footer"])
def test_an_encrypted_file_is_refused_as_such(lake, engine, plaintext_footer: bool):
    write_encrypted(lake.raw("yellow", 2024, 1), plaintext_footer=plaintext_footer)
    assert refused(lake, engine, Encrypted) == (
        f"{URL} is an encrypted Parquet file, and this job has no key; publish the month unencrypted"
    )


def write_encrypted(file: Path, *, plaintext_footer: bool) -> None:
    """Write the trips with an encrypted amount. The keys are as secret as this line."""
    import pyarrow.parquet
    from pyarrow.parquet import encryption

    class Keys(encryption.KmsClient):
        def wrap_key(self, key_bytes: bytes, master_key_identifier: str) -> bytes:
            return b"\xff" + key_bytes

        def unwrap_key(self, wrapped_key: bytes, master_key_identifier: str) -> bytes:
            return wrapped_key[1:]

    factory = encryption.CryptoFactory(lambda _: Keys())
    options = encryption.EncryptionConfiguration(
        footer_key="footer", column_keys={"amounts": ["fare_amount"]}, plaintext_footer=plaintext_footer
    )
    properties = factory.file_encryption_properties(encryption.KmsConnectionConfig(), options)
    table = pa.table(good_columns())
    with pyarrow.parquet.ParquetWriter(file, table.schema, encryption_properties=properties) as writer:
        writer.write_table(table)
