"""External schemas and tables over the Glue Data Catalog: Redshift Spectrum.

The catalog is the one that `aws glue get-tables` shows. Parquet is read by column name, with Spectrum's
strictness about types; text by position. Partitions that a query's conditions rule out are not touched.
https://docs.aws.amazon.com/redshift/latest/dg/c-spectrum-external-tables.html
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from sqlglot import exp

from local_cloud.services.redshift.engine import catalog, parquet
from local_cloud.services.redshift.engine.session import Session, Sink
from local_cloud.services.redshift.engine.storage import DataFile, Storage, paths, resolve_role, split_url
from local_cloud.services.redshift.engine.translations import Scene
from local_cloud.services.redshift.engine.warehouse import INTERNAL
from local_cloud.services.redshift.errors import NotSupported, SqlError
from local_cloud.services.redshift.sql.dialect import render
from local_cloud.services.redshift.sql.external import (
    AddPartitions,
    AlterExternalTable,
    CreateExternalSchema,
    CreateExternalTable,
    DropPartition,
)
from local_cloud.services.redshift.sql.lexer import quoted
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


def database_of(session: Session, schema: str) -> str:
    """The Glue database behind an external schema; empty when the schema is none."""
    rows = session.lookup(f"SELECT database FROM {INTERNAL}.external_schemas WHERE name = ?", [schema])
    return str(rows[0][0]) if rows else ""


def is_external(session: Session, name: Name) -> bool:
    return len(name) > 1 and bool(database_of(session, name[-2]))


def _role(session: Session, schema: str) -> str:
    rows = session.lookup(f"SELECT role FROM {INTERNAL}.external_schemas WHERE name = ?", [schema])
    return str(rows[0][0]) if rows else ""


def _code(error: Exception) -> str:
    response = getattr(error, "response", None)
    return str(response["Error"]["Code"]) if isinstance(response, dict) else ""


def create_schema(session: Session, plan: CreateExternalSchema, scene: Scene, sink: Sink) -> int:
    session.outside_transaction("CREATE EXTERNAL SCHEMA")
    role = resolve_role(session, plan.role)
    taken = session.lookup(
        "SELECT 1 FROM duckdb_schemas() WHERE database_name = ? AND schema_name = ?",
        [session.database.catalog, plan.name],
    )
    if taken or database_of(session, plan.name):
        if plan.if_not_exists:
            return 0
        raise SqlError(f'schema "{plan.name}" already exists')
    if plan.create_database:
        try:
            session.surroundings.glue().create_database(DatabaseInput={"Name": plan.database})
        except Exception as error:
            if _code(error) != "AlreadyExistsException":
                raise
    session.query(
        f"INSERT INTO {INTERNAL}.external_schemas VALUES (?, ?, ?)", [plan.name, plan.database, role]
    )
    return 0


def drop_schema(session: Session, name: str) -> None:
    """Forget the schema; the Glue database stays."""
    session.outside_transaction("DROP SCHEMA of an external schema")
    session.query(f"DELETE FROM {INTERNAL}.external_schemas WHERE name = ?", [name])


def create_table(session: Session, plan: CreateExternalTable, scene: Scene, sink: Sink) -> int:
    session.outside_transaction("CREATE EXTERNAL TABLE")
    database = _database(session, plan.name)
    if plan.format not in _FORMATS:
        raise NotSupported(f"external tables STORED AS {plan.format} are not supported here; PARQUET and TEXTFILE are")
    split_url(plan.location)
    names = [name for name, _ in (*plan.columns, *plan.partitions)]
    for name in names:
        if names.count(name) > 1:
            raise SqlError(f'column "{name}" duplicated')
    for _, kind in (*plan.columns, *plan.partitions):
        _type(kind)
    reader, writer, serde = _FORMATS[plan.format]
    storage = {
        "Columns": [{"Name": name, "Type": kind} for name, kind in plan.columns],
        "Location": plan.location,
        "InputFormat": reader,
        "OutputFormat": writer,
        "SerdeInfo": {
            "SerializationLibrary": plan.serde or serde,
            "Parameters": {"serialization.format": "1", **plan.serde_properties},
        },
    }
    try:
        session.surroundings.glue().create_table(
            DatabaseName=database,
            TableInput={
                "Name": plan.name[-1],
                "TableType": "EXTERNAL_TABLE",
                "Parameters": {"EXTERNAL": "TRUE", **plan.properties},
                "PartitionKeys": [{"Name": name, "Type": kind} for name, kind in plan.partitions],
                "StorageDescriptor": storage,
            },
        )
    except Exception as error:
        if _code(error) == "AlreadyExistsException":
            raise SqlError(f'Relation "{plan.name[-1]}" already exists') from None
        if _code(error) == "EntityNotFoundException":
            raise SqlError(f'database "{database}" does not exist in the data catalog') from None
        raise
    return 0


def _database(session: Session, name: Name) -> str:
    database = database_of(session, name[-2]) if len(name) > 1 else ""
    if not database:
        schema = name[-2] if len(name) > 1 else session.settings.search_path[0]
        raise SqlError(f'External table "{name[-1]}" must be in an external schema; "{schema}" is none')
    return database


def drop_table(session: Session, name: Name, *, if_exists: bool) -> None:
    session.outside_transaction("DROP TABLE of an external table")
    try:
        session.surroundings.glue().delete_table(DatabaseName=_database(session, name), Name=name[-1])
    except Exception as error:
        if _code(error) != "EntityNotFoundException":
            raise
        if not if_exists:
            raise SqlError(f'Table "{name[-1]}" does not exist') from None


def alter_table(session: Session, plan: AlterExternalTable, scene: Scene, sink: Sink) -> int:
    session.outside_transaction("ALTER EXTERNAL TABLE")
    table = _table(session, plan.table)
    settable = ("Name", "Description", "TableType", "Parameters", "PartitionKeys", "StorageDescriptor")
    changed = {key: table[key] for key in settable if key in table}
    if plan.location:
        split_url(plan.location)
        changed["StorageDescriptor"] = {**changed["StorageDescriptor"], "Location": plan.location}
    changed["Parameters"] = {**changed.get("Parameters", {}), **plan.properties}
    session.surroundings.glue().update_table(DatabaseName=_database(session, plan.table), TableInput=changed)
    return 0


def add_partitions(session: Session, plan: AddPartitions, scene: Scene, sink: Sink) -> int:
    session.outside_transaction("ALTER EXTERNAL TABLE")
    if len(plan.partitions) > MAX_PARTITIONS_A_STATEMENT:
        raise SqlError(f"Cannot add more than {MAX_PARTITIONS_A_STATEMENT} partitions in a single ALTER TABLE statement")
    database, table = _database(session, plan.table), _table(session, plan.table)
    keys = [key["Name"] for key in table.get("PartitionKeys", [])]
    inputs = []
    for partition in plan.partitions:
        split_url(partition.location)
        storage = {**table["StorageDescriptor"], "Location": partition.location}
        inputs.append({"Values": _values(keys, partition.values, plan.table), "StorageDescriptor": storage})
    if not plan.if_not_exists:
        present = [values for values, _ in _partitions(session, database, plan.table[-1])]
        for item in inputs:
            if item["Values"] in present:
                raise SqlError(f"Partition already exists: ({', '.join(item['Values'])})")
    result = session.surroundings.glue().batch_create_partition(
        DatabaseName=database, TableName=plan.table[-1], PartitionInputList=inputs
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
        raise SqlError(f"Partition column values must be given for all partition columns; missing: {', '.join(missing)}")
    return [values[key] for key in keys]


def drop_partition(session: Session, plan: DropPartition, scene: Scene, sink: Sink) -> int:
    session.outside_transaction("ALTER EXTERNAL TABLE")
    database, table = _database(session, plan.table), _table(session, plan.table)
    keys = [key["Name"] for key in table.get("PartitionKeys", [])]
    try:
        session.surroundings.glue().delete_partition(
            DatabaseName=database, TableName=plan.table[-1], PartitionValues=_values(keys, plan.values, plan.table)
        )
    except Exception as error:
        if _code(error) == "EntityNotFoundException":
            raise SqlError("Partition does not exist") from None
        raise
    return 0


def _table(session: Session, name: Name) -> dict[str, Any]:
    try:
        answer = session.surroundings.glue().get_table(DatabaseName=_database(session, name), Name=name[-1])
    except Exception as error:
        if _code(error) == "EntityNotFoundException":
            raise SqlError(f'relation "{".".join(name)}" does not exist') from None
        raise
    table: dict[str, Any] = answer["Table"]
    return table


def _partitions(session: Session, database: str, table: str) -> list[tuple[list[str], str]]:
    pages = session.surroundings.glue().get_paginator("get_partitions").paginate(DatabaseName=database, TableName=table)
    return [
        (partition["Values"], partition["StorageDescriptor"]["Location"])
        for page in pages
        for partition in page["Partitions"]
    ]


def _type(hive: str) -> RedshiftType:
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


def columns(session: Session, name: Name) -> list[catalog.Column]:
    """The columns of an external table, partition columns last."""
    table = _table(session, name)
    fields = [*table["StorageDescriptor"].get("Columns", []), *table.get("PartitionKeys", [])]
    return [
        catalog.Column(name[-2], name[-1], f["Name"], _type(f["Type"]), i + 1, False, "", None, False, "", False, 0, None)
        for i, f in enumerate(fields)
    ]


def relation(session: Session, name: Name, node: exp.Table) -> str:
    """DuckDB SQL that gives the table's rows."""
    table = _table(session, name)
    database = _database(session, name)
    storage = Storage(session, _role(session, name[-2]))
    fields = [(c["Name"], _type(c["Type"])) for c in table["StorageDescriptor"].get("Columns", [])]
    keys = [(c["Name"], _type(c["Type"])) for c in table.get("PartitionKeys", [])]
    parts: list[tuple[list[str], str]] = [([], table["StorageDescriptor"]["Location"])]
    if keys:
        parts = _pruned(session, node, keys, _partitions(session, database, name[-1]))
    selects = []
    for values, location in parts:
        files = _files(storage, location)
        if not files:
            continue
        constants = [
            f"CAST({_literal(value)} AS {kind.duckdb}) AS {quoted(key)}"
            for value, (key, kind) in zip(values, keys, strict=True)
        ]
        selects.append(_scan(session, storage, table, files, fields, constants))
    if not selects:
        empty = ", ".join(f"CAST(NULL AS {kind.duckdb}) AS {quoted(key)}" for key, kind in (*fields, *keys))
        return f"SELECT {empty} WHERE false"
    return " UNION ALL ".join(selects)


