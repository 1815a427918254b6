"""System tables and views: the catalog, the history of statements, the errors of COPY.

Each is a query on what DuckDB, the warehouse and the Data API know. Columns carry Redshift's names and types.
https://docs.aws.amazon.com/redshift/latest/dg/cm_chap_system-tables.html
"""

from __future__ import annotations

from collections.abc import Callable

from local_cloud.services.redshift.engine import privileges
from local_cloud.services.redshift.engine.context import Context
from local_cloud.services.redshift.engine.external import system_views
from local_cloud.services.redshift.engine.inline import text, values
from local_cloud.services.redshift.engine.messages import no_relation
from local_cloud.services.redshift.engine.warehouse import INTERNAL
from local_cloud.services.redshift.sql.tables import Name

_SCHEMAS = ("pg_catalog", "information_schema")


def is_system(name: Name) -> bool:
    """True for a relation of the system: in its schemas, or one of its names without a schema."""
    if len(name) > 1:
        return name[-2] in _SCHEMAS
    return name[0] in _RELATIONS


def relation(context: Context, name: Name) -> str:
    """DuckDB SQL that gives the rows. SqlError for a view that is not kept here."""
    key = f"information_schema.{name[-1]}" if len(name) > 1 and name[-2] == "information_schema" else name[-1]
    query = _RELATIONS.get(key)
    if query is None:
        raise no_relation(".".join(name))
    return query(context)


def _objects(context: Context) -> str:
    """All tables and views of the database: schema, name, kind (BASE TABLE, VIEW, LOCAL TEMPORARY)."""
    catalog = text(context.database.catalog)
    temporary = text(context.settings.search_path[0])
    return (
        "SELECT schema_name AS s, table_name AS t, 'BASE TABLE' AS kind, database_name AS d, schema_name AS ds,"
        f" comment FROM duckdb_tables() WHERE database_name = {catalog} AND schema_name <> '{INTERNAL}'"
        f" UNION ALL SELECT schema, name, 'VIEW', NULL, NULL, NULL FROM {INTERNAL}.views"
        f" UNION ALL SELECT {temporary}, table_name, 'LOCAL TEMPORARY', database_name, schema_name, comment"
        " FROM duckdb_tables() WHERE database_name = 'temp' AND NOT starts_with(table_name, 'pg_')"
    )


def _columns(context: Context) -> str:
    """All columns of tables, with Redshift's type, in the terms of SVV_COLUMNS."""
    return f"""SELECT o.s, o.t, o.kind, c.column_name AS c, c.column_index AS n,
        coalesce(c.comment ->> '$.default', c.column_default) AS def, c.is_nullable AS nullable,
        coalesce(c.comment ->> '$.type', lower(c.data_type)) AS type, c.numeric_precision, c.numeric_scale,
        c.comment ->> '$.encode' AS encode, coalesce((c.comment ->> '$.distkey')::BOOLEAN, false) AS distkey,
        coalesce((c.comment ->> '$.sortkey')::INTEGER, 0) AS sortkey, c.comment ->> '$.diststyle' AS diststyle,
        c.comment ->> '$.comment' AS remarks
        FROM ({_objects(context)}) o JOIN duckdb_columns() c
        ON c.database_name = o.d AND c.schema_name = o.ds AND c.table_name = o.t"""


def _svv_tables(context: Context) -> str:
    return (
        f"SELECT {text(context.database.name)} AS table_catalog, s AS table_schema, t AS table_name,"
        f" kind AS table_type, comment AS remarks FROM ({_objects(context)})"
    )


def _svv_columns(context: Context) -> str:
    return f"""SELECT {text(context.database.name)} AS table_catalog, s AS table_schema, t AS table_name,
        c AS column_name, n AS ordinal_position, def AS column_default,
        CASE WHEN nullable THEN 'YES' ELSE 'NO' END AS is_nullable,
        regexp_replace(type, '\\(.*', '') AS data_type,
        TRY_CAST(nullif(CASE WHEN starts_with(type, 'character') THEN regexp_extract(type, '\\((\\d+)\\)', 1) END, '')
            AS INTEGER) AS character_maximum_length,
        numeric_precision, numeric_scale, remarks FROM ({_columns(context)})"""


