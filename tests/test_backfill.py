"""A backfill, end to end: many months, those that are missing, each exactly once."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from laptop import ROOT, Laptop, until
from orchestration import pipelines
from orchestration.generate import yellow_month
from orchestration.pipelines import Month
from orchestration.trips.verify import check_months

pytestmark = pytest.mark.timeout(600)

ROWS = 2_000


def generate(folder: Path, *months: str, rows: int = ROWS) -> None:
    for month in months:
        yellow_month(folder, month=Month.parse(month), rows=rows)


def backfill(laptop: Laptop, first: str, last: str, *options: str) -> subprocess.CompletedProcess[str]:
    return laptop.elt("backfill", "yellow-trips", "--from", first, "--to", last, *options)


def backfill_json(laptop: Laptop, first: str, last: str, *options: str) -> Any:
    return laptop.elt_json("backfill", "yellow-trips", "--from", first, "--to", last, *options)


def kept(laptop: Laptop, *months: str) -> dict[str, int]:
    """What the table holds of the months, after a look at that being what their manifests say."""
    bucket = laptop.outputs("data")["ProcessedBucket"]
    found = check_months(pipelines.load("yellow-trips"), laptop.client("s3"), bucket, laptop.query)
    checks = [one for one in found if one.month in months]
    assert [one.month for one in checks if not one.agrees] == []
    return {one.month: one.loaded for one in checks}


def audits(laptop: Laptop, first: str, last: str) -> dict[str, int]:
    """How often each month was loaded."""
    found = laptop.query(
        "SELECT source_month, COUNT(*) FROM load_audit WHERE dataset = 'yellow'"
        f" AND source_month BETWEEN '{first}-01' AND '{last}-01' GROUP BY 1 ORDER BY 1"
    )
    return {str(month)[:7]: count for month, count in found}


def told(text: str) -> str:
    """What a command said, without the figures that differ from run to run."""
    text = re.sub(r"\d+\.\d s", "N s", re.sub(r", \d+ s\b", ", N s", text))
    text = re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:PORT", text)
    return re.sub(r"-backfill-\d{8}T\d{6}-[0-9a-f]{4}", "-backfill-ID", text)


def test_only_what_is_missing_is_loaded_and_one_mail_tells_of_failures(laptop: Laptop, tmp_path: Path) -> None:
    source = tmp_path / "source"
    generate(source, "2012-01", "2012-03", "2012-04")
    options = ("--source", str(source), "--max-concurrency", "2")
    planned = backfill_json(laptop, "2012-01", "2012-04", "--plan", *options)
    assert [(one["month"], one["decision"], one["runs"], one["no_file"]) for one in planned["months"]] == [
        ("2012-01", "missing", True, False),
        ("2012-02", "missing", True, True),
        ("2012-03", "missing", True, False),
        ("2012-04", "missing", True, False),
    ]
    table = backfill(laptop, "2012-01", "2012-04", "--plan", *options).stdout
    assert "2012-02     -  will fail: the source has no file of it\n" in table
    assert planned["estimate"]["months"] == 4
    mails = len(laptop.mails())

    first = backfill(laptop, "2012-01", "2012-04", *options)
    assert first.returncode == 1
    rows = kept(laptop, "2012-01", "2012-03", "2012-04")
    cause = (
        "SourceRefused: the source has no yellow 2012-02 (http://127.0.0.1:PORT/yellow_tripdata_2012-02.parquet"
        " answered HTTP 404): correct the month or the source"
    )
    again = f"elt backfill yellow-trips --from 2012-01 --to 2012-04 --max-concurrency 2 --source {source} --env local"
    lines = told(first.stderr).splitlines()
    # Totals come every 10 s of a run that lasts that long, too.
    assert sorted(line for line in lines[:-3] if " months loaded" not in line) == [
        f"2012-01 loaded, {rows['2012-01']:,} rows, N s",
        "2012-01 started",
        f"2012-02 failed at IngestRaw: {cause}",
        "2012-02 started",
        f"2012-03 loaded, {rows['2012-03']:,} rows, N s",
        "2012-03 started",
        f"2012-04 loaded, {rows['2012-04']:,} rows, N s",
        "2012-04 started",
    ]
    assert lines[-3:] == [
        f"3 of 4 months loaded, 1 failed, {sum(rows.values()):,} rows, N s",
        "elt: yellow-backfill-ID failed: 1 of 4 months",
        f"do what is missing: {again}",
    ]
    table = " ".join(told(first.stdout).split())
    assert table == (
        f"month rows 2012-01 {rows['2012-01']:,} loaded 2012-02 - failed at IngestRaw: {cause}"
        f" 2012-03 {rows['2012-03']:,} loaded 2012-04 {rows['2012-04']:,} loaded"
    )
    (mail,) = laptop.mails()[mails:]
    assert mail["Subject"] == "[local] yellow-trips backfill: 1 of 4 months failed"
    name = re.search(r"elt: (yellow-backfill-\S+) failed", first.stderr)
    assert name is not None
    child = name[1].replace("yellow-", "yellow-2012-02-", 1)
    assert re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:PORT", "\n".join(mail.get_content().splitlines())) == "\n".join(
        [
            "Backfill of yellow-trips: 1 of 4 months failed.",
            "",
            f"Cause:     2012-02 at IngestRaw: {cause}",
            "Execution: https://us-east-1.console.aws.amazon.com/states/home?region=us-east-1#/v2/executions/details/"
            f"arn:aws:states:us-east-1:123456789012:execution:elt-local-backfill:{name[1]}",
            f"Logs:      elt logs {child} --env local",
            f"Try again: {again}",
            "",
            "Trying again does only what is missing: the table holds a month exactly once, or as it was.",
        ]
    )

    generate(source, "2012-02")
    second = backfill(laptop, "2012-01", "2012-04", *options)
    rows |= kept(laptop, "2012-02")
    assert (second.returncode, second.stdout.split()) == (
        0,
        f"month rows 2012-01 {rows['2012-01']:,} was loaded already 2012-02 {rows['2012-02']:,} loaded"
        f" 2012-03 {rows['2012-03']:,} was loaded already 2012-04 {rows['2012-04']:,} was loaded already".split(),
    )
    (recovery,) = laptop.mails()[mails + 1 :]
    assert recovery["Subject"] == "[local] yellow-trips backfill succeeded after failures"
    assert recovery.get_content().splitlines()[:3] == [
        "Backfill of yellow-trips: everything is loaded.",
        "",
        "Recovered: 2012-02",
    ]

    third = backfill_json(laptop, "2012-01", "2012-04", *options)
    assert third["execution"] is None
    assert {one["month"]: (one["status"], one["rows"]) for one in third["months"]} == {
        month: ("SKIPPED", count) for month, count in sorted(rows.items())
    }
    assert audits(laptop, "2012-01", "2012-04") == dict.fromkeys(rows, 1)
    plan = backfill(laptop, "2012-01", "2012-04", "--plan")
    assert "yellow-trips: 0 to run, 4 loaded already, 0 not published yet" in plan.stdout

    forced = backfill_json(laptop, "2012-04", "2012-04", *options, "--force")
    assert [one["status"] for one in forced["months"]] == ["SUCCEEDED"]
    assert audits(laptop, "2012-01", "2012-04") == {"2012-01": 1, "2012-02": 1, "2012-03": 1, "2012-04": 2}
    assert kept(laptop, *rows) == rows
    assert len(laptop.mails()) == mails + 2


def test_a_month_whose_newest_transform_was_not_loaded_is_missing(laptop: Laptop, tmp_path: Path) -> None:
    """The counts agree, but the audit knows nothing of the load that the manifest is of."""
    generate(tmp_path, "2012-05")
    backfill_json(laptop, "2012-05", "2012-05", "--source", str(tmp_path))
    s3, bucket = laptop.client("s3"), laptop.outputs("data")["ProcessedBucket"]
    key = "yellow/2012/05/manifest.json"
    manifest = json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
    manifest["load"]["load_id"] = "another"
    s3.put_object(Bucket=bucket, Key=key, Body=json.dumps(manifest))
    (planned,) = backfill_json(laptop, "2012-05", "2012-05", "--plan")["months"]
    assert planned["decision"] == "missing"


def test_the_same_months_at_once_are_loaded_exactly_once(laptop: Laptop, tmp_path: Path) -> None:
    """Two months at a time, and while they run one of them a second time by hand."""
    months = ["2012-07", "2012-08"]
    generate(tmp_path, *months, rows=20_000)
    by_hand = threading.Thread(
        target=laptop.elt, args=("run", "yellow-trips", "--month", months[0], "--source", str(tmp_path))
    )
    by_hand.start()
    backfill(laptop, months[0], months[-1], "--max-concurrency", "2", "--source", str(tmp_path))
    by_hand.join()
    backfilled = backfill_json(laptop, months[0], months[-1], "--source", str(tmp_path))
    assert {one["status"] for one in backfilled["months"]} <= {"SUCCEEDED", "SKIPPED"}
    assert sorted(kept(laptop, *months)) == months
    assert sorted(audits(laptop, months[0], months[-1])) == months
    twice = executions_of(laptop, months[0])
    assert twice[0]["startDate"] < twice[1]["stopDate"], "they did run at once"
    assert twice[1]["startDate"] < twice[0]["stopDate"], "they did run at once"


def executions_of(laptop: Laptop, month: str) -> list[dict[str, Any]]:
    """The executions of one month, oldest first."""
    states, machine = laptop.client("stepfunctions"), laptop.outputs("pipelines")["YellowTrips"]
    found = states.list_executions(stateMachineArn=machine)["executions"]
    return [one for one in reversed(found) if one["name"].startswith(f"yellow-{month}-")]


@contextmanager
def hanging_source() -> Iterator[str]:
    """A source that keeps every request waiting, so that months stay in IngestRaw."""
    released = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            released.wait(120)

        do_HEAD = do_GET

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        released.set()
        server.shutdown()
        server.server_close()


def running_jobs(laptop: Laptop) -> list[str]:
    """The ids of runs of the ingest job that have not ended."""
    runs = laptop.client("glue").get_job_runs(JobName="elt-local-ingest-raw", MaxResults=50)["JobRuns"]
    return [run["Id"] for run in runs if run["JobRunState"] in ("STARTING", "RUNNING", "STOPPING")]


def begun(laptop: Laptop, first: str, last: str, *options: str) -> subprocess.Popen[str]:
    """A backfill whose first two months are being fetched."""
    command = ["elt", "backfill", "yellow-trips", "--from", first, "--to", last, "--max-concurrency", "2", *options]
    process = subprocess.Popen(
        command, env=laptop.env | laptop.sdk, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    until(lambda: len(running_jobs(laptop)) == 2, what="two running jobs")
    return process


def months_of(laptop: Laptop, name: str) -> dict[str, str]:
    """The executions of a backfill's months, by month, with their status."""
    suffix = name.removeprefix("yellow")
    states, machine = laptop.client("stepfunctions"), laptop.outputs("pipelines")["YellowTrips"]
    found = states.list_executions(stateMachineArn=machine)["executions"]
    return {one["name"][7:14]: one["status"] for one in found if one["name"].endswith(suffix)}


