"""Who may do what in the warehouse: SQL for users, a database role and privileges, the same end however often it runs.

Redshift makes the user of an IAM role or user at its first login, with no more privileges than everybody has
(https://docs.aws.amazon.com/redshift/latest/mgmt/generating-user-credentials.html). That is too little for two:

- The user of rs-query's role makes the external schema of the reviews, which takes CREATE on the database
  (https://docs.aws.amazon.com/redshift/latest/dg/r_GRANT.html).
- Tables belong to that user, so nobody else reads them. An environment's readers get a database role that may, also
  what is made later (https://docs.aws.amazon.com/redshift/latest/dg/r_ALTER_DEFAULT_PRIVILEGES.html). One of them is
  the role by which a workflow plans a backfill (artifacts.yaml), which may read and nothing else.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from typing import Any

from orchestration.environments import Environment

READERS = "elt_readers"
_SCHEMA = "public"

Query = Callable[[str], list[tuple[Any, ...]]]


def jobs_user(environment: Environment) -> str:
    """Return the database user as which rs-query's role logs in."""
    return f"IAMR:elt-{environment.name}-rs-query"


def readers(environment: Environment) -> set[str]:
    """Return the database users that may read every table."""
    return {f"IAMR:elt-plan-{environment.name}", *map(user_of, environment.readers)}


def user_of(arn: str) -> str:
    """Return the database user of an IAM role, its session, or a user: `IAMR:` or `IAM:` and its name."""
    kind, _, name = arn.rsplit(":", 1)[-1].partition("/")
    if kind == "assumed-role":
        return f"IAMR:{name.partition('/')[0]}"
    return f"{'IAMR' if kind == 'role' else 'IAM'}:{name.rsplit('/', 1)[-1]}"


def digest(environment: Environment, database: str) -> str:
    """Hash the grants that an environment asks for, to be kept where they have been made."""
    asked = "\n".join([*_privileges(environment, database), *sorted(readers(environment))])
    return hashlib.sha256(asked.encode()).hexdigest()[:16]


def apply(environment: Environment, database: str, query: Query) -> None:
    """Bring users, role and privileges about, and take the role from whoever is no reader any more."""
    wanted = readers(environment)
    users = _column(query("SELECT usename FROM pg_user WHERE usename LIKE 'IAM%:%'"))
    members = _column(query(f"SELECT user_name FROM svv_user_grants WHERE role_name = '{READERS}'"))  # noqa: S608
    role = query(f"SELECT role_name FROM svv_roles WHERE role_name = '{READERS}'")  # noqa: S608
    for user in sorted((wanted | {jobs_user(environment)}) - users):
        query(f'CREATE USER "{user}" PASSWORD DISABLE')
    if not role:
        query(f"CREATE ROLE {READERS}")
    for statement in _privileges(environment, database):
        query(statement)
    for user in sorted(wanted - members):
        query(f'GRANT ROLE {READERS} TO "{user}"')
    for user in sorted(members - wanted):
        query(f'REVOKE ROLE {READERS} FROM "{user}"')


def _privileges(environment: Environment, database: str) -> list[str]:
    user = jobs_user(environment)
    return [
        f'GRANT CREATE ON DATABASE "{database}" TO "{user}"',
        f"GRANT USAGE ON SCHEMA {_SCHEMA} TO ROLE {READERS}",
        f"GRANT SELECT ON ALL TABLES IN SCHEMA {_SCHEMA} TO ROLE {READERS}",
        f'ALTER DEFAULT PRIVILEGES FOR USER "{user}" IN SCHEMA {_SCHEMA} GRANT SELECT ON TABLES TO ROLE {READERS}',
    ]


def _column(rows: Iterable[tuple[Any, ...]]) -> set[str]:
    return {str(row[0]) for row in rows}
