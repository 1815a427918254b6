"""External schemas, tables and partitions: Redshift Spectrum's DDL over the Glue Data Catalog.

https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_EXTERNAL_SCHEMA.html
https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_EXTERNAL_TABLE.html
https://docs.aws.amazon.com/redshift/latest/dg/r_ALTER_TABLE_external-table.html
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from local_cloud.services.redshift.errors import NotSupported
from local_cloud.services.redshift.sql.reader import Reader
from local_cloud.services.redshift.sql.tables import Name

#: Column name and Hive type, as the catalog keeps them.
HiveColumn = tuple[str, str]

_HIVE_TYPES = {
    "integer": "int",
    "int2": "smallint",
    "int4": "int",
    "int8": "bigint",
    "real": "float",
    "float4": "float",
    "float8": "double",
    "bool": "boolean",
    "numeric": "decimal",
    "character": "char",
    "text": "string",
}


@dataclass(frozen=True)
class CreateExternalSchema:
    name: str
    if_not_exists: bool
    database: str
    role: str
    create_database: bool


@dataclass(frozen=True)
class CreateExternalTable:
    """`classes` are Hive's of INPUTFORMAT and OUTPUTFORMAT, where they are named in place of a format."""

    name: Name
    columns: tuple[HiveColumn, ...]
    partitions: tuple[HiveColumn, ...]
    format: str
    location: str
    serde: str = ""
    serde_properties: dict[str, str] = field(default_factory=dict)
    properties: dict[str, str] = field(default_factory=dict)
    classes: tuple[str, str] = ("", "")


@dataclass(frozen=True)
class Partition:
    values: tuple[tuple[str, str], ...]
    location: str


@dataclass(frozen=True)
class AddPartitions:
    table: Name
    if_not_exists: bool
    partitions: tuple[Partition, ...]


@dataclass(frozen=True)
class DropPartition:
    table: Name
    values: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class MovePartition:
    """PARTITION (…) SET LOCATION."""

    table: Name
    partition: Partition


@dataclass(frozen=True)
class AlterExternalTable:
    """SET LOCATION, SET FILE FORMAT, or SET TABLE PROPERTIES."""

    table: Name
    location: str = ""
    format: str = ""
    properties: dict[str, str] = field(default_factory=dict)


def create_schema(reader: Reader) -> CreateExternalSchema:
    """Read from after CREATE EXTERNAL SCHEMA."""
    if_not_exists = reader.accept("IF", "NOT", "EXISTS")
    name = reader.identifier()
    reader.expect("FROM")
    if not reader.accept("DATA", "CATALOG"):
        source = reader.next().text
        raise NotSupported(f"CREATE EXTERNAL SCHEMA FROM {source.upper()} is not supported here; use FROM DATA CATALOG")
    database, role, create = "", "", False
    while not reader.at_end:
        if reader.accept("DATABASE"):
            database = reader.string()
        elif reader.accept("IAM_ROLE"):
            role = "default" if reader.accept("DEFAULT") else reader.string()
        elif reader.accept_any("REGION", "CATALOG_ROLE", "CATALOG_ID"):
            reader.string()
        elif reader.accept("CREATE", "EXTERNAL", "DATABASE"):
            reader.expect("IF", "NOT", "EXISTS")
            create = True
        else:
            raise reader.error()
    if not database:
        raise reader.error()
    return CreateExternalSchema(name, if_not_exists, database, role, create)


def create_table(reader: Reader) -> CreateExternalTable:
    """Read from after CREATE EXTERNAL TABLE."""
    name = reader.name()
    if not reader.at("("):
        raise NotSupported("CREATE EXTERNAL TABLE AS is not supported here; use UNLOAD and CREATE EXTERNAL TABLE")
    values: dict[str, Any] = {"columns": _hive_columns(reader), "partitions": (), "format": "", "location": ""}
    while not reader.at_end:
        words = reader.accept_any(*_TABLE_CLAUSES)
        if not words:
            raise reader.error()
        values |= _TABLE_CLAUSES[words](reader)
    if not values["format"] or not values["location"]:
        raise reader.error()
    return CreateExternalTable(name, **values)


def _delimited(reader: Reader) -> dict[str, Any]:
    properties = {}
    while reader.at("FIELDS") or reader.at("LINES"):
        key = "field.delim" if reader.next().upper == "FIELDS" else "line.delim"
        reader.expect("TERMINATED", "BY")
        properties[key] = reader.raw_string()
    return {"serde_properties": properties}


