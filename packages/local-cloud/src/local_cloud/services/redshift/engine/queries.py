"""SELECT, INSERT, UPDATE, DELETE and MERGE."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlglot import exp

from local_cloud.services.redshift.engine import catalog, system, views
from local_cloud.services.redshift.engine.context import Context
from local_cloud.services.redshift.engine.external import catalog as external
from local_cloud.services.redshift.engine.external import scan
from local_cloud.services.redshift.engine.locks import Mode
from local_cloud.services.redshift.engine.statement import ResultColumn, RunningStatement
from local_cloud.services.redshift.errors import FunctionNotFound, SqlError
from local_cloud.services.redshift.sql import assignments, names, statements
from local_cloud.services.redshift.sql.annotate import SERIES, annotate, expand_stars
from local_cloud.services.redshift.sql.dialect import fold_case, read
from local_cloud.services.redshift.sql.kinds import redshift_type
from local_cloud.services.redshift.sql.parser import parse
from local_cloud.services.redshift.sql.reader import Reader
from local_cloud.services.redshift.sql.render import render
from local_cloud.services.redshift.sql.tables import Name
from local_cloud.services.redshift.sql.types import RedshiftType, from_duckdb

BATCH = 2048
MAX_VIEW_DEPTH = 32


@dataclass(frozen=True)
class Prepared:
    """A statement ready for DuckDB, its locks taken.

    `origins` tells by name where result columns come from; `types` by place what they are, None where a star hides it.
    """

    tree: exp.Expr
    sql: str
    target: Name | None
    origins: dict[str, catalog.Column]
    types: Sequence[RedshiftType | None]

    def column(self, index: int, name: str, duckdb_type: str) -> ResultColumn:
        """A result column as Redshift shows it."""
        kind = from_duckdb(duckdb_type)
        known = self.types[index] if index < len(self.types) else None
        origin = self.origins.get(name)
        if origin is not None and origin.type.duckdb == kind.duckdb and (known is None or known == origin.type):
            return ResultColumn(name, origin.type, origin.schema, origin.table, nullable=not origin.not_null)
        if known is not None and known.is_close_to(kind):
            return ResultColumn(name, known)
        return ResultColumn(name, kind)


def name_of(table: exp.Table) -> Name:
    return tuple(part.name for part in table.parts)


def prepare(context: Context, tree: exp.Expr, running: RunningStatement) -> Prepared:
    """Lock what the statement touches and translate it.

    The order matters: views first, since they bring tables of their own; locks before anything is read; types
    while every relation still has its name; system views and external tables last, as DuckDB SQL.
    """
    fold_case(tree)
    names.name_columns(tree)
    running.relations = tuple(dict.fromkeys(".".join(name_of(table)) for table in names.relations(tree)))
    _check_functions(tree, running)
    _expand_views(context, tree)
    target_table = names.target(tree)
    wanted: list[tuple[Name, Mode]] = []
    for table in names.relations(tree):
        if _is_stored(context, table):
            _qualify(context, table)
            wanted.append((name_of(table), Mode.WRITE if table is target_table else Mode.READ))
    target = name_of(target_table) if target_table is not None else None
    context.lock(wanted)
    if target is not None and not isinstance(tree, exp.Insert):
        context.check_fresh(target)
    if isinstance(tree, exp.Insert) and target is not None:
        _name_targets(context, tree, target=target)
    found = {name_of(table): _columns(context, table) for table in names.relations(tree)}
    schema = _schema(found)
    expand_stars(tree, schema)
    try:
        types = annotate(tree, schema)
    except FunctionNotFound as error:
        error.position = running.place(error.name)
        raise
    if target is not None:
        assignments.convert(tree, {column.name: column.type for column in found.get(target, [])})
    origins = _origins(tree, found)
    for table in names.relations(tree):
        name = name_of(table)
        if system.is_system(name):
            _put(table, system.relation(context, name))
        elif external.is_external(context, name):
            _put(table, scan.relation(context, name, node=table))
    return Prepared(tree, render(tree, context.moment()), target, origins, [redshift_type(kind) for kind in types])


def _check_functions(tree: exp.Expr, running: RunningStatement) -> None:
    """DuckDB's functions in FROM, which read files of this machine among other things, are none of Redshift's."""
    for table in tree.find_all(exp.Table):
        function = table.this
        if isinstance(function, exp.Func):
            name = function.name if isinstance(function, exp.Anonymous) else function.sql_name()
            if name.lower() == SERIES:
                continue
            raise SqlError(f"function {name.lower()}() does not exist", position=running.place(name))


def _is_stored(context: Context, table: exp.Table) -> bool:
    name = name_of(table)
    return not (system.is_system(name) or external.is_external(context, name))


def _expand_views(context: Context, tree: exp.Expr) -> None:
    pending = [(table, 0) for table in names.relations(tree)]
    written = names.target(tree)
    while pending:
        table, depth = pending.pop()
        view = None if table is written or not _is_stored(context, table) else views.find(context, name_of(table))
        if view is None:
            continue
        if depth > MAX_VIEW_DEPTH:
            raise SqlError(f'infinite recursion in the definition of view "{table.name}"')
        columns, definition = view
        query = fold_case(read(definition))
        names.name_columns(query)
        alias = exp.TableAlias(
            this=exp.to_identifier(table.alias or table.name), columns=[exp.to_identifier(c) for c in columns]
        )
        pending += [(inner, depth + 1) for inner in names.relations(query)]
        _replace(table, exp.Subquery(this=query, alias=alias))


def _replace(table: exp.Table, subquery: exp.Subquery) -> None:
    for key in ("joins", "pivots", "laterals", "sample"):
        if table.args.get(key):
            subquery.set(key, table.args[key])
    subquery.meta.update(table.meta)
    table.replace(subquery)


def _put(table: exp.Table, sql: str) -> None:
    """Replace a relation by the DuckDB query that computes it, under the name it had."""
    alias = exp.TableAlias(this=exp.to_identifier(table.alias or table.name))
    _replace(table, exp.Subquery(this=exp.Var(this=sql), alias=alias))


def _qualify(context: Context, table: exp.Table) -> None:
    """`t` and `dev.public.t` become `public.t`, so that no WITH query of the statement can take its place."""
    name = name_of(table)
    if not context.is_temporary(name):
        table.set("db", exp.to_identifier(context.key(name)[1]))
        table.set("catalog", None)


def _columns(context: Context, table: exp.Table) -> list[catalog.Column]:
    name = name_of(table)
    if system.is_system(name):
        return _described(context, system.relation(context, name))
    if external.is_external(context, name):
        return external.columns(context, name)
    return catalog.columns(context, name)


def _described(context: Context, sql: str) -> list[catalog.Column]:
    """The columns of a query of DuckDB's."""
    rows = context.lookup(f"DESCRIBE {sql}", [])
    return [catalog.Column("", "", str(name), from_duckdb(str(kind))) for name, kind, *_ in rows]


