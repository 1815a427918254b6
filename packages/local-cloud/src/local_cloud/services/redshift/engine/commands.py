"""Which function runs which kind of statement."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from local_cloud.services.redshift.engine import (
    alterations,
    control,
    definitions,
    external,
    loading,
    privileges,
    procedures,
    queries,
    roles,
    select_into,
    unloading,
)
from local_cloud.services.redshift.engine.context import Context, ControlContext
from local_cloud.services.redshift.engine.statement import RunningStatement
from local_cloud.services.redshift.sql import external as external_sql
from local_cloud.services.redshift.sql import load, statements, tables
from local_cloud.services.redshift.sql import procedures as procedure_sql
from local_cloud.services.redshift.sql.dialect import read


def _query(context: Context, statement: statements.Query, running: RunningStatement) -> int:
    """A query that makes a table is a definition; all others give rows or change them."""
    tree = read(statement.sql)
    into = select_into.target_of(tree)
    if into is not None:
        return select_into.run(context, tree, into, running=running)
    return queries.run(context, tree, running)


#: (context, statement, running) → rows returned or changed.
COMMANDS: dict[type, Callable[[ControlContext, Any, RunningStatement], int]] = {
    statements.Begin: control.begin,
    statements.Commit: control.commit,
    statements.Rollback: control.rollback,
    statements.Lock: control.lock,
    statements.Truncate: control.truncate,
    statements.SetParameter: control.set_parameter,
    statements.ShowParameter: control.show_parameter,
    statements.Utility: control.accept,
    statements.Comment: control.comment,
    statements.Query: _query,
    statements.Explain: queries.explain,
    statements.CreateView: definitions.create_view,
    statements.CreateSchema: definitions.create_schema,
    statements.CreateDatabase: definitions.create_database,
    statements.AlterDatabase: definitions.alter_database,
    statements.DropDatabase: definitions.drop_database,
    statements.Drop: definitions.drop,
    statements.CreateUser: privileges.create_user,
    statements.DropUser: privileges.drop_user,
    statements.DatabasePrivileges: privileges.set_database_privileges,
    statements.CreateRole: roles.create,
    statements.DropRole: roles.drop,
    statements.RoleMembership: roles.set_membership,
    tables.CreateTable: definitions.create_table,
    tables.AlterTable: alterations.alter_table,
    load.Copy: loading.copy,
    load.Unload: unloading.unload,
    external_sql.CreateExternalSchema: external.create_schema,
    external_sql.CreateExternalTable: external.create_table,
    external_sql.AddPartitions: external.add_partitions,
    external_sql.DropPartition: external.drop_partition,
    external_sql.MovePartition: external.move_partition,
    external_sql.AlterExternalTable: external.alter_table,
    procedure_sql.CreateProcedure: procedures.create,
    procedure_sql.DropProcedure: procedures.drop,
    procedure_sql.Call: procedures.call,
}