def _serde(reader: Reader) -> dict[str, Any]:
    name = reader.string()
    properties = _properties(reader) if reader.accept("WITH", "SERDEPROPERTIES") else {}
    return {"serde": name, "serde_properties": properties}


def _stored_as(reader: Reader) -> dict[str, Any]:
    if reader.accept("INPUTFORMAT"):
        read = reader.string()
        reader.expect("OUTPUTFORMAT")
        return {"format": "INPUTFORMAT", "classes": (read, reader.string())}
    name = reader.accept_any("PARQUET", "TEXTFILE", "ORC", "AVRO", "RCFILE", "SEQUENCEFILE")
    if not name:
        raise reader.error()
    return {"format": name}


_TABLE_CLAUSES: dict[str, Callable[[Reader], dict[str, Any]]] = {
    "PARTITIONED BY": lambda reader: {"partitions": _hive_columns(reader)},
    "ROW FORMAT DELIMITED": _delimited,
    "ROW FORMAT SERDE": _serde,
    "STORED AS": _stored_as,
    "LOCATION": lambda reader: {"location": reader.string()},
    "TABLE PROPERTIES": lambda reader: {"properties": _properties(reader)},
}


def _hive_columns(reader: Reader) -> tuple[HiveColumn, ...]:
    columns = []
    reader.expect("(")
    while True:
        name = reader.identifier()
        columns.append((name, _hive_type(reader.text_until())))
        if reader.accept(")"):
            return tuple(columns)
        reader.expect(",")


def _hive_type(text: str) -> str:
    """The catalog's spelling of a type: `INTEGER` is int, `DOUBLE PRECISION` double, `VARCHAR(20)` varchar(20)."""
    base, parenthesis, rest = text.partition("(")
    words = " ".join(base.lower().split())
    words = {"double precision": "double", "character varying": "varchar"}.get(words, words)
    arguments = "".join(rest.split()) if parenthesis else ""
    name = _HIVE_TYPES.get(words, words)
    if name == "decimal" and not arguments:
        arguments = "18,0)"
    return f"{name}({arguments}" if arguments else name


def _properties(reader: Reader) -> dict[str, str]:
    found = {}
    reader.expect("(")
    while True:
        key = reader.string()
        reader.expect("=")
        found[key] = reader.string()
        if reader.accept(")"):
            return found
        reader.expect(",")


Alteration = AddPartitions | DropPartition | MovePartition | AlterExternalTable


def alter_table(reader: Reader) -> Alteration | None:
    """Read from after ALTER TABLE. None, with nothing taken, when it is not the external form."""
    start = reader.index
    name = reader.name()
    if reader.at("ADD", "PARTITION") or reader.at("ADD", "IF", "NOT", "EXISTS", "PARTITION"):
        return _add_partitions(reader, name)
    if reader.accept("DROP", "PARTITION"):
        return DropPartition(name, _partition_values(reader))
    if reader.accept("PARTITION"):
        values = _partition_values(reader)
        reader.expect("SET", "LOCATION")
        return MovePartition(name, Partition(values, reader.string()))
    found = _set(reader, name)
    if found is None:
        reader.index = start
    return found


def _add_partitions(reader: Reader, name: Name) -> AddPartitions:
    reader.expect("ADD")
    if_not_exists = reader.accept("IF", "NOT", "EXISTS")
    partitions = []
    while reader.accept("PARTITION"):
        values = _partition_values(reader)
        reader.expect("LOCATION")
        partitions.append(Partition(values, reader.string()))
    return AddPartitions(name, if_not_exists, tuple(partitions))


def _set(reader: Reader, name: Name) -> AlterExternalTable | None:
    if reader.accept("SET", "LOCATION"):
        return AlterExternalTable(name, location=reader.string())
    if reader.accept("SET", "FILE", "FORMAT"):
        return AlterExternalTable(name, **_stored_as(reader))
    if reader.accept("SET", "TABLE", "PROPERTIES"):
        return AlterExternalTable(name, properties=_properties(reader))
    return None


def _partition_values(reader: Reader) -> tuple[tuple[str, str], ...]:
    values = []
    reader.expect("(")
    while True:
        name = reader.identifier()
        reader.expect("=")
        token = reader.peek()
        values.append((name, reader.string() if token is not None and token.text.startswith("'") else reader.number()))
        if reader.accept(")"):
            return tuple(values)
        reader.expect(",")
