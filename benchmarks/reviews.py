"""The reviews pipeline on this machine: wall time and memory of two days of many reviews, beside the bare work.

    python benchmarks/reviews.py [--rows 2000000]

The first day loads everything, the second finds nothing changed. The bare work is what neither can be faster than: one
DuckDB process that loads the same files into a table and writes the same report as CSV, with nothing compared,
recorded, checked or restartable. Memory is the largest resident set seen of any one process, sampled every 50 ms.
Ends with 1 when a target is missed: either day of two million reviews takes at most a minute.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from main_job import BIN, elt, free_port, watch
from orchestration import pipelines
from orchestration.generate import reviews

PIPELINE = pipelines.load_daily("reviews")
SECONDS_A_DAY = 60.0  # target, for two million reviews on two cores
BARE = """
import duckdb, sys
source, folder = sys.argv[1:]
db = duckdb.connect(f"{folder}/warehouse.duckdb")
db.execute("SET threads = 2; SET preserve_insertion_order = false; SET memory_limit = '700MB'")
db.execute("SET enable_progress_bar = false")
db.execute(f'''CREATE TABLE reviews AS
  FROM read_parquet('{source}/*/*.parquet', hive_partitioning = true) WHERE year >= 2015''')
db.execute(f'''COPY (
  SELECT marketplace, product_category, product_title, review_id, avg(star_rating) AS avg_star_rating, helpful_votes
  FROM reviews GROUP BY marketplace, product_category, product_title, review_id, helpful_votes
  ORDER BY helpful_votes DESC, marketplace, product_category, product_title, review_id
) TO '{folder}/report.csv' (HEADER)''')
db.close()
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rows", type=int, default=2_000_000)
    rows = parser.parse_args().rows
    with tempfile.TemporaryDirectory(prefix="elt-benchmark-") as scratch:
        began = time.monotonic()
        source = reviews(Path(scratch) / "source", categories=PIPELINE.categories, rows=rows)
        generated = time.monotonic() - began
        environment = os.environ | {"LOCAL_CLOUD_STATE": f"{scratch}/elt", "LOCAL_CLOUD_PORT": str(free_port())}
        elt(environment, "deploy")
        try:
            warm_up = reviews(Path(scratch) / "warm-up", categories=PIPELINE.categories, rows=1_000)
            elt(environment, "run", "reviews", "--source", str(warm_up))  # the job's environment is built once
            pid = json.loads(elt(environment, "local", "status", "--json").stdout)["pid"]
            days = [
                ("first day", *_run(environment, pid, "--source", str(source))),
                ("second day", *_run(environment, pid)),
            ]
            checks = json.loads(elt(environment, "verify", "reviews", "--json").stdout)
            assert all(check["agrees"] for check in checks), checks
        finally:
            elt(environment, "local", "down")
        bare, bare_peak = _bare(source, scratch)
    print(f"{rows:,} reviews generated in {generated:.1f} s, {sum(check['loaded'] for check in checks):,} loaded")
    for name, run, seconds, peaks in days:
        told = "reached" if seconds <= SECONDS_A_DAY else "MISSED"
        print(
            f"{name:<20}{seconds:6.1f} s   {told} (at most {SECONDS_A_DAY:g})   {seconds / bare:4.1f} x the bare work"
        )
        for state in run["states"]:
            if state["seconds"] >= 0.1:
                print(f"  {state['name']:<18}{state['seconds']:6.1f} s")
        print(f"  {'peak memory':<18}{max(peaks.values()):6.0f} MB")
    print(f"{'bare work':<20}{bare:6.1f} s")
    print(f"  {'peak memory':<18}{bare_peak:6.0f} MB")
    sys.exit(any(seconds > SECONDS_A_DAY for _, _, seconds, _ in days))


def _run(environment: Mapping[str, str], pid: int, *source: str) -> tuple[dict[str, Any], float, dict[str, float]]:
    """One run as Step Functions tells it, the command's seconds, and the peak memory of each process."""
    command = [str(BIN / "elt"), "run", "reviews", "--json", *source]
    began = time.monotonic()
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
    peaks = watch(process, [pid])
    seconds = time.monotonic() - began
    assert process.stdout is not None
    run: dict[str, Any] = json.loads(process.stdout.read())
    assert run["status"] == "SUCCEEDED", run
    return run, seconds, peaks


def _bare(source: Path, scratch: str) -> tuple[float, float]:
    began = time.monotonic()
    process = subprocess.Popen([sys.executable, "-c", textwrap.dedent(BARE), str(source), scratch])
    peaks = watch(process, [])
    assert process.returncode == 0
    return time.monotonic() - began, max(peaks.values())


if __name__ == "__main__":
    main()