def test_stopping_one_and_going_on(laptop: Laptop, tmp_path: Path) -> None:
    generate(tmp_path, "2013-01")
    with hanging_source() as url:
        process = begun(laptop, "2013-01", "2013-04", "--source", url)
        second = backfill(laptop, "2013-01", "2013-04", "--source", url)
        assert second.returncode == 2
        words = "elt backfill yellow-trips --env local"
        on = f"follow it: {words} --follow; stop it: {words} --stop"
        assert told(second.stderr) == f"elt: yellow-backfill-ID is under way already; {on}\n"

        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=60)
        assert process.returncode == 130
        assert told(stderr).splitlines()[-1] == f"elt: yellow-backfill-ID is no longer followed, but runs on; {on}"

        states = laptop.client("stepfunctions")
        (by_hand,) = executions_of(laptop, "2013-01")
        states.stop_execution(executionArn=by_hand["executionArn"])
        until(lambda: executions_of(laptop, "2013-03"), what="third month in the place of the one that was stopped")
        stopped = laptop.elt_json("backfill", "yellow-trips", "--stop")["stopped"]
        name = stopped.rsplit(":", 1)[-1]
        followed = laptop.elt("backfill", "yellow-trips", "--follow", "--json")
    assert followed.returncode == 1
    result = json.loads(followed.stdout)
    assert (result["execution"], result["status"]) == (stopped, "ABORTED")
    assert [(one["month"], one["status"], one["state"], one["cause"]) for one in result["months"]] == [
        ("2013-01", "FAILED", "RunMonth", "its execution ended ABORTED"),
        ("2013-02", "STOPPED", None, None),
        ("2013-03", "STOPPED", None, None),
        ("2013-04", "STOPPED", None, None),
    ]
    assert told(followed.stderr).splitlines()[-2:] == [
        "elt: yellow-backfill-ID aborted: stopped by elt backfill --stop",
        f"do what is missing: elt backfill yellow-trips --from 2013-01 --to 2013-04 --max-concurrency 2"
        f" --source {told(url)} --env local",
    ]
    until(lambda: running_jobs(laptop) == [], what="end of the jobs")
    begun_months = ["2013-01", "2013-02", "2013-03"]
    assert months_of(laptop, name) == dict.fromkeys(begun_months, "ABORTED"), "the fourth never began"
    assert kept(laptop, *begun_months) == {}
    nothing = laptop.elt("backfill", "yellow-trips", "--stop")
    assert (nothing.returncode, nothing.stderr) == (2, "elt: no backfill of yellow-trips is under way\n")
    backfill_json(laptop, "2013-01", "2013-01", "--source", str(tmp_path))
    assert list(kept(laptop, "2013-01")) == ["2013-01"]


