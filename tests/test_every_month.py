"""Every month at hand, through the whole pipeline: the tables hold what the files hold.

The counts and sums of published months are those of ../shared/data/README.md, worked out there without this project;
these months run twice. The old eras come from the heads of published CSV files, as Parquet of the types that TLC
publishes; theirs are worked out here in plain Python.
"""

from __future__ import annotations

import csv
import datetime
import itertools
import shutil
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest

from laptop import SHARED_DATA, Laptop, deployed
from orchestration import executions, pipelines
from orchestration.pipelines import Month
from orchestration.trips.source import serve

pytestmark = [pytest.mark.shared_data, pytest.mark.timeout(900)]

#: So many executions at a time; each runs one job at a time.
AT_ONCE = 4


@dataclass(frozen=True)
class Loaded:
    """What a month leaves in its table and its manifest, run so often.

    `outside` are pickups more than a day outside the month, `strays` what is kept of those picked up in another.
    """

    dataset: str
    month: str
    read: int
    outside: int
    kept: int
    total: float
    strays: int
    runs: int


def published(
    dataset: str, month: str, read: int, outside: int, positive: int, kept: int, total: float, strays: int
) -> Loaded:
    """A row of the README's table, which counts strays among the `positive`, whether kept or not."""
    return Loaded(dataset, month, read, outside, kept, total, strays - (positive - kept), runs=2)


PUBLISHED = [
    published("green", "2021-01", 76518, 2, 73838, 73838, 1754566.31, 1),
    published("green", "2023-01", 68211, 3, 64735, 64732, 1409126.63, 4),
    published("green", "2023-02", 64809, 22, 61789, 61771, 1350716.22, 22),
    published("green", "2024-03", 57457, 6, 54302, 54300, 1238628.45, 6),
    published("green", "2025-01", 48326, 20, 45537, 45518, 1028932.73, 40),
    published("yellow", "2015-06", 9999, 0, 9926, 9926, 173321.03, 0),
    published("yellow", "2022-01", 100000, 1, 97875, 97874, 2084001.89, 24),
    published("yellow", "2024-01", 200, 0, 141, 141, 3843.24, 1),
    published("yellow", "2025-01", 500, 0, 405, 405, 14465.35, 0),
]

#: The first rows of one published month of each era, 2015's second spelling of RatecodeID among them.
HEADS = ("2009-01", "2010-03", "2012-06", "2014-05", "2015-02", "2015-08", "2016-03", "2016-09", "2017-04", "2019-06")

#: What a download can bring instead of a month: the file, the month it is given out as, and what is said of it.
BROKEN = [
    ("yellow_tripdata_2022-01.html-error.parquet", "2018-01", "is not a Parquet file but an HTML page, which begins"),
    (
        "yellow_tripdata_2024-01.s3-accessdenied.parquet",
        "2018-02",
        "is not a Parquet file but an S3 error document (AccessDenied), which begins",
    ),
    ("yellow_tripdata_2019-01.lfs-pointer.parquet", "2018-03", "is not a Parquet file but a Git LFS pointer, which"),
    ("yellow_tripdata_2024-01.truncated.parquet", "2018-04", "is not a whole Parquet file, it does not end as one"),
]


def head(month: str) -> tuple[list[str], list[list[str]]]:
    """Names and rows of a CSV as published: CRLF, a blank second line, more fields than names."""
    (file,) = (SHARED_DATA / "yellow_csv_heads").glob(f"*{month}*.csv")
    with file.open(newline="", encoding="utf-8") as lines:
        names, *rows = (row for row in csv.reader(lines) if row)
    return names, [row[: len(names)] for row in rows]


def published_type(name: str, values: Sequence[str], year: int) -> str:
    """The type TLC's Parquet has for a column: times are text before 2011, a column without values is double."""
    plain = name.strip().lower()
    numbers = [value for value in values if value.strip()]
    if plain.endswith("datetime"):
        return "TIMESTAMP" if year > 2010 else "VARCHAR"
    if any(value.strip().replace(".", "").lstrip("-").isalpha() for value in numbers):
        return "VARCHAR"
    return "BIGINT" if plain.endswith("id") or plain in ("passenger_count", "payment_type") else "DOUBLE"


def write_head(month: str, folder: Path) -> None:
    """The head as a month's Parquet file, under its own column names."""
    names, rows = head(month)
    columns = zip(names, zip(*rows, strict=True), strict=True)
    casts = ", ".join(
        f"""CAST(NULLIF(c{i}, '') AS {published_type(name, values, int(month[:4]))}) AS "{name}" """
        for i, (name, values) in enumerate(columns)
    )
    marks = ", ".join("?" * len(names))
    aliases = ", ".join(f"c{i}" for i in range(len(names)))
    values = ", ".join([f"({marks})"] * len(rows))
    file = folder / f"yellow_tripdata_{month}.parquet"
    duckdb.connect().execute(
        f"COPY (SELECT {casts} FROM (VALUES {values}) AS trips({aliases})) TO '{file}' (FORMAT parquet)",
        list(itertools.chain.from_iterable(rows)),
    )


