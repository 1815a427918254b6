"""Runs statements in the background, one thread each, and records what happens to them."""

from __future__ import annotations

import datetime
import logging
import threading
import time
import uuid
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from local_cloud.saving import cause_of
from local_cloud.services.redshift.data_api.parameters import bind
from local_cloud.services.redshift.data_api.results import ResultWriter
from local_cloud.services.redshift.data_api.sessions import KeptSession, Sessions
from local_cloud.services.redshift.data_api.statements import Statement, StatementStore
from local_cloud.services.redshift.engine.executor import Executor
from local_cloud.services.redshift.engine.messages import cancelled
from local_cloud.services.redshift.engine.session import Session
from local_cloud.services.redshift.errors import SqlError, StatementCancelled

log = logging.getLogger("local_cloud.redshift")

#: Opens a connection for a statement: (namespace, database, user, process id).
Connect = Callable[[str, str, str, int], Session]

_FIRST_PID = 1_073_741_824


class Runner:
    """`ended` is called with every statement that has come to its end; `at_work()` is around each that runs."""

    def __init__(
        self,
        store: StatementStore,
        sessions: Sessions,
        connect: Connect,
        *,
        ended: Callable[[Statement], None],
        at_work: Callable[[], AbstractContextManager[None]],
    ) -> None:
        self.store = store
        self.sessions = sessions
        self._connect = connect
        self._ended = ended
        self._at_work = at_work
        self._guard = threading.Lock()
        self._running: dict[str, Session] = {}
        self._cancelled: set[str] = set()
        self._pids = _FIRST_PID

    def submit(self, statement: Statement, session: KeptSession | None) -> None:
        """Start it. Its state is in the store from now on."""
        self.store.add(statement)
        if session is not None:
            session.statement_id = statement.id
        worker = threading.Thread(
            target=self._work, args=(statement, session), name=f"redshift-{statement.id[:8]}", daemon=True
        )
        worker.start()

    def cancel(self, *statements: Statement, patience: float = 30) -> None:
        """Stop statements that have not ended, and wait until they have, `patience` seconds at most."""
        with self._guard:
            self._cancelled.update(statement.id for statement in statements)
        deadline = time.monotonic() + patience
        # An interrupt between two queries of DuckDB is lost, so it is repeated until the statement gives in.
        while (left := [s for s in statements if not s.ended]) and time.monotonic() < deadline:
            # Within the guard: afterwards the connection may run a later statement of its session.
            with self._guard:
                for statement in left:
                    if connection := self._running.get(statement.id):
                        connection.cancel()
            self.store.wait(left[0], 0.02)

    def cancel_all(self, namespace: str) -> None:
        """Stop whatever runs in a namespace that is about to be deleted."""
        self.cancel(*(s for s in self.store.all() if s.namespace == namespace and not s.ended))

    def stop(self) -> None:
        """Interrupt everything: the process is about to end."""
        self.cancel(*(s for s in self.store.all() if not s.ended), patience=5)

    def _work(self, statement: Statement, session: KeptSession | None) -> None:
        with self._at_work():
            self._carry_out(statement, session)
        self._ended(statement)

    def _carry_out(self, statement: Statement, session: KeptSession | None) -> None:
        begun = time.perf_counter_ns()
        connection: Session | None = None
        try:
            self._set(statement, "PICKED")
            connection = self._open(statement, session)
            with self._guard:
                self._running[statement.id] = connection
            self._set(statement, "STARTED")
            if statement.batch:
                self._run_batch(statement, connection)
            else:
                self._run(statement, 0, connection)
                statement.error = statement.parts[0].error
            outcome = self._outcome(statement)
        except SqlError as error:
            outcome, statement.error = "FAILED", str(error)
            self._skip_rest(statement)
        except OSError as error:
            outcome, statement.error = "FAILED", f"ERROR: {cause_of(error)}"
            self._skip_rest(statement)
        except Exception as error:
            log.exception("statement %s failed", statement.id)
            outcome, statement.error = "FAILED", f"ERROR: internal error: {type(error).__name__}: {error}"
            self._skip_rest(statement)
        finally:
            with self._guard:
                self._running.pop(statement.id, None)
                self._cancelled.discard(statement.id)
            if session is not None:
                self.sessions.give_back(session)
            elif connection is not None:
                connection.close()
        statement.duration = time.perf_counter_ns() - begun
        # The state comes last: who sees the end sees everything that belongs to it.
        self.store.enter(statement, outcome)

    def _open(self, statement: Statement, session: KeptSession | None) -> Session:
        if session is not None and session.connection is not None:
            statement.pid = session.connection.process
            return session.connection
        with self._guard:
            self._pids += 1
            statement.pid = self._pids
        connection = self._connect(statement.namespace, statement.database, statement.user, statement.pid)
        if session is not None:
            session.connection = connection
        return connection

    def _run_batch(self, statement: Statement, connection: Session) -> None:
        """One transaction that holds whole or not at all, or each statement on its own (AUTO_COMMIT)."""
        together = statement.mode == "TRANSACTION"
        for number, part in enumerate(statement.parts):
            if together and not connection.in_transaction:
                connection.begin()
            if self._run(statement, number, connection):
                continue
            if together or part.status == "ABORTED":
                self._skip_rest(statement)
                if together:
                    connection.rollback()
            statement.error = statement.error or f"Query #{number + 1} failed with {part.error}"
            if together or part.status == "ABORTED":
                return
        if together:
            Executor(connection).commit()

    def _run(self, statement: Statement, number: int, connection: Session) -> bool:
        """One SQL text. True when it finished."""
        part = statement.parts[number]
        part.query_id, part.query_uuid = self.store.next_query_id(), str(uuid.uuid4())
        part.status, part.updated = "STARTED", time.time()
        writer = ResultWriter(self.store.result_file(statement, number), as_csv=statement.as_csv)
        begun = time.perf_counter_ns()
        try:
            if statement.id in self._cancelled:
                raise cancelled(part.query_id)
            values = {parameter["name"]: parameter["value"] for parameter in statement.parameters}
            count = Executor(connection).execute(bind(part.sql, values), query_id=part.query_id, sink=writer)
            writer.close()
            part.rows, part.size = (writer.rows, writer.size) if writer.columns is not None else (count, 0)
            part.columns, part.pages, part.status = writer.columns, writer.pages, "FINISHED"
        except SqlError as error:
            writer.discard()
            part.error = str(error)
            part.status = (
                "ABORTED" if isinstance(error, StatementCancelled) and statement.id in self._cancelled else "FAILED"
            )
        finally:
            part.duration, part.updated = time.perf_counter_ns() - begun, time.time()
        return part.status == "FINISHED"

    def _skip_rest(self, statement: Statement) -> None:
        for part in statement.parts:
            if part.status in ("SUBMITTED", "PICKED", "STARTED"):
                part.status, part.updated = "ABORTED", time.time()

    def _outcome(self, statement: Statement) -> str:
        states = [part.status for part in statement.parts]
        if statement.id in self._cancelled and "ABORTED" in states:
            return "ABORTED"
        return "FAILED" if "FAILED" in states else "FINISHED"

    def _set(self, statement: Statement, status: str) -> None:
        if not statement.batch:
            statement.parts[0].status = status
        self.store.enter(statement, status)


