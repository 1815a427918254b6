"""Runs one state on its own, for TestState."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from ..integrations.clients import Clients
from ..journal import Start
from ..language.errors import TIMEOUT, StateError
from ..language.json_values import Json
from ..language.tree import Machine, Retriable, State
from ..maps.records import MapRun
from ..model import now
from ..times import iso
from .attempts import within
from .history import Cursor, History
from .life import Life
from .machine import STATES
from .progress import Path, Progress
from .scope import Done, Scope
from .trial import Trial, WouldRetry

_LONGEST = 300.0
"""Seconds (https://docs.aws.amazon.com/step-functions/latest/apireference/API_TestState.html)."""


@dataclass(frozen=True)
class Result:
    """What a state came to: SUCCEEDED, FAILED, RETRIABLE or CAUGHT_ERROR. `done` where it goes on."""

    status: str
    done: Done | None = None
    error: StateError | None = None


@dataclass
class _Execution:
    """The execution that a test is to its state. It has no history."""

    start: Start
    clients: Clients
    history: History = field(default_factory=lambda: History(_drop, since=now()))
    progress: Progress = field(default_factory=Progress)
    map_runs: list[MapRun] = field(default_factory=list)

    def child_done(self, path: Path, output: Json) -> None:
        raise AssertionError("a test has no branches")

    def evaluate(self, machine: Machine, scope: Scope, value: Json) -> Json:
        raise AssertionError("a test has no branches")


def run_state(
    state: State, start: Start, clients: Clients, trial: Trial, variables: dict[str, Json], *, name: str
) -> Result:
    """Run a state with the input in `start`; `name` is what its context object calls it.

    `variables` have what the state assigned then, too. Raises BadTrial.
    """
    scope = Scope(
        execution=_Execution(start, clients),
        life=Life(),
        cursor=Cursor(),
        context={},
        variables=variables,
        trial=trial,
    )
    scope.enter(state, json.loads(start.input))
    scope.context = _context(start, state, trial, name) if trial.context is None else trial.context
    try:
        done: Done = within(scope, _LONGEST, lambda inner: STATES[type(state)](inner, state))
        scope.leave(done)
    except WouldRetry:
        return Result("RETRIABLE", error=trial.error)
    except TimeoutError:
        return Result("FAILED", error=StateError(TIMEOUT))
    except StateError as error:
        return Result("FAILED", error=error)
    return Result("CAUGHT_ERROR" if trial.error else "SUCCEEDED", done, trial.error)


def _context(start: Start, state: State, trial: Trial, name: str) -> dict[str, Json]:
    current = {"Name": name, "EnteredTime": iso(start.started)}
    return {
        "Execution": {
            "Id": start.arn,
            "Input": json.loads(start.input),
            "Name": start.name,
            "RoleArn": start.revision.role_arn or None,
            "StartTime": iso(start.started),
        },
        "StateMachine": {"Id": start.machine_arn, "Name": start.machine_name},
        "State": current | {"RetryCount": trial.retries} if isinstance(state, Retriable) else current,
    }


def _drop(event: dict[str, Json], path: Path) -> None:
    """There is no history."""
