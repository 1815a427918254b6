"""DROP of tables, views, schemas and databases."""

from __future__ import annotations

from local_cloud.services.redshift.engine import catalog, views
from local_cloud.services.redshift.engine.context import Context
from local_cloud.services.redshift.engine.external import catalog as external
from local_cloud.services.redshift.engine.locks import Mode
from local_cloud.services.redshift.engine.statement import RunningStatement
from local_cloud.services.redshift.engine.tables.create import schema_exists, sequence_of, stored, target_of
from local_cloud.services.redshift.engine.warehouse import INTERNAL
from local_cloud.services.redshift.errors import SqlError
from local_cloud.services.redshift.sql import statements
from local_cloud.services.redshift.sql.lexer import quoted
from local_cloud.services.redshift.sql.tables import Name


def drop_database(context: Context, statement: statements.DropDatabase, running: RunningStatement) -> int:
    context.outside_transaction("DROP DATABASE")
    if statement.name == context.database.name:
        raise SqlError("cannot drop the currently open database")
    context.warehouse.drop_database(context.database.namespace, statement.name, first=context.services.first_database)
    return 0


def drop(context: Context, statement: statements.Drop, running: RunningStatement) -> int:
    for name in statement.names:
        if statement.kind == "SCHEMA":
            _drop_schema(context, name[-1], statement=statement)
        elif statement.kind == "VIEW":
            _drop_view(context, name, statement=statement)
        else:
            _drop_table(context, name, statement=statement)
    return 0


def _drop_table(context: Context, name: Name, *, statement: statements.Drop) -> None:
    if context.is_temporary(name):
        _drop_stored(context, name, temporary=True)
        context.temporary.discard(name[-1])
        return
    if external.is_external(context, name):
        external.drop_table(context, name, if_exists=statement.if_exists)
        return
    context.lock([(name, Mode.EXCLUSIVE)])
    if views.find(context, name):
        raise SqlError(f'"{name[-1]}" is not a table', hint="Use DROP VIEW to remove a view.")
    if stored(context, name):
        _drop_stored(context, name, temporary=False)
    elif not statement.if_exists:
        raise SqlError(f'Table "{name[-1]}" does not exist')


def _drop_stored(context: Context, name: Name, *, temporary: bool) -> None:
    target = target_of(context, name, temporary=temporary)
    identities = [column.name for column in catalog.columns(context, name) if column.identity]
    context.query(f"DROP TABLE {target}")
    for column in identities:
        context.query(f"DROP SEQUENCE {sequence_of(target, column)}")


def _drop_view(context: Context, name: Name, *, statement: statements.Drop) -> None:
    context.lock([(name, Mode.EXCLUSIVE)])
    if views.drop(context, name):
        return
    if context.is_temporary(name) or stored(context, name):
        raise SqlError(f'"{name[-1]}" is not a view', hint="Use DROP TABLE to remove a table.")
    if not statement.if_exists:
        raise SqlError(f'view "{name[-1]}" does not exist')


def _drop_schema(context: Context, name: str, *, statement: statements.Drop) -> None:
    if external.database_of(context, name):
        external.drop_schema(context, name)
        return
    context.lock([((name, "*"), Mode.EXCLUSIVE)])
    if name in ("public", INTERNAL, "pg_catalog", "information_schema"):
        raise SqlError(f'cannot drop schema "{name}" because it is required by the database system')
    if not schema_exists(context, name):
        if statement.if_exists:
            return
        raise SqlError(f'schema "{name}" does not exist')
    tables = context.query(
        "SELECT table_name FROM duckdb_tables() WHERE database_name = ? AND schema_name = ?",
        [context.database.catalog, name],
    ).fetchall()
    inner = [(name, table) for (table,) in tables]
    found = [*inner, *((name, view) for view in views.names(context, name))]
    if found and not statement.cascade:
        raise SqlError(
            f"cannot drop schema {name} because other objects depend on it",
            hint="Use DROP ... CASCADE to drop the dependent objects too.",
        )
    for view in views.names(context, name):
        views.drop(context, (name, view))
    for table in inner:
        context.lock([(table, Mode.EXCLUSIVE)])
        _drop_stored(context, table, temporary=False)
    context.query(f"DELETE FROM {INTERNAL}.procedures WHERE schema = ?", [name])
    context.query(f"DROP SCHEMA {quoted(context.database.catalog)}.{quoted(name)}")
