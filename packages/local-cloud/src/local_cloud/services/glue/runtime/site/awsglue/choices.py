"""Fields that hold values of several types, and how ResolveChoice makes one type of them.

Such a choice is a struct with one nullable field for each type, marked in the column's metadata.
https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-crawler-pyspark-extensions-dynamic-frame.html
"""

from typing import Any, List, Mapping, Sequence, Tuple

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import StringType, StructField

from awsglue import fields
from awsglue.refusals import refuse

_MARK = {"glue_choice": True}


def make(value: Column, type_name: str) -> Column:
    """A choice between a type and text: text where the value, a text, cannot be converted."""
    converted = fields.cast(value, type_name)
    either = F.struct(converted.alias(type_name), F.when(converted.isNull(), value).alias("string"))
    return F.when(value.isNotNull(), either)


def marked(frame: DataFrame, name: str) -> DataFrame:
    return frame.withMetadata(name, _MARK)


def is_choice(field: StructField) -> bool:
    return bool(field.metadata.get("glue_choice"))


def of(frame: DataFrame) -> List[str]:
    """The names of a frame's choices."""
    return [field.name for field in frame.schema.fields if is_choice(field)]


def member(frame: DataFrame, name: str, type_name: str) -> Column:
    """The values of one of a choice's types; all of them, as text, where it has no such type."""
    names = frame.schema[name].dataType.fieldNames()
    kept = [n for n in names if fields.spark_type(n) == fields.spark_type(type_name)]
    values = [fields.column((name, n)) for n in kept or names]
    return F.coalesce(*(value if kept else value.cast("string") for value in values))


def unmarked(frame: DataFrame) -> DataFrame:
    """Each choice as a plain struct, which is what toDF() and `make_struct` give."""
    for name in of(frame):
        frame = frame.withMetadata(name, {})
    return frame


def resolve(frame: DataFrame, specs: Sequence[Tuple[str, str]]) -> DataFrame:
    """Carry out (path, action) pairs: `cast:T`, `project:T`, `make_cols`, `make_struct`. ValueError for others."""
    for path, action in specs:
        if (found := fields.find(frame.schema, path)) is not None:
            frame = _resolved(frame, found, action)
    return frame


def resolve_all(frame: DataFrame, action: str) -> DataFrame:
    """Carry out one action on every choice."""
    return resolve(frame, [(fields.quoted((name,)), action) for name in of(frame)])


def match(frame: DataFrame, types: Mapping[str, str]) -> DataFrame:
    """Each field as the type that the catalog gives it; fields that the catalog lacks are left alone."""
    known = {name.lower(): type_name for name, type_name in types.items()}
    specs = [(fields.quoted((name,)), f"cast:{known[name.lower()]}") for name in frame.columns if name.lower() in known]
    return resolve(frame, specs)


def _resolved(frame: DataFrame, path: fields.Path, action: str) -> DataFrame:
    verb, _, type_name = action.partition(":")
    if (verb, bool(type_name)) not in {
        ("cast", True),
        ("project", True),
        ("make_cols", False),
        ("make_struct", False),
    }:
        raise ValueError(f"{action!r} is no action of ResolveChoice: cast:TYPE, project:TYPE, make_cols or make_struct")
    field = _field(frame, path)
    if not is_choice(field):
        return _resolved_plain(frame, path, verb, type_name, field)
    name, members = path[0], field.dataType.fieldNames()
    values = {member: fields.column((name, member)) for member in members}
    if verb == "make_struct":
        return frame.withMetadata(name, {})
    if verb == "make_cols":
        wanted = [((f"{name}_{member}",), value) for member, value in values.items()]
    elif verb == "cast":
        wanted = [((name,), F.coalesce(*(fields.cast(value, type_name) for value in values.values())))]
    else:
        kept = [v for member, v in values.items() if fields.spark_type(member) == fields.spark_type(type_name)]
        if not kept:
            raise ValueError(f"{name} has no values of type {type_name}: they are {' and '.join(members)}")
        wanted = [((name,), kept[0])]
    columns: List[Tuple[fields.Path, Column]] = []
    for other in frame.columns:
        columns += wanted if other == name else [((other,), fields.column((other,)))]
    resolved = fields.select(frame, columns)
    return resolved if verb == "make_cols" else resolved.withMetadata(name, {})


def _resolved_plain(frame: DataFrame, path: fields.Path, verb: str, type_name: str, field: StructField) -> DataFrame:
    """A field of one type: a cast converts it, the other actions have nothing to do."""
    if verb == "cast":
        value = fields.cast(fields.column(path), type_name)
        if len(path) == 1:
            return frame.withColumn(path[0], value)
        return frame.withColumn(path[0], fields.column(path[:1]).withField(fields.quoted(path[1:]), value))
    if isinstance(field.dataType, StringType):
        refuse(
            f"{verb} of {'.'.join(path)}, which is text here (also where the fields of JSON documents differ in type)",
            "use cast:TYPE",
        )
    return frame


def _field(frame: DataFrame, path: fields.Path) -> StructField:
    here: Any = frame.schema
    for name in path[:-1]:
        here = here[name].dataType
    return here[path[-1]]