def _svv_all_columns(context: Context) -> str:
    """https://docs.aws.amazon.com/redshift/latest/dg/r_SVV_ALL_COLUMNS.html"""
    return (
        "SELECT table_catalog AS database_name, table_schema AS schema_name,"
        f" * EXCLUDE (table_catalog, table_schema) FROM ({_svv_columns(context)})"
    )


def _svv_redshift_columns(context: Context) -> str:
    """https://docs.aws.amazon.com/redshift/latest/dg/r_SVV_REDSHIFT_COLUMNS.html"""
    return f"""SELECT {text(context.database.name)} AS database_name, s AS schema_name, t AS table_name,
        c AS column_name, n AS ordinal_position, type AS data_type, def AS column_default,
        CASE WHEN nullable THEN 'YES' ELSE 'NO' END AS is_nullable, coalesce(encode, 'none') AS encoding, distkey,
        sortkey, NULL::VARCHAR AS column_acl, remarks FROM ({_columns(context)})"""


def _pg_class(context: Context) -> str:
    """Tables and views. An oid stands for a name: it stays while the name does."""
    return f"""SELECT {_oid("s || '.' || t")} AS oid, t AS relname, {_oid("s")} AS relnamespace, 100 AS relowner,
        CASE kind WHEN 'VIEW' THEN 'v' ELSE 'r' END AS relkind, kind = 'LOCAL TEMPORARY' AS relistemp,
        false AS relhasindex FROM ({_objects(context)})"""


def _oid(name: str) -> str:
    return f"CAST(100000 + hash({name}) % 1000000000 AS INTEGER)"


def _svv_all_tables(context: Context) -> str:
    return (
        f"SELECT {text(context.database.name)} AS database_name, s AS schema_name, t AS table_name,"
        f" CASE kind WHEN 'BASE TABLE' THEN 'TABLE' ELSE kind END AS table_type, NULL::VARCHAR AS table_acl,"
        f" comment AS remarks FROM ({_objects(context)})"
    )


def _schemata(context: Context) -> str:
    catalog = text(context.database.catalog)
    return (
        f"SELECT schema_name FROM duckdb_schemas() WHERE database_name = {catalog}"
        f" AND schema_name NOT IN ('main', '{INTERNAL}') UNION ALL SELECT name FROM {INTERNAL}.external_schemas"
        " UNION ALL SELECT unnest(['information_schema', 'pg_catalog', 'pg_internal'])"
    )


def _svv_schemas(context: Context) -> str:
    return (
        f"SELECT {text(context.database.name)} AS database_name, schema_name, 100 AS schema_owner,"
        f" CASE WHEN schema_name IN (SELECT name FROM {INTERNAL}.external_schemas) THEN 'external' ELSE 'local' END"
        f" AS schema_type, NULL::VARCHAR AS schema_acl FROM ({_schemata(context)})"
    )


def _information_schemata(context: Context) -> str:
    return f"SELECT {text(context.database.name)} AS catalog_name, schema_name FROM ({_schemata(context)})"


def _pg_tables(context: Context) -> str:
    return (
        "SELECT s AS schemaname, t AS tablename, 'admin' AS tableowner, NULL::VARCHAR AS tablespace,"
        f" false AS hasindexes, false AS hasrules, false AS hastriggers FROM ({_objects(context)}) WHERE kind <> 'VIEW'"
    )


def _pg_views(context: Context) -> str:
    return f"SELECT schema AS schemaname, name AS viewname, 'admin' AS viewowner, definition FROM {INTERNAL}.views"


def _pg_table_def(context: Context) -> str:
    return (
        "SELECT s AS schemaname, t AS tablename, c AS \"column\", type, coalesce(encode, 'none') AS encoding, distkey,"
        f' sortkey, NOT nullable AS "notnull" FROM ({_columns(context)})'
    )


