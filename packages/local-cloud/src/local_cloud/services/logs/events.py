"""Log events in a SQLite database."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from local_cloud import moto_state
from local_cloud.database import Database

_SCHEMA = """
CREATE TABLE IF NOT EXISTS stream (id INTEGER PRIMARY KEY AUTOINCREMENT, arn TEXT UNIQUE, created INTEGER);
CREATE TABLE IF NOT EXISTS event (
  id INTEGER PRIMARY KEY AUTOINCREMENT, stream INTEGER, timestamp INTEGER, ingested INTEGER, message TEXT
);
CREATE INDEX IF NOT EXISTS event_order ON event (stream, timestamp, id);
"""

#: How many rows are looked at in one go while a filter pattern is applied.
_BATCH = 2000


@dataclass(frozen=True, order=True)
class Position:
    """Where an event stands in its stream: by time, then in the order of arrival."""

    timestamp: int
    id: int


@dataclass(frozen=True)
class Event:
    """One log event. Times are Unix milliseconds; `stream` is the stream's ARN."""

    id: int
    stream: str
    timestamp: int
    ingestion_time: int
    message: str

    @property
    def position(self) -> Position:
        return Position(self.timestamp, self.id)

    @property
    def event_id(self) -> str:
        return f"{self.id:056d}"


@dataclass(frozen=True)
class Statistics:
    """What a stream's description says of its events. Times are Unix milliseconds, None without events."""

    first: int | None
    last: int | None
    ingested: int | None
    bytes: int
    count: int


class Events:
    def __init__(self, file: Path) -> None:
        self._database = Database(file, _SCHEMA)
        self.close = self._database.close
        if "created" not in [column[1] for column in self._database.rows("PRAGMA table_info (stream)")]:
            self._database.rows("ALTER TABLE stream ADD COLUMN created INTEGER")  # a file of an earlier version

    def create(self, stream: str, *, created: int) -> None:
        """Make a stream (by its ARN) known, since `created` (Unix milliseconds)."""
        self._database.rows(
            "INSERT INTO stream (arn, created) VALUES (?, ?)"
            " ON CONFLICT (arn) DO UPDATE SET created = excluded.created",
            stream,
            created,
        )

    def created(self, stream: str) -> int | None:
        """When a stream was made (Unix milliseconds), None where there is none."""
        rows = self._database.rows("SELECT created FROM stream WHERE arn = ?", stream)
        return rows[0][0] if rows else None

    def streams(self, prefix: str) -> list[tuple[str, int]]:
        """The streams whose ARNs begin so, in the order they were made, and when that was."""
        found: list[tuple[str, int]] = self._database.rows(
            "SELECT arn, created FROM stream WHERE arn >= ? AND arn < ? AND created IS NOT NULL ORDER BY id",
            prefix,
            prefix + "\U0010ffff",
        )
        return found

    def add(self, stream: str, events: Iterable[tuple[int, str]]) -> int:
        """Append (timestamp, message) to a stream. Returns the ingestion time."""
        now = int(time.time() * 1000)
        number = self._number(stream, now)
        self._database.insert_all(
            "INSERT INTO event (stream, timestamp, ingested, message) VALUES (?, ?, ?, ?)",
            ((number, timestamp, now, message) for timestamp, message in events),
        )
        return now

    def _number(self, stream: str, now: int) -> int:
        self._database.rows("INSERT OR IGNORE INTO stream (arn, created) VALUES (?, ?)", stream, now)
        return int(self._database.rows("SELECT id FROM stream WHERE arn = ?", stream)[0][0])

    def statistics(self, stream: str) -> Statistics:
        """The bytes are counted as CloudWatch does: the message and 26 bytes an event."""
        row = self._database.rows(
            "SELECT min(timestamp), max(timestamp), max(ingested), coalesce(sum(length(message) + 26), 0), count(*) "
            "FROM event WHERE stream = (SELECT id FROM stream WHERE arn = ?)",
            stream,
        )[0]
        return Statistics(*row)

    @moto_state.releasing
    def select(
        self,
        streams: Sequence[str],
        *,
        start: int | None = None,
        end: int | None = None,
        after: Position | None = None,
        before: Position | None = None,
        newest_first: bool = False,
        limit: int,
        matches: Callable[[str], bool] | None = None,
    ) -> list[Event]:
        """Events of streams, ordered by position, `start` ≤ timestamp ≤ `end`, strictly past `after`/`before`.

        At most `limit`; `matches` judges messages.
        """
        conditions, values = ["s.arn IN (" + ", ".join("?" * len(streams)) + ")"], list[object](streams)
        for condition, value in (("timestamp >= ?", start), ("timestamp <= ?", end)):
            if value is not None:
                conditions.append(condition)
                values.append(value)
        found: list[Event] = []
        if not streams:
            return found
        forward = not newest_first
        cursor = after if forward else before
        if fixed := before if forward else after:
            conditions.append(f"(timestamp, e.id) {'<' if forward else '>'} (?, ?)")
            values += [fixed.timestamp, fixed.id]
        order = "ASC" if forward else "DESC"
        while len(found) < limit:
            where, bound = list(conditions), list(values)
            if cursor:
                where.append(f"(timestamp, e.id) {'>' if forward else '<'} (?, ?)")
                bound += [cursor.timestamp, cursor.id]
            batch = _BATCH if matches else limit - len(found)
            rows = self._database.rows(
                "SELECT e.id, s.arn, e.timestamp, e.ingested, e.message FROM event e JOIN stream s ON s.id = e.stream "  # noqa: S608
                f"WHERE {' AND '.join(where)} ORDER BY e.timestamp {order}, e.id {order} LIMIT {batch}",
                *bound,
            )
            events = [Event(*row) for row in rows]
            found += [event for event in events if matches is None or matches(event.message)]
            if len(rows) < batch:
                break
            cursor = events[-1].position
        return found[:limit]

    def delete(self, stream: str) -> None:
        self._database.rows("DELETE FROM event WHERE stream = (SELECT id FROM stream WHERE arn = ?)", stream)
        self._database.rows("DELETE FROM stream WHERE arn = ?", stream)

    def expire(self, streams: Sequence[str], *, before: int) -> None:
        """Forget events older than `before`: retention."""
        for stream in streams:
            self._database.rows(
                "DELETE FROM event WHERE stream = (SELECT id FROM stream WHERE arn = ?) AND timestamp < ?",
                stream,
                before,
            )
