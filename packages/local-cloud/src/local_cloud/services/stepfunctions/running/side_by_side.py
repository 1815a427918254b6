"""Branches and iterations: scopes of an execution that run side by side.

A scope's path names it: `()` is the machine, `(("Load", 2),)` the branch or iteration 2 of the state Load. The
journal has the path with every event, which is how a redrive knows what has ended and where each scope stood.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterable

from ..language.json_values import Json
from .life import Life, Stopped
from .scope import Scope

_HAVE_ABORTED_EVENTS = ("TaskStateEntered", "WaitStateEntered", "MapStateEntered", "ParallelStateEntered")
_LOOK = 0.25
"""Seconds between looks at whether all was stopped."""


def run_side_by_side(life: Life, count: int, *, at_once: int, run: Callable[[int], Json]) -> list[Json]:
    """Call `run(0)` … `run(count - 1)` on at most `at_once` threads; their results in order.

    The first exception ends the waiting and is raised; the rest is for the caller to abort. Raises Stopped when `life`
    is stopped.
    """
    results: list[Json] = [None] * count
    numbers = itertools.count()
    changed = threading.Condition()
    left = count
    failed: list[BaseException] = []

    def work() -> None:
        nonlocal left
        while not failed and life.is_running:
            with changed:
                number = next(numbers)
            if number >= count:
                return
            try:
                results[number] = run(number)
            except Exception as error:
                with changed:
                    failed.append(error)
                    changed.notify_all()
                return
            with changed:
                left -= 1
                if not left:
                    changed.notify_all()

    for number in range(min(count, at_once)):
        threading.Thread(target=work, name=f"scope-{number}", daemon=True).start()
    with changed:
        while left and not failed and life.is_running:
            changed.wait(_LOOK)
    if failed:
        raise failed[0]
    if left:
        raise Stopped
    return results


def abort(scopes: Iterable[Scope], *, event: Callable[[Scope], None] | None = None) -> None:
    """Stop scopes that still run, with the events AWS writes for them: the state's, then `event`'s."""
    for scope in scopes:
        if not scope.life.is_running:
            continue
        if scope.cursor.entered in _HAVE_ABORTED_EVENTS:
            scope.record(scope.cursor.entered.replace("Entered", "Aborted"))
        if event:
            event(scope)
        scope.life.stop(mute=True)
