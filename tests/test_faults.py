"""kill -9 at random moments of a backfill: of a job, of the trigger, of the whole cloud. Each month exactly once.

The moments are random but of a seed, so that one that ever fails can be had again. Every test makes sure that its kill
hit what it was meant for.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from laptop import ROOT, Laptop, until
from orchestration.generate import yellow_month
from orchestration.pipelines import Month
from orchestration.trips.source import serve

pytestmark = [
    pytest.mark.timeout(600),
    pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="finds processes in /proc"),
]

ROWS = 3_000
JOB, FUNCTION = "glue/runtime/launcher.py", "awslambda/runtime/bootstrap.py"


@pytest.fixture(scope="module")
def source(laptop: Laptop, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder whose files are what the deployed pipeline fetches by itself, as TLC's are: the trigger names none."""
    folder = tmp_path_factory.mktemp("source")
    with serve(folder) as url:
        laptop.set_parameters(TripsSourceUrl=url)
        yield folder
    laptop.set_parameters(TripsSourceUrl=None)


class Scene:
    """Months of a year of their own, and a backfill of them."""

    def __init__(self, laptop: Laptop, source: Path, year: int, *, months: int = 2) -> None:
        self.laptop = laptop
        self.months = [f"{year}-{month:02}" for month in range(1, months + 1)]
        for month in self.months:
            yellow_month(source, month=Month.parse(month), rows=ROWS)

    @property
    def command(self) -> list[str]:
        first, last = self.months[0], self.months[-1]
        return ["elt", "backfill", "yellow-trips", "--from", first, "--to", last, "--max-concurrency", "2", "--json"]

    def begin(self) -> subprocess.Popen[str]:
        """The backfill, started, with its first month under way."""
        process = subprocess.Popen(
            self.command,
            env=self.laptop.env | self.laptop.sdk,
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stderr is not None
        for line in process.stderr:
            if line.endswith(" started\n"):
                return process
        raise AssertionError(f"no month was started: {process.wait()}")

    def finish(self) -> dict[str, str]:
        """A second backfill, which must succeed: what it did with each month."""
        done = self.laptop.run(*self.command)
        assert done.returncode == 0, done.stderr
        return {one["month"]: one["status"] for one in json.loads(done.stdout)["months"]}

    def problems(self) -> list[str]:
        """Where table, manifests and audit do not say that every month is there exactly once."""
        in_range = f"source_month BETWEEN '{self.months[0]}-01' AND '{self.months[-1]}-01'"
        counts = self.laptop.query(f"SELECT source_month, COUNT(*) FROM yellow_trips WHERE {in_range} GROUP BY 1")
        loads = self.laptop.query(
            f"SELECT source_month, load_id, rows_kept FROM load_audit WHERE dataset = 'yellow' AND {in_range}"
            " ORDER BY loaded_at"
        )
        rows = {str(month)[:7]: count for month, count in counts}
        last = {str(month)[:7]: (load, kept) for month, load, kept in loads}
        s3, bucket = self.laptop.client("s3"), self.laptop.outputs("data")["ProcessedBucket"]
        found = []
        for month in self.months:
            key = f"yellow/{month.replace('-', '/')}/manifest.json"
            load = json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read())["load"]
            if load["rows_read"] != ROWS:
                found.append(f"{month}: {load['rows_read']} rows read of {ROWS}")
            if rows.get(month) != load["rows_kept"]:
                found.append(f"{month}: {rows.get(month)} rows in the table, {load['rows_kept']} in the manifest")
            if last.get(month) != (load["load_id"], load["rows_kept"]):
                found.append(f"{month}: the audit's last load is {last.get(month)}, the manifest's {load['load_id']}")
        return found

    def running(self) -> list[str]:
        """Executions of these months, and runs of their jobs, that are said to be still going on."""
        states, glue = self.laptop.client("stepfunctions"), self.laptop.client("glue")
        outputs = self.laptop.outputs("pipelines")
        machines = [outputs["YellowTrips"], outputs["BackfillLive"].rsplit(":", 1)[0]]
        found = [
            one["name"]
            for machine in machines
            for one in states.list_executions(stateMachineArn=machine, statusFilter="RUNNING")["executions"]
        ]
        for job in ("ingest-raw", "transform-trips", "rs-query"):
            runs = glue.get_job_runs(JobName=f"elt-local-{job}", MaxResults=20)["JobRuns"]
            found += [run["Id"] for run in runs if run["JobRunState"] in ("STARTING", "RUNNING", "STOPPING")]
        return found


