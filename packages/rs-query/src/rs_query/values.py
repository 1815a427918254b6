"""Values: from what the server writes to Python's own, and from those to text."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

_TIMESTAMP = re.compile(
    r"(?P<date>\d{4}-\d\d-\d\d)[ T](?P<time>\d\d:\d\d:\d\d)(?:\.(?P<fraction>\d{1,6}))?(?P<zone>[+-]\d\d(?::?\d\d)?|Z)?"
)
_TIME = re.compile(r"(?P<time>\d\d:\d\d:\d\d)(?:\.(?P<fraction>\d{1,6}))?(?P<zone>[+-]\d\d(?::?\d\d)?|Z)?")


def value(cell: Mapping[str, Any], kind: str) -> Any:
    """Convert a field of the Data API: isNull, booleanValue, longValue, doubleValue, stringValue or blobValue.

    Decimals, dates, times and timestamps come as text: they become Python's own types. What these can't hold
    (a year beyond 9999 or before Christ) stays text, as does SUPER, which is JSON.
    """
    if cell.get("isNull"):
        return None
    raw = next(iter(cell.values()), None)
    return to_python(raw, kind) if isinstance(raw, str) else raw


def to_python(raw: str, kind: str) -> Any:
    """Text from the server as the Python value of its Redshift type."""
    convert = _CONVERT.get(kind.lower())
    if convert is None:
        return raw
    try:
        return convert(raw)
    except (ValueError, LookupError, ArithmeticError):
        return raw


def _moment(raw: str) -> dt.datetime:
    found = _TIMESTAMP.fullmatch(raw)
    if found is None:
        raise ValueError(raw)
    return dt.datetime.fromisoformat(f"{found['date']}T{found['time']}{_tail(found)}")


def _clock(raw: str) -> dt.time:
    found = _TIME.fullmatch(raw)
    if found is None:
        raise ValueError(raw)
    return dt.time.fromisoformat(f"{found['time']}{_tail(found)}")


def _tail(found: re.Match[str]) -> str:
    """Fraction and zone as Python 3.9 reads them: six digits, and hours with minutes."""
    zone = (found["zone"] or "").replace("Z", "+00:00").replace(":", "")
    fraction = f".{found['fraction']:0<6}" if found["fraction"] else ""
    return fraction + (f"{zone[:3]}:{zone[3:] or '00'}" if zone else "")


def _boolean(raw: str) -> bool:
    return {"t": True, "true": True, "f": False, "false": False}[raw.lower()]


_CONVERT: dict[str, Callable[[str], Any]] = {
    **dict.fromkeys(("numeric", "decimal"), Decimal),
    **dict.fromkeys(("int2", "int4", "int8", "smallint", "integer", "bigint", "oid"), int),
    **dict.fromkeys(("float4", "float8", "real", "double precision"), float),
    **dict.fromkeys(("bool", "boolean"), _boolean),
    "date": dt.date.fromisoformat,
    **dict.fromkeys(("timestamp", "timestamptz"), _moment),
    **dict.fromkeys(("timestamp without time zone", "timestamp with time zone"), _moment),
    **dict.fromkeys(("time", "timetz", "time without time zone", "time with time zone"), _clock),
}


def as_text(value: Any) -> str:
    """Return a value as SQL shows it; bytes in hexadecimal."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dt.datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, (bytes, bytearray)):
        return value.hex()
    return str(value)
