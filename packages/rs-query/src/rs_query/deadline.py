"""One deadline for a whole run, and how long to pause between two looks at a running statement."""

from __future__ import annotations

import math
import time

from rs_query.errors import DeadlineError


class Deadline:
    """`seconds` from now, or never for None."""

    def __init__(self, seconds: float | None) -> None:
        self.seconds = seconds
        self._end = math.inf if seconds is None else time.monotonic() + seconds

    def remaining(self) -> float:
        """Seconds left: infinite without a deadline, never negative."""
        return max(0.0, self._end - time.monotonic())

    def check(self) -> None:
        """Raises DeadlineError once the time is over."""
        if self.remaining() <= 0:
            raise DeadlineError(f"the deadline of {self.seconds:g} s passed")

    def sleep(self, seconds: float) -> None:
        """Sleep, but not past the deadline: that raises DeadlineError."""
        time.sleep(min(seconds, self.remaining()))
        self.check()


def pause(elapsed: float) -> float:
    """Seconds until the next look at a statement that has run for `elapsed` seconds.

    4 % of its time so far, from 50 ms up to 5 s: it is seen to have ended at most that much late, and one of
    an hour costs about 800 calls.
    """
    return min(5.0, max(0.05, 0.04 * elapsed))
