"""Rows as the records that Filter and Map hand to a script's functions, and back."""

from typing import Any, Callable, Dict

from pyspark.sql import DataFrame, Row
from pyspark.sql.types import (
    ArrayType,
    DataType,
    DecimalType,
    FractionalType,
    IntegralType,
    NullType,
    StructField,
    StructType,
)

from awsglue import choices
from awsglue.refusals import refuse


class DynamicRecord(Dict[str, Any]):
    """A record: a dictionary whose fields are attributes as well."""

    def __getattr__(self, name: str) -> Any:
        return self[name]

    def __setattr__(self, name: str, value: Any) -> None:
        self[name] = value


def filtered(frame: DataFrame, keeps: Callable[[DynamicRecord], Any]) -> DataFrame:
    """The rows whose records `keeps` accepts; one that lacks what `keeps` looks for is left out, as Glue does.

    https://github.com/awslabs/aws-glue-libs/blob/master/awsglue/dynamicframe.py
    """
    either = frozenset(choices.of(frame))

    def test(row: Row) -> bool:
        try:
            return bool(keeps(_record(row, either)))
        except (KeyError, ValueError, TypeError, AttributeError):
            return False

    return frame.sparkSession.createDataFrame(frame.rdd.filter(test), frame.schema, verifySchema=False)


def mapped(frame: DataFrame, change: Callable[[DynamicRecord], Any]) -> DataFrame:
    """What `change` makes of each row's record. Fields keep their types and places; new ones come last.

    Records must agree on a field's type, and `change` must return one: else the job fails.
    """
    if either := choices.of(frame):
        refuse(f"Map with the choice {either[0]}", "use ResolveChoice before it")

    def apply(row: Row) -> Row:
        changed = change(_record(row))
        if not isinstance(changed, dict):
            raise TypeError(f"the function of Map returned {changed!r} in place of a record")
        return _row(changed)

    rows = frame.rdd.map(apply).cache()
    if rows.isEmpty():
        return frame
    inferred = rows.toDF(sampleRatio=1.0).schema
    schema = _settled(inferred, frame.schema)
    return frame.sparkSession.createDataFrame(rows.map(lambda row: _placed(row, schema)), schema)


def _record(value: Any, either: "frozenset[str]" = frozenset()) -> Any:
    if isinstance(value, Row):
        names = value.__fields__
        return DynamicRecord(
            (name, _chosen(item) if name in either else _record(item)) for name, item in zip(names, value, strict=True)
        )
    return [_record(item) for item in value] if isinstance(value, list) else value


def _chosen(choice: Any) -> Any:
    return None if choice is None else next((item for item in choice if item is not None), None)


def _row(value: Any) -> Any:
    if isinstance(value, dict):
        return Row(**{name: _row(item) for name, item in value.items()})
    return [_row(item) for item in value] if isinstance(value, (list, tuple)) else value


def _placed(value: Any, kind: DataType) -> Any:
    """The value with the fields of its rows in the order of its type, None for those it lacks."""
    if value is None:
        return None
    if isinstance(kind, StructType):
        given = value.asDict()
        return tuple(_placed(given.get(field.name), field.dataType) for field in kind.fields)
    if isinstance(kind, ArrayType):
        return [_placed(item, kind.elementType) for item in value]
    return value


def _settled(inferred: DataType, before: DataType) -> DataType:
    """The type of before, where what Python made of a value is of the same kind; else the inferred one."""
    if isinstance(inferred, StructType) and isinstance(before, StructType):
        old = {field.name: field for field in before.fields}
        new = {field.name: field for field in inferred.fields}
        order = [name for name in old if name in new] + [name for name in new if name not in old]
        return StructType(
            [
                StructField(name, _settled(new[name].dataType, old[name].dataType if name in old else NullType()))
                for name in order
            ]
        )
    if isinstance(inferred, ArrayType) and isinstance(before, ArrayType):
        return ArrayType(_settled(inferred.elementType, before.elementType))
    return before if isinstance(inferred, NullType) or _kind(inferred) == _kind(before) else inferred


def _kind(spark_type: DataType) -> type:
    """The type, or for numbers what Python has for them all."""
    kinds = (IntegralType, DecimalType, FractionalType)
    return next((kind for kind in kinds if isinstance(spark_type, kind)), type(spark_type))
