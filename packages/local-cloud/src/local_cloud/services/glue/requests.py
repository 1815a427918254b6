"""The job half of moto's Glue API, answered by real runs. Databases, tables and the rest stay moto's."""

from __future__ import annotations

from typing import Any

from moto.core.responses import ActionResult
from moto.glue.exceptions import GlueClientError
from moto.glue.models import GlueBackend, glue_backends
from moto.glue.responses import GlueResponse
from moto.utilities.paginator import paginate

from local_cloud import moto_state
from local_cloud.services.glue.definitions import Job
from local_cloud.services.glue.jobs import JobRuns


def patch(jobs: JobRuns) -> None:
    """Replace what moto 5.2.5 only fakes (CreateJob, DeleteJob, runs) and add what it lacks.

    moto finds an action by its name on GlueResponse; its own GetJob, GetJobs, ListJobs and BatchGetJobs go on to
    read `backend.jobs`, where our definitions lie.
    """

    def create_job(self: GlueResponse) -> ActionResult:
        backend, request = self.glue_backend, dict(self.parameters)
        tags = request.pop("Tags", None)
        job = Job(request, arn=_arn(backend, request["Name"]))
        existing = backend.jobs.get(job.name)
        if existing and existing.definition != job.definition:
            raise GlueClientError(
                "IdempotentParameterMismatchException",
                "Job with name already submitted with different configuration.",
            )
        if not existing:
            backend.jobs[job.name] = job
            backend.tag_resource(job.arn, tags)
            jobs.expect(job)
        return ActionResult({"Name": job.name})

    def update_job(self: GlueResponse) -> ActionResult:
        name = self.parameters["JobName"]
        job = self.glue_backend.get_job(name)
        job.replace(self.parameters["JobUpdate"])
        jobs.expect(job)
        return ActionResult({"JobName": name})

    def delete_job(self: GlueResponse) -> ActionResult:
        name = self.parameters["JobName"]
        if job := self.glue_backend.jobs.pop(name, None):
            jobs.forget(job)
            self.glue_backend.tagger.delete_all_tags_for_resource(job.arn)
        return ActionResult({"JobName": name})

    def start_job_run(self: GlueResponse) -> ActionResult:
        job = self.glue_backend.get_job(self.parameters["JobName"])
        return ActionResult({"JobRunId": jobs.start(job, self.parameters)})

    def get_job_run(self: GlueBackend, name: str, run_id: str) -> Any:
        return jobs.get(self.get_job(name), run_id)

    @paginate(pagination_model=GlueBackend.PAGINATION_MODEL)  # type: ignore[untyped-decorator]
    def get_job_runs(self: GlueBackend, job_name: str) -> Any:
        return jobs.history(self.get_job(job_name))

    def batch_stop_job_run(self: GlueResponse) -> ActionResult:
        name = self.parameters["JobName"]
        known = {run.id: run for run in jobs.history(self.glue_backend.get_job(name))}
        submitted, errors = [], []
        for run_id in self.parameters["JobRunIds"]:
            entry = {"JobName": name, "JobRunId": run_id}
            if run_id in known and jobs.stop(known[run_id]):
                submitted.append(entry)
            else:
                errors.append(entry | {"ErrorDetail": _why_not_stopped(run_id, run_id in known)})
        return ActionResult({"SuccessfulSubmissions": submitted, "Errors": errors})

    for action in (create_job, update_job, delete_job, start_job_run, batch_stop_job_run):
        setattr(GlueResponse, action.__name__, action)
    GlueBackend.get_job_run = get_job_run
    GlueBackend.get_job_runs = get_job_runs


def defined(account_id: str, region: str) -> list[Job]:
    """The jobs there are."""
    with moto_state.held():
        return list(glue_backends[account_id][region].jobs.values())


def _arn(backend: GlueBackend, job_name: str) -> str:
    return f"arn:aws:glue:{backend.region_name}:{backend.account_id}:job/{job_name}"


def _why_not_stopped(run_id: str, known: bool) -> dict[str, str]:
    if known:
        code, message = "JobRunInTerminalStateException", f"Job run {run_id} is over: there is nothing to stop."
    else:
        code, message = "EntityNotFoundException", f"Job run {run_id} not found."
    return {"ErrorCode": code, "ErrorMessage": message}
