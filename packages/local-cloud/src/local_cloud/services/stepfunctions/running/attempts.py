"""Attempts at a state: Retry, Catch and the events of failures, the same for Task, Parallel and Map.

Events and causes: read off us-east-1 by `AslExecutorBranchHistoryEventsTest` of https://github.com/floci-io/floci.
"""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Callable, Sequence

from ..language.errors import RUNTIME, StateError, has_match
from ..language.json_values import Json
from ..language.tree import Catcher, Retriable, Retrier
from . import flow
from .history import HistoryFull
from .life import Stopped
from .scope import Done, Scope

Work = Callable[[Scope], Json]


def attempt(scope: Scope, state: Retriable, work: Work) -> Done:
    """Do the work of a state until it succeeds, is caught, or may not be tried again.

    Raises StateError, Stopped and HistoryFull.
    """
    counts: Counter[Retrier] = Counter()
    while True:
        scope.context["State"] = {**scope.context["State"], "RetryCount": counts.total()}
        try:
            return flow.finish(scope, state, _once(scope, work))
        except (Stopped, HistoryFull):
            raise
        except StateError as raised:
            error = raised
        except Exception as raised:
            error = scope.unexpected(raised)
        scope.life.check()
        if error.event:
            scope.record(error.event.type, error.event.details)
        seconds = retry_wait(state.retry, error, counts)
        if seconds is not None:
            scope.life.wait(seconds)
            scope.life.check()
            continue
        return _give_up(scope, state, error)


def within(scope: Scope, seconds: float | None, work: Work) -> Json:
    """Do work in a time. Raises TimeoutError; what the work still does then, the history does not hear of."""
    if seconds is None:
        return work(scope)
    done = threading.Event()
    results: list[Json] = []
    raised: list[BaseException] = []

    def run() -> None:
        try:
            results.append(work(scope))
        except Exception as error:
            raised.append(error)
        done.set()

    threading.Thread(target=run, name=f"timed-{scope.state.name}", daemon=True).start()
    if not done.wait(seconds):
        scope.life.stop(mute=True)
        raise TimeoutError
    if raised:
        raise raised[0]
    return results[0]


def retry_wait(retriers: Sequence[Retrier], error: StateError, counts: Counter[Retrier]) -> float | None:
    """Count an attempt. Returns the seconds until the next, or None where the state is not tried again."""
    retrier = next((each for each in retriers if has_match(each.errors, error)), None)
    if retrier is None or counts[retrier] >= retrier.attempts:
        return None
    seconds = min(retrier.interval * retrier.backoff ** counts[retrier], retrier.longest)
    counts[retrier] += 1
    # How attempts are spread over time need not be hard to guess.
    return random.uniform(0, seconds) if retrier.jitter else seconds  # noqa: S311


def find_catcher(catchers: Sequence[Catcher], error: StateError) -> Catcher | None:
    return next((each for each in catchers if has_match(each.errors, error)), None)


def _once(scope: Scope, work: Work) -> Json:
    inner = scope.attempt()
    try:
        return work(inner)
    finally:
        scope.close(inner)


def _give_up(scope: Scope, state: Retriable, error: StateError) -> Done:
    if error.error != RUNTIME and state.failed_event:
        scope.record(state.failed_event)
    if catcher := find_catcher(state.catch, error):
        return flow.caught(scope, catcher, error)
    if error.event and scope.cursor.path:
        scope.record("TaskStateAborted", is_followed=False)
        scope.cursor.entered = ""
    raise StateError(error.error, error.cause, is_callback=error.is_callback)
