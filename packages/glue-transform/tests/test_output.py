"""The files as COPY wants them: types, nullability, codec, and parts of equal size."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest
from trip_files import ERAS, write_parquet, write_raw

from glue_transform import capacity
from glue_transform.capacity import Capacity
from glue_transform.datasets import load
from glue_transform.engines import Output, factory
from glue_transform.engines import duckdb as duckdb_engine

#: Physical and logical types of the part files' columns (Parquet's own names), by Redshift type.
PARQUET = {
    "INTEGER": ("INT32", {None, "INT_32"}),
    "DOUBLE PRECISION": ("DOUBLE", {None}),
    "TIMESTAMP": ("INT64", {"TIMESTAMP_MICROS"}),
    "DATE": ("INT32", {"DATE"}),
}


def schema(file: Path) -> list[tuple[str, str, str, str | None]]:
    with duckdb.connect() as connection:
        query = "SELECT name, type, repetition_type, converted_type FROM parquet_schema(?) OFFSET 1"
        return connection.execute(query, [str(file)]).fetchall()


@pytest.mark.parametrize("shape", ERAS, ids=lambda shape: shape.name)
def test_the_schema_is_the_tables_whatever_the_era(lake, shape):
    year, month = shape.month.year, shape.month.month
    write_raw(shape, lake.raw(shape.dataset, year, month))
    check_schema(lake, lake.transform(shape.dataset, year, month))


def test_the_schema_by_spark(lake, spark):
    write_raw(ERAS[0], lake.raw("yellow", 2009, 1))
    check_schema(lake, lake.transform("yellow", 2009, 1, engine="spark"))


def check_schema(lake, manifest) -> None:
    (file,) = lake.kept(manifest)
    for column, (name, type_, repetition, converted) in zip(load("yellow").columns, schema(file)):
        assert (name, type_, repetition) == (column.name, PARQUET[column.type.name][0], "OPTIONAL")
        assert converted in PARQUET[column.type.name][1]
    (rejected,) = lake.rejected(manifest)
    assert {repetition for *_, repetition, _ in schema(rejected)} == {"OPTIONAL"}


def test_columns_are_nullable_even_if_the_source_has_no_null(lake, engine):
    """DuckDB 2.0 writes NOT NULL where a source's statistics show no NULL; a month later the schema is another."""
    write_raw(ERAS[10], lake.raw("yellow", 2025, 1))
    first = f"SELECT * FROM read_parquet('{lake.raw('yellow', 2025, 1)}') LIMIT 1"
    write_parquet(first, lake.storage.root / "first.parquet")
    (lake.storage.root / "first.parquet").replace(lake.raw("yellow", 2025, 1))
    (file,) = lake.kept(lake.transform("yellow", 2025, 1, engine=engine))
    assert {repetition for *_, repetition, _ in schema(file)} == {"OPTIONAL"}


def test_codec_and_format_version(lake, engine):
    write_raw(ERAS[10], lake.raw("yellow", 2025, 1))
    manifest = lake.transform("yellow", 2025, 1, engine=engine)
    files = [str(file) for file in lake.kept(manifest) + lake.rejected(manifest)]
    with duckdb.connect() as connection:
        codecs = connection.execute("SELECT DISTINCT compression FROM parquet_metadata(?)", [files]).fetchall()
        versions = connection.execute(
            "SELECT DISTINCT format_version FROM parquet_file_metadata(?)", [files]
        ).fetchall()
        encodings = connection.execute("SELECT DISTINCT encodings FROM parquet_metadata(?)", [files]).fetchall()
    assert (codecs, versions) == ([("SNAPPY",)], [(1,)])
    assert not [found for (found,) in encodings if "DELTA" in found or "BYTE_STREAM_SPLIT" in found]


