"""One connection to a database: its transaction, its settings, its temporary tables.

Every statement runs in a transaction. Outside BEGIN … COMMIT it is one of its own, ended when the statement
ends. DuckDB's transaction starts as late as the first query that reads or writes, after the table locks are
taken: a statement that waited for a lock sees what the holder of the lock has committed.
"""

from __future__ import annotations

import contextlib
import datetime
import re
import threading
from collections.abc import Iterable, Sequence
from typing import Any

from local_cloud.services.redshift.engine.context import Settings
from local_cloud.services.redshift.engine.locks import Key, Mode, Transaction
from local_cloud.services.redshift.engine.messages import cancelled
from local_cloud.services.redshift.engine.services import CloudServices
from local_cloud.services.redshift.engine.warehouse import INTERNAL, Warehouse, search_path
from local_cloud.services.redshift.errors import NotSupported, SqlError
from local_cloud.services.redshift.sql.moment import Moment
from local_cloud.services.redshift.sql.tables import Name

UTC = datetime.timezone.utc


#: DuckDB's statements that write nothing. Whatever else there is makes a transaction's commit a counted one.
_READS = re.compile(
    r"\s*(SELECT|FROM|DESCRIBE|EXPLAIN|SET|COPY\s*\(|WITH\b(?!.*\b(INSERT|UPDATE|DELETE|MERGE)\b))",
    re.IGNORECASE | re.DOTALL,
)


