"""A distributed Map: a map run, whose items are executions of their own.

https://docs.aws.amazon.com/step-functions/latest/dg/state-map-distributed.html. Child executions have no history
here; a map run shows their number, states, inputs and results.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field

from ..integrations.clients import Clients
from ..journal import Start
from ..language.errors import StateError
from ..language.json_values import Json, compact
from ..language.tree import Machine, Map
from ..model import now
from ..running.history import Cursor, History, HistoryFull
from ..running.life import Stopped
from ..running.progress import Path, Progress
from ..running.scope import Execution, Scope
from ..running.side_by_side import run_side_by_side
from ..running.values import number
from .batches import batches
from .items import item_input, set_item
from .readers import read_items
from .records import Child, MapRun
from .results import write_results

_NOTHING = object()


def run_distributed(scope: Scope, state: Map, *, data: Json, items: list[Json], at_once: int) -> Json:
    """The outputs of the children that succeeded, in the items' order, or where ResultWriter put them."""
    count = number(scope, state.tolerated_count, data)
    percentage = number(scope, state.tolerated_percentage, data, most=100)
    map_run = _new_run(scope, state, at_once=at_once, count=count or 0, percentage=percentage or 0)
    scope.execution.map_runs.append(map_run)
    started = scope.record("MapRunStarted", {"mapRunArn": map_run.arn})
    try:
        s3 = scope.execution.clients.of("s3", scope.execution.start)
        if state.reader:
            items = read_items(scope, state.reader, data, s3)
        selected = select_items(scope, state, data, items)
        inputs = batches(scope, state.batcher, data, selected)
        map_run.total, map_run.items = len(inputs), len(selected)
        children = scope.attempt()
        try:
            outputs = _Children(children, state, map_run, inputs, allowed=(count, percentage)).run()
        finally:
            scope.close(children)  # which stops those that still run
        map_run.results_written = len(outputs)
        result = write_results(scope, state.writer, data, map_run, s3) if state.writer else outputs
    except (Stopped, HistoryFull):
        map_run.end("ABORTED")
        raise
    except Exception as error:
        map_run.end("FAILED")
        failure = error if isinstance(error, StateError) else scope.unexpected(error)
        scope.record("MapRunFailed", {"error": failure.error, "cause": failure.cause})
        raise failure from None
    map_run.end("SUCCEEDED")
    scope.record("MapRunSucceeded")
    scope.record("MapStateSucceeded")
    scope.cursor.previous = started  # which MapStateExited follows on AWS, in recordings since November 2024
    return result


def _new_run(scope: Scope, state: Map, *, at_once: int, count: float, percentage: float) -> MapRun:
    label = state.label or str(uuid.uuid4())
    start = scope.execution.start
    return MapRun(
        arn=f"{start.machine_arn.replace(':stateMachine:', ':mapRun:')}/{label}:{uuid.uuid4()}",
        execution_arn=start.arn,
        machine_arn=f"{start.machine_arn}/{label}",
        at_once=at_once,
        tolerated_count=count,
        tolerated_percentage=percentage,
    )


def select_items(scope: Scope, state: Map, data: Json, items: list[Json]) -> list[Json]:
    """What ItemSelector makes of each item."""
    inner = scope.attempt()
    try:
        selected = []
        for index, item in enumerate(items):
            set_item(inner, index, item)
            selected.append(item_input(inner, state, data, item))
        return selected
    finally:
        scope.close(inner)


def is_too_many(failed: int, total: int, count: float | None, percentage: float | None) -> bool:
    """Whether more failed than ToleratedFailureCount or ToleratedFailurePercentage lets; without either, one did."""
    by_count = failed > (count or 0) if count is not None or percentage is None else False
    return by_count or (percentage is not None and failed * 100 > percentage * total)


def too_many_failed() -> StateError:
    message = "The specified tolerated failure threshold was exceeded"
    return StateError("States.ExceedToleratedFailureThreshold", message)


@dataclass
class ChildExecution:
    """The execution that a child is to the states in it. It writes no history and leaves only its output."""

    around: Execution
    start: Start
    history: History = field(default_factory=lambda: History(_drop, since=now(), last_id=1))
    progress: Progress = field(default_factory=Progress)
    map_runs: list[MapRun] = field(default_factory=list)

    @property
    def clients(self) -> Clients:
        return self.around.clients

    def child_done(self, path: Path, output: Json) -> None:
        """A child goes on nowhere: it is done again as a whole."""

    def evaluate(self, machine: Machine, scope: Scope, value: Json) -> Json:
        return self.around.evaluate(machine, scope, value)


def _drop(event: dict[str, Json], path: Path) -> None:
    """The history of a child is not kept."""


class _Children:
    """The child executions of one map run."""

    def __init__(
        self,
        scope: Scope,
        state: Map,
        map_run: MapRun,
        inputs: Sequence[Json],
        *,
        allowed: tuple[float | None, float | None],
    ) -> None:
        self._scope = scope
        self._state = state
        self._map_run = map_run
        self._inputs = inputs
        self._allowed = allowed
        self._failed = 0
        self._lock = threading.Lock()

    def run(self) -> list[Json]:
        """The outputs of those that succeeded. Raises StateError where more failed than may, and Stopped."""
        try:
            outputs = run_side_by_side(
                self._scope.life, len(self._inputs), at_once=self._map_run.at_once, run=self._run
            )
        except StateError:
            raise too_many_failed() from None
        return [output for output in outputs if output is not _NOTHING]

    def _run(self, index: int) -> Json:
        execution, step = self._scope.execution, (self._state.name, index)
        path = (*self._scope.cursor.path, step)
        if path in execution.progress.done:
            return execution.progress.done.pop(path)
        value = self._inputs[index]
        child = self._new_child(value)
        scope = self._child_scope(child, step, value)
        try:
            output = execution.evaluate(self._state.processor, scope, value)
        except StateError as error:
            child.end("FAILED", error=error.error, cause=error.cause)
            if self._is_too_many():
                raise
            return _NOTHING
        except Stopped:
            child.end("ABORTED")
            raise
        finally:
            self._scope.life.end(scope.life)
        child.end("SUCCEEDED", output=compact(output))
        execution.child_done(path, output)
        return output

    def _new_child(self, value: Json) -> Child:
        name = str(uuid.uuid4())
        arn = f"{self._map_run.machine_arn.replace(':stateMachine:', ':execution:')}:{name}"
        items = len(value["Items"]) if isinstance(value, dict) and isinstance(value.get("Items"), list) else 1
        child = Child(arn, name, compact(value), now(), items=items)
        self._map_run.add(child)
        return child

    def _child_scope(self, child: Child, step: tuple[str, int], value: Json) -> Scope:
        """A child has an execution's place of its own in the context object and in the history."""
        scope = self._scope.branch(step)
        scope.execution = ChildExecution(scope.execution, scope.execution.start)
        scope.cursor = Cursor(previous=1, last=1)
        scope.context["Execution"] = scope.context["Execution"] | {"Id": child.arn, "Name": child.name, "Input": value}
        return scope

    def _is_too_many(self) -> bool:
        """Count a failure."""
        with self._lock:
            self._failed += 1
            return is_too_many(self._failed, len(self._inputs), *self._allowed)