def _literal(value: str) -> str:
    return "NULL" if value == "__HIVE_DEFAULT_PARTITION__" else "'" + value.replace("'", "''") + "'"


def _files(storage: Storage, location: str) -> list[DataFile]:
    """The files of a folder, or of the manifest that the location names; hidden ones are left out."""
    bucket, prefix = split_url(location)
    if not prefix.endswith("/") and storage.file(bucket, prefix) is not None:
        return storage.by_manifest(location, columnar=True)
    folder = prefix if not prefix or prefix.endswith("/") else prefix + "/"
    return [
        DataFile(bucket, item.key, storage.objects.path(bucket, item.key), item.size)
        for item in storage.listing(bucket, folder)
        if not item.key.rpartition("/")[2].startswith((".", "_"))
    ]


def _scan(
    session: Session,
    storage: Storage,
    table: dict[str, Any],
    files: list[DataFile],
    fields: list[tuple[str, RedshiftType]],
    constants: list[str],
) -> str:
    serde = table["StorageDescriptor"].get("SerdeInfo", {})
    library = serde.get("SerializationLibrary", "")
    if "parquet" in library.lower():
        return _parquet_scan(session, storage, files, fields, constants)
    if "LazySimpleSerDe" in library or "OpenCSVSerde" in library:
        return _text_scan(files, fields, constants, serde.get("Parameters", {}), table.get("Parameters", {}), library)
    raise NotSupported(f"external tables with {library} are not supported by the local warehouse")