def expected_of_head(month: str) -> Loaded:
    """The rules in plain Python."""
    names, rows = head(month)
    plain = [name.strip().lower() for name in names]

    def field(*choices: str) -> int:
        return next(plain.index(name) for name in choices if name in plain)

    pickup_field = field("tpep_pickup_datetime", "pickup_datetime", "trip_pickup_datetime")
    total_field = field("total_amount", "total_amt")
    positive = (field("trip_distance"), field("fare_amount", "fare_amt"), total_field)
    first = datetime.datetime.fromisoformat(f"{month}-01")
    following = (first + datetime.timedelta(days=32)).replace(day=1)
    day = datetime.timedelta(days=1)
    outside, strays, totals = 0, 0, []
    for row in rows:
        pickup = datetime.datetime.fromisoformat(row[pickup_field].strip())
        if not first - day <= pickup < following + day:
            outside += 1
        elif all(float(row[at]) > 0 for at in positive):
            totals.append(float(row[total_field]))
            strays += not first <= pickup < following
    return Loaded("yellow", month, len(rows), outside, len(totals), round(sum(totals), 2), strays, runs=1)


@pytest.fixture(scope="module")
def expected() -> list[Loaded]:
    if not SHARED_DATA.is_dir():
        pytest.skip("the real trip files are not beside this checkout (../shared/data)")
    return sorted([*PUBLISHED, *map(expected_of_head, HEADS)], key=lambda one: (one.dataset, one.month))


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory, expected: list[Loaded]) -> Iterator[Laptop]:
    """A laptop that nothing else loads months on."""
    with deployed(tmp_path_factory) as laptop:
        yield laptop


@pytest.fixture(scope="module")
def history(
    machine: Laptop, expected: list[Loaded], tmp_path_factory: pytest.TempPathFactory
) -> dict[tuple[str, str], list[Any]]:
    """The ends of every month's executions, by dataset and month."""
    folder = tmp_path_factory.mktemp("source")
    for file in (SHARED_DATA / "tlc" / "trip-data").iterdir():
        shutil.copy(file, folder)
    for month in HEADS:
        write_head(month, folder)
    for file_name, month, _ in BROKEN:
        shutil.copy(SHARED_DATA / "broken" / file_name, folder / f"yellow_tripdata_{month}.parquet")
    assert len(list(folder.iterdir())) == len(expected) + len(BROKEN), "a file of ../shared/data is not expected here"
    times = {(one.dataset, one.month): one.runs for one in expected} | {("yellow", month): 1 for _, month, _ in BROKEN}
    with serve(folder) as template, ThreadPoolExecutor(AT_ONCE) as pool:
        ends = pool.map(lambda month: [run(machine, *month, template) for _ in range(times[month])], times)
        return dict(zip(times, ends, strict=True))


def run(laptop: Laptop, dataset: str, month: str, template: str) -> Any:
    """One execution from its start to its end, as Step Functions describes it."""
    states = laptop.client("stepfunctions")
    pipeline = pipelines.load(f"{dataset}-trips")
    arn = executions.start(
        states,
        laptop.outputs("pipelines")[f"{dataset.capitalize()}TripsLive"],
        pipeline=pipeline,
        month=Month.parse(month),
        source_url=template,
        rerun="",
        force=False,
        engine="auto",
    )
    while (found := states.describe_execution(executionArn=arn))["status"] == "RUNNING":
        time.sleep(0.2)
    return found


def keys(laptop: Laptop, kind: str) -> list[str]:
    """Every key of the raw or the processed bucket."""
    bucket = laptop.outputs("data")[f"{kind.capitalize()}Bucket"]
    pages = laptop.client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket)
    return [entry["Key"] for page in pages for entry in page.get("Contents", [])]


def test_every_run_of_a_month_succeeds(history: dict[tuple[str, str], list[Any]], expected: list[Loaded]) -> None:
    wanted = {(one.dataset, one.month): [("SUCCEEDED", None)] * one.runs for one in expected}
    assert {month: [(end["status"], end.get("cause")) for end in history[month]] for month in wanted} == wanted


