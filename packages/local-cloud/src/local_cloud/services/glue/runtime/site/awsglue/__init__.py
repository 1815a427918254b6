"""The part of AWS's awsglue that jobs use: options, a session, DynamicFrames over Spark's DataFrames, a job."""

from typing import Any


def __getattr__(name: str) -> Any:
    if name == "DynamicFrame":  # on first use: Python Shell jobs have no PySpark
        from awsglue.dynamicframe import DynamicFrame

        return DynamicFrame
    raise AttributeError(f"module 'awsglue' has no attribute '{name}'")
