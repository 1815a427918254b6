"""Every scope costs a thread that only waits, and an execution ends when its last thread does.

`asl/component/program/program.py:Program.eval` starts a thread and joins it, with the machine's TimeoutSeconds; the
event that ends the history is written by the inner thread, so an execution that timed out or was stopped waits for a
call that may take hours. `running.run.Run` ends an execution; a program is evaluated by the thread that is there. A
redriven program goes on from where its scope stood.
"""

from __future__ import annotations

import logging
from typing import Any

from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import FailureEventException
from moto.stepfunctions.parser.asl.component.program.program import Program

log = logging.getLogger("local_cloud.stepfunctions")


def apply() -> None:
    def eval(self: Any, env: Any) -> None:
        path = env.event_history_context.path
        name, input = env.progress.at.pop(path, (self.start_at.start_at_name, None))
        env.variable_store._inner_scope.update(env.progress.variables.pop(path, {}))
        if input is not None:
            env.states.reset(input_value=input)
        env.next_state_name = name
        try:
            while env.is_running():
                self._get_state(env.next_state_name).eval(env)
                env.stack.clear()
                env.heap.clear()
        except FailureEventException as error:
            env.set_error(error.get_execution_failed_event_details())
        except Exception as error:
            log.warning("%s failed in state %s", env.run.start.arn, env.next_state_name, exc_info=True)
            env.set_error({"error": "States.Runtime", "cause": str(error) or type(error).__name__})

    Program.eval = eval
