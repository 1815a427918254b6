# ruff: noqa: E501 - lines of SQL and of tables
"""Casts, arithmetic and comparisons by Redshift's rules, as DuckDB SQL."""

from __future__ import annotations

from sqlglot import exp

from local_cloud.services.redshift.errors import SqlError
from local_cloud.services.redshift.sql import kinds
from local_cloud.services.redshift.sql.kinds import Kind, Type, digits

_DUCKDB = {
    Type.SMALLINT: "SMALLINT",
    Type.INT: "INTEGER",
    Type.BIGINT: "BIGINT",
    Type.FLOAT: "FLOAT",
    Type.DOUBLE: "DOUBLE",
    Type.BOOLEAN: "BOOLEAN",
    Type.DATE: "DATE",
    Type.TIME: "TIME",
    Type.TIMETZ: "TIMETZ",
    Type.TIMESTAMP: "TIMESTAMP",
    Type.DATETIME: "TIMESTAMP",
    Type.TIMESTAMPNTZ: "TIMESTAMP",
    Type.TIMESTAMPTZ: "TIMESTAMPTZ",
    Type.INTERVAL: "INTERVAL",
    Type.SUPER: "JSON",
    Type.JSON: "JSON",
    Type.VARBINARY: "BLOB",
    Type.BINARY: "BLOB",
    Type.BLOB: "BLOB",
}

#: Macros that read a text by Redshift's rules.
_READERS = {
    Type.SMALLINT: "redshift_integer",
    Type.INT: "redshift_integer",
    Type.BIGINT: "redshift_bigint",
    Type.FLOAT: "redshift_numeric",
    Type.DOUBLE: "redshift_numeric",
    Type.DECIMAL: "redshift_numeric",
    Type.BOOLEAN: "redshift_boolean",
    Type.DATE: "redshift_date",
    Type.TIME: "redshift_time",
    Type.TIMETZ: "redshift_timetz",
    Type.TIMESTAMP: "redshift_timestamp",
    Type.DATETIME: "redshift_timestamp",
    Type.TIMESTAMPNTZ: "redshift_timestamp",
    Type.TIMESTAMPTZ: "redshift_timestamptz",
}


def duckdb_type(kind: Kind) -> str:
    if kind.this is Type.DECIMAL:
        precision, scale = digits(kind)
        return f"DECIMAL({precision},{scale})"
    return "VARCHAR" if kind.this in kinds.TEXTS else _DUCKDB.get(kind.this, kind.sql(dialect="duckdb"))


def to_text(value: str, kind: Kind | None) -> str:
    """A value as text, as Redshift writes it."""
    if kind is None or not kinds.is_known(kind):
        return f"CAST({value} AS VARCHAR)"
    if kind.this in kinds.TEXTS:
        return value
    if kind.this in kinds.FLOATS:
        return f"redshift_float_text({value}, {6 if kind.this is Type.FLOAT else 15})"
    if kind.this in kinds.SUPERS:
        return f"json_extract_string({value}, '$')"
    if kind.this in kinds.BYTES:
        return f"decode({value})"
    return f"CAST({value} AS VARCHAR)"


def cast(value: str, source: Kind | None, target: Kind) -> str:
    """CAST to a type that is no text."""
    if source is not None and source.this in kinds.TEXTS:
        if target.this in kinds.SUPERS:
            return f"to_json({value})"
        if target.this in kinds.BYTES:
            return f"encode({value})"
        reader = _READERS.get(target.this)
        value = f"{reader}({value})" if reader else value
        return f"CAST({value} AS {duckdb_type(target)})"
    if source is not None and source.this in kinds.SUPERS:
        return _of_super(value, target)
    if target.this in kinds.SUPERS:
        return f"to_json({value})"
    if target.this is Type.BOOLEAN and source is not None and source.this in {Type.DECIMAL, *kinds.FLOATS}:
        written = "numeric" if source.this is Type.DECIMAL else "double precision"
        raise SqlError(f"cannot cast type {written} to boolean")
    if source is not None and source.this is Type.TIMESTAMPTZ and target.this in {Type.DATE, Type.TIME}:
        value = f"({value} AT TIME ZONE 'UTC')"
    return f"CAST({value} AS {duckdb_type(target)})"


def _of_super(value: str, target: Kind) -> str:
    """NULL where the value's own type does not fit."""
    text = f"json_extract_string({value}, '$')"
    if target.this in kinds.SUPERS:
        return value
    if target.this in kinds.NUMBERS:
        return f"CASE WHEN json_type({value}) IN ('BIGINT', 'UBIGINT', 'HUGEINT', 'DOUBLE') THEN TRY_CAST({text} AS {duckdb_type(target)}) END"
    return f"TRY_CAST({text} AS {duckdb_type(target)})"


def quotient(left: tuple[str, int], right: tuple[str, int], *, target: str, scale: int) -> str:
    """An exact quotient of two decimals, each with its scale, of which DuckDB makes a DOUBLE: integers without their points.

    The whole part and the remainder are divided apart, since their common product would not fit 38 digits.
    """
    dividend, divisor = _unscaled(*left, right[1]), _unscaled(*right, left[1])
    return f"CAST(redshift_quotient({dividend}, {divisor}, {scale}) AS {target})"


def _unscaled(value: str, scale: int, other: int) -> str:
    """A decimal times the power of ten that makes an integer of it and of the other operand."""
    zeros = max(other - scale, 0)
    text = f"CAST({value} AS VARCHAR)"
    if scale:
        text = f"replace(CAST(CAST({value} AS DECIMAL({kinds.MOST_DIGITS},{scale})) AS VARCHAR), '.', '')"
    return f"CAST({text}{f' || {chr(39)}{chr(48) * zeros}{chr(39)}' if zeros else ''} AS HUGEINT)"


def divide(left: str, left_kind: Kind, right: str, right_kind: Kind) -> str | None:
    """`left / right` for numbers that are no floats; None where DuckDB's own answer stands."""
    if not {left_kind.this, right_kind.this} <= {Type.DECIMAL, *kinds.INTEGERS} or Type.DECIMAL not in (
        left_kind.this,
        right_kind.this,
    ):
        return None
    result = kinds.arithmetic(exp.Div, left_kind, right_kind)
    (precision, scale), left_scale, right_scale = digits(result), digits(left_kind)[1], digits(right_kind)[1]
    left, right = (
        f"CAST({value} AS {duckdb_type(kind)})" if kind.this is Type.DECIMAL else value
        for value, kind in ((left, left_kind), (right, right_kind))
    )
    return quotient((left, left_scale), (right, right_scale), target=f"DECIMAL({precision},{scale})", scale=scale)
