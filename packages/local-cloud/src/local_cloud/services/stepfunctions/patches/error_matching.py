"""States.ALL catches what nobody can catch; States.TaskFailed misses most errors; errors named `States.…` get lost.

`asl/component/common/error_name/error_equals_decl.py`: States.ALL does not match States.Runtime, States.TaskFailed
matches every other error but States.Timeout, and a missed heartbeat, which is called States.Timeout in history and
output, is matched by States.HeartbeatTimeout too
(https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html). States.DataLimitExceeded is
matched by States.ALL, whatever that page says (recorded in LocalStack's `test_states_errors.snapshot.json`).
`custom_error_name.py` refuses names that begin with `States.`, so the States.TaskFailed of a job in a branch came out
of its Parallel state as a States.Runtime about the name.
"""

from __future__ import annotations

from typing import Any

from moto.stepfunctions.parser.asl.component.common.error_name.custom_error_name import CustomErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.error_equals_decl import ErrorEqualsDecl
from moto.stepfunctions.parser.asl.component.common.error_name.error_name import ErrorName


class MissedHeartbeat(ErrorName):  # type: ignore[misc]
    def __init__(self) -> None:
        super().__init__("States.Timeout")


def matches(rules: list[str], error: Any) -> bool:
    """Whether the names of an ErrorEquals take `error`, moto's ErrorName or None."""
    name = error.error_name if error else None
    if name in rules or (isinstance(error, MissedHeartbeat) and "States.HeartbeatTimeout" in rules):
        return True
    if name == "States.Runtime":
        return False
    return "States.ALL" in rules or ("States.TaskFailed" in rules and name != "States.Timeout")


def apply() -> None:
    def _eval_body(self: Any, env: Any) -> None:
        env.stack.append(matches([rule.error_name for rule in self.error_names], env.stack.pop()))

    CustomErrorName.__init__ = ErrorName.__init__
    ErrorEqualsDecl._eval_body = _eval_body
