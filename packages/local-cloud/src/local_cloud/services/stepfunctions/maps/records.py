"""A map run and its child executions, as the API shows them."""

from __future__ import annotations

import threading
from dataclasses import asdict, dataclass, field
from typing import Any

from ..model import now
from ..times import iso


@dataclass
class Child:
    arn: str
    name: str
    input: str
    started: float
    status: str = "RUNNING"
    stopped: float | None = None
    output: str | None = None
    error: str | None = None
    cause: str | None = None
    items: int = 1

    def end(
        self, status: str, *, output: str | None = None, error: str | None = None, cause: str | None = None
    ) -> None:
        self.status, self.stopped = status, now()
        self.output, self.error, self.cause = output, error, cause

    def described(self, map_run: MapRun) -> dict[str, Any]:
        """As ResultWriter's files hold it."""
        described = {
            "ExecutionArn": self.arn,
            "Input": self.input,
            "InputDetails": {"Included": True},
            "Name": self.name,
            "Output": self.output,
            "OutputDetails": {"Included": True} if self.output is not None else None,
            "Error": self.error,
            "Cause": self.cause,
            "RedriveCount": 0,
            "StartDate": iso(self.started),
            "StateMachineArn": map_run.machine_arn,
            "Status": self.status,
            "StopDate": iso(self.stopped) if self.stopped else None,
        }
        return {name: value for name, value in described.items() if value is not None}


@dataclass
class MapRun:
    arn: str
    execution_arn: str
    machine_arn: str
    """Of the machine with the label behind it: `…:stateMachine:<name>/<label>`."""
    at_once: int
    tolerated_count: float
    tolerated_percentage: float
    started: float = field(default_factory=now)
    status: str = "RUNNING"
    stopped: float | None = None
    total: int = 0
    items: int = 0
    children: list[Child] = field(default_factory=list)
    results_written: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def add(self, child: Child) -> None:
        with self._lock:
            self.children.append(child)

    def end(self, status: str) -> None:
        self.status, self.stopped = status, now()

    def saved(self) -> dict[str, Any]:
        """As the journal keeps it."""
        fields = {name: value for name, value in vars(self).items() if not name.startswith("_") and name != "children"}
        return fields | {"children": [asdict(child) for child in self.children]}

    @classmethod
    def loaded(cls, saved: dict[str, Any]) -> MapRun:
        return cls(**(saved | {"children": [Child(**child) for child in saved["children"]]}))

    def counts(self, *, of_items: bool) -> dict[str, int]:
        """Child executions, or the items in them, by status."""

        def count(*statuses: str) -> int:
            chosen = [child for child in self.children if child.status in statuses]
            return sum(child.items for child in chosen) if of_items else len(chosen)

        total = self.items if of_items else self.total
        begun = count("RUNNING", "SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED")
        return {
            "pending": total - begun if self.status == "RUNNING" else 0,
            "running": count("RUNNING"),
            "succeeded": count("SUCCEEDED"),
            "failed": count("FAILED"),
            "timedOut": count("TIMED_OUT"),
            "aborted": count("ABORTED") + (total - begun if self.status != "RUNNING" else 0),
            "total": total,
            "resultsWritten": self.results_written if not of_items else min(self.results_written, total),
        }
