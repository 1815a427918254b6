"""Queries on the warehouse, as its administrator, by the Data API."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from orchestration.deployment import Deployment


def query(deployment: Deployment, sql: str) -> Iterable[tuple[Any, ...]]:
    """The rows of one SELECT.

    As the administrator, by the secret that Redshift manages: tables belong to the job's own database user, and
    a person's IAM user would not be allowed to read them.
    """
    import rs_query

    result = rs_query.run(
        sql, workgroup=deployment.workgroup, database=deployment.database, secret_arn=deployment.admin_secret
    )
    return result.rows
