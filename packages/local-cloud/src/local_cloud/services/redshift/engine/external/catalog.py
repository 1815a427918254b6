"""External schemas and tables over the Glue Data Catalog: Redshift Spectrum.

The catalog is the one that `aws glue get-tables` shows.
https://docs.aws.amazon.com/redshift/latest/dg/c-spectrum-external-tables.html
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from local_cloud.services.redshift.engine import catalog, privileges
from local_cloud.services.redshift.engine.context import Context
from local_cloud.services.redshift.engine.statement import RunningStatement
from local_cloud.services.redshift.engine.storage import resolve_role, split_url
from local_cloud.services.redshift.engine.warehouse import INTERNAL
from local_cloud.services.redshift.errors import NotSupported, SqlError
from local_cloud.services.redshift.sql.external import (
    AddPartitions,
    AlterExternalTable,
    CreateExternalSchema,
    CreateExternalTable,
    DropPartition,
    MovePartition,
)
from local_cloud.services.redshift.sql.tables import Name
from local_cloud.services.redshift.sql.types import VARCHAR_MAX, RedshiftType, parse_type

#: https://docs.aws.amazon.com/redshift/latest/dg/r_ALTER_TABLE_external-table.html
MAX_PARTITIONS_A_STATEMENT = 100

_HADOOP = "org.apache.hadoop.hive"
_FORMATS = {
    "PARQUET": (
        f"{_HADOOP}.ql.io.parquet.MapredParquetInputFormat",
        f"{_HADOOP}.ql.io.parquet.MapredParquetOutputFormat",
        f"{_HADOOP}.ql.io.parquet.serde.ParquetHiveSerDe",
    ),
    "TEXTFILE": (
        "org.apache.hadoop.mapred.TextInputFormat",
        f"{_HADOOP}.ql.io.HiveIgnoreKeyTextOutputFormat",
        f"{_HADOOP}.serde2.lazy.LazySimpleSerDe",
    ),
}


def database_of(context: Context, schema: str) -> str:
    """The Glue database behind an external schema; empty when the schema is none."""
    rows = context.lookup(f"SELECT database FROM {INTERNAL}.external_schemas WHERE name = ?", [schema])
    return str(rows[0][0]) if rows else ""


def is_external(context: Context, name: Name) -> bool:
    return len(name) > 1 and bool(database_of(context, name[-2]))


def role_of(context: Context, schema: str) -> str:
    rows = context.lookup(f"SELECT role FROM {INTERNAL}.external_schemas WHERE name = ?", [schema])
    return str(rows[0][0]) if rows else ""


@contextlib.contextmanager
def _catalog(context: Context, role: str) -> Iterator[Any]:
    """A client of the Glue catalog, as a role. A refusal is an error of the statement."""
    try:
        yield context.services.glue(role)
    except Exception as error:
        if _code(error).startswith("AccessDenied"):
            raise SqlError(error.response["Error"]["Message"]) from None  # type: ignore[attr-defined]
        raise


def _catalog_of(context: Context, name: Name) -> contextlib.AbstractContextManager[Any]:
    """The catalog as the role of a table's schema."""
    return _catalog(context, role_of(context, name[-2]))


def _code(error: Exception) -> str:
    response = getattr(error, "response", None)
    return str(response["Error"]["Code"]) if isinstance(response, dict) else ""


def create_schema(context: Context, statement: CreateExternalSchema, running: RunningStatement) -> int:
    context.outside_transaction("CREATE EXTERNAL SCHEMA")
    privileges.require_create(context)
    role = resolve_role(context, statement.role)
    taken = context.lookup(
        "SELECT 1 FROM duckdb_schemas() WHERE database_name = ? AND schema_name = ?",
        [context.database.catalog, statement.name],
    )
    if taken or database_of(context, statement.name):
        if statement.if_not_exists:
            return 0
        raise SqlError(f'schema "{statement.name}" already exists')
    if statement.create_database:
        try:
            with _catalog(context, role) as glue:
                glue.create_database(DatabaseInput={"Name": statement.database})
        except Exception as error:
            if _code(error) != "AlreadyExistsException":
                raise
    context.query(
        f"INSERT INTO {INTERNAL}.external_schemas VALUES (?, ?, ?)", [statement.name, statement.database, role]
    )
    return 0


def drop_schema(context: Context, name: str) -> None:
    """Forget the schema; the Glue database stays."""
    context.outside_transaction("DROP SCHEMA of an external schema")
    context.query(f"DELETE FROM {INTERNAL}.external_schemas WHERE name = ?", [name])


