"""A run that is stopped before its script has begun."""

from __future__ import annotations

import threading
import time
from types import SimpleNamespace
from typing import Any

import pytest

from local_cloud.services.glue.errors import JobFailure
from local_cloud.services.glue.jobs import JobRuns
from local_cloud.services.glue.records import Records


class Workshop:
    """Prepares until it is let go, and fails then."""

    def __init__(self, failure: Exception) -> None:
        self.failure, self.begun, self.go_on = failure, threading.Event(), threading.Event()
        self.cloud = SimpleNamespace(settings=SimpleNamespace(account_id="123456789012"))

    def prepare(self, *args: Any, **options: Any) -> None:
        self.begun.set()
        self.go_on.wait(10)
        raise self.failure

    def remove(self, run_id: str) -> None:
        pass


JOB: Any = SimpleNamespace(
    arn="arn:aws:glue:us-east-1:123456789012:job/one",
    name="one",
    timeout_minutes=5,
    max_retries=1,
    max_concurrent_runs=1,
    spec=lambda arguments, account_id: SimpleNamespace(role_arn="arn:aws:iam::123456789012:role/one"),
    run_details=lambda request: {"LogGroupName": "/aws-glue/python-jobs"},
)


@pytest.mark.parametrize("failure", [JobFailure("no such script"), OSError("no room")], ids=["failure", "fault"])
@pytest.mark.parametrize(("stopped", "state"), [(True, "STOPPED"), (False, "FAILED")])
def test_what_fails_while_it_is_being_stopped_is_stopped(tmp_path, failure, stopped, state):
    workshop: Any = Workshop(failure)
    jobs = JobRuns(workshop, Records(tmp_path / "runs.sqlite"), save=lambda: None, changed=lambda: None)
    run = jobs.get(JOB, jobs.start(JOB, {}))
    workshop.begun.wait(10)
    if stopped:
        assert jobs.stop(run)
    workshop.go_on.set()
    while not run.is_over:
        time.sleep(0.01)
    assert (run.state, bool(run.error)) == (state, not stopped)
    assert len(jobs.history(JOB)) == (1 if stopped else 2), "a failed one is tried again"
