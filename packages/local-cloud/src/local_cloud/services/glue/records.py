"""Job runs in a SQLite database, each written alone: what a run costs does not grow with the runs before it.

Kept for 365 days, as Glue keeps them: https://docs.aws.amazon.com/glue/latest/webapi/API_GetJobRun.html
"""

from __future__ import annotations

import dataclasses
import datetime
import json
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from local_cloud.database import Database
from local_cloud.services.glue.runs import Run

_SCHEMA = """
CREATE TABLE IF NOT EXISTS run (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT UNIQUE NOT NULL,
  job TEXT NOT NULL,         -- the job's ARN
  completed REAL,            -- Unix seconds; NULL while it is alive
  record TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS runs_of_a_job ON run (job, number);
CREATE INDEX IF NOT EXISTS runs_by_end ON run (completed);
"""

#: How long an ended run can be asked for, in seconds.
KEPT_FOR = 365 * 24 * 3600.0

_TIMES = ("started_on", "modified_on", "completed_on", "running_since")


class Records:
    """All runs of all jobs. Thread-safe."""

    def __init__(self, file: Path) -> None:
        self._database = Database(file, _SCHEMA)
        self._rows = self._database.rows
        self.close = self._database.close

    def save(self, runs: Iterable[tuple[str, Run]]) -> None:
        """Write runs (with their jobs' ARNs) as they are now, and drop those that Glue would have forgotten."""
        self._database.insert_all(
            "INSERT INTO run (id, job, completed, record) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (id) DO UPDATE SET completed = excluded.completed, record = excluded.record",
            [
                (
                    run.id,
                    job,
                    run.completed_on.timestamp() if run.completed_on else None,
                    json.dumps(dataclasses.asdict(run), default=datetime.datetime.isoformat),
                )
                for job, run in runs
            ],
        )
        self._rows("DELETE FROM run WHERE completed < ?", time.time() - KEPT_FOR)

    def get(self, job: str, run_id: str) -> Run | None:
        """One run of a job, None when there is none of that id."""
        rows = self._rows("SELECT record FROM run WHERE id = ? AND job = ?", run_id, job)
        return _run(rows[0][0]) if rows else None

    def of_job(self, job: str) -> list[Run]:
        """A job's runs, newest first."""
        rows = self._rows("SELECT record FROM run WHERE job = ? ORDER BY number DESC", job)
        return [_run(record) for (record,) in rows]

    def alive(self) -> list[tuple[str, Run]]:
        """Job and run of all that have not ended."""
        rows = self._rows("SELECT job, record FROM run WHERE completed IS NULL ORDER BY number")
        return [(job, _run(record)) for job, record in rows]

    def forget(self, job: str) -> None:
        """Delete a job's runs."""
        self._rows("DELETE FROM run WHERE job = ?", job)


def _run(record: str) -> Run:
    fields: dict[str, Any] = json.loads(record)
    for name in _TIMES:
        if fields[name]:
            fields[name] = datetime.datetime.fromisoformat(fields[name])
    return Run(**fields)