def _parquet_scan(
    session: Session,
    storage: Storage,
    files: list[DataFile],
    fields: list[tuple[str, RedshiftType]],
    constants: list[str],
) -> str:
    """Columns by name; one that no file has is NULL."""
    present: dict[str, str] = {}
    for file, stored in parquet.read_schemas(session, storage, files):
        by_name = {column.name.lower(): column for column in stored}
        for name, kind in fields:
            if name in by_name:
                present.setdefault(name, by_name[name].name)
                target = catalog.Column("", "", name, kind, 0, False, "", None, False, "", False, 0, None)
                parquet.check_types(storage, file, [by_name[name]], [target])
    values = []
    for name, kind in fields:
        source = quoted(present[name]) if name in present else f"CAST(NULL AS {kind.duckdb})"
        if kind.is_string and name in present and kind.length < VARCHAR_MAX:
            # A value longer than its column is cut, without an error.
            source = f"redshift_truncate({source}, {kind.length})"
        values.append(f"{source} AS {quoted(name)}")
    options = "union_by_name = true, hive_partitioning = false, binary_as_string = true"
    return f"SELECT {', '.join([*values, *constants])} FROM read_parquet({paths(files)}, {options})"


def _text_scan(
    files: list[DataFile],
    fields: list[tuple[str, RedshiftType]],
    constants: list[str],
    serde: dict[str, str],
    properties: dict[str, str],
    library: str,
) -> str:
    csv = "OpenCSVSerde" in library
    delimiter = serde.get("field.delim") or serde.get("separatorChar") or ("," if csv else "\x01")
    quote = serde.get("quoteChar", '"') if csv else ""
    skip = properties.get("skip.header.line.count", "0")
    kinds = ", ".join(f"'c{i}': 'VARCHAR'" for i in range(len(fields)))
    text = [value.replace("'", "''") for value in (_unescaped(delimiter), quote, r"\N")]
    values = [f"TRY_CAST(c{i} AS {kind.duckdb}) AS {quoted(name)}" for i, (name, kind) in enumerate(fields)]
    source = (
        f"read_csv({paths(files)}, columns = {{{kinds}}}, auto_detect = false, header = false, skip = {int(skip)},"
        f" delim = '{text[0]}', quote = '{text[1]}', escape = '{text[1]}', nullstr = '{text[2]}', null_padding = true)"
    )
    return f"SELECT {', '.join([*values, *constants])} FROM {source}"


