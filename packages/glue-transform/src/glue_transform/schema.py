"""A raw file's columns as its Parquet footer has them, whatever an engine makes of their names.

An engine gives the footer's schema as `Element`s (SchemaElement of
https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift); what they mean is
https://github.com/apache/parquet-format/blob/master/LogicalTypes.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from glue_transform.errors import AmbiguousColumns, UncastableColumn
from glue_transform.source import SourceColumn, normal

#: The physical types of columns that nothing else is said about.
_PHYSICAL = {
    "BOOLEAN": "boolean",
    "INT32": "integer",
    "INT64": "long",
    "INT96": "timestamp",
    "FLOAT": "float",
    "DOUBLE": "double",
}

#: What a logical type, or the converted type of older writers, makes of it. Of unsigned numbers a long has 32 bits.
_ANNOTATED = {
    **dict.fromkeys(("String", "Enum", "Json", "UTF8", "ENUM", "JSON"), "text"),
    **dict.fromkeys(("Timestamp", "TIMESTAMP_MILLIS", "TIMESTAMP_MICROS"), "timestamp"),
    **dict.fromkeys(("Date", "DATE"), "date"),
    **dict.fromkeys(("Decimal", "DECIMAL"), "decimal"),
    **dict.fromkeys(("Time", "TIME_MILLIS", "TIME_MICROS"), "time"),
    **dict.fromkeys(("INT_8", "INT_16", "INT_32", "UINT_8", "UINT_16"), "integer"),
    **dict.fromkeys(("INT_64", "UINT_32", "UINT_64"), "long"),
    "INTERVAL": "interval",
    "UUID": "uuid",
    "Float16": "half",
    "Null": "null",
}

#: Digits of the largest decimal that both engines read.
_MOST_DIGITS = 38


@dataclass(frozen=True)
class Element:
    """One element of the schema, in Parquet's own words; `logical` is the logical type as Thrift prints it.

    Thrift's printers differ between languages only in `=` or `:`, and in `1` or `true`.
    """

    name: str
    children: int = 0
    physical: str | None = None
    converted: str | None = None
    logical: str | None = None
    repetition: str | None = None
    precision: int | None = None
    scale: int | None = None

    @property
    def kind(self) -> str:
        """What the column holds: one of `source.KINDS`."""
        if self.children or self.repetition == "REPEATED":
            return "nested"
        logical = re.search(r"(\w+)Type\(", self.logical or "")
        if self.logical and not logical:
            return "unknown"  # to the engine's Thrift definition
        for annotation in (logical and logical[1], self.converted):
            if annotation in _ANNOTATED:
                return _ANNOTATED[annotation]
        if re.search(r"isSigned[=:](0|false)", self.logical or ""):
            return "long"
        return _PHYSICAL.get(self.physical or "", "bytes")

    @property
    def has_nanoseconds(self) -> bool:
        return "NanoSeconds(" in (self.logical or "")

    @property
    def zone(self) -> str | None:
        """Of a time: `UTC` for an instant, `unknown` where the format cannot tell, None for a plain wall clock."""
        if self.physical == "INT96":
            return "unknown"
        return "UTC" if re.search(r"isAdjustedToUTC[=:](1|true)", self.logical or "") else None


def columns(url: str, elements: Iterable[Element]) -> list[SourceColumn]:
    """List the file's columns in order, from its schema's elements, depth first and without the root.

    Raises AmbiguousColumns where two have one name, and UncastableColumn where no engine would read one exactly.
    """
    rest = iter(elements)
    found: list[SourceColumn] = []
    names: dict[str, str] = {}
    for element in rest:
        _check_name(url, element.name, names, key=normal(element.name))
        _check_nested(url, element, rest, path=element.name)
        if element.kind == "decimal" and (element.precision or 0) > _MOST_DIGITS:
            raise UncastableColumn(
                f"{url}: column {element.name!r} is a decimal of {element.precision} digits, and {_MOST_DIGITS} are "
                "read exactly; publish the month with fewer",
                file=url,
                column=element.name,
            )
        found.append(
            SourceColumn(
                element.name,
                element.kind,
                len(found),
                zone=element.zone,
                nanos=element.has_nanoseconds,
                precision=element.precision or 0,
                scale=element.scale or 0,
            )
        )
    return found


def _check_nested(url: str, parent: Element, rest: Iterator[Element], *, path: str) -> None:
    """Read the elements within `parent`: engines tell the fields of a struct apart by name without case."""
    names: dict[str, str] = {}
    for element in islice(rest, parent.children):
        inner = f"{path}.{element.name}"
        if not element.name:
            raise UncastableColumn(
                f"{url}: column {path!r} has a field without a name, which cannot be written; publish it with one",
                file=url,
                column=path,
            )
        _check_name(url, inner, names, key=element.name.lower())
        _check_nested(url, element, rest, path=inner)


def _check_name(url: str, name: str, names: dict[str, str], *, key: str) -> None:
    if key not in names:
        names[key] = name
        return
    what = f"columns {names[key]!r} and {name!r} differ only in case or spaces"
    if names[key] == name:
        what = f"two columns are named {name!r}"
    raise AmbiguousColumns(f"{url}: {what}; publish the file with one of them", file=url, column=name)
