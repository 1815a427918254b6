"""Results on disk: written page by page while a statement runs, read page by page afterwards.

A file is one line of JSON a page. A page holds the API's own text for its rows, so that reading one is copying it.
"""

from __future__ import annotations

import csv
import datetime
import io
import json
import math
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, BinaryIO

from local_cloud.services.redshift.engine.statement import ResultColumn
from local_cloud.services.redshift.errors import SqlError

#: Bytes of JSON after which a page ends, and rows at which it ends in any case.
PAGE_BYTES = 1 << 20
PAGE_ROWS = 5000
#: What a result may hold, in bytes. https://docs.aws.amazon.com/redshift/latest/mgmt/data-api.html
MAX_RESULT = 500 << 20


def metadata(column: ResultColumn) -> dict[str, Any]:
    """One entry of ColumnMetadata."""
    precision, scale = column.type.api_precision
    numeric = column.type.api_name in ("int2", "int4", "int8", "numeric", "float4", "float8")
    return {
        "isCaseSensitive": column.type.api_name in ("varchar", "bpchar", "varbyte", "super"),
        "isCurrency": False,
        "isSigned": numeric,
        "label": column.name,
        "length": 0,
        "name": column.name,
        "nullable": int(column.nullable),
        "precision": precision,
        "scale": scale,
        "schemaName": column.schema,
        "tableName": column.table,
        "typeName": column.type.api_name,
    }


class ResultWriter:
    """A sink for one statement. `columns` is None as long as the statement has shown no result."""

    def __init__(self, file: Path, *, as_csv: bool) -> None:
        self.file = file
        self.columns: list[dict[str, Any]] | None = None
        self.rows = 0
        self.size = 0
        self.pages: list[int] = []
        self._as_csv = as_csv
        self._out: BinaryIO | None = None
        self._offset = 0
        self._pending: list[str] = []
        self._pending_bytes = 0
        self._encoders: list[Callable[[Any], str]] = []

    def begin(self, columns: Sequence[ResultColumn]) -> None:
        self.discard()
        self.columns = [metadata(column) for column in columns]
        encoder = _csv_text if self._as_csv else _field
        self._encoders = [encoder(column) for column in columns]
        self.file.parent.mkdir(parents=True, exist_ok=True)
        self._out = self.file.open("wb")

    def add(self, rows: Sequence[tuple[Any, ...]]) -> None:
        for row in rows:
            values = [encode(value) for encode, value in zip(self._encoders, row, strict=True)]
            text = _csv_line(values) if self._as_csv else f"[{','.join(values)}]"
            self._pending.append(text)
            self._pending_bytes += len(text)
            self.rows += 1
            if self._pending_bytes >= PAGE_BYTES or len(self._pending) >= PAGE_ROWS:
                self._flush()

    def close(self) -> None:
        """Write what is left. The file is whole when this returns."""
        if self._out is not None:
            if self._pending or not self.pages:
                self._flush()
            self._out.close()
            self._out = None

    def discard(self) -> None:
        """Forget everything: the statement failed."""
        if self._out is not None:
            self._out.close()
            self._out = None
        self.file.unlink(missing_ok=True)
        self.columns, self.rows, self.size, self.pages, self._offset = None, 0, 0, [], 0
        self._pending, self._pending_bytes = [], 0

    def _flush(self) -> None:
        assert self._out is not None
        if self._as_csv:
            text = "".join(self._pending)
            line = json.dumps(text)
        else:
            line = "[" + ",".join(self._pending) + "]"
        data = line.encode() + b"\n"
        self.pages.append(self._offset)
        self._out.write(data)
        self._offset += len(data)
        self.size += self._pending_bytes
        self._pending, self._pending_bytes = [], 0
        if self.size > MAX_RESULT:
            raise SqlError("Database response exceeded size limit")


def read_page(file: Path, offset: int) -> str:
    """The JSON text of one page. FileNotFoundError when the results were deleted."""
    with file.open("rb") as stream:
        stream.seek(offset)
        return stream.readline().decode()


_NULL = '{"isNull":true}'


def _field(column: ResultColumn) -> Callable[[Any], str]:
    """Values of a column as the API's Field, in JSON."""
    name = column.type.api_name
    if name in ("int2", "int4", "int8"):
        return lambda value: _NULL if value is None else '{"longValue":%d}' % value
    if name == "bool":
        return lambda value: _NULL if value is None else '{"booleanValue":%s}' % ("true" if value else "false")
    if name in ("float4", "float8"):
        return lambda value: _NULL if value is None else '{"doubleValue":%s}' % json.dumps(value)
    text = text_of(column)
    return lambda value: _NULL if value is None else '{"stringValue":%s}' % json.dumps(text(value))


def text_of(column: ResultColumn) -> Callable[[Any], str]:
    """Values of a column as the driver's text: timestamps without trailing zeros, UTC offsets as +00."""
    return _TEXTS.get(column.type.api_name, str)


def _timestamp(value: Any) -> str:
    if not isinstance(value, datetime.datetime):  # infinity
        return str(value)
    return _fraction(f"{value.date().isoformat()} {value:%H:%M:%S}", value.microsecond)


def _with_zone(value: Any) -> str:
    if not isinstance(value, datetime.datetime):
        return str(value)
    return _timestamp(value.astimezone(datetime.timezone.utc).replace(tzinfo=None)) + "+00"


def _fraction(text: str, microseconds: int) -> str:
    return f"{text}.{microseconds:06d}".rstrip("0") if microseconds else text


_TEXTS: dict[str, Callable[[Any], str]] = {
    "numeric": lambda value: format(value, "f") if isinstance(value, Decimal) else str(value),
    "super": lambda value: value if isinstance(value, str) else json.dumps(value, default=str),
    "time": lambda value: _fraction(value.strftime("%H:%M:%S"), value.microsecond),
    "timestamp": _timestamp,
    "timestamptz": _with_zone,
    "varbyte": lambda value: value.hex(),  # https://docs.aws.amazon.com/redshift/latest/dg/r_VARBYTE_type.html
}


def _csv_text(column: ResultColumn) -> Callable[[Any], str]:
    if column.type.api_name == "bool":
        return lambda value: "" if value is None else ("t" if value else "f")
    if column.type.api_name in ("float4", "float8"):
        return lambda value: "" if value is None else _number(value)
    text = text_of(column)
    return lambda value: "" if value is None else text(value)


def _number(value: float) -> str:
    if math.isfinite(value) and value == int(value) and abs(value) < 1e15:
        return str(int(value))
    return repr(value)


def _csv_line(values: list[str]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="\r\n").writerow(values)
    return line.getvalue()
