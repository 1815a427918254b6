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
from .trial import BadTrial, Trial, WouldRetry

Work = Callable[[Scope], Json]


def attempt(scope: Scope, state: Retriable, work: Work) -> Done:
    """Do the work of a state until it succeeds, is caught, or may not be tried again.

    Raises StateError, Stopped and HistoryFull; of a state that is tested BadTrial and WouldRetry, too.
    """
    counts: Counter[Retrier] = Counter()
    while True:
        if not scope.trial:
            scope.context["State"] = {**scope.context["State"], "RetryCount": counts.total()}
        try:
            return flow.finish(scope, state, _once(scope, work))
        except (Stopped, HistoryFull, BadTrial):
            raise
        except StateError as raised:
            error = raised
        except Exception as raised:
            error = scope.unexpected(raised)
        scope.life.check()
        if error.event:
            scope.record(error.event.type, error.event.details)
        if scope.trial:
            _settle(scope.trial, state, error)
        elif (seconds := retry_wait(state.retry, error, counts)) is not None:
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
    counts[retrier] += 1
    return _wait_before(retrier, counts[retrier] - 1)


def find_catcher(catchers: Sequence[Catcher], error: StateError) -> Catcher | None:
    return next((each for each in catchers if has_match(each.errors, error)), None)


def _wait_before(retrier: Retrier, retries: int) -> float:
    """The seconds until the next attempt, after some retries."""
    seconds = min(retrier.interval * retrier.backoff**retries, retrier.longest)
    # How attempts are spread over time need not be hard to guess.
    return random.uniform(0, seconds) if retrier.jitter else seconds  # noqa: S311


def _settle(trial: Trial, state: Retriable, error: StateError) -> None:
    """Keep which rules take the error of a state that is tested. Raises WouldRetry where it would be tried again."""
    trial.error = error
    for index, retrier in enumerate(state.retry):
        if has_match(retrier.errors, error):
            trial.error_details["retryIndex"] = index
            if trial.retries < retrier.attempts:
                trial.error_details["retryBackoffIntervalSeconds"] = round(_wait_before(retrier, trial.retries))
                raise WouldRetry
            break
    if catcher := find_catcher(state.catch, error):
        trial.error_details["catchIndex"] = state.catch.index(catcher)


def _once(scope: Scope, work: Work) -> Json:
    inner = scope.attempt()
    try:
        return work(inner)
    finally:
        scope.close(inner)


def _give_up(scope: Scope, state: Retriable, error: StateError) -> Done:
    before = scope.cursor.previous
    if error.error != RUNTIME and state.failed_event:
        scope.record(state.failed_event)
    if catcher := find_catcher(state.catch, error):
        return _caught(scope, state, catcher, error, before=before)
    if error.event and scope.cursor.path:
        scope.record("TaskStateAborted", is_followed=False)
        scope.cursor.entered = ""
    raise StateError(error.error, error.cause, is_callback=error.is_callback)


def _caught(scope: Scope, state: Retriable, catcher: Catcher, error: StateError, *, before: int) -> Done:
    """End the state at a catcher. A catcher that fails goes on from `before`, and the state fails once more."""
    after, scope.cursor.previous = scope.cursor.previous, before
    try:
        done = flow.caught(scope, catcher, error)
    except StateError:
        if state.failed_event:
            scope.record(state.failed_event)
        raise
    scope.cursor.previous = after
    return done
