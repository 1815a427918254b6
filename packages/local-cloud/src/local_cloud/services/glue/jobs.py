"""Job runs: started, followed, stopped, retried, and carried over a restart."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from moto.glue.exceptions import ConcurrentRunsExceededException, JobRunNotFoundException

from local_cloud.caches import Busy
from local_cloud.processes import children
from local_cloud.services.glue import runs
from local_cloud.services.glue.definitions import InvalidInput, Job, check_timeout
from local_cloud.services.glue.errors import JobFailure, JobStopped, JobTimedOut
from local_cloud.services.glue.execution import STOP_GRACE_S, Execution
from local_cloud.services.glue.preparation import SESSION, JobSpec, Workshop
from local_cloud.services.glue.records import Records
from local_cloud.services.glue.runs import Run
from local_cloud.services.logs import LogWriter

log = logging.getLogger("local_cloud.glue")

#: The unit of a job's Timeout, in seconds.
MINUTE_S = 60.0

#: How long the processes of runs are given when the server stops, in seconds.
SHUTDOWN_GRACE_S = 3.0

INTERRUPTED = "The local cloud stopped while this run was alive: start the run again"


@dataclass
class _Live:
    """A run that has not ended. `job` is the ARN of its job, "" once that is deleted: nobody can ask for it then."""

    job: str
    run: Run
    execution: Execution


class JobRuns:
    """All runs of all jobs, in `records`; in memory are those that live, and what is not written yet."""

    def __init__(
        self, workshop: Workshop, records: Records, *, save: Callable[[], None], changed: Callable[[], None]
    ) -> None:
        """`save` has `write` called before an API call is answered, `changed` soon."""
        self.workshop = workshop
        self._records = records
        self._save = save
        self._changed = changed
        self._live: dict[str, _Live] = {}
        self._unwritten: dict[str, tuple[str, Run]] = {}
        self._closing = False
        self._lock = threading.RLock()
        self._ended = threading.Condition(self._lock)

    def expect(self, job: Job) -> None:
        """A job is new or changed: make ready for its runs, in the background."""
        with contextlib.suppress(InvalidInput):
            spec = job.spec({}, account_id=self.workshop.cloud.settings.account_id)
            threading.Thread(target=self.workshop.prepare_ahead, args=(spec,), daemon=True).start()

    def needs(self, jobs: Iterable[Job]) -> set[str]:
        """What the jobs take out of the cache. Raises Busy while a run is alive, which was prepared before."""
        with self._lock:
            if self._live:
                raise Busy(f"{len(self._live)} job runs are alive: wait until they have ended, or stop them")
        names: set[str] = set()
        for job in jobs:
            with contextlib.suppress(InvalidInput):
                names.update(self.workshop.needs(job.spec({}, account_id=self.workshop.cloud.settings.account_id)))
        return names

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
            if sum(live.job == job.arn for live in self._live.values()) >= job.max_concurrent_runs:
                raise ConcurrentRunsExceededException(f"Concurrent runs exceeded for {job.name}")
            self._begin(job.arn, run, spec, retries=job.max_retries)
        self._save()
        return run.id

    def get(self, job: Job, run_id: str) -> Run:
        with self._lock:
            owner, run = self._unwritten.get(run_id, ("", None))
            found = run if owner == job.arn else self._records.get(job.arn, run_id)
        if found is None:
            raise JobRunNotFoundException(run_id)
        return found

    def history(self, job: Job) -> list[Run]:
        """Newest first."""
        with self._lock:
            written = {run.id: run for run in reversed(self._records.of_job(job.arn))}
            newer = {run.id: run for owner, run in self._unwritten.values() if owner == job.arn}
        return [*reversed((written | newer).values())]

    def stop(self, run: Run) -> bool:
        """Ask a run to stop; False when it is over."""
        with self._lock:
            live = self._live.get(run.id)
            if live is None:
                return False
            self._enter(live, runs.STOPPING)
        live.execution.stop(STOP_GRACE_S)
        self._save()
        return True

    def forget(self, job: Job) -> None:
        """The job is deleted: stop its runs and drop their history."""
        with self._lock:
            alive = [live for live in self._live.values() if live.job == job.arn]
            for live in alive:
                live.job = ""
            self._unwritten = {key: value for key, value in self._unwritten.items() if value[0] != job.arn}
            self._records.forget(job.arn)
        for live in alive:
            live.execution.stop(STOP_GRACE_S)

    def write(self) -> None:
        """Bring the records up to date."""
        with self._lock:
            self._records.save(self._unwritten.values())
            self._unwritten.clear()

    def _begin(self, job: str, run: Run, spec: JobSpec, *, retries: int) -> None:
        live = self._live[run.id] = _Live(job, run, Execution())
        self._unwritten[run.id] = job, run
        threading.Thread(target=self._supervise, args=(live, spec, retries), name=run.id, daemon=True).start()

    def _enter(self, live: _Live, state: str, *, error: str = "") -> None:
        live.run.enter(state, error=error)
        if live.job:
            self._unwritten[live.run.id] = live.job, live.run

    def _supervise(self, live: _Live, spec: JobSpec, retries: int) -> None:
        """The life of one run, on its own thread."""
        run, state, error = live.run, runs.SUCCEEDED, ""
        try:
            self._carry_out(live, spec)
        except Exception as failure:
            state, error = self._judge(live, failure)
        self.workshop.remove(run.id)
        with self._ended:
            self._enter(live, state, error=error)
            del self._live[run.id]
            if live.job and state == runs.FAILED and run.attempt < retries and not self._closing:
                self._begin(live.job, _next_attempt(run), spec, retries=retries)
            self._ended.notify_all()
        self._changed()

    def _judge(self, live: _Live, failure: Exception) -> tuple[str, str]:
        """The state in which a run ends, and its error. What fails while it is being stopped, is stopped."""
        run = live.run
        if live.execution.is_stopped:
            if not isinstance(failure, JobStopped):
                log.info("run %s of %s failed while it was stopped: %r", run.id, run.job_name, failure)
            return (runs.FAILED, INTERRUPTED) if self._closing else (runs.STOPPED, "")
        if isinstance(failure, JobTimedOut):
            return runs.TIMEOUT, f"{run.job_name} exceeded its timeout of {run.timeout_minutes} minutes"
        if isinstance(failure, JobFailure):
            return runs.FAILED, str(failure)
        log.error("run %s of %s failed outside its script", run.id, run.job_name, exc_info=failure)
        return runs.FAILED, f"InternalServiceException: {failure!r}"

    def _carry_out(self, live: _Live, spec: JobSpec) -> None:
        run, execution = live.run, live.execution
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
            self._enter(live, runs.RUNNING)
        self._changed()
        timeout_s = run.timeout_minutes * MINUTE_S
        execution.run(launch, timeout_s=timeout_s, output=output.write, errors=errors.write)

    def shut_down(self) -> None:
        """The server stops: end every run, and say so in its record."""
        with self._ended:
            self._closing = True
            for live in self._live.values():
                live.execution.stop(SHUTDOWN_GRACE_S)
            self._ended.wait_for(lambda: not self._live, timeout=2 * SHUTDOWN_GRACE_S)

    def recover(self) -> None:
        """At start: kill what a server that was killed has left behind, and clear its folders."""
        folder = self.workshop.runs_folder
        for left in folder.iterdir() if folder.exists() else ():
            if children.kill_orphan(left):
                log.warning("killed the processes of run %s, left by the last local cloud", left.name)
            self.workshop.remove(left.name)

    def adopt(self, saved: dict[str, list[dict[str, Any]]]) -> None:
        """Take over the runs as an earlier version kept them: by job, newest first, in the saved state."""
        self._records.save((arn, Run(**fields)) for arn, known in saved.items() for fields in reversed(known))

    def fail_interrupted(self) -> None:
        """Runs that were alive when the last server ended have FAILED."""
        interrupted = self._records.alive()
        for _, run in interrupted:
            run.enter(runs.FAILED, error=INTERRUPTED)
        self._records.save(interrupted)


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
