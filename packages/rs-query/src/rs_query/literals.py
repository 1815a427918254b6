"""Python values as Redshift literals. A value can not leave its literal, whatever it holds."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from functools import singledispatch
from typing import Union

from rs_query.errors import ParameterError

Scalar = Union[None, bool, int, float, Decimal, dt.date, dt.datetime, dt.time, str]
"""What one parameter may hold; a list or tuple of these binds as `IN (:name)`."""

Row = Mapping[str, Scalar]
"""Values by name. A parameter that is a list of rows makes each statement that uses their names run once a row."""

Value = Union[Scalar, list[Scalar], tuple[Scalar, ...], list[Row], tuple[Row, ...]]
Params = Mapping[str, Value]

_SPECIAL_FLOATS = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}
_IDENTIFIER_BYTES = 127  # https://docs.aws.amazon.com/redshift/latest/dg/r_names.html


def literal(value: object, name: str) -> str:
    """`value` as SQL. Raises ParameterError, naming the parameter `name`, for what no literal can express.

    Numbers outside quotes can't carry text; text has both its quotes and its backslashes doubled, because
    a backslash escapes in Redshift's plain strings.
    """
    try:
        return _sql(value)
    except ValueError as error:
        raise ParameterError(f"parameter :{name} {error}", parameter=name) from None


@singledispatch
def _sql(value: object) -> str:
    kind = type(value).__name__
    raise ValueError(f"is a {kind}; a value is text, a number, a boolean, a date, a time or None")


@_sql.register
def _(value: None) -> str:
    return "NULL"


@_sql.register
def _(value: str) -> str:
    return "'" + storable(value).replace("\\", "\\\\").replace("'", "''") + "'"


@_sql.register
def _(value: bool) -> str:
    return "TRUE" if value else "FALSE"


@_sql.register
def _(value: int) -> str:
    return _parenthesize_negative(str(int(value)))


@_sql.register
def _(value: Decimal) -> str:
    if not value.is_finite():
        raise ValueError(f"is {value}, which no decimal literal says")
    return _parenthesize_negative(f"{value:f}")


@_sql.register
def _(value: float) -> str:
    # In quotes: as a bare number it would be a decimal, whose 38 digits not every double fits.
    return f"CAST('{_SPECIAL_FLOATS.get(str(value), repr(float(value)))}' AS DOUBLE PRECISION)"


@_sql.register
def _(value: dt.datetime) -> str:
    return f"{'TIMESTAMP' if value.tzinfo is None else 'TIMESTAMPTZ'} '{value.isoformat(sep=' ')}'"


@_sql.register
def _(value: dt.date) -> str:
    return f"DATE '{value.isoformat()}'"


@_sql.register
def _(value: dt.time) -> str:
    return f"{'TIME' if value.tzinfo is None else 'TIMETZ'} '{value.isoformat()}'"


def identifier(value: object, name: str) -> str:
    """`value` as a quoted identifier. Raises ParameterError where Redshift would not take it as a name."""
    try:
        if not isinstance(value, str) or not value:
            raise ValueError(f"names an object, so it is text, not {value!r}")
        if len(storable(value).encode()) > _IDENTIFIER_BYTES:
            raise ValueError(f"is longer than the {_IDENTIFIER_BYTES} bytes of an identifier")
    except ValueError as error:
        raise ParameterError(f'parameter :"{name}" {error}', parameter=name) from None
    return '"' + value.replace('"', '""') + '"'


def storable(value: str) -> str:
    """`value` itself, once it is sure that Redshift can hold it; else a ValueError."""
    if "\0" in value:
        raise ValueError("holds a NUL character, which Redshift's text can't")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ValueError("is not valid Unicode text") from None
    return value


def _parenthesize_negative(number: str) -> str:
    """Return a negative number in parentheses: `1 -:n` must not become the comment `1 --5`."""
    return f"({number})" if number.startswith("-") else number
