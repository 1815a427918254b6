"""Generated months through the transform, beside what else could do it and beside the limit.

    python benchmarks/transform.py [--rows 3583000] [--fhvhv-rows 3000000] [--runs 5] [--months 1,3,6,12]

Each contender is a process of its own, from start to exit; all take turns, and the table shows medians.

On local files, for yellow trips and for high-volume for-hire trips (25 columns, 8 of them text in the file):

- transform: start-up, read, rules, rejects, write, manifest.
- limit: a bare COPY by DuckDB, decoding and encoding the table's columns, no filter.
- PySpark: a job of the usual shape (select, filter, count, write), local[2]; of yellow trips alone.

From S3 to S3 (the local cloud, whose own work is not counted but shares the processors):

- transform, S3: the Glue job transform-trips as it is.
- limit, S3: boto3 fetching the file, the same DuckDB statement, boto3 storing the file.

Then the job alone on files of several months' rows. Ends with 1 when a target is missed. Measure on a machine that does
nothing else. Needs what `make test` installs.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

JOB = Path(__file__).resolve().parents[1] / "packages" / "glue-transform" / "glue" / "transform_trips.py"
ON_FILES = Path(__file__).with_name("transform_on_files.py")


@dataclass(frozen=True)
class Source:
    """A month of a dataset, and the table's columns as the bare COPY selects them."""

    dataset: str
    year: int
    month: int
    columns: str

    @property
    def key(self) -> str:
        name = f"{self.dataset}_tripdata_{self.year}-{self.month:02}.parquet"
        return f"{self.dataset}/{self.year}/{self.month:02}/{name}"

    def generate(self, folder: Path, rows: int) -> Path:
        from orchestration import generate
        from orchestration.pipelines import Month

        write = {"yellow": generate.yellow_month, "fhvhv": generate.fhvhv_month}[self.dataset]
        return write(folder, month=Month(self.year, self.month), rows=rows, seed=1)


YELLOW = Source(
    "yellow",
    2024,
    9,
    """
    "VendorID" AS vendor_id, tpep_pickup_datetime AS pickup_datetime, tpep_dropoff_datetime AS dropoff_datetime,
    CAST(passenger_count AS INTEGER) AS passenger_count, trip_distance, "PULocationID" AS pickup_location_id,
    "DOLocationID" AS dropoff_location_id, CAST(payment_type AS INTEGER) AS payment_type, fare_amount, tip_amount,
    total_amount, DATE '2024-09-01' AS source_month
    """,
)
FHVHV = Source(
    "fhvhv",
    2025,
    3,
    """
    * REPLACE (
        CAST(trip_time AS INTEGER) AS trip_time, shared_request_flag = 'Y' AS shared_request_flag,
        shared_match_flag = 'Y' AS shared_match_flag, access_a_ride_flag = 'Y' AS access_a_ride_flag,
        wav_request_flag = 'Y' AS wav_request_flag, wav_match_flag = 'Y' AS wav_match_flag
    ), DATE '2025-03-01' AS source_month
    """,
)

LIMIT = """
import sys, duckdb
connection = duckdb.connect(config={"threads": 2, "preserve_insertion_order": False})
connection.execute("SET enable_progress_bar = false")
columns, raw, part = sys.argv[1:4]
connection.execute(
    f"COPY (SELECT {columns} FROM read_parquet('{raw}')) TO '{part}' (FORMAT parquet, COMPRESSION snappy)"
)
"""

LIMIT_BY_S3 = f"""
import sys, boto3
client = boto3.client("s3")
client.download_file("raw", "{YELLOW.key}", sys.argv[2])
{LIMIT}
client.upload_file(sys.argv[3], "processed", "limit/part.parquet")
"""

PYSPARK = """
import sys
from glue_transform.engines.spark import find_java
find_java()
from pyspark.sql import SparkSession, functions as F

spark = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").getOrCreate()
trips = spark.read.parquet(sys.argv[1]).select(
    F.col("VendorID").cast("int").alias("vendor_id"),
    F.col("tpep_pickup_datetime").alias("pickup_datetime"),
    F.col("tpep_dropoff_datetime").alias("dropoff_datetime"),
    F.col("passenger_count").cast("int"),
    "trip_distance",
    F.col("PULocationID").alias("pickup_location_id"),
    F.col("DOLocationID").alias("dropoff_location_id"),
    F.col("payment_type").cast("int"),
    "fare_amount", "tip_amount", "total_amount",
)
kept = trips.filter("trip_distance > 0 AND fare_amount > 0 AND total_amount > 0")
kept = kept.filter("pickup_datetime >= '2024-08-31' AND pickup_datetime < '2024-10-02'")
print(kept.count())
kept.write.mode("overwrite").parquet(sys.argv[2])
spark.stop()
"""


