"""DynamicFrames over Spark's DataFrames. What is not here is refused by name.

The interface is AWS's:
https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-crawler-pyspark-extensions-dynamic-frame.html
A function of a script that raises fails the job, where Glue would set the record aside as an error.
"""

import functools
from typing import Any, Callable, Dict, List, Optional, Sequence, Tuple, TypeVar, Union

from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import ArrayType, DataType, NullType, StructType

from awsglue import choices, fields, records
from awsglue.refusals import refuse

Paths = Union[str, Sequence[str]]

#: Glue's names of types that Spark names otherwise.
_GLUE_TYPES = {"bigint": "long", "smallint": "short", "tinyint": "byte", "void": "null"}

#: For Glue's logs, and how many errors it lets pass: without effect here, as `transformation_ctx` is.
_CONTEXT = ("info", "stageThreshold", "totalThreshold")

Result = TypeVar("Result")


def for_logs(method: Callable[..., Result]) -> Callable[..., Result]:
    """Let a method be called with what is for Glue's logs."""

    @functools.wraps(method)
    def call(*args: Any, **kwargs: Any) -> Result:
        return method(*args, **{name: value for name, value in kwargs.items() if name not in _CONTEXT})

    return call


class DynamicFrame:
    """A DataFrame with Glue's transforms, each of which gives a new frame."""

    def __init__(self, frame: DataFrame, glue_ctx: Any, name: str = "") -> None:
        self._frame = frame
        self.glue_ctx = glue_ctx
        self.name = name

    @classmethod
    def fromDF(cls, dataframe: DataFrame, glue_ctx: Any, name: str = "") -> "DynamicFrame":
        return cls(dataframe, glue_ctx, name)

    def toDF(self, options: Optional[List[Any]] = None) -> DataFrame:
        """The DataFrame; a choice is a struct with a field for each of its types."""
        if options:
            refuse("toDF with options", "use resolveChoice before it")
        return choices.unmarked(self._frame)

    @for_logs
    def apply_mapping(
        self, mappings: Any, case_sensitive: bool = False, transformation_ctx: str = ""
    ) -> "DynamicFrame":
        """Only what (source, source type, target, target type) name; sources that are not there are left out."""
        columns: List[Tuple[fields.Path, Any]] = []
        for mapping in [mappings] if isinstance(mappings, tuple) else mappings:
            if not isinstance(mapping, (tuple, list)) or len(mapping) != 4:
                raise ValueError(f"{mapping!r} is no mapping: (source, source type, target, target type)")
            source, source_type, target, target_type = mapping
            found = fields.find(self._frame.schema, source, case_sensitive=case_sensitive)
            if found is not None:
                frame = self._frame
                value = fields.column(found)
                if len(found) == 1 and found[0] in choices.of(frame):
                    value = choices.member(frame, found[0], source_type)
                columns.append((fields.parse(target), fields.cast(value, target_type)))
        return self._with(fields.select(self._frame, columns))

    applyMapping = apply_mapping

    @for_logs
    def select_fields(self, paths: Paths, transformation_ctx: str = "") -> "DynamicFrame":
        found = self._found(paths)
        marks = [path[0] for path in found if len(path) == 1 and path[0] in choices.of(self._frame)]
        frame = fields.select(self._frame, [(path, fields.column(path)) for path in found])
        for name in marks:
            frame = choices.marked(frame, name)
        return self._with(frame)

    @for_logs
    def drop_fields(self, paths: Paths, transformation_ctx: str = "") -> "DynamicFrame":
        frame = self._frame
        for path in self._found(paths):
            frame = fields.drop(frame, path)
        return self._with(frame)

    @for_logs
    def rename_field(self, oldName: str, newName: str, transformation_ctx: str = "") -> "DynamicFrame":
        found, target = fields.find(self._frame.schema, oldName), fields.parse(newName)
        if found is None:
            return self
        if len(found) == len(target) == 1:
            return self._with(self._frame.withColumnRenamed(found[0], target[0]))
        if len(target) > 1:
            refuse(f"rename_field to the path {newName}", "use apply_mapping")
        return self._with(fields.drop(self._frame.withColumn(target[0], fields.column(found)), found))

    @for_logs
    def resolveChoice(
        self,
        specs: Any = None,
        choice: str = "",
        database: Optional[str] = None,
        table_name: Optional[str] = None,
        transformation_ctx: str = "",
    ) -> "DynamicFrame":
        """By `specs`, pairs of a path and an action, by one action for every choice, or by a table of the catalog."""
        if (specs is None) == (not choice):
            raise ValueError("resolveChoice takes either specs or choice")
        if specs is not None:
            return self._with(choices.resolve(self._frame, [specs] if isinstance(specs, tuple) else specs))
        if choice.lower() != "match_catalog":
            return self._with(choices.resolve_all(self._frame, choice))
        if not (database and table_name):
            raise ValueError("resolveChoice with match_catalog takes database and table_name")
        from awsglue.catalog import Table

        return self._with(choices.match(self._frame, Table(database, table_name).types))

    @for_logs
    def filter(self, f: Callable[[Any], Any], transformation_ctx: str = "") -> "DynamicFrame":
        return self._with(records.filtered(self._frame, f))

    @for_logs
    def map(self, f: Callable[[Any], Any], transformation_ctx: str = "") -> "DynamicFrame":
        return self._with(records.mapped(self._frame, f))

    @for_logs
    def join(
        self, paths1: Paths, paths2: Paths, frame2: "DynamicFrame", transformation_ctx: str = ""
    ) -> "DynamicFrame":
        """Rows whose keys are equal; a field of frame2 whose name is taken gets a dot before it."""
        keys1, keys2 = self._found(paths1), frame2._found(paths2)
        if len(keys1) != len(keys2) or not keys1:
            raise ValueError("join takes as many paths of the one frame as of the other, and they must be there")
        left, right = self._frame, frame2._frame
        on = [(fields.quoted(a), f"__{n}") for n, a in enumerate(keys1)]
        right = right.select("*", *(fields.column(b).alias(f"__{n}") for n, b in enumerate(keys2)))
        taken = {name.lower() for name in left.columns}
        for name in frame2._frame.columns:
            if name.lower() in taken:
                right = right.withColumnRenamed(name, f".{name}")
        condition = [F.col(a) == F.col(b) for a, b in on]
        joined = left.join(right, condition, "inner").drop(*(b for _, b in on))
        return DynamicFrame(joined, self.glue_ctx, self.name + frame2.name)

    @for_logs
    def drop_null_fields(self, transformation_ctx: str = "") -> "DynamicFrame":
        """Without the fields whose type is null (Spark's void), but for those in arrays."""
        return self.drop_fields([fields.quoted(path) for path in _null_fields(self._frame.schema)])

    def schema(self) -> StructType:
        return choices.unmarked(self._frame).schema

    def printSchema(self) -> None:
        print("root")
        for line in _tree(self._frame.schema, depth=0):
            print(line)

    def show(self, num_rows: int = 20) -> None:
        """Print rows as JSON, one a line."""
        for line in choices.unmarked(self._frame).limit(num_rows).toJSON().collect():
            print(line)

    def count(self) -> int:
        return int(self._frame.count())

    @for_logs
    def repartition(self, num_partitions: int, transformation_ctx: str = "") -> "DynamicFrame":
        return self._with(self._frame.repartition(num_partitions))

    @for_logs
    def coalesce(self, num_partitions: int, shuffle: bool = False, transformation_ctx: str = "") -> "DynamicFrame":
        return self._with((self._frame.repartition if shuffle else self._frame.coalesce)(num_partitions))

    def errorsCount(self) -> int:
        """None: a record that fails here fails the job."""
        return 0

    stageErrorsCount = errorsCount

    def write(
        self, connection_type: str, connection_options: Any = None, format: Any = None, format_options: Any = None
    ) -> "DynamicFrame":
        self.glue_ctx.write_dynamic_frame_from_options(
            self, connection_type, connection_options or {}, format, format_options or {}
        )
        return self

    def __getattr__(self, name: str) -> Any:
        refuse(f"DynamicFrame.{name}", "use toDF() and DataFrames, which run here and on AWS alike")

    def _found(self, paths: Paths) -> List[fields.Path]:
        listed = [paths] if isinstance(paths, str) else paths
        found = (fields.find(self._frame.schema, path) for path in listed)
        return [path for path in found if path is not None]

    def _with(self, frame: DataFrame) -> "DynamicFrame":
        return DynamicFrame(frame, self.glue_ctx, self.name)


