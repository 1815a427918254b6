"""Views, kept as Redshift SQL and put in the place of their name whenever a statement uses them.

So a view sees functions of time at the moment of the query, takes the locks of the tables under it, and may read
external tables.
"""

from __future__ import annotations

from local_cloud.services.redshift.engine.context import Context
from local_cloud.services.redshift.engine.warehouse import INTERNAL
from local_cloud.services.redshift.sql.tables import Name


def find(context: Context, name: Name) -> tuple[tuple[str, ...], str] | None:
    """Column names (empty: the query's own) and definition of a view; None when there is none."""
    if context.is_temporary(name):
        return None
    _, schema, view = context.key(name)
    rows = context.lookup(
        f"SELECT columns, definition FROM {INTERNAL}.views WHERE schema = ? AND name = ?", [schema, view]
    )
    return (tuple(rows[0][0]), rows[0][1]) if rows else None


def store(context: Context, name: Name, *, columns: tuple[str, ...], definition: str) -> None:
    _, schema, view = context.key(name)
    context.query(
        f"INSERT OR REPLACE INTO {INTERNAL}.views VALUES (?, ?, ?, ?)", [schema, view, list(columns), definition]
    )


def drop(context: Context, name: Name) -> bool:
    """True when there was such a view."""
    if find(context, name) is None:
        return False
    _, schema, view = context.key(name)
    context.query(f"DELETE FROM {INTERNAL}.views WHERE schema = ? AND name = ?", [schema, view])
    return True


def names(context: Context, schema: str) -> list[str]:
    rows = context.lookup(f"SELECT name FROM {INTERNAL}.views WHERE schema = ? ORDER BY name", [schema])
    return [name for (name,) in rows]
