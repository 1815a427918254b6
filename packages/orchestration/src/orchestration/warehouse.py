"""Queries on the warehouse by the Data API: as its administrator, or as a reader."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import Any, Protocol

import boto3

from orchestration.environments import Environment
from orchestration.stacks import grants


class Warehouse(Protocol):
    """Where an environment's warehouse is; a Deployment is one."""

    @property
    def workgroup(self) -> str: ...

    @property
    def database(self) -> str: ...

    @property
    def namespace(self) -> str: ...


def query_as_reader(warehouse: Warehouse, environment: Environment) -> Callable[[str], list[tuple[Any, ...]]]:
    """`query` for what only reads: one of the environment's readers asks as itself, anybody else as the administrator.

    So a role that may plan and start nothing needs no password that opens everything.
    """
    caller = grants.user_of(boto3.client("sts").get_caller_identity()["Arn"])
    return partial(query, warehouse, as_caller=caller in grants.readers(environment))


def query(warehouse: Warehouse, sql: str, *, as_caller: bool = False) -> list[tuple[Any, ...]]:
    """List the rows of one SELECT; none of any other statement.

    As the administrator, by the secret that Redshift manages: tables belong to the job's own database user, and
    a person's IAM user would not be allowed to read them. With `as_caller`, as that user.
    """
    import rs_query

    run = rs_query.run(
        sql,
        workgroup=warehouse.workgroup,
        database=warehouse.database,
        secret_arn="" if as_caller else _admin_secret(warehouse.namespace),
    )
    return run.results[0].fetch()


@cache
def _admin_secret(namespace: str) -> str:
    """Return the secret that Redshift made for the namespace (`ManageAdminPassword`); CloudFormation does not tell its
    ARN.
    """
    answer = boto3.client("redshift-serverless").get_namespace(namespaceName=namespace)
    return str(answer["namespace"]["adminPasswordSecretArn"])
