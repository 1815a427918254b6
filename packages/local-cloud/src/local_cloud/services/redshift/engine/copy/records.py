"""What DuckDB's CSV reader cannot take apart as COPY does: read here, record by record, and handed on as plain CSV.

A record's fields are texts, or None for NULL. https://docs.aws.amazon.com/redshift/latest/dg/copy-parameters-data-conversion.html
"""

from __future__ import annotations

import bz2
import codecs
import csv
import gzip
import io
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

from local_cloud.services.redshift.engine.copy.options import character, compression, null_string, widths
from local_cloud.services.redshift.errors import NotSupported, SqlError
from local_cloud.services.redshift.sql.load import Copy

#: Options that need this reader.
OPTIONS = {"ACCEPTINVCHARS", "BZIP2", "ENCODING", "ESCAPE", "IGNOREBLANKLINES"}
_ENCODINGS = {
    "UTF8": "utf-8-sig",
    "UTF16": "utf-16",
    "UTF16LE": "utf-16-le",
    "UTF16BE": "utf-16-be",
    "ISO88591": "iso-8859-1",
}
_LONGEST = 4 << 20

csv.field_size_limit(_LONGEST)


@dataclass(frozen=True)
class Fault:
    """Why a record cannot be read."""

    code: int
    reason: str


#: The line that a record begins on, and its fields or what is wrong with it.
Record = tuple[int, "list[str | None] | Fault"]
INVALID_TEXT = Fault(1220, "String contains invalid or unsupported UTF8 codepoints")


def opened(path: Path, statement: Copy) -> IO[str]:
    """The text of a file. What is no text stays as lone surrogates, or as the character of ACCEPTINVCHARS."""
    if "ZSTD" in statement.options:
        raise NotSupported(
            "COPY of ZSTD files with this format or these options is not supported by the local warehouse"
        )
    written = statement.options.get("ENCODING", "UTF8").upper()
    if written not in _ENCODINGS:
        raise SqlError(f"Invalid ENCODING '{written}'; UTF8, UTF16, UTF16LE, UTF16BE and ISO88591 are valid")
    openers: dict[str, Callable[[Path], Any]] = {"gzip": gzip.open, "bzip2": bz2.open, "none": lambda p: p.open("rb")}
    raw = openers[compression(statement)](path)
    return io.TextIOWrapper(raw, encoding=_ENCODINGS[written], errors=_on_invalid(statement), newline="")


def _on_invalid(statement: Copy) -> str:
    """The name of the codec's error handler: as many characters as there are invalid bytes."""
    mark = statement.options.get("ACCEPTINVCHARS")
    if mark is None:
        return "surrogateescape" if statement.options.get("ENCODING", "UTF8").upper() == "UTF8" else "strict"
    if len(mark) != 1 or not mark.isascii() or mark == "\0":
        raise SqlError("ACCEPTINVCHARS needs a single ASCII character other than NULL")
    name = f"redshift-{ord(mark)}"

    def replaced(error: UnicodeError) -> tuple[str, int]:
        found = cast(UnicodeDecodeError, error)
        return mark * (found.end - found.start), found.end

    codecs.register_error(name, replaced)
    return name


_SURROGATE = re.compile("[\ud800-\udfff]")


def is_text(value: str) -> bool:
    """It has no bytes that were no UTF-8, and no half of a character."""
    return value.isascii() or _SURROGATE.search(value) is None


def records(path: Path, statement: Copy, *, columns: int) -> Iterator[Record]:
    """The records of a file of delimited text, CSV or fixed width."""
    skip = int(statement.options.get("IGNOREHEADER", "0"))
    with opened(path, statement) as stream:
        for line, fields in _split(stream, statement):
            if line <= skip:
                continue
            if isinstance(fields, Fault):
                yield line, fields
            elif not fields:
                if "IGNOREBLANKLINES" not in statement.options:
                    yield line, _fitted([""], statement, columns=columns)
            elif not all(map(is_text, (field for field in fields if field))):
                yield line, INVALID_TEXT
            else:
                yield line, _fitted(fields, statement, columns=columns)


