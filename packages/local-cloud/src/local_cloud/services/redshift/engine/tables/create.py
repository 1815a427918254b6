"""CREATE of tables, views, schemas and databases, and ALTER DATABASE."""

from __future__ import annotations

from dataclasses import replace

from local_cloud.services.redshift.engine import catalog, privileges, views
from local_cloud.services.redshift.engine.context import Context
from local_cloud.services.redshift.engine.external import catalog as external
from local_cloud.services.redshift.engine.locks import Mode
from local_cloud.services.redshift.engine.queries import prepare
from local_cloud.services.redshift.engine.statement import RunningStatement
from local_cloud.services.redshift.engine.warehouse import INTERNAL
from local_cloud.services.redshift.errors import NotSupported, SqlError
from local_cloud.services.redshift.sql import keys, statements
from local_cloud.services.redshift.sql.annotate import annotate as annotate_types
from local_cloud.services.redshift.sql.columns import Column
from local_cloud.services.redshift.sql.dialect import fold_case, read
from local_cloud.services.redshift.sql.lexer import quoted
from local_cloud.services.redshift.sql.render import render
from local_cloud.services.redshift.sql.tables import CreateTable, Name


def create_table(context: Context, statement: CreateTable, running: RunningStatement) -> int:
    name = statement.name
    if statement.temporary and len(name) > 1:
        raise SqlError("cannot create temporary relation in non-temporary schema")
    if not statement.temporary:
        _check_schema(context, name)
        context.lock([(name, Mode.EXCLUSIVE)])
    taken = name[-1] in context.temporary if statement.temporary else stored(context, name)
    if taken:
        if statement.if_not_exists:
            return 0
        raise SqlError(f'Relation "{name[-1]}" already exists')
    if statement.query:
        return _create_as(context, statement, running)
    columns = list(statement.columns)
    if statement.like:
        columns = _like(context, statement)
    build(
        context, target_of(context, name, temporary=statement.temporary), columns=columns, temporary=statement.temporary
    )
    if statement.temporary:
        context.temporary.add(name[-1])
    return 0


def stored(context: Context, name: Name) -> bool:
    """True when a table or view of the schema has the name; a temporary one does not count."""
    if views.find(context, name):
        return True
    database, schema, table = context.key(name)
    found = context.query(
        "SELECT 1 FROM duckdb_tables() WHERE database_name = ? AND schema_name = ? AND table_name = ?",
        [database, schema, table],
    ).fetchone()
    return found is not None


def _check_schema(context: Context, name: Name) -> None:
    schema = context.key(name)[1]
    if schema == INTERNAL or schema in ("pg_catalog", "information_schema"):
        raise SqlError(f'permission denied for schema "{schema}"')
    if external.database_of(context, schema):
        raise SqlError(f'Operations on local objects in external schema "{schema}" are not allowed.')


def target_of(context: Context, name: Name, *, temporary: bool) -> str:
    """A table's name as DuckDB SQL."""
    if temporary:
        return f"temp.main.{quoted(name[-1])}"
    return ".".join(quoted(part) for part in context.key(name))


def definition(column: Column) -> str:
    """One column as DuckDB SQL. The length of a string is a check: bytes, trailing blanks of CHAR aside."""
    parts = [quoted(column.name), column.type.duckdb]
    if column.default and not column.identity:
        parts.append(f"DEFAULT {_expression(column.default)}")
    if column.not_null or column.identity:
        parts.append("NOT NULL")
    if column.type.is_string:
        value = quoted(column.name)
        if column.type.name == "character":
            value = f"rtrim({value}, ' ')"
        parts.append(f"CHECK (strlen({value}) <= {column.type.length})")
    return " ".join(parts)


def _expression(sql: str) -> str:
    """A stored default: GETDATE stays a call, so that each row gets its own time."""
    select = fold_case(read(f"SELECT {sql}"))
    annotate_types(select, {})
    tree = select.expressions[0]
    return render(tree, stored=True)


def build(context: Context, target: str, *, columns: list[Column], temporary: bool) -> None:
    """Create the table, its identity sequences, and the notes on its columns."""
    seen: set[str] = set()
    definitions = []
    for column in columns:
        if column.name in seen:
            raise SqlError(f'column "{column.name}" duplicated')
        seen.add(column.name)
        text = definition(column)
        if column.identity:
            sequence = sequence_of(target, column.name)
            start, step = column.identity
            bounds = f"MINVALUE {start}" if step > 0 else f"MAXVALUE {start} MINVALUE {-(1 << 63)}"
            context.query(f"CREATE SEQUENCE {sequence} START {start} INCREMENT {step} {bounds}")
            text += " DEFAULT nextval('{}')".format(sequence.replace("'", "''"))
        definitions.append(text)
    kind = "TEMPORARY TABLE" if temporary else "TABLE"
    context.query(f"CREATE {kind} {target} ({', '.join(definitions)})")
    for column in columns:
        annotate(context, target, column=column)


