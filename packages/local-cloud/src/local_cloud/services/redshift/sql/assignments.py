"""Values on their way into columns: what INSERT and UPDATE read of a text by the column's type.

https://docs.aws.amazon.com/redshift/latest/dg/c_Supported_data_types.html#r_Type_conversion
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlglot import exp

from local_cloud.services.redshift.sql import kinds
from local_cloud.services.redshift.sql.annotate import type_of
from local_cloud.services.redshift.sql.types import RedshiftType


def convert(tree: exp.Expr, columns: Mapping[str, RedshiftType]) -> None:
    """Cast every value that the statement writes to a column of another family than its own."""
    if isinstance(tree, exp.Insert):
        named = [name.name for name in tree.this.expressions] if isinstance(tree.this, exp.Schema) else list(columns)
        _rows(tree.expression, [columns.get(name) for name in named])
    for assignment in tree.expressions if isinstance(tree, exp.Update) else []:
        if isinstance(assignment, exp.EQ) and isinstance(assignment.this, exp.Column):
            _value(assignment.expression, columns.get(assignment.this.name))


def _rows(source: exp.Expr | None, targets: Sequence[RedshiftType | None]) -> None:
    if isinstance(source, exp.Values):
        for row in source.expressions:
            for value, target in zip(row.expressions, targets, strict=False):
                _value(value, target)
    elif isinstance(source, exp.Select) and not source.is_star and not source.args.get("distinct"):
        for projection, target in zip(source.expressions, targets, strict=False):
            _value(projection.unalias(), target)
    elif isinstance(source, exp.SetOperation):
        _rows(source.this, targets)
        _rows(source.expression, targets)


def _value(value: exp.Expr, target: RedshiftType | None) -> None:
    kind = type_of(value)
    if target is None or not kinds.is_known(kind):
        return
    if kind.this in kinds.TEXTS and not target.is_string:
        written = kinds.kind(str(target))
    elif kind.this not in kinds.SUPERS and target.name == "super":
        written = kinds.kind("super")
    elif (kind.this in kinds.FLOATS or kind.this in kinds.SUPERS) and target.is_string:
        written = kinds.kind("bpchar")  # as text, of any length: the column checks it
    else:
        return
    cast = exp.Cast(this=value.copy(), to=written.copy())
    cast.type = written
    value.replace(cast)
