"""Redshift's data types: how they are written, stored by DuckDB, shown by the Data API and matched with Parquet.

https://docs.aws.amazon.com/redshift/latest/dg/c_Supported_data_types.html
"""

from __future__ import annotations

import re
from dataclasses import dataclass

VARCHAR_MAX = 65535
DECIMAL_DEFAULT = (18, 0)


@dataclass(frozen=True)
class RedshiftType:
    """`name` is the catalog's long name. `length` in bytes for strings; `precision` and `scale` for NUMERIC."""

    name: str
    length: int = 0
    precision: int = 0
    scale: int = 0

    def __str__(self) -> str:
        if self.name == "numeric":
            return f"numeric({self.precision},{self.scale})"
        return f"{self.name}({self.length})" if self.length else self.name

    @property
    def is_string(self) -> bool:
        return self.name in ("character varying", "character")

    def is_close_to(self, other: RedshiftType) -> bool:
        """True when a result of the other type may be shown as this one: the same but for lengths and digits."""
        return (self.name == other.name and self.scale == other.scale) or (self.is_string and other.is_string)

    @property
    def duckdb(self) -> str:
        if self.name == "numeric":
            return f"DECIMAL({self.precision},{self.scale})"
        return _DUCKDB[self.name]

    @property
    def api_name(self) -> str:
        """`typeName` in ColumnMetadata."""
        return _API_NAMES[self.name]

    @property
    def api_precision(self) -> tuple[int, int]:
        """`precision` and `scale` in ColumnMetadata, as the Data API reports them."""
        if self.name == "numeric":
            return self.precision, self.scale
        if self.name in ("character varying", "character", "binary varying"):
            return self.length or VARCHAR_MAX, 0
        return _API_PRECISION.get(self.name, (0, 0))

    @property
    def scan_name(self) -> str:
        """How a Spectrum scan error writes the type of a column."""
        if self.name == "numeric":
            return f"DECIMAL({self.precision}, {self.scale})"
        short = _SCAN_NAMES[self.name]
        return f"{short}({self.length})" if self.length else short


_DUCKDB = {
    "smallint": "SMALLINT",
    "integer": "INTEGER",
    "bigint": "BIGINT",
    "real": "FLOAT",
    "double precision": "DOUBLE",
    "boolean": "BOOLEAN",
    "character varying": "VARCHAR",
    "character": "VARCHAR",
    "date": "DATE",
    "timestamp without time zone": "TIMESTAMP",
    "timestamp with time zone": "TIMESTAMPTZ",
    "time without time zone": "TIME",
    "time with time zone": "TIMETZ",
    "interval": "INTERVAL",
    "super": "JSON",
    "binary varying": "BLOB",
}
_API_NAMES = {
    "smallint": "int2",
    "integer": "int4",
    "bigint": "int8",
    "numeric": "numeric",
    "real": "float4",
    "double precision": "float8",
    "boolean": "bool",
    "character varying": "varchar",
    "character": "bpchar",
    "date": "date",
    "timestamp without time zone": "timestamp",
    "timestamp with time zone": "timestamptz",
    "time without time zone": "time",
    "time with time zone": "timetz",
    "interval": "intervald2s",
    "super": "super",
    "binary varying": "varbyte",
}
_API_PRECISION = {
    "smallint": (5, 0),
    "integer": (10, 0),
    "bigint": (19, 0),
    "real": (8, 8),
    "double precision": (17, 17),
    "boolean": (1, 0),
    "date": (13, 0),
    "timestamp without time zone": (29, 6),
    "timestamp with time zone": (35, 6),
    "time without time zone": (15, 6),
    "time with time zone": (21, 6),
}
_SCAN_NAMES = {
    "smallint": "SMALLINT",
    "integer": "INT",
    "bigint": "BIGINT",
    "real": "FLOAT",
    "double precision": "DOUBLE",
    "boolean": "BOOLEAN",
    "character varying": "VARCHAR",
    "character": "CHAR",
    "date": "DATE",
    "timestamp without time zone": "TIMESTAMP",
    "timestamp with time zone": "TIMESTAMPTZ",
    "time without time zone": "TIME",
    "time with time zone": "TIMETZ",
    "interval": "INTERVAL",
    "super": "SUPER",
    "binary varying": "VARBINARY",
}

