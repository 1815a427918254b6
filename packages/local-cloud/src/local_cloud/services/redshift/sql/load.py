"""COPY and UNLOAD, read into plans.

https://docs.aws.amazon.com/redshift/latest/dg/r_COPY.html
https://docs.aws.amazon.com/redshift/latest/dg/r_UNLOAD.html
"""

from __future__ import annotations

from dataclasses import dataclass, field

from local_cloud.services.redshift.errors import SqlError
from local_cloud.services.redshift.sql.lexer import Kind
from local_cloud.services.redshift.sql.reader import Reader

Options = dict[str, str]

_STRING_OPTIONS = (
    "ACCEPTINVCHARS",
    "ACCESS_KEY_ID",
    "CREDENTIALS",
    "DATEFORMAT",
    "DELIMITER",
    "ENCODING",
    "EXTENSION",
    "FIXEDWIDTH",
    "KMS_KEY_ID",
    "MASTER_SYMMETRIC_KEY",
    "NULL",
    "QUOTE",
    "REGION",
    "SECRET_ACCESS_KEY",
    "SESSION_TOKEN",
    "TIMEFORMAT",
)
_OPTIONAL_VALUE = ("ACCEPTINVCHARS",)
_NUMBER_OPTIONS = ("COMPROWS", "IGNOREHEADER", "MAXERROR", "READRATIO")
_SWITCHES = ("COMPUPDATE", "PARALLEL", "STATUPDATE")
_COPY_FLAGS = (
    "ACCEPTANYDATE",
    "BLANKSASNULL",
    "BZIP2",
    "EMPTYASNULL",
    "ENCRYPTED",
    "ESCAPE",
    "EXPLICIT_IDS",
    "FILLRECORD",
    "GZIP",
    "IGNOREALLERRORS",
    "IGNOREBLANKLINES",
    "LZOP",
    "MANIFEST",
    "NOLOAD",
    "REMOVEQUOTES",
    "ROUNDEC",
    "SERIALIZETOJSON",
    "TRIMBLANKS",
    "TRUNCATECOLUMNS",
    "ZSTD",
)
_UNLOAD_FLAGS = ("ADDQUOTES", "ALLOWOVERWRITE", "BZIP2", "CLEANPATH", "ESCAPE", "GZIP", "HEADER", "ZSTD")
_FORMATS = ("AVRO", "CSV", "JSON", "ORC", "PARQUET", "SHAPEFILE")


@dataclass(frozen=True)
class Copy:
    """`format` is TEXT where none is named. `role` is `default` or an ARN; empty with keys or without any."""

    table: tuple[str, ...]
    columns: tuple[str, ...]
    source: str
    role: str
    format: str
    format_argument: str = ""
    options: Options = field(default_factory=dict)


@dataclass(frozen=True)
class Unload:
    """`size` is MAXFILESIZE in bytes, 0 where none is given."""

    query: str
    target: str
    role: str
    format: str
    options: Options = field(default_factory=dict)
    partition_by: tuple[str, ...] = ()
    include: bool = False
    size: int = 0


def copy(reader: Reader) -> Copy:
    """Read from after COPY."""
    table = reader.name()
    columns = reader.identifiers() if reader.at("(") else ()
    reader.expect("FROM")
    source = reader.string()
    role, form, argument = "", "TEXT", ""
    options: Options = {}
    while not reader.at_end:
        if reader.accept("IAM_ROLE"):
            role = _role(reader)
        elif reader.accept("FORMAT"):
            reader.accept("AS")
            form, argument = _format(reader)
        elif reader.at("FIXEDWIDTH"):
            reader.next()
            reader.accept("AS")
            form, argument = "FIXEDWIDTH", reader.string()
        elif any(reader.at(name) for name in _FORMATS):
            form, argument = _format(reader)
        else:
            _option(reader, options, _COPY_FLAGS)
    return Copy(table, columns, source, role, form, argument, options)


def _role(reader: Reader) -> str:
    reader.accept("AS")
    return "default" if reader.accept("DEFAULT") else reader.string()


def _format(reader: Reader) -> tuple[str, str]:
    name = reader.accept_any(*_FORMATS)
    if not name:
        raise reader.error()
    token = reader.peek()
    if name == "CSV" and reader.accept("QUOTE"):
        reader.accept("AS")
        return name, reader.raw_string()
    if name in ("JSON", "AVRO"):
        reader.accept("AS")
        token = reader.peek()
        if token is not None and token.kind is Kind.STRING:
            return name, reader.string()
        return name, "auto"
    return name, ""


def _option(reader: Reader, options: Options, flags: tuple[str, ...]) -> None:
    start = reader.index
    word = reader.next().upper
    if word in options:
        raise SqlError(f"conflicting or redundant options: {word.lower()}")
    if word in _STRING_OPTIONS:
        reader.accept("AS")
        token = reader.peek()
        if token is not None and token.kind is Kind.STRING:
            options[word] = reader.raw_string()
            return
        if word == "ENCODING" and token is not None:
            options[word] = reader.next().upper
            return
        if word in _OPTIONAL_VALUE:
            options[word] = "?"
            return
    elif word in _NUMBER_OPTIONS:
        reader.accept("AS")
        options[word] = str(reader.integer())
        return
    elif word in _SWITCHES:
        switch = reader.accept_any("ON", "TRUE", "OFF", "FALSE", "PRESET")
        options[word] = "off" if switch in ("OFF", "FALSE") else "on"
        return
    elif word in flags:
        options[word] = "on"
        return
    reader.index = start
    raise reader.error()


def unload(reader: Reader) -> Unload:
    """Read from after UNLOAD."""
    reader.expect("(")
    query = reader.string()
    reader.expect(")", "TO")
    target = reader.string()
    role, form, include, size = "", "TEXT", False, 0
    partition_by: tuple[str, ...] = ()
    options: Options = {}
    while not reader.at_end:
        if reader.accept("IAM_ROLE"):
            role = _role(reader)
        elif reader.accept("FORMAT"):
            reader.accept("AS")
            form = _unload_format(reader)
        elif any(reader.at(name) for name in _FORMATS):
            form = _unload_format(reader)
        elif reader.accept("PARTITION", "BY"):
            partition_by = reader.identifiers()
            include = reader.accept("INCLUDE")
        elif reader.accept("MANIFEST"):
            options["MANIFEST"] = "verbose" if reader.accept("VERBOSE") else "on"
        elif reader.accept("ENCRYPTED"):
            options["ENCRYPTED"] = "auto" if reader.accept("AUTO") else "on"
        elif reader.accept("MAXFILESIZE"):
            size = _file_size(reader)
        elif reader.accept("ROWGROUPSIZE"):
            _file_size(reader)
        else:
            _option(reader, options, _UNLOAD_FLAGS)
    return Unload(query, target, role, form, options, partition_by, include, size)


def _unload_format(reader: Reader) -> str:
    name = reader.accept_any("CSV", "PARQUET", "JSON")
    if not name:
        raise reader.error()
    return name


def _file_size(reader: Reader) -> int:
    reader.accept("AS")
    amount = float(reader.number())
    unit = reader.accept_any("MB", "GB") or "MB"
    return int(amount * (1 << (30 if unit == "GB" else 20)))
