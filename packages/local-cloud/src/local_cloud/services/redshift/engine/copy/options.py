"""The options of COPY for text, as DuckDB's CSV reader and its expressions take them.

https://docs.aws.amazon.com/redshift/latest/dg/copy-parameters-data-conversion.html
"""

from __future__ import annotations

import re

from local_cloud.services.redshift.errors import NotSupported, SqlError
from local_cloud.services.redshift.sql.load import Copy
from local_cloud.services.redshift.sql.types import RedshiftType


def text(value: str) -> str:
    """A DuckDB string literal."""
    return "'" + value.replace("'", "''") + "'"


def character(written: str) -> str:
    """A delimiter or quote as COPY writes it: `\\t`, an octal like `\\174`, or the character itself."""
    named = {"\\t": "\t", "\\n": "\n", "\\r": "\r", "\\b": "\b", "\\f": "\f", "\\\\": "\\"}
    if written in named:
        return named[written]
    octal = re.fullmatch(r"\\([0-7]{1,3})", written)
    return chr(int(octal[1], 8)) if octal else written


def widths(written: str) -> list[int]:
    """The widths of a FIXEDWIDTH specification like `id:3,name:25`. SqlError when it is none."""
    parts = [part.rpartition(":")[2].strip() for part in written.split(",")]
    if not all(re.fullmatch("[1-9][0-9]*", part) for part in parts):
        raise SqlError(f"Invalid fixed-width specification '{written}'")
    return [int(part) for part in parts]


def null_string(statement: Copy) -> str:
    written = statement.options.get("NULL", "\\N")
    return "\0" if written in ("\\0", "\\000") else written


_FORMAT_WORDS = {
    "YYYY": "%Y",
    "YY": "%y",
    "MONTH": "%B",
    "MON": "%b",
    "MM": "%m",
    "DD": "%d",
    "HH24": "%H",
    "HH12": "%I",
    "HH": "%H",
    "MI": "%M",
    "SS": "%S",
    "AM": "%p",
    "PM": "%p",
    "OF": "%z",
}
_FORMAT = re.compile("|".join(_FORMAT_WORDS), re.IGNORECASE)


def strptime_format(written: str) -> str:
    """DuckDB's format for one of Redshift's; empty for `auto`, where ISO forms are read."""
    if written.lower() == "auto":
        return ""
    return _FORMAT.sub(lambda match: _FORMAT_WORDS[match[0].upper()], written.replace("%", "%%"))


def epoch(statement: Copy) -> int:
    """Microseconds in a unit of TIMEFORMAT 'epochsecs' and 'epochmillisecs'; 0 for written times."""
    return {"epochsecs": 1_000_000, "epochmillisecs": 1_000}.get(statement.options.get("TIMEFORMAT", "").lower(), 0)


def compression(statement: Copy) -> str:
    if "LZOP" in statement.options:
        raise NotSupported("COPY with LZOP is not supported by the local warehouse; BZIP2, GZIP and ZSTD are")
    return next((name.lower() for name in ("BZIP2", "GZIP", "ZSTD") if name in statement.options), "none")


def dialect(statement: Copy) -> dict[str, str]:
    """Delimiter, quote and escape of the CSV reader."""
    options = statement.options
    if statement.format == "CSV":
        quote = text(character(statement.format_argument or options.get("QUOTE", '"')))
        return {"delim": text(character(options.get("DELIMITER", ","))), "quote": quote, "escape": quote}
    return {
        "delim": text(character(options.get("DELIMITER", "|"))),
        "quote": "'\"'" if "REMOVEQUOTES" in options else "''",
        "escape": "''",
    }


def string_value(field: str, statement: Copy, *, length: int) -> str:
    """What the options make of a field for a string column. `field` is a DuckDB expression."""
    options = statement.options
    if "TRIMBLANKS" in options:
        field = f"rtrim({field}, ' ')"
    field = f"nullif({field}, {text(null_string(statement))})"
    if "EMPTYASNULL" in options:
        field = f"nullif({field}, '')"
    if "BLANKSASNULL" in options:
        field = f"CASE WHEN trim({field}) = '' THEN NULL ELSE {field} END"
    if "TRUNCATECOLUMNS" in options:
        field = f"redshift_truncate({field}, {length})"
    return field


def present(field: str, statement: Copy) -> str:
    """A field for a column of another type: NULL where it is empty or the NULL string."""
    return f"nullif(nullif({field}, {text(null_string(statement))}), '')"


def typed_value(field: str, statement: Copy, kind: RedshiftType) -> str:
    """The value of a field that is present; NULL where it is none of its type."""
    if kind.name in ("smallint", "integer", "bigint"):
        whole = r"'\s*[+-]?[0-9]+\s*'"
        return f"CASE WHEN regexp_full_match({field}, {whole}) THEN TRY_CAST({field} AS {kind.duckdb}) END"
    if kind.name == "numeric":
        if "ROUNDEC" not in statement.options:
            digits = rf"(\.\d{{{kind.scale}}})\d+$" if kind.scale else r"(\.)\d*$"
            field = f"regexp_replace({field}, '{digits}', '{chr(92)}1')"
        return f"TRY_CAST({field} AS {kind.duckdb})"
    if kind.name.startswith("timestamp"):
        return _timestamp(field, statement, kind)
    if kind.name == "date":
        return _date(field, statement)
    return f"TRY_CAST({field} AS {kind.duckdb})"


def _timestamp(field: str, statement: Copy, kind: RedshiftType) -> str:
    unit, form = epoch(statement), strptime_format(statement.options.get("TIMEFORMAT", "auto"))
    if unit:
        return f"make_timestamp(TRY_CAST({field} AS BIGINT) * {unit})"
    if form:
        # Fractions too: https://docs.aws.amazon.com/redshift/latest/dg/r_DATEFORMAT_and_TIMEFORMAT_strings.html
        forms = [form, form.replace("%S", "%S.%f")]
        return f"CAST(try_strptime({field}, [{', '.join(map(text, forms))}]) AS {kind.duckdb})"
    if "TIMEFORMAT" in statement.options:
        reader = "redshift_moment_utc" if kind.name == "timestamp with time zone" else "redshift_moment"
        return f"TRY({reader}({field}))"
    return f"TRY_CAST({field} AS {kind.duckdb})"


def _date(field: str, statement: Copy) -> str:
    form = strptime_format(statement.options.get("DATEFORMAT", "auto"))
    if form:
        return f"CAST(try_strptime({field}, {text(form)}) AS DATE)"
    if "DATEFORMAT" in statement.options:
        return f"CAST(TRY(redshift_moment({field})) AS DATE)"
    return f"TRY_CAST({field} AS DATE)"