def history_rows(store: StatementStore) -> list[dict[str, Any]]:
    """The rows of SYS_QUERY_HISTORY, oldest first."""
    states = {"FINISHED": "success", "FAILED": "failed", "ABORTED": "canceled", "STARTED": "running"}
    rows = []
    for statement in store.all():
        for part in statement.parts:
            if not part.query_id:
                continue
            begin, end = (
                datetime.datetime.fromtimestamp(t, datetime.timezone.utc) for t in (statement.created, part.updated)
            )
            verb = part.sql.split(None, 1)[0].upper() if part.sql.split() else ""
            rows.append(
                {
                    "user_id": 100,
                    "query_id": part.query_id,
                    "query_label": "default",
                    "session_id": statement.pid,
                    "database_name": statement.database,
                    "query_type": verb if verb in _TYPES else _KINDS.get(verb, "OTHER"),
                    "status": states.get(part.status, "queued"),
                    "result_cache_hit": False,
                    "start_time": begin.replace(tzinfo=None),
                    "end_time": end.replace(tzinfo=None),
                    "elapsed_time": max(0, part.duration // 1000),
                    "queue_time": 0,
                    "execution_time": max(0, part.duration // 1000),
                    "error_message": part.error[:512] or None,
                    "returned_rows": part.rows if part.has_result else 0,
                    "returned_bytes": part.size if part.has_result else 0,
                    "query_text": part.sql[:4000],
                }
            )
    return rows[::-1]


_TYPES = ("SELECT", "INSERT", "UPDATE", "DELETE", "COPY", "UNLOAD", "MERGE", "CALL")
_KINDS = {
    "WITH": "SELECT",
    "CREATE": "DDL",
    "ALTER": "DDL",
    "DROP": "DDL",
    "TRUNCATE": "UTILITY",
    "VACUUM": "UTILITY",
    "ANALYZE": "UTILITY",
    "LOCK": "UTILITY",
    "BEGIN": "UTILITY",
    "COMMIT": "UTILITY",
    "ROLLBACK": "UTILITY",
    "SET": "UTILITY",
}
