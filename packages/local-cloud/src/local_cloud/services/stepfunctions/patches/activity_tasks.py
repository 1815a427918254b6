"""Tasks of activities wait where no stop reaches them, and there is no GetActivityTask to start them.

`asl/component/state/exec/state_task/state_task_activitiy.py:_eval_execution` waits on events that only moto's missing
operation sets, for up to three years. Tasks wait on a token here (`running.tokens`), like callback Tasks; their
TimeoutSeconds and HeartbeatSeconds count from the moment a worker takes the task
(https://docs.aws.amazon.com/step-functions/latest/dg/state-task.html).
"""

from __future__ import annotations

import json
from typing import Any

from moto.stepfunctions.parser.asl.component.common.error_name.error_name import ErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import FailureEvent, FailureEventException
from moto.stepfunctions.parser.asl.component.state.exec.state_task.state_task_activitiy import StateTaskActivity

from ..running.tokens import TOKENS, HeartbeatMissed, TaskFailure
from .error_matching import MissedHeartbeat
from .failing_states import unexpected


def apply() -> None:
    def _eval_execution(self: Any, env: Any) -> None:
        input = self._eval_parameters(env=env)
        text = input if isinstance(input, str) else json.dumps(input, separators=(",", ":"))
        heartbeat = _seconds(self.heartbeat, env) if self.heartbeat else None
        timeout = None if self.timeout.is_default_value() else _seconds(self.timeout, env)
        scheduled = {"resource": self.resource.resource_arn, "input": text, "inputDetails": {"truncated": False}}
        if timeout is not None:
            scheduled["timeoutInSeconds"] = timeout
        if heartbeat is not None:
            scheduled["heartbeatInSeconds"] = heartbeat
        token = TOKENS.issue(env)
        try:
            _event(env, "ActivityScheduled", "activityScheduledEventDetails", scheduled)
            TOKENS.offer(self.resource.resource_arn, token, text)
            token.wait_for_start(env)
            worker = {"workerName": token.worker} if token.worker else {}
            _event(env, "ActivityStarted", "activityStartedEventDetails", worker)
            output = token.wait(env, heartbeat=heartbeat, seconds=timeout)
        finally:
            TOKENS.withdraw(token)
        env.stack.append(output)
        succeeded = {"output": json.dumps(output, separators=(",", ":")), "outputDetails": {"truncated": False}}
        _event(env, "ActivitySucceeded", "activitySucceededEventDetails", succeeded)

    def _from_error(self: Any, env: Any, ex: Exception) -> Any:
        match ex:
            case FailureEventException():
                return ex.failure_event
            case TimeoutError():
                name = MissedHeartbeat() if isinstance(ex, HeartbeatMissed) else ErrorName("States.Timeout")
                details = {"activityTimedOutEventDetails": {"error": name.error_name}}
                return FailureEvent(env, name, "ActivityTimedOut", details)
            case TaskFailure():
                details = {"activityFailedEventDetails": {"error": ex.error, "cause": ex.cause}}
                return FailureEvent(env, ErrorName(ex.error), "ActivityFailed", details)
        return unexpected(self, env, ex)

    StateTaskActivity._eval_execution = _eval_execution
    StateTaskActivity._from_error = _from_error
    StateTaskActivity.times_itself = True


def _seconds(part: Any, env: Any) -> Any:
    part.eval(env=env)
    return env.stack.pop()


def _event(env: Any, event_type: str, member: str, details: dict[str, Any]) -> None:
    if env.is_running():
        env.event_manager.add_event(env.event_history_context, event_type, {member: details})