def create_table(context: Context, statement: CreateExternalTable, running: RunningStatement) -> int:
    context.outside_transaction("CREATE EXTERNAL TABLE")
    database = database_for(context, statement.name)
    split_url(statement.location)
    names = [name for name, _ in (*statement.columns, *statement.partitions)]
    for name in names:
        if names.count(name) > 1:
            raise SqlError(f'column "{name}" duplicated')
    for _, kind in (*statement.columns, *statement.partitions):
        hive_type(kind)
    storage = {
        "Columns": [{"Name": name, "Type": kind} for name, kind in statement.columns],
        "Location": statement.location,
        **_stored_as(_format(statement), serde=statement.serde, properties=statement.serde_properties),
    }
    table = {
        "Name": statement.name[-1],
        "TableType": "EXTERNAL_TABLE",
        "Parameters": {"EXTERNAL": "TRUE", **statement.properties},
        "PartitionKeys": [{"Name": name, "Type": kind} for name, kind in statement.partitions],
        "StorageDescriptor": storage,
    }
    try:
        with _catalog_of(context, statement.name) as glue:
            glue.create_table(DatabaseName=database, TableInput=table)
    except Exception as error:
        if _code(error) == "AlreadyExistsException":
            raise SqlError(f'Relation "{statement.name[-1]}" already exists') from None
        if _code(error) == "EntityNotFoundException":
            raise SqlError(f'database "{database}" does not exist in the data catalog') from None
        raise
    return 0


def _format(statement: CreateExternalTable) -> str:
    """The format of STORED AS, also where it names Hive's classes. NotSupported."""
    if statement.format != "INPUTFORMAT":
        return statement.format
    found = next((kind for kind, (*classes, _) in _FORMATS.items() if tuple(classes) == statement.classes), "")
    if not found:
        raise NotSupported(
            f"external tables STORED AS INPUTFORMAT '{statement.classes[0]}' OUTPUTFORMAT '{statement.classes[1]}'"
            " are not supported here; those of PARQUET and TEXTFILE are"
        )
    return found


def _stored_as(kind: str, *, serde: str = "", properties: Mapping[str, str] | None = None) -> dict[str, Any]:
    """How files of a format are read, as the catalog says it. NotSupported."""
    if kind not in _FORMATS:
        raise NotSupported(f"external tables STORED AS {kind} are not supported here; PARQUET and TEXTFILE are")
    reader, writer, own = _FORMATS[kind]
    parameters = {"serialization.format": "1", **(properties or {})}
    return {
        "InputFormat": reader,
        "OutputFormat": writer,
        "SerdeInfo": {"SerializationLibrary": serde or own, "Parameters": parameters},
    }


def database_for(context: Context, name: Name) -> str:
    database = database_of(context, name[-2]) if len(name) > 1 else ""
    if not database:
        schema = name[-2] if len(name) > 1 else context.settings.search_path[0]
        raise SqlError(f'External table "{name[-1]}" must be in an external schema; "{schema}" is none')
    return database


def drop_table(context: Context, name: Name, *, if_exists: bool) -> None:
    context.outside_transaction("DROP TABLE of an external table")
    try:
        database = database_for(context, name)
        with _catalog_of(context, name) as glue:
            glue.delete_table(DatabaseName=database, Name=name[-1])
    except Exception as error:
        if _code(error) != "EntityNotFoundException":
            raise
        if not if_exists:
            raise SqlError(f'Table "{name[-1]}" does not exist') from None


def alter_table(context: Context, statement: AlterExternalTable, running: RunningStatement) -> int:
    context.outside_transaction("ALTER EXTERNAL TABLE")
    table = table_of(context, statement.table)
    settable = ("Name", "Description", "TableType", "Parameters", "PartitionKeys", "StorageDescriptor")
    changed = {key: table[key] for key in settable if key in table}
    if statement.location:
        split_url(statement.location)
        changed["StorageDescriptor"] = {**changed["StorageDescriptor"], "Location": statement.location}
    if statement.format:
        changed["StorageDescriptor"] = {**changed["StorageDescriptor"], **_stored_as(statement.format)}
    changed["Parameters"] = {**changed.get("Parameters", {}), **statement.properties}
    with _catalog_of(context, statement.table) as glue:
        glue.update_table(DatabaseName=database_for(context, statement.table), TableInput=changed)
    return 0


def add_partitions(context: Context, statement: AddPartitions, running: RunningStatement) -> int:
    context.outside_transaction("ALTER EXTERNAL TABLE")
    if len(statement.partitions) > MAX_PARTITIONS_A_STATEMENT:
        raise SqlError(
            f"Cannot add more than {MAX_PARTITIONS_A_STATEMENT} partitions in a single ALTER TABLE statement"
        )
    database, table = database_for(context, statement.table), table_of(context, statement.table)
    keys = [key["Name"] for key in table.get("PartitionKeys", [])]
    inputs = []
    for partition in statement.partitions:
        split_url(partition.location)
        storage = {**table["StorageDescriptor"], "Location": partition.location}
        inputs.append({"Values": _values(keys, partition.values, statement.table), "StorageDescriptor": storage})
    if not statement.if_not_exists:
        present = [values for values, _ in partitions(context, statement.table)]
        for item in inputs:
            if item["Values"] in present:
                raise SqlError(f"Partition already exists: ({', '.join(item['Values'])})")
    with _catalog_of(context, statement.table) as glue:
        result = glue.batch_create_partition(
            DatabaseName=database, TableName=statement.table[-1], PartitionInputList=inputs
        )
    for failed in result.get("Errors", []):
        detail = failed["ErrorDetail"]
        if detail["ErrorCode"] != "AlreadyExistsException":
            raise SqlError(f"{detail['ErrorCode']}: {detail['ErrorMessage']}")
    return 0


