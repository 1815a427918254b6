"""What a database holds: tables, their columns, and what Redshift knows of a column that DuckDB does not.

A column's Redshift type, key and encoding are kept as JSON in DuckDB's column comment, so that they follow the
table through transactions, renames and restarts.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from local_cloud.services.redshift.engine.context import Context
from local_cloud.services.redshift.sql.columns import Column as Definition
from local_cloud.services.redshift.sql.tables import Name
from local_cloud.services.redshift.sql.types import RedshiftType, from_duckdb, parse_type


@dataclass(frozen=True)
class Column:
    """A stored column."""

    schema: str
    table: str
    name: str
    type: RedshiftType
    not_null: bool = False
    default: str = ""
    identity: tuple[int, int] | None = None
    by_default: bool = False
    encode: str = ""
    distkey: bool = False
    diststyle: str = ""
    sortkey: int = 0
    comment: str | None = None


def note(column: Definition) -> str:
    """The JSON kept with a column. Its table's distribution style is there too: DuckDB has no better place for it."""
    fields: dict[str, Any] = {"type": str(column.type)}
    if column.encode:
        fields["encode"] = column.encode
    if column.distkey:
        fields["distkey"] = True
    if column.diststyle:
        fields["diststyle"] = column.diststyle
    if column.sortkey:
        fields["sortkey"] = column.sortkey
    if column.identity:
        fields["identity"] = list(column.identity)
        fields["by_default"] = column.by_default
    if column.default:
        fields["default"] = column.default
    if column.comment is not None:
        fields["comment"] = column.comment
    return json.dumps(fields)


def columns(context: Context, name: Name) -> list[Column]:
    """The columns of a table or view in order; empty when there is none of that name."""
    if context.is_temporary(name):
        catalog, schema, table = "temp", "main", name[-1]
    else:
        catalog, schema, table = context.key(name)
    rows = context.query(
        "SELECT column_name, data_type, NOT is_nullable, column_default, comment FROM duckdb_columns()"
        " WHERE database_name = ? AND schema_name = ? AND table_name = ? ORDER BY column_index",
        [catalog, schema, table],
    ).fetchall()
    origin = (context.settings.search_path[0] if catalog == "temp" else schema, table)
    return [_column(origin, row) for row in rows]


def _column(origin: tuple[str, str], row: tuple[str, str, bool, str | None, str | None]) -> Column:
    name, data_type, not_null, default, text = row
    kept = parse_note(text)
    identity = kept.get("identity")
    return Column(
        *origin,
        name,
        parse_type(str(kept.get("type", ""))) or from_duckdb(data_type),
        not_null=not_null,
        default=str(kept.get("default") or default or ""),
        identity=(identity[0], identity[1]) if identity else None,
        by_default=bool(kept.get("by_default")),
        encode=str(kept.get("encode", "")),
        distkey=bool(kept.get("distkey")),
        diststyle=str(kept.get("diststyle", "")),
        sortkey=int(kept.get("sortkey", 0)),
        comment=kept.get("comment"),
    )


def parse_note(text: str | None) -> dict[str, Any]:
    try:
        kept = json.loads(text or "{}")
    except ValueError:
        return {}
    return kept if isinstance(kept, dict) else {}


def definition_of(column: Column, *, defaults: bool = True) -> Definition:
    """The definition that would create the column again."""
    return Definition(
        column.name,
        column.type,
        default=column.default if defaults else "",
        not_null=column.not_null,
        identity=column.identity,
        by_default=column.by_default,
        encode=column.encode,
        distkey=column.distkey,
        diststyle=column.diststyle,
        sortkey=column.sortkey,
        comment=column.comment,
    )
