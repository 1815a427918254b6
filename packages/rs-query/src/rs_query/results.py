"""Result sets: typed, a page at a time."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from rs_query.deadline import Deadline
from rs_query.statements import Statement

Row = tuple[Any, ...]


@dataclass(frozen=True)
class Column:
    """Name and Redshift type (`int4`, `numeric`, `timestamp`, …) of a column; of a numeric its digits, if known."""

    name: str
    type: str
    precision: int | None = None
    scale: int | None = None


@dataclass(frozen=True)
class Page:
    """Some consecutive rows, and what their columns are."""

    columns: tuple[Column, ...]
    rows: Sequence[Row]


@dataclass(frozen=True)
class Result:
    """One statement that has run.

    `rows` is the number returned or affected, None where the server doesn't say; `statement_id` its name at
    the server. Iterating gives its result set row by row, holding one page; a statement without one gives
    no row.
    """

    statement: Statement
    statement_id: str
    seconds: float
    rows: int | None
    source: Callable[[], Iterator[Page]] | None = field(default=None, repr=False)

    @property
    def has_result_set(self) -> bool:
        """Whether it is a query, even one that found nothing."""
        return self.source is not None

    def pages(self) -> Iterator[Page]:
        """The result set page by page, at least one page if there is a result set."""
        return iter(()) if self.source is None else self.source()

    def until(self, deadline: Deadline) -> Result:
        """The same result, whose fetching ends with the deadline: DeadlineError."""

        def pages() -> Iterator[Page]:
            for page in self.pages():
                deadline.check()
                yield page

        return replace(self, source=pages if self.has_result_set else None)

    def __iter__(self) -> Iterator[Row]:
        for page in self.pages():
            yield from page.rows

    def fetch(self) -> list[Row]:
        """All rows."""
        return list(self)

    def beginning(self, count: int) -> tuple[tuple[Column, ...], list[Row]]:
        """The columns and the first `count` rows, or as many as there are; no page is fetched for more."""
        columns: tuple[Column, ...] = ()
        rows: list[Row] = []
        for page in self.pages():
            columns = columns or page.columns
            rows += page.rows[: count - len(rows)]
            if len(rows) == count:
                break
        return columns, rows

    def columns(self) -> tuple[Column, ...]:
        """The columns of the result set; none without one."""
        return next((page.columns for page in self.pages()), ())

    def arrow(self) -> Any:
        """The result set as a typed pyarrow.Table: see arrow.table. Raises UsageError without pyarrow, ResultError."""
        from rs_query.arrow import table

        return table(self)


_TIMESTAMP = re.compile(
    r"(?P<date>\d{4}-\d\d-\d\d)[ T](?P<time>\d\d:\d\d:\d\d)(?:\.(?P<fraction>\d{1,6}))?(?P<zone>[+-]\d\d(?::?\d\d)?|Z)?"
)
_TIME = re.compile(r"(?P<time>\d\d:\d\d:\d\d)(?:\.(?P<fraction>\d{1,6}))?(?P<zone>[+-]\d\d(?::?\d\d)?|Z)?")


def value(cell: Mapping[str, Any], kind: str) -> Any:
    """A field of the Data API (one of isNull, booleanValue, longValue, doubleValue, stringValue, blobValue).

    Decimals, dates, times and timestamps come as text: they become Python's own types. What these can't hold
    (a year beyond 9999 or before Christ) stays text, as does SUPER, which is JSON.
    """
    if cell.get("isNull"):
        return None
    raw = next(iter(cell.values()), None)
    return typed(raw, kind) if isinstance(raw, str) else raw


def typed(raw: str, kind: str) -> Any:
    """Text from the server as the Python value of its Redshift type."""
    convert = _CONVERT.get(kind.lower())
    if convert is None:
        return raw
    try:
        return convert(raw)
    except (ValueError, LookupError, ArithmeticError):
        return raw


def _moment(raw: str) -> dt.datetime:
    found = _TIMESTAMP.fullmatch(raw)
    if found is None:
        raise ValueError(raw)
    return dt.datetime.fromisoformat(f"{found['date']}T{found['time']}{_tail(found)}")


def _clock(raw: str) -> dt.time:
    found = _TIME.fullmatch(raw)
    if found is None:
        raise ValueError(raw)
    return dt.time.fromisoformat(f"{found['time']}{_tail(found)}")


def _tail(found: re.Match[str]) -> str:
    """Fraction and zone as Python 3.9 reads them: six digits, and hours with minutes."""
    zone = (found["zone"] or "").replace("Z", "+00:00").replace(":", "")
    fraction = f".{found['fraction']:0<6}" if found["fraction"] else ""
    return fraction + (f"{zone[:3]}:{zone[3:] or '00'}" if zone else "")


def _boolean(raw: str) -> bool:
    return {"t": True, "true": True, "f": False, "false": False}[raw.lower()]


_CONVERT: dict[str, Callable[[str], Any]] = {
    **dict.fromkeys(("numeric", "decimal"), Decimal),
    **dict.fromkeys(("int2", "int4", "int8", "smallint", "integer", "bigint", "oid"), int),
    **dict.fromkeys(("float4", "float8", "real", "double precision"), float),
    **dict.fromkeys(("bool", "boolean"), _boolean),
    "date": dt.date.fromisoformat,
    **dict.fromkeys(("timestamp", "timestamptz"), _moment),
    **dict.fromkeys(("timestamp without time zone", "timestamp with time zone"), _moment),
    **dict.fromkeys(("time", "timetz", "time without time zone", "time with time zone"), _clock),
}
