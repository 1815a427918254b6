"""Fields of a DataFrame by their paths, as DynamicFrames name them: "a.b", and "`a.b`" for a name with a dot."""

import logging
import re
from typing import Any, Dict, Iterable, List, Optional, Sequence, Tuple

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import ArrayType, MapType, StructType

from awsglue.refusals import refuse

Path = Tuple[str, ...]

_PART = re.compile(r"`([^`]+)`|([^.`]+)")

#: Glue's names of types that Spark names otherwise, and types whose fields a mapping leaves alone.
_SPARK_TYPES = {"integer": "int", "long": "bigint", "short": "smallint", "byte": "tinyint", "decimal": "decimal(10,2)"}
_NESTED = ("array", "map", "struct")

log = logging.getLogger("GlueLogger")


def parse(path: str) -> Path:
    """The names of a path. ValueError for one that is none."""
    parts, at = [], 0
    while match := _PART.match(path, at):
        parts.append(match[1] or match[2])
        at = match.end()
        if at == len(path):
            return tuple(parts)
        if path[at] != ".":
            break
        at += 1
    raise ValueError(f"{path!r} is no path of a field: write a.b, or `a.b` for a name with a dot")


def find(schema: StructType, path: str, *, case_sensitive: bool = False) -> Optional[Path]:
    """The path as the schema spells it, or None where there is no such field."""
    found: List[str] = []
    here: Any = schema
    for part in parse(path):
        if isinstance(here, (ArrayType, MapType)) or part.endswith("[]"):
            refuse(f"the path {path} through an array or a map")
        names = here.fieldNames() if isinstance(here, StructType) else []
        alike = [n for n in names if n == part] or [
            n for n in names if not case_sensitive and n.lower() == part.lower()
        ]
        if not alike:
            log.warning("there is no field %s", path)
            return None
        found.append(alike[0])
        here = here[alike[0]].dataType
    return tuple(found)


def column(path: Path) -> Column:
    return F.col(quoted(path))


def quoted(path: Path) -> str:
    return ".".join("`" + name.replace("`", "``") + "`" for name in path)


def spark_type(name: str) -> str:
    """Spark's name of a type that Glue names."""
    lowered = name.strip().lower()
    return _SPARK_TYPES.get(lowered, lowered)


def cast(value: Column, type_name: str) -> Column:
    """The value as a type of Glue's; what cannot be converted is null."""
    return value if type_name.strip().lower() in _NESTED else value.cast(spark_type(type_name))


def select(frame: DataFrame, columns: Iterable[Tuple[Path, Column]]) -> DataFrame:
    """A frame of these columns alone; paths with several names become structs."""
    return frame.select(*_columns(list(columns)))


def _columns(columns: Sequence[Tuple[Path, Column]]) -> List[Column]:
    grouped: Dict[str, List[Tuple[Path, Column]]] = {}
    for path, value in columns:
        grouped.setdefault(path[0], []).append((path[1:], value))
    return [_built(name, parts) for name, parts in grouped.items()]


def _built(name: str, parts: List[Tuple[Path, Column]]) -> Column:
    whole = [value for path, value in parts if not path]
    return (whole[-1] if whole else F.struct(*_columns(parts))).alias(name)


def drop(frame: DataFrame, path: Path) -> DataFrame:
    """The frame without a field; a struct's last field takes the struct along."""
    if len(path) == 1:
        return frame.drop(column(path))
    parent: Any = frame.schema
    for name in path[:-1]:
        parent = parent[name].dataType
    if len(parent.fields) == 1:
        return drop(frame, path[:-1])
    return frame.withColumn(path[0], column(path[:1]).dropFields(quoted(path[1:])))
