"""The main job, end to end: commands in, rows in the warehouse out."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import threading
from html import escape
from pathlib import Path

import duckdb
import pytest

from laptop import ROOT, SHARED_DATA, Laptop
from orchestration.generate import yellow_month
from orchestration.pipelines import Month
from orchestration.trips.drift import explain
from orchestration.trips.source import serve

pytestmark = pytest.mark.timeout(600)


def test_a_real_month_is_loaded_exactly_once_however_often_it_runs(laptop: Laptop, trip_data: Path) -> None:
    month, read, kept, total = "2024-01", 200, 141, 3_843.24
    for _ in range(2):
        run = laptop.elt_json("run", "yellow-trips", "--month", month, "--source", str(trip_data))
        assert run["status"] == "SUCCEEDED"
        assert [(state["name"], state["status"]) for state in run["states"]] == [
            ("IngestRaw", "SUCCEEDED"),
            ("MeasureRaw", "SUCCEEDED"),
            ("TransformTrips", "SUCCEEDED"),
            ("LoadRedshift", "SUCCEEDED"),
            ("ClearFailureMark", "SUCCEEDED"),
            ("PipelineSucceeded", "SUCCEEDED"),
        ]
        found = laptop.query(
            f"SELECT COUNT(*), ROUND(SUM(total_amount), 2) FROM yellow_trips WHERE source_month = '{month}-01'"
        )
        assert found == [(kept, total)]
    (check,) = [check for check in laptop.elt_json("verify", "yellow-trips") if check["month"] == month]
    assert (check["read"], check["kept"], check["loaded"], check["agrees"]) == (read, kept, kept, True)
    assert check["read"] == check["kept"] + sum(check["rejected"].values())
    audit = laptop.query(f"SELECT rows_read, rows_kept FROM load_audit WHERE source_month = '{month}-01'")
    assert audit == [(read, kept)] * 2, "one row a load"


def test_a_column_that_no_dataset_knows_is_named_with_what_to_do(laptop: Laptop, tmp_path: Path) -> None:
    file = yellow_month(tmp_path, month=Month(2023, 3), rows=1_000)
    with duckdb.connect() as engine:
        wider = f"SELECT *, 1.0::DOUBLE AS new_fee FROM '{file}'"
        engine.execute(f"COPY ({wider}) TO '{tmp_path / 'wider'}' (FORMAT parquet)")
    (tmp_path / "wider").replace(file)
    line = {"column": "new_fee", "change": "new_column", "type": "double"}
    words = f"drift in 2023-03: {explain(line)}"
    command = ("run", "yellow-trips", "--month", "2023-03", "--source", str(tmp_path))
    assert laptop.elt_json(*command)["drift"] == [line]
    done = laptop.elt(*command)
    assert (done.returncode, done.stderr.splitlines()[-1]) == (0, words)
    (check,) = [check for check in laptop.elt_json("verify", "yellow-trips") if check["month"] == "2023-03"]
    assert (check["agrees"], check["drift"]) == (True, [line])
    assert words in laptop.elt("verify", "yellow-trips").stderr.splitlines()
    page = laptop.elt_json("report", "--out", str(tmp_path / "page.html"))["path"]
    assert escape(explain(line)) in Path(page).read_text(encoding="utf-8")


def test_the_demo_loads_a_month_and_a_day_of_reviews(laptop: Laptop) -> None:
    done = laptop.elt("demo", "--rows", "20000", "--reviews", "2000", "--month", "2023-05")
    assert done.returncode == 0, done.stderr
    told = done.stdout
    for word in ("read", "kept", "rejected", "loaded", "IngestRaw", "TransformTrips", "LoadRedshift", "ETLJob"):
        assert word in told
    assert "yellow_trips holds 2023-05 exactly once." in told
    assert " reviews of 10 categories, as their source does." in told
    page = Path(told.partition("The analysts' page: ")[2].splitlines()[0])
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert "What to try next:" in told
    (check,) = [check for check in laptop.elt_json("verify", "yellow-trips") if check["month"] == "2023-05"]
    assert check["read"] == 20_000
    assert check["agrees"]


def test_a_run_ends_with_the_command_that_serves_its_file(laptop: Laptop, tmp_path: Path) -> None:
    yellow_month(tmp_path, month=Month.parse("2023-09"), rows=1_000)
    command = ["elt", "run", "yellow-trips", "--month", "2023-09", "--source", str(tmp_path)]
    process = subprocess.Popen(command, env=laptop.env | laptop.sdk, cwd=ROOT, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    name = process.stderr.readline().strip()
    process.send_signal(signal.SIGINT)
    told = process.stderr.read().splitlines()
    assert process.wait(60) == 130
    assert told[-1] == f"elt: {name} is stopped, because this command served its source"
    (row,) = [row for row in laptop.elt_json("status", "yellow-trips") if row["name"] == name]
    assert row["status"] == "ABORTED"
    assert "2023-09" not in verified(laptop)


def verified(laptop: Laptop) -> str:
    return laptop.elt("verify", "yellow-trips", "--json").stdout


def failed(laptop: Laptop, month: str, source: Path, state: str, cause: str) -> None:
    """The month's run fails at `state`; terminal and mail say the same, and the table is as it was."""
    before, mails = verified(laptop), len(laptop.mails())
    done = laptop.elt("run", "yellow-trips", "--month", month, "--source", str(source), "--json")
    assert done.returncode == 1
    run = json.loads(done.stdout)
    assert run["status"] == "FAILED"
    assert [(one["name"], one["status"]) for one in run["states"]][-4:] == [
        (state, "FAILED"),
        ("SetFailureMark", "SUCCEEDED"),
        ("NotifyFailure", "SUCCEEDED"),
        ("PipelineFailed", "FAILED"),
    ]
    again = f"elt run yellow-trips --month {month} --source {source} --env local"
    assert f"failed at {state}: " in done.stderr
    assert cause in done.stderr
    assert f"try again: {again}" in done.stderr
    assert "Traceback" not in done.stderr
    # By the run's name: the mail of an execution that another test stopped may still be on its way.
    (mail,) = [one for one in laptop.mails()[mails:] if run["name"] in one.get_content()]
    text = mail.get_content()
    assert mail["Subject"] == f"[local] yellow-trips {month} failed at {state}"
    assert cause in text
    assert again in text.replace("\n", " ").replace("  ", " ") or again in text
    assert verified(laptop) == before


