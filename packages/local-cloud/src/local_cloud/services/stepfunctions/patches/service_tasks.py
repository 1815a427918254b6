"""Tasks that call services: one class in place of moto's one per service.

Fixed by that, under `asl/component/state/exec/state_task`: `glue:startJobRun.sync` always dies (`service/
state_task_service_glue.py:36` lacks the pattern that its base class asks for); a poll every 0.5 s
(`…_callback.py:49`); parameters and outputs are not brought into the API's form and back
(`state_task_service.py:208,216`), so times make outputs that are no JSON and `startExecution.sync:2` finds no
`ExecutionArn`; `aws-sdk:redshiftdata` is unknown (`state_task_service.py:63`); causes and names of errors differ from
AWS's; a job goes on when its Task times out or is stopped; a task token is given out once and not per attempt.
"""

from __future__ import annotations

import contextlib
import json
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from moto.stepfunctions.parser.asl.component.common.error_name.error_name import ErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import FailureEvent, FailureEventException
from moto.stepfunctions.parser.asl.component.state.exec.state_task import state_task_factory
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.resource import ResourceRuntimePart
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service import StateTaskService
from moto.stepfunctions.parser.asl.component.state.exec.state_task.state_task_lambda import StateTaskLambda
from moto.stepfunctions.parser.asl.utils.encoding import to_json_str

from ..integrations.failures import error_and_cause
from ..integrations.jobs import JobFailed, started_job
from ..integrations.output import to_output
from ..integrations.request import BadParameters, to_request
from ..integrations.services import TASK_TOKEN, Call, find_call
from ..running.scopes import Stopped
from ..running.tokens import TOKENS, HeartbeatMissed, TaskFailure, TaskToken
from ..running.world import world
from .error_matching import MissedHeartbeat
from .failing_states import failure, unexpected

_POLL = 0.05
"""Seconds between looks at a job that a Task waits for."""


class FunctionError(Exception):
    """A Lambda function raised: its payload, as JSON."""

    def __init__(self, payload: Any) -> None:
        self.error = payload.get("errorType", "Exception") if isinstance(payload, dict) else "Exception"
        self.cause = json.dumps(payload, separators=(",", ":"), ensure_ascii=False)
        super().__init__(self.error)