def _fitted(fields: list[str | None], statement: Copy, *, columns: int) -> list[str | None] | Fault:
    if len(fields) == columns + 1 and not fields[-1]:
        fields = fields[:-1]  # A delimiter behind the last field.
    if len(fields) > columns:
        return Fault(1202, "Extra column(s) found")
    if len(fields) < columns:
        if "FILLRECORD" not in statement.options:
            return Fault(1214, "Delimiter not found")
        fields = [*fields, *[""] * (columns - len(fields))]
    return fields


def _split(stream: IO[str], statement: Copy) -> Iterator[Record]:
    """Every line that is a record; one without content has no fields."""
    if statement.format == "CSV":
        return _split_csv(stream, statement)
    if statement.format == "FIXEDWIDTH":
        return _split_widths(stream, statement)
    return _split_text(stream, statement)


def _split_csv(stream: IO[str], statement: Copy) -> Iterator[Record]:
    null = null_string(statement)
    reader = csv.reader(
        stream,
        delimiter=character(statement.options.get("DELIMITER", ",")),
        quotechar=character(statement.format_argument or statement.options.get("QUOTE", '"')),
        strict=True,
    )
    line = 1
    try:
        for row in reader:
            yield line, [None if field == null else field for field in row]
            line = reader.line_num + 1
    except csv.Error:
        # Where the next record begins cannot be known.
        yield line, Fault(1216, "Invalid quote formatting for CSV")


def _split_widths(stream: IO[str], statement: Copy) -> Iterator[Record]:
    fixed, null = widths(statement.format_argument), null_string(statement)
    for line, written in enumerate(stream, start=1):
        rest, fields = written.rstrip("\r\n"), []
        for width in fixed:
            field = rest[:width].rstrip(" ")
            fields.append(None if field == null else field)
            rest = rest[width:]
        blank = not written.rstrip("\r\n")
        yield line, [] if blank else [*fields, rest] if rest else fields


def _split_text(stream: IO[str], statement: Copy) -> Iterator[Record]:
    delimiter, null = character(statement.options.get("DELIMITER", "|")), null_string(statement)
    escape, quotes = "ESCAPE" in statement.options, "REMOVEQUOTES" in statement.options
    plain = rf"(?:\\.|(?!{re.escape(delimiter)})[^\\])*" if escape else rf"(?:(?!{re.escape(delimiter)}).)*"
    field = re.compile(rf"({plain})({re.escape(delimiter)}|$)", re.DOTALL)
    if quotes:
        field = re.compile(rf'("[^"]*"|{plain})({re.escape(delimiter)}|$)', re.DOTALL)

    def value(written: str) -> str | None:
        if written == null:
            return None
        if quotes and len(written) > 1 and written[0] == written[-1] == '"':
            written = written[1:-1]
        return re.sub(r"\\(.)", r"\1", written, flags=re.DOTALL) if escape else written

    for line, written in _lines(stream, escape=escape):
        fields: list[str | None] = []
        at, more = 0, bool(written)
        while more:
            found = field.match(written, at)
            if found is None:
                break
            fields.append(value(found[1]))
            at, more = found.end(), bool(found[2])
        yield line, Fault(1215, "Escape character at the end of the line") if more else fields


def _lines(stream: IO[str], *, escape: bool) -> Iterator[tuple[int, str]]:
    """Lines with their numbers; an escaped newline goes on with the next one."""
    start, held = 0, ""
    for number, line in enumerate(stream, start=1):
        start = start or number
        held += line
        bare = held.removesuffix("\n")
        ended = not escape or bare == held or (len(bare) - len(bare.rstrip("\\"))) % 2 == 0
        if ended:
            yield start, bare.removesuffix("\r")
            start, held = 0, ""
    if held:
        yield start, held.removesuffix("\n")
