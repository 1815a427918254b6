"""The rows of an external table, as DuckDB SQL over the files of its partitions.

Parquet is read by column name, with Spectrum's strictness about types; text by position. Partitions that a
query's conditions rule out are not touched.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from sqlglot import exp

from local_cloud.services.redshift.engine import catalog
from local_cloud.services.redshift.engine.context import Context
from local_cloud.services.redshift.engine.copy.parquet_schema import check_types, read_schemas
from local_cloud.services.redshift.engine.external import catalog as external
from local_cloud.services.redshift.engine.storage import DataFile, Storage, paths, split_url
from local_cloud.services.redshift.errors import NotSupported
from local_cloud.services.redshift.sql.lexer import quoted
from local_cloud.services.redshift.sql.render import render
from local_cloud.services.redshift.sql.tables import Name
from local_cloud.services.redshift.sql.types import VARCHAR_MAX, RedshiftType

#: Column name and type.
Field = tuple[str, RedshiftType]
#: The values of a partition's columns, and where its files are.
Partition = tuple[list[str], str]

#: Bytes that no text has: DuckDB's reader then gives whole lines.
_NO_DELIMITER = "\x02\x03\x02\x03"
_HIVE_NULL = "__HIVE_DEFAULT_PARTITION__"


@dataclass(frozen=True)
class _Table:
    """An external table, ready to be scanned."""

    described: dict[str, Any]
    storage: Storage
    fields: list[Field]
    keys: list[Field]

    @property
    def serde(self) -> dict[str, Any]:
        serde: dict[str, Any] = self.described["StorageDescriptor"].get("SerdeInfo", {})
        return serde


def relation(context: Context, name: Name, *, node: exp.Table) -> str:
    """DuckDB SQL that gives the table's rows. `node` is where the query names it: its conditions are looked at."""
    described = external.table_of(context, name)
    descriptor = described["StorageDescriptor"]
    table = _Table(
        described,
        Storage(context, external.role_of(context, name[-2])),
        [(column["Name"], external.hive_type(column["Type"])) for column in descriptor.get("Columns", [])],
        [(column["Name"], external.hive_type(column["Type"])) for column in described.get("PartitionKeys", [])],
    )
    parts: list[Partition] = [([], descriptor["Location"])]
    if table.keys:
        parts = external.partitions(context, name)
        parts = _pruned(context, parts, keys=table.keys, node=node)
    selects = []
    for values, location in parts:
        files = _files(table.storage, location)
        if files:
            constants = [
                f"CAST({_literal(value)} AS {kind.duckdb}) AS {quoted(key)}"
                for value, (key, kind) in zip(values, table.keys, strict=True)
            ]
            selects.append(_scan(table, files, constants=constants))
    if not selects:
        empty = [f"CAST(NULL AS {kind.duckdb}) AS {quoted(key)}" for key, kind in (*table.fields, *table.keys)]
        return f"SELECT {', '.join(empty)} WHERE false"
    return " UNION ALL ".join(selects)


def _literal(value: str) -> str:
    return "NULL" if value == _HIVE_NULL else _text_literal(value)


def _files(storage: Storage, location: str) -> list[DataFile]:
    """The files of a folder, or of the manifest that the location names; hidden ones are left out.

    https://docs.aws.amazon.com/redshift/latest/dg/c-spectrum-external-tables.html
    """
    bucket, prefix = split_url(location)
    if not prefix.endswith("/") and storage.file(bucket, prefix) is not None:
        return storage.by_manifest(location, columnar=True)
    folder = prefix if not prefix or prefix.endswith("/") else prefix + "/"
    files = storage.files(bucket, folder)
    return [f for f in files if not f.key.endswith("~") and not f.key.rpartition("/")[2].startswith((".", "_", "#"))]


def _scan(table: _Table, files: list[DataFile], *, constants: list[str]) -> str:
    library = table.serde.get("SerializationLibrary", "")
    if "parquet" in library.lower():
        values, source = _parquet(table, files)
    elif "LazySimpleSerDe" in library or "OpenCSVSerde" in library:
        values, source = _text(table, files, csv="OpenCSVSerde" in library)
    else:
        raise NotSupported(f"external tables with {library} are not supported by the local warehouse")
    return f"SELECT {', '.join([*values, *constants])} FROM {source}"


