"""Users, and who may make schemas: superusers, and who has CREATE on the database.

Everybody that IAM names is a user without privileges at first, made by the first login. The namespace's administrator
is a superuser. What users may do with tables and schemas is not looked at.
https://docs.aws.amazon.com/redshift/latest/mgmt/generating-user-credentials.html
https://docs.aws.amazon.com/redshift/latest/dg/r_GRANT.html
"""

from __future__ import annotations

import contextlib

from local_cloud.services.redshift.engine.context import Context
from local_cloud.services.redshift.engine.statement import RunningStatement
from local_cloud.services.redshift.engine.warehouse import INTERNAL
from local_cloud.services.redshift.errors import SqlError
from local_cloud.services.redshift.sql import statements
from local_cloud.services.redshift.sql.lexer import quoted

PUBLIC = "public"
_ALL = ("CREATE", "TEMPORARY")


def of_iam(user: str) -> bool:
    return user.startswith(("IAM:", "IAMR:"))


def log_in(context: Context) -> None:
    """Make the user of an IAM identity that is here for the first time."""
    import duckdb

    if of_iam(context.user) and not _exists(context, context.user):
        users = f"{quoted(context.database.catalog)}.{INTERNAL}.users"
        # Of two first logins at once, one makes it.
        with contextlib.suppress(duckdb.Error), context.apart() as cursor:
            cursor.execute(f"INSERT OR IGNORE INTO {users} VALUES (?, false)", [context.user])


def create_user(context: Context, statement: statements.CreateUser, running: RunningStatement) -> int:
    require_superuser(context)
    if _exists(context, statement.name):
        raise SqlError(f'user "{statement.name}" already exists')
    context.query(f"INSERT INTO {INTERNAL}.users VALUES (?, ?)", [statement.name, statement.superuser])
    return 0


def drop_user(context: Context, statement: statements.DropUser, running: RunningStatement) -> int:
    require_superuser(context)
    if not _exists(context, statement.name) and not statement.if_exists:
        raise SqlError(f'user "{statement.name}" does not exist')
    if context.lookup(f"SELECT 1 FROM {INTERNAL}.database_privileges WHERE user_name = ?", [statement.name]):
        raise SqlError(f'user "{statement.name}" cannot be dropped because the user has a privilege on some object')
    context.query(f"DELETE FROM {INTERNAL}.role_members WHERE user_name = ?", [statement.name])
    context.query(f"DELETE FROM {INTERNAL}.users WHERE name = ?", [statement.name])
    return 0


def set_database_privileges(
    context: Context, statement: statements.DatabasePrivileges, running: RunningStatement
) -> int:
    require_superuser(context)
    for name in statement.databases:
        if name != context.database.name:
            raise SqlError(f'database "{name}" does not exist, or is not the one connected to')
    for user in statement.users:
        if user != PUBLIC:
            require_user(context, user)
    privileges = _ALL if "ALL" in statement.privileges else tuple(_full(one) for one in statement.privileges)
    change = (
        f"INSERT OR IGNORE INTO {INTERNAL}.database_privileges VALUES (?, ?)"
        if statement.granted
        else f"DELETE FROM {INTERNAL}.database_privileges WHERE user_name = ? AND privilege = ?"
    )
    for user in statement.users:
        for privilege in privileges:
            context.query(change, [user, privilege])
    return 0


def require_create(context: Context) -> None:
    """SqlError unless the session's user may make schemas in the database."""
    if is_superuser(context):
        return
    granted = context.lookup(
        f"SELECT 1 FROM {INTERNAL}.database_privileges WHERE user_name IN (?, ?) AND privilege = 'CREATE'",
        [context.user, PUBLIC],
    )
    if not granted:
        raise SqlError(f"permission denied for database {context.database.name}")


def is_superuser(context: Context) -> bool:
    found = context.lookup(f"SELECT superuser FROM {INTERNAL}.users WHERE name = ?", [context.user])
    return bool(found[0][0]) if found else not of_iam(context.user)


def require_superuser(context: Context) -> None:
    if not is_superuser(context):
        raise SqlError("must be superuser to do that")


def require_user(context: Context, user: str) -> None:
    if not _exists(context, user):
        raise SqlError(f'user "{user}" does not exist')


def _exists(context: Context, user: str) -> bool:
    return bool(context.lookup(f"SELECT 1 FROM {INTERNAL}.users WHERE name = ?", [user]))


def _full(privilege: str) -> str:
    return "TEMPORARY" if privilege == "TEMP" else privilege
