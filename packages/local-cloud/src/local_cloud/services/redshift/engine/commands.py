"""Which function runs which kind of statement."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from local_cloud.services.redshift.engine import control, privileges, procedures, queries, roles
from local_cloud.services.redshift.engine.context import Context, ControlContext
from local_cloud.services.redshift.engine.copy.command import copy
from local_cloud.services.redshift.engine.external import catalog as external
from local_cloud.services.redshift.engine.statement import RunningStatement
from local_cloud.services.redshift.engine.tables import alter, create, drop, select_into
from local_cloud.services.redshift.engine.unload.command import unload
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
    statements.MergeWithoutDuplicates: queries.merge_without_duplicates,
    statements.Explain: queries.explain,
    statements.CreateView: create.create_view,
    statements.CreateSchema: create.create_schema,
    statements.CreateDatabase: create.create_database,
    statements.AlterDatabase: create.alter_database,
    statements.DropDatabase: drop.drop_database,
    statements.Drop: drop.drop,
    statements.CreateUser: privileges.create_user,
    statements.DropUser: privileges.drop_user,
    statements.DatabasePrivileges: privileges.set_database_privileges,
    statements.CreateRole: roles.create,
    statements.DropRole: roles.drop,
    statements.RoleMembership: roles.set_membership,
    tables.CreateTable: create.create_table,
    tables.AlterTable: alter.alter_table,
    load.Copy: copy,
    load.Unload: unload,
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