def annotate(context: Context, target: str, *, column: Column) -> None:
    """Keep with a column what DuckDB has no place for."""
    text = catalog.note(column).replace("'", "''")
    context.query(f"COMMENT ON COLUMN {target}.{quoted(column.name)} IS '{text}'")


def sequence_of(target: str, column: str) -> str:
    """The sequence behind an identity column, as DuckDB SQL."""
    head, _, table = target.rpartition(".")
    return f"{head}.{quoted(table.strip(chr(34)) + '_' + column + '_seq')}"


def _like(context: Context, statement: CreateTable) -> list[Column]:
    context.lock([(statement.like, Mode.READ)])
    parent = catalog.columns(context, statement.like)
    if not parent:
        raise SqlError(f'relation "{".".join(statement.like)}" does not exist')
    definitions = (catalog.definition_of(column, defaults=statement.like_defaults) for column in parent)
    return [replace(definition, comment=None) for definition in definitions]


def _create_as(context: Context, statement: CreateTable, running: RunningStatement) -> int:
    prepared = prepare(context, read(statement.query), running)
    described = context.query("DESCRIBE " + prepared.sql).fetchall()
    if statement.column_names and len(statement.column_names) != len(described):
        raise SqlError("CREATE TABLE AS specifies a different number of column names than the query has")
    columns = []
    for index, (name, duckdb_type, *_) in enumerate(described):
        kind = prepared.column(index, name, duckdb_type).type
        columns.append(Column(statement.column_names[index] if statement.column_names else name, kind))
    target = target_of(context, statement.name, temporary=statement.temporary)
    build(context, target, columns=keys.apply(columns, statement.keys), temporary=statement.temporary)
    if statement.temporary:
        context.temporary.add(statement.name[-1])
    return int(context.query(f"INSERT INTO {target} {prepared.sql}").fetchone()[0])


def create_view(context: Context, statement: statements.CreateView, running: RunningStatement) -> int:
    _check_schema(context, statement.name)
    context.lock([(statement.name, Mode.EXCLUSIVE)])
    if not statement.replace and stored(context, statement.name):
        raise SqlError(f'Relation "{statement.name[-1]}" already exists')
    if statement.binding:
        prepared = prepare(context, read(statement.query), running)
        count = len(context.query("DESCRIBE " + prepared.sql).fetchall())
        if statement.columns and len(statement.columns) > count:
            raise SqlError("CREATE VIEW specifies more column names than columns")
    views.store(context, statement.name, columns=statement.columns, definition=statement.query)
    return 0


def create_schema(context: Context, statement: statements.CreateSchema, running: RunningStatement) -> int:
    if statement.name.startswith("pg_"):
        raise SqlError(
            f'unacceptable schema name "{statement.name}"', detail='The prefix "pg_" is reserved for system schemas.'
        )
    privileges.require_create(context)
    context.lock([((statement.name, "*"), Mode.EXCLUSIVE)])
    taken = schema_exists(context, statement.name) or bool(external.database_of(context, statement.name))
    if taken and statement.if_not_exists:
        return 0
    if taken:
        raise SqlError(f'schema "{statement.name}" already exists')
    context.query(f"CREATE SCHEMA {quoted(context.database.catalog)}.{quoted(statement.name)}")
    return 0


def schema_exists(context: Context, name: str) -> bool:
    found = context.query(
        "SELECT 1 FROM duckdb_schemas() WHERE database_name = ? AND schema_name = ?",
        [context.database.catalog, name],
    ).fetchone()
    return found is not None


def create_database(context: Context, statement: statements.CreateDatabase, running: RunningStatement) -> int:
    context.outside_transaction("CREATE DATABASE")
    context.warehouse.create_database(
        context.database.namespace,
        statement.name,
        first=context.services.first_database,
        serializable=statement.serializable,
    )
    return 0


def alter_database(context: Context, statement: statements.AlterDatabase, running: RunningStatement) -> int:
    context.outside_transaction("ALTER DATABASE")
    if statement.name != context.database.name:
        raise NotSupported("ALTER DATABASE of another database is not supported here; connect to it first")
    context.warehouse.set_isolation(context.database, serializable=statement.serializable)
    return 0
