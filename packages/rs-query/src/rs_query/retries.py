"""What is safe to do again, how often, and after how long."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable
from typing import Any, TypeVar

from rs_query.deadline import Deadline
from rs_query.errors import ConflictError, ConnectionLostError, ThrottledError, TransientError

T = TypeVar("T")
Log = Callable[[dict[str, Any]], None]

#: Attempts in all. Throttling ends by itself, so it is waited out until the deadline.
_ATTEMPTS: dict[type[TransientError], float] = {
    ThrottledError: float("inf"),
    ConnectionLostError: 5,
    ConflictError: 5,
}


def retrying(action: Callable[[], T], *, on: tuple[type[TransientError], ...], deadline: Deadline, log: Log) -> T:
    """Return the result of `action`, tried again after the errors in `on`; each retry is logged.

    Waits 0.5 s doubling to 20 s, with jitter so that jobs that collided don't collide again. Raises the last
    error when attempts or time are used up, and everything else at once.
    """
    for attempt in itertools.count(1):
        try:
            return action()
        except on as error:
            wait = min(20.0, 0.5 * 2.0 ** min(attempt - 1, 10)) * random.uniform(0.5, 1.0)  # noqa: S311 - jitter
            if attempt >= _ATTEMPTS[type(error)] or wait >= deadline.remaining():
                raise
            reason = f"{type(error).__name__}: {error}"
            log({"event": "retry", "attempt": attempt, "seconds": round(wait, 3), "reason": reason})
            deadline.sleep(wait)
    raise AssertionError("unreachable")
