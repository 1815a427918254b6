"""The type of every expression of a statement, found before anything of it is rewritten.

The statement itself stays as it was written: a copy is qualified and annotated, and the types are carried over.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.annotate_types import TypeAnnotator
from sqlglot.optimizer.normalize_identifiers import normalize_identifiers
from sqlglot.optimizer.qualify_columns import qualify_columns
from sqlglot.optimizer.qualify_tables import qualify_tables
from sqlglot.schema import MappingSchema

from local_cloud.services.redshift.errors import NotSupported
from local_cloud.services.redshift.sql import blanks, kinds, navigation
from local_cloud.services.redshift.sql.dialect import RedshiftSql
from local_cloud.services.redshift.sql.functions import FUNCTIONS, refused
from local_cloud.services.redshift.sql.functions.table import Call, no_such
from local_cloud.services.redshift.sql.kinds import Kind, Type

#: schema → table → column → type as Redshift writes it.
Columns = Mapping[str, Mapping[str, Mapping[str, str]]]

_MARK, _STAR = "redshift_node", "redshift_star"
_FAULTS = (SqlglotError, RecursionError, KeyError, AttributeError, AssertionError)


def annotate(tree: exp.Expr, columns: Columns) -> list[Kind]:
    """Set the type of every node of the tree. The types of its result's columns, as far as they are known.

    NotSupported for a statement whose types cannot be found.
    """
    nodes = list(tree.walk())
    for number, node in enumerate(nodes):
        node.meta[_MARK] = number
    schema = MappingSchema({s: {t: dict(c) for t, c in ts.items()} for s, ts in columns.items()}, dialect=_Typed)
    try:
        copy = _Annotator(schema).annotate(_qualified(tree, schema))
    except _FAULTS as error:
        raise NotSupported(f"the types of this statement cannot be found by the local warehouse: {error}") from None
    for typed in copy.walk():
        mark = typed.meta.get(_MARK)
        if mark is None:
            continue
        node = nodes[mark]
        node.type = typed.type
        # An alias of the same SELECT stands for its expression there.
        for name, child in node.args.items():
            other = typed.args.get(name)
            if isinstance(child, exp.Expr) and isinstance(other, exp.Expr) and child.type is None:
                child.type = other.type
                if isinstance(child, (exp.Dot, exp.Bracket)) and type_of(child).this in kinds.SUPERS:
                    for step in child.find_all(exp.Column, exp.Dot, exp.Bracket):
                        step.type = child.type
        if isinstance(node, exp.Select) and isinstance(typed, exp.Select):
            blanks.mark_using(node, typed)
    blanks.mark(tree)
    return _results(copy)


class _Annotator(TypeAnnotator):
    def _maybe_coerce(self, type1: Any, type2: Any) -> Any:
        """The type of a column that a set operation makes of two: by Redshift's rules, with the digits of both."""
        if isinstance(type1, exp.DataType) and isinstance(type2, exp.DataType):
            return kinds.common([type1, type2])
        return super()._maybe_coerce(type1, type2)


def _results(query: exp.Expr) -> list[Kind]:
    """The types of a typed query's columns; none where a star is left, or it is no query."""
    if isinstance(query, exp.Subquery):
        return _results(query.this)
    if isinstance(query, exp.SetOperation):
        return [kinds.common(pair) for pair in zip(_results(query.this), _results(query.expression), strict=False)]
    if not isinstance(query, exp.Select) or query.is_star:
        return []
    return [type_of(projection) for projection in query.expressions]


def expand_stars(tree: exp.Expr, columns: Columns) -> None:
    """Write out the columns of stars by which rows differ, where they can be known."""
    _name_natural(tree, columns)
    wanted = [select for select in blanks.selects(tree) if select.is_star]
    if not wanted:
        return
    for number, select in enumerate(wanted):
        select.meta[_STAR] = number
    schema = MappingSchema({s: {t: dict(c) for t, c in ts.items()} for s, ts in columns.items()}, dialect=_Typed)
    try:
        copy = _qualified(tree, schema)
    except _FAULTS:
        return  # The types cannot be found either.
    for typed in copy.find_all(exp.Select):
        if _STAR not in typed.meta or typed.is_star:
            continue
        select = wanted[typed.meta[_STAR]]
        names = {relation.alias_or_name for relation in select.find_all(exp.Table, exp.Subquery)}
        for column in typed.find_all(exp.Column):
            if column.table not in names:
                column.set("table", None)  # A name that a nameless subquery was given.
        select.set("expressions", [projection.copy() for projection in typed.expressions])


