"""What a state sees while it runs: its input, the variables, the context object, its place in the history."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

from ..integrations.clients import Clients
from ..journal import Start
from ..language.errors import RUNTIME, Event, StateError, cause_with_state
from ..language.json_values import Json, compact
from ..language.tree import Machine, State
from ..maps.records import MapRun
from ..model import now
from ..times import iso
from .history import Cursor, History
from .life import Life
from .progress import Path, Progress
from .trial import Trial

log = logging.getLogger("local_cloud.stepfunctions")

_LONGEST_DATA = 256 * 1024
"""Bytes that a state's output may have (https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html)."""


class Execution(Protocol):
    """What the scopes of one execution share."""

    @property
    def start(self) -> Start: ...

    @property
    def history(self) -> History: ...

    @property
    def progress(self) -> Progress: ...

    @property
    def map_runs(self) -> list[MapRun]: ...

    @property
    def clients(self) -> Clients: ...

    def child_done(self, path: Path, output: Json) -> None:
        """A branch or iteration came to its end."""

    def evaluate(self, machine: Machine, scope: Scope, value: Json) -> Json:
        """Run a machine in a scope. Raises StateError, Stopped and HistoryFull."""


@dataclass(frozen=True)
class Done:
    """What a state came to. `next` is None at the end of the machine."""

    output: Json
    next: str | None
    assigned: Mapping[str, Json] = field(default_factory=dict)


@dataclass(kw_only=True)
class Scope:
    """Of the machine, a branch, an iteration, or of one attempt at a state in one of these."""

    execution: Execution
    life: Life
    cursor: Cursor
    context: dict[str, Json]
    """The context object, `$$`."""
    variables: dict[str, Json]
    state: State = field(init=False)
    input: Json = None
    """The current state's, before its InputPath."""
    trial: Trial | None = None
    """Of a state that is tested on its own."""
    written: tuple[Json, str] = (None, "null")
    """The latest output with its text, which the next state's input has too; at the beginning the input as it came."""

    def branch(self, step: tuple[str, int]) -> Scope:
        """Begin a scope under this one, with variables of its own and its own place in the history."""
        scope = Scope(
            execution=self.execution,
            life=self.life.begin_below(),
            cursor=self.cursor.branch(step),
            context=dict(self.context),
            variables=dict(self.variables),
            input=self.input,
            written=self.written,
        )
        scope.state = self.state
        return scope

    def attempt(self) -> Scope:
        """Begin an attempt at the current state; it can be stopped alone."""
        scope = replace(self, life=self.life.begin_below(), context=dict(self.context))
        scope.state = self.state
        return scope

    def close(self, ended: Scope) -> None:
        """End a scope that was begun under this one."""
        self.life.end(ended.life)
        if ended.cursor is not self.cursor:
            self.execution.history.join(self.cursor, ended.cursor)

    def record(self, event_type: str, details: Mapping[str, Json] | None = None, *, is_followed: bool = True) -> int:
        """Write an event. Returns its number; see `History.add`."""
        event = Event(event_type, details or {})
        return self.execution.history.add(self.cursor, event, life=self.life, is_followed=is_followed)

    def note(self, name: str, value: Json) -> None:
        """Keep what data has become on its way through a state that is tested on its own."""
        if self.trial:
            self.trial.notes[name] = value

    def failure(self, error: str, cause: str) -> StateError:
        """Make what fails the current state with an error of Step Functions' own."""
        if self.trial:
            return StateError(error, cause)
        return StateError(error, cause_with_state(error, cause, state=self.state.name, entered=self.cursor.entered_id))

    def unexpected(self, error: Exception) -> StateError:
        """Make what fails the current state for an error that nobody thought of."""
        log.warning("%s failed in state %s", self.execution.start.arn, self.state.name, exc_info=error)
        return self.failure(RUNTIME, str(error) or type(error).__name__)

    def resume(self, machine: Machine, value: Json) -> tuple[str, Json]:
        """The state to begin with and its input: the first, or where a redrive goes on."""
        progress, path = self.execution.progress, self.cursor.path
        self.variables.update(progress.variables.pop(path, {}))
        return progress.at.pop(path, (machine.start_at, value))

    def enter(self, state: State, value: Json) -> None:
        self.state, self.input = state, value
        self.record(
            f"{state.kind}StateEntered",
            {"name": state.name, "input": self._text(value), "inputDetails": {"truncated": False}},
        )
        self.context["State"] = {"EnteredTime": iso(now()), "Name": state.name}

    def leave(self, done: Done) -> None:
        """Raises StateError where the output is larger than AWS takes."""
        text = self._text(done.output)
        if len(text) * 4 >= _LONGEST_DATA and len(text.encode()) >= _LONGEST_DATA:
            raise StateError("States.DataLimitExceeded", too_large(self.state.name))
        details = {"name": self.state.name, "output": text, "outputDetails": {"truncated": False}}
        if done.assigned:
            self.variables.update(done.assigned)
            details["assignedVariables"] = {name: compact(value) for name, value in sorted(done.assigned.items())}
            details["assignedVariablesDetails"] = {"truncated": False}
        self.record(f"{self.state.kind}StateExited", details)

    def _text(self, value: Json) -> str:
        if value is not self.written[0]:
            self.written = value, compact(value)
        return self.written[1]


def too_large(name: str) -> str:
    """The cause of States.DataLimitExceeded."""
    return f"The state/task '{name}' returned a result with a size exceeding the maximum number of bytes service limit."


def is_too_large(value: Json) -> bool:
    return len(compact(value).encode()) >= _LONGEST_DATA
