"""Statements, parsed: each kind is a small dataclass with what it asks for. `parser` reads them."""

from __future__ import annotations

from dataclasses import dataclass

from local_cloud.services.redshift.sql import external, load, procedures, tables
from local_cloud.services.redshift.sql.tables import Name


@dataclass(frozen=True)
class Begin:
    pass


@dataclass(frozen=True)
class Commit:
    pass


@dataclass(frozen=True)
class Rollback:
    pass


@dataclass(frozen=True)
class Lock:
    tables: tuple[Name, ...]


@dataclass(frozen=True)
class Truncate:
    table: Name


@dataclass(frozen=True)
class Query:
    """SELECT, WITH, INSERT, UPDATE, DELETE, MERGE: what sqlglot reads. `verb` is the first word."""

    sql: str
    verb: str


@dataclass(frozen=True)
class MergeWithoutDuplicates:
    """MERGE … REMOVE DUPLICATES; `sql` ends with its condition."""

    sql: str


@dataclass(frozen=True)
class Explain:
    sql: str


@dataclass(frozen=True)
class CreateView:
    name: Name
    replace: bool
    columns: tuple[str, ...]
    query: str
    binding: bool


@dataclass(frozen=True)
class Drop:
    """DROP TABLE, VIEW or SCHEMA of several names."""

    kind: str
    names: tuple[Name, ...]
    if_exists: bool
    cascade: bool


@dataclass(frozen=True)
class CreateSchema:
    name: str
    if_not_exists: bool


@dataclass(frozen=True)
class CreateDatabase:
    name: str
    serializable: bool


@dataclass(frozen=True)
class DropDatabase:
    name: str


@dataclass(frozen=True)
class AlterDatabase:
    name: str
    serializable: bool


@dataclass(frozen=True)
class Comment:
    """COMMENT ON TABLE or COLUMN; other objects have nothing to keep a comment on."""

    kind: str
    name: Name
    text: str | None


@dataclass(frozen=True)
class SetParameter:
    name: str
    value: str | None
    local: bool = False


@dataclass(frozen=True)
class ShowParameter:
    name: str


@dataclass(frozen=True)
class Utility:
    """Accepted, with nothing to do on one machine: VACUUM, ANALYZE, GRANT on a table, CREATE GROUP, …

    `target` is a table that has to exist; `outside` names a command that refuses to run in a transaction.
    """

    command: str
    target: Name = ()
    outside: bool = False


@dataclass(frozen=True)
class CreateUser:
    name: str
    superuser: bool = False


@dataclass(frozen=True)
class DropUser:
    name: str
    if_exists: bool = False


@dataclass(frozen=True)
class DatabasePrivileges:
    """GRANT or REVOKE of privileges on databases, to users and to "public"."""

    granted: bool
    privileges: tuple[str, ...]
    databases: tuple[str, ...]
    users: tuple[str, ...]


@dataclass(frozen=True)
class CreateRole:
    name: str


@dataclass(frozen=True)
class DropRole:
    name: str
    force: bool = False


@dataclass(frozen=True)
class RoleMembership:
    """GRANT or REVOKE of roles, to users and to other roles."""

    granted: bool
    roles: tuple[str, ...]
    users: tuple[str, ...]


Statement = (
    Begin
    | Commit
    | Rollback
    | Lock
    | Truncate
    | Query
    | MergeWithoutDuplicates
    | Explain
    | CreateView
    | Drop
    | CreateSchema
    | CreateUser
    | DropUser
    | DatabasePrivileges
    | CreateRole
    | DropRole
    | RoleMembership
    | CreateDatabase
    | DropDatabase
    | AlterDatabase
    | Comment
    | SetParameter
    | ShowParameter
    | Utility
    | tables.CreateTable
    | tables.AlterTable
    | load.Copy
    | load.Unload
    | external.CreateExternalSchema
    | external.CreateExternalTable
    | external.AddPartitions
    | external.DropPartition
    | external.MovePartition
    | external.AlterExternalTable
    | procedures.CreateProcedure
    | procedures.DropProcedure
    | procedures.Call
)
