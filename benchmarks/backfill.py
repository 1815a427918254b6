"""A backfill on this machine: `elt backfill` of 24 months beside `elt run` of one month after the other.

    python benchmarks/backfill.py [--months 24] [--rows 100000] [--max-concurrency 4] [--one-by-one 6] [--target 150]

Both start with an empty table, fetch generated files over HTTP and load every month. The loop of `elt run` is timed on
a few months (--one-by-one) and told by the month. CPU is that of the local cloud and of what it starts; what is left
of the machine was waiting. Months run faster side by side only as far as there are cores. Exits 1 when the backfill
takes longer than --target seconds, which is for the 24 months on two cores that nobody else uses.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import boto3
import psutil

from main_job import elt, free_port
from orchestration import executions
from orchestration.generate import yellow_month
from orchestration.pipelines import Month

FIRST_YEAR = 2023


def months(count: int) -> list[Month]:
    return [Month(FIRST_YEAR + number // 12, number % 12 + 1) for number in range(count)]


def cpu(pid: int) -> dict[str, float]:
    """CPU seconds of the local cloud itself, and of its children that have ended."""
    times = psutil.Process(pid).cpu_times()
    return {"local cloud": times.user + times.system, "jobs": times.children_user + times.children_system}


def mean_seconds(port: str, done: Mapping[str, Any]) -> dict[str, float]:
    """By state, over the executions of all months."""
    states = boto3.client(
        "stepfunctions",
        endpoint_url=f"http://127.0.0.1:{port}",
        region_name="us-east-1",
        aws_access_key_id="local",
        aws_secret_access_key="local",
    )
    found: dict[str, list[float]] = defaultdict(list)
    for month in done["months"]:
        for state in executions.read(states, month["execution"]).states:
            found[state.name].append(state.seconds)
    return {name: sum(seconds) / len(seconds) for name, seconds in found.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--months", type=int, default=24)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--max-concurrency", type=int, default=4)
    parser.add_argument("--one-by-one", type=int, default=6)
    parser.add_argument("--target", type=float, default=150)
    given = parser.parse_args()
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="elt-benchmark-") as scratch:
        source = Path(scratch) / "source"
        wanted = months(given.months)
        warm_up = Month(FIRST_YEAR - 1, 1)
        single = [Month(FIRST_YEAR - 2, number + 1) for number in range(given.one_by_one)]
        for month in (warm_up, *single, *wanted):
            yellow_month(source, month=month, rows=given.rows)
        port = str(free_port())
        environment = os.environ | {"LOCAL_CLOUD_STATE": f"{scratch}/elt", "LOCAL_CLOUD_PORT": port}
        elt(environment, "deploy")
        try:
            run = ("run", "yellow-trips", "--source", str(source), "--month")
            elt(environment, *run, str(warm_up))
            pid = json.loads(elt(environment, "local", "status", "--json").stdout)["pid"]
            began = time.monotonic()
            for month in single:
                elt(environment, *run, str(month))
            one_by_one = (time.monotonic() - began) / len(single)
            before, began = cpu(pid), time.monotonic()
            command = ("backfill", "yellow-trips", "--from", str(wanted[0]), "--to", str(wanted[-1]), "--json")
            answer = elt(
                environment, *command, "--max-concurrency", str(given.max_concurrency), "--source", str(source)
            )
            seconds = time.monotonic() - began
            used = {name: value - before[name] for name, value in cpu(pid).items()}
            done = json.loads(answer.stdout)
            checks = json.loads(elt(environment, "verify", "yellow-trips", "--json").stdout)
            states = mean_seconds(port, done)
        finally:
            elt(environment, "local", "down")
    assert [month["status"] for month in done["months"]] == ["SUCCEEDED"] * given.months
    assert len(checks) == given.months + given.one_by_one + 1
    assert all(check["agrees"] for check in checks)
    print(f"{given.months} months of {given.rows:,} rows, {given.max_concurrency} at a time, {os.cpu_count()} cores")
    print(f"load before the start    {load:6.1f}")
    print(f"elt backfill             {seconds:6.1f} s, {seconds / given.months:.2f} s a month")
    print(f"elt run, one by one      {one_by_one * given.months:6.1f} s, {one_by_one:.2f} s a month")
    print(f"one by one / backfill    {one_by_one * given.months / seconds:6.1f}")
    for name, value in used.items():
        print(f"CPU, {name:<20}{value:6.1f} s, {value / given.months:.2f} s a month")
    print("a month's states, mean seconds")
    for name, value in states.items():
        print(f"  {name:<23}{value:6.2f}")
    if seconds > given.target:
        sys.exit(f"\nmissed: the backfill took {seconds:.1f} s, target {given.target:g} s")


if __name__ == "__main__":
    main()