class ServiceTask(StateTaskService):  # type: ignore[misc]
    @property
    def call(self) -> Call:
        call = find_call(self.resource.resource_arn)
        assert call is not None, self.resource.resource_arn
        return call

    def _get_supported_parameters(self) -> set[str]:
        return set(self.call.parameters)

    def _eval_parameters(self, env: Any) -> Any:
        """As they are: what the API does not know is an error, not something to drop."""
        if self.parargs is None:
            return {}
        self.parargs.eval(env=env)
        return env.stack.pop()

    def _get_sfn_resource(self) -> str:
        return self.call.action + (f".{self.call.pattern}" if self.call.pattern else "")

    def _get_sfn_resource_type(self) -> str:
        return self.call.resource_type

    def _eval_execution(self, env: Any) -> None:
        call = self.call
        token = TOKENS.issue(env) if call.pattern == TASK_TOKEN else None
        if token:
            env.states.context_object.context_object_data["Task"] = {"Token": token.text}
        try:
            self._perform(env, call, token)
        finally:
            if token:
                TOKENS.withdraw(token)

    def _perform(self, env: Any, call: Call, token: TaskToken | None) -> None:
        parameters = self._eval_parameters(env=env)
        credentials = self._eval_state_credentials(env=env)
        try:
            request = to_request(call, parameters)
        except BadParameters as error:
            raise failure(env, "States.Runtime", str(error)) from None
        details = env.aws_execution_details
        self._before_eval_execution(
            env=env,
            resource_runtime_part=ResourceRuntimePart(account=details.account, region=details.region),
            raw_parameters=parameters,
            state_credentials=credentials,
        )
        client = world().client(call.client, env, credentials.role_arn)
        response = getattr(client, call.method)(**request)
        failed = response.get("FunctionError")
        output = to_output(call, response)
        if failed and call.resource_type == "lambda":
            raise FunctionError(output["Payload"])
        if call.resource_type == "events" and output.get("FailedEntryCount"):
            shown = {name: value for name, value in output.items() if not name.startswith("Sdk")}
            raise TaskFailure("EventBridge.FailedEntry", to_json_str(shown))
        if call.pattern:
            self._submitted(env, output)
            output = (
                token.wait(env, heartbeat=self._heartbeat_seconds(env))
                if token
                else self._await_job(env, started_job(call, output, request, client, world()))
            )
        env.stack.append(output)
        if env.is_running():
            self._after_eval_execution(
                env=env, resource_runtime_part=None, normalised_parameters=request, state_credentials=credentials
            )

    def _submitted(self, env: Any, output: Any) -> None:
        env.event_manager.add_event(
            env.event_history_context,
            "TaskSubmitted",
            {
                "taskSubmittedEventDetails": {
                    "resource": self._get_sfn_resource(),
                    "resourceType": self._get_sfn_resource_type(),
                    "output": to_json_str(output, separators=(",", ":")),
                    "outputDetails": {"truncated": False},
                }
            },
        )

    def _await_job(self, env: Any, job: Any) -> Any:
        while env.is_running():
            output = job.poll()
            if output is not None:
                return output
            env.program_state_event.wait(_POLL)
        with contextlib.suppress(BotoCoreError, ClientError):  # "best effort": there is nobody left to tell
            job.cancel()
        raise Stopped

    def _heartbeat_seconds(self, env: Any) -> float | None:
        if self.heartbeat is None:
            return None
        self.heartbeat.eval(env=env)
        return float(env.stack.pop())

    def _from_error(self, env: Any, ex: Exception) -> Any:
        call = self.call
        error: str | None
        cause: str | None
        match ex:
            case FailureEventException():
                return ex.failure_event
            case TimeoutError():
                name = MissedHeartbeat() if isinstance(ex, HeartbeatMissed) else ErrorName("States.Timeout")
                return self._event(env, name, "TaskTimedOut", "taskTimedOutEventDetails", None)
            case ClientError():
                error, cause = error_and_cause(call, ex.response)
            case JobFailed():
                error, cause = "States.TaskFailed", ex.cause
            case FunctionError() | TaskFailure():
                error, cause = ex.error, ex.cause
            case BotoCoreError():
                prefix = call.optimised.prefix if call.optimised else call.service_id
                error, cause = f"{prefix}.SdkClientException", str(ex)
            case _:
                return unexpected(self, env, ex)
        return self._event(env, ErrorName(error), "TaskFailed", "taskFailedEventDetails", cause)

    def _event(self, env: Any, name: Any, event_type: str, member: str, cause: str | None) -> Any:
        details = {
            "resource": self._get_sfn_resource(),
            "resourceType": self._get_sfn_resource_type(),
            "error": name.error_name,
            "cause": cause,
        }
        shown = {key: value for key, value in details.items() if value is not None}
        return FailureEvent(env=env, error_name=name, event_type=event_type, event_details={member: shown})

    def _eval_service_task(self, *args: Any, **kwargs: Any) -> None:
        raise NotImplementedError("see _perform")


def apply() -> None:
    state_task_factory.state_task_service_for = lambda service_name: ServiceTask()
    StateTaskLambda._from_error = _lambda_error


def _lambda_error(self: Any, env: Any, ex: Exception) -> Any:
    """Of a Task whose Resource is a function's ARN."""
    from moto.stepfunctions.parser.asl.component.state.exec.state_task import lambda_eval_utils

    match ex:
        case FailureEventException():
            return ex.failure_event
        case TimeoutError():
            details = {"error": "States.Timeout"}
            event = {"lambdaFunctionTimedOutEventDetails": details}
            return FailureEvent(env, ErrorName("States.Timeout"), "LambdaFunctionTimedOut", event)
        case ClientError():
            call = find_call("arn:aws:states:::lambda:invoke")
            assert call is not None
            error, cause = error_and_cause(call, ex.response)
        case lambda_eval_utils.LambdaFunctionErrorException():
            function_error = FunctionError(json.loads(ex.payload))
            error, cause = function_error.error, function_error.cause
        case _:
            return unexpected(self, env, ex)
    event = {"lambdaFunctionFailedEventDetails": {"error": error, "cause": cause}}
    return FailureEvent(env, ErrorName(error), "LambdaFunctionFailed", event)
