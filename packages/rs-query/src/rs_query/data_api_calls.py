"""The Data API's calls for statements: submit, describe, wait, cancel, page; each retried where that is safe.

https://docs.aws.amazon.com/redshift/latest/mgmt/data-api.html
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any

from rs_query.binding import Bound
from rs_query.deadline import Deadline, pause
from rs_query.errors import ConnectionLostError, RsQueryError, ServiceError, ThrottledError
from rs_query.lexer import first_word
from rs_query.pages import Column, Page
from rs_query.retries import Log, retrying
from rs_query.services import call, client
from rs_query.signals import defer_signals
from rs_query.transport import Outcome, load_error, statement_error
from rs_query.values import value

ENDED = frozenset({"FINISHED", "FAILED", "ABORTED"})
_LONG_POLL = 20  # of 30 s allowed: below the idle timeouts of proxies and load balancers
_CANCEL_WAIT = 10  # seconds to see a cancelled statement end

_LOAD_ERRORS = """SELECT file_name, line_number, column_name, column_type, error_code, error_message
FROM sys_load_error_detail WHERE query_id = {} ORDER BY start_time LIMIT 10"""


@dataclass
class Submission:
    """A call that starts statements: `answer` is known even if a signal ends that call, `lost` if none came.

    Every attempt has the same `token`: a statement whose answer got lost is not submitted twice.
    """

    token: str = field(default_factory=lambda: uuid.uuid4().hex)
    answer: dict[str, Any] = field(default_factory=dict)
    lost: bool = False

    @property
    def statement_id(self) -> str:
        """The statement's id, "" if it is not known to have been submitted."""
        return str(self.answer.get("Id", ""))