def _name_natural(tree: exp.Expr, columns: Columns) -> None:
    """Write NATURAL JOIN of stored tables as USING, whose columns can be seen."""
    for join in tree.find_all(exp.Join):
        select, right = join.parent, _stored(join.this, columns)
        source = select.args.get("from_") if select is not None else None
        if str(join.args.get("method") or "").upper() != "NATURAL" or source is None or not right:
            continue
        before = source.parent.args["joins"][: join.index]
        left = [name for table in (source.this, *(each.this for each in before)) for name in _stored(table, columns)]
        if common := [name for name in left if name in right]:
            join.set("method", None)
            join.set("using", [exp.to_identifier(name, quoted=True) for name in dict.fromkeys(common)])


def _stored(table: exp.Expr, columns: Columns) -> list[str]:
    if not isinstance(table, exp.Table):
        return []
    return list(columns.get(table.text("db") or "public", {}).get(table.name, ()))


def _qualified(tree: exp.Expr, schema: MappingSchema) -> exp.Expr:
    """A copy whose columns have their tables, and with the columns that stars stand for."""
    copy = _query_of(tree.copy())
    _drop_places(copy)
    copy = normalize_identifiers(copy, dialect=_Typed)
    copy = qualify_tables(copy, db="public", dialect=_Typed)
    return qualify_columns(copy, schema, expand_alias_refs=True, allow_partial_qualification=True, dialect=_Typed)


def _drop_places(tree: exp.Expr) -> None:
    """Take `ORDER BY 1` from beside a star, of which sqlglot does not know the columns."""
    for select in tree.find_all(exp.Select):
        order = select.args.get("order")
        if order is not None and select.is_star:
            kept = [item for item in order.expressions if not isinstance(item.this, exp.Literal)]
            order.set("expressions", kept)
            if not kept:
                select.set("order", None)


def _query_of(tree: exp.Expr) -> exp.Expr:
    """The tree of a DELETE, an UPDATE or a MERGE as a query of its tables with all its expressions.

    Only the columns of queries get types, by the tables in FROM.
    """
    if not isinstance(tree, (exp.Delete, exp.Update, exp.Merge)):
        return tree
    using = tree.args.get("using")
    from_ = tree.args.get("from_")
    others = [*(using if isinstance(using, list) else [using]), from_.this if from_ is not None else None]
    tables = [tree.this, *(table for table in others if isinstance(table, exp.Expr))]
    where = tree.args.get("where")
    parts = [where.this if where is not None else None, tree.args.get("on"), *tree.expressions]
    whens = tree.args.get("whens")
    for when in whens.expressions if whens is not None else []:
        then = when.args.get("then")
        parts += [when.args.get("condition"), *(_assigned(then) if then is not None else [])]
    query = exp.Select(expressions=[part for part in parts if part is not None] or [exp.Literal.number(1)])
    query.set("from_", exp.From(this=tables[0]))
    query.set("joins", [exp.Join(this=table) for table in tables[1:]])
    with_ = tree.args.get("with_")
    query.set("with_", with_)
    return query


def _assigned(then: exp.Expr) -> list[exp.Expr]:
    if isinstance(then, exp.Update):
        return [assignment.expression for assignment in then.expressions]
    values = then.args.get("expression")
    return list(values.expressions) if isinstance(values, exp.Tuple) else []


def type_of(node: exp.Expr | None) -> Kind:
    kind = node.type if node is not None else None
    return kind if isinstance(kind, exp.DataType) else kinds.UNKNOWN


