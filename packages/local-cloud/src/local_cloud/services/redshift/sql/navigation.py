"""FROM items that iterate over a SUPER: arrays by `c.orders AS o AT i`, objects by `UNPIVOT c.order AS value AT name`.

Each becomes a subquery of what it iterates over, beside the relations before it.
https://docs.aws.amazon.com/redshift/latest/dg/query-super.html#unnest
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

#: What the parser leaves on a table of FROM: the path where it is no name, the name behind AT, whether it is UNPIVOT.
PATH, AT, UNPIVOT = "super_path", "super_at", "super_unpivot"


class Elements(exp.Expression, exp.Func):
    """The elements of an array as rows."""

    arg_types = {"this": True}  # noqa: RUF012 - as the base class has it


class Places(exp.Expression, exp.Func):
    """Where each of the elements is, from 0."""

    arg_types = {"this": True}  # noqa: RUF012


class Names(exp.Expression, exp.Func):
    """The names of an object as rows."""

    arg_types = {"this": True}  # noqa: RUF012


class Values(exp.Expression, exp.Func):
    """The values of an object as rows, in the order of the names."""

    arg_types = {"this": True}  # noqa: RUF012


def rewrite(tree: exp.Expr) -> None:
    """Put subqueries in the place of FROM items that iterate, and paths in the place of their aliases' columns."""
    seen: dict[int, tuple[set[str], set[str]]] = {}
    for select in tree.find_all(exp.Select):
        outer = _outer(select, seen)
        relations, elements = set(outer[0]), set(outer[1])
        for relation in _relations(select):
            alias = relation.alias_or_name.lower()
            if isinstance(relation, exp.Table) and _iterates(relation, relations | elements, elements):
                relation.replace(_subquery(relation, alias, elements))
                elements.add(alias)
            else:
                relations.add(alias)
        seen[id(select)] = (relations, elements)
        if elements > outer[1]:
            _resolve(select, elements)


def _outer(select: exp.Select, seen: dict[int, tuple[set[str], set[str]]]) -> tuple[set[str], set[str]]:
    parent = select.parent_select
    while parent is not None and id(parent) not in seen:
        parent = parent.parent_select
    return seen[id(parent)] if parent is not None else (set(), set())


def _relations(select: exp.Select) -> list[exp.Expr]:
    source = select.args.get("from_")
    return [*([source.this] if source is not None else []), *(join.this for join in select.args.get("joins") or [])]


def _iterates(table: exp.Table, visible: set[str], elements: set[str]) -> bool:
    if PATH in table.meta:
        return True
    first = table.parts[0].name.lower()
    return first in (visible if len(table.parts) > 1 else elements)


def _subquery(table: exp.Table, alias: str, elements: set[str]) -> exp.Subquery:
    path = table.meta.get(PATH) or _path([part.name for part in table.parts])
    path = _resolved(path, elements)
    of_object = UNPIVOT in table.meta
    columns: list[exp.Expr] = [exp.alias_((Values if of_object else Elements)(this=path), alias, quoted=True)]
    if AT in table.meta:
        columns.append(exp.alias_((Names if of_object else Places)(this=path.copy()), table.meta[AT], quoted=True))
    return exp.Subquery(this=exp.Select(expressions=columns), alias=exp.TableAlias(this=exp.to_identifier(alias)))


def _path(parts: Sequence[str]) -> exp.Expr:
    """`t.column.name…` or an element's alias alone."""
    first, *rest = parts
    path: exp.Expr = exp.column(rest[0] if rest else first, table=first, quoted=True)
    for name in rest[1:]:
        path = exp.Dot(this=path, expression=exp.to_identifier(name, quoted=True))
    return path


def _resolved(path: exp.Expr, elements: set[str]) -> exp.Expr:
    holder = exp.Paren(this=path.copy())
    _resolve(holder, elements)
    found: exp.Expr = holder.this
    return found


def _resolve(tree: exp.Expr, elements: set[str]) -> None:
    """`o` and `o.k` of an element's alias as its column, and a path into it."""
    for column in list(tree.find_all(exp.Column)):
        names = [part.name for part in column.parts]
        first = names[0].lower()
        if first in elements and names[1:2] != [first] and not isinstance(column.this, exp.Star):
            column.replace(_path([first, first, *names[1:]]))
