"""Just enough Parquet to prove a file whole: the two magics and the footer, without a Parquet library.

The footer is a Thrift struct in the compact protocol, FileMetaData of
https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift; the protocol is
https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

MAGIC = b"PAR1"
#: Of a file whose footer is encrypted, at both its ends.
ENCRYPTED_MAGIC = b"PARE"
#: Footer length (4 bytes, little endian) and magic.
TRAILER_SIZE = 8
_MAX_DEPTH = 32


class Malformed(ValueError):
    """These bytes are no Parquet; the message completes "not a Parquet file: …"."""


class NeedsKey(ValueError):
    """This is Parquet, and some of it is encrypted, as says the message.

    https://github.com/apache/parquet-format/blob/master/Encryption.md
    """


@dataclass(frozen=True)
class Column:
    """One column chunk's bounds as the writer recorded them, raw; None where it did not."""

    name: str
    physical_type: int
    unit: str
    minimum: bytes | None
    maximum: bytes | None


@dataclass(frozen=True)
class Footer:
    """What a file says of itself."""

    rows: int
    created_by: str
    row_groups: tuple[tuple[Column, ...], ...]
    data_end: int
    """First byte after the last column chunk, from the start of the file."""


def footer_length(trailer: bytes) -> int:
    """Bytes of the footer before the 8-byte trailer. Raises NeedsKey, or Malformed where it does not end as Parquet."""
    if trailer[-4:] == ENCRYPTED_MAGIC:
        raise NeedsKey("its footer is encrypted")
    if len(trailer) < TRAILER_SIZE or trailer[-4:] != MAGIC:
        raise Malformed("it does not end as one, so it is cut short")
    return int(struct.unpack("<I", trailer[-8:-4])[0])


def parse_footer(data: bytes) -> Footer:
    """Read a footer (FileMetaData without the trailer). Raises NeedsKey, and Malformed for anything else."""
    try:
        meta = _Reader(data).struct(0)
        groups = meta[4]
        if 8 in meta:  # encryption_algorithm, of a footer that is itself in plain text
            raise NeedsKey("some of its columns are encrypted")
        types = _units(meta[2])
        footer = Footer(
            rows=meta[3],
            created_by=meta.get(6, b"").decode("utf-8", "replace"),
            row_groups=tuple(tuple(_column(c, types) for c in group[1]) for group in groups),
            data_end=max((_chunk_end(chunk) for group in groups for chunk in group[1]), default=len(MAGIC)),
        )
        rows_of_groups = sum(group[3] for group in groups)
    except NeedsKey:
        raise
    except (KeyError, IndexError, TypeError, AttributeError, ValueError, struct.error):
        raise Malformed("its footer cannot be read") from None
    if rows_of_groups != footer.rows:
        raise Malformed(f"its footer says {footer.rows} rows, its row groups {rows_of_groups}")
    return footer


def _units(schema: list[Mapping[int, Any]]) -> dict[str, str]:
    """Time unit ("ms", "us", "ns") of each leaf that is a timestamp, by name."""
    units = {}
    for element in schema:
        logical = element.get(10, {}).get(8)
        if logical:
            units[element[4].decode()] = {1: "ms", 2: "us", 3: "ns"}[next(iter(logical[2]))]
        elif element.get(6) in (9, 10):
            units[element[4].decode()] = {9: "ms", 10: "us"}[element[6]]
    return units


def _column(chunk: Mapping[int, Any], units: Mapping[str, str]) -> Column:
    meta = chunk[3]
    name = b".".join(meta[3]).decode()
    statistics = meta.get(12, {})
    signed = meta[1] in (1, 2)  # the old min and max fields are sound for INT32 and INT64 alone
    return Column(
        name=name,
        physical_type=meta[1],
        unit=units.get(name, ""),
        minimum=statistics.get(6, statistics.get(2) if signed else None),
        maximum=statistics.get(5, statistics.get(1) if signed else None),
    )


def _chunk_end(chunk: Mapping[int, Any]) -> int:
    meta = chunk[3]
    return int(min(meta[9], meta.get(11) or meta[9]) + meta[7])


class _Reader:
    """Thrift's compact protocol into plain values: structs as {field id: value}, strings as bytes."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def byte(self) -> int:
        self.at += 1
        return self.data[self.at - 1]

    def varint(self) -> int:
        value = shift = 0
        while True:
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7
            if shift > 63:
                raise ValueError

    def zigzag(self) -> int:
        value = self.varint()
        return (value >> 1) ^ -(value & 1)

    def binary(self) -> bytes:
        size = self.varint()
        if size > len(self.data) - self.at:
            raise ValueError
        self.at += size
        return self.data[self.at - size : self.at]

    def struct(self, depth: int) -> dict[int, Any]:
        if depth > _MAX_DEPTH:
            raise ValueError
        fields: dict[int, Any] = {}
        number = 0
        while True:
            head = self.byte()
            if head == 0:
                return fields
            number = number + (head >> 4) if head >> 4 else self.zigzag()
            kind = head & 0x0F
            fields[number] = kind == 1 if kind in (1, 2) else self.value(kind, depth)

    def items(self, depth: int) -> list[Any]:
        head = self.byte()
        size = head >> 4
        if size == 15:
            size = self.varint()
        if size > len(self.data) - self.at:
            raise ValueError
        return [self.value(head & 0x0F, depth) for _ in range(size)]

    def double(self) -> float:
        self.at += 8
        return float(struct.unpack("<d", self.data[self.at - 8 : self.at])[0])

    def value(self, kind: int, depth: int) -> Any:
        if kind in _NESTED:
            return _NESTED[kind](self, depth + 1)
        return _PLAIN[kind](self)


#: By the protocol's element types; a bool is a byte here, and part of the field's header in a struct.
_PLAIN: Mapping[int, Callable[[_Reader], Any]] = {
    1: lambda reader: reader.byte() == 1,
    2: lambda reader: reader.byte() == 1,
    3: _Reader.byte,
    4: _Reader.zigzag,
    5: _Reader.zigzag,
    6: _Reader.zigzag,
    7: _Reader.double,
    8: _Reader.binary,
}
_NESTED: Mapping[int, Callable[[_Reader, int], Any]] = {9: _Reader.items, 12: _Reader.struct}
