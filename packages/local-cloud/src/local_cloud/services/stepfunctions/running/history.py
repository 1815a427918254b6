"""The history of one execution, as it is written."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ..language.errors import LONGEST, Event
from ..language.json_values import Json
from ..model import now
from .life import Life
from .progress import Path

LONGEST_HISTORY = 25_000
"""Events after which AWS fails an execution (https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html)."""


class HistoryFull(Exception):
    def __init__(self) -> None:
        super().__init__(f"The execution reached the maximum number of history events ({LONGEST_HISTORY}).")


@dataclass
class Cursor:
    """Where one scope stands in the history."""

    path: Path = ()
    previous: int = 0
    """The event that the scope's next one follows."""
    last: int = 0
    """The latest event of the scope."""
    entered: str = ""
    """The type of the event by which the current state was entered, while it is in it."""
    entered_id: int = 0

    def branch(self, step: tuple[str, int]) -> Cursor:
        """Begin a scope under this one."""
        return Cursor((*self.path, step), self.previous, self.previous, entered_id=self.entered_id)


class History:
    """Numbers events, gives each to `write` with the path of its scope, and keeps none.

    No event is dated before the one before it or before `since` (seconds since 1970), though the clock be set back.
    """

    def __init__(self, write: Callable[[dict[str, Json], Path], None], *, since: float, last_id: int = 0) -> None:
        self._write = write
        self._latest = since
        self._last_id = last_id
        self._closed = False
        self._lock = threading.Lock()

    def add(self, cursor: Cursor, event: Event, *, life: Life, is_followed: bool = True) -> int:
        """Write an event of a scope, unless its life is muted. Returns the event's number.

        The scope's next event follows this one, unless it is not `is_followed`. Raises HistoryFull.
        """
        with self._lock:
            if self._closed or life.is_muted:
                return cursor.previous
            if self._last_id >= LONGEST_HISTORY - 1:
                raise HistoryFull
            self._last_id += 1
            written = self._event(cursor.previous, event)
            cursor.last = self._last_id
            if is_followed:
                cursor.previous = self._last_id
            if event.type.endswith("StateEntered"):
                cursor.entered, cursor.entered_id = event.type, self._last_id
            elif event.type.endswith("StateExited"):
                cursor.entered = ""
            self._write(written, cursor.path)
            return self._last_id

    def join(self, cursor: Cursor, ended: Cursor) -> None:
        """Go on after a scope under this one has ended."""
        with self._lock:
            cursor.previous = max(cursor.previous, ended.previous)
            cursor.last = max(cursor.last, ended.last)

    def close(self, event: Event, *, previous: int | None = None) -> bool:
        """Write the event that ends the execution; what comes later from threads that unwind is dropped.

        Returns whether this was the first end; only the first is written.
        """
        with self._lock:
            if self._closed:
                return False
            self._closed = True
            self._last_id += 1
            self._write(self._event(self._last_id - 1 if previous is None else previous, event), ())
            return True

    def now(self) -> float:
        """The time, as the next event would have it."""
        with self._lock:
            self._latest = max(self._latest, now())
            return self._latest

    def _event(self, previous: int, event: Event) -> dict[str, Json]:
        self._latest = max(self._latest, now())
        written = {
            "id": self._last_id,
            "previousEventId": previous,
            "timestamp": self._latest,
            "type": event.type,
        }
        if event.details:
            written[_member(event.type)] = _present(event.details)
        return written


def _present(details: Mapping[str, Json]) -> dict[str, Json]:
    return {
        name: value[: LONGEST[name]] if name in LONGEST else value
        for name, value in details.items()
        if value is not None
    }


def _member(event_type: str) -> str:
    """The member of an event that has the details: `taskFailedEventDetails`."""
    for ending in ("StateEntered", "StateExited"):
        if event_type.endswith(ending):
            event_type = ending
    return f"{event_type[0].lower()}{event_type[1:]}EventDetails"
