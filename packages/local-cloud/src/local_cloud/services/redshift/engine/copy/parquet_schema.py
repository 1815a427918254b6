"""The schema of a Parquet file, and whether it fits a table's columns.

Types must be the table's own: nothing is widened or converted. The error is Redshift Spectrum's, as quoted in
https://github.com/aws/amazon-redshift-python-driver/issues/107
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from local_cloud.services.redshift.engine import catalog
from local_cloud.services.redshift.engine.storage import DataFile, Storage, paths
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
            return next(
                (f"TIMESTAMP_{unit}" for unit in ("MILLIS", "MICROS", "NANOS") if f"{unit}=<null>" not in logical), ""
            )
        return {"StringType()": "UTF8", "DateType()": "DATE", "NullType()": "NULL"}.get(logical, logical)

    def __str__(self) -> str:
        level = int(self.repetition == "OPTIONAL")
        kind = self.physical.lower() if self.physical else "group"
        return f"{self.repetition.lower()} {kind} {self.name} [i:{self.index} d:{level} r:0]"


def read_schemas(storage: Storage, files: Sequence[DataFile]) -> list[tuple[DataFile, list[ParquetColumn]]]:
    """The top-level columns of every file, in the order of the files."""
    for file in files:
        _check_magic(storage, file)
    rows = storage.context.query(
        "SELECT file_name, name, type, num_children, converted_type, logical_type, repetition_type,"
        f" precision, scale FROM parquet_schema({paths(dict.fromkeys(files))})"
    ).fetchall()
    by_path = {
        path: _top_level([row[1:] for row in group]) for path, group in groupby(rows, key=lambda row: str(row[0]))
    }
    return [(file, by_path[str(file.path)]) for file in files]


def _check_magic(storage: Storage, file: DataFile) -> None:
    """An HTML page, a truncated download and an empty file all fail the way Spectrum puts it."""
    with file.path.open("rb") as handle:
        handle.seek(max(0, file.size - 4))
        magic = handle.read(4)
    if file.size < 12 or magic != b"PAR1":
        shown = magic.decode("ascii", "backslashreplace")
        reason = f"File '{file.https(storage.region)}' has an invalid version number: {shown}"
        raise storage.scan_error(15001, reason, file=file)


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


def check_types(storage: Storage, file: DataFile, *, pairs: Sequence[tuple[ParquetColumn, catalog.Column]]) -> None:
    """Refuse the first column that does not fit, in Spectrum's words."""
    for column, target in pairs:
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
        raise storage.scan_error(15007, reason, file=file, column=target.name)
