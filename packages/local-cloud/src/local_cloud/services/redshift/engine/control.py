"""Transaction control, LOCK, TRUNCATE, SET and SHOW, and commands with nothing to do on one machine."""

from __future__ import annotations

from dataclasses import replace

from local_cloud.services.redshift.engine import catalog
from local_cloud.services.redshift.engine.context import Context, ControlContext
from local_cloud.services.redshift.engine.locks import Mode
from local_cloud.services.redshift.engine.statement import ResultColumn, RunningStatement
from local_cloud.services.redshift.engine.tables.create import annotate
from local_cloud.services.redshift.errors import SqlError
from local_cloud.services.redshift.sql import statements
from local_cloud.services.redshift.sql.lexer import quoted
from local_cloud.services.redshift.sql.tables import Name
from local_cloud.services.redshift.sql.types import RedshiftType


def begin(context: ControlContext, statement: statements.Begin, running: RunningStatement) -> int:
    if context.in_transaction:
        context.notices.append("WARNING: there is already a transaction in progress")
    context.begin()
    return 0


def commit(context: ControlContext, statement: statements.Commit, running: RunningStatement) -> int:
    context.commit()
    return 0


def rollback(context: ControlContext, statement: statements.Rollback, running: RunningStatement) -> int:
    context.rollback()
    return 0


def _table(context: Context, name: Name) -> str:
    """A stored table as DuckDB SQL. SqlError when there is none."""
    if not catalog.columns(context, name):
        raise SqlError(f'relation "{".".join(name)}" does not exist')
    if context.is_temporary(name):
        return f"temp.main.{quoted(name[-1])}"
    return ".".join(quoted(part) for part in context.key(name))


def lock(context: ControlContext, statement: statements.Lock, running: RunningStatement) -> int:
    """ACCESS EXCLUSIVE until the transaction ends. The snapshot is taken afterwards, by the first query."""
    for name in statement.tables:
        database, schema, table = context.key(name)
        stored = context.lookup(
            "SELECT 1 FROM duckdb_tables() WHERE database_name = ? AND schema_name = ? AND table_name = ?",
            [database, schema, table],
        )
        if not stored and not context.is_temporary(name):
            raise SqlError(f'relation "{".".join(name)}" does not exist', position=running.place(name[-1]))
    context.lock_only(statement.tables)
    return 0


def truncate(context: ControlContext, statement: statements.Truncate, running: RunningStatement) -> int:
    """Empty the table and commit, together with all that the transaction did before.

    https://docs.aws.amazon.com/redshift/latest/dg/r_TRUNCATE.html
    """
    context.lock([(statement.table, Mode.EXCLUSIVE)])
    context.check_fresh(statement.table)
    context.query(f"DELETE FROM {_table(context, statement.table)}")
    context.commit()
    return 0


def comment(context: Context, statement: statements.Comment, running: RunningStatement) -> int:
    if statement.kind not in ("TABLE", "COLUMN"):
        return 0
    name = statement.name if statement.kind == "TABLE" else statement.name[:-1]
    context.lock([(name, Mode.EXCLUSIVE)])
    target = _table(context, name)
    if statement.kind == "TABLE":
        text = "NULL" if statement.text is None else "'" + statement.text.replace("'", "''") + "'"
        context.query(f"COMMENT ON TABLE {target} IS {text}")
        return 0
    found = next((column for column in catalog.columns(context, name) if column.name == statement.name[-1]), None)
    if found is None:
        raise SqlError(f'column "{statement.name[-1]}" of relation "{name[-1]}" does not exist')
    annotate(context, target, column=replace(catalog.definition_of(found), comment=statement.text))
    return 0


def set_parameter(context: ControlContext, statement: statements.SetParameter, running: RunningStatement) -> int:
    if statement.name == "search_path":
        wanted = [part.strip().strip("'\"").lower() for part in (statement.value or "public").split(",")]
        context.set_search_path(tuple(part for part in wanted if part and part not in ("$user", "pg_catalog")))
    elif statement.name == "statement_timeout":
        value = statement.value or "0"
        if not value.isdigit():
            raise SqlError(f'parameter "statement_timeout" requires an integer value: "{value}"')
        context.settings.statement_timeout = int(value)
    elif statement.name in ("timezone", "time zone") and (statement.value or "UTC").upper() not in ("UTC", "GMT"):
        raise SqlError(f'time zone "{statement.value}" is not supported by the local warehouse; it runs in UTC')
    if statement.value is None:
        context.settings.parameters.pop(statement.name, None)
    else:
        context.settings.parameters[statement.name] = statement.value
    return 0


_DEFAULTS = {
    "datestyle": "ISO, MDY",
    "enable_case_sensitive_identifier": "off",
    "extra_float_digits": "0",
    "query_group": "default",
    "search_path": "$user, public",
    "statement_timeout": "0",
    "timezone": "UTC",
    "server_version": "8.0.2",
    "client_encoding": "UTF8",
    "transaction_isolation": "serializable",
}


def show_parameter(context: Context, statement: statements.ShowParameter, running: RunningStatement) -> int:
    value = context.settings.parameters.get(statement.name, _DEFAULTS.get(statement.name))
    if value is None:
        raise SqlError(f'unrecognized configuration parameter "{statement.name}"')
    running.sink.begin([ResultColumn(statement.name, RedshiftType("character varying", length=256))])
    running.sink.add([(value,)])
    return 1


def accept(context: Context, statement: statements.Utility, running: RunningStatement) -> int:
    """VACUUM, ANALYZE, GRANT on a table and the like: one machine needs none of it."""
    if statement.outside:
        context.outside_transaction(statement.command)
    if statement.target:
        _table(context, statement.target)
    return 0