class Session:
    """What statements run on, one after the other. One thread at a time; `cancel` may come from any."""

    def __init__(
        self,
        warehouse: Warehouse,
        *,
        namespace: str,
        database: str,
        user: str,
        services: CloudServices,
        process: int,
    ) -> None:
        self.warehouse = warehouse
        self.services = services
        self.user = user
        self.process = process
        self.database, self.cursor = warehouse.connect(namespace, database, first=services.first_database)
        self._serializable = self._is_serializable()
        self.settings = Settings()
        self.temporary: set[str] = set()
        self.notices: list[str] = []
        self.query_id = 0
        self.last_copy: tuple[int, int] = (-1, 0)
        self.last_unload_count = 0
        self.call_depth = 0
        self._transaction: Transaction | None = None
        self._explicit = False
        self._aborted = False
        self._started = False
        self._wrote = False
        self._transaction_time = datetime.datetime.now(UTC)
        self._cancelled = threading.Event()
        self._interrupting = threading.Lock()
        self._closed = False

    # What the outside asks for.

    def cancel(self) -> None:
        """Stop the running statement. It fails with StatementCancelled."""
        self._cancelled.set()
        with self._interrupting:
            self.cursor.interrupt()
        self.warehouse.locks.wake()

    def close(self) -> None:
        """Roll back what is open and give the connection up, temporary tables with it."""
        if self._closed:
            return
        self._closed = True
        self.rollback()
        self.warehouse.disconnect(self.database, self.cursor)

    @property
    def in_transaction(self) -> bool:
        return self._explicit

    # A statement's begin and end.

    def start_statement(self, query_id: int) -> None:
        self.query_id = query_id
        self._cancelled.clear()

    def finish_statement(self) -> None:
        """Commit, unless the statement is part of a block."""
        if not self._explicit:
            self.commit()

    def fail_statement(self) -> None:
        """After an error: nothing of the transaction stays, and a block waits for its end."""
        self._undo()
        if self._explicit:
            self._aborted = True

    @property
    def cancelled(self) -> bool:
        return self._cancelled.is_set()

    # Transactions.

    @property
    def aborted(self) -> bool:
        """True from an error inside a block until the block ends."""
        return self._aborted

    def begin(self) -> None:
        """Start a transaction that ends with commit or rollback, not with the statement."""
        self._explicit = True

    def commit(self) -> None:
        """Make the transaction's work visible; a failed one is rolled back instead, as in PostgreSQL."""
        transaction = self._transaction
        try:
            if transaction is not None and not self._aborted:
                self.warehouse.locks.check_serializable(transaction)
                if self._wrote:
                    self.warehouse.commit(self.database, self.cursor)
                elif self._started:
                    self.cursor.execute("COMMIT")
                self._started = self._wrote = False
                self.warehouse.locks.finish(transaction, committed=True)
                self._transaction = None
        finally:
            self.rollback()

    def rollback(self) -> None:
        self._undo()
        self._explicit = False
        self._aborted = False

    def _undo(self) -> None:
        if self._started:
            self._started = self._wrote = False
            # A ROLLBACK that is interrupted leaves DuckDB's transaction open, and every later statement fails.
            with self._interrupting, contextlib.suppress(Exception):
                self.cursor.execute("ROLLBACK")
        if self._transaction is not None:
            self.warehouse.locks.finish(self._transaction, committed=False)
            self._transaction = None

    @property
    def transaction(self) -> Transaction:
        if self._transaction is None:
            self._transaction = self.warehouse.locks.begin(
                process=self.process, user=self.user, serializable=self._serializable
            )
            self._transaction_time = self._transaction.started
        return self._transaction

    @property
    def transaction_number(self) -> int:
        """0 where none has begun."""
        return self._transaction.number if self._transaction else 0

    def _is_serializable(self) -> bool:
        row = self.cursor.execute(f"SELECT value FROM {INTERNAL}.settings WHERE name = 'isolation'").fetchone()
        return bool(row) and row[0] == "SERIALIZABLE"

    # What the statements are made of.

    def key(self, name: Name) -> Key:
        """The table that a name means. SqlError for another database."""
        if len(name) > 3 or (len(name) == 3 and name[0] != self.database.name):
            raise NotSupported(f'cross-database reference to "{".".join(name)}" is not supported here')
        schema = name[-2] if len(name) > 1 else self._default_schema(name[-1])
        return (self.database.catalog, schema, name[-1])

    def _default_schema(self, table: str) -> str:
        """The first schema of the search path that has the table, else the first one."""
        path = self.settings.search_path
        if len(path) > 1:
            found = self.lookup(
                "SELECT schema_name FROM duckdb_tables() WHERE database_name = ? AND table_name = ?"
                f" UNION ALL SELECT schema FROM {INTERNAL}.views WHERE name = ?",
                [self.database.catalog, table, table],
            )
            for schema in path:
                if (schema,) in found:
                    return schema
        return path[0]

    def is_temporary(self, name: Name) -> bool:
        return len(name) == 1 and name[0] in self.temporary

    def lock(self, wanted: Iterable[tuple[Name, Mode]]) -> None:
        """Take table locks, waiting for whoever holds them. Temporary tables need none."""
        keys = [(self.key(name), mode) for name, mode in wanted if not self.is_temporary(name)]
        transaction = self.transaction
        self.warehouse.locks.acquire(transaction, keys, check=self.check)
        for key, mode in keys:
            transaction.read.add(key)
            if mode is not Mode.READ:
                transaction.written.add(key)

    def lock_only(self, names: Iterable[Name]) -> None:
        """LOCK: exclusive, but not yet a write."""
        keys = [(self.key(name), Mode.EXCLUSIVE) for name in names if not self.is_temporary(name)]
        self.warehouse.locks.acquire(self.transaction, keys, check=self.check)

    def check_fresh(self, name: Name) -> None:
        """Refuse to change rows of a table that changed after this transaction's snapshot."""
        if not self.is_temporary(name):
            self.warehouse.locks.check_fresh(self.transaction, self.key(name))

    def query(self, sql: str, parameters: Sequence[Any] | None = None) -> Any:
        """Run DuckDB SQL inside the transaction, starting DuckDB's where it has not begun."""
        self.check()
        if not self._started:
            self.warehouse.locks.look(self.transaction)
            self._started = True  # first: a BEGIN that is interrupted may have begun
            self.cursor.execute("BEGIN")
        self._wrote = self._wrote or not _READS.match(sql)
        if parameters is None:
            return self.cursor.execute(sql)
        return self.cursor.execute(sql, parameters)

    def lookup(self, sql: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
        """Ask the catalog. Where DuckDB's transaction has not begun, this does not begin it: the catalog is no
        part of a snapshot, and the locks that the answer leads to come first."""
        rows: list[tuple[Any, ...]] = self.cursor.execute(sql, parameters).fetchall()
        return rows

    def check(self) -> None:
        """Raise when the statement was cancelled."""
        if self._cancelled.is_set():
            raise cancelled(self.query_id)

    def moment(self) -> Moment:
        """What functions of time and of the session give in this statement."""
        self.transaction  # noqa: B018 - a transaction's time is the time of its first statement
        now = datetime.datetime.now(UTC)
        return Moment(
            statement=now.replace(tzinfo=None),
            transaction=self._transaction_time.replace(tzinfo=None),
            session={
                "current_user": self.user,
                "session_user": self.user,
                "user": self.user,
                "current_user_id": 100,
                "current_schema": self.settings.search_path[0],
                "current_database": self.database.name,
                "current_namespace": self.database.namespace,
                "pg_backend_pid": self.process,
                "pg_last_copy_id": self.last_copy[0],
                "pg_last_copy_count": self.last_copy[1],
                "pg_last_query_id": self.query_id,
                "pg_last_unload_count": self.last_unload_count,
                "version": "PostgreSQL 8.0.2 on i686-pc-linux-gnu, compiled by GCC gcc (GCC) 3.4.2 20041017 "
                "(Red Hat 3.4.2-6.fc3), Redshift 1.0.138421",
            },
        )

    def apart(self) -> Any:
        """DuckDB's cursor, for a `with`, beside the transaction. It names databases; what it writes stays."""
        return self.cursor.cursor()

    def set_search_path(self, schemas: tuple[str, ...]) -> None:
        self.settings.search_path = schemas or ("public",)
        self.cursor.execute(f"SET search_path = '{search_path(self.database, self.settings.search_path)}'")

    def outside_transaction(self, command: str) -> None:
        """Refuse what Redshift refuses inside BEGIN … COMMIT."""
        if self._explicit:
            raise SqlError(f"{command} cannot run inside a transaction block")
