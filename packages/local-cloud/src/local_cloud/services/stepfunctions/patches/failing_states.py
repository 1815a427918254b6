"""States that fail: which events AWS writes, what the cause says, and when a Catch sees it.

`asl/component/state/exec/execute_state.py`, `…/state_parallel/state_parallel.py` and `…/state_map/state_map.py` have a
loop of attempts each: they write a TaskFailed event for errors that come before a Task is scheduled, as for a path
in Parameters that names nothing; ParallelStateFailed and MapStateFailed also for errors that end the execution at
once; no TaskStateAborted for the Task that ends its branch; and they evaluate a Parallel state's Arguments outside of
its Retry and Catch. Causes name the event before the error and not the one the state was entered at
(`asl/component/common/error_name/failure_event.py`), once more at every level of nesting, and not at all where a Catch
gets them. There is one loop here.

Events and causes: read off us-east-1 by `AslExecutorBranchHistoryEventsTest` of https://github.com/floci-io/floci.
"""

from __future__ import annotations

import logging
from typing import Any

log = logging.getLogger("local_cloud.stepfunctions")

#: The type of a failure that leaves no event of its own behind.
NO_EVENT = ""

_RUNTIME = "States.Runtime"
_SAY_WHERE = {"States.IntrinsicFailure", "States.QueryEvaluationError", _RUNTIME}
_PREFIX = "An error occurred while executing the state '"


def failure(env: Any, error: str, cause: str) -> Any:
    """What the interpreter raises to fail a state with an error of Step Functions' own (`States.…`) or any other."""
    return _exception(env, {"error": error, "cause": cause})


def failure_of(env: Any, details: dict[str, Any]) -> Any:
    """What fails the state around a branch or iteration that failed with "error" and "cause"."""
    raised = _exception(env, details)
    raised.failure_event.is_told = True
    return raised


def _exception(env: Any, details: dict[str, Any]) -> Any:
    from moto.stepfunctions.parser.asl.component.common.error_name.error_name import ErrorName
    from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import (
        FailureEvent,
        FailureEventException,
    )

    event = FailureEvent(
        env=env,
        error_name=ErrorName(details.get("error")),
        event_type=NO_EVENT,
        event_details={"executionFailedEventDetails": dict(details)},
    )
    return FailureEventException(failure_event=event)


def no_such_path(error: Any, field: str | None) -> str:
    """The cause of States.Runtime, for moto's NoSuchJsonPathError."""
    from moto.stepfunctions.parser.asl.utils.encoding import to_json_str

    return (
        f"The JSONPath '{error.json_path}' specified for the field '{field}' could not be found in the input"
        f" '{to_json_str(error.data, separators=(',', ':'))}'"
    )


def said_where(cause: str | None, error: str | None, *, state: str, entered: int) -> str | None:
    """The cause with the state in front, for an error of the interpreter's own."""
    if not cause or error not in _SAY_WHERE:
        return cause
    return f"{_PREFIX}{state}' (entered at the event id #{entered}). {cause}"


def apply() -> None:
    from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import (
        FailureEvent,
        FailureEventException,
    )
    from moto.stepfunctions.parser.asl.component.state.exec.execute_state import ExecutionState
    from moto.stepfunctions.parser.asl.component.state.exec.state_map.state_map import StateMap
    from moto.stepfunctions.parser.asl.component.state.exec.state_parallel.state_parallel import StateParallel
    from moto.stepfunctions.parser.asl.component.state.fail.state_fail import StateFail

    init = FailureEvent.__init__

    def __init__(self: Any, env: Any, *args: Any, **kwargs: Any) -> None:
        init(self, env, *args, **kwargs)
        self.source_event_id = getattr(env.event_history_context, "entered_id", 0)

    def get_execution_failed_event_details(self: Any) -> dict[str, str] | None:
        _say_where(self.failure_event)
        found = self.extract_error_cause_pair()
        if found is None:
            return None
        return {name: text for name, text in zip(("error", "cause"), found, strict=True) if text}

    fail = StateFail._eval_state

    def fail_as_told(self: Any, env: Any) -> None:
        try:
            fail(self, env)
        except FailureEventException as error:
            error.failure_event.is_told = True
            raise

    StateFail._eval_state = fail_as_told
    FailureEvent.is_told = False
    FailureEvent.__init__ = __init__
    FailureEventException.get_execution_failed_event_details = get_execution_failed_event_details
    ExecutionState._from_error = unexpected
    ExecutionState._eval_state = _eval_state
    for state, event_type in ((StateMap, "MapStateFailed"), (StateParallel, "ParallelStateFailed")):
        state._eval_state = _eval_state
        state.failed_event_type = event_type


def _eval_state(self: Any, env: Any) -> None:
    from moto.stepfunctions.parser.asl.component.common.catch.catch_outcome import CatchOutcome
    from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import FailureEventException
    from moto.stepfunctions.parser.asl.component.common.retry.retry_outcome import RetryOutcome

    env.states.context_object.context_object_data["State"]["RetryCount"] = 0
    while env.is_running():
        try:
            self._evaluate_with_timeout(env)
            return
        except Exception as error:
            event = self._from_error(env=env, ex=error)
        env.variable_store.drop_assigned()
        if event.event_type != NO_EVENT:
            _add_event(env, event.event_type, event.event_details)
        _say_where(event)
        output = self._construct_error_output_value(failure_event=event)
        env.states.set_error_output(output)
        env.states.set_result(output)
        if self.retry and self._handle_retry(env=env, failure_event=event) == RetryOutcome.CanRetry:
            continue
        if output["Error"] != _RUNTIME and hasattr(self, "failed_event_type"):
            _add_event(env, self.failed_event_type)
        if self.catch:
            self._handle_catch(env=env, failure_event=event)
            if env.stack[-1] == CatchOutcome.Caught:
                return
        if event.event_type != NO_EVENT and env.event_history_context.path:
            _add_event(env, "TaskStateAborted", update_source_event_id=False)
            env.event_history_context.entered = ""
        raise FailureEventException(failure_event=event)


def _add_event(env: Any, event_type: str, details: Any = None, **kwargs: Any) -> None:
    env.event_manager.add_event(env.event_history_context, event_type, details, **kwargs)


def unexpected(self: Any, env: Any, ex: Exception) -> Any:
    """The failure event for an error nobody thought of."""
    from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import FailureEventException

    if isinstance(ex, FailureEventException):
        return ex.failure_event
    log.warning("%s failed in state %s", env.run.start.arn, self.name, exc_info=ex)
    return failure(env, _RUNTIME, str(ex) or type(ex).__name__).failure_event


def _say_where(event: Any) -> None:
    """Put the state into the cause of a moto FailureEvent, once."""
    if event.is_told:
        return
    event.is_told = True
    for details in (event.event_details or {}).values():
        cause = said_where(
            details.get("cause"), details.get("error"), state=event.state_name, entered=event.source_event_id
        )
        if cause:
            details["cause"] = cause