class DynamicFrameCollection:
    """DynamicFrames by name."""

    def __init__(self, dynamic_frames: Any, glue_ctx: Any) -> None:
        named = isinstance(dynamic_frames, dict)
        self._frames: Dict[str, DynamicFrame] = (
            dict(dynamic_frames) if named else {frame.name: frame for frame in dynamic_frames}
        )
        self._glue_ctx = glue_ctx

    def __getitem__(self, key: str) -> DynamicFrame:
        return self._frames[key]

    def __len__(self) -> int:
        return len(self._frames)

    def keys(self) -> Any:
        return self._frames.keys()

    def values(self) -> Any:
        return self._frames.values()

    def select(self, key: str, transformation_ctx: str = "") -> DynamicFrame:
        return self._frames[key]


def _null_fields(schema: StructType, path: fields.Path = ()) -> List[fields.Path]:
    found: List[fields.Path] = []
    for field in schema.fields:
        here = (*path, field.name)
        if isinstance(field.dataType, NullType):
            found.append(here)
        elif isinstance(field.dataType, StructType):
            found += _null_fields(field.dataType, here)
    return found


def _tree(kind: DataType, *, depth: int) -> List[str]:
    """The lines of Glue's printSchema below a type."""
    lines: List[str] = []
    if isinstance(kind, ArrayType):
        children = [("element", kind.elementType, False)]
    elif isinstance(kind, StructType):
        children = [(field.name, field.dataType, choices.is_choice(field)) for field in kind.fields]
    else:
        return []
    for name, child, is_choice in children:
        lead = "|    " * depth + "|-- "
        if is_choice:
            lines += [f"{lead}{name}: choice", *(f"|    {lead}{member}" for member in child.fieldNames())]
            continue
        spelled = child.simpleString()
        spelled = child.typeName() if isinstance(child, (ArrayType, StructType)) else _GLUE_TYPES.get(spelled, spelled)
        lines += [f"{lead}{name}: {spelled}", *_tree(child, depth=depth + 1)]
    return lines
