"""Files as Glue reads and writes them, by Spark's readers and writers.

Options: https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-etl-format.html and, for S3,
https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-etl-connect-s3-home.html
"""

from typing import Any, List, Mapping, Optional, Sequence

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.types import StringType, StructField, StructType

from awsglue import choices
from awsglue.refusals import check_options, refuse

_CONNECTIONS = ("s3", "file", "parquet", "orc")
_READ_OPTIONS = ("paths", "path", "recurse", "groupFiles", "groupSize", "useS3ListImplementation", "compressionType")
_WRITE_OPTIONS = ("path", "partitionKeys", "compression")
_FORMAT_OPTIONS = {
    "csv": (
        *("separator", "escaper", "quoteChar", "multiLine", "multiline", "withHeader", "writeHeader", "skipFirst"),
        *("optimizePerformance", "strictCheckForQuoting"),
    ),
    "json": ("multiLine", "multiline"),
    "parquet": ("compression", "blockSize", "pageSize", "useGlueParquetWriter"),
    "orc": ("compression",),
}
#: A quote that no file has.
_NO_QUOTE = "\u0000"


def read_options(
    spark: SparkSession,
    connection_type: str,
    connection_options: Mapping[str, Any],
    format: Optional[str],
    format_options: Mapping[str, Any],
) -> DataFrame:
    """What create_dynamic_frame.from_options reads."""
    name = _checked(connection_type, format, format_options)
    check_options("connection_options", connection_options, known=_READ_OPTIONS)
    paths = connection_options.get("paths") or connection_options.get("path")
    if not paths:
        raise ValueError("connection_options have no paths")
    recurse = name in {"csv", "json"} and _true(connection_options.get("recurse"))
    return read(spark, [paths] if isinstance(paths, str) else list(paths), name, format_options, recurse=recurse)


def read(
    spark: SparkSession,
    paths: List[str],
    name: str,
    options: Mapping[str, Any],
    *,
    recurse: bool = False,
    columns: Sequence[str] = (),
) -> DataFrame:
    """The files under the paths. CSV is text throughout, in `columns`, or as its header says, or in col0, col1, …"""
    if name != "csv":
        multiline = str(_true(options.get("multiLine", options.get("multiline"))) and name == "json").lower()
        # recursiveFileLookup leaves out the columns of partitions, so it is not even set to false otherwise
        extra = {"recursiveFileLookup": "true"} if recurse else {}
        return spark.read.format(name).options(multiLine=multiline, **extra).load(paths)
    with_header = _true(options.get("withHeader"))
    settings = {
        **_csv(options),
        "header": str(with_header or _true(options.get("skipFirst"))).lower(),
        "multiLine": str(_true(options.get("multiLine", options.get("multiline")))).lower(),
        "recursiveFileLookup": str(recurse).lower(),
    }
    reader = spark.read.options(**settings)
    if columns:
        reader = reader.schema(StructType([StructField(column, StringType()) for column in columns]))
    frame = reader.csv(paths).na.fill("")  # Spark reads null where Glue reads empty text
    return frame if with_header or columns else frame.toDF(*(f"col{n}" for n in range(len(frame.columns))))


def write_options(
    frame: DataFrame,
    connection_type: str,
    connection_options: Mapping[str, Any],
    format: Optional[str],
    format_options: Mapping[str, Any],
) -> None:
    """What write_dynamic_frame.from_options writes: files beside those that are there."""
    name = _checked(connection_type, format, format_options)
    check_options("connection_options", connection_options, known=_WRITE_OPTIONS)
    if not connection_options.get("path"):
        raise ValueError("connection_options have no path")
    compression = format_options.get("compression") or connection_options.get("compression")
    write(
        frame,
        connection_options["path"],
        name,
        {**format_options, **({"compression": compression} if compression else {})},
        partition_keys=connection_options.get("partitionKeys") or (),
    )


def write(
    frame: DataFrame, path: str, name: str, options: Mapping[str, Any], *, partition_keys: Sequence[str] = ()
) -> None:
    """Write the frame's files below the path."""
    if either := choices.of(frame):
        refuse(f"writing the choice {either[0]}", "use ResolveChoice before it")
    settings = {"mapreduce.fileoutputcommitter.marksuccessfuljobs": "false"}  # Glue leaves no _SUCCESS behind
    if options.get("compression"):
        settings["compression"] = str(options["compression"]).lower()
    if name == "csv":
        header = options.get("writeHeader", True)
        settings |= {**_csv(options), "header": str(_true(header)).lower(), "emptyValue": ""}
    frame.write.mode("append").options(**settings).partitionBy(*partition_keys).format(name).save(path)


def _checked(connection_type: str, format: Optional[str], format_options: Mapping[str, Any]) -> str:
    """Spark's name of the format; refuses connections, formats and options that are not carried out."""
    if connection_type not in _CONNECTIONS:
        refuse(f"the connection type {connection_type}")
    name = format or (connection_type if connection_type in _FORMAT_OPTIONS else "")
    name = "parquet" if name == "glueparquet" else name
    if name not in _FORMAT_OPTIONS:
        refuse(f"the format {format}")
    check_options(f"format {name}", format_options, known=_FORMAT_OPTIONS[name])
    return name


def _csv(options: Mapping[str, Any]) -> "dict[str, str]":
    quote = options.get("quoteChar", '"')
    quote = _NO_QUOTE if quote in {-1, "-1"} else quote
    return {"sep": options.get("separator", ","), "quote": quote, "escape": options.get("escaper") or quote}


def _true(value: Any) -> bool:
    return value is True or str(value).lower() == "true"
