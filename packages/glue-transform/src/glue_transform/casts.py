"""SQL that turns a column of a raw file into one of the table's, the same text for DuckDB and for Spark.

The two engines cast alike only within limits, and this module stays inside them: DuckDB rounds a double that
becomes an integer where Spark cuts it off, each reads spellings of numbers and times as text that the other does
not. So a whole number comes only of a whole number, a decimal only of a number with no more decimals, a number, a date
or a time only of text in one plain spelling, a text only if it fits; all else is NULL, and `lost` says so. NaN and the
infinities are missing values, because one of them spoils every sum, and no rule would stop NaN or Infinity; NaN is what
data frames write for a missing number, so it alone is not counted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from glue_transform.datasets import Code, Column
from glue_transform.source import SourceColumn
from glue_transform.types import ColumnType

_WHOLE_TEXT = "^ *[-+]?[0-9]+ *$"
_NUMBER_TEXT = "^ *[-+]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][-+]?[0-9]+)? *$"
#: As many decimals as `_WIDE` has: what is longer would be rounded.
_DECIMAL_TEXT = "^ *[-+]?([0-9]+[.]?[0-9]{0,20}|[.][0-9]{1,20}) *$"
_TIME_TEXT = "^ *[12][0-9]{3}-[0-9]{2}-[0-9]{2}[ T]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]{1,6})? *$"
_DATE_TEXT = "^ *[12][0-9]{3}-[0-9]{2}-[0-9]{2}([ T]00:00:00([.]0{1,6})?)? *$"

#: Holds every number of a table's DECIMAL, and more decimals than any.
_WIDE = "DECIMAL(38,20)"

#: Neither NaN, which both engines rank above every number, nor an infinity.
_FINITE = "BETWEEN -1.7976931348623157e308 AND 1.7976931348623157e308"

#: The largest power of ten below which a double tells all whole numbers, and so all numbers of 15 digits, apart.
_DOUBLE_DIGITS = 15

#: What Redshift reads as a boolean (https://docs.aws.amazon.com/redshift/latest/dg/r_Boolean_type.html).
#: The usual ones first: they are compared in this order.
_BOOLEANS = {
    **{"N": False, "Y": True, "0": False, "1": True},
    **dict.fromkeys(("FALSE", "F", "NO"), False),
    **dict.fromkeys(("TRUE", "T", "YES"), True),
}

_NUMBERS = {"integer", "long", "float", "double", "decimal", "text", "null"}
_CASTABLE = {
    "SMALLINT": _NUMBERS,
    "INTEGER": _NUMBERS,
    "BIGINT": _NUMBERS,
    # Not a float: 0.1 of 32 bits is 0.10000000149 in every wider type.
    "DECIMAL": _NUMBERS - {"float"},
    "DOUBLE PRECISION": _NUMBERS,
    "BOOLEAN": _NUMBERS | {"boolean"},
    "VARCHAR": {"integer", "long", "text", "null"},
    "DATE": {"timestamp", "date", "text", "null"},
    "TIMESTAMP": {"timestamp", "date", "text", "null"},
}
_EXACT = {
    "INTEGER": {"integer"},
    "BIGINT": {"integer"},
    "DOUBLE PRECISION": {"integer", "long", "decimal"},
    "BOOLEAN": {"boolean"},
    "DATE": {"date"},
    "TIMESTAMP": {"timestamp", "date"},
}


def castable(kind: str, target: ColumnType) -> bool:
    """Can a column of this kind become one of this type?"""
    return kind in _CASTABLE[target.name]


def cast(source: SourceColumn | None, target: Column, *, fits: bool = False) -> str:
    """Return the expression for a target column: of its source column, or NULL where the era has none.

    `fits` says that no value of the column is lost, so that text need not be measured again.
    """
    if source is None or source.kind == "null":
        return f"CAST(NULL AS {target.type.sql})"
    if fits and source.kind == "text" and target.type.name == "VARCHAR" and not target.values:
        return source.reference
    if source.kind != "text":
        return _FROM_OTHERS[target.type.name](source, target.type)
    return (
        _decode(source.reference, target)
        if target.values
        else _FROM_TEXT[target.type.name](source.reference, target.type)
    )


def loss_condition(source: SourceColumn, target: Column) -> str | None:
    """Return the condition under which the cast loses a value that is there, or None where it cannot."""
    type_, kind, name = target.type, source.kind, source.reference
    if kind == "null" or kind in _EXACT.get(type_.name, ()):
        return None
    # The file's statistics answer NOT BETWEEN without its rows: 3 ms where trying the cast took 13.
    if kind in {"integer", "long"} and type_.name in {"SMALLINT", "INTEGER", "BIGINT", "DECIMAL"}:
        least, most = type_.whole_range
        holds_all = kind == "integer" and most >= 2**31 - 1
        return None if holds_all else f"{name} NOT BETWEEN {least} AND {most}"
    if type_.name == "VARCHAR" and not target.values:
        return f"OCTET_LENGTH({name if kind == 'text' else f'CAST({name} AS STRING)'}) > {type_.size}"
    if kind in {"float", "double"}:
        no_nan = f"NOT ISNAN({name})"  # which is NULL for NULL in DuckDB, and FALSE in Spark
        if type_.name == "DOUBLE PRECISION":
            return f"{name} NOT {_FINITE} AND {no_nan}"
        return f"{name} IS NOT NULL AND {no_nan} AND {cast(source, target)} IS NULL"
    blank_is_missing = kind == "text" and type_.name != "VARCHAR"
    there = f"TRIM({name}) <> ''" if blank_is_missing else f"{name} IS NOT NULL"
    return f"{there} AND {cast(source, target)} IS NULL"


def _decode(name: str, target: Column) -> str:
    """Text by the column's codes. What is no code of a number or text is read as it stands."""
    rest = "" if target.type.name == "BOOLEAN" else f" ELSE {_FROM_TEXT[target.type.name](name, target.type)}"
    return f"CASE UPPER(TRIM({name})) {_codes(target.values)}{rest} END"