class Calls:
    """The calls of one run, on one thread; making it does not connect. `log` gets the retries."""

    def __init__(self, *, log: Log) -> None:
        self._log = log

    @cached_property
    def _client(self) -> Any:
        return client("redshift-data", attempts=1)

    @cached_property
    def _long_poll(self) -> bool:
        return self.takes("DescribeStatement", "WaitTimeSeconds")

    def takes(self, operation: str, member: str) -> bool:
        """Whether the SDK's model of an operation has this parameter: older versions may not."""
        return member in self._client.meta.service_model.operation_model(operation).input_shape.members

    def submit(
        self, bound: Sequence[Bound], where: dict[str, Any], *, submission: Submission, deadline: Deadline
    ) -> None:
        """Start one statement, or several as one transaction; `submission` gets the answer."""
        parameters = {name: text for one in bound for name, text in one.parameters.items()}
        request: dict[str, Any] = {**where, "ClientToken": submission.token}
        if parameters:
            request["Parameters"] = [{"name": name, "value": text} for name, text in parameters.items()]
        if len(bound) == 1:
            start = partial(self._client.execute_statement, Sql=bound[0].sql, **request)
        else:
            start = partial(self._client.batch_execute_statement, Sqls=[one.sql for one in bound], **request)

        def attempt() -> None:
            try:
                with defer_signals():
                    submission.answer = call(start)
            except ConnectionLostError as error:
                submission.lost = submission.lost or error.sent
                raise

        try:
            self._retrying(attempt, deadline)
        except BaseException:
            if submission.lost and not submission.answer:  # it may run all the same: the token gets its id
                with suppress(RsQueryError):
                    attempt()
            raise

    def wait(self, statement_id: str, deadline: Deadline) -> dict[str, Any]:
        """Return the description of a statement once it has ended. Raises DeadlineError."""
        began = time.monotonic()
        while True:
            asked = time.monotonic()
            held = int(min(deadline.remaining(), _LONG_POLL)) if self._long_poll else 0
            description = self.describe(statement_id, deadline, held=held)
            if description["Status"] in ENDED:
                return description
            deadline.check()
            if time.monotonic() - asked < held * 0.9 or not held:  # answered without being held
                deadline.sleep(pause(time.monotonic() - began))

    def describe(self, statement_id: str, deadline: Deadline, *, held: int = 0) -> dict[str, Any]:
        """Return the description of a statement, after at most `held` seconds of long poll."""

        def attempt() -> dict[str, Any]:
            wait = {"WaitTimeSeconds": held} if held and self._long_poll else {}
            try:
                return call(partial(self._client.describe_statement, Id=statement_id, **wait))
            except ServiceError as error:
                if error.code != "ActiveWaitingRequestsExceededException" or not wait:
                    raise
                self._long_poll = False  # too many others wait; short looks need no slot
                return attempt()

        description: dict[str, Any] = self._retrying(attempt, deadline)
        return description

    def cancel(self, statement_id: str) -> dict[str, Any]:
        """Cancel a statement and return its description once it has ended, which it may have done by itself.

        Raises the refusal of one that goes on, and DeadlineError for one that does not end.
        """
        deadline = Deadline(_CANCEL_WAIT)
        with defer_signals():
            try:
                self._retrying(partial(call, partial(self._client.cancel_statement, Id=statement_id)), deadline)
            except RsQueryError:
                description = self.describe(statement_id, deadline)
                if description["Status"] not in ENDED:
                    raise
                return description
            return self.wait(statement_id, deadline)

    def failure(self, bound: Sequence[Bound], description: dict[str, Any], *, where: dict[str, Any]) -> RsQueryError:
        """Return the error of statements that did not finish; `where` is the database that has the load errors of a
        COPY.
        """
        parts = [description] if len(bound) == 1 else description.get("SubStatements", [])
        failed = next((i for i, part in enumerate(parts) if part["Status"] == "FAILED"), None)
        if failed is None:
            failed = next((i for i, part in enumerate(parts) if part["Status"] == "ABORTED"), 0)
        part = parts[failed] if parts else description
        reason = part.get("Error") or description.get("Error")
        if not reason:
            reason = "cancelled by somebody else" if description["Status"] == "ABORTED" else "failed, without a reason"
        rows, unread = self._load_errors(part, where) if first_word(bound[failed].sql) == "COPY" else ([], "")
        return statement_error(bound[failed], reason, statement_id=part["Id"], load_errors=rows, unread=unread)

    def outcome(self, part: dict[str, Any]) -> Outcome:
        """Return what the description of a finished statement says of it."""
        rows = part.get("ResultRows", -1)
        return Outcome(
            statement_id=part["Id"],
            seconds=seconds(part),
            rows=rows if rows >= 0 else None,
            pages=partial(self.pages, part["Id"], Deadline(None)) if part.get("HasResultSet") else None,
        )

    def pages(self, statement_id: str, deadline: Deadline) -> Iterator[Page]:
        """Yield the result set of a statement; holds one page of it."""
        token: dict[str, str] = {}
        columns: tuple[Column, ...] = ()
        while True:
            fetch = partial(self._client.get_statement_result, Id=statement_id, **token)
            response = self._retrying(partial(call, fetch), deadline)
            columns = columns or tuple(map(_column, response.get("ColumnMetadata", [])))
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

    def aside(self, sql: str, where: dict[str, Any]) -> list[tuple[Any, ...]]:
        """Return the rows of a statement that is run after a failure; its own failure is logged and raised."""
        deadline = Deadline(_CANCEL_WAIT)
        try:
            with defer_signals():
                started = call(partial(self._client.execute_statement, Sql=sql, **where))
            done = self.wait(started["Id"], deadline)
            if done["Status"] != "FINISHED":
                raise ServiceError(done.get("Error", done["Status"]))
            if not done.get("HasResultSet"):
                return []
            return [row for page in self.pages(started["Id"], deadline) for row in page.rows]
        except RsQueryError as error:
            self._log({"event": "aside", "sql": sql, "error": str(error)})
            raise

    def _load_errors(self, part: dict[str, Any], where: dict[str, Any]) -> tuple[list[str], str]:
        """Read what COPY wrote to SYS_LOAD_ERROR_DETAIL, a line a row, or why it can't be read."""
        query_id = part.get("RedshiftQueryId") or 0
        if query_id <= 0:
            return [], ""
        try:
            return [load_error(row) for row in self.aside(_LOAD_ERRORS.format(int(query_id)), where)], ""
        except RsQueryError as error:
            return [], str(error)

    def _retrying(self, action: Any, deadline: Deadline) -> Any:
        return retrying(action, on=(ThrottledError, ConnectionLostError), deadline=deadline, log=self._log)


def seconds(part: Mapping[str, Any]) -> float:
    """Return how long a described statement has run; its Duration is in nanoseconds, negative until it is known."""
    return float(max(0.0, part.get("Duration", 0) / 1e9))


def _column(meta: dict[str, Any]) -> Column:
    name, kind = meta.get("label") or meta["name"], meta.get("typeName", "")
    if kind.lower() not in ("numeric", "decimal") or not meta.get("precision"):
        return Column(name, kind)
    return Column(name, kind, meta["precision"], meta.get("scale", 0))
