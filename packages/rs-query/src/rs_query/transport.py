"""The one seam of the runner: what carries statements to a server and outcomes back."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

from rs_query.binding import Bound
from rs_query.deadline import Deadline
from rs_query.errors import ConflictError, StatementError, one_line
from rs_query.pages import Page
from rs_query.statements import Statement

#: https://docs.aws.amazon.com/redshift/latest/dg/c_serializable_isolation-serializable-isolation-troubleshooting.html
_CONFLICT = re.compile(
    r"\berror:? 1023\b|serializable isolation violation|conflict(s|ed)? with (a )?concurrent transaction",
    re.IGNORECASE,
)


_POSITION = re.compile(r"\bPosition: ([1-9]\d*)\s*$")


@dataclass(frozen=True)
class Target:
    """Which database: a serverless workgroup or a provisioned cluster, and the secret to log in with, if any."""

    database: str
    workgroup: str = ""
    cluster: str = ""
    secret_arn: str = ""


@dataclass(frozen=True)
class Cancelled:
    """What was cancelled, and how it ended: ABORTED, FAILED, FINISHED (it was faster), or unknown, with the reason."""

    statement_id: str
    ended: str


@dataclass(frozen=True)
class Outcome:
    """One statement that has run: `rows` returned or affected (None where the server doesn't say)."""

    statement_id: str
    seconds: float
    rows: int | None
    pages: Callable[[], Iterator[Page]] | None
    """Where its result set is, page by page; None if it has none."""


class Transport(Protocol):
    """Carries statements. One object serves one run, on one thread; making it does not connect."""

    batch_limit: ClassVar[int]
    """How many statements one call can run as a transaction; 1 where there is no such call."""
    statement_limit: ClassVar[int]
    """The longest statement, in bytes."""
    cancelled: Cancelled | None
    """What `execute` had to cancel before it raised, if anything."""

    def mark(self, statement: Statement, name: str, number: int) -> str | None:
        """See binding.Mark."""

    def binds_in_batches(self) -> bool:
        """Whether a call that runs several statements takes parameters; else their values are written as literals."""

    def open_session(self) -> None:
        """Run all statements in one session of the server, from now on until `close`."""

    def execute(self, bound: Sequence[Bound], deadline: Deadline) -> list[Outcome]:
        """Run one statement, or several as one transaction, and wait.

        Raises StatementError or ConflictError if the server refuses; whatever ends the wait otherwise
        (DeadlineError, a signal) leaves nothing running.
        """

    def close(self, *, failed: bool) -> None:
        """End the session, if one is open; after a failure, undo what is open in it. The next `execute` opens one."""


def load_error(row: Sequence[object]) -> str:
    """Return a row of SYS_LOAD_ERROR_DETAIL as text: file, line, column, type, code, message."""
    file, line, column, kind, code, message = (one_line(str(cell)) for cell in row)
    return f"load error in {file}, line {line}, column {column} ({kind}): {message} (code {code})"


def statement_error(
    bound: Bound, reason: str, *, statement_id: str = "", load_errors: Sequence[str] = (), unread: str = ""
) -> StatementError | ConflictError:
    """Return the error that says all that is known: file:line:column, index, first words, reason, id, load errors.

    `unread` is why there are no load errors, if they could not be read.
    """
    statement = bound.statement
    position = _POSITION.search(reason)
    # The server counts in the SQL that it got; what it binds itself may have moved what follows.
    offset = bound.offset(int(position[1]) - 1) if position and not bound.parameters else 0
    line, column = statement.place(offset)
    message = f"{statement.name}:{line}:{column}: statement {statement.index} ({statement.first_words}): {reason}"
    if statement_id:
        message += f" [statement id {statement_id}]"
    for row in load_errors:
        message += f"; {row}"
    if unread:
        message += f"; its load errors could not be read: {unread}"
    kind = ConflictError if _CONFLICT.search(reason) else StatementError
    return kind(
        message,
        reason=reason,
        index=statement.index,
        line=line,
        column=column,
        statement_id=statement_id,
        load_errors=load_errors,
    )
