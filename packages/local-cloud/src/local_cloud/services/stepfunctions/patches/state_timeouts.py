"""A Task that timed out goes on writing history; every state costs a thread; a heartbeat means a timeout of 60 s.

`asl/component/state/exec/execute_state.py`: `_evaluate_with_timeout` leaves the thread of a Task that timed out alone
with the history, and starts one for states that have no timeout too; `from_state_props` gives a Task with
HeartbeatSeconds and no TimeoutSeconds one minute, where AWS gives it the default, 99999999 s.
"""

from __future__ import annotations

import copy
import threading
from typing import Any

from moto.stepfunctions.parser.asl.component.common.timeouts.timeout import EvalTimeoutError, TimeoutSeconds
from moto.stepfunctions.parser.asl.component.state.exec.execute_state import ExecutionState
from moto.stepfunctions.parser.asl.utils.json_path import NoSuchJsonPathError

from .failing_states import failure, no_such_path


def apply() -> None:
    from_state_props = ExecutionState.from_state_props

    def with_default_timeout(self: Any, state_props: Any) -> None:
        from_state_props(self, state_props)
        if self.timeout.is_default_value():
            self.timeout = TimeoutSeconds(TimeoutSeconds.DEFAULT_TIMEOUT_SECONDS)

    ExecutionState.from_state_props = with_default_timeout
    ExecutionState._evaluate_with_timeout = _evaluate_with_timeout
    ExecutionState.times_itself = False


def _evaluate_with_timeout(self: Any, env: Any) -> None:
    from ..running.scopes import Stopped

    frame = env.open_frame()
    frame.states.reset(input_value=env.states.get_input())
    frame.stack = copy.deepcopy(env.stack)
    try:
        if self.timeout.is_default_value() or self.times_itself:
            _execute(self, frame)
        else:
            self.timeout.eval(env=frame)
            _execute_within(self, frame, seconds=frame.stack.pop())
    except Stopped:
        return
    finally:
        frame.set_ended()
        env.close_frame(frame)
    if env.is_running():
        try:
            _give_out(self, env, frame.stack[-1])
        except NoSuchJsonPathError as error:
            raise failure(env, "States.Runtime", no_such_path(error, env.next_field_name)) from None


def _execute(state: Any, frame: Any) -> None:
    try:
        state._eval_execution(frame)
    except NoSuchJsonPathError as error:
        raise failure(frame, "States.Runtime", no_such_path(error, frame.next_field_name)) from None


def _execute_within(state: Any, frame: Any, *, seconds: float) -> None:
    from ..running.scopes import mute

    done = threading.Event()
    raised: list[BaseException] = []

    def execute() -> None:
        try:
            _execute(state, frame)
        except Exception as error:
            raised.append(error)
        done.set()

    threading.Thread(target=execute, name=f"timed-{state.name}", daemon=True).start()
    if not done.wait(seconds):
        mute(frame)
        raise EvalTimeoutError
    if raised:
        raise raised[0]


def _give_out(state: Any, env: Any, output: Any) -> None:
    """The state's result to Assign, ResultSelector and ResultPath, in moto's order."""
    env.stack.append(output)
    if not state._is_language_query_jsonpath():
        env.states.set_result(output)
    for part in (state.assign_decl, state.result_selector):
        if part:
            part.eval(env=env)
    if state.result_path:
        state.result_path.eval(env)
    else:
        env.states.reset(input_value=env.stack.pop())
