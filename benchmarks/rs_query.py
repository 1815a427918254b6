"""rs-query beside what people use today: splitting SQL, and waiting for a statement.

    python benchmarks/rs_query.py [--runs 5] [--seconds 0.05 0.3 1 3 12]

Splitting: one text of ordinary ETL statements (queries, COPYs, a procedure, comments and strings full of `;`), MB/s
of whole calls, medians; the slower splitters get a smaller piece of it. Waiting: a Data API on a loopback port whose
statements take a known time and whose every call takes 2 ms; overshoot is the time from a statement's end to the
moment the caller has it. `short looks` is rs-query with an SDK whose model has no WaitTimeSeconds, as on Python 3.9.
Exits 1 when a target is missed. Needs `pip install sqlparse sqlglot` for the comparison.
"""

from __future__ import annotations

import argparse
import functools
import gzip
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

PACKAGE = Path(__file__).resolve().parents[1] / "packages" / "rs-query"
# Not this folder, where this very file would be found as `rs_query`.
sys.path[0] = str(PACKAGE / "tests" / "support")

# ruff: noqa: E402
import botocore
from scripted_data_api import Reply, ScriptedDataApi

import rs_query
from rs_query.binding import Bound
from rs_query.data_api import DataApi
from rs_query.deadline import Deadline
from rs_query.transport import Target

MEGABYTES_A_SECOND = 8.0  # target of the splitter on Python 3.11
FIXED_LOOP = 5.0