def _unescaped(delimiter: str) -> str:
    octal = re.fullmatch(r"\\([0-7]{1,3})", delimiter)
    return chr(int(octal[1], 8)) if octal else {"\\t": "\t", "\\A": "\x01"}.get(delimiter, delimiter)


def _pruned(
    session: Session,
    node: exp.Table,
    keys: list[tuple[str, RedshiftType]],
    partitions: list[tuple[list[str], str]],
) -> list[tuple[list[str], str]]:
    """The partitions that the conditions of the query leave over.

    Only conditions that are joined by AND and speak of nothing but this table's partition columns count; the
    query itself still applies all of them.
    """
    conditions = _conditions(node, {name for name, _ in keys})
    if not conditions or not partitions:
        return partitions
    rows = ", ".join(
        f"({number}, " + ", ".join(f"CAST({_literal(v)} AS {k.duckdb})" for v, (_, k) in zip(values, keys, strict=True)) + ")"
        for number, (values, _) in enumerate(partitions)
    )
    names = ", ".join(quoted(name) for name, _ in keys)
    where = " AND ".join(f"({condition})" for condition in conditions)
    kept = session.lookup(f'SELECT "#" FROM (VALUES {rows}) AS p("#", {names}) WHERE {where}', [])
    return [partitions[number] for (number,) in sorted(kept)]


def _conditions(node: exp.Table, keys: set[str]) -> list[str]:
    select = node.find_ancestor(exp.Select)
    where = select.args.get("where") if select is not None else None
    if select is None or where is None:
        return []
    source = select.args.get("from_") or select.args.get("from")
    alone = not select.args.get("joins") and source is not None and source.this is node
    found = []
    for condition in where.this.flatten() if isinstance(where.this, exp.And) else [where.this]:
        columns = list(condition.find_all(exp.Column))
        mine = all(c.name in keys and (c.table == node.alias_or_name or (alone and not c.table)) for c in columns)
        if columns and mine and not condition.find(exp.Query):
            bare = condition.copy()
            for column in bare.find_all(exp.Column):
                column.set("table", None)
                column.set("db", None)
            found.append(render(bare))
    return found


def tables(session: Session) -> list[tuple[str, str]]:
    """Schema and name of every external table."""
    found = []
    for schema, database in session.lookup(f"SELECT name, database FROM {INTERNAL}.external_schemas", []):
        try:
            pages = session.surroundings.glue().get_paginator("get_tables").paginate(DatabaseName=database)
            found += [(schema, table["Name"]) for page in pages for table in page["TableList"]]
        except Exception as error:
            if _code(error) != "EntityNotFoundException":
                raise
    return found
