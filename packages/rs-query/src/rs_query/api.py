"""What other programs call: load a script, run it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from rs_query.data_api import DataApi
from rs_query.deadline import Deadline
from rs_query.errors import UsageError
from rs_query.literals import Params
from rs_query.plan import Plan, make_plan
from rs_query.retries import Log
from rs_query.runner import Run, run_plan
from rs_query.signals import interruptible, list_unhandled
from rs_query.sources import read_text
from rs_query.statements import Statement, split
from rs_query.transport import Target, Transport
from rs_query.wire import Wire

TIMEOUT = 900.0
"""Seconds a run may take unless a timeout is given."""

TRANSPORTS: dict[str, Callable[..., Transport]] = {"data-api": DataApi, "wire": Wire}


@dataclass(frozen=True)
class Script:
    """SQL and the name it goes by in errors: a path or URI."""

    text: str
    name: str = "<sql>"

    def statements(self) -> list[Statement]:
        """See statements.split."""
        return split(self.text, self.name)


def load(source: str) -> Script:
    """Return the script at `source`: a path, `s3://bucket/key`, or `-` for standard input. Raises SourceError."""
    return Script(read_text(source), "<stdin>" if source == "-" else source)


def run(
    sql: str | Script,
    *,
    database: str,
    workgroup: str = "",
    cluster: str = "",
    secret_arn: str = "",
    params: Params | None = None,
    transaction: bool = False,
    timeout: float | None = TIMEOUT,
    transport: str = "data-api",
    log: Log | None = None,
) -> Run:
    """Run SQL text (or a Script from `load`) on a workgroup or cluster and wait for its end.

    `params` are the values of its `:name`s; `transaction` makes it all or nothing; `timeout` is in seconds
    for everything together, None for no limit; `transport` is `data-api` or, for large result sets, `wire`;
    `log` gets a dictionary an event (statement, retry, cancel, run). Credentials are the SDK's own
    (temporary database credentials by IAM), or the secret's.

    Raises the errors drawn in rs_query.errors; whatever is raised, nothing is left running on the server. Ctrl-C
    stays a KeyboardInterrupt; SIGTERM, in a program that does nothing about it, becomes RunInterrupted.
    """
    deadline = Deadline(timeout)
    log = log or log_nothing
    carrier = connect(Target(database, workgroup, cluster, secret_arn), transport=transport, log=log)
    plan = plan_for(sql, params or {}, transaction=transaction, transport=carrier)
    with interruptible(list_unhandled()):
        return run_plan(plan, carrier, deadline=deadline, log=log)


def log_nothing(event: Mapping[str, object]) -> None:
    """Log nothing."""


def plan_for(sql: str | Script, params: Params, *, transaction: bool, transport: Transport) -> Plan:
    """Return what `run` would do, decided and checked without running anything."""
    script = Script(sql) if isinstance(sql, str) else sql
    return make_plan(
        script.statements(),
        params,
        transaction=transaction,
        mark=transport.mark,
        binds_in_batches=transport.binds_in_batches,
        batch_limit=transport.batch_limit,
        statement_limit=transport.statement_limit,
    )


def connect(target: Target, *, transport: str, log: Log) -> Transport:
    """Return the transport to a target; it connects when it is used. Raises UsageError as `check_target`."""
    if transport not in TRANSPORTS:
        raise UsageError(f"{transport!r} is no transport; there are {', '.join(TRANSPORTS)}")
    return TRANSPORTS[transport](check_target(target), log=log)


def check_target(target: Target) -> Target:
    """Return the target. Raises UsageError where it names no database, or not one of workgroup and cluster."""
    if not target.database:
        raise UsageError("name the database: --database")
    if bool(target.workgroup) == bool(target.cluster):
        raise UsageError("name either the serverless workgroup or the cluster: --workgroup or --cluster")
    return target
