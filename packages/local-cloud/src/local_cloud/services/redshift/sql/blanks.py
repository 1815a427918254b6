"""Where rows differ by texts, beside comparisons: trailing blanks count for nothing there either.

The nodes are marked, and `render` writes what of their text counts.
https://docs.aws.amazon.com/redshift/latest/dg/r_Character_types.html#r_Character_types-trailing-blanks
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlglot import exp

from local_cloud.services.redshift.sql import kinds

#: Of an expression: without its trailing blanks. Of a relation: the columns that are so.
COMPARED, COLUMNS = "compared", "compared_columns"


def selects(tree: exp.Expr) -> Iterator[exp.Select]:
    """The SELECTs of which equal rows become one: of DISTINCT, UNION, INTERSECT and EXCEPT."""
    for node in tree.walk():
        if isinstance(node, exp.Select) and node.args.get("distinct"):
            yield node
        elif isinstance(node, exp.SetOperation) and node.args.get("distinct") is not False:
            yield from _members(node)


def _members(node: exp.Expr) -> Iterator[exp.Select]:
    if isinstance(node, exp.Select):
        yield node
    elif isinstance(node, exp.SetOperation):
        yield from _members(node.this)
        yield from _members(node.expression)
    elif isinstance(node, exp.Subquery):
        yield from _members(node.this)


def mark(tree: exp.Expr) -> None:
    """Mark every expression by which rows of a typed tree differ, but for comparisons."""
    for select in list(selects(tree)):
        _mark_projections(select)
    for node in tree.walk():
        if isinstance(node, exp.Select) and node.args.get("group") is not None:
            _mark_keys(node)
        elif isinstance(node, exp.Window):
            order = node.args.get("order")
            for part in [*(node.args.get("partition_by") or []), *(order.expressions if order is not None else [])]:
                _mark(part.this if isinstance(part, exp.Ordered) else part)


def _mark(node: Any) -> None:
    if isinstance(node, exp.Expr) and isinstance(node.type, exp.DataType) and node.type.this in kinds.TEXTS:
        node.meta[COMPARED] = True


def _mark_projections(select: exp.Select) -> None:
    shown = [projection.unalias() for projection in select.expressions]
    order = select.args.get("order")
    for node in shown:
        _mark(node)
    for item in order.expressions if order is not None and select.args.get("distinct") else []:
        if item.this in shown:
            _mark(item.this)


def _mark_keys(select: exp.Select) -> None:
    """The keys of GROUP BY that are no columns, wherever the SELECT has them; `render` knows those that are."""
    keys = {by_place(key, select) for key in select.args["group"].expressions}
    keys = {key for key in keys if not isinstance(key, (exp.Column, exp.Literal))}
    for node in select.find_all(*{type(key) for key in keys}) if keys else []:
        if node in keys:
            _mark(node)


def by_place(key: exp.Expr, select: exp.Select) -> exp.Expr:
    """The projection that `GROUP BY 1` names."""
    if isinstance(key, exp.Literal) and key.is_int and 0 < int(key.name) <= len(select.expressions):
        projection: exp.Expr = select.expressions[int(key.name) - 1]
        return projection.unalias()
    return key


def mark_using(select: exp.Select, qualified: exp.Select) -> None:
    """Mark the relations of USING whose columns are texts; `qualified` is the SELECT with ON in its place, typed."""
    relations = dict(zip(_names(qualified), _relations(select), strict=False))
    for join, typed in zip(select.args.get("joins") or [], qualified.args.get("joins") or [], strict=False):
        on = typed.args.get("on")
        if not join.args.get("using") or on is None:
            continue
        for column in on.find_all(exp.Column):
            relation = relations.get(column.table)
            if relation is not None and isinstance(column.type, exp.DataType) and column.type.this in kinds.TEXTS:
                relation.meta.setdefault(COLUMNS, []).append(column.name)


def _relations(select: exp.Select) -> list[exp.Expr]:
    source = select.args.get("from_")
    return [*([source.this] if source is not None else []), *(join.this for join in select.args.get("joins") or [])]


def _names(select: exp.Select) -> list[str]:
    return [relation.alias_or_name for relation in _relations(select)]
