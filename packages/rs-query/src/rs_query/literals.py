"""Python values as Redshift literals. A value can not leave its literal, whatever it holds."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from decimal import Decimal
from typing import Union

from rs_query.errors import ParameterError

Scalar = Union[None, bool, int, float, Decimal, dt.date, dt.datetime, dt.time, str]
"""What one parameter may hold; a list or tuple of these binds as `IN (:name)`."""

Value = Union[Scalar, list[Scalar], tuple[Scalar, ...]]
Params = Mapping[str, Value]

_IDENTIFIER_BYTES = 127  # https://docs.aws.amazon.com/redshift/latest/dg/r_names.html


def literal(value: Scalar, name: str) -> str:
    """`value` as SQL. Raises ParameterError, naming the parameter `name`, for what no literal can express.

    Numbers outside quotes can't carry text; text has both its quotes and its backslashes doubled, because
    a backslash escapes in Redshift's plain strings.
    """
    if value is None:
        return "NULL"
    if isinstance(value, str):
        return "'" + text(value, name).replace("\\", "\\\\").replace("'", "''") + "'"
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int):
        return _signed(str(value))
    if isinstance(value, Decimal):
        if not value.is_finite():
            raise ParameterError(f"parameter :{name} is {value}, which no decimal literal says", parameter=name)
        return _signed(f"{value:f}")
    if isinstance(value, float):
        # Unquoted it would be a decimal, whose 38 digits not every double fits.
        special = "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
        return f"CAST('{value if math.isfinite(value) else special}' AS DOUBLE PRECISION)"
    if isinstance(value, dt.datetime):
        kind = "TIMESTAMP" if value.tzinfo is None else "TIMESTAMPTZ"
        return f"{kind} '{value.isoformat(sep=' ')}'"
    if isinstance(value, dt.date):
        return f"DATE '{value.isoformat()}'"
    if isinstance(value, dt.time):
        kind = "TIME" if value.tzinfo is None else "TIMETZ"
        return f"{kind} '{value.isoformat()}'"
    raise ParameterError(
        f"parameter :{name} is a {type(value).__name__}; use text, a number, a boolean, a date, a time or None",
        parameter=name,
    )


def identifier(value: object, name: str) -> str:
    """`value` as a quoted identifier. Raises ParameterError where Redshift would not take it as a name."""
    if not isinstance(value, str) or not value:
        raise ParameterError(f':"{name}" names an object: it takes text, not {value!r}', parameter=name)
    if len(text(value, name).encode()) > _IDENTIFIER_BYTES:
        raise ParameterError(f':"{name}" is longer than {_IDENTIFIER_BYTES} bytes', parameter=name)
    return '"' + value.replace('"', '""') + '"'


def text(value: str, name: str) -> str:
    """`value` itself, once it is sure that Redshift can hold it: no NUL, no half of a surrogate pair."""
    if "\0" in value:
        raise ParameterError(f"parameter :{name} holds a NUL character, which Redshift's text can't", parameter=name)
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ParameterError(f"parameter :{name} is not valid Unicode text", parameter=name) from None
    return value


def _signed(number: str) -> str:
    """A negative number in parentheses: `1 -:n` must not become the comment `1 --5`."""
    return f"({number})" if number.startswith("-") else number
