"""Which relations a statement touches, and what its unnamed columns are called."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlglot import exp

from local_cloud.services.redshift.sql.functions import FUNCTIONS


def target(tree: exp.Expr) -> exp.Table | None:
    """The table that INSERT, UPDATE, DELETE or MERGE writes."""
    if isinstance(tree, (exp.Insert, exp.Update, exp.Delete, exp.Merge)):
        table = tree.this
        if isinstance(table, exp.Schema):
            table = table.this
        if isinstance(table, exp.Table):
            return table
    return None


def relations(tree: exp.Expr) -> list[exp.Table]:
    """Every table that is read or written by name: not the names of WITH queries, not table functions."""
    return [
        table
        for table in tree.find_all(exp.Table)
        if isinstance(table.this, exp.Identifier) and not _is_common_table(table)
    ]


def _is_common_table(table: exp.Table) -> bool:
    if table.db:
        return False
    node: exp.Expr | None = table
    while node is not None:
        with_ = node.args.get("with_")
        if isinstance(with_, exp.With) and any(cte.alias == table.name for cte in with_.expressions):
            return True
        node = node.parent
    return False


def name_columns(tree: exp.Expr) -> None:
    """Give every unnamed column of a result the name that Redshift gives it: `count`, `case`, `?column?`."""
    for select in tree.find_all(exp.Select):
        if isinstance(select.parent, (exp.In, exp.Exists)):
            continue
        columns = select.expressions
        for index, column in enumerate(columns):
            if isinstance(column, (exp.Alias, exp.Column, exp.Star, exp.Aliases)):
                continue
            if isinstance(column, exp.Dot) and isinstance(column.expression, exp.Star):
                continue
            columns[index] = exp.alias_(column, column_name(column), quoted=True)
        select.set("expressions", columns)


#: What is no call by its name, and the name that its column has.
_NODE_NAMES = {
    exp.Extract: "date_part",
    exp.CurrentDate: "date",
    exp.CurrentTimestamp: "timestamptz",
    exp.CurrentVersion: "version",
    exp.AtTimeZone: "timezone",
}


def column_name(column: exp.Expr) -> str:
    """PostgreSQL's FigureColname, which Redshift inherited."""
    for kinds, rule in _NAMING:
        if isinstance(column, kinds):
            return rule(column) or "?column?"
    return "?column?"


def _of_case(column: exp.Expr) -> str:
    default = column.args.get("default")
    name = column_name(default) if default is not None else ""
    return "case" if name in ("", "?column?") else name


def _of_cast(column: exp.Expr) -> str:
    inner = column_name(column.this)
    if inner != "?column?":
        return inner
    kind = column.args["to"].this
    return _TYPE_NAMES.get(kind) or str(kind.value).lower()


def _of_subquery(column: exp.Expr) -> str:
    select = column.this
    return column_name(select.expressions[0]) if isinstance(select, exp.Select) and select.expressions else ""


def _of_function(column: exp.Expr) -> str:
    if type(column) in _NODE_NAMES:
        return _NODE_NAMES[type(column)]
    return column.sql_name().lower() if isinstance(column, exp.Func) else ""


def _of_call(column: exp.Anonymous) -> str:
    name = column.name.lower()
    row = FUNCTIONS.get(name)
    return (row.column if row else "") or name


_TYPE_NAMES = {
    exp.DataType.Type.INT: "int4",
    exp.DataType.Type.BIGINT: "int8",
    exp.DataType.Type.SMALLINT: "int2",
    exp.DataType.Type.DECIMAL: "numeric",
    exp.DataType.Type.DOUBLE: "float8",
    exp.DataType.Type.FLOAT: "float4",
    exp.DataType.Type.BOOLEAN: "bool",
    exp.DataType.Type.TEXT: "varchar",
    exp.DataType.Type.CHAR: "bpchar",
    exp.DataType.Type.DATETIME: "timestamp",
}

#: What kind of expression is named how; the first that fits counts.
_NAMING: tuple[tuple[tuple[type, ...], Callable[[Any], str]], ...] = (
    ((exp.Alias, exp.Column), lambda column: column.alias_or_name),
    ((exp.Paren, exp.Window, exp.WithinGroup, exp.Filter, exp.IgnoreNulls), lambda column: column_name(column.this)),
    ((exp.Cast,), _of_cast),
    ((exp.Case,), _of_case),
    ((exp.Anonymous,), _of_call),
    ((exp.Dot,), lambda column: column.expression.name),
    ((exp.Bracket,), lambda column: column_name(column.this)),
    (tuple(_NODE_NAMES), _of_function),
    ((exp.Connector, exp.Binary, exp.Unary), lambda column: ""),
    ((exp.Func,), _of_function),
    ((exp.Subquery,), _of_subquery),
    ((exp.Boolean,), lambda column: "bool"),
)