def call_of(node: exp.Anonymous) -> Call:
    """A call with the types of its arguments, nothing written yet."""
    arguments = arguments_of(node)
    return Call(
        node.name.lower(),
        node,
        [""] * len(arguments),
        [type_of(argument) for argument in arguments],
        ordered_kind=_ordered(node),
    )


def arguments_of(node: exp.Anonymous) -> list[exp.Expr]:
    """The arguments, without a DISTINCT around them."""
    found: list[exp.Expr] = []
    for argument in node.expressions:
        found += argument.expressions if isinstance(argument, exp.Distinct) else [argument]
    return found


def _ordered(node: exp.Anonymous) -> Kind:
    group = node.parent
    if isinstance(group, exp.WithinGroup) and isinstance(group.expression, exp.Order):
        return type_of(group.expression.expressions[0].this)
    return kinds.UNKNOWN


# Annotators, called by sqlglot for one node whose children have their types.


def _call(annotator: Any, node: exp.Anonymous) -> Any:
    name = node.name.lower()
    row = FUNCTIONS.get(name)
    call = call_of(node)
    if row is None:
        if name not in _SESSION or (node.expressions and name != SERIES):
            refused.check(name)
            raise no_such(name, call.types)
        return _set(annotator, node, _SESSION[name])
    if len(call) < row.fewest or (row.most is not None and len(call) > row.most):
        raise no_such(name, call.types)
    return _set(annotator, node, row.result(call))


#: The one table function, which a FROM clause may name.
SERIES = "generate_series"

#: Functions of the session, which `Moment` knows, with the types of their values.
_SESSION = {
    **dict.fromkeys(
        ("current_user", "session_user", "user", "current_schema", "current_database", "current_namespace", "version"),
        kinds.kind("varchar"),
    ),
    **dict.fromkeys(("pg_last_copy_id", "pg_last_copy_count", "pg_last_unload_count", SERIES), kinds.kind("bigint")),
    **dict.fromkeys(("current_user_id", "pg_backend_pid", "pg_last_query_id"), kinds.kind("int")),
}


def _set(annotator: Any, node: Any, kind: Kind) -> Any:
    annotator._set_type(node, kind)
    return node


def _literal(annotator: Any, node: exp.Literal) -> exp.Literal:
    return _set(annotator, node, kinds.of_literal(node))  # type: ignore[no-any-return]


def _binary(annotator: Any, node: exp.Binary) -> exp.Binary:
    return _set(annotator, node, binary(type(node), type_of(node.this), type_of(node.expression)))  # type: ignore[no-any-return]


def binary(operator: type[exp.Expr], left: Kind, right: Kind) -> Kind:  # noqa: PLR0911 - a table of pairs
    """The type of an arithmetic operator's result."""
    if left.this in kinds.SUPERS or right.this in kinds.SUPERS:
        return kinds.kind("super")
    if left.this in kinds.NUMBERS and right.this in kinds.NUMBERS:
        return kinds.arithmetic(operator, left, right)
    if left.this in kinds.NUMBERS and right.this in kinds.TEXTS:
        return left
    if left.this in kinds.TEXTS and right.this in kinds.NUMBERS:
        return right
    for moment, other in ((left, right), (right, left)):
        if moment.this in kinds.MOMENTS and not (other.this in kinds.MOMENTS and operator is exp.Sub):
            if moment.this is Type.DATE and other.this in {Type.INTERVAL, Type.TIME}:
                return kinds.kind("timestamp")
            return moment
    if left.this is Type.DATE and right.this is Type.DATE:
        return kinds.kind("int")
    if left.this in kinds.MOMENTS and right.this in kinds.MOMENTS:
        return kinds.kind("interval")
    if Type.INTERVAL in (left.this, right.this):
        return kinds.kind("interval")
    return kinds.UNKNOWN


def _case(annotator: Any, node: exp.Case) -> exp.Case:
    results = [branch.args.get("true") for branch in node.args.get("ifs") or []] + [node.args.get("default")]
    return _set(annotator, node, kinds.common([type_of(result) for result in results if result is not None]))  # type: ignore[no-any-return]


