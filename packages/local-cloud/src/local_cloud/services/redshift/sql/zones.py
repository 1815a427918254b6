# ruff: noqa: E501 - lines of SQL and of tables
"""Time zones as CONVERT_TIMEZONE and AT TIME ZONE take them: names, abbreviations and POSIX offsets.

https://docs.aws.amazon.com/redshift/latest/dg/CONVERT_TIMEZONE.html
"""

from __future__ import annotations

import re

from local_cloud.services.redshift.sql.kinds import Kind, Type

#: Abbreviations stand for an offset, in summer too. Minutes east of UTC.
_ABBREVIATIONS = {
    "utc": 0, "gmt": 0, "z": 0, "zulu": 0, "wet": 0, "bst": 60, "cet": 60, "met": 60, "west": 60, "cest": 120, "eet": 120, "mest": 120, "eest": 180,
    "msk": 180, "jst": 540, "kst": 540, "hkt": 480, "sgt": 480, "ast": -240, "adt": -180, "est": -300, "edt": -240, "cst": -360, "cdt": -300,
    "mst": -420, "mdt": -360, "pst": -480, "pdt": -420, "akst": -540, "akdt": -480, "hst": -600,
}  # fmt: skip

#: `NEWZONE +2`: whatever the name, two hours west.
_POSIX = re.compile(r"[A-Za-z/_]*\s*([+-])\s*(\d{1,2})(?::(\d{2}))?")


def _offset(zone: str) -> int | None:
    """Minutes east of UTC; None where the name has rules of its own."""
    if (found := _ABBREVIATIONS.get(zone.strip().lower())) is not None:
        return found
    match = _POSIX.fullmatch(zone.strip())
    if match is None:
        return None
    minutes = int(match[2]) * 60 + int(match[3] or 0)
    return -minutes if match[1] == "+" else minutes


def to_utc(value: str, zone: str, literal: str | None) -> str:
    """A TIMESTAMP of that zone as one of UTC. `zone` is DuckDB SQL, `literal` its text where it is known."""
    offset = _offset(literal) if literal is not None else None
    if offset is not None:
        return f"({value} - INTERVAL '{offset} minutes')" if offset else value
    return f"({value} AT TIME ZONE {zone} AT TIME ZONE 'UTC')"


def from_utc(value: str, zone: str, literal: str | None) -> str:
    """A TIMESTAMP of UTC as one of that zone."""
    offset = _offset(literal) if literal is not None else None
    if offset is not None:
        return f"({value} + INTERVAL '{offset} minutes')" if offset else value
    return f"({value} AT TIME ZONE 'UTC' AT TIME ZONE {zone})"


def at(value: str, kind: Kind, zone: str, literal: str | None) -> str:
    """`value AT TIME ZONE zone`: a TIMESTAMPTZ becomes that zone's TIMESTAMP, a TIMESTAMP of that zone a TIMESTAMPTZ."""
    if kind.this is Type.TIMESTAMPTZ:
        return from_utc(f"({value} AT TIME ZONE 'UTC')", zone, literal)
    return f"({to_utc(f'CAST({value} AS TIMESTAMP)', zone, literal)} AT TIME ZONE 'UTC')"
