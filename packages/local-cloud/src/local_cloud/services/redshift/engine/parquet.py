"""COPY … FORMAT AS PARQUET: columns by position, types exactly as the table has them.

Errors follow Redshift Spectrum's, see
https://github.com/aws/amazon-redshift-python-driver/issues/107 (incompatible schema),
https://github.com/rudderlabs/rudder-server/pull/3178 (unmatched number of columns) and
https://github.com/aws/aws-sdk-pandas/issues/280 (length of a column).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from local_cloud.services.redshift.engine import catalog
from local_cloud.services.redshift.engine.session import Session
from local_cloud.services.redshift.engine.storage import DataFile, Storage, paths
from local_cloud.services.redshift.errors import SqlError
from local_cloud.services.redshift.sql.lexer import quoted
from local_cloud.services.redshift.sql.types import RedshiftType


@dataclass(frozen=True)
class ParquetColumn:
    """A top-level column of a file. `physical` is empty for a nested one."""

    index: int
    name: str
    physical: str
    converted: str
    logical: str
    repetition: str
    precision: int
    scale: int

    @property
    def annotation(self) -> str:
        """The logical meaning, in one spelling for old and new files."""
        if self.converted:
            return self.converted
        logical = self.logical
        if logical.startswith("TimestampType"):
            return next((f"TIMESTAMP_{unit}" for unit in ("MILLIS", "MICROS", "NANOS") if f"{unit}=<null>" not in logical), "")
        return {"StringType()": "UTF8", "DateType()": "DATE", "NullType()": "NULL"}.get(logical, logical)

    def __str__(self) -> str:
        level = int(self.repetition == "OPTIONAL")
        kind = self.physical.lower() if self.physical else "group"
        return f"{self.repetition.lower()} {kind} {self.name} [i:{self.index} d:{level} r:0]"


def read_schemas(session: Session, storage: Storage, files: Sequence[DataFile]) -> list[tuple[DataFile, list[ParquetColumn]]]:
    """The top-level columns of every file."""
    for file in files:
        _check_magic(storage, file)
    rows = session.query(
        "SELECT file_name, name, type, num_children, converted_type, logical_type, repetition_type,"
        f" precision, scale FROM parquet_schema({paths(files)})"
    ).fetchall()
    by_path = {str(file.path): file for file in files}
    found = []
    for path, group in groupby(rows, key=lambda row: row[0]):
        found.append((by_path[path], _top_level([row[1:] for row in group])))
    return found


def _check_magic(storage: Storage, file: DataFile) -> None:
    """An HTML page, a truncated download and an empty file all fail the way Spectrum puts it."""
    with file.path.open("rb") as handle:
        handle.seek(max(0, file.size - 4))
        magic = handle.read(4)
    if file.size < 12 or magic != b"PAR1":
        shown = magic.decode("ascii", "backslashreplace")
        raise storage.scan_error(15001, f"File '{file.https(storage.region)}' has an invalid version number: {shown}", file)


def _top_level(rows: list[tuple[str, str, int, str, str, str, int, int]]) -> list[ParquetColumn]:
    columns: list[ParquetColumn] = []
    position = 1
    while position < len(rows):
        name, physical, children, converted, logical, repetition, precision, scale = rows[position]
        columns.append(
            ParquetColumn(
                len(columns),
                name,
                "" if children else physical or "",
                converted or "",
                logical or "",
                repetition or "OPTIONAL",
                precision or 0,
                scale or 0,
            )
        )
        pending = children or 0
        position += 1
        while pending:
            pending += (rows[position][2] or 0) - 1
            position += 1
    return columns


_PLAIN = {
    "smallint": {("INT32", "INT_16"), ("INT32", "INT_8"), ("INT32", "UINT_8")},
    "integer": {("INT32", ""), ("INT32", "INT_32")},
    "bigint": {("INT64", ""), ("INT64", "INT_64")},
    "real": {("FLOAT", "")},
    "double precision": {("DOUBLE", "")},
    "boolean": {("BOOLEAN", "")},
    "date": {("INT32", "DATE")},
    "timestamp without time zone": {
        ("INT96", ""),
        ("INT64", "TIMESTAMP_MICROS"),
        ("INT64", "TIMESTAMP_MILLIS"),
    },
    "time without time zone": {("INT64", "TIME_MICROS")},
    "binary varying": {("BYTE_ARRAY", "")},
}
_TEXT = {("BYTE_ARRAY", ""), ("BYTE_ARRAY", "UTF8"), ("BYTE_ARRAY", "ENUM"), ("BYTE_ARRAY", "JSON")}
_DECIMAL = ("INT32", "INT64", "FIXED_LEN_BYTE_ARRAY", "BYTE_ARRAY")


def mismatch(column: ParquetColumn, kind: RedshiftType) -> str:
    """Why a file's column does not fit a table's; empty when it does."""
    pair = (column.physical, column.annotation)
    if kind.name == "numeric":
        if column.physical not in _DECIMAL or column.annotation != "DECIMAL":
            return "type"
        if column.scale != kind.scale:
            return "scale"
        return "" if column.precision == kind.precision else "precision"
    if kind.is_string:
        return "" if pair in _TEXT else "type"
    if kind.name == "super":
        return ""
    return "" if pair in _PLAIN.get(kind.name, ()) else "type"


def check_types(storage: Storage, file: DataFile, columns: Sequence[ParquetColumn], targets: Sequence[catalog.Column]) -> None:
    """Refuse the first column that does not fit, in Spectrum's words."""
    for column, target in zip(columns, targets, strict=False):
        what = mismatch(column, target.type)
        if not what:
            continue
        address, name = file.https(storage.region), f"{file.url}.{column.name}"
        if what == "type":
            reason = (
                f"File '{address}' has an incompatible Parquet schema for column '{name}'. "
                f"Column type: {target.type.scan_name}, Parquet schema:\n{column}"
            )
        else:
            got, want = getattr(column, what), getattr(target.type, what)
            reason = (
                f"File '{address}' column '{name}' has a {what} that does not match the table metadata {what}. "
                f"File metadata {what}: {got}, table metadata {what}: {want}"
            )
        raise storage.scan_error(15007, reason, file, column=target.name)