def _values(keys: list[str], given: Sequence[tuple[str, str]], table: Name) -> list[str]:
    values = dict(given)
    for name in values:
        if name not in keys:
            raise SqlError(f'column "{name}" is not a partition column of "{table[-1]}"')
    missing = [key for key in keys if key not in values]
    if missing:
        raise SqlError(
            f"Partition column values must be given for all partition columns; missing: {', '.join(missing)}"
        )
    return [values[key] for key in keys]


def drop_partition(context: Context, statement: DropPartition, running: RunningStatement) -> int:
    context.outside_transaction("ALTER EXTERNAL TABLE")
    database, table = database_for(context, statement.table), table_of(context, statement.table)
    keys = [key["Name"] for key in table.get("PartitionKeys", [])]
    try:
        with _catalog_of(context, statement.table) as glue:
            glue.delete_partition(
                DatabaseName=database,
                TableName=statement.table[-1],
                PartitionValues=_values(keys, statement.values, statement.table),
            )
    except Exception as error:
        if _code(error) == "EntityNotFoundException":
            raise SqlError("Partition does not exist") from None
        raise
    return 0


def move_partition(context: Context, statement: MovePartition, running: RunningStatement) -> int:
    context.outside_transaction("ALTER EXTERNAL TABLE")
    split_url(statement.partition.location)
    database, table = database_for(context, statement.table), table_of(context, statement.table)
    values = _values(
        [key["Name"] for key in table.get("PartitionKeys", [])], statement.partition.values, statement.table
    )
    where = {"DatabaseName": database, "TableName": statement.table[-1]}
    try:
        with _catalog_of(context, statement.table) as glue:
            storage = glue.get_partition(**where, PartitionValues=values)["Partition"]["StorageDescriptor"]
            moved = {"Values": values, "StorageDescriptor": {**storage, "Location": statement.partition.location}}
            glue.update_partition(**where, PartitionValueList=values, PartitionInput=moved)
    except Exception as error:
        if _code(error) == "EntityNotFoundException":
            raise SqlError("Partition does not exist") from None
        raise
    return 0


def table_of(context: Context, name: Name) -> dict[str, Any]:
    """The table as the Glue catalog describes it."""
    try:
        database = database_for(context, name)
        with _catalog_of(context, name) as glue:
            answer = glue.get_table(DatabaseName=database, Name=name[-1])
    except Exception as error:
        if _code(error) == "EntityNotFoundException":
            raise SqlError(f'relation "{".".join(name)}" does not exist') from None
        raise
    table: dict[str, Any] = answer["Table"]
    return table


def partitions(context: Context, name: Name) -> list[tuple[list[str], str]]:
    """Values and location of every partition."""
    database = database_for(context, name)
    with _catalog_of(context, name) as glue:
        pages = glue.get_paginator("get_partitions").paginate(DatabaseName=database, TableName=name[-1])
        return [
            (partition["Values"], partition["StorageDescriptor"]["Location"])
            for page in pages
            for partition in page["Partitions"]
        ]


def hive_type(hive: str) -> RedshiftType:
    if hive == "string":
        return RedshiftType("character varying", length=VARCHAR_MAX)
    kind = parse_type("double precision" if hive == "double" else hive)
    if hive == "float":
        kind = RedshiftType("real")
    if hive == "tinyint":
        kind = RedshiftType("smallint")
    if kind is None:
        raise NotSupported(f'external columns of type "{hive}" are not supported by the local warehouse')
    return kind


def columns(context: Context, name: Name) -> list[catalog.Column]:
    """The columns of an external table, partition columns last."""
    table = table_of(context, name)
    fields = [*table["StorageDescriptor"].get("Columns", []), *table.get("PartitionKeys", [])]
    return [catalog.Column(name[-2], name[-1], field["Name"], hive_type(field["Type"])) for field in fields]


def tables(context: Context) -> list[tuple[str, str]]:
    """Schema and name of every external table."""
    found = []
    for schema, database, role in context.lookup(f"SELECT name, database, role FROM {INTERNAL}.external_schemas", []):
        try:
            with _catalog(context, str(role)) as glue:
                pages = glue.get_paginator("get_tables").paginate(DatabaseName=database)
                found += [(schema, table["Name"]) for page in pages for table in page["TableList"]]
        except Exception as error:
            if _code(error) != "EntityNotFoundException":
                raise
    return found