def _name_targets(context: Context, tree: exp.Insert, *, target: Name) -> None:
    """Write out the columns that an INSERT without a list of them fills: the first ones, as many as it has values.

    Redshift fills IDENTITY columns itself: they are left out, and refused when the statement names them.
    """
    stored = catalog.columns(context, target)
    generated = {column.name for column in stored if column.identity and not column.by_default}
    if isinstance(tree.this, exp.Schema):
        for identifier in tree.this.expressions:
            if identifier.name in generated:
                raise SqlError("cannot set an identity column to a value")
        return
    if tree.args.get("default"):
        return
    filled = [column.name for column in stored if column.name not in generated]
    width = _width(context, tree.expression)
    if len(stored) > len(filled[:width]):
        identifiers = [exp.to_identifier(name) for name in filled[:width]]
        tree.set("this", exp.Schema(this=tree.this, expressions=identifiers))


def _width(context: Context, source: exp.Expr | None) -> int | None:
    """The number of columns of VALUES or a SELECT; None where a star hides it, but for the star of one table."""
    if isinstance(source, exp.Values) and source.expressions:
        return len(source.expressions[0].expressions)
    if not isinstance(source, exp.Select):
        return None
    if not source.is_star:
        return len(source.expressions)
    origin = source.args.get("from_")
    table = origin.this if origin is not None else None
    has_more = source.args.get("joins") or source.args.get("with_") or source.expressions != [exp.Star()]
    return None if has_more or not isinstance(table, exp.Table) else len(_columns(context, table)) or None


