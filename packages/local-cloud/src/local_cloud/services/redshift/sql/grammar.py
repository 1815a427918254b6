"""What sqlglot reads and Redshift does not: refused as Redshift refuses it.

https://docs.aws.amazon.com/redshift/latest/dg/c_unsupported-postgresql-features.html
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlglot import exp

from local_cloud.services.redshift.errors import NotSupported, SqlError, SqlSyntaxError
from local_cloud.services.redshift.sql.lexer import Kind, tokenize


def check(tree: exp.Expr, sql: str) -> None:
    """SqlError for the first construct of a statement that is none of Redshift's."""
    for node in tree.walk():
        for kind, rule in _RULES:
            if isinstance(node, kind) and (refusal := rule(node)):
                raise refusal if isinstance(refusal, SqlError) else _near(sql, refusal)


def _near(sql: str, word: str) -> SqlSyntaxError:
    tokens = (t for t in tokenize(sql) if t.text.upper() == word.upper() and t.kind in (Kind.WORD, Kind.SYMBOL))
    token = next(tokens, None)
    return SqlSyntaxError(
        f'syntax error at or near "{token.text if token else word.lower()}"', position=token.start + 1 if token else 0
    )


Rule = Callable[[Any], SqlError | str | None]


def _always(word: str) -> Rule:
    return lambda node: word


def _distinct(node: exp.Distinct) -> SqlError | None:
    return SqlError("SELECT DISTINCT ON is not supported") if node.args.get("on") else None


def _is(node: exp.Is) -> SqlError | None:
    # IS binds more tightly than ||: https://github.com/dbt-labs/dbt-utils/issues/294
    if isinstance(node.this, exp.DPipe):
        hint = "No operator matches the given name and argument type(s). You may need to add explicit type casts."
        return SqlError("operator does not exist: text || boolean", hint=hint)
    return None


def _window(node: exp.Window) -> SqlError | None:
    constants = [
        part for part in node.args.get("partition_by") or [] if isinstance(part, (exp.Literal, exp.Boolean, exp.Null))
    ]
    return SqlError("constant expressions are not supported in partition by clauses") if constants else None


_UNKNOWN_TYPES = {
    exp.DataType.Type.INT128: "hugeint",
    exp.DataType.Type.INT256: "int256",
    exp.DataType.Type.UINT: "uinteger",
    exp.DataType.Type.UBIGINT: "ubigint",
    exp.DataType.Type.USMALLINT: "usmallint",
    exp.DataType.Type.UTINYINT: "utinyint",
    exp.DataType.Type.TINYINT: "tinyint",
    exp.DataType.Type.UUID: "uuid",
    exp.DataType.Type.JSON: "json",
    exp.DataType.Type.JSONB: "jsonb",
    exp.DataType.Type.LIST: "list",
    exp.DataType.Type.STRUCT: "struct",
    exp.DataType.Type.MAP: "map",
    exp.DataType.Type.UNION: "union",
    exp.DataType.Type.BIT: "bit",
    exp.DataType.Type.MONEY: "money",
    exp.DataType.Type.INET: "inet",
    exp.DataType.Type.XML: "xml",
}


def _type(node: exp.DataType) -> SqlError | None:
    if node.this is exp.DataType.Type.ARRAY:
        return SqlError('type "array" does not exist')
    name = _UNKNOWN_TYPES.get(node.this)
    if node.this is exp.DataType.Type.USERDEFINED:
        name = str(node.args.get("kind") or "").lower()
    return SqlError(f'type "{name}" does not exist') if name else None


def _cast(node: exp.Cast) -> SqlError | None:
    kind = node.args["to"]
    if isinstance(kind, exp.DataType) and isinstance(kind.this, exp.DataType.Type):
        return None
    return NotSupported(f"the type {kind.sql().lower()} is not supported by the local warehouse")


def _join(node: exp.Join) -> str | None:
    method = str(node.args.get("method") or "").upper()
    kind = str(node.args.get("kind") or "").upper()
    return next((word for word in ("ASOF", "POSITIONAL", "SEMI", "ANTI") if word in (method, kind)), None)


def _set_operation(node: exp.SetOperation) -> str | None:
    if node.args.get("by_name"):
        return "BY"
    return "ALL" if isinstance(node, (exp.Except, exp.Intersect)) and not node.args.get("distinct", True) else None


def _values(node: exp.Values) -> str | None:
    return None if isinstance(node.parent, exp.Insert) else "VALUES"


def _insert(node: exp.Insert) -> str | None:
    if node.args.get("conflict"):
        return "ON"
    return "OR" if node.args.get("alternative") else None


def _returning(node: exp.Expr) -> str | None:
    return "RETURNING" if node.args.get("returning") else None


def _bracket(node: exp.Bracket) -> str | None:
    return ":" if any(isinstance(part, exp.Slice) for part in node.expressions) else None


_RULES: tuple[tuple[Any, Rule], ...] = (
    (exp.Distinct, _distinct),
    ((exp.Insert, exp.Update, exp.Delete, exp.Merge), _returning),
    (exp.Insert, _insert),
    (exp.Fetch, _always("FETCH")),
    ((exp.Array, exp.List), _always("[")),
    ((exp.Struct, exp.ToMap), _always("{")),
    (exp.Bracket, _bracket),
    (exp.Lambda, _always("->")),
    ((exp.JSONExtract, exp.JSONExtractScalar, exp.JSONBExtract, exp.JSONBExtractScalar), _always("->")),
    (exp.Filter, _always("FILTER")),
    (exp.TableSample, _always("TABLESAMPLE")),
    (exp.Lateral, _always("LATERAL")),
    (exp.Glob, _always("GLOB")),
    (exp.IntDiv, _always("//")),
    (exp.Kwarg, _always("=>")),
    (exp.Is, _is),
    (exp.Window, _window),
    (exp.Join, _join),
    (exp.SetOperation, _set_operation),
    (exp.Values, _values),
    (exp.Cast, _cast),
    (exp.DataType, _type),
)