def _navigated(annotator: Any, node: exp.Expr) -> exp.Expr:
    inside = type_of(node.this)
    return _set(annotator, node, kinds.kind("super") if inside.this in kinds.SUPERS else kinds.UNKNOWN)  # type: ignore[no-any-return]


def _inner(annotator: Any, node: exp.Expr) -> exp.Expr:
    return _set(annotator, node, type_of(node.this))  # type: ignore[no-any-return]


def _interval(annotator: Any, node: exp.Expr) -> exp.Expr:
    return _set(annotator, node, kinds.kind("interval"))  # type: ignore[no-any-return]


def _within_group(annotator: Any, node: exp.WithinGroup) -> exp.WithinGroup:
    inner = node.this
    if isinstance(inner, exp.Anonymous) and inner.name.lower() in FUNCTIONS:
        call = call_of(inner)
        return _set(annotator, node, FUNCTIONS[call.name].result(call))  # type: ignore[no-any-return]
    return _inner(annotator, node)  # type: ignore[return-value]


def _at_time_zone(annotator: Any, node: exp.AtTimeZone) -> exp.AtTimeZone:
    zoned = type_of(node.this).this is Type.TIMESTAMPTZ
    return _set(annotator, node, kinds.kind("timestamp" if zoned else "timestamptz"))  # type: ignore[no-any-return]


def _extract(annotator: Any, node: exp.Extract) -> exp.Extract:
    return _set(annotator, node, kinds.kind("bigint" if node.name.lower() == "epoch" else "int"))  # type: ignore[no-any-return]


def _iterated(written: str) -> Any:
    """What iterates over a path has it from a relation beside it, where sqlglot looks for no types."""

    def annotated(annotator: Any, node: exp.Expr) -> exp.Expr:
        for step in node.find_all(exp.Column, exp.Dot, exp.Bracket):
            _set(annotator, step, kinds.kind("super"))
        return _set(annotator, node, kinds.kind(written))  # type: ignore[no-any-return]

    return annotated


def _returns(written: str) -> Any:
    return lambda annotator, node: _set(annotator, node, kinds.kind(written))


class _Typed(RedshiftSql):
    EXPRESSION_METADATA = {  # noqa: RUF012 - as the base class has it
        **RedshiftSql.EXPRESSION_METADATA,
        exp.Anonymous: {"annotator": _call},
        exp.Literal: {"annotator": _literal},
        **{operator: {"annotator": _binary} for operator in (exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Mod)},
        exp.Case: {"annotator": _case},
        exp.Bracket: {"annotator": _navigated},
        exp.Dot: {"annotator": _navigated},
        exp.WithinGroup: {"annotator": _within_group},
        exp.IgnoreNulls: {"annotator": _inner},
        exp.Interval: {"annotator": _interval},
        exp.AtTimeZone: {"annotator": _at_time_zone},
        exp.Extract: {"annotator": _extract},
        exp.DPipe: {"annotator": _returns("varchar")},
        exp.StrPosition: {"annotator": _returns("int")},
        exp.Trim: {"annotator": _returns("varchar")},
        exp.Substring: {"annotator": _returns("varchar")},
        exp.Pow: {"annotator": _returns("double precision")},
        exp.Sqrt: {"annotator": _returns("double precision")},
        exp.Cbrt: {"annotator": _returns("double precision")},
        exp.CurrentDate: {"annotator": _returns("date")},
        exp.CurrentTimestamp: {"annotator": _returns("timestamptz")},
        exp.CurrentUser: {"annotator": _returns("varchar")},
        exp.SessionUser: {"annotator": _returns("varchar")},
        exp.CurrentSchema: {"annotator": _returns("varchar")},
        exp.CurrentUserId: {"annotator": _returns("int")},
        navigation.Elements: {"annotator": _iterated("super")},
        navigation.Values: {"annotator": _iterated("super")},
        navigation.Places: {"annotator": _iterated("bigint")},
        navigation.Names: {"annotator": _iterated("varchar")},
    }
