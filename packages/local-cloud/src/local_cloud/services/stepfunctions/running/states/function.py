"""A Task whose Resource is the ARN of a Lambda function: its output is the function's, without the SDK's metadata."""

from __future__ import annotations

import json

from botocore.exceptions import BotoCoreError, ClientError

from ...integrations.failures import error_and_cause
from ...integrations.services import find_call
from ...language.errors import TIMEOUT, Event, StateError
from ...language.json_values import Json, compact
from ...language.tree import Task
from ..attempts import within
from ..flow import arguments
from ..scope import Scope, is_too_large, too_large
from ..values import fill, number


def run_function(scope: Scope, *, state: Task, data: Json) -> Json:
    """One attempt. Raises StateError and Stopped."""
    seconds = number(scope, state.timeout, data, least=1)
    try:
        return within(scope, seconds, lambda inner: _perform(inner, state, data, limit=seconds))
    except TimeoutError:
        raise StateError(TIMEOUT, event=Event("LambdaFunctionTimedOut", {"error": TIMEOUT})) from None
    except ClientError as error:
        call = find_call("arn:aws:states:::lambda:invoke")
        assert call is not None
        raise _failed(*error_and_cause(call, dict(error.response))) from None
    except BotoCoreError as error:
        raise _failed("Lambda.SdkClientException", str(error)) from None


def function_error(payload: Json) -> tuple[str, str]:
    """The error and cause of what a function that raised has for its payload."""
    error = payload.get("errorType", "Exception") if isinstance(payload, dict) else "Exception"
    return error, compact(payload)


def _perform(scope: Scope, state: Task, data: Json, *, limit: float | None) -> Json:
    payload = arguments(scope, state, data)
    role = fill(scope, state.credentials, data)["RoleArn"] if state.credentials else ""
    if scope.trial and scope.trial.mock:
        return scope.trial.mock()
    scheduled = {
        "resource": state.resource,
        "input": compact(payload),
        "inputDetails": {"truncated": False},
        "timeoutInSeconds": limit,
        "taskCredentials": {"roleArn": role} if role else None,
    }
    scope.record("LambdaFunctionScheduled", scheduled)
    scope.record("LambdaFunctionStarted")
    client = scope.execution.clients.of("lambda", scope.execution.start, role_arn=role)
    response = client.invoke(FunctionName=state.resource, Payload=_payload(payload))
    output = _json_or_text(response["Payload"].read().decode())
    if response.get("FunctionError"):
        raise _failed(*function_error(output))
    scope.life.check()
    if is_too_large(output):
        raise _failed("States.DataLimitExceeded", too_large(state.resource))
    scope.record("LambdaFunctionSucceeded", {"output": compact(output), "outputDetails": {"truncated": False}})
    return output


def _failed(error: str, cause: str) -> StateError:
    return StateError(error, cause, event=Event("LambdaFunctionFailed", {"error": error, "cause": cause}))


def _payload(value: Json) -> bytes:
    """A text that is JSON is sent as it is."""
    if value is None:
        return b"{}"
    if isinstance(value, str) and not isinstance(_json_or_text(value), str):
        return value.encode()
    return compact(value).encode()


def _json_or_text(text: str) -> Json:
    try:
        return json.loads(text)
    except ValueError:
        return text
