"""The types that expressions of a query have, as sqlglot writes them, and Redshift's rules for combining them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from sqlglot import exp

from local_cloud.services.redshift.sql.types import RedshiftType, parse_type

Type = exp.DataType.Type
Kind = exp.DataType

TEXTS = frozenset({Type.VARCHAR, Type.NVARCHAR, Type.CHAR, Type.NCHAR, Type.BPCHAR, Type.TEXT})
PADDED = frozenset({Type.CHAR, Type.NCHAR, Type.BPCHAR})
INTEGER_DIGITS = {Type.TINYINT: 3, Type.SMALLINT: 5, Type.INT: 10, Type.BIGINT: 19}
INTEGERS = frozenset(INTEGER_DIGITS)
FLOATS = frozenset({Type.FLOAT, Type.DOUBLE})
NUMBERS = INTEGERS | FLOATS | {Type.DECIMAL}
STAMPS = frozenset({Type.TIMESTAMP, Type.DATETIME, Type.TIMESTAMPNTZ, Type.TIMESTAMPTZ})
TIMES = frozenset({Type.TIME, Type.TIMETZ})
MOMENTS = STAMPS | TIMES | {Type.DATE}
SUPERS = frozenset({Type.SUPER, Type.JSON})
BYTES = frozenset({Type.VARBINARY, Type.BINARY, Type.BLOB})
UNKNOWN = Kind.build("unknown")

MOST_DIGITS = 38


@lru_cache(maxsize=256)
def kind(written: str) -> Kind:
    """A type as Redshift writes it. Shared: copy it to put it into a tree."""
    return exp.DataType.build(written, dialect="redshift")


@lru_cache(maxsize=1024)
def decimal(precision: int, scale: int) -> Kind:
    return exp.DataType.build(f"decimal({min(precision, MOST_DIGITS)},{scale})")


def digits(of: Kind) -> tuple[int, int]:
    """Precision and scale of a type that is no float."""
    if of.this in INTEGER_DIGITS:
        return INTEGER_DIGITS[of.this], 0
    numbers = [int(part.name) for part in of.expressions if part.name.isdigit()]
    return (numbers[0], numbers[1] if len(numbers) > 1 else 0) if numbers else (18, 0)


def is_known(of: Kind | None) -> bool:
    return of is not None and of.this not in (Type.UNKNOWN, Type.NULL)


def of_literal(literal: exp.Literal) -> Kind:
    """INTEGER, BIGINT or the DECIMAL that holds a number's digits; DOUBLE with an exponent."""
    if literal.is_string:
        return kind("varchar")
    text = literal.name
    if "e" in text.lower():
        return kind("double precision")
    whole, point, fraction = text.partition(".")
    if point:
        return decimal(max(1, len(whole.lstrip("0")) + len(fraction)), len(fraction))
    value = int(whole)
    if value < 1 << 31:
        return kind("int")
    return kind("bigint") if value < 1 << 63 else decimal(len(whole), 0)


def arithmetic(operator: type[exp.Expr], left: Kind, right: Kind) -> Kind:
    """The type of `left operator right` for two numbers.

    https://docs.aws.amazon.com/redshift/latest/dg/r_numeric_computations201.html
    """
    if left.this in INTEGERS and right.this in INTEGERS:
        return max(left, right, key=lambda k: INTEGER_DIGITS[k.this])
    if left.this in FLOATS or right.this in FLOATS:
        return kind("real") if {left.this, right.this} == {Type.FLOAT} else kind("double precision")
    (p1, s1), (p2, s2) = digits(left), digits(right)
    if operator is exp.Mul:
        return decimal(p1 + p2 + 1, s1 + s2)
    if operator is exp.Div:
        scale = max(4, s1 + p2 - s2 + 1)
        precision = p1 - s1 + s2 + scale
        if precision > MOST_DIGITS:
            scale = max(MOST_DIGITS + scale - precision, 4)
        return decimal(precision, scale)
    scale = max(s1, s2)
    return decimal(max(p1 - s1, p2 - s2) + scale + (operator is not exp.Mod), scale)


def common(kinds: Sequence[Kind]) -> Kind:
    """The type of a column that UNION, CASE, COALESCE or GREATEST makes of several."""
    known = [k for k in kinds if is_known(k)]
    if not known:
        return UNKNOWN
    first = known[0]
    if all(k.this in NUMBERS for k in known):
        if all(k.this in INTEGERS for k in known) or any(k.this in FLOATS for k in known):
            result = first
            for other in known[1:]:
                result = arithmetic(exp.Add, result, other)
            return result
        scale = max(digits(k)[1] for k in known)
        whole = max(p - s for p, s in map(digits, known))
        return decimal(whole + scale, scale)
    if len({k.this for k in known}) == 1:
        return first if len({k.sql() for k in known}) == 1 else kind("varchar") if first.this in TEXTS else first
    moments = [k for k in known if k.this in MOMENTS]
    if moments:
        return next((k for k in moments if k.this in STAMPS), moments[0])
    typed = [k for k in known if k.this not in TEXTS]
    return typed[0] if typed else kind("varchar")


def redshift_type(of: Kind | None) -> RedshiftType | None:
    """The catalog's type; None where it is not known."""
    if of is None or not is_known(of):
        return None
    if of.this is Type.DECIMAL:
        precision, scale = digits(of)
        return RedshiftType("numeric", precision=precision, scale=scale)
    if of.this in TEXTS:
        written = of.expressions[0].name if of.expressions else ""
        name = "character" if of.this in PADDED else "character varying"
        return RedshiftType(name, length=int(written)) if written.isdigit() else None
    return parse_type(of.sql(dialect="redshift"))
