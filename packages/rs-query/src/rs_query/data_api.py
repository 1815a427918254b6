"""The transport of the Redshift Data API: statements through calls that return at once.

https://docs.aws.amazon.com/redshift/latest/mgmt/data-api.html
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any, ClassVar

from rs_query.binding import Bound
from rs_query.data_api_calls import Calls, Submission
from rs_query.deadline import Deadline
from rs_query.errors import RsQueryError
from rs_query.retries import Log
from rs_query.signals import defer_signals
from rs_query.statements import Statement
from rs_query.transport import Cancelled, Outcome, Target

#: Seconds that a session outlives its last statement: more than a pause between two retries, and not much more,
#: since a transaction of a run that was killed keeps its locks that long.
_SESSION_IDLE = 60


class DataApi:
    """The transport of the Data API; see transport.Transport."""

    batch_limit: ClassVar[int] = 40
    statement_limit: ClassVar[int] = 100 * 1024

    def __init__(self, target: Target, *, log: Log) -> None:
        self._log = log
        self._calls = Calls(log=log)
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
        """Not before botocore 1.42.90."""
        return self._calls.takes("BatchExecuteStatement", "Parameters")

    def open_session(self) -> None:
        self._where = self._target | {"SessionKeepAliveSeconds": _SESSION_IDLE}

    def close(self, *, failed: bool) -> None:
        """After a failure, roll back: else the session would keep its locks until it expires."""
        if failed and "SessionId" in self._where:
            with defer_signals(), suppress(RsQueryError):  # it is logged; the failure before it is on its way
                self._calls.aside("ROLLBACK", self._where)
        self._where = self._target

    def submit(self, bound: Sequence[Bound], deadline: Deadline, *, submission: Submission) -> None:
        """Start one statement, or several as one transaction, and do not wait; `submission` gets the id."""
        self._calls.submit(bound, self._where, submission=submission, deadline=deadline)

    def execute(self, bound: Sequence[Bound], deadline: Deadline) -> list[Outcome]:
        submission = Submission()
        try:
            self.submit(bound, deadline, submission=submission)
            if "SessionKeepAliveSeconds" in self._where:
                session = {"SessionId": submission.answer["SessionId"]}
                self._where = session | {"SessionKeepAliveSeconds": _SESSION_IDLE}
            description = self._calls.wait(submission.statement_id, deadline)
        except BaseException:
            self.cancel(submission)
            raise
        if description["Status"] != "FINISHED":
            raise self._calls.failure(bound, description, where=self._target)
        parts = [description] if len(bound) == 1 else description["SubStatements"]
        return [self._calls.outcome(part) for part in parts]

    def cancel(self, submission: Submission) -> None:
        """Cancel what was submitted, and note how it ended; does not raise, since another error is on its way."""
        if not submission.answer:
            self.cancelled = Cancelled("", "unknown (its submission got no answer)") if submission.lost else None
            return
        try:
            ended = str(self._calls.cancel(submission.statement_id)["Status"])
        except RsQueryError as error:
            ended = f"unknown ({error})"
        self.cancelled = Cancelled(submission.statement_id, ended)
        self._log({"event": "cancel", "id": submission.statement_id, "ended": ended})