def _pg_namespace(context: Context) -> str:
    return (
        "SELECT schema_name AS nspname, 100 AS nspowner, NULL::VARCHAR AS nspacl,"
        f" {_oid('schema_name')} AS oid FROM ({_schemata(context)})"
    )


def _pg_user(context: Context) -> str:
    return (
        "SELECT name AS usename, 100 AS usesysid, superuser AS usecreatedb, superuser AS usesuper,"
        " false AS usecatupd, '********' AS passwd, NULL::TIMESTAMP AS valuntil, NULL::VARCHAR AS useconfig"
        f" FROM (SELECT name, superuser FROM {INTERNAL}.users UNION SELECT {text(context.user)},"
        f" {privileges.is_superuser(context)})"
    )


def _database_privileges(context: Context) -> str:
    return (
        f"SELECT {text(context.database.name)} AS database_name, privilege AS privilege_type, 100 AS identity_id,"
        f" user_name AS identity_name, CASE WHEN user_name = {text(privileges.PUBLIC)} THEN 'public' ELSE 'user' END"
        " AS identity_type, false AS admin_option, 'DATABASE' AS privilege_scope"
        f" FROM {INTERNAL}.database_privileges"
    )


def _roles(context: Context) -> str:
    """https://docs.aws.amazon.com/redshift/latest/dg/r_SVV_ROLES.html"""
    return (
        "SELECT 100 AS role_id, name AS role_name, 'admin' AS role_owner, NULL::VARCHAR AS external_id"
        f" FROM {INTERNAL}.roles"
    )


def _user_grants(context: Context) -> str:
    """https://docs.aws.amazon.com/redshift/latest/dg/r_SVV_USER_GRANTS.html"""
    return (
        "SELECT 100 AS user_id, user_name, 100 AS role_id, role_name, false AS admin_option"
        f" FROM {INTERNAL}.role_members"
    )


def _databases(context: Context) -> list[str]:
    return context.warehouse.databases(context.database.namespace, first=context.services.first_database)


def _svv_databases(context: Context) -> str:
    return " UNION ALL ".join(
        f"SELECT {text(name)} AS database_name, 100 AS database_owner, 'local' AS database_type,"
        " NULL::VARCHAR AS database_acl, NULL::VARCHAR AS database_options,"
        " 'Snapshot Isolation' AS database_isolation_level"
        for name in _databases(context)
    )


def _pg_database(context: Context) -> str:
    return " UNION ALL ".join(
        f"SELECT {text(name)} AS datname, 100 AS datdba, 6 AS encoding, false AS datistemplate, true AS datallowconn"
        for name in _databases(context)
    )


def _svv_table_info(context: Context) -> str:
    """Values of `diststyle` and `sortkey1`: https://docs.aws.amazon.com/redshift/latest/dg/r_SVV_TABLE_INFO.html"""
    return f"""SELECT {text(context.database.name)} AS database, s AS schema, t.table_oid AS table_id, o.t AS "table",
        CASE WHEN k.distkey IS NULL THEN coalesce(nullif(k.diststyle, 'AUTO'), 'AUTO(ALL)')
            WHEN k.diststyle = 'AUTO' THEN 'AUTO(KEY(' || k.distkey || '))' ELSE 'KEY(' || k.distkey || ')'
        END AS diststyle, coalesce(k.sortkey1, 'AUTO(SORTKEY)') AS sortkey1, k.sortkey_num,
        CAST(t.estimated_size AS BIGINT) AS tbl_rows
        FROM ({_objects(context)}) o
        JOIN duckdb_tables() t ON t.database_name = o.d AND t.schema_name = o.ds AND t.table_name = o.t
        JOIN (
            SELECT s, t, max(c) FILTER (distkey) AS distkey, max(diststyle) AS diststyle,
                max(c) FILTER (sortkey = 1) AS sortkey1, count(*) FILTER (sortkey > 0) AS sortkey_num
            FROM ({_columns(context)}) GROUP BY s, t
        ) k USING (s, t)
        WHERE o.kind = 'BASE TABLE'"""


