"""Tables of the Glue Data Catalog, read and written as DynamicFrames."""

from typing import Any, Dict, List, Mapping, Tuple

import boto3
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from awsglue import choices, fields, formats
from awsglue.refusals import check_options, refuse

#: What a table's SerDe reads. https://docs.aws.amazon.com/athena/latest/ug/supported-serdes.html
_FORMATS = {
    "LazySimpleSerDe": "csv",
    "OpenCSVSerde": "csv",
    "JsonSerDe": "json",
    "ParquetHiveSerDe": "parquet",
    "OrcSerde": "orc",
}

Partition = Tuple[str, Dict[str, str]]


class Table:
    """A table's location, format, columns and partitions. Raises Glue's own error where there is none."""

    def __init__(self, database: str, name: str) -> None:
        self._glue = boto3.client("glue")
        self._database, self._name = database, name
        table = self._glue.get_table(DatabaseName=database, Name=name)["Table"]
        storage = table["StorageDescriptor"]
        serde = storage.get("SerdeInfo", {})
        library = serde.get("SerializationLibrary", "").rsplit(".", 1)[-1]
        if library not in _FORMATS:
            refuse(f"the table {database}.{name} with the SerDe {library or 'none'}")
        self._location, self._format = storage["Location"], _FORMATS[library]
        self.types: Dict[str, str] = {column["Name"]: column["Type"] for column in storage["Columns"]}
        self._keys: Dict[str, str] = {column["Name"]: column["Type"] for column in table.get("PartitionKeys", [])}
        parameters = {**table.get("Parameters", {}), **storage.get("Parameters", {})}
        self._options: Dict[str, Any] = {}
        if self._format == "csv":
            given = serde.get("Parameters", {})
            has_header = parameters.get("skip.header.line.count", "0") != "0"
            self._options = {
                "separator": given.get("field.delim") or given.get("separatorChar") or ",",
                "quoteChar": given.get("quoteChar", '"'),
                "skipFirst": has_header,
                "writeHeader": has_header,
            }

    def read(self, spark: SparkSession, predicate: str = "") -> DataFrame:
        """The table's rows; of a partitioned one those of the catalog's partitions that the predicate keeps.

        Columns of text files have the catalog's types; one with text that its type cannot hold is a choice.
        """
        if not self._keys:
            return self._typed(self._rows(spark, self._location))
        frame = self._empty(spark).drop(*self._keys)
        for key in self._keys:
            frame = frame.withColumn(key, F.lit(None).cast("string"))
        read = False
        for location, values in self._partitions(spark, predicate):
            rows = self._rows(spark, location).drop(*self._keys)
            for key, value in values.items():
                rows = rows.withColumn(key, F.lit(value))
            frame = frame.unionByName(rows, allowMissingColumns=True) if read else rows
            read = True
        for key, type_name in self._keys.items():
            frame = frame.withColumn(key, fields.cast(fields.column((key,)), type_name))
        return self._typed(frame)

    def write(self, frame: DataFrame, options: Mapping[str, Any]) -> None:
        """Add files at the table's location. The catalog learns of no partition, as without enableUpdateCatalog."""
        check_options("additional_options", options, known=("partitionKeys",))
        keys = options.get("partitionKeys") or list(self._keys)
        formats.write(frame, self._location, self._format, self._options, partition_keys=keys)

    def _partitions(self, spark: SparkSession, predicate: str) -> List[Partition]:
        pages = self._glue.get_paginator("get_partitions").paginate(DatabaseName=self._database, TableName=self._name)
        found = [
            (partition["StorageDescriptor"]["Location"], dict(zip(self._keys, partition["Values"], strict=True)))
            for page in pages
            for partition in page["Partitions"]
        ]
        if not predicate or not found:
            return found
        values = spark.createDataFrame(
            [(n, *values.values()) for n, (_, values) in enumerate(found)], ["", *self._keys]
        )
        for key, type_name in self._keys.items():
            values = values.withColumn(key, fields.cast(fields.column((key,)), type_name))
        return [found[row[0]] for row in values.where(predicate).collect()]

    def _rows(self, spark: SparkSession, location: str) -> DataFrame:
        if not _holds_files(spark, location):
            return self._empty(spark)
        columns = list(self.types) if self._format == "csv" else []
        return formats.read(spark, [location], self._format, self._options, columns=columns)

    def _empty(self, spark: SparkSession) -> DataFrame:
        types = {name: "string" if self._format == "csv" else type_name for name, type_name in self.types.items()}
        return spark.createDataFrame(
            [],
            ", ".join(f"{fields.quoted((name,))} {fields.spark_type(type_name)}" for name, type_name in types.items()),
        )

    def _typed(self, frame: DataFrame) -> DataFrame:
        """Text as the catalog's types. Reads the files once more, to find what their types cannot hold."""
        typed = {n: t for n, t in self.types.items() if self._format == "csv" and fields.spark_type(t) != "string"}
        if not typed:
            return frame
        text = {name: F.when(fields.column((name,)) != "", fields.column((name,))) for name in typed}
        unfit = frame.select(
            *(F.max(text[n].isNotNull() & fields.cast(text[n], t).isNull()).alias(n) for n, t in typed.items())
        ).first()
        for name, type_name in typed.items():
            if unfit and unfit[name]:
                frame = choices.marked(frame.withColumn(name, choices.make(text[name], type_name)), name)
            else:
                frame = frame.withColumn(name, fields.cast(text[name], type_name))
        return frame


def _holds_files(spark: SparkSession, location: str) -> bool:
    path = spark._jvm.org.apache.hadoop.fs.Path(location)
    system = path.getFileSystem(spark._jsc.hadoopConfiguration())
    return bool(system.exists(path)) and len(system.listStatus(path)) > 0
