"""Result sets as typed Arrow tables: rs-query[arrow]."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from itertools import chain
from typing import Any

from rs_query.errors import ResultError, UsageError, one_line
from rs_query.pages import Column, Page
from rs_query.values import as_text

_MOST_DIGITS = 38  # of a numeric: https://docs.aws.amazon.com/redshift/latest/dg/r_Numeric_types201.html
#: Names of pyarrow's types by the server's; all others (varchar, super, timetz, intervals, geometry, …) are text.
_TYPES: dict[str, str] = {
    **dict.fromkeys(("int2", "smallint"), "int16"),
    **dict.fromkeys(("int4", "integer"), "int32"),
    **dict.fromkeys(("int8", "bigint", "oid"), "int64"),
    **dict.fromkeys(("float4", "real"), "float32"),
    **dict.fromkeys(("float8", "double precision"), "float64"),
    **dict.fromkeys(("bool", "boolean"), "bool_"),
    "date": "date32",
    **dict.fromkeys(("varbyte", "binary varying"), "binary"),
}
_TIMES = frozenset({"time", "time without time zone"})
_TIMESTAMPS = frozenset({"timestamp", "timestamp without time zone"})
_TIMESTAMPS_WITH_ZONE = frozenset({"timestamptz", "timestamp with time zone"})
_DECIMALS = frozenset({"numeric", "decimal"})


def table(pages: Iterator[Page], *, what: str) -> Any:
    """Return the result set of the statement `what` as a pyarrow.Table, a chunk a page; empty ones have their types,
    too.

    A numeric is a decimal128 of its own digits; where the server does not name them, of 38, as many of them behind the
    point as its values need. Raises UsageError without pyarrow, and ResultError for a value that its type
    can't hold (a date beyond the year 9999).
    """
    pyarrow = _pyarrow()
    first = next(pages)
    all_pages: Iterable[Page] = chain([first], pages)
    columns = first.columns
    if any(_digits_are_unknown(column) for column in columns):
        all_pages = list(all_pages)
        columns = tuple(_with_digits(column, number, all_pages) for number, column in enumerate(columns))
    fields = [(column.name, _type(pyarrow, column)) for column in columns]
    schema = pyarrow.schema(fields)
    batches = []
    for page in all_pages:
        cells = zip(*page.rows) if page.rows else ([] for _ in columns)
        arrays = [
            _array(pyarrow, values, kind, f"{what}: column {name}") for values, (name, kind) in zip(cells, fields)
        ]
        batches.append(pyarrow.RecordBatch.from_arrays(arrays, schema=schema))
    return pyarrow.Table.from_batches(batches, schema=schema)


def _pyarrow() -> Any:
    try:
        import pyarrow
    except ImportError:
        raise UsageError("an Arrow table needs pyarrow, which rs-query[arrow] brings: pip install pyarrow") from None
    return pyarrow


def _type(pyarrow: Any, column: Column) -> Any:
    kind = column.type.lower()
    if kind in _DECIMALS:
        return pyarrow.decimal128(column.precision, column.scale)
    if kind in _TIMESTAMPS:
        return pyarrow.timestamp("us")
    if kind in _TIMESTAMPS_WITH_ZONE:
        return pyarrow.timestamp("us", tz="UTC")
    return pyarrow.time64("us") if kind in _TIMES else getattr(pyarrow, _TYPES.get(kind, "string"))()


def _array(pyarrow: Any, values: Sequence[Any], kind: Any, what: str) -> Any:
    convert = _bytes if kind == pyarrow.binary() else as_text if kind == pyarrow.string() else _itself
    unfit = (pyarrow.ArrowException, ValueError, TypeError, OverflowError)

    def array(of: Sequence[Any]) -> Any:
        return pyarrow.array([None if value is None else convert(value) for value in of], type=kind)

    try:
        return array(values)
    except unfit as error:
        for value in values:
            try:
                array([value])
            except unfit:
                raise ResultError(f"{what}: {one_line(str(value), 60)!r} fits no {kind}") from None
        raise ResultError(f"{what}: {error}") from None


def _itself(value: Any) -> Any:
    return value


def _bytes(value: Any) -> bytes:
    """Redshift writes a VARBYTE in hexadecimal: https://docs.aws.amazon.com/redshift/latest/dg/r_VARBYTE_type.html"""
    return bytes.fromhex(value) if isinstance(value, str) else bytes(value)


def _digits_are_unknown(column: Column) -> bool:
    return column.type.lower() in _DECIMALS and column.precision is None


def _with_digits(column: Column, number: int, pages: Iterable[Page]) -> Column:
    if not _digits_are_unknown(column):
        return column
    values = (row[number] for page in pages for row in page.rows)
    scales = (-int(value.as_tuple().exponent) for value in values if isinstance(value, Decimal) and value.is_finite())
    return Column(column.name, column.type, _MOST_DIGITS, max(0, max(scales, default=0)))
