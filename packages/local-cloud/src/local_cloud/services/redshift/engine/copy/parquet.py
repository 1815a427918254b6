"""COPY … FORMAT AS PARQUET: columns by position, straight from the files into the table.

Errors follow Redshift Spectrum's, see
https://github.com/rudderlabs/rudder-server/pull/3178 (unmatched number of columns) and
https://github.com/aws/aws-sdk-pandas/issues/280 (length of a column).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from local_cloud.services.redshift.engine import catalog
from local_cloud.services.redshift.engine.copy.job import LoadJob
from local_cloud.services.redshift.engine.copy.parquet_schema import ParquetColumn, check_types, read_schemas
from local_cloud.services.redshift.engine.storage import DataFile, paths
from local_cloud.services.redshift.errors import SqlError
from local_cloud.services.redshift.sql.lexer import quoted

#: A file's columns with the table's columns that they fill.
Pairs = list[tuple[ParquetColumn, catalog.Column]]


def load(job: LoadJob) -> int:
    """Append the files to the table. The number of rows."""
    if any(target.type.name == "super" for target in job.targets) and "SERIALIZETOJSON" not in job.statement.options:
        raise SqlError("SUPER column in COPY query requires SERIALIZETOJSON option")
    schemas = read_schemas(job.storage, job.files)
    for file, columns in schemas:
        fewer = "FILLRECORD" in job.statement.options and len(columns) < len(job.targets)
        if len(columns) != len(job.targets) and not fewer:
            raise job.storage.scan_error(
                15007,
                f"Unmatched number of columns between table and file. Table columns: {len(job.targets)}, "
                f"Data columns: {len(columns)}, File name: {file.https(job.storage.region)}",
                file=file,
            )
        check_types(job.storage, file, pairs=list(zip(columns, job.targets, strict=False)))
    count = 0
    # One scan for all files of one shape: DuckDB matches the columns of several files by name.
    for _, group in groupby(sorted(schemas, key=_shape), key=_shape):
        members = list(group)
        count += _append(job, [file for file, _ in members], columns=members[0][1])
    return count


def _shape(schema: tuple[DataFile, list[ParquetColumn]]) -> tuple[tuple[str, str, str], ...]:
    return tuple((column.name, column.physical, column.annotation) for column in schema[1])


def _append(job: LoadJob, files: list[DataFile], *, columns: Sequence[ParquetColumn]) -> int:
    pairs: Pairs = list(zip(columns, job.targets, strict=False))
    names = ", ".join(quoted(target.name) for _, target in pairs)
    aliases = ", ".join(f'"c{column.index}"' for column in columns)
    values = ", ".join(_value(column, target) for column, target in pairs)
    binary = any(target.type.is_string and not column.annotation for column, target in pairs)
    options = f"hive_partitioning = false, binary_as_string = {str(binary).lower()}"
    source = f"read_parquet({paths(files)}, {options}) AS f({aliases})"
    try:
        result = job.context.query(f"INSERT INTO {job.table} ({names}) SELECT {values} FROM {source}")
    except Exception as error:
        if "CHECK constraint failed" in str(error):
            raise _too_long(job, files, pairs=pairs) from None
        raise
    return int(result.fetchone()[0])


def _value(column: ParquetColumn, target: catalog.Column) -> str:
    name = f'"c{column.index}"'
    if target.type.name == "super":
        return f"CAST({name} AS JSON)" if column.annotation in ("UTF8", "JSON") else f"to_json({name})"
    return name


def _too_long(job: LoadJob, files: list[DataFile], *, pairs: Pairs) -> SqlError:
    """Which value broke a length: asked only after the load has failed, on a connection of its own."""
    with job.context.apart() as cursor:
        for file in files:
            for column, target in pairs:
                if not target.type.is_string:
                    continue
                row = cursor.execute(
                    f"SELECT max(strlen({quoted(column.name)})) FROM read_parquet({paths([file])},"
                    " hive_partitioning = false, binary_as_string = true)"
                ).fetchone()
                longest = row[0] or 0
                if longest > target.type.length:
                    return job.storage.scan_error(
                        15007,
                        f"The length of the data column {target.name} is longer than the length defined in the table. "
                        f"Table: {target.type.length}, Data: {longest}, File name: {file.https(job.storage.region)}",
                        file=file,
                        column=target.name,
                    )
    return SqlError("Spectrum Scan Error")
