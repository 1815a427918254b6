"""Database roles, and the users that have them. What a role may do with tables and schemas is not looked at.

https://docs.aws.amazon.com/redshift/latest/dg/t_Roles.html
"""

from __future__ import annotations

from local_cloud.services.redshift.engine import privileges
from local_cloud.services.redshift.engine.scene import Scene
from local_cloud.services.redshift.engine.session import Session
from local_cloud.services.redshift.engine.warehouse import INTERNAL
from local_cloud.services.redshift.errors import SqlError
from local_cloud.services.redshift.sql import statements


def create(session: Session, plan: statements.CreateRole, scene: Scene) -> int:
    privileges.require_superuser(session)
    if _exists(session, plan.name):
        raise SqlError(f'role "{plan.name}" already exists')
    session.query(f"INSERT INTO {INTERNAL}.roles VALUES (?)", [plan.name])
    return 0


def drop(session: Session, plan: statements.DropRole, scene: Scene) -> int:
    """Errors: SqlError for a role that users have, unless it is forced: DROP ROLE's page, "RESTRICT" and "FORCE"."""
    privileges.require_superuser(session)
    _require(session, plan.name)
    if not plan.force and session.lookup(f"SELECT 1 FROM {INTERNAL}.role_members WHERE role_name = ?", [plan.name]):
        raise SqlError(f'role "{plan.name}" cannot be dropped because users have it; revoke it, or drop it with FORCE')
    for table, column in (("role_members", "role_name"), ("roles", "name")):
        session.query(f"DELETE FROM {INTERNAL}.{table} WHERE {column} = ?", [plan.name])
    return 0


def set_membership(session: Session, plan: statements.RoleMembership, scene: Scene) -> int:
    privileges.require_superuser(session)
    for role in plan.roles:
        _require(session, role)
    for user in plan.users:
        privileges.require_user(session, user)
    change = (
        f"INSERT OR IGNORE INTO {INTERNAL}.role_members VALUES (?, ?)"
        if plan.granted
        else f"DELETE FROM {INTERNAL}.role_members WHERE role_name = ? AND user_name = ?"
    )
    for role in plan.roles:
        for user in plan.users:
            session.query(change, [role, user])
    return 0


def _require(session: Session, role: str) -> None:
    if not _exists(session, role):
        raise SqlError(f'role "{role}" does not exist')


def _exists(session: Session, role: str) -> bool:
    return bool(session.lookup(f"SELECT 1 FROM {INTERNAL}.roles WHERE name = ?", [role]))
