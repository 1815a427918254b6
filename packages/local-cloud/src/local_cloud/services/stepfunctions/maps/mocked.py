"""A Map that is tested on its own: everything but its iterations, for which a mock stands."""

from __future__ import annotations

from ..language.json_values import Json
from ..language.tree import Map
from ..running.scope import Scope
from ..running.trial import BadTrial, Trial
from ..running.values import number
from .batches import batches
from .distributed import is_too_many, select_items, too_many_failed
from .readers import read_items


def run_mocked(scope: Scope, trial: Trial, *, state: Map, data: Json, items: list[Json] | None) -> Json:
    """The mocked result. `items` are None where a reader would read them.

    Raises StateError, also where more iterations failed than the state tolerates, and BadTrial where more did than
    there are.
    """
    assert trial.mock
    count = number(scope, state.tolerated_count, data)
    percentage = number(scope, state.tolerated_percentage, data, most=100)
    if count is not None:
        scope.note("toleratedFailureCount", count)
    if percentage is not None:
        scope.note("toleratedFailurePercentage", float(percentage))
    if items is None and state.reader and trial.source is not None:
        items = read_items(scope, state.reader, data, None, given=trial.source)
        if state.reader.config.get("ItemsPointer"):
            scope.note("afterItemsPointer", items)
    if items is not None:
        _make_inputs(scope, trial, state=state, data=data, items=items)
    has_limit = count is not None or percentage is not None
    if has_limit and is_too_many(trial.failed_iterations, len(items or ()), count, percentage):
        raise too_many_failed()
    return trial.mock()


def _make_inputs(scope: Scope, trial: Trial, *, state: Map, data: Json, items: list[Json]) -> None:
    if trial.failed_iterations > len(items):
        raise BadTrial("Map iteration failure count must be less than or equal to the number of Map iterations")
    selected = select_items(scope, state, data, items)
    if state.selector is not None:
        scope.note("afterItemSelector", selected)
    if state.batcher is not None:
        scope.note("afterItemBatcher", batches(scope, state.batcher, data, selected))