@pytest.mark.parametrize("dataset", ["yellow", "green"])
def test_the_table_holds_every_month_once(
    machine: Laptop, history: dict[tuple[str, str], list[Any]], expected: list[Loaded], dataset: str
) -> None:
    found = machine.query(
        f"""SELECT TO_CHAR(source_month, 'YYYY-MM'), COUNT(*), ROUND(SUM(total_amount), 2),
                   SUM(CASE WHEN DATE_TRUNC('month', pickup_datetime) <> source_month THEN 1 ELSE 0 END)
            FROM {dataset}_trips GROUP BY source_month ORDER BY source_month"""
    )
    assert [(month, rows, float(total), int(strays)) for month, rows, total, strays in found] == [
        (one.month, one.kept, one.total, one.strays) for one in expected if one.dataset == dataset
    ]


def test_every_load_is_audited(
    machine: Laptop, history: dict[tuple[str, str], list[Any]], expected: list[Loaded]
) -> None:
    found = machine.query(
        """SELECT dataset, TO_CHAR(source_month, 'YYYY-MM'), rows_read, rows_kept, rows_rejected, COUNT(*)
           FROM load_audit GROUP BY dataset, source_month, rows_read, rows_kept, rows_rejected
           ORDER BY dataset, source_month"""
    )
    assert found == [(one.dataset, one.month, one.read, one.kept, one.read - one.kept, one.runs) for one in expected]


@pytest.mark.parametrize("dataset", ["yellow", "green"])
def test_manifests_and_tables_agree(
    machine: Laptop, history: dict[tuple[str, str], list[Any]], expected: list[Loaded], dataset: str
) -> None:
    found = machine.elt_json("verify", f"{dataset}-trips")
    assert all(month["agrees"] for month in found)
    assert [(m["month"], m["read"], m["kept"], m["rejected"]["pickup_outside_month"]) for m in found] == [
        (one.month, one.read, one.kept, one.outside) for one in expected if one.dataset == dataset
    ]


def test_an_era_without_a_column_leaves_it_null(
    machine: Laptop, history: dict[tuple[str, str], list[Any]], expected: list[Loaded]
) -> None:
    """What none of these heads lacks is there in every row; places have numbers since July 2016 alone."""
    columns = [
        *("vendor_id", "pickup_datetime", "dropoff_datetime", "passenger_count", "trip_distance"),
        *("pickup_location_id", "dropoff_location_id", "payment_type", "fare_amount", "tip_amount", "total_amount"),
    ]
    counts = ", ".join(f"COUNT({column})" for column in columns)
    found = machine.query(
        f"SELECT TO_CHAR(source_month, 'YYYY-MM'), {counts} FROM yellow_trips GROUP BY source_month ORDER BY 1"
    )
    heads = [one for one in expected if one.month in HEADS]
    assert [row for row in found if row[0] in HEADS] == [
        (one.month, *(0 if "location" in column and one.month < "2016-07" else one.kept for column in columns))
        for one in heads
    ]


@pytest.mark.parametrize(("file", "month", "said"), BROKEN, ids=[month for _, month, _ in BROKEN])
def test_a_broken_file_is_refused_and_told(
    history: dict[tuple[str, str], list[Any]], file: str, month: str, said: str
) -> None:
    (end,) = history["yellow", month]
    assert end["status"] == "FAILED"
    assert end["cause"].startswith("IngestRaw: NotParquet: http://127.0.0.1:")
    assert f"/yellow_tripdata_{month}.parquet" in end["cause"]
    assert said in end["cause"]
    assert "\n" not in end["cause"]


def test_s3_holds_one_file_and_one_load_of_each_month_and_nothing_else(
    machine: Laptop, history: dict[tuple[str, str], list[Any]], expected: list[Loaded]
) -> None:
    months = [(one.dataset, one.month.replace("-", "/"), f"{one.dataset}_tripdata_{one.month}") for one in expected]
    assert keys(machine, "raw") == sorted(f"{dataset}/{path}/{name}.parquet" for dataset, path, name in months)
    bucket = machine.outputs("data")["RawBucket"]
    assert machine.client("s3").list_multipart_uploads(Bucket=bucket).get("Uploads", []) == []
    loads: dict[str, set[str]] = {}
    for key in keys(machine, "processed"):
        kind, year, month, *rest = key.split("/")
        loads.setdefault(f"{kind}/{year}/{month}", set()).add(rest[0])
    of_kept = {f"{dataset}/{path}" for dataset, path, _ in months}
    of_rejected = {f"{one.dataset}_rejected/{one.month.replace('-', '/')}" for one in expected if one.read > one.kept}
    assert set(loads) == of_kept | of_rejected
    assert all(len(found) == 1 for prefix, found in loads.items() if prefix in of_rejected)
    assert all(len(found - {"manifest.json"}) == 1 and "manifest.json" in found for found in map(loads.get, of_kept))