def _codes(values: Mapping[str, Code]) -> str:
    """Return each code and its value in SQL.

    Definitions have no quote and no backslash, which engines read differently.
    """
    literals = {code: f"'{value}'" if isinstance(value, str) else str(value).upper() for code, value in values.items()}
    return " ".join(f"WHEN '{code}' THEN {literal}" for code, literal in literals.items())


def _varchar_of_text(name: str, target: ColumnType) -> str:
    return f"CASE WHEN OCTET_LENGTH({name}) <= {target.size} THEN {name} END"


def _boolean_of_text(name: str, _target: ColumnType) -> str:
    return f"CASE UPPER(TRIM({name})) {_codes(_BOOLEANS)} END"


def _timestamp_of_text(name: str, _target: ColumnType) -> str:
    return f"CASE WHEN {_spelt(name, _TIME_TEXT)} THEN TRY_CAST(TRIM({name}) AS TIMESTAMP) END"


def _date_of_text(name: str, _target: ColumnType) -> str:
    return f"CASE WHEN {_spelt(name, _DATE_TEXT)} THEN TRY_CAST(SUBSTRING(TRIM({name}), 1, 10) AS DATE) END"


def _decimal_of_text(name: str, target: ColumnType) -> str:
    wide = f"CASE WHEN {_spelt(name, _DECIMAL_TEXT)} THEN TRY_CAST(TRIM({name}) AS {_WIDE}) END"
    narrow = _reduce_scale(wide, target)
    return f"CASE WHEN CAST({narrow} AS {_WIDE}) = {wide} THEN {narrow} END"


def _reduce_scale(number: str, target: ColumnType) -> str:
    """Return a decimal with fewer decimals. In two steps: in one, DuckDB 1.4 refuses 999.90 as DECIMAL(4,1)."""
    return f"TRY_CAST(TRY_CAST({number} AS DECIMAL(38,{target.scale})) AS {target.sql})"


def _double_of_text(name: str, _target: ColumnType) -> str:
    number = f"TRY_CAST(TRIM({name}) AS DOUBLE)"
    return f"CASE WHEN {_spelt(name, _NUMBER_TEXT)} AND {number} {_FINITE} THEN {number} END"