@pytest.mark.parametrize("row_group", [2048, 8192, 200_000])
def test_parts_are_of_nearly_equal_size(lake, engine, row_group: int):
    """However the source's row groups are cut, and though it holds its rejects all in one place."""
    raw = lake.storage.root / "raw" / f"trips-{row_group}.parquet"
    trips = "SELECT i AS id, random() AS fare, CASE WHEN i < 2000 THEN 1 ELSE 0 END AS bad FROM range(100000) AS t(i)"
    with duckdb.connect() as connection:
        connection.execute(f"COPY ({trips}) TO '{raw}' (FORMAT parquet, ROW_GROUP_SIZE {row_group})")
    lake.folder.mkdir()
    running = factory.create(engine, storage=lake.storage, folder=lake.folder)
    running.open(f"s3://raw/trips-{row_group}.parquet", zone="UTC")
    output = Output(
        "SELECT source_0 AS id, source_1 AS fare FROM source WHERE source_2 = 0", "s3://processed/trips/", 8
    )
    told = []
    written = running.write(output, on_part=told.append)

    assert [part.url for part in written.parts] == [f"s3://processed/trips/part-0000{n}.parquet" for n in range(8)]
    assert sorted(told, key=lambda part: part.url) == written.parts
    files = [lake.storage.path(part.url) for part in written.parts]
    assert [part.bytes for part in written.parts] == [file.stat().st_size for file in files]
    assert lake.storage.list("s3://processed/trips/") == [part.url for part in written.parts]
    with duckdb.connect() as connection:
        found = connection.execute("SELECT COUNT(*), COUNT(DISTINCT id) FROM read_parquet(?)", [[*map(str, files)]])
        assert found.fetchall() == [(98_000, 98_000)]
    assert written.rows == 98_000
    assert max(part.bytes for part in written.parts) < 1.25 * min(part.bytes for part in written.parts)


def test_pages_too_large_for_the_memory_are_tried_with_more(lake, monkeypatch):
    """A writer may make pages as large as it likes, and a reader needs one of each column at a time."""
    raw = lake.storage.root / "raw" / "large-pages.parquet"
    trips = "SELECT i AS id, random() AS fare FROM range(2000000) AS t(i)"
    with duckdb.connect() as connection:
        connection.execute(f"COPY ({trips}) TO '{raw}' (FORMAT parquet, ROW_GROUP_SIZE 2000000)")
    monkeypatch.setattr(capacity, "measure", lambda: Capacity(2, 10**9))
    monkeypatch.setattr(duckdb_engine, "MEMORY", 10)
    lake.folder.mkdir()
    running = duckdb_engine.DuckDBEngine(lake.storage, lake.folder)
    running.open("s3://raw/large-pages.parquet", zone="UTC")
    limit = "SELECT current_setting('memory_limit')"
    assert running._connection.execute(limit).fetchall() == [("19.0 MiB",)]
    written = running.write(Output("SELECT * FROM source", "s3://processed/trips/", 1), on_part=lambda part: None)
    assert written.rows == 2_000_000
    assert running._connection.execute(limit).fetchall() == [("762.9 MiB",)]


def test_the_bytes_of_a_row_are_measured_on_the_first_rows(lake, engine):
    """Here those that are wider than the others, of which half are left out."""
    raw = lake.storage.root / "raw" / "wide.parquet"
    wide = "CASE WHEN i < 1000 THEN concat(uuid()::TEXT, uuid()::TEXT) END AS name"
    with duckdb.connect() as connection:
        connection.execute(f"COPY (SELECT i AS id, {wide} FROM range(64000) AS t(i)) TO '{raw}' (FORMAT parquet)")
    lake.folder.mkdir()
    running = factory.create(engine, storage=lake.storage, folder=lake.folder)
    running.open("s3://raw/wide.parquet", zone="UTC")
    query = "SELECT source_0 AS id, source_1 AS name FROM source WHERE source_0 % 2 = 0"
    assert 60 < running.bytes_per_row(query, of=1000, prefix="s3://processed/sample/") < 110
    assert running.bytes_per_row(f"{query} AND source_0 < 0", of=1000, prefix="s3://processed/sample/") == 0
    assert running.bytes_per_row(query, of=64_000, prefix="s3://processed/sample/") < 20
    assert running.counts("SELECT COUNT(*) FROM source") == [64_000], "the view is the whole file's again"
    assert lake.storage.list("s3://processed/") == []
    assert [file.name for file in lake.folder.iterdir() if "sample" in file.name] == []
