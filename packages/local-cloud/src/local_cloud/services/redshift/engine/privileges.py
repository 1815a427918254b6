"""Users, and who may make schemas: superusers, and who has CREATE on the database.

Everybody that IAM names is a user without privileges at first, made by the first login. The namespace's administrator
is a superuser. What users may do with tables and schemas is not looked at.
https://docs.aws.amazon.com/redshift/latest/mgmt/generating-user-credentials.html
https://docs.aws.amazon.com/redshift/latest/dg/r_GRANT.html
"""

from __future__ import annotations

import contextlib

from local_cloud.services.redshift.engine.scene import Scene
from local_cloud.services.redshift.engine.session import Session
from local_cloud.services.redshift.engine.warehouse import INTERNAL
from local_cloud.services.redshift.errors import SqlError
from local_cloud.services.redshift.sql import statements

PUBLIC = "public"
_ALL = ("CREATE", "TEMPORARY")


def of_iam(user: str) -> bool:
    return user.startswith(("IAM:", "IAMR:"))


def log_in(session: Session) -> None:
    """Make the user of an IAM identity that is here for the first time."""
    import duckdb

    if of_iam(session.user) and not _exists(session, session.user):
        # Of two first logins at once, one makes it.
        with contextlib.suppress(duckdb.Error):
            session.cursor.execute(f"INSERT OR IGNORE INTO {INTERNAL}.users VALUES (?, false)", [session.user])


def create_user(session: Session, plan: statements.CreateUser, scene: Scene) -> int:
    require_superuser(session)
    if _exists(session, plan.name):
        raise SqlError(f'user "{plan.name}" already exists')
    session.query(f"INSERT INTO {INTERNAL}.users VALUES (?, ?)", [plan.name, plan.superuser])
    return 0


def drop_user(session: Session, plan: statements.DropUser, scene: Scene) -> int:
    require_superuser(session)
    if not _exists(session, plan.name) and not plan.if_exists:
        raise SqlError(f'user "{plan.name}" does not exist')
    if session.lookup(f"SELECT 1 FROM {INTERNAL}.database_privileges WHERE user_name = ?", [plan.name]):
        raise SqlError(f'user "{plan.name}" cannot be dropped because the user has a privilege on some object')
    session.query(f"DELETE FROM {INTERNAL}.role_members WHERE user_name = ?", [plan.name])
    session.query(f"DELETE FROM {INTERNAL}.users WHERE name = ?", [plan.name])
    return 0


def set_database_privileges(session: Session, plan: statements.DatabasePrivileges, scene: Scene) -> int:
    require_superuser(session)
    for name in plan.databases:
        if name != session.database.name:
            raise SqlError(f'database "{name}" does not exist, or is not the one connected to')
    for user in plan.users:
        if user != PUBLIC:
            require_user(session, user)
    privileges = _ALL if "ALL" in plan.privileges else tuple(_full(one) for one in plan.privileges)
    change = (
        f"INSERT OR IGNORE INTO {INTERNAL}.database_privileges VALUES (?, ?)"
        if plan.granted
        else f"DELETE FROM {INTERNAL}.database_privileges WHERE user_name = ? AND privilege = ?"
    )
    for user in plan.users:
        for privilege in privileges:
            session.query(change, [user, privilege])
    return 0


def require_create(session: Session) -> None:
    """SqlError unless the session's user may make schemas in the database."""
    if is_superuser(session):
        return
    granted = session.lookup(
        f"SELECT 1 FROM {INTERNAL}.database_privileges WHERE user_name IN (?, ?) AND privilege = 'CREATE'",
        [session.user, PUBLIC],
    )
    if not granted:
        raise SqlError(f"permission denied for database {session.database.name}")


def is_superuser(session: Session) -> bool:
    found = session.lookup(f"SELECT superuser FROM {INTERNAL}.users WHERE name = ?", [session.user])
    return bool(found[0][0]) if found else not of_iam(session.user)


def require_superuser(session: Session) -> None:
    if not is_superuser(session):
        raise SqlError("must be superuser to do that")


def require_user(session: Session, user: str) -> None:
    if not _exists(session, user):
        raise SqlError(f'user "{user}" does not exist')


def _exists(session: Session, user: str) -> bool:
    return bool(session.lookup(f"SELECT 1 FROM {INTERNAL}.users WHERE name = ?", [user]))


def _full(privilege: str) -> str:
    return "TEMPORARY" if privilege == "TEMP" else privilege
