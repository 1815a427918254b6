"""Writes that must not be lost: tried again until the disk takes them, and known by name until then.

A full disk, a folder that is not there, an I/O error: whatever keeps a write from happening ends nothing. What waits,
since when and why is in `problem`, which the gateway asks before it lets a request change anything, and which
`local-cloud status` shows.
"""

from __future__ import annotations

import datetime
import logging
import threading
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, TypeVar

from local_cloud import moto_state
from local_cloud.errors import StateNotSaved

log = logging.getLogger("local_cloud.saving")

#: Seconds between two attempts: at first, and at most.
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 2.0

T = TypeVar("T")


@dataclass(frozen=True)
class Problem:
    """What waits to be saved, since when (UTC), and why."""

    what: tuple[str, ...]
    since: datetime.datetime
    cause: str

    def as_json(self) -> dict[str, Any]:
        return {"since": self.since.isoformat(timespec="seconds"), "cause": self.cause, "what": list(self.what)}


class Saving:
    """Thread-safe."""

    def __init__(self) -> None:
        self._waiting: dict[str, tuple[datetime.datetime, str]] = {}
        self._lock = threading.Lock()
        self._stopping = threading.Event()

    def attempt(self, what: str, write: Callable[[], T]) -> T:
        """Write once. Raises StateNotSaved when the disk refuses; `what` then waits until an attempt succeeds."""
        try:
            done = write()
        except (OSError, StateNotSaved) as error:
            raise self._failed(what, error) from error
        with self._lock:
            known = self._waiting.pop(what, None)
        if known:
            log.info("%s is saved again", what)
        return done

    def until_done(self, what: str, write: Callable[[], T]) -> T:
        """Write, again and again with growing pauses. Raises StateNotSaved only when the cloud stops meanwhile."""
        pause = FIRST_PAUSE
        while True:
            try:
                return self.attempt(what, write)
            except StateNotSaved:
                with moto_state.released():
                    if self._stopping.wait(pause):
                        raise
            pause = min(2 * pause, LONGEST_PAUSE)

    def settled(self) -> bool:
        """Wait until nothing waits any more. False when the cloud stops meanwhile."""
        while self._waiting:
            if self._stopping.wait(FIRST_PAUSE):
                return False
        return True

    def waiting(self) -> Collection[str]:
        """The names of what waits."""
        return tuple(self._waiting)

    def problem(self) -> Problem | None:
        """The oldest failure that lasts; None while everything is saved."""
        with self._lock:
            if not self._waiting:
                return None
            since, cause = min(self._waiting.values())
            return Problem(tuple(sorted(self._waiting)), since, cause)

    def stop(self) -> None:
        """Let go of every write that waits: the process ends."""
        self._stopping.set()

    def _failed(self, what: str, error: Exception) -> StateNotSaved:
        cause = cause_of(error)
        with self._lock:
            first = what not in self._waiting
            since = self._waiting[what][0] if not first else datetime.datetime.now(datetime.timezone.utc)
            self._waiting[what] = since, cause
        if first:
            log.error("%s cannot be saved: %s. It is tried again until it can", what, cause)
        return StateNotSaved(cause)


def cause_of(error: Exception) -> str:
    """The system's words and the file they are about."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror} ({error.filename})" if error.filename else error.strerror
    return str(error)