#: Every spelling, with the long name it stands for.
SPELLINGS = {
    "smallint": "smallint",
    "int2": "smallint",
    "integer": "integer",
    "int": "integer",
    "int4": "integer",
    "bigint": "bigint",
    "int8": "bigint",
    "decimal": "numeric",
    "numeric": "numeric",
    "real": "real",
    "float4": "real",
    "double precision": "double precision",
    "float8": "double precision",
    "float": "double precision",
    "boolean": "boolean",
    "bool": "boolean",
    "char": "character",
    "character": "character",
    "nchar": "character",
    "bpchar": "character",
    "varchar": "character varying",
    "character varying": "character varying",
    "char varying": "character varying",
    "nvarchar": "character varying",
    "text": "character varying",
    "string": "character varying",
    "date": "date",
    "timestamp": "timestamp without time zone",
    "timestamp without time zone": "timestamp without time zone",
    "datetime": "timestamp without time zone",
    "timestamptz": "timestamp with time zone",
    "timestamp with time zone": "timestamp with time zone",
    "time": "time without time zone",
    "time without time zone": "time without time zone",
    "timetz": "time with time zone",
    "time with time zone": "time with time zone",
    "super": "super",
    "varbyte": "binary varying",
    "varbinary": "binary varying",
    "binary varying": "binary varying",
    "interval": "interval",
}

_WRITTEN = re.compile(r"\s*([a-z][a-z0-9 ]*?)\s*(?:\(\s*(\d+|max)\s*(?:,\s*(\d+)\s*)?\))?\s*$", re.IGNORECASE)


def parse_type(text: str) -> RedshiftType | None:
    """The type that `text` writes, e.g. `varchar(20)`; None when Redshift has no such type."""
    match = _WRITTEN.match(text)
    spelling = re.sub(r"\s+", " ", match[1].lower()) if match else ""
    name = SPELLINGS.get(spelling)
    if match is None or name is None:
        return None
    first, second = match[2], match[3]
    if name == "numeric":
        precision, scale = (int(first), int(second or 0)) if first else DECIMAL_DEFAULT
        return RedshiftType("numeric", precision=precision, scale=scale)
    if name not in _DEFAULT_LENGTHS:
        return RedshiftType(name)
    lengths = {None: _DEFAULT_LENGTHS[name], "max": VARCHAR_MAX}
    written = first.lower() if first else None
    return RedshiftType(name, length=lengths[written] if written in lengths else int(first))


_DEFAULT_LENGTHS = {"character": 1, "character varying": 256, "binary varying": 64000}


_FROM_DUCKDB = {
    "TINYINT": "smallint",
    "SMALLINT": "smallint",
    "UTINYINT": "smallint",
    "INTEGER": "integer",
    "USMALLINT": "integer",
    "BIGINT": "bigint",
    "UINTEGER": "bigint",
    "UBIGINT": "bigint",
    "HUGEINT": "bigint",
    "UHUGEINT": "bigint",
    "FLOAT": "real",
    "DOUBLE": "double precision",
    "BOOLEAN": "boolean",
    "DATE": "date",
    "TIMESTAMP": "timestamp without time zone",
    "TIMESTAMP_S": "timestamp without time zone",
    "TIMESTAMP_MS": "timestamp without time zone",
    "TIMESTAMP_NS": "timestamp without time zone",
    "TIMESTAMP WITH TIME ZONE": "timestamp with time zone",
    "TIME": "time without time zone",
    "TIME WITH TIME ZONE": "time with time zone",
    "INTERVAL": "interval",
    "JSON": "super",
    "BLOB": "binary varying",
}


def from_duckdb(type_name: str) -> RedshiftType:
    """The type under which Redshift would show a DuckDB result column. SUM of integers (HUGEINT) is a BIGINT."""
    if type_name.startswith("DECIMAL("):
        precision, _, scale = type_name[8:-1].partition(",")
        return RedshiftType("numeric", precision=int(precision), scale=int(scale))
    name = _FROM_DUCKDB.get(type_name)
    if name:
        return RedshiftType(name)
    if type_name.endswith("]") or type_name.startswith(("STRUCT", "MAP")):
        return RedshiftType("super")
    return RedshiftType("character varying", length=VARCHAR_MAX)
