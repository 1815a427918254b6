"""The files as TLC published them: counts, sums and, for the old eras, every value."""

from __future__ import annotations

import csv
import datetime as dt
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
import pytest
from trip_files import read_rows, write_parquet

from glue_transform.datasets import load
from glue_transform.engines import NAMES
from glue_transform.engines import duckdb as duckdb_engine
from glue_transform.errors import NotParquet
from glue_transform.mapping import map_file

pytestmark = pytest.mark.shared_data

#: dataset, year, month: rows read, pickups out of reach, rows kept, their sum of total_amount.
PUBLISHED = [
    ("green", 2021, 1, 76518, 2, 73838, 1754566.31),
    ("green", 2023, 1, 68211, 3, 64732, 1409126.63),
    ("green", 2023, 2, 64809, 22, 61771, 1350716.22),
    ("green", 2024, 3, 57457, 6, 54300, 1238628.45),
    ("green", 2025, 1, 48326, 20, 45518, 1028932.73),
    ("yellow", 2015, 6, 9999, 0, 9926, 173321.03),
    ("yellow", 2022, 1, 100000, 1, 97874, 2084001.89),
    ("yellow", 2024, 1, 200, 0, 141, 3843.24),
    ("yellow", 2025, 1, 500, 0, 405, 14465.35),
]
IDS = [f"{dataset} {year}-{month:02}" for dataset, year, month, *_ in PUBLISHED]


def place(lake, shared_data: Path, dataset: str, year: int, month: int) -> None:
    raw = lake.raw(dataset, year, month)
    raw.write_bytes((shared_data / "tlc" / "trip-data" / raw.name).read_bytes())


@pytest.mark.parametrize(("dataset", "year", "month", "read", "strays", "kept", "total"), PUBLISHED, ids=IDS)
def test_a_published_month_twice(lake, shared_data, dataset, year, month, read, strays, kept, total):
    place(lake, shared_data, dataset, year, month)
    for _ in range(2):
        manifest = lake.transform(dataset, year, month)
        assert manifest["load"]["rows_read"] == read
        assert manifest["load"]["rows_kept"] == kept
        assert sum(manifest["rejected"].values()) == read - kept
        assert manifest["rejected"]["pickup_outside_month"] == strays
        assert manifest["drift"] == []
        rows = read_rows(lake.kept(manifest))
        assert round(sum(row[10] for row in rows), 2) == total
        assert len(read_rows(lake.rejected(manifest))) == read - kept
        assert len(lake.processed()) == 3  # one part file, one of rejects, the manifest


@pytest.mark.parametrize(("dataset", "year", "month"), [case[:3] for case in PUBLISHED], ids=IDS)
def test_the_engines_agree_on_a_published_month(lake, shared_data, spark, dataset, year, month):
    place(lake, shared_data, dataset, year, month)
    check_engines_agree(lake, dataset, year, month)


def check_engines_agree(lake, dataset: str, year: int, month: int) -> None:
    by_duckdb, by_spark = (lake.transform(dataset, year, month, engine=name, keep=True) for name in NAMES)
    assert lake.comparable(by_spark) == lake.comparable(by_duckdb)
    for files in (lake.kept, lake.rejected):
        ours, theirs = ([str(file) for file in files(manifest)] for manifest in (by_duckdb, by_spark))
        assert bool(ours) == bool(theirs)
        with duckdb.connect() as connection:
            for one, other in ((ours, theirs), (theirs, ours)) if ours else ():
                query = "SELECT COUNT(*) FROM (FROM read_parquet(?) EXCEPT ALL FROM read_parquet(?))"
                assert connection.execute(query, [one, other]).fetchall() == [(0,)]


HEADS = [
    "yellow_tripdata_2009-01.csv",
    "yellow_tripdata_2010-03.csv",
    "yellow_tripdata_2012-06.csv",
    "yellow_tripdata_2014-05.csv",
    "yellow_tripdata_2015-02.csv",
    "yellow_tripdata_2015-08.csv",
    "yellow_tripdata_2016-03.csv",
    "yellow_tripdata_2016-09.csv",
    "yellow_tripdata_2017-04.csv",
    "yellow_2019-06_head1000.csv",
]


def head(shared_data: Path, name: str) -> tuple[list[str], list[list[str]]]:
    """The names and rows of a CSV as published: CRLF, a blank second line, more fields than names."""
    with (shared_data / "yellow_csv_heads" / name).open(newline="", encoding="utf-8") as file:
        names, *rows = (row for row in csv.reader(file) if row)
    return names, [row[: len(names)] for row in rows]


def write_head(names: Sequence[str], rows: Sequence[Sequence[str]], file: Path, *, typed: bool) -> None:
    """Write CSV rows as Parquet under their own names: all as text, or numbers as what they are."""
    columns = ", ".join('"' + name + '"' for name in names)
    values = ", ".join("(" + ", ".join("'" + field + "'" for field in row) + ")" for row in rows)
    chosen = columns
    if typed:
        numbers = re.compile(r"[-+]?([0-9]+[.]?[0-9]*|[.][0-9]+)?")
        chosen = ", ".join(
            f"""CAST(NULLIF("{name}", '') AS DOUBLE) AS "{name}" """
            if all(numbers.fullmatch(row[i]) for row in rows)
            else f'"{name}"'
            for i, name in enumerate(names)
        )
    write_parquet(f"SELECT {chosen} FROM (VALUES {values}) AS trips({columns})", file)


