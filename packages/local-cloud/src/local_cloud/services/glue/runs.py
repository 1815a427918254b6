"""A job run's record: what GetJobRun answers, and what survives a restart."""

from __future__ import annotations

import datetime
import secrets
from dataclasses import dataclass, field
from typing import Any

STARTING = "STARTING"
RUNNING = "RUNNING"
STOPPING = "STOPPING"
STOPPED = "STOPPED"
SUCCEEDED = "SUCCEEDED"
FAILED = "FAILED"
TIMEOUT = "TIMEOUT"

FINAL = frozenset({STOPPED, SUCCEEDED, FAILED, TIMEOUT})


def now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


def new_run_id() -> str:
    return f"jr_{secrets.token_hex(32)}"


@dataclass
class Run:
    """One run of a job. `details` are the fields of the API's JobRun that were fixed when it started."""

    id: str
    job_name: str
    attempt: int
    arguments: dict[str, str]
    timeout_minutes: int
    details: dict[str, Any]
    state: str = STARTING
    previous_id: str = ""
    error: str = ""
    started_on: datetime.datetime = field(default_factory=now)
    modified_on: datetime.datetime = field(default_factory=now)
    completed_on: datetime.datetime | None = None
    running_since: datetime.datetime | None = None

    @property
    def job_run_id(self) -> str:
        """moto's paginator knows a run by this name."""
        return self.id

    @property
    def is_over(self) -> bool:
        return self.state in FINAL

    def enter(self, state: str, *, error: str = "") -> None:
        """Move on to `state`; a final one sets the time of completion. No time is before the one before it."""
        self.modified_on = max(self.modified_on, now())
        self.error = error
        if state == RUNNING:
            self.running_since = self.modified_on
        if state in FINAL:
            self.completed_on = self.modified_on
        self.state = state

    def as_dict(self) -> dict[str, Any]:
        """The API's JobRun. ExecutionTime is in whole seconds of running, without the start-up."""
        since = self.running_since
        seconds = max(0, ((self.completed_on or now()) - since).total_seconds()) if since else 0
        optional = {"PreviousRunId": self.previous_id, "ErrorMessage": self.error, "CompletedOn": self.completed_on}
        return {
            "Id": self.id,
            "Attempt": self.attempt,
            "JobName": self.job_name,
            "JobRunState": self.state,
            "StartedOn": self.started_on,
            "LastModifiedOn": self.modified_on,
            "Arguments": self.arguments,
            "PredecessorRuns": [],
            "ExecutionTime": int(seconds),
            "Timeout": self.timeout_minutes,
            **{name: value for name, value in optional.items() if value},
            **self.details,
        }
