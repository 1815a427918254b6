"""The main job on this machine: wall time and memory of `elt run` on one large month, beside the bare work.

    python benchmarks/main_job.py [--rows 3583000]

The bare work is what no pipeline can be faster than: one DuckDB process that fetches the same file over HTTP,
applies the same rules, writes the same columns to Parquet and loads them into a table, with nothing recorded,
checked or restartable. Memory is the largest resident set seen of any one process, sampled every 50 ms.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Mapping
from pathlib import Path

import psutil

from orchestration.generate import yellow_month
from orchestration.pipelines import Month
from orchestration.trips.source import serve

BIN = Path(sys.executable).parent
MONTH = Month(2024, 9)
BARE = """
import duckdb, sys, urllib.request
url, folder = sys.argv[1:]
raw, clean = f"{folder}/raw.parquet", f"{folder}/clean.parquet"
urllib.request.urlretrieve(url, raw)
db = duckdb.connect(f"{folder}/warehouse.duckdb")
db.execute("SET threads = 2; SET preserve_insertion_order = false; SET memory_limit = '500MB'")
db.execute(f'''COPY (
  SELECT CAST("VendorID" AS INTEGER) AS vendor_id, tpep_pickup_datetime AS pickup_datetime,
    tpep_dropoff_datetime AS dropoff_datetime, CAST(passenger_count AS INTEGER) AS passenger_count, trip_distance,
    "PULocationID" AS pickup_location_id, "DOLocationID" AS dropoff_location_id,
    CAST(payment_type AS INTEGER) AS payment_type, fare_amount, tip_amount, total_amount,
    DATE '2024-09-01' AS source_month
  FROM '{raw}'
  WHERE tpep_pickup_datetime >= TIMESTAMP '2024-08-31' AND tpep_pickup_datetime < TIMESTAMP '2024-10-02'
    AND trip_distance > 0 AND fare_amount > 0 AND total_amount > 0
) TO '{clean}' (FORMAT parquet, COMPRESSION snappy)''')
db.execute(f"CREATE TABLE yellow_trips AS SELECT * FROM '{clean}'")
db.close()
"""


def watch(process: subprocess.Popen[str], also: list[int]) -> dict[str, float]:
    """Peak resident megabytes by command, of a process, of others by pid, and of all their children."""
    peaks: dict[str, float] = {}
    while process.poll() is None:
        for pid in (process.pid, *also):
            for one in _family(pid):
                try:
                    name = _label(one)
                    peaks[name] = max(peaks.get(name, 0), one.memory_info().rss / 1e6)
                except psutil.Error:
                    continue
        time.sleep(0.05)
    return peaks


def _family(pid: int) -> list[psutil.Process]:
    try:
        parent = psutil.Process(pid)
        return [parent, *parent.children(recursive=True)]
    except psutil.Error:
        return []


def _label(process: psutil.Process) -> str:
    words = [Path(word).name for word in process.cmdline()[1:4]]
    return next((word for word in words if word.endswith(".py") or word in ("elt", "local_cloud")), " ".join(words))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def elt(environment: Mapping[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(BIN / "elt"), *arguments], env=environment, check=True, stdout=subprocess.PIPE, text=True
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rows", type=int, default=3_583_000)
    rows = parser.parse_args().rows
    with tempfile.TemporaryDirectory(prefix="elt-benchmark-") as scratch:
        source = Path(scratch) / "source"
        yellow_month(source, month=MONTH, rows=rows)
        environment = os.environ | {
            "LOCAL_CLOUD_STATE": f"{scratch}/elt",
            "LOCAL_CLOUD_PORT": str(free_port()),
        }
        elt(environment, "deploy")
        try:
            warm_up = Path(scratch) / "warm-up"
            yellow_month(warm_up, month=MONTH, rows=1_000)
            command = ("run", "yellow-trips", "--month", str(MONTH), "--json", "--source")
            elt(environment, *command, str(warm_up))  # the jobs' environments are built once
            pid = json.loads(elt(environment, "local", "status", "--json").stdout)["pid"]
            began = time.monotonic()
            process = subprocess.Popen(
                [str(BIN / "elt"), *command, str(source)], env=environment, stdout=subprocess.PIPE, text=True
            )
            peaks = watch(process, [pid])
            ours = time.monotonic() - began
            assert process.stdout is not None
            run = json.loads(process.stdout.read())
            (check,) = json.loads(elt(environment, "verify", "yellow-trips", "--json").stdout)
            assert run["status"] == "SUCCEEDED", run
            assert check["agrees"], check
        finally:
            elt(environment, "local", "down")
        with serve(source) as template:
            url = template.format(dataset="yellow", year="2024", month="09")
            began = time.monotonic()
            process = subprocess.Popen([sys.executable, "-c", textwrap.dedent(BARE), url, scratch], text=True)
            bare_peaks = watch(process, [])
            bare = time.monotonic() - began
            assert process.returncode == 0
    print(f"{rows:,} rows, {check['kept']:,} loaded")
    print(f"elt run     {ours:6.1f} s   {ours / bare:4.1f} x the bare work")
    for state in run["states"]:
        print(f"  {state['name']:<18}{state['seconds']:6.1f} s")
    print(f"bare work   {bare:6.1f} s")
    print("peak memory of any one process, MB")
    for name, megabytes in sorted(peaks.items(), key=lambda item: -item[1]):
        print(f"  {name:<18}{megabytes:6.0f}")
    print(f"  {'bare work':<18}{max(bare_peaks.values()):6.0f}")


if __name__ == "__main__":
    main()
