"""SHOW TABLES, SHOW SCHEMAS and SHOW COLUMNS, as the queries of system views that they are.

https://docs.aws.amazon.com/redshift/latest/dg/r_SHOW_TABLES.html
https://docs.aws.amazon.com/redshift/latest/dg/r_SHOW_SCHEMAS.html
https://docs.aws.amazon.com/redshift/latest/dg/r_SHOW_COLUMNS.html
"""

from __future__ import annotations

from local_cloud.services.redshift.sql.reader import Reader


def tables(reader: Reader) -> str:
    """Read from after SHOW TABLES FROM SCHEMA."""
    database, schema = _qualified(reader, parts=1)
    columns = "database_name, schema_name, table_name, table_type, table_acl, remarks"
    source = f"SELECT {columns} FROM svv_all_tables WHERE schema_name = {_text(schema)}{database}"
    return source + _filtered(reader, "table_name", order="table_name")


def schemas(reader: Reader) -> str:
    """Read from after SHOW SCHEMAS FROM DATABASE."""
    source = f"SELECT * FROM svv_all_schemas WHERE database_name = {_text(reader.identifier())}"
    return source + _filtered(reader, "schema_name", order="schema_name")


def columns(reader: Reader) -> str:
    """Read from after SHOW COLUMNS FROM TABLE."""
    database, name = _qualified(reader, parts=2)
    schema, _, table = name.rpartition(".")
    source = (
        f"SELECT * FROM svv_all_columns WHERE table_name = {_text(table)} AND schema_name = {_text(schema)}{database}"
    )
    return source + _filtered(reader, "column_name", order="ordinal_position")


def _qualified(reader: Reader, *, parts: int) -> tuple[str, str]:
    """A condition on the database, where one is named, and the other parts of the name."""
    name = reader.name()
    if len(name) not in (parts, parts + 1):
        raise reader.error()
    database = f" AND database_name = {_text(name[0])}" if len(name) > parts else ""
    return database, ".".join(name[-parts:])


def _filtered(reader: Reader, column: str, *, order: str) -> str:
    condition = f" AND {column} LIKE {_text(reader.string())}" if reader.accept("LIKE") else ""
    limit = f" LIMIT {reader.integer()}" if reader.accept("LIMIT") else ""
    return f"{condition} ORDER BY {order}{limit}"


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
