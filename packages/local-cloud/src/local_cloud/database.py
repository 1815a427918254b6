"""SQLite as the services use it: one file, one connection, short statements from any thread."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from local_cloud.commits import Commits
from local_cloud.errors import StateNotSaved, StateUnusable
from local_cloud.inventory import holds

#: What SQLite says of a disk that is full, read-only, gone or broken, and of a file it may not open; and of damage.
#: https://sqlite.org/rescode.html, primary codes
_DISK = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN}
_DAMAGE = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


class Database:
    """A committed row outlives the process, killed or not; only a power cut may take the last ones.

    Every method raises StateNotSaved where the disk does not take a change, StateUnusable where the file is damaged.
    """

    def __init__(self, file: Path, schema: str) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch(mode=0o600)  # SQLite gives the files beside it the same mode
        self._file = file
        self._commits = Commits(file)
        self._lock = threading.Lock()
        with self._named_errors():
            self._connection = sqlite3.connect(file, check_same_thread=False, isolation_level=None)
            try:
                self._connection.execute("PRAGMA journal_mode = WAL")
                self._connection.execute("PRAGMA synchronous = NORMAL")
                self._commits.open(self._number())
                self._connection.executescript(schema)
            except (sqlite3.DatabaseError, StateUnusable):
                self._connection.close()
                raise

    @contextlib.contextmanager
    def _named_errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.DatabaseError as error:
            kind = getattr(error, "sqlite_errorcode", 0) & 0xFF
            if kind in _DISK:
                raise StateNotSaved(f"{error} ({self._file})") from error
            if kind in _DAMAGE:
                raise StateUnusable(f"{self._file} is damaged ({error}); it held {holds(self._file)}") from error
            raise

    def rows(self, sql: str, *values: Any) -> list[Any]:
        """Run one statement, in a transaction of its own."""
        with self._lock, self._named_errors():
            if sql.startswith("SELECT"):
                return self._connection.execute(sql, values).fetchall()
            with self._transaction():
                return self._connection.execute(sql, values).fetchall()

    def insert_all(self, sql: str, rows: Iterable[tuple[Any, ...]]) -> None:
        """Run one statement for each row, all in one transaction."""
        with self._lock, self._named_errors(), self._transaction():
            self._connection.executemany(sql, rows)

    def transaction(self, statements: Iterable[tuple[str, tuple[Any, ...]]]) -> None:
        """Run statements with their values, all or none."""
        with self._lock, self._named_errors(), self._transaction():
            for sql, values in statements:
                self._connection.execute(sql, values)

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        """A counted commit. The number lies in the file's header: https://sqlite.org/pragma.html#pragma_user_version"""
        with self._connection:
            self._connection.execute("BEGIN IMMEDIATE")
            yield
            number = self._number() + 1
            self._connection.execute(f"PRAGMA user_version = {number}")
        self._commits.acknowledge(number)

    def _number(self) -> int:
        return int(self._connection.execute("PRAGMA user_version").fetchone()[0])

    def check(self) -> None:
        """Read the whole file. StateUnusable where that finds damage."""
        with self._lock, self._named_errors():
            found = [row[0] for row in self._connection.execute("PRAGMA quick_check(1)")]
        if found != ["ok"]:
            raise StateUnusable(f"{self._file} is damaged ({found[0]}); it held {holds(self._file)}")

    def close(self) -> None:
        with self._lock:
            self._connection.close()
            self._commits.close()
