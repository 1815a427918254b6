"""What the demo did, seen by the unmodified aws command."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from laptop import Laptop
from orchestration.generate import yellow_month
from orchestration.pipelines import Month

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def run(laptop: Laptop, tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    source: Path = tmp_path_factory.mktemp("source")
    yellow_month(source, month=Month(2023, 2), rows=5_000)
    found: dict[str, object] = laptop.elt_json("run", "yellow-trips", "--month", "2023-02", "--source", str(source))
    return found


def test_stepfunctions_lists_the_execution_and_its_history(laptop: Laptop, run: dict[str, object]) -> None:
    machines = laptop.aws("stepfunctions", "list-state-machines")["stateMachines"]
    (machine,) = [one for one in machines if one["name"] == "elt-local-yellow-trips"]
    listed = laptop.aws(
        "stepfunctions", "list-executions", "--state-machine-arn", machine["stateMachineArn"], "--max-items", "50"
    )
    assert run["execution"] in [one["executionArn"] for one in listed["executions"]]
    history = laptop.aws("stepfunctions", "get-execution-history", "--execution-arn", str(run["execution"]))
    kinds = [event["type"] for event in history["events"]]
    assert kinds[0] == "ExecutionStarted"
    assert kinds[-1] == "ExecutionSucceeded"
    assert kinds.count("TaskSubmitted") == 3


def test_glue_lists_the_job_run_with_its_arguments(laptop: Laptop, run: dict[str, object]) -> None:
    runs = laptop.aws("glue", "get-job-runs", "--job-name", "elt-local-transform-trips")["JobRuns"]
    assert runs[0]["JobRunState"] == "SUCCEEDED"
    assert runs[0]["Arguments"]["--month"] == "02"


def test_logs_have_what_the_jobs_logged(laptop: Laptop, run: dict[str, object]) -> None:
    """`aws logs tail` is version 2's; it asks what this command of both versions asks."""
    since = str(int((time.time() - 3600) * 1000))
    found = laptop.aws(
        *("logs", "filter-log-events", "--log-group-name", "/aws-glue/python-jobs/output"),
        *("--start-time", since, "--interleaved"),
    )
    logged = [json.loads(event["message"]) for event in found["events"] if event["message"].startswith("{")]
    assert {"stored", "published", "run"} <= {line["event"] for line in logged}


def test_redshift_data_counts_the_loaded_rows(laptop: Laptop, run: dict[str, object]) -> None:
    started = laptop.aws(
        *("redshift-data", "execute-statement", "--workgroup-name", "elt-local", "--database", "elt"),
        *("--sql", "SELECT COUNT(*) FROM yellow_trips WHERE source_month = '2023-02-01'"),
    )
    for _ in range(100):
        status = laptop.aws("redshift-data", "describe-statement", "--id", started["Id"])["Status"]
        if status in ("FINISHED", "FAILED"):
            break
        time.sleep(0.1)
    result = laptop.aws("redshift-data", "get-statement-result", "--id", started["Id"])
    (check,) = [one for one in laptop.elt_json("verify", "yellow-trips") if one["month"] == "2023-02"]
    assert result["Records"] == [[{"longValue": check["kept"]}]]


def test_s3_lists_the_manifest_and_its_parquet(laptop: Laptop, run: dict[str, object]) -> None:
    listed = laptop.run(
        "aws", "s3", "ls", "--recursive", "s3://elt-local-processed-123456789012-us-east-1/yellow/2023/"
    )
    assert listed.returncode == 0, listed.stderr
    keys = [line.split()[-1] for line in listed.stdout.splitlines()]
    assert "yellow/2023/02/manifest.json" in keys
    assert sum(key.endswith(".parquet") for key in keys) == len(keys) - 1


def test_cloudformation_describes_three_complete_stacks(laptop: Laptop, run: dict[str, object]) -> None:
    stacks = laptop.aws("cloudformation", "describe-stacks")["Stacks"]
    assert {one["StackName"]: one["StackStatus"] for one in stacks} == {
        "elt-artifacts": "CREATE_COMPLETE",
        "elt-local-data": "CREATE_COMPLETE",
        "elt-local-pipelines": "CREATE_COMPLETE",
    }


def test_jobs_run_from_uploaded_wheels(laptop: Laptop, run: dict[str, object]) -> None:
    job = laptop.aws("glue", "get-job", "--job-name", "elt-local-ingest-raw")["Job"]
    assert job["Command"]["ScriptLocation"].startswith("s3://elt-artifacts-")
    *others, own = job["DefaultArguments"]["--additional-python-modules"].split(",")
    assert own.split("/")[3::2] == ["glue-ingest", "glue_ingest-0.1.0-py3-none-any.whl"]
    assert {other.split("/")[3] for other in others} == {"wheelhouse"}


def test_status_and_logs(laptop: Laptop, run: dict[str, object]) -> None:
    rows = laptop.elt_json("status", "yellow-trips")
    assert rows[0]["status"] in ("SUCCEEDED", "FAILED")
    assert run["name"] in [row["name"] for row in rows]
    logged = laptop.elt("logs", str(run["name"]))
    assert logged.returncode == 0, logged.stderr
    for state in ("IngestRaw", "TransformTrips", "LoadRedshift"):
        assert state in logged.stdout