def _whole_of_text(name: str, target: ColumnType) -> str:
    by_double = _whole_of_double(_double_of_text(name, target), target)
    if target.name != "BIGINT":
        return by_double
    exact = f"TRY_CAST(TRIM({name}) AS BIGINT)"  # of which a double holds fewer digits
    return f"CASE WHEN {_spelt(name, _WHOLE_TEXT)} THEN {exact} ELSE {by_double} END"


def _varchar(source: SourceColumn, target: ColumnType) -> str:
    return _varchar_of_text(f"CAST({source.reference} AS STRING)", target)


def _boolean(source: SourceColumn, _target: ColumnType) -> str:
    name = source.reference
    return name if source.kind == "boolean" else f"CASE WHEN {name} = 1 THEN TRUE WHEN {name} = 0 THEN FALSE END"


def _timestamp(source: SourceColumn, _target: ColumnType) -> str:
    return f"CAST({source.reference} AS TIMESTAMP)"


def _date(source: SourceColumn, _target: ColumnType) -> str:
    name, day = source.reference, f"CAST({source.reference} AS DATE)"
    return day if source.kind == "date" else f"CASE WHEN CAST({day} AS TIMESTAMP) = {name} THEN {day} END"


def _decimal(source: SourceColumn, target: ColumnType) -> str:
    name, narrow = source.reference, f"TRY_CAST({source.reference} AS {target.sql})"
    if source.kind == "decimal" and source.scale > target.scale:
        narrow = _reduce_scale(name, target)
        again = f"TRY_CAST({narrow} AS DECIMAL({source.precision},{source.scale}))"
        return f"CASE WHEN {again} = {name} THEN {narrow} END"
    if source.kind == "double":
        within = f"ABS({name}) < 1e{_DOUBLE_DIGITS - target.scale}"
        return f"CASE WHEN {within} THEN CASE WHEN CAST({narrow} AS DOUBLE) = {name} THEN {narrow} END END"
    return narrow


def _double(source: SourceColumn, _target: ColumnType) -> str:
    name = source.reference
    number = name if source.kind == "double" else f"CAST({name} AS DOUBLE)"
    return f"CASE WHEN {number} {_FINITE} THEN {number} END" if source.kind in {"float", "double"} else number


def _whole(source: SourceColumn, target: ColumnType) -> str:
    name, kind = source.reference, source.kind
    if kind in {"integer", "long"}:
        exact = kind == "integer" and target.name != "SMALLINT"
        return f"{'CAST' if exact else 'TRY_CAST'}({name} AS {target.sql})"
    if kind == "decimal":
        return f"CASE WHEN {name} = FLOOR({name}) THEN TRY_CAST({name} AS {target.sql}) END"
    return _whole_of_double(_double(source, target), target)


def _whole_of_double(number: str, target: ColumnType) -> str:
    whole = f"{number} = FLOOR({number})"
    if target.name == "BIGINT":
        whole += f" AND ABS({number}) < 1e{_DOUBLE_DIGITS}"  # engines differ at the largest number
    return f"CASE WHEN {whole} THEN TRY_CAST({number} AS {target.sql}) END"


def _spelt(name: str, pattern: str) -> str:
    # regexp_extract is the one regular expression function that both engines have under one name.
    return f"REGEXP_EXTRACT({name}, '{pattern}', 0) = {name}"


#: The casts of a text, and of every other kind of column, by the table's type.
_FROM_TEXT: Mapping[str, Callable[[str, ColumnType], str]] = {
    **dict.fromkeys(("SMALLINT", "INTEGER", "BIGINT"), _whole_of_text),
    "DECIMAL": _decimal_of_text,
    "DOUBLE PRECISION": _double_of_text,
    "BOOLEAN": _boolean_of_text,
    "VARCHAR": _varchar_of_text,
    "DATE": _date_of_text,
    "TIMESTAMP": _timestamp_of_text,
}
_FROM_OTHERS: Mapping[str, Callable[[SourceColumn, ColumnType], str]] = {
    **dict.fromkeys(("SMALLINT", "INTEGER", "BIGINT"), _whole),
    "DECIMAL": _decimal,
    "DOUBLE PRECISION": _double,
    "BOOLEAN": _boolean,
    "VARCHAR": _varchar,
    "DATE": _date,
    "TIMESTAMP": _timestamp,
}
