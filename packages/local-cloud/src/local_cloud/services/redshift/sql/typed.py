"""What depends on the types of columns: whole-number averages, quotients of decimals, days added to timestamps.

Redshift: AVG and SUM of integers are BIGINT, AVG of DECIMAL(p,s) is DECIMAL(38,s), a quotient of decimals has
the scale of https://docs.aws.amazon.com/redshift/latest/dg/r_numeric_computations201.html, and an integer added
to a timestamp counts days. Where a type is unknown, DuckDB's own answer stands.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.annotate_types import annotate_types
from sqlglot.optimizer.normalize_identifiers import normalize_identifiers
from sqlglot.optimizer.qualify_columns import qualify_columns
from sqlglot.optimizer.qualify_tables import qualify_tables
from sqlglot.schema import MappingSchema

from local_cloud.services.redshift.sql.dialect import RedshiftSql

#: schema → table → column → type as Redshift writes it.
Columns = Mapping[str, Mapping[str, Mapping[str, str]]]

_SENSITIVE = (exp.Div, exp.Avg, exp.Sum, exp.Add, exp.Sub)
_INTEGERS = {exp.DataType.Type.SMALLINT, exp.DataType.Type.INT, exp.DataType.Type.BIGINT, exp.DataType.Type.TINYINT}
_TIMESTAMPS = {exp.DataType.Type.TIMESTAMP, exp.DataType.Type.DATETIME, exp.DataType.Type.TIMESTAMPTZ}
_INTEGER_DIGITS = {
    exp.DataType.Type.TINYINT: 3,
    exp.DataType.Type.SMALLINT: 5,
    exp.DataType.Type.INT: 10,
    exp.DataType.Type.BIGINT: 19,
}
_NUMBERS = {*_INTEGERS, exp.DataType.Type.DECIMAL, exp.DataType.Type.DOUBLE, exp.DataType.Type.FLOAT}
_MARK = "redshift_node"


def needs_types(tree: exp.Expr) -> bool:
    """True when the statement has an operator whose meaning depends on types."""
    return tree.find(*_SENSITIVE) is not None


def apply(tree: exp.Expr, columns: Columns) -> exp.Expr:
    """The statement with those operators spelled out. `columns` holds the tables that it names."""
    nodes: list[exp.Expr] = list(tree.find_all(*_SENSITIVE))
    types = _types(tree, nodes, columns)
    # Inner nodes first, so that a replaced parent keeps replaced children.
    for node in reversed(nodes):
        replacement = _replacement(node, *types.get(id(node), (None, None)))
        if replacement is not None:
            if node is tree:
                tree = replacement
            else:
                node.replace(replacement)
    return tree


Kinds = tuple[exp.DataType | None, exp.DataType | None]


def _types(tree: exp.Expr, nodes: list[exp.Expr], columns: Columns) -> dict[int, Kinds]:
    """The types of each node's one or two operands, by the node's id."""
    for number, node in enumerate(nodes):
        node.meta[_MARK] = number
    schema = MappingSchema({s: {t: dict(c) for t, c in ts.items()} for s, ts in columns.items()}, dialect=RedshiftSql)
    copy = tree.copy()
    try:
        copy = normalize_identifiers(copy, dialect=RedshiftSql)
        copy = qualify_tables(copy, db="public", dialect=RedshiftSql)
        copy = qualify_columns(
            copy, schema, expand_alias_refs=False, expand_stars=False, allow_partial_qualification=True
        )
        copy = annotate_types(copy, schema=schema, dialect=RedshiftSql)
    except (SqlglotError, RecursionError, KeyError, AttributeError):
        # An unusual query is run as it is; only the scale of its quotients may differ.
        return {}
    found: dict[int, Kinds] = {}
    for node in copy.find_all(*_SENSITIVE):
        mark = node.meta.get(_MARK)
        if mark is not None:
            found[id(nodes[mark])] = (_kind(node.this), _kind(node.args.get("expression")))
    return found


def _kind(node: exp.Expr | None) -> exp.DataType | None:
    if isinstance(node, exp.Literal) and node.is_number and "." in node.name and "e" not in node.name.lower():
        whole, _, fraction = node.name.partition(".")
        return exp.DataType.build(f"decimal({max(1, len(whole.lstrip('0')) + len(fraction))},{len(fraction)})")
    kind = node.type if node is not None else None
    return kind if isinstance(kind, exp.DataType) and kind.this is not exp.DataType.Type.UNKNOWN else None


def _replacement(node: exp.Expr, left: exp.DataType | None, right: exp.DataType | None) -> exp.Expr | None:
    if isinstance(node, exp.Avg) and left is not None:
        return _average(node, left)
    if isinstance(node, exp.Sum) and left is not None and left.this in _INTEGERS:
        return _around(node, lambda call: exp.cast(call, "bigint"))
    if left is None or right is None:
        return None
    if isinstance(node, exp.Div):
        return _quotient(node, left, right) or _number(node, left, right)
    if isinstance(node, (exp.Add, exp.Sub)):
        return _days(node, left, right) or _number(node, left, right)
    return None


def _around(node: exp.Expr, wrap: object) -> exp.Expr | None:
    """Wrap an aggregate together with its OVER or FILTER clause, which stay where they are."""
    outer = node
    while isinstance(outer.parent, (exp.Window, exp.Filter)) and outer.arg_key == "this":
        outer = outer.parent
    wrapped = wrap(outer.copy())  # type: ignore[operator]
    if outer is node:
        return wrapped  # type: ignore[no-any-return]
    outer.replace(wrapped)
    return None


def _average(node: exp.Avg, kind: exp.DataType) -> exp.Expr | None:
    if kind.this in _INTEGERS:
        return _around(
            node, lambda call: exp.cast(exp.Anonymous(this="system.main.trunc", expressions=[call]), "bigint")
        )
    if kind.this is exp.DataType.Type.DECIMAL:
        scale = _decimal(kind)[1]
        return _around(node, lambda call: exp.cast(call, f"decimal(38,{scale})"))
    return None


def _decimal(kind: exp.DataType) -> tuple[int, int]:
    """Precision and scale of a number that is no float."""
    if kind.this in _INTEGER_DIGITS:
        return _INTEGER_DIGITS[kind.this], 0
    numbers = [int(part.name) for part in kind.expressions if part.name.isdigit()]
    return (numbers[0], numbers[1] if len(numbers) > 1 else 0) if numbers else (18, 0)


def _quotient(node: exp.Div, left: exp.DataType, right: exp.DataType) -> exp.Expr | None:
    decimal = exp.DataType.Type.DECIMAL
    kinds = (left.this, right.this)
    if decimal not in kinds or not all(kind is decimal or kind in _INTEGERS for kind in kinds):
        return None
    (p1, s1), (p2, s2) = _decimal(left), _decimal(right)
    scale = max(4, s1 + p2 - s2 + 1)
    precision = p1 - s1 + s2 + scale
    if precision > 38:
        scale = max(38 + scale - precision, min(4, 38))
        precision = 38
    return exp.cast(exp.Div(this=node.this.copy(), expression=node.expression.copy()), f"decimal({precision},{scale})")


def _number(node: exp.Expr, left: exp.DataType, right: exp.DataType) -> exp.Expr | None:
    """`id + '5'`: the text beside a number is a number of the same type."""
    operands = [node.this.copy(), node.expression.copy()]
    for index, other in ((0, right), (1, left)):
        if isinstance(operands[index], exp.Literal) and operands[index].is_string and other.this in _NUMBERS:
            operands[index] = exp.cast(operands[index], other.copy())
            return type(node)(this=operands[0], expression=operands[1])
    return None


def _days(node: exp.Expr, left: exp.DataType, right: exp.DataType) -> exp.Expr | None:
    if left.this in _TIMESTAMPS and right.this in _INTEGERS:
        count = exp.Anonymous(this="to_days", expressions=[exp.cast(node.expression.copy(), "int")])
        return type(node)(this=node.this.copy(), expression=count)
    return None
