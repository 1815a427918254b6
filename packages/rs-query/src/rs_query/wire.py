"""Statements over redshift_connector, for result sets beyond the Data API's limits: rs-query[wire]."""

from __future__ import annotations

import struct
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, ClassVar, TypeVar

from rs_query.background import Task
from rs_query.binding import Bound
from rs_query.deadline import Deadline
from rs_query.errors import ConnectionLostError, RsQueryError, ServiceError, UsageError
from rs_query.lexer import first_word
from rs_query.login import login
from rs_query.pages import Column, Page
from rs_query.retries import Log, retrying
from rs_query.signals import defer_signals
from rs_query.spool import Spool
from rs_query.statements import Statement
from rs_query.transport import Cancelled, Outcome, Target, load_error, statement_error

T = TypeVar("T")
_CANCEL_WAIT = 10  # seconds to see a cancelled statement end
#: What PostgreSQL adds to precision << 16 | scale in the modifier of a numeric; less says that there is none.
#: https://github.com/postgres/postgres/blob/REL8_0_STABLE/src/backend/utils/adt/numeric.c
_NUMERIC_MODIFIER = 4
#: Names of types as the Data API has them, by the driver's.
_TYPES = {
    "bigint": "int8",
    "boolean": "bool",
    "float": "float8",
    "integer": "int4",
    "real": "float4",
    "smallint": "int2",
    "string": "varchar",
}
_LOAD_ERRORS = """SELECT file_name, line_number, column_name, column_type, error_code, error_message
FROM sys_load_error_detail WHERE session_id = pg_backend_pid() ORDER BY start_time DESC LIMIT 10"""


