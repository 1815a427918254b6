"""A GlueContext that is a Spark SQL context: sessions, SQL, reading. DynamicFrames are not part of it."""

import logging
import sys
import warnings
from typing import Any

from pyspark import SparkContext
from pyspark.sql import SparkSession, SQLContext


class GlueContext(SQLContext):  # type: ignore[misc]
    """What `GlueContext(SparkContext.getOrCreate())` gives a script: `spark_session`, and all of SQLContext."""

    def __init__(self, sparkContext: SparkContext, **options: Any) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # SQLContext is old, and AWS's class is one
            super().__init__(sparkContext)
        self.spark_session = SparkSession.builder.getOrCreate()

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

    def __getattr__(self, name: str) -> Any:
        raise NotImplementedError(
            f"GlueContext.{name} needs AWS's own Glue libraries, which this machine does not have: "
            "use spark_session and DataFrames, which run here and on AWS alike"
        )