@dataclass(frozen=True)
class Cost:
    """What a process and its children took: wall and CPU seconds, largest memory together in MB."""

    wall: float
    cpu: float
    memory: float


def measure(command: Sequence[str], env: dict[str, str]) -> Cost:
    """Run a command to its end. Ends the benchmark when it fails.

    The kernel tells what the process took, but not of its children, which it need not wait for (Spark's Java): these
    are watched. Memory is the sum of each one's high-water mark.
    """
    with tempfile.TemporaryFile("w+") as output:
        started = time.monotonic()
        process = subprocess.Popen(command, env=env, stdout=output, stderr=output)
        children: dict[int, float] = {}
        peaks: dict[int, float] = {}
        ended = threading.Event()

        def watch() -> None:
            parent = psutil.Process(process.pid)
            while not ended.wait(0.1):
                with contextlib.suppress(psutil.Error, OSError):
                    family = parent.children(recursive=True)
                    for one in [parent, *family]:
                        peaks[one.pid] = max(peaks.get(one.pid, 0.0), high_water(one.pid))
                    children.update({one.pid: sum(one.cpu_times()[:2]) for one in family})

        watcher = threading.Thread(target=watch)
        watcher.start()
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.monotonic() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        ended.set()
        watcher.join()
        if process.returncode:
            output.seek(0)
            sys.exit(f"{' '.join(command)[:200]} failed:\n{output.read()[-3000:]}")
    return Cost(wall, usage.ru_utime + usage.ru_stime + sum(children.values()), sum(peaks.values()))


def high_water(pid: int) -> float:
    """The most resident memory a process had so far, in MB. Linux's own mark; 0 for one that has just ended."""
    found = re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) * 1024 / 1e6 if found else 0.0


@contextlib.contextmanager
def local_cloud(folder: Path) -> Iterator[dict[str, str]]:
    """The local cloud on a free port; gives the environment of its clients."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}
    env = {**os.environ, **keys, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}", "LOCAL_CLOUD_PORT": str(port)}
    env["LOCAL_CLOUD_STATE"] = str(folder)
    folder.mkdir()
    with (folder / "server.log").open("w") as log:
        server = subprocess.Popen([sys.executable, "-m", "local_cloud"], env=env, stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield env
    finally:
        server.terminate()
        server.wait(20)


def repeat(month: Path, times: int, target: Path) -> Path:
    """The month's rows so many times over, in one file of the same kind."""
    import duckdb

    with duckdb.connect() as connection:
        connection.execute("SET preserve_insertion_order = false")
        connection.execute("SET enable_progress_bar = false")
        rows = " UNION ALL ".join([f"SELECT * FROM read_parquet('{month}')"] * times)
        options = "FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 122880"
        connection.execute(f"COPY ({rows}) TO '{target}' ({options})")
    return target


def job() -> list[str]:
    return [
        *(sys.executable, str(JOB), "--dataset", "yellow", "--year", "2024", "--month", "09"),
        *("--raw_bucket", "raw", "--processed_bucket", "processed", "--engine", "duckdb"),
    ]


def commands(source: Source, month: Path, folder: Path) -> dict[str, list[str]]:
    """The transform and the bare COPY of one month on local files."""
    name = source.dataset
    files, part = folder / f"{name}-files", folder / f"{name}.parquet"
    (files / "raw" / source.key).parent.mkdir(parents=True)
    os.link(month, files / "raw" / source.key)
    return {
        f"{name}: transform": [sys.executable, str(ON_FILES), str(files), name, str(source.year), str(source.month)],
        f"{name}: limit": [sys.executable, "-c", LIMIT, source.columns, str(month), str(part)],
    }


def compare(yellow: Path, fhvhv: Path, folder: Path, env: dict[str, str], runs: int) -> dict[str, Cost]:
    """Medians of every contender."""
    raw, part, spark = folder / "raw.parquet", folder / "part.parquet", folder / "spark"
    contenders = {
        **commands(YELLOW, yellow, folder),
        **commands(FHVHV, fhvhv, folder),
        "yellow: PySpark": [sys.executable, "-c", PYSPARK, str(yellow), str(spark)],
        "yellow: transform, S3": job(),
        "yellow: limit, S3": [sys.executable, "-c", LIMIT_BY_S3, YELLOW.columns, str(raw), str(part)],
    }
    costs: dict[str, list[Cost]] = {name: [] for name in contenders}
    for run in range(runs):
        for name, command in contenders.items():
            costs[name].append(measure(command, env))
            print(f"run {run + 1}/{runs}: {name} {costs[name][-1].wall:.2f} s", file=sys.stderr)
    check_rows(spark, env)
    return {
        name: Cost(*(statistics.median(getattr(cost, key) for cost in found) for key in ("wall", "cpu", "memory")))
        for name, found in costs.items()
    }


