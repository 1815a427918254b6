"""An inline Map: its iterations are part of the execution that the state is in."""

from __future__ import annotations

from functools import partial

from ..language.errors import RUNTIME, StateError
from ..language.json_values import Json
from ..language.tree import Map
from ..running.scope import Scope
from ..running.side_by_side import abort, run_side_by_side
from .items import item_input, set_item


def run_inline(scope: Scope, state: Map, *, data: Json, items: list[Json], at_once: int) -> list[Json]:
    """The outputs of all iterations, in the items' order. The first failure fails the state and stops the rest."""
    execution = scope.execution
    running: dict[int, Scope] = {}

    def run(index: int) -> Json:
        step = (state.name, index)
        path = (*scope.cursor.path, step)
        if path in execution.progress.done:
            return execution.progress.done.pop(path)
        iteration = running[index] = scope.branch(step)
        try:
            iteration.record("MapIterationStarted", _details(state, index))
            output = _iterate(iteration, state, data=data, items=items, index=index)
            iteration.record("MapIterationSucceeded", _details(state, index), is_followed=False)
            execution.child_done(path, output)
        finally:
            running.pop(index)
            scope.close(iteration)
        return output

    try:
        outputs = run_side_by_side(scope.life, len(items), at_once=at_once, run=run)
    except StateError:
        for index in sorted(running):
            if iteration := running.get(index):
                abort([iteration], event=partial(_record_abort, state=state, index=index))
        raise
    scope.cursor.previous = scope.cursor.last  # an iteration follows no other's last event, the state's end does
    scope.record("MapStateSucceeded", is_followed=False)
    return outputs


def _iterate(scope: Scope, state: Map, *, data: Json, items: list[Json], index: int) -> Json:
    set_item(scope, index, items[index])
    value = None
    if scope.cursor.path not in scope.execution.progress.at:
        value = item_input(scope, state, data, items[index])
    try:
        return scope.execution.evaluate(state.processor, scope, value)
    except StateError as error:
        if error.error != RUNTIME:  # which ends the execution without more ado
            scope.record("MapIterationFailed", _details(state, index), is_followed=False)
        raise


def _record_abort(scope: Scope, *, state: Map, index: int) -> None:
    scope.record("MapIterationAborted", _details(state, index), is_followed=False)


def _details(state: Map, index: int) -> dict[str, Json]:
    return {"name": state.name, "index": index}
