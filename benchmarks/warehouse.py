"""The warehouse of the local cloud beside bare DuckDB: what Redshift's types, locks and words cost.

    python benchmarks/warehouse.py [--rows 2000000] [--runs 3]

Both work on a database file of their own, with the same data and DuckDB's own settings, in one process; seconds are
medians, each of a statement and its commit. The peak of memory is the process's, both engines in it.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import duckdb

sys.path[0] = str(Path(__file__).resolve().parents[1] / "packages" / "local-cloud" / "tests" / "redshift")

# ruff: noqa: E402
from conftest import Connection, Engine, Folder
from local_cloud.services.redshift.engine.warehouse import Warehouse

COLUMNS = (
    "id bigint, vendor int, pickup timestamp, zone varchar(40), passengers int, distance double precision,"
    " fare decimal(12,2), tip decimal(12,2)"
)
ROWS = """SELECT i AS id, (i % 3)::INTEGER AS vendor, TIMESTAMP '2024-01-01' + to_seconds(i) AS pickup,
    'zone ' || (i % 263) AS zone, (i % 6)::INTEGER AS passengers, (i % 1000) / 10.0::DOUBLE AS distance,
    (i % 9000 / 100)::DECIMAL(12,2) AS fare, (i % 700 / 100)::DECIMAL(12,2) AS tip FROM range({rows}) r(i)"""
WIDE = (
    "select zone, vendor, passengers, count(*), sum(fare), sum(tip), avg(fare), max(distance), min(pickup) from trips"
    " group by zone, vendor, passengers"
)
MERGE = (
    "merge into trips using changed on trips.id = changed.id when matched then update set fare = changed.fare"
    " when not matched then insert values (changed.id, changed.vendor, changed.pickup, changed.zone,"
    " changed.passengers, changed.distance, changed.fare, changed.tip)"
)
Work = list[str]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "s3" / "b").mkdir(parents=True)
        data = folder / "s3" / "b"
        make = duckdb.connect()
        make.execute(f"COPY ({ROWS.format(rows=options.rows)}) TO '{data}/trips.parquet' (FORMAT parquet)")
        make.execute(f"COPY ({ROWS.format(rows=options.rows)}) TO '{data}/trips.csv' (FORMAT csv, HEADER false)")
        make.close()
        warehouse = Warehouse(folder / "warehouse", temp_dir=folder / "temp")
        redshift = Engine(warehouse, Folder(folder / "s3"), folder / "scratch").connect()
        bare = duckdb.connect(str(folder / "bare.duckdb"))
        print(f"{options.rows:,} rows, {options.runs} runs\n\n{'':<24}{'warehouse':>11}{'DuckDB':>9}{'ratio':>8}")
        for title, ours, theirs in _pairs(data):
            _show(title, _seconds(redshift, ours, options.runs), _bare_seconds(bare, theirs, options.runs))
        warehouse.close()
    print(f"\nmemory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MB at most")


def _pairs(data: Path) -> list[tuple[str, Work, Work]]:
    """A title, the warehouse's statements and DuckDB's; drops and creations are not timed."""
    fresh = ["drop table if exists trips", f"create table trips ({COLUMNS})"]
    parquet = f"insert into trips select * from read_parquet('{data}/trips.parquet')"
    changed = [
        "drop table if exists changed",
        "create table changed as select id + 100000 as id, vendor, pickup, zone, passengers, distance, fare, tip"
        " from trips where id >= (select max(id) from trips) - 200000",
    ]
    again = ["delete from trips where vendor = 1", "insert into trips select * from kept where vendor = 1"]
    kept = ["drop table if exists kept", "create table kept as select * from trips"]
    unload = "unload ('select * from trips') to 's3://b/out/' iam_role default parquet parallel off allowoverwrite"
    small = ["select count(*) from trips where id = 17"]
    csv = "copy trips from 's3://b/trips.csv' iam_role default csv"
    return [
        (
            "COPY, Parquet",
            [*fresh, "copy trips from 's3://b/trips.parquet' iam_role default parquet"],
            [*fresh, parquet],
        ),
        ("COPY, CSV", [*fresh, csv], [*fresh, f"copy trips from '{data}/trips.csv' (format csv, header false)"]),
        ("DELETE and INSERT", [*kept, *again], [*kept, *again]),
        ("MERGE of 200,000", [*changed, MERGE], [*changed, MERGE]),
        ("UNLOAD, Parquet", [unload], [f"copy trips to '{data}/out.parquet' (format parquet, compression snappy)"]),
        ("wide GROUP BY", [WIDE], [WIDE]),
        ("1,000 small SELECTs", small * 1000, small * 1000),
    ]


def _timed(run: Callable[[str], object], work: Work, runs: int) -> float:
    """The median seconds of all statements but drops and creations."""
    prepared = sum(each.startswith(("drop", "create")) for each in work)
    taken = []
    for _ in range(runs):
        for sql in work[:prepared]:
            run(sql)
        begun = time.perf_counter()
        for sql in work[prepared:]:
            run(sql)
        taken.append(time.perf_counter() - begun)
    return statistics.median(taken)


def _seconds(connection: Connection, work: Work, runs: int) -> float:
    return _timed(connection.run, work, runs)


def _bare_seconds(connection: duckdb.DuckDBPyConnection, work: Work, runs: int) -> float:
    return _timed(lambda sql: connection.execute(sql).fetchall(), work, runs)


def _show(title: str, ours: float, theirs: float) -> None:
    print(f"{title:<24}{ours:>9.2f} s{theirs:>7.2f} s{ours / theirs:>7.1f}x", flush=True)


if __name__ == "__main__":
    main()
