"""A Task of an activity: it waits on a token, which GetActivityTask gives to a worker.

TimeoutSeconds and HeartbeatSeconds count from the moment a worker takes the task
(https://docs.aws.amazon.com/step-functions/latest/dg/state-task.html).
"""

from __future__ import annotations

from ...language.errors import RUNTIME, TIMEOUT, Event, StateError
from ...language.json_values import Json, compact
from ...language.tree import Task
from ..flow import arguments
from ..scope import Scope
from ..tokens import TOKENS, HeartbeatMissed, TaskFailure
from ..values import number


def run_activity(scope: Scope, *, state: Task, data: Json) -> Json:
    """One attempt. Raises StateError and Stopped."""
    input = arguments(scope, state, data)
    text = input if isinstance(input, str) else compact(input)
    heartbeat = number(scope, state.heartbeat, data, least=1)
    timeout = number(scope, state.timeout, data, least=1)
    if scope.trial and scope.trial.mock:
        return scope.trial.mock()
    if not scope.execution.clients.has_activity(state.resource):
        raise scope.failure(RUNTIME, f"The activity {state.resource} does not exist.")
    scheduled = {
        "resource": state.resource,
        "input": text,
        "inputDetails": {"truncated": False},
        "timeoutInSeconds": timeout,
        "heartbeatInSeconds": heartbeat,
    }
    token = TOKENS.issue(scope.execution.start.arn, lambda: scope.life.is_running)
    try:
        scope.record("ActivityScheduled", scheduled)
        TOKENS.offer(state.resource, token, text)
        token.wait_for_start()
        scope.life.check()
        scope.record("ActivityStarted", {"workerName": token.worker or None})
        output = token.wait(heartbeat=heartbeat, seconds=timeout)
    except TimeoutError as error:
        event = Event("ActivityTimedOut", {"error": TIMEOUT})
        raise StateError(TIMEOUT, event=event, missed_heartbeat=isinstance(error, HeartbeatMissed)) from None
    except TaskFailure as error:
        event = Event("ActivityFailed", {"error": error.error, "cause": error.cause})
        raise StateError(error.error, error.cause, event=event) from None
    finally:
        TOKENS.withdraw(token)
    scope.life.check()
    scope.record("ActivitySucceeded", {"output": compact(output), "outputDetails": {"truncated": False}})
    return output