def check_rows(spark: Path, env: dict[str, str]) -> None:
    """The job and PySpark must have kept the same rows, or they were not doing the same work."""
    import boto3
    import duckdb

    client = boto3.client("s3", endpoint_url=env["AWS_ENDPOINT_URL"])
    manifest = json.load(client.get_object(Bucket="processed", Key="yellow/2024/09/manifest.json")["Body"])
    ours = manifest["load"]["rows_kept"]
    with duckdb.connect() as connection:
        ((theirs,),) = connection.execute("SELECT COUNT(*) FROM read_parquet(?)", [f"{spark}/*.parquet"]).fetchall()
    if ours != theirs:
        sys.exit(f"the job kept {ours} rows, PySpark {theirs}")


def grow(month: Path, folder: Path, env: dict[str, str], months: Sequence[int]) -> dict[int, Cost]:
    """The job on files of several months' rows."""
    import boto3

    client = boto3.client("s3", endpoint_url=env["AWS_ENDPOINT_URL"])
    costs = {}
    for times in months:
        file = repeat(month, times, folder / "several.parquet")
        client.upload_file(str(file), "raw", YELLOW.key)
        file.unlink()
        costs[times] = measure(job(), env)
        print(f"{times} months: {costs[times].wall:.2f} s", file=sys.stderr)
    return costs


def report(compared: dict[str, Cost], grown: dict[int, Cost]) -> bool:
    """Print the tables and the targets. True when all targets are reached."""
    print(f"{'':24}{'wall s':>8}{'CPU s':>8}{'MB':>7}")
    for name, cost in compared.items():
        print(f"{name:24}{cost.wall:8.2f}{cost.cpu:8.2f}{cost.memory:7.0f}")
    for months, cost in grown.items():
        print(f"{f'{months} months at once':24}{cost.wall:8.2f}{cost.cpu:8.2f}{cost.memory:7.0f}")
    ours, limit, spark = (compared[f"yellow: {name}"] for name in ("transform", "limit", "PySpark"))
    by_s3, limit_by_s3 = compared["yellow: transform, S3"], compared["yellow: limit, S3"]
    wide, wide_limit = compared["fhvhv: transform"], compared["fhvhv: limit"]
    targets = [
        ("yellow: CPU time beside the limit", ours.cpu / limit.cpu, 1.25),
        ("fhvhv: CPU time beside the limit", wide.cpu / wide_limit.cpu, 1.25),
        ("yellow: wall time beside the limit, S3", by_s3.wall / limit_by_s3.wall, 1.5),
        ("yellow: wall time beside a tenth of PySpark's", ours.wall / (spark.wall / 10), 1),
        ("yellow: CPU time beside a tenth of PySpark's", ours.cpu / (spark.cpu / 10), 1),
        ("memory in MB", max(ours.memory, wide.memory, by_s3.memory), 300),
    ]
    if len(grown) > 1:
        (few, least), *_, (many, most) = sorted(grown.items())
        targets += [
            (f"CPU time a month, {many} at once beside {few}", (most.cpu / many) / (least.cpu / few), 1.2),
            (f"memory, {many} months at once beside {few}", most.memory / least.memory, 1.5),
        ]
    print()
    for name, value, most_allowed in targets:
        print(f"{'reached' if value <= most_allowed else 'MISSED':8}{name}: {value:.2f} (at most {most_allowed:g})")
    return all(value <= most_allowed for _, value, most_allowed in targets)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, default=3_583_000)
    parser.add_argument("--fhvhv-rows", type=int, default=3_000_000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--months", default="1,3,6,12", help="how many months in one go, comma-separated")
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="transform-benchmark-"))
    try:
        month, wide = YELLOW.generate(folder, arguments.rows), FHVHV.generate(folder, arguments.fhvhv_rows)
        with local_cloud(folder / "cloud") as env:
            import boto3

            os.environ.update({key: env[key] for key in env if key.startswith("AWS_")})
            client = boto3.client("s3")
            for bucket in ("raw", "processed"):
                client.create_bucket(Bucket=bucket)
            client.upload_file(str(month), "raw", YELLOW.key)
            compared = compare(month, wide, folder, env, arguments.runs)
            grown = grow(month, folder, env, [int(times) for times in arguments.months.split(",") if times])
    finally:
        shutil.rmtree(folder)
    sys.exit(0 if report(compared, grown) else 1)


if __name__ == "__main__":
    main()