def oracle(names: Sequence[str], rows: Sequence[Sequence[str]], month: dt.date) -> list[tuple[Any, ...]]:
    """What the table must get, worked out in plain Python."""
    plain = [name.strip().lower() for name in names]
    fields = {
        "vendor": ("vendorid", "vendor_id", "vendor_name"),
        "pickup": ("tpep_pickup_datetime", "pickup_datetime", "trip_pickup_datetime"),
        "dropoff": ("tpep_dropoff_datetime", "dropoff_datetime", "trip_dropoff_datetime"),
        "passengers": ("passenger_count",),
        "distance": ("trip_distance",),
        "from": ("pulocationid",),
        "to": ("dolocationid",),
        "payment": ("payment_type",),
        "fare": ("fare_amount", "fare_amt"),
        "tip": ("tip_amount", "tip_amt"),
        "total": ("total_amount", "total_amt"),
    }
    codes = {"CMT": 1, "VTS": 2, "DDS": 3, "CRE": 1, "CRD": 1, "CREDIT": 1, "CAS": 2, "CSH": 2, "CASH": 2}
    codes.update({"NO": 3, "NOC": 3, "NO CHARGE": 3, "DIS": 4, "DISPUTE": 4, "UNK": 5})
    first = dt.datetime.combine(month, dt.time()) - dt.timedelta(days=1)
    end = dt.datetime.combine((month + dt.timedelta(days=32)).replace(day=1), dt.time()) + dt.timedelta(days=1)

    def integer(text: str) -> int | None:
        return codes[text.upper()] if text.upper() in codes else int(float(text)) if text else None

    kept = []
    for row in rows:
        said = {
            key: next((row[plain.index(name)].strip() for name in choice if name in plain), "")
            for key, choice in fields.items()
        }
        pickup, dropoff = dt.datetime.fromisoformat(said["pickup"]), dt.datetime.fromisoformat(said["dropoff"])
        distance, fare, tip, total = (float(said[key]) for key in ("distance", "fare", "tip", "total"))
        if first <= pickup < end and distance > 0 and fare > 0 and total > 0:
            places = [integer(said[key]) for key in ("passengers", "from", "to", "payment")]
            kept.append(
                (integer(said["vendor"]), pickup, dropoff, places[0], distance, *places[1:], fare, tip, total, month)
            )
    return sorted(kept, key=repr)


@pytest.mark.parametrize("typed", [False, True], ids=["text", "typed"])
@pytest.mark.parametrize("name", HEADS)
def test_the_head_of_an_old_month(lake, shared_data, name: str, typed: bool):
    names, rows = head(shared_data, name)
    year, month = (int(part) for part in re.findall(r"(\d{4})-(\d{2})", name)[0])
    write_head(names, rows, lake.raw("yellow", year, month), typed=typed)
    manifest = lake.transform("yellow", year, month)
    assert read_rows(lake.kept(manifest)) == oracle(names, rows, dt.date(year, month, 1))
    assert manifest["load"]["rows_read"] == len(rows)
    assert manifest["drift"] == []


@pytest.mark.parametrize("name", HEADS)
def test_the_engines_agree_on_the_head_of_an_old_month(lake, shared_data, spark, name: str):
    names, rows = head(shared_data, name)
    year, month = (int(part) for part in re.findall(r"(\d{4})-(\d{2})", name)[0])
    write_head(names, rows, lake.raw("yellow", year, month), typed=False)
    check_engines_agree(lake, "yellow", year, month)


@pytest.mark.parametrize("month", [4, 8])
def test_a_whole_months_footer(lake, shared_data, month: int):
    name = f"yellow_tripdata_2024-{month:02}.footer-only.parquet"
    content = (shared_data / "footers" / name).read_bytes()
    lake.raw("yellow", 2024, month).write_bytes(content)
    lake.folder.mkdir()
    engine = duckdb_engine.DuckDBEngine(lake.storage, lake.folder)
    source = engine.open(f"s3://raw/yellow/2024/{month:02}/yellow_tripdata_2024-{month:02}.parquet", zone="UTC")
    mapping = map_file(source, load("yellow"))
    assert (mapping.era, list(mapping.new), source.rows > 2_900_000) == ("2016-07", [], True)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("yellow_tripdata_2019-01.lfs-pointer.parquet", "it begins with b'version https://git-lfs.github.com"),
        ("yellow_tripdata_2022-01.html-error.parquet", "it begins with b'<"),
        ("yellow_tripdata_2024-01.s3-accessdenied.parquet", "it begins with b'<?xml"),
        ("yellow_tripdata_2024-01.truncated.parquet", "is cut short: it ends without a Parquet footer"),
    ],
)
def test_what_a_download_can_bring_instead(lake, shared_data, engine, name: str, said: str):
    year, month = (int(part) for part in re.findall(r"(\d{4})-(\d{2})", name)[0])
    lake.raw("yellow", year, month).write_bytes((shared_data / "broken" / name).read_bytes())
    with pytest.raises(NotParquet) as error:
        lake.transform("yellow", year, month, engine=engine)
    assert said in str(error.value)
    assert str(error.value).startswith(f"s3://raw/yellow/{year}/{month:02}/yellow_tripdata_{year}-{month:02}.parquet ")
    assert lake.processed() == []
