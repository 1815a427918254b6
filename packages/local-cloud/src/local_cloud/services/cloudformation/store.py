"""Keeps the stacks and their events, so that what is known survives the process, killed or not.

A stack is written whole with each of its events: before a resource is made, and after. Events lie in rows of
their own, for they only grow. Both are pickles, which name the modules `stacks`, `changes` and `parameters`: a file of
theirs that moves leaves behind what an earlier version has kept.
"""

from __future__ import annotations

import datetime
import pickle
from pathlib import Path

from local_cloud.database import Database
from local_cloud.services.cloudformation.stacks import Event, Stack, now

_SCHEMA = """
CREATE TABLE IF NOT EXISTS stacks (id TEXT PRIMARY KEY, state BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS events (number INTEGER PRIMARY KEY, stack TEXT NOT NULL, event BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS events_of_a_stack ON events (stack);
"""

#: How long a deleted stack can still be described by its id, as on AWS.
MEMORY = datetime.timedelta(days=90)


class Store:
    def __init__(self, file: Path) -> None:
        self._database = Database(file, _SCHEMA)

    def load(self) -> dict[str, Stack]:
        """The stacks by id, without those that were deleted long ago."""
        rows = self._database.rows("SELECT state FROM stacks ORDER BY rowid")
        stacks: list[Stack] = [pickle.loads(state) for (state,) in rows]  # noqa: S301 - our own state folder
        for stack in [each for each in stacks if each.deleted and each.deleted < now() - MEMORY]:
            self._database.rows("DELETE FROM stacks WHERE id = ?", stack.id)
            self._database.rows("DELETE FROM events WHERE stack = ?", stack.id)
            stacks.remove(stack)
        return {stack.id: stack for stack in stacks}

    def save(self, stack: Stack, event: Event | None = None) -> None:
        """Write a stack as it is now, and the event that brought it there."""
        statement = "INSERT INTO stacks VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET state = excluded.state"
        self._database.rows(statement, stack.id, pickle.dumps(stack))
        if event:
            self._database.rows("INSERT INTO events (stack, event) VALUES (?, ?)", stack.id, pickle.dumps(event))

    def events(self, stack: Stack) -> list[Event]:
        """A stack's events, oldest first."""
        rows = self._database.rows("SELECT event FROM events WHERE stack = ? ORDER BY number", stack.id)
        return [pickle.loads(event) for (event,) in rows]  # noqa: S301 - our own state folder

    def close(self) -> None:
        self._database.close()
