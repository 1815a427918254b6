"""Branches and iterations: scopes of an execution that run side by side.

A scope's path names it: `()` is the machine, `(("Load", 2),)` the branch or iteration 2 of the state Load. The
journal has the path with every event, which is how a redrive knows what has ended and where each scope stood.
"""

from __future__ import annotations

import datetime
import itertools
import threading
from collections.abc import Callable, Sequence
from typing import Any

from moto.stepfunctions.parser.asl.eval.program_state import ProgramEnded, ProgramError

from .recorder import Muted

Scope = Any
"""moto's Environment of one branch or iteration."""


class Stopped(Exception):
    """The scope was stopped from outside; there is nothing to report."""


def open_scope(env: Any, step: tuple[str, int]) -> Scope:
    """A scope under `env`, with variables of its own and its own place in the history."""
    scope = env.open_inner_frame()
    scope.event_history_context.path = (*env.event_history_context.path, step)
    return scope


def outcome(scope: Scope) -> Any:
    """What a scope came to: its output. Raises Stopped, or ScopeFailed with the error and cause."""
    state = scope.program_state()
    if isinstance(state, ProgramEnded):
        return scope.states.get_input()
    if isinstance(state, ProgramError):
        raise ScopeFailed(dict(state.error or {}))
    raise Stopped


class ScopeFailed(Exception):
    """A scope ended in an error; `details` has "error" and "cause", either of which may be missing."""

    def __init__(self, details: dict[str, Any]) -> None:
        super().__init__(details.get("error"))
        self.details = details


def run_side_by_side(env: Any, count: int, *, at_once: int, run: Callable[[int], Any]) -> list[Any]:
    """`run(0)` … `run(count - 1)` on at most `at_once` threads; their results in order.

    The first exception ends the waiting and is raised; the rest is for the caller to abort. Raises Stopped when `env`
    is stopped.
    """
    results: list[Any] = [None] * count
    numbers = itertools.count()
    changed = threading.Condition()
    left = count
    failed: list[BaseException] = []

    def work() -> None:
        nonlocal left
        while not failed and env.is_running():
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
        while left and not failed and env.is_running():
            changed.wait(0.25)
    if failed:
        raise failed[0]
    if left:
        raise Stopped
    return results


def abort(scopes: Sequence[Scope], *, event: Callable[[Scope], None] | None = None) -> None:
    """Stop scopes that still run, with the events AWS writes for them: the state's, then `event`'s."""
    for scope in scopes:
        if not scope.is_running():
            continue
        entered = getattr(scope.event_history_context, "entered", "")
        if entered in ("TaskStateEntered", "WaitStateEntered", "MapStateEntered", "ParallelStateEntered"):
            scope.event_manager.add_event(scope.event_history_context, entered.replace("Entered", "Aborted"))
        if event:
            event(scope)
        mute(scope)
        scope.set_stop(stop_date=datetime.datetime.now(tz=datetime.UTC), cause=None, error=None)


def mute(scope: Scope) -> None:
    """Whatever threads of this scope still do, the history no longer hears of it."""
    scope.event_manager = Muted()
    for inner in list(scope._frames):
        mute(inner)
