"""Queries on the warehouse, as its administrator, by the Data API."""

from __future__ import annotations

from functools import cache
from typing import Any

import boto3

from orchestration.deployment import Deployment


def query(deployment: Deployment, sql: str) -> list[tuple[Any, ...]]:
    """The rows of one SELECT; none of any other statement.

    As the administrator, by the secret that Redshift manages: tables belong to the job's own database user, and
    a person's IAM user would not be allowed to read them.
    """
    import rs_query

    run = rs_query.run(
        sql,
        workgroup=deployment.workgroup,
        database=deployment.database,
        secret_arn=_admin_secret(deployment.namespace),
    )
    return run.results[0].fetch()


@cache
def _admin_secret(namespace: str) -> str:
    """The secret that Redshift made for the namespace (`ManageAdminPassword`); CloudFormation does not tell its ARN."""
    answer = boto3.client("redshift-serverless").get_namespace(namespaceName=namespace)
    return str(answer["namespace"]["adminPasswordSecretArn"])
