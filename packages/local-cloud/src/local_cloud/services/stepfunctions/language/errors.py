"""How a state fails, and which rule of a Retry or Catch takes the error.

https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from .json_values import Json

RUNTIME = "States.Runtime"
TASK_FAILED = "States.TaskFailed"
TIMEOUT = "States.Timeout"
HEARTBEAT_TIMEOUT = "States.HeartbeatTimeout"
QUERY_EVALUATION = "States.QueryEvaluationError"
INTRINSIC = "States.IntrinsicFailure"

LONGEST = {"error": 256, "cause": 32_768}
"""Characters that AWS keeps (`SensitiveError`, `SensitiveCause` in the API's model)."""

_WITH_PLACE = (INTRINSIC, QUERY_EVALUATION, RUNTIME)


@dataclass(frozen=True)
class Event:
    """An event of the history, without number and time. `type` is that of GetExecutionHistory."""

    type: str
    details: Mapping[str, Json] = field(default_factory=dict)


class StateError(Exception):
    """A state failed. `event` is what the history gets of it, where the error has an event of its own.

    `missed_heartbeat` is of a States.Timeout, which is the error of a missed heartbeat in history and output;
    `is_callback` of what SendTaskFailure reported. One that `is_final` is past all rules.
    """

    def __init__(
        self,
        error: str | None,
        cause: str | None = None,
        *,
        event: Event | None = None,
        missed_heartbeat: bool = False,
        is_callback: bool = False,
        is_final: bool = False,
    ) -> None:
        super().__init__(error)
        self.error = error and error[: LONGEST["error"]]
        self.cause = cause and cause[: LONGEST["cause"]]
        self.event = event
        self.missed_heartbeat = missed_heartbeat
        self.is_callback = is_callback
        self.is_final = is_final

    @property
    def output(self) -> dict[str, Json]:
        """The error output, as a Catch gets it. What SendTaskFailure left out is null."""
        if self.is_callback:
            return {"Error": self.error, "Cause": self.cause}
        return {"Error": self.error or "", "Cause": self.cause or ""}


def has_match(names: Collection[str], error: StateError) -> bool:
    """Whether the names of an ErrorEquals take an error.

    States.ALL does not match States.Runtime, States.TaskFailed matches every other error but States.Timeout, and a
    missed heartbeat is matched by States.HeartbeatTimeout too. States.DataLimitExceeded is matched by States.ALL,
    whatever the page above says (recorded in LocalStack's `test_states_errors.snapshot.json`).
    """
    name = error.error
    if error.is_final:
        return False
    if name in names or (error.missed_heartbeat and HEARTBEAT_TIMEOUT in names):
        return True
    if name == RUNTIME:
        return False
    return "States.ALL" in names or (TASK_FAILED in names and name != TIMEOUT)


def cause_with_state(error: str, cause: str, *, state: str, entered: int) -> str:
    """Put the state into the cause of an error of the interpreter's own. `entered` is the id of its first event."""
    if error not in _WITH_PLACE:
        return cause
    return f"An error occurred while executing the state '{state}' (entered at the event id #{entered}). {cause}"
