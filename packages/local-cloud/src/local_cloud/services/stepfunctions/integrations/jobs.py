"""What a `.sync` Task waits for: how to see that it ended, what came of it, how to cancel it.

https://docs.aws.amazon.com/step-functions/latest/dg/connect-to-resource.html#connect-sync: a Task that is aborted
has its job cancelled, as far as Step Functions can; the policies AWS generates for `glue:startJobRun.sync` hold
BatchStopJobRun for that (https://docs.aws.amazon.com/step-functions/latest/dg/connect-glue.html).

Whether a job still runs is looked up inside the process, which costs nothing; the first look and the result are
requests by the machine's role, which needs the permission for them as on AWS.
"""

from __future__ import annotations

import json
from typing import Any, Protocol

from .clients import Clients
from .output import structure_output
from .services import SYNC_2, Call, find_call


class JobFailed(Exception):
    """The job ended badly; `cause` is its description as JSON."""

    def __init__(self, description: dict[str, Any]) -> None:
        super().__init__("States.TaskFailed")
        self.cause = json.dumps(description, separators=(",", ":"))


#: What is asked of a job that has ended, by the client that started it: the form of a `.sync` Task's result.
JOB_RESULTS = {
    "glue": "arn:aws:states:::aws-sdk:glue:getJobRun",
    "stepfunctions": "arn:aws:states:::aws-sdk:sfn:describeExecution",
}


class Job(Protocol):
    def poll(self) -> dict[str, Any] | None:
        """The output once the job has succeeded, None while it runs. Raises JobFailed, or botocore's ClientError."""

    def cancel(self) -> None: ...


def started_job(call: Call, output: dict[str, Any], request: dict[str, Any], client: Any, clients: Clients) -> Job:
    """The job that a call has just started: `output` and `request` are the call's own."""
    if call.client == "glue":
        return GlueJobRun(client, request["JobName"], output["JobRunId"], clients)
    return ChildExecution(client, output["ExecutionArn"], clients, parsed=call.pattern == SYNC_2)


class GlueJobRun:
    _ENDED_BADLY = frozenset({"FAILED", "TIMEOUT", "ERROR", "STOPPED", "EXPIRED"})

    def __init__(self, client: Any, name: str, run_id: str, clients: Clients) -> None:
        self._client = client
        self._name = name
        self._id = run_id
        self._clients = clients
        self._allowed = False

    def poll(self) -> dict[str, Any] | None:
        if self._allowed and not self._is_over(self._clients.glue_run_state(self._name, self._id)):
            return None
        run = self._client.get_job_run(JobName=self._name, RunId=self._id)["JobRun"]
        self._allowed = True
        if not self._is_over(run["JobRunState"]):
            return None
        shape = _output_shape("glue").members["JobRun"]
        description = structure_output(run | {"JobName": self._name}, shape, optimised=True)
        if run["JobRunState"] != "SUCCEEDED":
            raise JobFailed(description)
        return description

    def cancel(self) -> None:
        self._client.batch_stop_job_run(JobName=self._name, JobRunIds=[self._id])

    def _is_over(self, state: str) -> bool:
        return state == "SUCCEEDED" or state in self._ENDED_BADLY


class ChildExecution:
    """An execution of another machine; with `parsed` (`.sync:2`) its Input and Output are JSON, not text."""

    def __init__(self, client: Any, arn: str, clients: Clients, *, parsed: bool) -> None:
        self._client = client
        self._arn = arn
        self._clients = clients
        self._parsed = parsed
        self._allowed = False

    def poll(self) -> dict[str, Any] | None:
        if self._allowed and self._clients.execution_status(self._arn) == "RUNNING":
            return None
        execution = self._client.describe_execution(executionArn=self._arn)
        self._allowed = True
        if execution["status"] == "RUNNING":
            return None
        shape = _output_shape("stepfunctions")
        description = structure_output(execution, shape, optimised=True)
        for field in ("Input", "Output") if self._parsed else ():
            if field in description:
                description[field] = json.loads(description[field])
        if execution["status"] != "SUCCEEDED":
            raise JobFailed(description)
        return description

    def cancel(self) -> None:
        self._client.stop_execution(executionArn=self._arn)


def _output_shape(client: str) -> Any:
    call = find_call(JOB_RESULTS[client])
    assert call is not None
    return call.output_shape
