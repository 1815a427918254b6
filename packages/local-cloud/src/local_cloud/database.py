"""SQLite as the services use it: one file, one connection, short statements from any thread."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any


class Database:
    """A committed row outlives the process, killed or not; only a power cut may take the last ones."""

    def __init__(self, file: Path, schema: str) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(file, check_same_thread=False, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = NORMAL")
        self._connection.executescript(schema)
        file.chmod(0o600)

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