def _parquet(table: _Table, files: list[DataFile]) -> tuple[list[str], str]:
    """Columns by name; one that no file has is NULL, a text longer than its column is cut without an error."""
    present: dict[str, str] = {}
    for file, stored in read_schemas(table.storage, files):
        by_name = {column.name.lower(): column for column in stored}
        pairs = [(by_name[name], catalog.Column("", "", name, kind)) for name, kind in table.fields if name in by_name]
        check_types(table.storage, file, pairs=pairs)
        present = {target.name: column.name for column, target in pairs} | present
    values = []
    for name, kind in table.fields:
        source = quoted(present[name]) if name in present else f"CAST(NULL AS {kind.duckdb})"
        if kind.is_string and name in present and kind.length < VARCHAR_MAX:
            source = f"redshift_truncate({source}, {kind.length})"
        values.append(f"{source} AS {quoted(name)}")
    options = "union_by_name = true, hive_partitioning = false, binary_as_string = true"
    return values, f"read_parquet({paths(files)}, {options})"


def _text(table: _Table, files: list[DataFile], *, csv: bool) -> tuple[list[str], str]:
    """Columns by position; what is no value of its column's type is NULL."""
    serde = table.serde.get("Parameters", {})
    delimiter = _character(serde.get("field.delim") or serde.get("separatorChar") or ("," if csv else "\x01"))
    skip = int(table.described.get("Parameters", {}).get("skip.header.line.count", "0"))
    if csv:
        quote = serde.get("quoteChar", '"')
        fields, source = _csv_fields(table, files, delimiter=delimiter, quote=quote, skip=skip)
    else:
        fields, source = _line_fields(table, files, delimiter=delimiter, skip=skip)
    # NULLIF also keeps DuckDB from pushing the cast down into its reader, where it would be an error.
    values = [
        f"redshift_truncate({field}, {kind.length}) AS {quoted(name)}"
        if kind.is_string
        else f"TRY_CAST(nullif({field}, '') AS {kind.duckdb}) AS {quoted(name)}"
        for field, (name, kind) in zip(fields, table.fields, strict=True)
    ]
    return values, source


def _csv_fields(
    table: _Table, files: list[DataFile], *, delimiter: str, quote: str, skip: int
) -> tuple[list[str], str]:
    kinds = ", ".join(f"'c{index}': 'VARCHAR'" for index in range(len(table.fields)))
    mark = _text_literal(quote)
    source = (
        f"read_csv({paths(files)}, columns = {{{kinds}}}, auto_detect = false, header = false, skip = {skip},"
        f" delim = {_text_literal(delimiter)}, quote = {mark}, escape = {mark}, nullstr = '\\N', null_padding = true,"
        " strict_mode = false)"
    )
    return [f"c{index}" for index in range(len(table.fields))], source


def _line_fields(table: _Table, files: list[DataFile], *, delimiter: str, skip: int) -> tuple[list[str], str]:
    """Hive's LazySimpleSerDe: a quote is a character, fields beyond the columns are passed over."""
    source = (
        f"read_csv({paths(files)}, columns = {{'line': 'VARCHAR'}}, auto_detect = false, header = false, skip = {skip},"
        f" delim = {_text_literal(_NO_DELIMITER)}, quote = '', escape = '', force_not_null = ['line'])"
    )
    parts = f"string_split(line, {_text_literal(delimiter)})"
    return [f"nullif({parts}[{index}], '\\N')" for index in range(1, len(table.fields) + 1)], source


def _text_literal(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _character(delimiter: str) -> str:
    octal = re.fullmatch(r"\\([0-7]{1,3})", delimiter)
    return chr(int(octal[1], 8)) if octal else {"\\t": "\t", "\\A": "\x01"}.get(delimiter, delimiter)


def _pruned(context: Context, parts: list[Partition], *, keys: list[Field], node: exp.Table) -> list[Partition]:
    """The partitions that the conditions of the query leave over.

    Only conditions that are joined by AND and speak of nothing but this table's partition columns count; the
    query itself still applies all of them.
    """
    conditions = _conditions(node, {name for name, _ in keys})
    if not conditions or not parts:
        return parts
    rows = []
    for number, (values, _) in enumerate(parts):
        casts = [f"CAST({_literal(v)} AS {kind.duckdb})" for v, (_, kind) in zip(values, keys, strict=True)]
        rows.append(f"({number}, {', '.join(casts)})")
    names = ", ".join(quoted(name) for name, _ in keys)
    where = " AND ".join(f"({condition})" for condition in conditions)
    kept = context.lookup(f'SELECT "#" FROM (VALUES {", ".join(rows)}) AS p("#", {names}) WHERE {where}', [])
    return [parts[number] for (number,) in sorted(kept)]


def _conditions(node: exp.Table, keys: set[str]) -> list[str]:
    select = node.find_ancestor(exp.Select)
    where = select.args.get("where") if select is not None else None
    if select is None or where is None:
        return []
    source = select.args.get("from_")
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