def test_a_month_the_source_does_not_have(laptop: Laptop, tmp_path: Path) -> None:
    failed(laptop, "2021-03", tmp_path, "IngestRaw", "404")


def test_what_a_download_can_bring_instead(laptop: Laptop, tmp_path: Path) -> None:
    broken = SHARED_DATA / "broken" / "yellow_tripdata_2022-01.html-error.parquet"
    if not broken.is_file():
        pytest.skip("the broken files are not beside this checkout (../shared/data)")
    shutil.copy(broken, tmp_path / "yellow_tripdata_2018-06.parquet")
    failed(laptop, "2018-06", tmp_path, "IngestRaw", "not a Parquet file but an HTML page")
    raw = laptop.client("s3").list_objects_v2(Bucket=bucket(laptop, "raw"), Prefix="yellow/2018/06/")
    assert raw["KeyCount"] == 0
    uploads = laptop.client("s3").list_multipart_uploads(Bucket=bucket(laptop, "raw"))
    assert uploads.get("Uploads", []) == []


def bucket(laptop: Laptop, kind: str) -> str:
    names = [one["Name"] for one in laptop.client("s3").list_buckets()["Buckets"]]
    return next(name for name in names if f"-{kind}-" in name)


def test_the_same_month_twice_at_once(laptop: Laptop, tmp_path: Path) -> None:
    yellow_month(tmp_path, month=Month(2023, 7), rows=30_000)
    done = []

    def load() -> None:
        done.append(laptop.elt("run", "yellow-trips", "--month", "2023-07", "--source", str(tmp_path), "--json"))

    threads = [threading.Thread(target=load) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 0 in [one.returncode for one in done], [one.stderr for one in done]
    (check,) = [check for check in laptop.elt_json("verify", "yellow-trips") if check["month"] == "2023-07"]
    assert check["agrees"], check


def test_the_same_bytes_from_another_address_are_no_new_version_and_no_other_run_s(
    laptop: Laptop, tmp_path: Path
) -> None:
    yellow_month(tmp_path, month=Month(2023, 6), rows=1_000)
    command = ("run", "yellow-trips", "--month", "2023-06", "--source")
    runs = [laptop.elt(*command, str(tmp_path)) for _ in range(2)]  # each serves the folder at a port of its own
    with serve(tmp_path) as url:
        runs.append(laptop.elt(*command, url))
    assert [one.returncode for one in runs] == [0, 0, 0], [one.stderr for one in runs]
    listed = laptop.client("s3").list_object_versions(Bucket=bucket(laptop, "raw"), Prefix="yellow/2023/06/")
    assert len(listed["Versions"]) == 1
    assert laptop.client("s3").list_multipart_uploads(Bucket=bucket(laptop, "raw")).get("Uploads", []) == []


def test_the_trigger_starts_a_month_once(laptop: Laptop) -> None:
    states = laptop.client("stepfunctions")
    found = {one["name"]: one["stateMachineArn"] for one in states.list_state_machines()["stateMachines"]}
    machine = f"{found['elt-local-yellow-trips']}:live"
    event = json.dumps({"state_machine": machine, "dataset": "yellow", "year": 2010, "month": 2})

    def fire(answer: Path) -> dict[str, object]:
        laptop.aws(
            *("lambda", "invoke", "--function-name", "elt-local-trigger"),
            *("--payload", event, str(answer)),
        )
        return json.loads(answer.read_text())

    first, second = fire(laptop.state / "first.json"), fire(laptop.state / "second.json")
    assert (first["started"], second["started"]) == (True, False)
    assert first["execution"] == second["execution"]
    assert second["reason"] == "already started as yellow-2010-02"
    states.stop_execution(executionArn=first["execution"])
