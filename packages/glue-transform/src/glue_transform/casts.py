"""SQL that turns a column of a raw file into one of the table's, the same text for DuckDB and for Spark.

The two engines cast alike only within limits, and this module stays inside them: DuckDB rounds a double that
becomes an integer where Spark cuts it off, each reads spellings of numbers and times as text that the other does
not. So an integer comes only of a whole number, a number or a time only of text in one plain spelling, and all
else is NULL and counted. NaN and the infinities are missing values, because one of them spoils every sum, and no rule
would stop NaN or Infinity; NaN is what data frames write for a missing number, so it alone is not counted.
"""

from __future__ import annotations

from collections.abc import Mapping

from glue_transform.datasets import Column
from glue_transform.source import SourceColumn

_NUMBER_TEXT = "^ *[-+]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][-+]?[0-9]+)? *$"
_TIME_TEXT = "^ *[12][0-9]{3}-[0-9]{2}-[0-9]{2}[ T]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]{1,6})? *$"

#: Neither NaN, which both engines rank above every number, nor an infinity.
_FINITE = "BETWEEN -1.7976931348623157e308 AND 1.7976931348623157e308"

_CASTABLE = {
    "INTEGER": {"integer", "long", "float", "double", "decimal", "text", "null"},
    "DOUBLE PRECISION": {"integer", "long", "float", "double", "decimal", "text", "null"},
    "TIMESTAMP": {"timestamp", "date", "text", "null"},
}


def castable(kind: str, target: str) -> bool:
    """Can a column of this kind become one of this Redshift type?"""
    return kind in _CASTABLE[target]


def cast(source: SourceColumn | None, target: Column) -> str:
    """The expression for a target column: of its source column, or NULL where the era has none."""
    if source is None or source.kind == "null":
        return f"CAST(NULL AS {_sql_type(target.type)})"
    name = source.reference
    if target.type == "INTEGER":
        return _integer(name, source.kind, target.values)
    if target.type == "DOUBLE PRECISION":
        return _double(name, source.kind)
    return _timestamp(name, source.kind)


def lost(source: SourceColumn, target: Column) -> str | None:
    """The condition under which the cast loses a value that is there, or None where it cannot."""
    exact = {
        "INTEGER": {"integer", "null"},
        "DOUBLE PRECISION": {"integer", "long", "decimal", "null"},
        "TIMESTAMP": {"timestamp", "date", "null"},
    }
    if source.kind in exact[target.type]:
        return None
    name = source.reference
    # The file's statistics answer NOT BETWEEN without its rows: 3 ms where trying the cast took 13.
    if source.kind == "long":
        return f"{name} NOT BETWEEN -2147483648 AND 2147483647"
    no_nan = f"NOT ISNAN({name})"  # which is NULL for NULL in DuckDB, and FALSE in Spark
    if source.kind in {"float", "double"}:
        if target.type == "DOUBLE PRECISION":
            return f"{name} NOT {_FINITE} AND {no_nan}"
        return f"{name} IS NOT NULL AND {no_nan} AND {cast(source, target)} IS NULL"
    there = f"TRIM({name}) <> ''" if source.kind == "text" else f"{name} IS NOT NULL"
    return f"{there} AND {cast(source, target)} IS NULL"


def _sql_type(redshift_type: str) -> str:
    return "DOUBLE" if redshift_type == "DOUBLE PRECISION" else redshift_type


def _integer(name: str, kind: str, values: Mapping[str, int]) -> str:
    if kind == "integer":
        return f"CAST({name} AS INTEGER)"
    if kind == "long":
        return f"TRY_CAST({name} AS INTEGER)"
    number = _double(name, kind)
    whole = f"CASE WHEN {number} = FLOOR({number}) THEN TRY_CAST({number} AS INTEGER) END"
    if kind != "text" or not values:
        return whole
    codes = " ".join(f"WHEN '{code}' THEN {value}" for code, value in values.items())
    return f"CASE UPPER(TRIM({name})) {codes} ELSE {whole} END"


def _double(name: str, kind: str) -> str:
    if kind == "text":
        number = f"TRY_CAST(TRIM({name}) AS DOUBLE)"
        return f"CASE WHEN {_spelt(name, _NUMBER_TEXT)} AND {number} {_FINITE} THEN {number} END"
    number = name if kind == "double" else f"CAST({name} AS DOUBLE)"
    return f"CASE WHEN {number} {_FINITE} THEN {number} END" if kind in {"float", "double"} else number


def _timestamp(name: str, kind: str) -> str:
    if kind == "text":
        return f"CASE WHEN {_spelt(name, _TIME_TEXT)} THEN TRY_CAST(TRIM({name}) AS TIMESTAMP) END"
    return f"CAST({name} AS TIMESTAMP)"


def _spelt(name: str, pattern: str) -> str:
    # regexp_extract is the one regular expression function that both engines have under one name.
    return f"REGEXP_EXTRACT({name}, '{pattern}', 0) = {name}"
