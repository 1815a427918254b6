"""Task: a call of a service, of a Lambda function by its ARN, or of an activity."""

from __future__ import annotations

import contextlib
from functools import partial

from botocore.exceptions import BotoCoreError, ClientError

from ...integrations.failures import error_and_cause, null_failure
from ...integrations.jobs import Job, JobFailed, started_job
from ...integrations.output import to_output
from ...integrations.request import BadParameters, add_resources, find_null, to_request
from ...integrations.services import ACTIVITY, LAMBDA, TASK_TOKEN, Call, find_call
from ...language.errors import RUNTIME, TASK_FAILED, TIMEOUT, Event, StateError
from ...language.json_values import Json, compact
from ...language.tree import Task
from ..attempts import attempt, within
from ..flow import arguments, effective_input
from ..life import Stopped
from ..scope import Done, Scope, is_too_large, too_large
from ..tokens import TOKENS, HeartbeatMissed, TaskFailure, TaskToken
from ..values import fill, number
from .activity import run_activity
from .function import function_error, run_function

_POLL = 0.05
"""Seconds between looks at a job that a Task waits for."""


def run_task(scope: Scope, state: Task) -> Done:
    data = effective_input(scope)
    if ACTIVITY.fullmatch(state.resource):
        return attempt(scope, state, partial(run_activity, state=state, data=data))
    if LAMBDA.fullmatch(state.resource):
        return attempt(scope, state, partial(run_function, state=state, data=data))
    call = find_call(state.resource)
    assert call is not None, state.resource
    return attempt(scope, state, partial(_run_call, state=state, data=data, call=call))


def _run_call(scope: Scope, *, state: Task, data: Json, call: Call) -> Json:
    """One attempt. Raises StateError and Stopped."""
    seconds = number(scope, state.timeout, data, least=1)
    token = None
    if call.pattern:
        token = TOKENS.issue(scope.execution.start.arn, lambda: scope.life.is_running)
        scope.context.setdefault("Task", {"Token": token.text})
    try:
        return within(
            scope, seconds, lambda inner: _perform(inner, state=state, data=data, call=call, token=token, limit=seconds)
        )
    except TimeoutError as error:
        details = _named(call) | {"error": TIMEOUT}
        missed = isinstance(error, HeartbeatMissed)
        raise StateError(TIMEOUT, event=Event("TaskTimedOut", details), missed_heartbeat=missed) from None
    except ClientError as error:
        raise _failed(call, *error_and_cause(call, dict(error.response))) from None
    except BotoCoreError as error:
        prefix = call.optimised.prefix if call.optimised else call.service_id
        raise _failed(call, f"{prefix}.SdkClientException", str(error)) from None
    except JobFailed as error:
        raise _failed(call, TASK_FAILED, error.cause) from None
    except TaskFailure as error:
        failure = _failed(call, error.error, error.cause)
        failure.is_callback = call.pattern == TASK_TOKEN
        raise failure from None
    finally:
        if token:
            TOKENS.withdraw(token)


def _perform(
    scope: Scope, *, state: Task, data: Json, call: Call, token: TaskToken | None, limit: float | None
) -> Json:
    parameters = {} if state.parameters is None else arguments(scope, state, data)
    role = fill(scope, state.credentials, data)["RoleArn"] if state.credentials else ""
    try:
        request = add_resources(call, to_request(call, parameters), scope.execution.start)
    except BadParameters as error:
        raise scope.failure(RUNTIME, str(error)) from None
    heartbeat = number(scope, state.heartbeat, data, least=1)
    if scope.trial and scope.trial.mock:
        return scope.trial.mock()
    scheduled = {
        **_named(call),
        "region": scope.execution.start.arn.split(":")[3],
        "parameters": compact(parameters),
        "timeoutInSeconds": limit,
        "heartbeatInSeconds": heartbeat,
        "taskCredentials": {"roleArn": role} if role else None,
    }
    scope.record("TaskScheduled", scheduled)
    scope.record("TaskStarted", _named(call))
    if null := find_null(call, parameters):
        raise _failed(call, *null_failure(call, null))
    client = scope.execution.clients.of(call.client, scope.execution.start, role_arn=role)
    response = getattr(client, call.method)(**request)
    has_failed = bool(response.get("FunctionError"))
    output = to_output(call, response)
    if has_failed and call.resource_type == "lambda":
        raise TaskFailure(*function_error(output["Payload"]))
    if call.resource_type == "events" and output.get("FailedEntryCount"):
        shown = {name: value for name, value in output.items() if not name.startswith("Sdk")}
        raise TaskFailure("EventBridge.FailedEntry", compact(shown))
    if token:
        scope.record("TaskSubmitted", _with_output(call, output))
        if call.pattern == TASK_TOKEN:
            output = token.wait(heartbeat=heartbeat)
        else:
            job = started_job(call, output, request, client, scope.execution.clients)
            output = _await_job(scope, job, token)
    scope.life.check()
    if is_too_large(output):
        raise _failed(call, "States.DataLimitExceeded", too_large(call.resource_type))
    scope.record("TaskSucceeded", _with_output(call, output))
    return output


def _await_job(scope: Scope, job: Job, token: TaskToken) -> Json:
    """Until the job has ended or its token was sent back."""
    while scope.life.is_running:
        output = job.poll()
        if output is not None:
            return output
        with contextlib.suppress(TimeoutError):
            output = token.wait(heartbeat=None, seconds=_POLL)
            if scope.life.is_running:
                return output
    with contextlib.suppress(BotoCoreError, ClientError):  # "best effort": nobody is left to hear of it
        job.cancel()
    raise Stopped


def _failed(call: Call, error: str | None, cause: str | None) -> StateError:
    details = _named(call) | {"error": error, "cause": cause}
    return StateError(error, cause, event=Event("TaskFailed", details))


def _named(call: Call) -> dict[str, Json]:
    pattern = f".{call.pattern}" if call.pattern else ""
    return {"resourceType": call.resource_type, "resource": call.action + pattern}


def _with_output(call: Call, output: Json) -> dict[str, Json]:
    return _named(call) | {"output": compact(output), "outputDetails": {"truncated": False}}
