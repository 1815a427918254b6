"""ListDatabases, ListSchemas, ListTables and DescribeTable: questions to the catalog, answered at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from local_cloud.services.redshift.data_api.errors import CannotConnect, Invalid
from local_cloud.services.redshift.data_api.requests import Targets
from local_cloud.services.redshift.data_api.service import page_of
from local_cloud.services.redshift.engine import catalog
from local_cloud.services.redshift.engine.executor import Executor
from local_cloud.services.redshift.engine.external import catalog as external
from local_cloud.services.redshift.engine.session import Session
from local_cloud.services.redshift.engine.statement import Rows
from local_cloud.services.redshift.errors import SqlError
from local_cloud.services.redshift.sql.lexer import literal

Record = dict[str, Any]
Connect = Callable[[str, str, str, int], Session]

#: More relations than Redshift allows in a cluster.
MAX_ROWS = 1_000_000

_TYPES = {"BASE TABLE": "TABLE", "VIEW": "VIEW", "LOCAL TEMPORARY": "LOCAL TEMPORARY"}


class Metadata:
    """Each operation opens a connection of its own and closes it."""

    def __init__(self, targets: Targets, connect: Connect) -> None:
        self._targets = targets
        self._connect = connect

    def _session(self, given: Record, user: str) -> Session:
        connected = given.get("ConnectedDatabase") or given.get("Database")
        target = self._targets.of({**given, "Database": connected}, user)
        try:
            return self._connect(target.namespace if target.login else "", target.database, target.user, 0)
        except SqlError as error:
            raise CannotConnect(str(error)) from None

    def databases(self, given: Record, user: str) -> Record:
        session = self._session(given, user)
        try:
            names = session.warehouse.databases(session.database.namespace, first=session.services.first_database)
        finally:
            session.close()
        shown, token = page_of(names, given, default=100)
        return {"Databases": shown, "NextToken": token}

    def schemas(self, given: Record, user: str) -> Record:
        where = f"WHERE schema_name LIKE {literal(given['SchemaPattern'])}" if given.get("SchemaPattern") else ""
        rows = self._ask(
            given, user, f"SELECT schema_name FROM information_schema.schemata {where} ORDER BY schema_name"
        )
        shown, token = page_of([name for (name,) in rows], given, default=100)
        return {"Schemas": shown, "NextToken": token}

    def tables(self, given: Record, user: str) -> Record:
        rows = self._ask(given, user, "SELECT table_schema, table_name, table_type FROM svv_tables")
        found = [{"schema": schema, "name": name, "type": _TYPES[kind]} for schema, name, kind in rows]
        found += self._external(given, user)
        patterns = {key: given.get(field) for key, field in (("schema", "SchemaPattern"), ("name", "TablePattern"))}
        found = [t for t in found if all(_like(t[key], pattern) for key, pattern in patterns.items())]
        shown, token = page_of(sorted(found, key=lambda t: (t["schema"], t["name"])), given, default=1000)
        return {"Tables": shown, "NextToken": token}

    def _external(self, given: Record, user: str) -> list[dict[str, str]]:
        session = self._session(given, user)
        try:
            return [{"schema": s, "name": t, "type": "EXTERNAL TABLE"} for s, t in external.tables(session)]
        finally:
            session.close()

    def describe(self, given: Record, user: str) -> Record:
        table, schema = given.get("Table"), given.get("Schema") or "public"
        if not table:
            raise Invalid("Table must be provided.")
        session = self._session(given, user)
        try:
            name = (schema, table)
            columns = (
                external.columns(session, name)
                if external.is_external(session, name)
                else catalog.columns(session, name)
            )
        except SqlError:
            columns = []
        finally:
            session.close()
        if not columns:
            raise Invalid(f'relation "{schema}.{table}" does not exist')
        shown, token = page_of([_column(column) for column in columns], given, default=1000)
        return {"TableName": table, "ColumnList": shown, "NextToken": token}

    def _ask(self, given: Record, user: str, sql: str) -> list[tuple[Any, ...]]:
        session, sink = self._session(given, user), Rows(MAX_ROWS)
        try:
            Executor(session).execute(sql, query_id=0, sink=sink)
        finally:
            session.close()
        return sink.rows


def _column(column: catalog.Column) -> Record:
    precision, scale = column.type.api_precision
    return {
        "columnDefault": column.default or None,
        "isCaseSensitive": column.type.is_string,
        "isCurrency": False,
        "isSigned": column.type.api_name in ("int2", "int4", "int8", "numeric", "float4", "float8"),
        "length": column.type.length or precision,
        "name": column.name,
        "nullable": int(not column.not_null),
        "precision": precision,
        "scale": scale,
        "schemaName": column.schema,
        "tableName": column.table,
        "typeName": column.type.api_name,
    }


def _like(value: str, pattern: str | None) -> bool:
    """SQL's LIKE, with % and _."""
    import re

    if not pattern:
        return True
    expression = "".join({"%": ".*", "_": "."}.get(c, re.escape(c)) for c in pattern)
    return re.fullmatch(expression, value, re.DOTALL) is not None
