"""Statements by their id: submitted by one process, waited for, looked at or cancelled by others.

Everything is in the Data API, which keeps statements and results for 24 hours; nothing is kept here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rs_query.api import TIMEOUT, Script, check_target, log_nothing, plan_for
from rs_query.binding import Bound
from rs_query.data_api import DataApi
from rs_query.data_api_calls import ENDED, Calls, Submission, seconds
from rs_query.deadline import Deadline
from rs_query.errors import (
    ConnectionLostError,
    DeadlineError,
    RsQueryError,
    RunInterrupted,
    StoppedError,
    UnfinishedError,
    UsageError,
)
from rs_query.literals import Params
from rs_query.plan import Plan, check_one_call
from rs_query.results import Result
from rs_query.retries import Log
from rs_query.runner import Run
from rs_query.signals import Interruption, interruptible, list_unhandled
from rs_query.statements import Statement
from rs_query.transport import Cancelled, Target

_TOKEN = 64  # characters, by the Data API's model


@dataclass(frozen=True)
class Status:
    """What the Data API says of a submitted statement: `seconds` it has run, and its `rows`, None if not known.

    `status` is SUBMITTED, PICKED, STARTED, FINISHED, FAILED or ABORTED; `statements` are those of a transaction.
    """

    statement_id: str
    status: str
    statement: str
    seconds: float
    rows: int | None
    error: str
    statements: tuple[Status, ...] = ()

    @property
    def ended(self) -> bool:
        """Whether it is FINISHED, FAILED or ABORTED."""
        return self.status in ENDED


def submit(
    sql: str | Script,
    *,
    database: str,
    workgroup: str = "",
    cluster: str = "",
    secret_arn: str = "",
    params: Params | None = None,
    transaction: bool = False,
    token: str = "",
    timeout: float | None = TIMEOUT,
    log: Log | None = None,
) -> str:
    """Submit SQL as one call of the Data API and return its statement id, without waiting for its end.

    The arguments are those of `run`; several statements need `transaction`. With a `token` of up to 64 characters
    it is idempotent: the same submission with the same token is made once, and has the same id. `timeout` is for
    the submission alone, which waits while AWS has no room for it.

    Raises PlanError for what one call can't do: more than 40 statements, `-- @expect`, several statements without
    `transaction`; else the errors of `run`. Whatever is raised, nothing is left running, unless a `token` names it.
    """
    transport = DataApi(check_target(Target(database, workgroup, cluster, secret_arn)), log=log or log_nothing)
    plan = plan_for(sql, params or {}, transaction=transaction, transport=transport)
    check_one_call(plan, limit=transport.batch_limit)
    with interruptible(list_unhandled()):
        return submit_plan(plan, transport, token=token, deadline=Deadline(timeout))


def submit_plan(plan: Plan, transport: DataApi, *, token: str, deadline: Deadline) -> str:
    """Submit what is planned, as `submit` does."""
    if len(token) > _TOKEN:
        raise UsageError(f"a token has up to {_TOKEN} characters, this one has {len(token)}: --token")
    submission = Submission(token) if token else Submission()
    try:
        transport.submit(plan.bound, deadline, submission=submission)
        return submission.statement_id
    except BaseException as error:
        if not token:  # what an earlier submission with this token began is not this one's to cancel
            transport.cancel(submission)
        if isinstance(error, (Interruption, StoppedError, ConnectionLostError)):
            raise _extend(error, _fate(transport.cancelled, token)) from None
        raise


def status(statement_id: str, *, log: Log | None = None) -> Status:
    """Look at a submitted statement once. Raises ServiceError where there is none of this id."""
    return _status(Calls(log=log or log_nothing).describe(statement_id, Deadline(TIMEOUT)))


def wait(statement_id: str, *, timeout: float | None = TIMEOUT, log: Log | None = None) -> Run:
    """Wait until a submitted statement has ended; return what `run` would have.

    Raises what `run` raises for a failed statement, its places being those in the SQL as submitted, and UnfinishedError
    after `timeout` seconds. Neither that nor a signal cancels the statement.
    """
    log = log or log_nothing
    calls = Calls(log=log)
    try:
        with interruptible(list_unhandled()):
            description = calls.wait(statement_id, Deadline(timeout))
    except (Interruption, RunInterrupted) as error:
        raise _extend(error, f"{statement_id} was not cancelled") from None
    except DeadlineError:
        raise UnfinishedError(
            f"{statement_id} has not ended within {timeout:g} s, and was not cancelled: wait for it again, or cancel it"
        ) from None
    done = _run_of(calls, description)
    for one in done.results:
        log(
            {"event": "statement", "status": "finished", "index": one.statement.index, "id": one.statement_id}
            | {"seconds": round(one.seconds, 3), "rows": one.rows}
        )
    return done


def cancel(statement_id: str, *, log: Log | None = None) -> Status:
    """Cancel a submitted statement and return how it ended; idempotent: one that has ended is left alone.

    Raises ServiceError where AWS refuses, and UnfinishedError for one that has not ended some seconds later.
    """
    calls = Calls(log=log or log_nothing)
    description = calls.describe(statement_id, Deadline(TIMEOUT))
    if description["Status"] in ENDED:
        return _status(description)
    try:
        return _status(calls.cancel(statement_id))
    except DeadlineError as error:
        raise UnfinishedError(f"{statement_id} was to be cancelled and goes on: {error}") from None


def result(statement_id: str, *, log: Log | None = None) -> Run:
    """Read what `wait` returns, of a statement that has ended: its results, typed and a page at a time.

    Raises UnfinishedError for one that has not.
    """
    calls = Calls(log=log or log_nothing)
    description = calls.describe(statement_id, Deadline(TIMEOUT))
    if description["Status"] not in ENDED:
        raise UnfinishedError(f"{statement_id} has no result yet, it is {description['Status']}: wait for it")
    return _run_of(calls, description)


def _run_of(calls: Calls, description: Mapping[str, Any]) -> Run:
    """Return the run that a description of ended statements stands for. Raises its failure."""
    parts = description.get("SubStatements") or [description]
    bound = [_to_bound(description, part, number) for number, part in enumerate(parts, 1)]
    if any(part["Status"] != "FINISHED" for part in (description, *parts)):
        keys = ("Database", "WorkgroupName", "ClusterIdentifier", "SecretArn")
        where = {key: description[key] for key in keys if description.get(key)}
        raise calls.failure(bound, dict(description), where=where)
    results = []
    for one, part in zip(bound, parts):
        outcome = calls.outcome(part)
        results.append(Result(one.statement, outcome.statement_id, outcome.seconds, outcome.rows, outcome.pages))
    return Run(tuple(results), seconds(description))


def _to_bound(description: Mapping[str, Any], part: Mapping[str, Any], number: int) -> Bound:
    sql = part.get("QueryString") or ""
    # `id:2` is the second of a transaction:
    # https://docs.aws.amazon.com/redshift-data/latest/APIReference/API_DescribeStatement.html
    index = int(part["Id"].partition(":")[2] or number)
    parameters = {given["name"]: given["value"] for given in description.get("QueryParameters") or ()}
    return Bound(Statement(index, 1, 1, 0, len(sql), sql), sql, parameters)


def _status(description: Mapping[str, Any]) -> Status:
    rows = description.get("ResultRows", -1)
    return Status(
        statement_id=description["Id"],
        status=description["Status"],
        statement=_to_bound(description, description, 1).statement.first_words,
        seconds=seconds(description),
        rows=rows if rows >= 0 else None,
        error=description.get("Error") or "",
        statements=tuple(map(_status, description.get("SubStatements") or ())),
    )


def _fate(cancelled: Cancelled | None, token: str) -> str:
    """Return what is known of a submission that ended in an error."""
    if token:
        return "if it was submitted, another submit with this token gives its id"
    if cancelled is None:
        return "nothing was submitted"
    if cancelled.ended == "ABORTED":
        return f"it was submitted as {cancelled.statement_id}, and cancelled"
    return f"{cancelled.statement_id or 'whether it was submitted'} is {cancelled.ended}"


def _extend(error: Interruption | StoppedError | ConnectionLostError, text: str) -> RsQueryError:
    """Return the same error with more text."""
    raised = error.as_error() if isinstance(error, Interruption) else error
    more = type(raised)(f"{raised}; {text}")
    if isinstance(raised, StoppedError) and isinstance(more, StoppedError):
        more.signum = raised.signum
    return more
