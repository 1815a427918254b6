"""Concurrency, stopping, timeouts, retries and listings of job runs."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

WAITS = """
    import time
    print("waiting", flush=True)
    time.sleep(600)
"""

#: The server with a minute that lasts a second, so that a timeout can be waited for.
SHORT_MINUTES = textwrap.dedent(
    """
    import local_cloud.services.glue.jobs as jobs, local_cloud.services.glue.execution as execution
    from local_cloud.server import serve
    from local_cloud.settings import Settings
    jobs.MINUTE_S, jobs.STOP_GRACE_S, execution.STOP_GRACE_S = 1.0, 1.0, 1.0
    serve(Settings.create())
    """
)


@pytest.fixture(scope="module")
def cloud(new_cloud):
    running = new_cloud(command=("-c", SHORT_MINUTES))
    running.start()
    yield running
    running.stop()


def started(glue, job, **request):
    """A run whose script is at work."""
    run = glue.wait(job, glue.start(job, **request), {"RUNNING"})
    while glue.lines(run) != ["waiting"]:
        pass
    return run


def test_runs_beyond_max_concurrent_runs_are_refused_until_one_ends(glue):
    job = glue.job(WAITS, ExecutionProperty={"MaxConcurrentRuns": 2}, Timeout=60)
    runs = [started(glue, job), started(glue, job)]
    with pytest.raises(glue.api.exceptions.ConcurrentRunsExceededException, match=job):
        glue.start(job)
    glue.api.batch_stop_job_run(JobName=job, JobRunIds=[runs[0]["Id"]])
    assert glue.wait(job, runs[0]["Id"])["JobRunState"] == "STOPPED"
    third = started(glue, job)
    assert [run["Id"] for run in glue.api.get_job_runs(JobName=job)["JobRuns"]] == [
        third["Id"],
        runs[1]["Id"],
        runs[0]["Id"],
    ]
    glue.api.batch_stop_job_run(JobName=job, JobRunIds=[runs[1]["Id"], third["Id"]])


def test_stop_ends_a_run_and_says_what_it_could_not_stop(glue):
    job = glue.job(WAITS, Timeout=60)
    run = started(glue, job)
    answer = glue.api.batch_stop_job_run(JobName=job, JobRunIds=[run["Id"], "jr_nowhere"])
    assert answer["SuccessfulSubmissions"] == [{"JobName": job, "JobRunId": run["Id"]}]
    assert [(e["JobRunId"], e["ErrorDetail"]["ErrorCode"]) for e in answer["Errors"]] == [
        ("jr_nowhere", "EntityNotFoundException")
    ]
    stopped = glue.wait(job, run["Id"])
    assert stopped["JobRunState"] == "STOPPED"
    assert "ErrorMessage" not in stopped
    again = glue.api.batch_stop_job_run(JobName=job, JobRunIds=[run["Id"]])
    assert again["Errors"][0]["ErrorDetail"]["ErrorCode"] == "JobRunInTerminalStateException"


def test_stop_gives_a_job_time_to_put_things_in_order(glue):
    job = glue.job(
        """
        import signal, sys, time
        def leave(signum, frame):
            print("in order", flush=True)
            sys.exit(0)
        signal.signal(signal.SIGTERM, leave)
        print("waiting", flush=True)
        time.sleep(600)
        """,
        Timeout=60,
    )
    run = started(glue, job)
    glue.api.batch_stop_job_run(JobName=job, JobRunIds=[run["Id"]])
    assert glue.wait(job, run["Id"])["JobRunState"] == "STOPPED"
    assert glue.lines(run) == ["waiting", "in order"]


def test_stop_ends_a_job_that_will_not_and_all_it_started(glue, tmp_path):
    job = glue.job(
        f"""
        import os, signal, subprocess, sys, time
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        open({str(tmp_path / "pids")!r}, "w").write(f"{{os.getpid()}} {{child.pid}}")
        print("waiting", flush=True)
        time.sleep(600)
        """,
        Timeout=60,
    )
    run = started(glue, job)
    glue.api.batch_stop_job_run(JobName=job, JobRunIds=[run["Id"]])
    assert glue.wait(job, run["Id"], {"STOPPING", "STOPPED"})
    assert glue.wait(job, run["Id"])["JobRunState"] == "STOPPED"
    assert [pid for pid in (tmp_path / "pids").read_text().split() if alive(pid)] == []


def alive(pid: str) -> bool:
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


def test_a_run_that_takes_longer_than_its_timeout_ends_as_timeout(glue):
    job = glue.job(WAITS, Timeout=60, MaxRetries=2)
    run = glue.run(job, Timeout=1)
    assert (run["JobRunState"], run["Timeout"]) == ("TIMEOUT", 1)
    assert run["ErrorMessage"] == f"{job} exceeded its timeout of 1 minutes"
    assert glue.lines(run) == ["waiting"]
    assert len(glue.api.get_job_runs(JobName=job)["JobRuns"]) == 1, "a timeout is not tried again"


def test_a_failed_run_is_tried_again_as_often_as_the_job_says(glue):
    job = glue.job("raise ValueError('never')", MaxRetries=2)
    first = glue.run(job, {"--month": "09"})
    last = f"{first['Id']}_attempt_2"
    while last not in [run["Id"] for run in glue.api.get_job_runs(JobName=job)["JobRuns"]]:
        pass
    glue.wait(job, last)
    runs = glue.api.get_job_runs(JobName=job)["JobRuns"]
    assert [(r["Id"], r["Attempt"], r.get("PreviousRunId"), r["JobRunState"]) for r in runs] == [
        (last, 2, f"{first['Id']}_attempt_1", "FAILED"),
        (f"{first['Id']}_attempt_1", 1, first["Id"], "FAILED"),
        (first["Id"], 0, None, "FAILED"),
    ]
    assert [run["Arguments"] for run in runs] == [{"--month": "09"}] * 3


def test_a_run_can_be_started_again_from_a_previous_one(glue):
    job = glue.job("import sys; print(sys.argv[1:3])")
    first = glue.run(job, {"--month": "09"})
    second = glue.run(job, JobRunId=first["Id"])
    assert second["PreviousRunId"] == first["Id"]
    assert glue.lines(second) == ["['--month', '09']"]
    with pytest.raises(glue.api.exceptions.EntityNotFoundException):
        glue.start(job, JobRunId="jr_nowhere")


def test_runs_are_paged_newest_first(glue):
    job = glue.job("")
    ids = [glue.run(job)["Id"] for _ in range(5)][::-1]
    pages = list(glue.api.get_paginator("get_job_runs").paginate(JobName=job, PaginationConfig={"PageSize": 2}))
    assert [[run["Id"] for run in page["JobRuns"]] for page in pages] == [ids[:2], ids[2:4], ids[4:]]


def test_a_run_that_is_not_there_is_not_found(glue):
    job = glue.job("")
    with pytest.raises(glue.api.exceptions.EntityNotFoundException):
        glue.get(job, "jr_nowhere")
    with pytest.raises(glue.api.exceptions.EntityNotFoundException):
        glue.api.get_job_runs(JobName="nowhere")


@pytest.mark.parametrize("minutes", [0, 10081])
def test_a_timeout_that_is_none_is_refused(glue, minutes):
    job = glue.job("")
    with pytest.raises((glue.api.exceptions.InvalidInputException, Exception), match=r"Timeout|timeout"):
        glue.start(job, Timeout=minutes)
    assert glue.api.get_job_runs(JobName=job)["JobRuns"] == []


def test_deleting_a_job_ends_its_runs_and_forgets_them(glue, tmp_path):
    job = glue.job(
        f"""
        import os, time
        open({str(tmp_path / "pid")!r}, "w").write(str(os.getpid()))
        print("waiting")
        time.sleep(600)
        """,
        Name="deleted",
        Timeout=60,
    )
    started(glue, job)
    glue.api.delete_job(JobName=job)
    pid = (tmp_path / "pid").read_text()
    while alive(pid):
        pass
    glue.job("", Name="deleted")
    assert glue.api.get_job_runs(JobName="deleted")["JobRuns"] == []


def test_the_aws_command_starts_follows_and_stops(glue, cloud):
    job = glue.job(WAITS, Timeout=60)
    started_by = cloud.aws(
        *("glue", "start-job-run", "--job-name", job, "--arguments", '{"--month":"09"}'),
        *("--query", "JobRunId", "--output", "text"),
    )
    run_id = started_by.stdout.strip()
    run = glue.wait(job, run_id, {"RUNNING"})
    while glue.lines(run) != ["waiting"]:
        pass
    log = cloud.aws(
        *("logs", "filter-log-events", "--log-group-name", "/aws-glue/python-jobs/output"),
        *("--log-stream-names", run_id, "--query", "events[].message", "--output", "text"),
    )
    assert log.stdout.strip() == "waiting", log.stderr
    cloud.aws("glue", "batch-stop-job-run", "--job-name", job, "--job-run-ids", run_id)
    glue.wait(job, run_id)
    listed = cloud.aws(
        "glue", "get-job-runs", "--job-name", job, "--query", "JobRuns[].[JobRunState,Arguments]", "--output", "json"
    )
    assert "STOPPED" in listed.stdout
    assert '"--month": "09"' in listed.stdout
