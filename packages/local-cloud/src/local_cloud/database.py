"""SQLite as the services use it: one file, one connection, short statements from any thread."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from local_cloud.errors import CURE, StateUnusable


class Database:
    """A committed row outlives the process, killed or not; only a power cut may take the last ones."""

    def __init__(self, file: Path, schema: str) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch(mode=0o600)  # SQLite gives the files beside it the same mode
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(file, check_same_thread=False, isolation_level=None)
        try:
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = NORMAL")
            self._connection.executescript(schema)
        except sqlite3.DatabaseError as error:
            self._connection.close()
            raise StateUnusable(f"The saved state in {file} is damaged ({error}). {CURE}") from error

    def rows(self, sql: str, *values: Any) -> list[Any]:
        """Run one statement, in a transaction of its own."""
        with self._lock:
            return self._connection.execute(sql, values).fetchall()

    def insert_all(self, sql: str, rows: Iterable[tuple[Any, ...]]) -> None:
        """Run one statement for each row, all in one transaction."""
        with self._lock, self._connection:
            self._connection.execute("BEGIN")
            self._connection.executemany(sql, rows)

    def close(self) -> None:
        with self._lock:
            self._connection.close()
