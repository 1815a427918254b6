"""Errors of the interpreter itself are reported as a Task's.

`asl/component/state/exec/execute_state.py:_eval_state` writes a TaskFailed event for an error that comes before the
Task is scheduled, as a path in Parameters that names nothing, and says nothing of the field it stands in. AWS writes
no event but ExecutionFailed, with the state, the event it was entered at, and the field in its cause. Here such errors
carry no event of their own.
"""

from __future__ import annotations

from typing import Any

#: The type of a failure that leaves no event of its own behind.
NO_EVENT = ""


def failure(env: Any, error: str, cause: str, *, event_type: str = NO_EVENT) -> Any:
    """What the interpreter raises to fail a state with an error of Step Functions' own (`States.…`) or any other."""
    from moto.stepfunctions.parser.asl.component.common.error_name.error_name import ErrorName
    from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import (
        FailureEvent,
        FailureEventException,
    )

    event = FailureEvent(
        env=env,
        error_name=ErrorName(error),
        event_type=event_type,
        event_details={"taskFailedEventDetails": {"error": error, "cause": cause}},
    )
    return FailureEventException(failure_event=event)


def apply() -> None:
    from moto.stepfunctions.parser.asl.component.common.catch.catch_outcome import CatchOutcome
    from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import FailureEventException
    from moto.stepfunctions.parser.asl.component.common.retry.retry_outcome import RetryOutcome
    from moto.stepfunctions.parser.asl.component.state.exec.execute_state import ExecutionState

    def _eval_state(self: Any, env: Any) -> None:
        env.states.context_object.context_object_data["State"]["RetryCount"] = 0
        while env.is_running():
            try:
                self._evaluate_with_timeout(env)
                return
            except Exception as error:
                event = self._from_error(env=env, ex=error)
            if event.event_type != NO_EVENT:
                env.event_manager.add_event(
                    context=env.event_history_context,
                    event_type=event.event_type,
                    event_details=event.event_details,
                )
            output = self._construct_error_output_value(failure_event=event)
            env.states.set_error_output(output)
            env.states.set_result(output)
            if self.retry and self._handle_retry(env=env, failure_event=event) == RetryOutcome.CanRetry:
                continue
            if self.catch:
                self._handle_catch(env=env, failure_event=event)
                if env.stack[-1] == CatchOutcome.Caught:
                    return
            raise FailureEventException(failure_event=event)

    ExecutionState._eval_state = _eval_state


def no_such_path(error: Any, field: str | None) -> str:
    """The cause of States.Runtime, for moto's NoSuchJsonPathError."""
    from moto.stepfunctions.parser.asl.utils.encoding import to_json_str

    return (
        f"The JSONPath '{error.json_path}' specified for the field '{field}' could not be found in the input"
        f" '{to_json_str(error.data, separators=(',', ':'))}'"
    )


def failure_of(env: Any, details: dict[str, Any]) -> Any:
    """What fails the state around a branch or iteration that failed with "error" and "cause"."""
    from moto.stepfunctions.parser.asl.component.common.error_name.error_name import ErrorName
    from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import (
        FailureEvent,
        FailureEventException,
    )

    event = FailureEvent(
        env=env,
        error_name=ErrorName(details.get("error")),
        event_type=NO_EVENT,
        event_details={"executionFailedEventDetails": details},
    )
    return FailureEventException(failure_event=event)
