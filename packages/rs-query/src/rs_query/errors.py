"""Every error of rs-query, drawn:

RsQueryError
├── TerminalError              running it again unchanged gives the same
│   ├── UsageError             the arguments don't fit together (exit code 2)
│   ├── SourceError            the SQL or the parameters can't be read
│   ├── LexicalError           what is no SQL, or unterminated: file:line:column
│   ├── ParameterError         missing, unused, or not expressible as SQL
│   ├── PlanError              refused before anything ran
│   ├── ServiceError           AWS or the driver refused a call
│   ├── ResultError            there is no result set, or no Arrow type holds its values
│   └── StatementError         the server refused a statement
│       └── ExpectationError   a query answered otherwise than the script expects
└── TransientError             the same run may succeed later
    ├── ThrottledError         too many calls or too many active statements
    ├── ConnectionLostError    no answer
    ├── ConflictError          serializable isolation (1023) or a concurrent transaction
    ├── UnfinishedError        a submitted statement goes on
    └── StoppedError           cancelled from here
        ├── DeadlineError      the run's time is over
        └── RunInterrupted     SIGTERM or Ctrl-C

The message of each is one line: what, where, what to do. Each can be made again from it alone, its attributes then
being empty: wrappers around a job do so to pass it on.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_RULE = re.compile(r"-{5,}")  # Redshift draws lines around the details of an error


def one_line(text: str, limit: int = 2000) -> str:
    """`text` on one line of at most `limit` characters: error messages end in mails and job consoles."""
    flat = " ".join(_RULE.sub(" ", text).split())
    return flat if len(flat) <= limit else flat[: limit - 1] + "…"


class RsQueryError(Exception):
    """Base of all; `str()` is one line."""

    def __init__(self, message: str) -> None:
        super().__init__(one_line(message))


class TerminalError(RsQueryError):
    """Running it again unchanged gives the same."""


class TransientError(RsQueryError):
    """The same run may succeed later."""


class UsageError(TerminalError):
    """The arguments don't fit together."""


class SourceError(TerminalError):
    """The SQL or the parameters can't be read."""


class LexicalError(TerminalError):
    """A string, identifier, comment or dollar body without its end, a command of psql's, or an @expect that is none.

    `line` and `column` are where it begins.
    """

    def __init__(self, message: str, *, name: str = "", line: int = 0, column: int = 0) -> None:
        super().__init__(f"{name}:{line}:{column}: {message}" if name else message)
        self.name, self.line, self.column = name, line, column


class ParameterError(TerminalError):
    """A parameter is missing, unused, or holds what no SQL literal can express; `parameter` is its name."""

    def __init__(self, message: str, *, parameter: str = "") -> None:
        super().__init__(message)
        self.parameter = parameter


class PlanError(TerminalError):
    """Refused before anything ran."""


class ServiceError(TerminalError):
    """AWS or the driver refused a call; `code` is the service's own."""

    def __init__(self, message: str, *, code: str = "") -> None:
        super().__init__(message)
        self.code = code


class ResultError(TerminalError):
    """There is no such result set, or a value in it that its Arrow type can't hold."""


class _OfStatement(RsQueryError):
    """What StatementError and ConflictError know of the statement that failed.

    `index` says which, `line` and `column` where: its beginning, or the very place if the server named one.
    `statement_id` names it to AWS, `reason` is the server's own message, `load_errors` the rows of
    SYS_LOAD_ERROR_DETAIL for a COPY.
    """

    def __init__(
        self,
        message: str,
        *,
        reason: str = "",
        index: int = 0,
        line: int = 0,
        column: int = 0,
        statement_id: str = "",
        load_errors: Sequence[str] = (),
    ) -> None:
        super().__init__(message)
        self.reason, self.statement_id, self.index = reason, statement_id, index
        self.line, self.column, self.load_errors = line, column, tuple(load_errors)


class StatementError(_OfStatement, TerminalError):
    """The server refused a statement."""


class ExpectationError(StatementError):
    """A query answered otherwise than the script expects of it (`-- @expect …`)."""


class ThrottledError(TransientError):
    """Too many calls, or too many active statements, for as long as retrying made sense."""


class ConnectionLostError(TransientError):
    """No answer from the service; `sent` tells whether it may have got the request."""

    def __init__(self, message: str, *, sent: bool = True) -> None:
        super().__init__(message)
        self.sent = sent


class ConflictError(_OfStatement, TransientError):
    """Serializable isolation violation (1023) or a conflict with a concurrent transaction."""


class UnfinishedError(TransientError):
    """A submitted statement goes on: the time to wait for it is over, or its result was asked for too early."""


class StoppedError(TransientError):
    """The run was stopped from here, and what was running cancelled (but what another process submitted).

    `statement_id` is what was running, if anything was; `ended` how it ended: ABORTED, FAILED, or FINISHED
    where it was faster than the cancellation, or `unknown` with the reason.
    """

    statement_id: str = ""
    ended: str = ""
    signum: int = 0
    """The signal that stopped it, if one did."""


class DeadlineError(StoppedError):
    """The run's time is over."""


class RunInterrupted(StoppedError):
    """SIGTERM or Ctrl-C."""
