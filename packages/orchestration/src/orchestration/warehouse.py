"""Queries on the warehouse, as its administrator, by the Data API."""

from __future__ import annotations

from functools import cache
from typing import Any, Protocol

import boto3


class Warehouse(Protocol):
    """Where an environment's warehouse is; a Deployment is one."""

    @property
    def workgroup(self) -> str: ...

    @property
    def database(self) -> str: ...

    @property
    def namespace(self) -> str: ...


def query(warehouse: Warehouse, sql: str) -> list[tuple[Any, ...]]:
    """The rows of one SELECT; none of any other statement.

    As the administrator, by the secret that Redshift manages: tables belong to the job's own database user, and
    a person's IAM user would not be allowed to read them.
    """
    import rs_query

    run = rs_query.run(
        sql,
        workgroup=warehouse.workgroup,
        database=warehouse.database,
        secret_arn=_admin_secret(warehouse.namespace),
    )
    return run.results[0].fetch()


@cache
def _admin_secret(namespace: str) -> str:
    """The secret that Redshift made for the namespace (`ManageAdminPassword`); CloudFormation does not tell its ARN."""
    answer = boto3.client("redshift-serverless").get_namespace(namespaceName=namespace)
    return str(answer["namespace"]["adminPasswordSecretArn"])
