"""Rows that Python holds, as a query of DuckDB's."""

from __future__ import annotations

import datetime
from typing import Any

from local_cloud.services.redshift.sql.lexer import quoted


def text(value: str) -> str:
    """A DuckDB string literal."""
    return "'" + value.replace("'", "''") + "'"


def values(columns: dict[str, str], rows: list[dict[str, Any]]) -> str:
    """Rows of Python as a query; no row gives the columns alone."""
    names = ", ".join(quoted(name) for name in columns)
    casts = ", ".join(f"CAST({quoted(name)} AS {kind}) AS {quoted(name)}" for name, kind in columns.items())
    if not rows:
        return "SELECT " + ", ".join(f"CAST(NULL AS {k}) AS {quoted(n)}" for n, k in columns.items()) + " WHERE false"
    written = ", ".join("(" + ", ".join(literal(row.get(name)) for name in columns) + ")" for row in rows)
    return f"SELECT {casts} FROM (VALUES {written}) AS v({names})"


def literal(value: object) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, datetime.datetime):
        return text(value.isoformat(sep=" "))
    return text(str(value))
