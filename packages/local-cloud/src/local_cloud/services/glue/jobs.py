"""Job runs: started, followed, stopped, retried, and carried over a restart."""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from moto.glue.exceptions import ConcurrentRunsExceededException, JobRunNotFoundException

from local_cloud.processes import children
from local_cloud.services.glue import runs
from local_cloud.services.glue.definitions import InvalidInput, Job, check_timeout
from local_cloud.services.glue.errors import JobFailure, JobStopped, JobTimedOut
from local_cloud.services.glue.execution import STOP_GRACE_S, Execution
from local_cloud.services.glue.preparation import SESSION, JobSpec, Workshop
from local_cloud.services.glue.runs import Run
from local_cloud.services.logs import LogWriter

log = logging.getLogger("local_cloud.glue")

#: The unit of a job's Timeout, in seconds.
MINUTE_S = 60.0

#: How long the processes of runs are given when the server stops, in seconds.
SHUTDOWN_GRACE_S = 3.0

INTERRUPTED = "The local cloud stopped while this run was alive: start the run again"


class JobRuns:
    """All runs of all jobs, newest first, by the job's ARN."""

    def __init__(self, workshop: Workshop, *, save: Callable[[], None], changed: Callable[[], None]) -> None:
        """`save` writes the runs to disk before an API call is answered, `changed` soon."""
        self.workshop = workshop
        self._save = save
        self._changed = changed
        self._runs: dict[str, list[Run]] = {}
        self._live: dict[str, Execution] = {}
        self._closing = False
        self._lock = threading.RLock()
        self._ended = threading.Condition(self._lock)

    def expect(self, job: Job) -> None:
        """A job is new or changed: make ready for its runs, in the background."""
        with contextlib.suppress(InvalidInput):
            spec = job.spec({}, account_id=self.workshop.cloud.settings.account_id)
            threading.Thread(target=self.workshop.prepare_ahead, args=(spec,), daemon=True).start()

    def start(self, job: Job, request: dict[str, Any]) -> str:
        """Begin a run with the fields of a StartJobRun request; the new run's id."""
        previous = self.get(job, request["JobRunId"]) if request.get("JobRunId") else None
        arguments = dict(request.get("Arguments") or (previous.arguments if previous else {}))
        spec = job.spec(arguments, account_id=self.workshop.cloud.settings.account_id)
        run = Run(
            id=runs.new_run_id(),
            job_name=job.name,
            attempt=0,
            arguments=arguments,
            timeout_minutes=request.get("Timeout") or job.timeout_minutes,
            previous_id=previous.id if previous else "",
            details=job.run_details(request),
        )
        check_timeout(run.timeout_minutes)
        with self._lock:
            known = self._runs.setdefault(job.arn, [])
            if sum(not other.is_over for other in known) >= job.max_concurrent_runs:
                raise ConcurrentRunsExceededException(f"Concurrent runs exceeded for {job.name}")
            self._begin(known, run, spec, retries=job.max_retries)
        self._save()
        return run.id

    def get(self, job: Job, run_id: str) -> Run:
        for run in self.history(job):
            if run.id == run_id:
                return run
        raise JobRunNotFoundException(run_id)

    def history(self, job: Job) -> list[Run]:
        with self._lock:
            return [*self._runs.get(job.arn, ())]

    def stop(self, run: Run) -> bool:
        """Ask a run to stop; False when it is over."""
        with self._lock:
            execution = self._live.get(run.id)
            if execution is None:
                return False
            run.enter(runs.STOPPING)
        execution.stop(STOP_GRACE_S)
        self._save()
        return True

    def forget(self, job: Job) -> None:
        """The job is deleted: stop its runs and drop their history."""
        for run in self.history(job):
            self.stop(run)
        with self._lock:
            self._runs.pop(job.arn, None)
        self._save()

    def _begin(self, known: list[Run], run: Run, spec: JobSpec, *, retries: int) -> None:
        execution = self._live[run.id] = Execution()
        known.insert(0, run)
        arguments = (known, run, spec, execution, retries)
        threading.Thread(target=self._supervise, args=arguments, name=run.id, daemon=True).start()

    def _supervise(self, known: list[Run], run: Run, spec: JobSpec, execution: Execution, retries: int) -> None:
        """The life of one run, on its own thread."""
        state, error = runs.SUCCEEDED, ""
        try:
            self._carry_out(run, spec, execution)
        except JobStopped:
            state, error = (runs.FAILED, INTERRUPTED) if self._closing else (runs.STOPPED, "")
        except JobTimedOut:
            state, error = runs.TIMEOUT, f"{run.job_name} exceeded its timeout of {run.timeout_minutes} minutes"
        except JobFailure as failure:
            state, error = runs.FAILED, str(failure)
        except Exception as failure:
            log.exception("run %s of %s failed outside its script", run.id, run.job_name)
            state, error = runs.FAILED, f"InternalServiceException: {failure!r}"
        self.workshop.remove(run.id)
        with self._ended:
            run.enter(state, error=error)
            del self._live[run.id]
            if state == runs.FAILED and run.attempt < retries and not self._closing:
                self._begin(known, _next_attempt(run), spec, retries=retries)
            self._ended.notify_all()
        self._changed()

    def _carry_out(self, run: Run, spec: JobSpec, execution: Execution) -> None:
        group = run.details["LogGroupName"]
        role = spec.role_arn
        output = LogWriter(self.workshop.cloud, f"{group}/output", run.id, role_arn=role, session_name=SESSION)
        errors = LogWriter(self.workshop.cloud, f"{group}/error", run.id, role_arn=role, session_name=SESSION)

        def wait(future: Future[Path]) -> Path:
            while True:
                execution.check_stopped()
                with contextlib.suppress(TimeoutError):
                    return future.result(timeout=0.2)

        launch = self.workshop.prepare(spec, run.id, log=lambda line: errors.write([line]), wait=wait)
        with self._lock:
            execution.check_stopped()
            run.enter(runs.RUNNING)
        self._changed()
        timeout_s = run.timeout_minutes * MINUTE_S
        execution.run(launch, timeout_s=timeout_s, output=output.write, errors=errors.write)

    def shut_down(self) -> None:
        """The server stops: end every run, and say so in its record."""
        with self._ended:
            self._closing = True
            for execution in self._live.values():
                execution.stop(SHUTDOWN_GRACE_S)
            self._ended.wait_for(lambda: not self._live, timeout=2 * SHUTDOWN_GRACE_S)

    def recover(self) -> None:
        """At start: kill what a server that was killed has left behind, and clear its folders."""
        folder = self.workshop.runs_folder
        for left in folder.iterdir() if folder.exists() else ():
            if children.kill_orphan(left):
                log.warning("killed the processes of run %s, left by the last local cloud", left.name)
            self.workshop.remove(left.name)

    def as_saved(self) -> dict[str, list[dict[str, Any]]]:
        with self._lock:
            return {arn: [dataclasses.asdict(run) for run in known] for arn, known in self._runs.items()}

    def restore(self, saved: dict[str, list[dict[str, Any]]]) -> None:
        """Runs that were alive when the last server ended have FAILED."""
        self._runs = {arn: [Run(**fields) for fields in known] for arn, known in saved.items()}
        for run in (run for known in self._runs.values() for run in known if not run.is_over):
            run.enter(runs.FAILED, error=INTERRUPTED)


def _next_attempt(run: Run) -> Run:
    """The retry of a failed run, under the id that Glue gives it."""
    first = run.id.partition("_attempt_")[0]
    attempt = run.attempt + 1
    return Run(
        id=f"{first}_attempt_{attempt}",
        job_name=run.job_name,
        attempt=attempt,
        arguments=run.arguments,
        timeout_minutes=run.timeout_minutes,
        previous_id=run.id,
        details=run.details,
    )
