"""Rows of the warehouse beside the generated source, counted by SQL of this module's own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from campaign.problem import Problem, compare

if TYPE_CHECKING:
    from campaign.world import World


@dataclass(frozen=True)
class Rows:
    """`total` is a sum over the rows, in cents or votes, that tells one set of as many rows from another."""

    count: int
    total: int
    read: int = 0


NONE = Rows(0, 0)


def month_of(file: Path, month: str) -> Rows:
    """What is kept of a month's file: picked up in the month or a day beside it, all amounts above 0."""
    start = f"TIMESTAMP '{month}-01'"
    count, cents, read = (
        duckdb.connect()
        .sql(
            f"""
        SELECT count(*) FILTER (kept), coalesce(sum(round(total_amount * 100)) FILTER (kept), 0)::BIGINT, count(*)
        FROM (
            SELECT *, tpep_pickup_datetime >= {start} - INTERVAL 1 DAY
                AND tpep_pickup_datetime < {start} + INTERVAL 1 MONTH + INTERVAL 1 DAY
                AND trip_distance > 0 AND fare_amount > 0 AND total_amount > 0 AS kept
            FROM read_parquet('{file}')
        )"""
        )
        .fetchall()[0]
    )
    return Rows(count, cents, read)


def reviews_of(folder: Path) -> dict[str, Rows]:
    found = (
        duckdb.connect()
        .sql(
            f"""
        SELECT product_category, count(*), sum(helpful_votes)::BIGINT
        FROM read_parquet('{folder}/*/*.parquet', hive_partitioning = true) WHERE year >= 2015 GROUP BY 1"""
        )
        .fetchall()
    )
    return {category: Rows(count, votes) for category, count, votes in found}


def months_in(world: World) -> dict[str, Rows]:
    return _rows(world, "yellow_trips", "TO_CHAR(source_month, 'YYYY-MM')", "CAST(ROUND(total_amount * 100) AS BIGINT)")


def reviews_in(world: World) -> dict[str, Rows]:
    return _rows(world, "reviews", "product_category", "helpful_votes")


def _rows(world: World, table: str, key: str, amount: str) -> dict[str, Rows]:
    """Before the first run there is no table, and so there are no rows."""
    if not world.machine.query(f"SELECT 1 FROM pg_tables WHERE schemaname = 'public' AND tablename = '{table}'"):
        return {}
    found = world.machine.query(f"SELECT {key}, COUNT(*), SUM({amount}) FROM public.{table} GROUP BY 1")
    return {str(name): Rows(int(count), int(total)) for name, count, total in found}


def differences(found: Mapping[str, Rows], *expected: Mapping[str, Rows]) -> list[Problem]:
    """Where the table has neither of what is expected: of each month or category the same rows, once."""
    problems = []
    for name in sorted({*found, *(name for one in expected for name in one)}):
        here = found.get(name, NONE)
        right = list(dict.fromkeys(one.get(name, NONE) for one in expected))
        problems += compare(name, here.count, *(rows.count for rows in right))
        if here.count in (rows.count for rows in right) and (here.count, here.total) not in (
            (rows.count, rows.total) for rows in right
        ):
            problems.append(Problem("lost", f"{name}: as many rows, but others", here.count))
    return problems


def verified(world: World, pipeline: str) -> list[Problem]:
    """`elt verify` agrees, and what it says was read and kept of a month is what the source has."""
    done = world.run("elt", "verify", pipeline, "--json")
    if done.returncode:
        return [Problem("disagrees", f"elt verify {pipeline}: {done.stdout[-400:]}{done.stderr[-200:]}")]
    if pipeline == "reviews":
        return []
    told = {one["month"]: (one["read"], one["kept"]) for one in json.loads(done.stdout)}
    wanted = {month: (rows.read, rows.count) for month, rows in world.months.items()}
    return [
        Problem("disagrees", f"elt verify: {month} {told.get(month)}, not {wanted.get(month)}")
        for month in sorted({*told, *wanted})
        if told.get(month) != wanted.get(month)
    ]


def status(world: World) -> list[Problem]:
    """`elt status` shows what has ended, and nothing else."""
    done = world.run("elt", "status", "--json", "--limit", "1000")
    if done.returncode:
        return [Problem("disagrees", f"elt status: {done.stderr[-200:]}")]
    running = [one["name"] for one in json.loads(done.stdout) if one["status"] == "RUNNING"]
    return [Problem("disagrees", f"elt status: {name} is RUNNING") for name in running]
