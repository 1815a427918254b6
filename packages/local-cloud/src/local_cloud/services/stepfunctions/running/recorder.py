"""The history of one execution, as it is written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from moto.stepfunctions.parser.asl.eval.event.event_manager import EventManager

from ..model import now

LONGEST_HISTORY = 25_000
"""Events after which AWS fails an execution (https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html)."""


class HistoryFull(Exception):
    def __init__(self) -> None:
        super().__init__(f"The execution reached the maximum number of history events ({LONGEST_HISTORY}).")


class Recorder(EventManager):  # type: ignore[misc]
    """Numbers events, gives each to `write` with the scope it happened in, and keeps none.

    No event is dated before the one before it or before `since` (seconds since 1970), though the clock be set back.
    """

    def __init__(self, write: Callable[[dict[str, Any], list[Any]], None], *, since: float, last_id: int = 0) -> None:
        super().__init__(None)
        self._write = write
        self._latest = since
        self._last_id = last_id
        self._closed = False

    def add_event(
        self,
        context: Any,
        event_type: str,
        event_details: Any = None,
        timestamp: Any = None,
        update_source_event_id: bool = True,
    ) -> int:
        event_type = getattr(event_type, "value", event_type)
        with self._mutex:
            if self._closed:
                return self._last_id
            if self._last_id >= LONGEST_HISTORY - 1:
                raise HistoryFull
            return self._add(context, event_type, event_details, update_source=update_source_event_id)

    def close(self, event_type: str, event_details: dict[str, Any], *, previous: int | None = None) -> bool:
        """Write the event that ends the execution; what comes later from threads that unwind is dropped.

        Returns whether this was the first end; only the first is written.
        """
        with self._mutex:
            if self._closed:
                return False
            self._closed = True
            self._last_id += 1
            event = self._event(self._last_id - 1 if previous is None else previous, event_type, event_details)
            self._write(event, [])
            return True

    def now(self) -> float:
        """The time, as the next event would have it."""
        with self._mutex:
            self._latest = max(self._latest, now())
            return self._latest

    def _add(self, context: Any, event_type: str, details: Any, *, update_source: bool) -> int:
        self._last_id += 1
        previous = context.source_event_id
        context.last_published_event_id = self._last_id
        if update_source:
            context.source_event_id = self._last_id
        if event_type.endswith("StateEntered"):
            context.entered, context.entered_id = event_type, self._last_id
        elif event_type.endswith("StateExited"):
            context.entered = ""
        self._write(self._event(previous, event_type, details), list(getattr(context, "path", ())))
        return self._last_id

    def _event(self, previous: int, event_type: str, details: Any) -> dict[str, Any]:
        self._latest = max(self._latest, now())
        event: dict[str, Any] = {
            "id": self._last_id,
            "previousEventId": previous,
            "timestamp": self._latest,
            "type": event_type,
        }
        for name, value in (details or {}).items():
            event[name] = {key: item for key, item in value.items() if item is not None}
        return event


class Muted(EventManager):  # type: ignore[misc]
    """Takes events of what no longer counts: a Task that timed out, a branch that was aborted, a map run's item."""

    def add_event(self, context: Any, *args: Any, **kwargs: Any) -> int:
        return int(context.source_event_id)
