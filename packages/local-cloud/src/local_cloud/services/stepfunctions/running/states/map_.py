"""Map: the same for each item, in the execution itself or in executions of their own."""

from __future__ import annotations

from functools import partial

from ...language.errors import RUNTIME
from ...language.json_values import Json, compact
from ...language.tree import Map
from ...maps.distributed import run_distributed
from ...maps.inline import run_inline
from ...maps.mocked import run_mocked
from ..attempts import attempt
from ..flow import effective_input
from ..scope import Done, Scope
from ..values import field_value, fill, number, query_failure

INLINE_AT_ONCE = 40
"""Iterations AWS runs at once (https://docs.aws.amazon.com/step-functions/latest/dg/state-map-inline.html)."""
DISTRIBUTED_AT_ONCE = 64
"""Child executions at once where a distributed Map sets no limit; AWS runs 10,000."""
_MOST_DISTRIBUTED = 1000


def run_map(scope: Scope, state: Map) -> Done:
    data = effective_input(scope)
    return attempt(scope, state, partial(_run_items, state=state, data=data))


def _run_items(scope: Scope, *, state: Map, data: Json) -> Json:
    """One attempt. Raises StateError and Stopped."""
    wanted = int(number(scope, state.max_concurrency, data) or 0)
    items = None if state.is_distributed and state.reader else _items(scope, state, data)
    scope.note("maxConcurrency", wanted)
    if scope.trial:
        return run_mocked(scope, scope.trial, state=state, data=data, items=items)
    scope.record("MapStateStarted", {"length": len(items or ())})
    run = run_distributed if state.is_distributed else run_inline
    return run(scope, state, data=data, items=items or [], at_once=_at_once(state, wanted))


def _at_once(state: Map, wanted: int) -> int:
    limit = DISTRIBUTED_AT_ONCE if state.is_distributed else INLINE_AT_ONCE
    return min(wanted or limit, _MOST_DISTRIBUTED if state.is_distributed else limit)


def _items(scope: Scope, state: Map, data: Json) -> list[Json]:
    if state.is_jsonata:
        items = fill(scope, state.items, data, kind="array") if state.items else data
    else:
        items = field_value(scope, "ItemsPath", state.items_path, data)
    if isinstance(items, list):
        if not state.is_jsonata:
            scope.note("afterItemsPath", items)
        return items
    if state.is_distributed and isinstance(items, dict):
        return [{"Key": key, "Value": value} for key, value in items.items()]
    if state.is_jsonata:
        raise query_failure(scope, f"Map state input must be an array but was: {compact(items)}")
    path = state.items_path.replace("$$", "$", 1)  # as AWS shows a path on the context object
    raise scope.failure(RUNTIME, f'Reference path "{path}" must point to array.')
