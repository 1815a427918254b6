"""Queries on the warehouse by the Data API: as its administrator, or as a reader."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import TYPE_CHECKING, Any, Protocol

import boto3

from orchestration.environments import Environment
from orchestration.stacks import grants

if TYPE_CHECKING:
    from rs_query import Run, Script


class Warehouse(Protocol):
    """Where an environment's warehouse is; a Deployment is one."""

    @property
    def workgroup(self) -> str: ...

    @property
    def database(self) -> str: ...

    @property
    def namespace(self) -> str: ...


def is_reader(environment: Environment) -> bool:
    """Whether the caller is one of the environment's readers, who ask as themselves."""
    return grants.user_of(boto3.client("sts").get_caller_identity()["Arn"]) in grants.readers(environment)


def query_as_reader(warehouse: Warehouse, environment: Environment) -> Callable[[str], list[tuple[Any, ...]]]:
    """`query` for what only reads: one of the environment's readers asks as itself, anybody else as the administrator.

    So a role that may plan and start nothing needs no password that opens everything.
    """
    return partial(query, warehouse, as_caller=is_reader(environment))


def query(warehouse: Warehouse, sql: str, *, as_caller: bool = False) -> list[tuple[Any, ...]]:
    """List the rows of one SELECT; none of any other statement. See `run`."""
    return run(warehouse, sql, as_caller=as_caller).results[0].fetch()


def run(
    warehouse: Warehouse, sql: str | Script, *, params: Mapping[str, str] | None = None, as_caller: bool = False
) -> Run:
    """Run SQL and wait for its end.

    As the administrator, by the secret that Redshift manages: tables belong to the job's own database user, and
    a person's IAM user would not be allowed to read them. With `as_caller`, as that user.
    """
    import rs_query

    return rs_query.run(
        sql,
        workgroup=warehouse.workgroup,
        database=warehouse.database,
        secret_arn="" if as_caller else _admin_secret(warehouse.namespace),
        params=params,
    )


@cache
def _admin_secret(namespace: str) -> str:
    """Return the secret that Redshift made for the namespace (`ManageAdminPassword`); CloudFormation does not tell its
    ARN.
    """
    answer = boto3.client("redshift-serverless").get_namespace(namespaceName=namespace)
    return str(answer["namespace"]["adminPasswordSecretArn"])