class Wire:
    """The transport of the wire protocol; see transport.Transport.

    The driver blocks and can't be interrupted, so that it works on a thread of its own while this one keeps the
    deadline and takes the signals; cancelling ends the server's session over a second connection.
    """

    batch_limit: ClassVar[int] = 1
    statement_limit: ClassVar[int] = (
        16 * 1024 * 1024
    )  # https://docs.aws.amazon.com/redshift/latest/dg/c_SQL_commands.html

    def __init__(self, target: Target, *, log: Log) -> None:
        try:
            import redshift_connector
        except ImportError:
            raise UsageError(
                "the wire needs redshift-connector, which rs-query[wire] brings: pip install redshift-connector"
            ) from None
        self._driver = redshift_connector
        self._target, self._log = target, log
        self._connection: Any = None
        self._pid = 0
        self.cancelled: Cancelled | None = None

    def mark(self, statement: Statement, name: str, number: int) -> str | None:
        """`$1`, which the driver passes on untouched unless the text holds a `?` for it to find."""
        return None if "?" in statement.text else f"${number}"

    def binds_in_batches(self) -> bool:
        return True

    def open_session(self) -> None:
        """Do nothing: a connection is a session."""

    def close(self, *, failed: bool) -> None:
        """Close the connection; the server rolls back what it leaves open."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(self._driver.Error, OSError, ValueError):
                connection.close()

    def execute(self, bound: Sequence[Bound], deadline: Deadline) -> list[Outcome]:
        (one,) = bound
        if self._connection is None:
            connect = partial(self._in_background, self._connect, deadline)
            self._connection, self._pid = retrying(connect, on=(ConnectionLostError,), deadline=deadline, log=self._log)
        began = time.monotonic()
        try:
            columns, rows, count = self._in_background(partial(self._query, one.sql, one.parameters), deadline)
        except (self._driver.Error, OSError, struct.error) as error:
            raise self._failure(one, error, deadline) from None
        pages = partial(_pages, columns, rows) if columns else None
        return [Outcome(f"pid {self._pid}", time.monotonic() - began, count if count >= 0 else None, pages)]

    def _connect(self) -> tuple[Any, int]:
        given = login(self._target)
        try:
            connection = self._driver.connect(
                host=given.host,
                port=given.port,
                database=self._target.database,
                user=given.user,
                password=given.password,
                application_name="rs-query",
            )
            connection.autocommit = True
            cursor = connection.cursor()
            cursor.execute("SELECT pg_backend_pid()")
            return connection, int(cursor.fetchone()[0])
        except (self._driver.InterfaceError, self._driver.OperationalError, OSError) as error:
            raise ConnectionLostError(f"{given.host}:{given.port}: {_reason(error)}") from None
        except self._driver.Error as error:
            raise ServiceError(f"{given.host}:{given.port}: {_reason(error)}") from None

    def _query(self, sql: str, parameters: dict[str, str]) -> tuple[tuple[Column, ...], Spool, int]:
        cursor = self._connection.cursor()
        cursor.paramstyle = "qmark"
        rows = Spool()
        if not hasattr(cursor, "_cached_rows"):
            raise ServiceError("this version of redshift_connector collects rows in a way not known; install 2.x")
        cursor._cached_rows = rows  # the driver reads whole results; this keeps them out of memory
        if parameters:
            cursor.execute(sql, list(parameters.values()))
        else:
            cursor.execute(sql)
        described = zip(cursor.description or (), cursor.ps["row_desc"])
        columns = tuple(self._column(name, oid, more["type_modifier"]) for (name, oid, *_), more in described)
        return columns, rows, len(rows) if columns else cursor.rowcount

    def _column(self, name: str, oid: int, modifier: int) -> Column:
        kind = self._type(oid)
        if kind != "numeric" or modifier < _NUMERIC_MODIFIER:
            return Column(name, kind)
        precision, scale = divmod(modifier - _NUMERIC_MODIFIER, 1 << 16)
        return Column(name, kind, precision, scale)

    def _type(self, oid: int) -> str:
        from redshift_connector.utils.oids import RedshiftOID

        try:
            name = str(RedshiftOID(oid).name).lower()
        except ValueError:
            return str(oid)
        return _TYPES.get(name, name)

    def _in_background(self, action: Callable[[], T], deadline: Deadline) -> T:
        """Run `action` on another thread; whatever ends the wait ends the server's session too."""
        task = Task(action)
        try:
            if not task.wait(deadline.remaining()):
                deadline.check()
        except BaseException:
            if self._connection is not None:
                with defer_signals():
                    self._cancel(task)
            raise
        return task.result()

    def _cancel(self, task: Task[Any]) -> None:
        """End the server's session, and note how the statement ended; does not raise: another error is on its way."""
        killing = Task(self._end_session)
        try:
            if not killing.wait(_CANCEL_WAIT):
                raise ConnectionLostError("no second connection to cancel it by")
            killing.result()
            if not task.wait(_CANCEL_WAIT):
                raise ConnectionLostError("it goes on although its session was ended")
            ended = "ABORTED" if task.errors else "FINISHED"
        except (RsQueryError, self._driver.Error, OSError) as error:
            ended = f"unknown ({error})"
        self.cancelled = Cancelled(f"pid {self._pid}", ended)
        self._log({"event": "cancel", "id": f"pid {self._pid}", "ended": ended})

    def _end_session(self) -> None:
        connection, _ = self._connect()
        # Unlike pg_cancel_backend this also ends a statement inside BEGIN … COMMIT:
        # https://docs.aws.amazon.com/redshift/latest/dg/PG_TERMINATE_BACKEND.html
        connection.cursor().execute(f"SELECT pg_terminate_backend({self._pid})")
        connection.close()

    def _failure(self, bound: Bound, error: Exception, deadline: Deadline) -> RsQueryError:
        reason = _reason(error)
        if _answer(error) is None:
            return ConnectionLostError(f"{bound.statement.what}: {reason.rstrip('.')}; whether it ran is unknown")
        load_errors: list[str] = []
        unread = ""
        if first_word(bound.sql) == "COPY":
            try:
                self._in_background(partial(self._query, "ROLLBACK", {}), deadline)
                _, rows, _ = self._in_background(partial(self._query, _LOAD_ERRORS, {}), deadline)
                load_errors = [load_error(row) for page in rows.pages() for row in page]
            except Exception as failure:
                unread = _reason(failure)
        return statement_error(bound, reason, statement_id=f"pid {self._pid}", load_errors=load_errors, unread=unread)


def _answer(error: Exception) -> dict[str, str] | None:
    """Return the fields of the server's ErrorResponse; None if the server did not answer.

    https://www.postgresql.org/docs/8.0/protocol-error-fields.html
    """
    fields = error.args[0] if error.args else None
    return fields if isinstance(fields, dict) else None


def _reason(error: Exception) -> str:
    fields = _answer(error)
    if fields is None:
        return ": ".join(str(part) for part in error.args) or type(error).__name__
    parts = [fields.get("M", ""), fields.get("D", "")]
    return f"{fields.get('S', 'ERROR')}: {' DETAIL: '.join(part for part in parts if part)}"


def _pages(columns: tuple[Column, ...], rows: Spool) -> Iterator[Page]:
    for page in rows.pages():
        yield Page(columns, page)