def processes(laptop: Laptop, script: str) -> list[int]:
    """The processes that this laptop's cloud has started with a script of its own."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "cmdline").read_bytes().decode(errors="replace")
                parent = (entry / "stat").read_text().rpartition(")")[2].split()[1]
            except OSError:  # it has ended
                continue
            if script in words and parent == str(laptop.pid):
                found.append(int(entry.name))
    return sorted(found)


def test_a_job_is_killed(laptop: Laptop, source: Path) -> None:
    moment, scene = random.Random(1), Scene(laptop, source, 2015)
    first = scene.begin()
    time.sleep(moment.uniform(0, 2))
    os.kill(moment.choice(until(lambda: processes(laptop, JOB), what="job")), signal.SIGKILL)
    stdout, _ = first.communicate(timeout=120)
    months = json.loads(stdout)["months"]
    (hit,) = [one for one in months if one["status"] == "FAILED"]
    assert "Command was killed by signal 9 (SIGKILL)" in hit["cause"]
    assert first.returncode == 1
    assert [one["status"] for one in months].count("SUCCEEDED") == 1, "the other went on"
    second = scene.finish()
    assert {month for month, status in second.items() if status != "SKIPPED"} <= {hit["month"]}
    assert scene.problems() == []
    assert scene.running() == []


def test_the_trigger_is_killed(laptop: Laptop, source: Path) -> None:
    """It starts a month that the backfill loads too, and is called again as the scheduler would."""
    moment, scene = random.Random(2), Scene(laptop, source, 2016)
    machine = laptop.outputs("pipelines")["YellowTripsLive"]
    event = json.dumps({"state_machine": machine, "dataset": "yellow", "year": 2016, "month": 2})
    answers: list[dict[str, Any]] = []

    def call() -> None:
        function = laptop.client("lambda")
        answer = function.invoke(FunctionName="elt-local-trigger", Payload=event)
        answers.append({"error": answer.get("FunctionError"), "payload": json.loads(answer["Payload"].read())})

    first = scene.begin()
    for pid in processes(laptop, FUNCTION):
        os.kill(pid, signal.SIGKILL)  # so that the call starts a process, which takes long enough to be hit
    for _ in range(5):
        thread = threading.Thread(target=call)
        thread.start()
        until(lambda call=thread: processes(laptop, FUNCTION) or not call.is_alive(), what="process of the trigger")
        time.sleep(moment.uniform(0, 0.3))
        for worker in processes(laptop, FUNCTION):
            os.kill(worker, signal.SIGKILL)
        thread.join()
        if answers[-1]["error"]:
            break
    assert answers[-1]["error"] == "Unhandled"
    assert "signal: killed" in str(answers[-1]["payload"]) or "signal: 9" in str(answers[-1]["payload"])
    call()
    execution = answers[-1]["payload"]["execution"]
    states = laptop.client("stepfunctions")
    until(lambda: states.describe_execution(executionArn=execution)["status"] != "RUNNING", what="end of the month")
    assert execution.endswith(":yellow-2016-02")
    assert states.describe_execution(executionArn=execution)["status"] == "SUCCEEDED"
    first.communicate(timeout=120)
    scene.finish()
    assert scene.problems() == []
    assert scene.running() == []


@pytest.mark.parametrize(("seed", "year"), [(1, 2017), (5, 2018)])
def test_the_cloud_is_killed(laptop: Laptop, source: Path, seed: int, year: int) -> None:
    """Within the 3 s that no machine does three months in, two at a time."""
    moment, scene = random.Random(seed), Scene(laptop, source, year, months=3)
    first = scene.begin()
    time.sleep(moment.uniform(0, 3))
    jobs = processes(laptop, JOB)
    os.kill(laptop.pid, signal.SIGKILL)
    _, stderr = first.communicate(timeout=120)
    assert first.returncode == 1
    assert stderr.splitlines()[-1].startswith("elt: ")
    assert "Traceback" not in stderr
    until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in jobs), what="end of the jobs with their cloud")
    started = laptop.elt("local", "up")
    assert started.returncode == 0, started.stderr
    assert scene.running() == []
    followed = json.loads(laptop.elt("backfill", "yellow-trips", "--follow", "--json").stdout)
    assert followed["status"] == "ABORTED", "the kill came while it ran"
    assert {one["status"] for one in followed["months"]} <= {"SUCCEEDED", "STOPPED"}
    second = scene.finish()
    for one in followed["months"]:
        if one["status"] == "SUCCEEDED":
            assert second[one["month"]] == "SKIPPED"
    assert scene.problems() == []
    assert scene.running() == []


def test_the_tests_would_notice(laptop: Laptop, source: Path) -> None:
    """A month twice in the table, and a load that the audit does not know: both are seen, and made good."""
    scene = Scene(laptop, source, 2019, months=1)
    scene.finish()
    assert scene.problems() == []
    (month,) = scene.months
    ((kept,),) = laptop.query(f"SELECT rows_kept FROM load_audit WHERE source_month = '{month}-01'")
    laptop.query(f"INSERT INTO yellow_trips SELECT * FROM yellow_trips WHERE source_month = '{month}-01'")
    assert scene.problems() == [f"{month}: {2 * kept} rows in the table, {kept} in the manifest"]
    laptop.query(f"DELETE FROM load_audit WHERE source_month = '{month}-01'")
    assert [problem.split(",")[0] for problem in scene.problems()][1:] == [f"{month}: the audit's last load is None"]
    assert scene.finish() == {month: "SUCCEEDED"}
    assert scene.problems() == []