SCRIPT = """-- Trips of one month; run in one transaction.
LOCK TABLE public.yellow_trips;
DELETE FROM public.yellow_trips WHERE source_month = '2024-09-01'::date;
COPY public.yellow_trips (vendor_id, pickup_at, dropoff_at, passengers, distance, fare, tip, total, source_month)
FROM 's3://processed/yellow/2024/09/manifest.json' IAM_ROLE default FORMAT AS PARQUET MANIFEST;
/* The counts must agree; /* what the manifest says; */ is what is loaded. */
CREATE OR REPLACE PROCEDURE check_month(month date, expected bigint) AS $$
DECLARE loaded bigint := 0;
BEGIN
  SELECT count(*) INTO loaded FROM public.yellow_trips WHERE source_month = month;
  IF loaded <> expected THEN
    RAISE EXCEPTION 'month %: % rows; expected %', month, loaded, expected;
  END IF;
END;
$$ LANGUAGE plpgsql;
SELECT date_trunc('day', pickup_at)::date AS "day;", count(*) AS trips, avg(total)::decimal(9, 2) AS mean, 'it''s;' AS x
FROM public.yellow_trips t JOIN public.zones z ON z.id = t.zone_id AND z.borough IN ('Manhattan', 'Queens')
WHERE source_month BETWEEN '2024-01-01' AND '2024-12-31' AND fare > 0 GROUP BY 1 ORDER BY 2 DESC LIMIT 100;
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--seconds", type=float, nargs="+", default=[0.05, 0.3, 1.0, 3.0, 12.0])
    options = parser.parse_args()
    missed = [*splitting(options.runs), *waiting(options.seconds, options.runs)]
    for line in missed:
        print(f"MISSED: {line}")
    sys.exit(bool(missed))


def splitting(runs: int) -> Iterator[str]:
    """Print MB/s of each splitter; yields missed targets."""
    import sqlglot.dialects.redshift
    import sqlparse

    class Judge(sqlglot.dialects.redshift.Redshift.Tokenizer):
        COMMANDS: ClassVar[set[object]] = set()

    large, small = SCRIPT * 3000, SCRIPT * 60
    expected = len(rs_query.split(SCRIPT))
    sides: dict[str, tuple[str, Callable[[str], int]]] = {
        "rs_query.split": (large, lambda text: len(rs_query.split(text))),
        "sqlglot's tokenizer": (
            small,
            lambda text: sum(t.token_type.name == "SEMICOLON" for t in Judge(dialect="redshift").tokenize(text)),
        ),
        "sqlparse.split": (small, lambda text: len(sqlparse.split(text))),
    }
    print(f"Splitting, Python {sys.version.split()[0]}, medians of {runs}\n")
    print("| splitter | MB | MB/s | statements found |")
    print("|---|---|---|---|")
    for name, (text, split) in sides.items():
        speeds = []
        for _ in range(runs):
            began = time.perf_counter()
            found = split(text)
            speeds.append(len(text) / 1e6 / (time.perf_counter() - began))
        speed = statistics.median(speeds)
        share = found / (expected * len(text) / len(SCRIPT))
        print(f"| {name} | {len(text) / 1e6:.2f} | {speed:.2f} | {share:.0%} |")
        if name == "rs_query.split" and speed < MEGABYTES_A_SECOND:
            yield f"the splitter does {speed:.1f} MB/s, the target is {MEGABYTES_A_SECOND}"
    print()


def waiting(durations: list[float], runs: int) -> Iterator[str]:
    """Print the overshoot of each way to wait; yields missed targets."""
    print(f"Waiting, overshoot in ms, the worst of {runs}\n")
    print("| statement, s | target | rs-query, long poll | rs-query, short looks | fixed 5 s loop |")
    print("|---|---|---|---|---|")
    with ScriptedDataApi(latency=0.002).serving() as api:
        os.environ.update(api.environment)
        for seconds in durations:
            api.script = functools.partial(lambda sql, duration: Reply(seconds=duration), duration=seconds)
            target = max(0.060, 0.05 * seconds)
            cells = {
                "long poll": max(overshoot(api, ours) for _ in range(runs)),
                "short looks": 0.0,
            }
            with older_sdk():
                cells["short looks"] = max(overshoot(api, ours) for _ in range(runs))
            loop = overshoot(api, fixed_loop)
            shown = " | ".join(f"{value * 1000:.0f}" for value in (target, *cells.values(), loop))
            print(f"| {seconds:g} | {shown} |", flush=True)
            for name, value in cells.items():
                if value >= target:
                    yield f"{name}: {value * 1000:.0f} ms after a statement of {seconds:g} s"


def overshoot(api: ScriptedDataApi, run: Callable[[], str]) -> float:
    """Seconds from the end of the statement that `run` runs to its return."""
    statement_id = run()
    return time.monotonic() - api.statements[statement_id].ends()


def ours() -> str:
    transport = DataApi(Target("dev", workgroup="elt"), log=lambda event: None)
    (statement,) = rs_query.split("SELECT 1")
    (outcome,) = transport.execute([Bound(statement, statement.text)], Deadline(None))
    return outcome.statement_id


def fixed_loop() -> str:
    """The loop of most examples of the Data API."""
    import boto3

    client = boto3.session.Session().client("redshift-data")
    statement_id: str = client.execute_statement(WorkgroupName="elt", Database="dev", Sql="SELECT 1")["Id"]
    while client.describe_statement(Id=statement_id)["Status"] not in ("FINISHED", "FAILED", "ABORTED"):
        time.sleep(FIXED_LOOP)
    return statement_id


@contextmanager
def older_sdk() -> Iterator[None]:
    """The SDK's model without WaitTimeSeconds, as botocore 1.42 has it."""
    version = Path("redshift-data") / "2019-12-20"
    packed = Path(botocore.__file__).parent / "data" / version / "service-2.json.gz"
    model = json.loads(gzip.decompress(packed.read_bytes()))
    for shape in model["shapes"].values():
        shape.get("members", {}).pop("WaitTimeSeconds", None)
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / version).mkdir(parents=True)
        (Path(folder) / version / "service-2.json").write_text(json.dumps(model))
        os.environ["AWS_DATA_PATH"] = folder
        try:
            yield
        finally:
            del os.environ["AWS_DATA_PATH"]


if __name__ == "__main__":
    main()
