"""Statements through the Redshift Data API: submit, wait, cancel, page.

https://docs.aws.amazon.com/redshift/latest/mgmt/data-api.html
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import cached_property, partial
from typing import Any, ClassVar

from rs_query.binding import Bound
from rs_query.deadline import Deadline, pause
from rs_query.errors import ConnectionLostError, RsQueryError, ServiceError, ThrottledError
from rs_query.lexer import first_word
from rs_query.results import Column, Page, value
from rs_query.retries import Log, retrying
from rs_query.services import call, client
from rs_query.signals import shielded
from rs_query.statements import Statement
from rs_query.transport import Cancelled, Outcome, Target, load_error, statement_error

_DONE = frozenset({"FINISHED", "FAILED", "ABORTED"})
_LONG_POLL = 20  # of 30 s allowed: below the idle timeouts of proxies and load balancers
#: Seconds that a session outlives its last statement: more than a pause between two retries, and not much more,
#: since a transaction of a run that was killed keeps its locks that long.
_SESSION_IDLE = 60
_CANCEL_WAIT = 10  # seconds to see a cancelled statement end

_LOAD_ERRORS = """SELECT file_name, line_number, column_name, column_type, error_code, error_message
FROM sys_load_error_detail WHERE query_id = {} ORDER BY start_time LIMIT 10"""


class DataApi:
    """The transport of the Data API; see transport.Transport."""

    batch_limit: ClassVar[int] = 40
    statement_limit: ClassVar[int] = 100 * 1024

    def __init__(self, target: Target, *, log: Log) -> None:
        self._log = log
        self._target = {
            key: given
            for key, given in {
                "Database": target.database,
                "WorkgroupName": target.workgroup,
                "ClusterIdentifier": target.cluster,
                "SecretArn": target.secret_arn,
            }.items()
            if given
        }
        self._where: dict[str, Any] = self._target
        self.cancelled: Cancelled | None = None

    def mark(self, statement: Statement, name: str, number: int) -> str | None:
        return f":{name}"

    def binds_in_batches(self) -> bool:
        """Asked of the SDK's model: botocore before 1.42.90 has no Parameters there."""
        shape = self._client.meta.service_model.operation_model("BatchExecuteStatement").input_shape
        return "Parameters" in shape.members

    @cached_property
    def _client(self) -> Any:
        return client("redshift-data", attempts=1)

    @cached_property
    def _long_poll(self) -> bool:
        """Asked of the SDK's model, which has long polling in newer versions only."""
        shape = self._client.meta.service_model.operation_model("DescribeStatement").input_shape
        return "WaitTimeSeconds" in shape.members

    def open_session(self) -> None:
        self._where = self._target | {"SessionKeepAliveSeconds": _SESSION_IDLE}

    def close(self, *, failed: bool) -> None:
        """After a failure, roll back: else the session would keep its locks until it expires."""
        if failed and "SessionId" in self._where:
            with shielded(), suppress(RsQueryError):  # it is logged; the failure before it is on its way
                self._aside("ROLLBACK", self._where)
        self._where = self._target

    def execute(self, bound: Sequence[Bound], deadline: Deadline) -> list[Outcome]:
        started: list[dict[str, Any]] = []
        try:
            self._submit(bound, deadline, started)
            description = self._wait(started[0]["Id"], deadline)
        except BaseException:
            if started:
                self._cancel(started[0]["Id"])
            raise
        if description["Status"] != "FINISHED":
            raise self._failure(bound, description)
        parts = [description] if len(bound) == 1 else description["SubStatements"]
        return [self._outcome(part) for part in parts]

    def _submit(self, bound: Sequence[Bound], deadline: Deadline, started: list[dict[str, Any]]) -> None:
        """Leaves the answer in `started`, so that it is known even if a signal ends this call."""
        parameters = {name: text for one in bound for name, text in one.parameters.items()}
        # The same token on every attempt: a statement whose answer got lost is not submitted twice.
        request: dict[str, Any] = {**self._where, "ClientToken": uuid.uuid4().hex}
        if parameters:
            request["Parameters"] = [{"name": name, "value": text} for name, text in parameters.items()]
        if len(bound) == 1:
            submit = partial(self._client.execute_statement, Sql=bound[0].sql, **request)
        else:
            submit = partial(self._client.batch_execute_statement, Sqls=[one.sql for one in bound], **request)

        lost: list[ConnectionLostError] = []

        def attempt() -> None:
            try:
                with shielded():
                    started.append(call(submit))
            except ConnectionLostError as error:
                if error.sent:
                    lost.append(error)
                raise

        try:
            retrying(attempt, on=(ThrottledError, ConnectionLostError), deadline=deadline, log=self._log)
        except BaseException:
            if lost and not started:  # it may run all the same: the token gets its id, by which it is cancelled
                self.cancelled = Cancelled("", "unknown (its submission got no answer)")
                with suppress(RsQueryError):
                    attempt()
            raise
        if "SessionKeepAliveSeconds" in self._where:
            self._where = {"SessionId": started[0]["SessionId"], "SessionKeepAliveSeconds": _SESSION_IDLE}

    def _wait(self, statement_id: str, deadline: Deadline) -> dict[str, Any]:
        """The description of a statement once it has ended."""
        began = time.monotonic()
        while True:
            asked = time.monotonic()
            held = int(min(deadline.remaining(), _LONG_POLL)) if self._long_poll else 0
            description = self._describe(statement_id, deadline, held)
            if description["Status"] in _DONE:
                return description
            deadline.check()
            if time.monotonic() - asked < held * 0.9 or not held:  # answered without being held
                deadline.sleep(pause(time.monotonic() - began))

    def _describe(self, statement_id: str, deadline: Deadline, held: int) -> dict[str, Any]:
        """The description of a statement, after at most `held` seconds of long poll."""

        def attempt() -> dict[str, Any]:
            wait = {"WaitTimeSeconds": held} if held and self._long_poll else {}
            try:
                return call(partial(self._client.describe_statement, Id=statement_id, **wait))
            except ServiceError as error:
                if error.code != "ActiveWaitingRequestsExceededException" or not wait:
                    raise
                self._long_poll = False  # too many others wait; short looks need no slot
                return attempt()

        return retrying(attempt, on=(ThrottledError, ConnectionLostError), deadline=deadline, log=self._log)

    def _cancel(self, statement_id: str) -> None:
        """Cancel, and note how the statement ended; does not raise, since another error is on its way."""
        deadline = Deadline(_CANCEL_WAIT)
        cancel = partial(call, partial(self._client.cancel_statement, Id=statement_id))
        refusal = ""
        with shielded():
            try:
                retrying(cancel, on=(ThrottledError, ConnectionLostError), deadline=deadline, log=self._log)
            except RsQueryError as error:  # perhaps it has just ended by itself
                refusal = str(error)
            try:
                ended = str(self._wait(statement_id, deadline)["Status"])
            except RsQueryError as error:
                ended = f"unknown ({refusal or error})"
            self.cancelled = Cancelled(statement_id, ended)
            self._log({"event": "cancel", "id": statement_id, "ended": ended})

    def _failure(self, bound: Sequence[Bound], description: dict[str, Any]) -> RsQueryError:
        parts = [description] if len(bound) == 1 else description.get("SubStatements", [])
        failed = next((i for i, part in enumerate(parts) if part["Status"] == "FAILED"), None)
        if failed is None:
            failed = next((i for i, part in enumerate(parts) if part["Status"] == "ABORTED"), 0)
        part = parts[failed] if parts else description
        reason = part.get("Error") or description.get("Error")
        if not reason:
            reason = "cancelled by somebody else" if description["Status"] == "ABORTED" else "failed, without a reason"
        rows, unread = self._load_errors(part) if first_word(bound[failed].sql) == "COPY" else ([], "")
        return statement_error(bound[failed], reason, statement_id=part["Id"], load_errors=rows, unread=unread)

    def _load_errors(self, part: dict[str, Any]) -> tuple[list[str], str]:
        """What COPY wrote to SYS_LOAD_ERROR_DETAIL, a line a row, and why it can't be read, if it can't."""
        query_id = part.get("RedshiftQueryId") or 0
        if query_id <= 0:
            return [], ""
        try:
            return [load_error(row) for row in self._aside(_LOAD_ERRORS.format(int(query_id)), self._target)], ""
        except RsQueryError as error:
            return [], str(error)

    def _aside(self, sql: str, where: dict[str, Any]) -> list[tuple[Any, ...]]:
        """The rows of a statement of our own, run after a failure. Its own is logged, and raised for who wants it."""
        deadline = Deadline(_CANCEL_WAIT)
        try:
            with shielded():
                started = call(partial(self._client.execute_statement, Sql=sql, **where))
            done = self._wait(started["Id"], deadline)
            if done["Status"] != "FINISHED":
                raise ServiceError(done.get("Error", done["Status"]))
            if not done.get("HasResultSet"):
                return []
            return [row for page in self._pages(started["Id"], deadline) for row in page.rows]
        except RsQueryError as error:
            self._log({"event": "aside", "sql": sql, "error": str(error)})
            raise

    def _outcome(self, part: dict[str, Any]) -> Outcome:
        rows = part.get("ResultRows", -1)
        return Outcome(
            statement_id=part["Id"],
            seconds=max(0, part.get("Duration", 0)) / 1e9,
            rows=rows if rows >= 0 else None,
            pages=partial(self._pages, part["Id"], Deadline(None)) if part.get("HasResultSet") else None,
        )

    def _pages(self, statement_id: str, deadline: Deadline) -> Iterator[Page]:
        token: dict[str, str] = {}
        columns: tuple[Column, ...] = ()
        while True:
            fetch = partial(self._client.get_statement_result, Id=statement_id, **token)
            response = retrying(
                partial(call, fetch), on=(ThrottledError, ConnectionLostError), deadline=deadline, log=self._log
            )
            columns = columns or tuple(
                Column(meta.get("label") or meta["name"], meta.get("typeName", ""))
                for meta in response.get("ColumnMetadata", [])
            )
            yield Page(
                columns,
                [
                    tuple(value(cell, column.type) for cell, column in zip(record, columns))
                    for record in response["Records"]
                ],
            )
            if not response.get("NextToken"):
                return
            token = {"NextToken": response["NextToken"]}
