"""Which engine transforms a month, and that it makes no difference to what is loaded."""

from __future__ import annotations

import json
from importlib.metadata import requires
from pathlib import Path
from typing import Any

import duckdb
import pytest
from jsonata import Jsonata
from packaging.requirements import Requirement

from laptop import Laptop
from orchestration import pipelines, stacks
from orchestration.generate import yellow_month
from orchestration.pipelines import Month, asl
from orchestration.trips.source import serve

MONTH = Month(2023, 3)
BORDER = 2_000_000_000


@pytest.mark.parametrize(
    ("engine", "raw_bytes", "job"),
    [
        ("auto", 0, "${TransformJob}"),
        ("auto", BORDER - 1, "${TransformJob}"),
        ("auto", BORDER, "${TransformSparkJob}"),
        ("duckdb", BORDER, "${TransformJob}"),
        ("spark", 0, "${TransformSparkJob}"),
    ],
)
def test_the_size_decides_unless_the_run_does(engine: str, raw_bytes: int, job: str) -> None:
    machine = json.loads(asl.read(pipelines.load("yellow-trips").definition))
    state = machine["States"]["ChooseEngine"]
    (choice,) = state["Choices"]
    condition = Jsonata(choice["Condition"].strip("{%} ").replace("${SparkFromBytes}", str(BORDER)))
    condition.assign("engine", engine)
    condition.assign("raw_bytes", raw_bytes)
    chosen = choice if condition.evaluate(None) else state
    assert chosen["Assign"]["transform_job"] == job


def test_the_border_is_the_one_that_is_documented() -> None:
    readme = Path(__file__).parents[1] / "packages" / "glue-transform" / "README.md"
    assert f"Default: {BORDER}\n" in stacks.pipelines_stack("test").body
    assert "`SparkFromBytes`, 2 GB" in readme.read_text(encoding="utf-8")


def load(laptop: Laptop, source: str, engine: str) -> dict[str, Any]:
    """Run the month and read all that it left: its rows, its rejects, its manifest."""
    command = ("run", "yellow-trips", "--month", str(MONTH), "--source", source, "--engine", engine)
    run = laptop.elt_json(*command)
    assert run["status"] == "SUCCEEDED"
    s3, bucket = laptop.client("s3"), laptop.outputs("data")["ProcessedBucket"]
    manifest = json.load(s3.get_object(Bucket=bucket, Key=f"yellow/{MONTH.path}/manifest.json")["Body"])
    assert manifest.pop("execution") == run["name"]
    load_id = manifest["load"].pop("load_id")
    rejects = s3.list_objects_v2(Bucket=bucket, Prefix=f"yellow_rejected/{MONTH.path}/{load_id}/")["Contents"]
    local = [str(laptop.state / "s3" / bucket / entry["Key"]) for entry in rejects]
    del manifest["entries"]
    return {
        "manifest": manifest,
        "rejects": sorted(duckdb.connect().execute("FROM read_parquet(?)", [local]).fetchall(), key=repr),
        "rows": laptop.query(f"SELECT * FROM yellow_trips WHERE source_month = '{MONTH.first_day}'"),
        "jobs": len(laptop.aws("glue", "get-job-runs", "--job-name", "elt-local-transform-trips-spark")["JobRuns"]),
    }


def test_spark_asks_no_index_for_anything(laptop: Laptop) -> None:
    """What its wheel needs beside the standard library, Glue 5's Python 3.11 has: boto3."""
    job = laptop.client("glue").get_job(JobName="elt-local-transform-trips-spark")["Job"]
    assert job["DefaultArguments"]["--python-modules-installer-option"] == "--no-index"
    needed = map(Requirement, requires("glue-transform") or [])
    glue = {"extra": "", "python_version": "3.11"}
    assert [one.name for one in needed if not one.marker or one.marker.evaluate(glue)] == ["boto3"]


@pytest.mark.timeout(600)
def test_a_month_by_spark_is_the_month_by_duckdb(laptop: Laptop, tmp_path: Path) -> None:
    yellow_month(tmp_path, month=MONTH, rows=2_000)
    with serve(tmp_path) as source:
        by_duckdb, by_spark = (load(laptop, source, engine) for engine in ("duckdb", "spark"))
    assert by_spark.pop("jobs") == by_duckdb.pop("jobs") + 1
    for one in (by_duckdb, by_spark):
        assert one["manifest"]["load"]["rows_read"] == 2_000
        assert len(one["rejects"]) == sum(one["manifest"]["rejected"].values()) > 0
        one["rows"].sort(key=repr)
    assert by_spark == by_duckdb