def _external_schemas(context: Context) -> str:
    return (
        "SELECT 100000 + row_number() OVER (ORDER BY name) AS esoid, 1 AS eskind, name AS schemaname, 100 AS esowner,"
        f" database AS databasename, role AS esoptions FROM {INTERNAL}.external_schemas"
    )


def _load_errors(context: Context) -> str:
    return f"SELECT * FROM {INTERNAL}.load_errors"


_HISTORY = {
    "user_id": "INTEGER",
    "query_id": "BIGINT",
    "query_label": "VARCHAR",
    "transaction_id": "BIGINT",
    "session_id": "INTEGER",
    "database_name": "VARCHAR",
    "query_type": "VARCHAR",
    "status": "VARCHAR",
    "result_cache_hit": "BOOLEAN",
    "start_time": "TIMESTAMP",
    "end_time": "TIMESTAMP",
    "elapsed_time": "BIGINT",
    "queue_time": "BIGINT",
    "execution_time": "BIGINT",
    "error_message": "VARCHAR",
    "returned_rows": "BIGINT",
    "returned_bytes": "BIGINT",
    "query_text": "VARCHAR",
}


def _query_history(context: Context) -> str:
    rows = [row for row in context.services.history() if row["database_name"] == context.database.name]
    return values(_HISTORY, rows)


_LOCKS = {
    "txn_owner": "VARCHAR",
    "txn_db": "VARCHAR",
    "xid": "BIGINT",
    "pid": "INTEGER",
    "txn_start": "TIMESTAMP",
    "lock_mode": "VARCHAR",
    "lockable_object_type": "VARCHAR",
    "schema": "VARCHAR",
    "name": "VARCHAR",
    "granted": "BOOLEAN",
}


def _svv_transactions(context: Context) -> str:
    """The locks on this database's tables: https://docs.aws.amazon.com/redshift/latest/dg/r_SVV_TRANSACTIONS.html"""
    rows = [
        {
            "txn_owner": transaction.user,
            "txn_db": context.database.name,
            "xid": transaction.number,
            "pid": transaction.process,
            "txn_start": transaction.started.replace(tzinfo=None),
            "lock_mode": mode,
            "lockable_object_type": "relation",
            "schema": schema,
            "name": table,
            "granted": granted,
        }
        for transaction, (catalog, schema, table), mode, granted in context.warehouse.locks.locks()
        if catalog == context.database.catalog
    ]
    return f"""SELECT l.* EXCLUDE (schema, name, granted), CAST(t.table_oid AS INTEGER) AS relation, l.granted
        FROM ({values(_LOCKS, rows)}) l LEFT JOIN duckdb_tables() t
        ON t.database_name = {text(context.database.catalog)} AND t.schema_name = l.schema AND t.table_name = l.name"""


_RELATIONS: dict[str, Callable[[Context], str]] = {
    "svv_tables": _svv_tables,
    "svv_columns": _svv_columns,
    "svv_all_tables": _svv_all_tables,
    "svv_all_columns": _svv_all_columns,
    "svv_all_schemas": _svv_schemas,
    "svv_redshift_schemas": _svv_schemas,
    "svv_redshift_columns": _svv_redshift_columns,
    "svv_redshift_tables": _svv_all_tables,
    "svv_redshift_databases": _svv_databases,
    "svv_external_schemas": _external_schemas,
    "svv_external_tables": system_views.tables,
    "svv_external_columns": system_views.columns,
    "svv_external_partitions": system_views.partitions,
    "svv_table_info": _svv_table_info,
    "information_schema.tables": _svv_tables,
    "information_schema.columns": _svv_columns,
    "information_schema.schemata": _information_schemata,
    "pg_tables": _pg_tables,
    "pg_views": _pg_views,
    "pg_table_def": _pg_table_def,
    "pg_namespace": _pg_namespace,
    "pg_class": _pg_class,
    "pg_user": _pg_user,
    "pg_database": _pg_database,
    "svv_database_privileges": _database_privileges,
    "svv_roles": _roles,
    "svv_user_grants": _user_grants,
    "svv_transactions": _svv_transactions,
    "sys_query_history": _query_history,
    "sys_load_error_detail": _load_errors,
}
