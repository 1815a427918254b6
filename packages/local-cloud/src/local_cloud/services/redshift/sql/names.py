"""Which relations a statement touches, and what its unnamed columns are called."""

from __future__ import annotations

from sqlglot import exp


def target(tree: exp.Expression) -> exp.Table | None:
    """The table that INSERT, UPDATE, DELETE or MERGE writes."""
    if isinstance(tree, (exp.Insert, exp.Update, exp.Delete, exp.Merge)):
        table = tree.this
        if isinstance(table, exp.Schema):
            table = table.this
        if isinstance(table, exp.Table):
            return table
    return None


def relations(tree: exp.Expression) -> list[exp.Table]:
    """Every table that is read or written by name: not the names of WITH queries, not table functions."""
    return [
        table
        for table in tree.find_all(exp.Table)
        if isinstance(table.this, exp.Identifier) and not _is_common_table(table)
    ]


def _is_common_table(table: exp.Table) -> bool:
    if table.db:
        return False
    node: exp.Expression | None = table
    while node is not None:
        with_ = node.args.get("with_") or node.args.get("with")
        if isinstance(with_, exp.With) and any(cte.alias == table.name for cte in with_.expressions):
            return True
        node = node.parent
    return False


def name_columns(tree: exp.Expression) -> None:
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


#: sqlglot's node, and the name of the function it was read from.
_FUNCTION_NAMES = {
    exp.TsOrDsAdd: "date_add",
    exp.TsOrDsDiff: "date_diff",
    exp.TimestampTrunc: "date_trunc",
    exp.DateTrunc: "date_trunc",
    exp.Extract: "date_part",
    exp.CurrentDate: "date",
    exp.CurrentTimestamp: "timestamptz",
    exp.GroupConcat: "listagg",
    exp.ApproxDistinct: "count",
    exp.StrPosition: "strpos",
    exp.Length: "len",
    exp.TimeToStr: "to_char",
    exp.ToChar: "to_char",
    exp.StrToDate: "to_date",
    exp.StrToTime: "to_timestamp",
    exp.Substring: "substring",
    exp.If: "case",
}


def column_name(column: exp.Expression) -> str:
    """PostgreSQL's FigureColname, which Redshift inherited."""
    if isinstance(column, (exp.Alias, exp.Column)):
        return column.alias_or_name or "?column?"
    if isinstance(column, (exp.Paren, exp.Window, exp.WithinGroup, exp.Filter, exp.IgnoreNulls)):
        return column_name(column.this)
    if isinstance(column, exp.Cast):
        inner = column_name(column.this)
        return inner if inner != "?column?" else _type_name(column.to)
    if isinstance(column, exp.Case):
        return _case_name(column.args.get("default")) or "case"
    if isinstance(column, exp.Anonymous):
        return column.name.lower()
    for node, name in _FUNCTION_NAMES.items():
        if type(column) is node:
            return name
    if isinstance(column, (exp.And, exp.Or, exp.Binary, exp.Unary)):
        return "?column?"
    if isinstance(column, exp.Func):
        return column.sql_name().lower()
    if isinstance(column, exp.Subquery) and isinstance(column.this, exp.Select) and column.this.expressions:
        return column_name(column.this.expressions[0])
    if isinstance(column, exp.Boolean):
        return "bool"
    return "?column?"


def _case_name(default: exp.Expression | None) -> str:
    name = column_name(default) if default is not None else ""
    return "" if name == "?column?" else name


def _type_name(kind: exp.DataType) -> str:
    names = {
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
    return names.get(kind.this) or str(kind.this.value).lower()
