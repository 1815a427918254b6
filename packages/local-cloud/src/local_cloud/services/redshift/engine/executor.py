"""Runs statements on a session: from their text to their rows, or to their error in Redshift's words."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

from local_cloud.services.redshift.engine import load_errors
from local_cloud.services.redshift.engine.messages import cancelled, translate
from local_cloud.services.redshift.engine.session import Session
from local_cloud.services.redshift.engine.statement import Rows, RunningStatement, Sink
from local_cloud.services.redshift.errors import LoadError, SqlError, StatementCancelled, TransactionAborted
from local_cloud.services.redshift.sql import statements
from local_cloud.services.redshift.sql.parser import parse


class Executor:
    """Runs the statements of one session, one after the other."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def execute(self, sql: str, *, query_id: int, sink: Sink) -> int:
        """Run one statement. The number of rows it returned or changed; SqlError when it failed."""
        session = self._session
        session.start_statement(query_id)
        running = RunningStatement(sql, query_id, sink, self._execute_inner)
        statement: statements.Statement | None = None
        with self._deadline():
            try:
                statement = parse(sql)
                if session.aborted and not isinstance(statement, (statements.Commit, statements.Rollback)):
                    raise TransactionAborted
                count = self._dispatch(statement, running)
                session.finish_statement()
                return count
            except Exception as error:
                failure, transaction = self._failure(error, running), session.transaction_number
                session.fail_statement()
                if isinstance(failure, LoadError):
                    table = getattr(statement, "table", ())
                    load_errors.record(session, table, failure.details, transaction=transaction)
                raise failure from None

    def commit(self) -> None:
        """Commit the transaction that `begin` started. SqlError when it failed."""
        try:
            self._session.commit()
        except Exception as error:
            raise translate(error, RunningStatement("COMMIT", 0, Rows(0), self._execute_inner)) from None

    def _execute_inner(self, sql: str, sink: Sink) -> int:
        """Run one statement of a procedure, in the transaction of its CALL."""
        statement = parse(sql)
        running = RunningStatement(sql, self._session.query_id, sink, self._execute_inner)
        try:
            return self._dispatch(statement, running)
        except Exception as error:
            raise self._failure(error, running) from None

    def _dispatch(self, statement: statements.Statement, running: RunningStatement) -> int:
        # Here, because it imports sqlglot: the first statement does, not the start of the server.
        from local_cloud.services.redshift.engine.commands import COMMANDS

        return COMMANDS[type(statement)](self._session, statement, running)

    def _failure(self, error: Exception, running: RunningStatement) -> SqlError:
        failure = translate(error, running)
        if isinstance(failure, StatementCancelled) or self._session.cancelled:
            return cancelled(running.query_id)
        return failure

    @contextlib.contextmanager
    def _deadline(self) -> Iterator[None]:
        """statement_timeout, in milliseconds; 0 is none."""
        milliseconds = self._session.settings.statement_timeout
        timer = threading.Timer(milliseconds / 1000, self._session.cancel) if milliseconds else None
        if timer:
            timer.daemon = True
            timer.start()
        try:
            yield
        finally:
            if timer:
                timer.cancel()
                timer.join()  # what it may be stopping is this statement, not the next
