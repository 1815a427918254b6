"""Database roles, and the users that have them. What a role may do with tables and schemas is not looked at.

https://docs.aws.amazon.com/redshift/latest/dg/t_Roles.html
"""

from __future__ import annotations

from local_cloud.services.redshift.engine import privileges
from local_cloud.services.redshift.engine.context import Context
from local_cloud.services.redshift.engine.statement import RunningStatement
from local_cloud.services.redshift.engine.warehouse import INTERNAL
from local_cloud.services.redshift.errors import SqlError
from local_cloud.services.redshift.sql import statements


def create(context: Context, statement: statements.CreateRole, running: RunningStatement) -> int:
    privileges.require_superuser(context)
    if _exists(context, statement.name):
        raise SqlError(f'role "{statement.name}" already exists')
    context.query(f"INSERT INTO {INTERNAL}.roles VALUES (?)", [statement.name])
    return 0


def drop(context: Context, statement: statements.DropRole, running: RunningStatement) -> int:
    """Errors: SqlError for a role that users have, unless it is forced: DROP ROLE's page, "RESTRICT" and "FORCE"."""
    privileges.require_superuser(context)
    _require(context, statement.name)
    if not statement.force and context.lookup(
        f"SELECT 1 FROM {INTERNAL}.role_members WHERE role_name = ?", [statement.name]
    ):
        raise SqlError(
            f'role "{statement.name}" cannot be dropped because users have it; revoke it, or drop it with FORCE'
        )
    for table, column in (("role_members", "role_name"), ("roles", "name")):
        context.query(f"DELETE FROM {INTERNAL}.{table} WHERE {column} = ?", [statement.name])
    return 0


def set_membership(context: Context, statement: statements.RoleMembership, running: RunningStatement) -> int:
    privileges.require_superuser(context)
    for role in statement.roles:
        _require(context, role)
    for user in statement.users:
        privileges.require_user(context, user)
    change = (
        f"INSERT OR IGNORE INTO {INTERNAL}.role_members VALUES (?, ?)"
        if statement.granted
        else f"DELETE FROM {INTERNAL}.role_members WHERE role_name = ? AND user_name = ?"
    )
    for role in statement.roles:
        for user in statement.users:
            context.query(change, [role, user])
    return 0


def _require(context: Context, role: str) -> None:
    if not _exists(context, role):
        raise SqlError(f'role "{role}" does not exist')


def _exists(context: Context, role: str) -> bool:
    return bool(context.lookup(f"SELECT 1 FROM {INTERNAL}.roles WHERE name = ?", [role]))
