"""A GlueContext: Spark SQL with sessions and reading, and DynamicFrames in and out of S3 and the catalog."""

import logging
import sys
import warnings
from typing import Any, Optional

from pyspark import SparkContext
from pyspark.sql import DataFrame, SparkSession, SQLContext

from awsglue import formats
from awsglue.catalog import Table
from awsglue.dynamicframe import DynamicFrame
from awsglue.refusals import check_options, refuse


class GlueContext(SQLContext):  # type: ignore[misc]
    """What `GlueContext(SparkContext.getOrCreate())` gives a script: `spark_session`, SQLContext, DynamicFrames."""

    def __init__(self, sparkContext: SparkContext, **options: Any) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # SQLContext is old, and AWS's class is one
            super().__init__(sparkContext)
        self.spark_session = SparkSession.builder.getOrCreate()
        self.create_dynamic_frame = DynamicFrameReader(self)
        self.write_dynamic_frame = DynamicFrameWriter(self)

    def get_logger(self) -> logging.Logger:
        """A logger to stderr, where Glue's goes."""
        logger = logging.getLogger("GlueLogger")
        if not logger.handlers:
            handler = logging.StreamHandler(sys.stderr)
            handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
            logger.addHandler(handler)
            logger.setLevel(logging.INFO)
            logger.propagate = False
        return logger

    def create_dynamic_frame_from_options(
        self,
        connection_type: str,
        connection_options: Any = None,
        format: Optional[str] = None,
        format_options: Any = None,
        transformation_ctx: str = "",
        push_down_predicate: str = "",
        **kwargs: Any,
    ) -> DynamicFrame:
        """Read files by their paths."""
        check_options("create_dynamic_frame", kwargs, known=())
        if push_down_predicate:
            refuse("push_down_predicate without the catalog", "use filter")
        frame = formats.read_options(
            self.spark_session, connection_type, connection_options or {}, format, format_options or {}
        )
        return DynamicFrame(frame, self)

    def create_dynamic_frame_from_catalog(
        self,
        database: Optional[str] = None,
        table_name: Optional[str] = None,
        redshift_tmp_dir: str = "",
        transformation_ctx: str = "",
        push_down_predicate: str = "",
        additional_options: Any = None,
        catalog_id: Optional[str] = None,
        **kwargs: Any,
    ) -> DynamicFrame:
        """Read a table of the catalog."""
        options = dict(additional_options or {})
        predicate = push_down_predicate or options.pop("catalogPartitionPredicate", "")
        check_options("additional_options", options, known=("groupFiles", "groupSize", "useS3ListImplementation"))
        table = _table(database, table_name, kwargs)
        return DynamicFrame(table.read(self.spark_session, predicate), self, table_name or "")

    def create_dynamic_frame_from_rdd(
        self, data: Any, name: str, schema: Any = None, sample_ratio: Any = None, transformation_ctx: str = ""
    ) -> DynamicFrame:
        return DynamicFrame(self.createDataFrame(data, schema, sample_ratio), self, name)

    def write_dynamic_frame_from_options(
        self,
        frame: DynamicFrame,
        connection_type: str,
        connection_options: Any = None,
        format: Optional[str] = None,
        format_options: Any = None,
        transformation_ctx: str = "",
    ) -> DynamicFrame:
        """Write files below a path, beside those that are there."""
        rows = _rows(frame)
        formats.write_options(rows, connection_type, connection_options or {}, format, format_options or {})
        return frame

    def write_dynamic_frame_from_catalog(
        self,
        frame: DynamicFrame,
        database: Optional[str] = None,
        table_name: Optional[str] = None,
        redshift_tmp_dir: str = "",
        transformation_ctx: str = "",
        additional_options: Any = None,
        catalog_id: Optional[str] = None,
        **kwargs: Any,
    ) -> DynamicFrame:
        """Write files at the location of a table."""
        rows = _rows(frame)
        _table(database, table_name, kwargs).write(rows, additional_options or {})
        return frame

    def __getattr__(self, name: str) -> Any:
        refuse(f"GlueContext.{name}")


class DynamicFrameReader:
    """`create_dynamic_frame`: the same calls by shorter names."""

    def __init__(self, context: GlueContext) -> None:
        self.from_options = context.create_dynamic_frame_from_options
        self.from_catalog = context.create_dynamic_frame_from_catalog
        self.from_rdd = context.create_dynamic_frame_from_rdd

    def __getattr__(self, name: str) -> Any:
        refuse(f"create_dynamic_frame.{name}")


class DynamicFrameWriter:
    """`write_dynamic_frame`: the same calls by shorter names."""

    def __init__(self, context: GlueContext) -> None:
        self.from_options = context.write_dynamic_frame_from_options
        self.from_catalog = context.write_dynamic_frame_from_catalog

    def __getattr__(self, name: str) -> Any:
        refuse(f"write_dynamic_frame.{name}")


def _table(database: Optional[str], name: Optional[str], options: Any) -> Table:
    """The table by `database`, or by `name_space`, its older name."""
    found = database or options.pop("name_space", None)
    check_options("a table of the catalog", options, known=())
    if not (found and name):
        raise ValueError("a table of the catalog takes database and table_name")
    return Table(found, name)


def _rows(frame: Any) -> DataFrame:
    if not isinstance(frame, DynamicFrame):
        raise TypeError(
            f"write_dynamic_frame takes a DynamicFrame, not a {type(frame).__name__}: DynamicFrame.fromDF makes one"
        )
    return frame._frame