def _schema(columns: dict[Name, list[catalog.Column]]) -> dict[str, dict[str, dict[str, str]]]:
    schema: dict[str, dict[str, dict[str, str]]] = {}
    for name, found in columns.items():
        if not found:
            continue
        part = schema.setdefault(name[-2] if len(name) > 1 else "public", {})
        part[name[-1]] = {column.name: str(column.type) for column in found}
    return schema


def _origins(tree: exp.Expr, columns: dict[Name, list[catalog.Column]]) -> dict[str, catalog.Column]:
    """Stored columns that a result shows unchanged, by the result's names."""
    if not isinstance(tree, exp.Select):
        return {}
    source = tree.args.get("from_")
    tables = [source.this] if source is not None else []
    tables += [join.this for join in tree.args.get("joins") or []]
    by_alias = {
        table.alias_or_name: {column.name: column for column in columns.get(name_of(table), [])}
        for table in tables
        if isinstance(table, exp.Table)
    }
    if len(by_alias) != len(tables):
        return {}
    found: dict[str, catalog.Column] = {}
    for projection in tree.expressions:
        if isinstance(projection, exp.Star) and len(by_alias) == 1:
            found |= next(iter(by_alias.values()))
        inner = projection.unalias()
        if isinstance(inner, exp.Column) and isinstance(inner.this, exp.Identifier):
            owners = [inner.table] if inner.table else [a for a, c in by_alias.items() if inner.name in c]
            if len(owners) == 1 and inner.name in by_alias.get(owners[0], {}):
                found[projection.alias_or_name] = by_alias[owners[0]][inner.name]
    return found


def run(context: Context, tree: exp.Expr, running: RunningStatement) -> int:
    """A query's rows go to the sink; DML returns how many rows it changed."""
    prepared = prepare(context, tree, running)
    result = context.query(prepared.sql)
    if prepared.target is not None:
        return int(result.fetchone()[0])
    return deliver(context, result, running, prepared=prepared)


def deliver(context: Context, result: Any, running: RunningStatement, *, prepared: Prepared) -> int:
    """Hand a DuckDB result to the sink, batch by batch. The number of rows."""
    running.sink.begin(
        [prepared.column(index, str(name), str(kind)) for index, (name, kind, *_) in enumerate(result.description)]
    )
    count = 0
    while rows := result.fetchmany(BATCH):
        context.check()
        running.sink.add(rows)
        count += len(rows)
    return count


def merge_without_duplicates(
    context: Context, statement: statements.MergeWithoutDuplicates, running: RunningStatement
) -> int:
    """Put the source's rows in the place of those that they match, and add the others. The number of the source's rows.

    https://docs.aws.amazon.com/redshift/latest/dg/r_MERGE.html: REMOVE DUPLICATES
    """
    delete = read(f"{statement.sql} WHEN MATCHED THEN DELETE")
    rows = exp.Select(expressions=[exp.Star()]).from_(delete.args["using"].copy())
    insert = exp.Insert(this=delete.this.copy(), expression=rows)
    run(context, delete, running)
    return run(context, insert, running)


def explain(context: Context, statement: statements.Explain, running: RunningStatement) -> int:
    """DuckDB's plan, one line a row, under Redshift's column name."""
    inner = parse(statement.sql)
    if not isinstance(inner, statements.Query):
        raise inner_error(statement.sql)
    prepared = prepare(context, read(inner.sql), running)
    text = context.query("EXPLAIN " + prepared.sql).fetchone()[1]
    running.sink.begin([ResultColumn("QUERY PLAN", from_duckdb("VARCHAR"))])
    rows: Sequence[tuple[str]] = [(line,) for line in text.splitlines()]
    running.sink.add(rows)
    return len(rows)


def inner_error(sql: str) -> Exception:
    return Reader(sql).error()
