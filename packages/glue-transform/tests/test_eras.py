"""Every shape in which months were published becomes the same table, by both engines."""

from __future__ import annotations

import pytest
from trip_files import ERAS, Era, kept_rows, read_rows, rejected_counts, trips_of, write_raw

from glue_transform.engines import NAMES


@pytest.mark.parametrize("shape", ERAS, ids=lambda shape: shape.name)
def test_an_era_becomes_the_table(lake, shape: Era):
    year, month = shape.month.year, shape.month.month
    write_raw(shape, lake.raw(shape.dataset, year, month))

    manifest = lake.transform(shape.dataset, year, month)

    assert read_rows(lake.kept(manifest)) == kept_rows(shape)
    assert manifest["rejected"] == rejected_counts(shape)
    assert {line["change"] for line in manifest["drift"]} == ({"zoned_times"} if "zoned" in shape.name else set())
    read, kept = len(trips_of(shape)), len(kept_rows(shape))
    counts = [manifest["load"][key] for key in ("rows_read", "rows_kept", "rows_rejected")]
    assert counts == [read, kept, read - kept]


@pytest.mark.parametrize("shape", ERAS, ids=lambda shape: shape.name)
def test_the_engines_write_the_same(lake, spark, shape: Era):
    year, month = shape.month.year, shape.month.month
    write_raw(shape, lake.raw(shape.dataset, year, month))

    by_duckdb, by_spark = (lake.transform(shape.dataset, year, month, engine=name, keep=True) for name in NAMES)

    assert read_rows(lake.kept(by_spark)) == read_rows(lake.kept(by_duckdb)) == kept_rows(shape)
    assert read_rows(lake.rejected(by_spark)) == read_rows(lake.rejected(by_duckdb))
    assert lake.comparable(by_spark) == lake.comparable(by_duckdb)
