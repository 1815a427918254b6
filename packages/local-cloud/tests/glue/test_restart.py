"""What becomes of jobs when the server stops, dies and comes back."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from pathlib import Path

import pytest

INTERRUPTED = "The local cloud stopped while this run was alive: start the run again"


def states(pid: int) -> set[str]:
    """The kernel's letters for what each of a process's threads does; none once it is gone."""
    found = set()
    for file in Path(f"/proc/{pid}/task").glob("*/stat"):
        with contextlib.suppress(OSError):  # it has just ended
            found.add(file.read_text().rpartition(")")[2].split()[0])
    return found


def alive(pid: int) -> bool:
    return bool(states(pid) - {"Z"})


@pytest.fixture
def cloud(new_cloud):
    running = new_cloud()
    running.start()
    yield running
    running.stop()


@pytest.fixture
def glue(cloud, glue_of):
    return glue_of(cloud)


def running_job(glue, tmp_path):
    """A run that has written the ids of its process and of a child's."""
    job = glue.job(
        f"""
        import os, subprocess, sys, time
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        with open({str(tmp_path / "pids.part")!r}, "w") as file:
            file.write(f"{{os.getpid()}} {{child.pid}}")
        os.rename({str(tmp_path / "pids.part")!r}, {str(tmp_path / "pids")!r})
        time.sleep(600)
        """
    )
    run_id = glue.start(job)
    deadline = time.monotonic() + 120
    while not (tmp_path / "pids").exists():
        assert time.monotonic() < deadline, glue.get(job, run_id)
        time.sleep(0.02)
    return job, run_id, [int(pid) for pid in (tmp_path / "pids").read_text().split()]


def gone(pids) -> bool:
    deadline = time.monotonic() + 20
    while any(alive(pid) for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not any(alive(pid) for pid in pids)


@pytest.mark.parametrize("signum", [signal.SIGKILL, signal.SIGTERM], ids=["killed", "stopped"])
def test_jobs_end_with_the_server_and_their_runs_have_failed(glue, cloud, tmp_path, signum):
    finished = glue.job("print('done')", Name="finished", DefaultArguments={"--a": "1"})
    before = glue.run(finished)
    job, run_id, pids = running_job(glue, tmp_path)
    cloud.stop(signum)
    assert gone(pids), "no process of the job outlives the server"

    cloud.start()
    run = glue.get(job, run_id)
    assert (run["JobRunState"], run["ErrorMessage"]) == ("FAILED", INTERRUPTED)
    assert run["CompletedOn"] >= run["StartedOn"]
    assert glue.get("finished", before["Id"]) == before
    assert glue.lines(before) == ["done"]
    assert glue.api.get_job(JobName="finished")["Job"]["DefaultArguments"] == {"--a": "1"}
    assert list((cloud.state_dir / "cache" / "glue-runs").iterdir()) == []
    assert glue.run("finished")["JobRunState"] == "SUCCEEDED"


def test_a_job_that_could_not_notice_is_killed_by_the_next_server(glue, cloud, tmp_path):
    job, run_id, pids = running_job(glue, tmp_path)
    os.kill(pids[0], signal.SIGSTOP)  # suspended, it does not see its lifeline break
    while states(pids[0]) != {"T"}:
        time.sleep(0.001)
    cloud.stop(signal.SIGKILL)
    assert alive(pids[0])
    cloud.start()
    assert gone(pids)
    assert glue.get(job, run_id)["JobRunState"] == "FAILED"


def test_an_environment_half_built_is_built_again_once_for_all_who_wait(glue, cloud):
    environments = cloud.state_dir / "cache" / "environments"
    environments.unlink()  # an own one, in place of the one that tests share
    job = glue.job("import boto3; print('ready')", ExecutionProperty={"MaxConcurrentRuns": 3})
    interrupted = glue.start(job)
    while not list(environments.glob("py*-*-*/lib")):
        time.sleep(0.01)
    cloud.stop(signal.SIGKILL)

    cloud.start()
    assert glue.get(job, interrupted)["JobRunState"] == "FAILED"
    runs = [glue.wait(job, run_id) for run_id in [glue.start(job) for _ in range(3)]]
    assert [(run["JobRunState"], glue.lines(run)) for run in runs] == [("SUCCEEDED", ["ready"])] * 3
    builds = [line for run in runs for line in glue.lines(run, "error") if line.startswith("Making an environment")]
    assert len(builds) <= 1, "none where the new job was prepared for already"
    assert [path.is_symlink() for path in environments.glob("py*") if path.suffix != ".lock"].count(False) == 1


def test_a_new_job_is_prepared_for_before_it_runs(glue, cloud):
    environments = cloud.state_dir / "cache" / "environments"
    environments.unlink()
    job = glue.job("import boto3; print('ready')")
    deadline = time.monotonic() + 120
    while not [path for path in environments.glob("py*") if path.is_symlink()]:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    run = glue.run(job)
    assert (glue.lines(run), glue.lines(run, "error")) == (["ready"], [])


def test_a_run_that_waits_for_its_environment_can_be_stopped(glue, cloud):
    (cloud.state_dir / "cache" / "environments").unlink()
    job = glue.job("print('never')")
    run_id = glue.start(job)
    assert glue.get(job, run_id)["JobRunState"] == "STARTING"
    glue.api.batch_stop_job_run(JobName=job, JobRunIds=[run_id])
    run = glue.wait(job, run_id)
    assert (run["JobRunState"], run["ExecutionTime"], glue.lines(run)) == ("STOPPED", 0, [])