def test_a_run_that_is_no_longer_followed_runs_on(laptop: Laptop) -> None:
    with hanging_source() as url:
        command = ["elt", "run", "yellow-trips", "--month", "2013-09", "--source", url]
        process = subprocess.Popen(command, env=laptop.env | laptop.sdk, cwd=ROOT, stderr=subprocess.PIPE, text=True)
        until(lambda: len(running_jobs(laptop)) == 1, what="running job")
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=60)
        (one,) = executions_of(laptop, "2013-09")
        laptop.client("stepfunctions").stop_execution(executionArn=one["executionArn"])
    assert (process.returncode, one["status"]) == (130, "RUNNING")
    name = one["name"]
    assert stderr.splitlines()[-1] == (
        f"elt: {name} is no longer followed, but runs on; follow it: elt logs {name} --follow"
    )


def test_a_backfill_ends_with_the_command_that_serves_its_files(laptop: Laptop, tmp_path: Path) -> None:
    generate(tmp_path, *(f"2014-{month:02}" for month in range(1, 9)))
    command = ["elt", "backfill", "yellow-trips", "--from", "2014-01", "--to", "2014-08", "--max-concurrency", "1"]
    process = subprocess.Popen(
        [*command, "--source", str(tmp_path)], env=laptop.env | laptop.sdk, cwd=ROOT, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    for line in process.stderr:
        if " loaded, " in line:
            break
    process.send_signal(signal.SIGINT)
    rest = process.stderr.read()
    assert process.wait(60) == 130
    assert told(rest).splitlines()[-1] == "elt: yellow-backfill-ID is stopped, because this command served its source"
    followed = json.loads(laptop.elt("backfill", "yellow-trips", "--follow", "--json").stdout)
    assert followed["status"] == "ABORTED"
    statuses = [one["status"] for one in followed["months"]]
    assert statuses[0] == "SUCCEEDED"
    assert statuses[-1] == "STOPPED"
    assert "FAILED" not in statuses
