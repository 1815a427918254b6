"""ALTER TABLE."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from local_cloud.services.redshift.engine import catalog
from local_cloud.services.redshift.engine.context import Context
from local_cloud.services.redshift.engine.locks import Mode
from local_cloud.services.redshift.engine.statement import RunningStatement
from local_cloud.services.redshift.engine.tables.create import annotate, build, sequence_of, target_of
from local_cloud.services.redshift.errors import SqlError
from local_cloud.services.redshift.sql import keys
from local_cloud.services.redshift.sql.columns import Column
from local_cloud.services.redshift.sql.lexer import quoted
from local_cloud.services.redshift.sql.tables import AlterTable


@dataclasses.dataclass(frozen=True)
class _Alteration:
    """One ALTER TABLE on a table that exists and is locked. `target` is the table as DuckDB SQL."""

    context: Context
    statement: AlterTable
    columns: list[Column]
    target: str
    temporary: bool

    def find(self, name: str) -> Column:
        for column in self.columns:
            if column.name == name:
                return column
        raise SqlError(f'column "{name}" of relation "{self.statement.name[-1]}" does not exist')


def alter_table(context: Context, statement: AlterTable, running: RunningStatement) -> int:
    running.relations = (".".join(statement.name),)
    context.lock([(statement.name, Mode.EXCLUSIVE)])
    columns = [catalog.definition_of(column) for column in catalog.columns(context, statement.name)]
    if not columns:
        raise SqlError(f'relation "{".".join(statement.name)}" does not exist')
    temporary = context.is_temporary(statement.name)
    target = target_of(context, statement.name, temporary=temporary)
    return _ALTERATIONS[statement.action](_Alteration(context, statement, columns, target, temporary))


def _rename(change: _Alteration) -> int:
    context, statement = change.context, change.statement
    context.lock([((*statement.name[:-1], statement.new_name), Mode.EXCLUSIVE)])
    context.query(f"ALTER TABLE {change.target} RENAME TO {quoted(statement.new_name)}")
    if change.temporary:
        context.temporary ^= {statement.name[-1], statement.new_name}
    return 0


def _rename_column(change: _Alteration) -> int:
    old, new = change.find(change.statement.target).name, change.statement.new_name
    change.context.query(f"ALTER TABLE {change.target} RENAME COLUMN {quoted(old)} TO {quoted(new)}")
    return 0


def _drop_column(change: _Alteration) -> int:
    """A key stays. Redshift's words: https://github.com/dbt-labs/dbt-redshift/issues/333"""
    column = change.find(change.statement.target)
    if column.distkey or column.sortkey:
        raise SqlError(f'cannot drop {"distkey" if column.distkey else "sortkey"} column "{column.name}"')
    change.context.query(f"ALTER TABLE {change.target} DROP COLUMN {quoted(column.name)}")
    return 0


def _change_keys(change: _Alteration) -> int:
    """A new distribution takes the place of the one before."""
    changed, columns = change.statement.keys, change.columns
    for name, _ in changed.encode:
        change.find(name)
    if changed.diststyle:
        columns = [dataclasses.replace(column, distkey=False) for column in columns]
    for column in keys.apply(columns, changed):
        annotate(change.context, change.target, column=column)
    return 0


def _add_column(change: _Alteration) -> int:
    added = change.statement.column
    assert added is not None
    if any(column.name == added.name for column in change.columns):
        raise SqlError(f'column "{added.name}" of relation "{change.statement.name[-1]}" already exists')
    if added.not_null and not added.default:
        raise SqlError("ALTER TABLE ADD COLUMN defined as NOT NULL must have a non-null default expression")
    _rebuild(change, [*change.columns, added])
    return 0


def _resize_column(change: _Alteration) -> int:
    change.context.outside_transaction("ALTER TABLE ALTER COLUMN")
    column, kind = change.find(change.statement.target), change.statement.type
    assert kind is not None
    if column.type.name != "character varying" or kind.name != "character varying":
        raise SqlError(f'cannot alter type of column "{column.name}": only the size of a VARCHAR can change')
    _rebuild(change, [dataclasses.replace(c, type=kind) if c is column else c for c in change.columns])
    return 0


def _rebuild(change: _Alteration, after: list[Column]) -> None:
    """Rewrite the table: DuckDB cannot add a column with a check, or change one."""
    context, target = change.context, change.target
    head, _, table = target.rpartition(".")
    fresh = f"{head}.{quoted(table.strip(chr(34)) + '$new')}"
    # The default of an identity column is DuckDB's sequence, which is given back below.
    plain = [dataclasses.replace(c, identity=None, default="") if c.identity else c for c in after]
    build(context, fresh, columns=plain, temporary=change.temporary)
    names = ", ".join(quoted(column.name) for column in change.columns)
    context.query(f"INSERT INTO {fresh} ({names}) SELECT {names} FROM {target}")
    context.query(f"DROP TABLE {target}")
    context.query(f"ALTER TABLE {fresh} RENAME TO {table}")
    for column in after:
        if column.identity:
            sequence = sequence_of(target, column.name).replace("'", "''")
            context.query(f"ALTER TABLE {target} ALTER {quoted(column.name)} SET DEFAULT nextval('{sequence}')")
            annotate(context, target, column=column)


def _append(change: _Alteration) -> int:
    """ALTER TABLE … APPEND moves rows between tables of the same columns, and commits at once."""
    context, statement = change.context, change.statement
    context.outside_transaction("ALTER TABLE APPEND")
    context.lock([(statement.source, Mode.EXCLUSIVE)])
    source = catalog.columns(context, statement.source)
    if {(c.name, str(c.type)) for c in source} != {(c.name, str(c.type)) for c in change.columns}:
        raise SqlError("Columns in source and target table do not match")
    names = ", ".join(quoted(column.name) for column in change.columns)
    origin = target_of(context, statement.source, temporary=context.is_temporary(statement.source))
    count = context.query(f"INSERT INTO {change.target} ({names}) SELECT {names} FROM {origin}").fetchone()[0]
    context.query(f"DELETE FROM {origin}")
    return int(count)


_ALTERATIONS: dict[str, Callable[[_Alteration], int]] = {
    "add": _add_column,
    "append": _append,
    "attributes": lambda change: 0,
    "drop": _drop_column,
    "keys": _change_keys,
    "rename": _rename,
    "rename_column": _rename_column,
    "type": _resize_column,
}
