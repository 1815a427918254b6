"""What steers how a table is stored: its distribution style and key, its sort key, its columns' encodings.

The rules are AWS's. It publishes no wording for most of these errors; they are worded as PostgreSQL words their like.
https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_TABLE_NEW.html
https://docs.aws.amazon.com/redshift/latest/dg/r_ALTER_TABLE.html
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from local_cloud.services.redshift.errors import SqlError
from local_cloud.services.redshift.sql.columns import Column
from local_cloud.services.redshift.sql.reader import Reader

#: https://docs.aws.amazon.com/redshift/latest/dg/c_Compression_encodings.html
_ENCODINGS = (
    *("az64", "bytedict", "delta", "delta32k", "lzo", "mostly8", "mostly16", "mostly32"),
    *("raw", "runlength", "text255", "text32k", "zstd"),
)
#: Types of which no column can be a key.
_NO_KEYS = ("super", "binary varying", "interval")


@dataclass(frozen=True)
class Keys:
    """What a statement says of a table's storage. A `sortkey` of None says nothing; () takes the key away."""

    diststyle: str = ""
    distkey: str = ""
    sortkey: tuple[str, ...] | None = None
    encode: tuple[tuple[str, str], ...] = ()


UNSAID = Keys()


def encoding(reader: Reader) -> str:
    """The name of a column's encoding."""
    name = reader.identifier()
    if name not in _ENCODINGS:
        raise SqlError(f'invalid encoding type "{name}"')
    return name


def attribute(reader: Reader) -> dict[str, Any]:
    """DISTSTYLE, DISTKEY, SORTKEY or ENCODE AUTO after CREATE TABLE, as fields of Keys."""
    if reader.accept("DISTKEY"):
        reader.expect("(")
        name = reader.identifier()
        reader.expect(")")
        return {"distkey": name}
    if reader.accept("INTERLEAVED", "SORTKEY"):
        return {"sortkey": reader.identifiers()}
    return _common(reader)


def changes(reader: Reader) -> Keys:
    """ALTER TABLE's `ALTER … [, ALTER …]`, from after the first ALTER."""
    found: dict[str, Any] = {}
    encode: list[tuple[str, str]] = []
    while True:
        if reader.accept("COLUMN"):
            name = reader.identifier()
            reader.expect("ENCODE")
            encode.append((name, encoding(reader)))
        elif reader.accept("DISTKEY") or reader.accept("DISTSTYLE", "KEY", "DISTKEY"):
            found |= {"diststyle": "KEY", "distkey": reader.identifier()}
        elif reader.accept("SORTKEY", "NONE"):
            found["sortkey"] = ()
        else:
            found |= _common(reader)
        if not reader.accept(","):
            reader.end()
            return Keys(**found, encode=tuple(encode))
        reader.expect("ALTER")


def _common(reader: Reader) -> dict[str, Any]:
    if reader.accept("DISTSTYLE"):
        style = reader.accept_any("AUTO", "EVEN", "KEY", "ALL")
        if not style:
            raise reader.error()
        return {"diststyle": style}
    if reader.accept_any("COMPOUND SORTKEY", "SORTKEY"):
        return {} if reader.accept("AUTO") else {"sortkey": reader.identifiers()}
    reader.expect("ENCODE", "AUTO")
    return {}


def apply(columns: Sequence[Column], keys: Keys) -> list[Column]:
    """The columns with what is said of their table. SqlError where Redshift does not take it."""
    sortkey = keys.sortkey or ()
    distkeys = {column.name for column in columns if column.distkey} | ({keys.distkey} - {""})
    by_name = {column.name: column for column in columns}
    for name in (*distkeys, *sortkey, *(column.name for column in columns if column.sortkey)):
        if name not in by_name:
            raise SqlError(f'column "{name}" named in key does not exist')
        if by_name[name].type.name in _NO_KEYS:
            raise SqlError(f'column "{name}" of type {by_name[name].type} cannot be a key')
    if len(set(sortkey)) < len(sortkey):
        raise SqlError("a column appears twice in SORTKEY")
    if len(distkeys) > 1:
        raise SqlError("only one column of a table can be its DISTKEY")
    if distkeys and keys.diststyle in ("EVEN", "ALL"):
        raise SqlError(f"DISTKEY cannot be used with DISTSTYLE {keys.diststyle}")
    if keys.diststyle == "KEY" and not distkeys:
        raise SqlError("DISTSTYLE KEY must name a DISTKEY column")
    encode, places = dict(keys.encode), {name: place for place, name in enumerate(sortkey, start=1)}
    return [
        replace(
            column,
            distkey=column.name in distkeys,
            diststyle=keys.diststyle or column.diststyle,
            sortkey=column.sortkey if keys.sortkey is None else places.get(column.name, 0),
            encode=encode.get(column.name, column.encode),
        )
        for column in columns
    ]
