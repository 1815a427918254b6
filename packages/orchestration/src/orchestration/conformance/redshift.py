"""Redshift Serverless and its Data API: names that UNLOAD gives, texts of errors, and sessions."""

from __future__ import annotations

import re
from typing import Any

import boto3

from orchestration import objects, warehouse
from orchestration.conformance.assumption import Probe
from orchestration.conformance.ground import Ground, until
from orchestration.releases.environment.deployment import Deployment

_STATEMENT_SECONDS = 300


def _of(ground: Ground) -> Deployment:
    assert ground.warehouse is not None, "asked only where there is one"
    return ground.warehouse


def _unload(ground: Ground) -> list[str]:
    """Find what UNLOAD leaves under a prefix of the run's own, which is emptied again."""
    place = _of(ground)
    bucket, folder = place.reports_bucket, f"reviews/{ground.name}/"  # the warehouse's role writes below reviews/
    warehouse.query(
        place,
        f"UNLOAD ('SELECT 1 AS one') TO 's3://{bucket}/{folder}top_' IAM_ROLE default"
        " FORMAT AS CSV HEADER PARALLEL OFF MANIFEST EXTENSION 'csv'",
    )
    s3 = boto3.client("s3")
    names = sorted(item["Key"].removeprefix(folder) for item in objects.list_under(s3, bucket, folder))
    objects.delete_under(s3, bucket, folder)
    return names


def _fail_cast(ground: Ground) -> str:
    statement = _run(ground, "SELECT CAST('held 3 rows' AS BIGINT)")
    return _message(statement)


def _session_after_a_cancel(ground: Ground) -> dict[str, str]:
    """Return a session whose statement was cancelled: whether it goes on, and what it had."""
    data, place = boto3.client("redshift-data"), _target(ground)
    first = data.execute_statement(**place, Sql="CREATE TEMP TABLE kept AS SELECT 1 AS n", SessionKeepAliveSeconds=60)
    _wait_for_end(first["Id"])
    session = {"SessionId": first["SessionId"], "SessionKeepAliveSeconds": 60}
    slow = "SELECT COUNT(*) FROM (SELECT 1 FROM svv_columns a, svv_columns b, svv_columns c, svv_columns d) x"
    running = data.execute_statement(**session, Sql=slow)["Id"]
    until(
        lambda: data.describe_statement(Id=running)["Status"] not in ("SUBMITTED", "PICKED") or None,
        seconds=_STATEMENT_SECONDS,
        what="the statement to cancel has not started",
    )
    data.cancel_statement(Id=running)
    cancelled = _wait_for_end(running)
    after = _wait_for_end(data.execute_statement(**session, Sql="SELECT n FROM kept")["Id"])
    return {"cancelled": cancelled["Status"], "after": after["Status"]}


def _run(ground: Ground, sql: str) -> dict[str, Any]:
    return _wait_for_end(boto3.client("redshift-data").execute_statement(**_target(ground), Sql=sql)["Id"])


def _target(ground: Ground) -> dict[str, str]:
    place = _of(ground)
    return {"WorkgroupName": place.workgroup, "Database": place.database}


def _wait_for_end(statement: str) -> dict[str, Any]:
    data = boto3.client("redshift-data")

    def ask() -> dict[str, Any] | None:
        found: dict[str, Any] = data.describe_statement(Id=statement)
        return found if found["Status"] in ("FINISHED", "FAILED", "ABORTED") else None

    answer: dict[str, Any] = until(ask, seconds=_STATEMENT_SECONDS, what=f"statement {statement} has not ended")
    return answer


def _message(statement: dict[str, Any]) -> str:
    """Return the error without what differs from run to run, on one line: Redshift rules off details that name the
    query.
    """
    text = statement.get("Error", "no error")
    return " ".join(re.sub(r"(query|process|pid):?\s+\S+.*", r"\1: …", re.sub(r"-{5,}", " ", text)).split())


PROBES = [
    Probe(
        "unload-manifest",
        "UNLOAD with PARALLEL OFF and EXTENSION writes one file 000, and its manifest without the extension",
        "ListReportFiles of reviews",
        _unload,
        warehouse=True,
    ),
    Probe(
        "failed-cast",
        "The error of a text that is no number tells the text",
        "the mail, where the load of reviews finds another count",
        _fail_cast,
        warehouse=True,
    ),
    Probe(
        "session-after-cancel",
        "A session of the Data API goes on after CancelStatement, with its temporary tables",
        "the rollback of a run that is stopped",
        _session_after_a_cancel,
        warehouse=True,
    ),
]