def load(
    session: Session,
    storage: Storage,
    files: Sequence[DataFile],
    table: str,
    targets: Sequence[catalog.Column],
    *,
    fillrecord: bool,
    serialize_to_json: bool,
) -> int:
    """Append the files to `table` (DuckDB SQL). The number of rows."""
    if any(target.type.name == "super" for target in targets) and not serialize_to_json:
        raise SqlError("SUPER column in COPY query requires SERIALIZETOJSON option")
    schemas = read_schemas(session, storage, files)
    for file, columns in schemas:
        fewer = fillrecord and len(columns) < len(targets)
        if len(columns) != len(targets) and not fewer:
            raise storage.scan_error(
                15007,
                f"Unmatched number of columns between table and file. Table columns: {len(targets)}, "
                f"Data columns: {len(columns)}, File name: {file.https(storage.region)}",
                file,
            )
        check_types(storage, file, columns, targets)
    count = 0
    # One scan for all files of one shape: DuckDB matches the columns of several files by name.
    shapes = groupby(sorted(schemas, key=_shape), key=_shape)
    for _, group in shapes:
        members = list(group)
        count += _append(session, storage, [file for file, _ in members], members[0][1], table, targets)
    return count


def _shape(schema: tuple[DataFile, list[ParquetColumn]]) -> tuple[tuple[str, str, str], ...]:
    return tuple((column.name, column.physical, column.annotation) for column in schema[1])


def _append(
    session: Session,
    storage: Storage,
    files: list[DataFile],
    columns: list[ParquetColumn],
    table: str,
    targets: Sequence[catalog.Column],
) -> int:
    used = list(zip(columns, targets, strict=False))
    names = ", ".join(quoted(target.name) for _, target in used)
    aliases = ", ".join(f'"c{column.index}"' for column in columns)
    values = ", ".join(_value(column, target) for column, target in used)
    binary = any(t.type.is_string and not c.annotation for c, t in used)
    options = f"hive_partitioning = false, binary_as_string = {str(binary).lower()}"
    source = f"read_parquet({paths(files)}, {options}) AS f({aliases})"
    try:
        result = session.query(f"INSERT INTO {table} ({names}) SELECT {values} FROM {source}")
    except Exception as error:
        if "CHECK constraint failed" in str(error):
            raise _too_long(session, storage, files, used) from None
        raise
    return int(result.fetchone()[0])


def _value(column: ParquetColumn, target: catalog.Column) -> str:
    name = f'"c{column.index}"'
    if target.type.name == "super":
        return f"CAST({name} AS JSON)" if column.annotation in ("UTF8", "JSON") else f"to_json({name})"
    return name


def _too_long(
    session: Session, storage: Storage, files: list[DataFile], used: list[tuple[ParquetColumn, catalog.Column]]
) -> SqlError:
    """Which value broke a length: asked only after the load has failed, on a connection of its own."""
    cursor = session.cursor.cursor()
    try:
        for file in files:
            for column, target in used:
                if not target.type.is_string:
                    continue
                rows = cursor.execute(
                    f"SELECT max(strlen({quoted(column.name)})) FROM read_parquet({paths([file])},"
                    " hive_partitioning = false, binary_as_string = true)"
                ).fetchone()
                longest = rows[0] or 0
                if longest > target.type.length:
                    return storage.scan_error(
                        15007,
                        f"The length of the data column {target.name} is longer than the length defined in the "
                        f"table. Table: {target.type.length}, Data: {longest}, File name: {file.https(storage.region)}",
                        file,
                        column=target.name,
                    )
    finally:
        cursor.close()
    return SqlError("Spectrum Scan Error")
