"""COPY of delimited text, CSV and JSON.

https://docs.aws.amazon.com/redshift/latest/dg/copy-parameters-data-format.html
https://docs.aws.amazon.com/redshift/latest/dg/r_Load_Error_Reference.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from local_cloud.services.redshift.engine import catalog
from local_cloud.services.redshift.engine.session import Session
from local_cloud.services.redshift.engine.storage import DataFile, Storage, paths
from local_cloud.services.redshift.errors import LoadError, LoadErrorDetail, NotSupported, SqlError
from local_cloud.services.redshift.sql.lexer import quoted
from local_cloud.services.redshift.sql.load import Copy

#: Rejected lines kept beyond the allowed ones: enough to name the first that is too many.
_KEPT_REJECTS = 100_001


def load(
    session: Session,
    storage: Storage,
    files: Sequence[DataFile],
    table: str,
    targets: Sequence[catalog.Column],
    plan: Copy,
) -> int:
    """Append the files to `table` (DuckDB SQL). The number of rows."""
    if "NOLOAD" in plan.options:
        raise NotSupported("COPY with NOLOAD is not supported by the local warehouse")
    if plan.format == "JSON":
        return _load_json(session, storage, files, table, targets, plan)
    return _load_delimited(session, files, table, targets, plan)


def _failed(plan: Copy, details: tuple[LoadErrorDetail, ...]) -> LoadError:
    table = plan.table[-1]
    return LoadError(
        f"Load into table '{table}' failed.  Check 'sys_load_error_detail' system table for details.", details=details
    )


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def character(written: str) -> str:
    """A delimiter or quote as COPY writes it: `\\t`, an octal like `\\174`, or the character itself."""
    named = {"\\t": "\t", "\\n": "\n", "\\r": "\r", "\\b": "\b", "\\f": "\f", "\\\\": "\\"}
    if written in named:
        return named[written]
    octal = re.fullmatch(r"\\([0-7]{1,3})", written)
    return chr(int(octal[1], 8)) if octal else written


def _null_string(plan: Copy) -> str:
    written = plan.options.get("NULL", "\\N")
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


_EPOCHS = {"epochsecs": 1_000_000, "epochmillisecs": 1_000}


def _load_delimited(
    session: Session, files: Sequence[DataFile], table: str, targets: Sequence[catalog.Column], plan: Copy
) -> int:
    options = plan.options
    allowed = int(options.get("MAXERROR", "0"))
    epoch = _EPOCHS.get(options.get("TIMEFORMAT", "").lower(), 0)
    columns = ", ".join(f"'c{i}': '{_read_type(target, epoch)}'" for i, target in enumerate(targets))
    strings = [f"'c{i}'" for i, target in enumerate(targets) if target.type.is_string]
    settings = {
        "columns": "{" + columns + "}",
        "auto_detect": "false",
        "header": "false",
        "skip": options.get("IGNOREHEADER", "0"),
        "nullstr": "[" + ", ".join(_text(null) for null in dict.fromkeys(["", _null_string(plan)])) + "]",
        "force_not_null": "[" + ", ".join(strings) + "]",
        "store_rejects": "true",
        "rejects_table": "'pg_load_rejects'",
        "rejects_scan": "'pg_load_scans'",
        "rejects_limit": str(_KEPT_REJECTS),
        "null_padding": str("FILLRECORD" in options).lower(),
        "max_line_size": "4194304",
        **_dialect(plan),
    }
    for option, key in (("DATEFORMAT", "dateformat"), ("TIMEFORMAT", "timestampformat")):
        written = strptime_format(options.get(option, "auto"))
        if written and not (option == "TIMEFORMAT" and epoch):
            settings[key] = _text(written)
    compression = next((value for name, value in _COMPRESSIONS.items() if name in options), "none")
    settings["compression"] = f"'{compression}'"
    source = f"read_csv({paths(files)}, " + ", ".join(f"{k} = {v}" for k, v in settings.items()) + ")"
    names = ", ".join(quoted(target.name) for target in targets)
    values = ", ".join(_value(i, target, plan, epoch) for i, target in enumerate(targets))
    try:
        session.query(f"CREATE TEMPORARY TABLE pg_load AS SELECT {values} FROM {source}")
    except Exception as error:
        session.check()
        raise _failed(plan, (LoadErrorDetail(files[0].url, 1200, _first_line(error)),)) from None
    rejected = [*_rejects(session, files, targets), *_too_long(session, targets, files)]
    if len(rejected) > allowed:
        raise _failed(plan, tuple(rejected[: allowed + 1]))
    keep = " AND ".join(
        f"(c{i} IS NULL OR strlen(c{i}) <= {t.type.length})" for i, t in enumerate(targets) if t.type.is_string
    )
    count = session.query(f"INSERT INTO {table} ({names}) FROM temp.main.pg_load WHERE {keep or 'true'}").fetchone()[0]
    for leftover in ("pg_load", "pg_load_rejects", "pg_load_scans"):
        session.query(f"DROP TABLE IF EXISTS temp.main.{leftover}")
    session.record_load_errors(rejected, plan.table)
    return int(count)


_COMPRESSIONS = {"GZIP": "gzip", "ZSTD": "zstd"}


def _dialect(plan: Copy) -> dict[str, str]:
    options = plan.options
    for name in ("BZIP2", "LZOP"):
        if name in options:
            raise NotSupported(f"COPY with {name} is not supported by the local warehouse; GZIP and ZSTD are")
    if plan.format == "CSV":
        quote = character(plan.format_argument or options.get("QUOTE", '"'))
        return {
            "delim": _text(character(options.get("DELIMITER", ","))),
            "quote": _text(quote),
            "escape": _text(quote),
        }
    escape = "ESCAPE" in options
    return {
        "delim": _text(character(options.get("DELIMITER", "|"))),
        "quote": "'\"'" if "REMOVEQUOTES" in options else "''",
        "escape": "'\\'" if escape else "''",
        "strict_mode": str(not escape).lower(),
    }


def _read_type(target: catalog.Column, epoch: int) -> str:
    if epoch and target.type.name.startswith("timestamp"):
        return "BIGINT"
    if target.type.name == "super":
        return "VARCHAR"
    return target.type.duckdb


def _value(index: int, target: catalog.Column, plan: Copy, epoch: int) -> str:
    """What the options make of one field."""
    name, options = f"c{index}", plan.options
    if epoch and target.type.name.startswith("timestamp"):
        return f"make_timestamp({name} * {epoch}) AS {name}"
    if target.type.name == "super":
        return f"CAST({name} AS JSON) AS {name}"
    if not target.type.is_string:
        return name
    value = name
    if "TRIMBLANKS" in options:
        value = f"rtrim({value}, ' ')"
    value = f"nullif({value}, {_text(_null_string(plan))})"
    if "EMPTYASNULL" in options:
        value = f"nullif({value}, '')"
    if "BLANKSASNULL" in options:
        value = f"CASE WHEN trim({value}) = '' THEN NULL ELSE {value} END"
    if "TRUNCATECOLUMNS" in options:
        value = f"redshift_truncate({value}, {target.type.length})"
    return f"{value} AS {name}"


_REASONS = {
    "TOO MANY COLUMNS": (1202, "Extra column(s) found"),
    "MISSING COLUMNS": (1214, "Delimiter not found"),
    "UNQUOTED VALUE": (1216, "Invalid quote formatting for CSV"),
    "LINE SIZE OVER MAXIMUM": (1216, "Input line is too long"),
    "INVALID ENCODING": (1220, "String contains invalid or unsupported UTF8 codepoints"),
}
_CAST_REASONS = {
    "smallint": (1207, "Invalid digit, Value '{value}', Pos 0, Type: Short"),
    "integer": (1207, "Invalid digit, Value '{value}', Pos 0, Type: Integer"),
    "bigint": (1207, "Invalid digit, Value '{value}', Pos 0, Type: Long"),
    "real": (1208, "Invalid value: {value}"),
    "double precision": (1208, "Invalid value: {value}"),
    "numeric": (1209, "Invalid digit, Value '{value}', Pos 0, Type: Decimal"),
    "boolean": (1210, "Unknown boolean format"),
    "date": (1205, "Invalid Date Format"),
    "timestamp without time zone": (1206, "Invalid timestamp format or value [YYYY-MM-DD HH24:MI:SS]"),
    "timestamp with time zone": (1206, "Invalid timestamp format or value [YYYY-MM-DD HH24:MI:SS]"),
}


def _rejects(session: Session, files: Sequence[DataFile], targets: Sequence[catalog.Column]) -> list[LoadErrorDetail]:
    """One row for each line that could not be read, in file order."""
    by_path = {str(file.path): file for file in files}
    rows = session.query(
        "SELECT DISTINCT ON (s.file_path, e.line) s.file_path, e.line, e.column_idx, e.error_type, e.error_message"
        " FROM temp.main.pg_load_rejects e JOIN temp.main.pg_load_scans s USING (scan_id, file_id)"
        " ORDER BY s.file_path, e.line, e.column_idx"
    ).fetchall()
    return [_reject(by_path[path].url, int(line), int(column or 0), kind, said, targets) for path, line, column, kind, said in rows]


def _reject(url: str, line: int, column: int, kind: str, said: str, targets: Sequence[catalog.Column]) -> LoadErrorDetail:
    if kind != "CAST" or not 1 <= column <= len(targets):
        code, reason = _REASONS.get(kind, (1200, said))
        return LoadErrorDetail(url, code, reason, line_number=line)
    target = targets[column - 1]
    value = re.search(r'string "(.*)" to', said, re.DOTALL)
    code, reason = _CAST_REASONS.get(target.type.name, (1200, said))
    return LoadErrorDetail(
        url,
        code,
        reason.format(value=value[1] if value else ""),
        line_number=line,
        column_name=target.name,
        column_type=target.type.api_name,
    )


def _too_long(session: Session, targets: Sequence[catalog.Column], files: Sequence[DataFile]) -> list[LoadErrorDetail]:
    """One row for each value over its column's length. Which line it was is not known."""
    found = []
    for index, target in enumerate(targets):
        if target.type.is_string:
            count = session.query(
                f"SELECT count(*) FROM temp.main.pg_load WHERE strlen(c{index}) > {target.type.length}"
            ).fetchone()[0]
            detail = LoadErrorDetail(
                files[0].url if len(files) == 1 else "",
                1204,
                "String length exceeds DDL length",
                column_name=target.name,
                column_type=target.type.api_name,
                column_length=str(target.type.length),
            )
            found += [detail] * min(int(count), _KEPT_REJECTS)
    return found


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]


def _load_json(
    session: Session,
    storage: Storage,
    files: Sequence[DataFile],
    table: str,
    targets: Sequence[catalog.Column],
    plan: Copy,
) -> int:
    if int(plan.options.get("MAXERROR", "0")):
        raise NotSupported("COPY of JSON with MAXERROR is not supported by the local warehouse")
    compression = next((value for name, value in _COMPRESSIONS.items() if name in plan.options), "none")
    source = f"read_json_objects({paths(files)}, format = 'unstructured', compression = '{compression}')"
    values = [_json_value(target, path) for target, path in zip(targets, _json_paths(storage, targets, plan), strict=True)]
    names = ", ".join(quoted(target.name) for target in targets)
    try:
        result = session.query(f"INSERT INTO {table} ({names}) SELECT {', '.join(values)} FROM {source}")
    except Exception as error:
        session.check()
        raise _failed(plan, (LoadErrorDetail(files[0].url, 1200, _first_line(error)),)) from None
    return int(result.fetchone()[0])


def _json_paths(storage: Storage, targets: Sequence[catalog.Column], plan: Copy) -> list[str]:
    """Where in a document each column's value is, as DuckDB writes it."""
    argument = plan.format_argument
    if argument.startswith("s3://"):
        return _paths_of_file(storage, argument, targets)
    if argument.lower() == "noshred":
        if len(targets) != 1:
            raise SqlError("COPY with JSON 'noshred' needs exactly one SUPER column")
        return ["$"]
    if argument.lower() != "auto":
        raise NotSupported(f"COPY with JSON '{argument}' is not supported here; 'auto', 'noshred' and a jsonpaths file are")
    return [f"$.{quoted(target.name)}" for target in targets]


def _paths_of_file(storage: Storage, url: str, targets: Sequence[catalog.Column]) -> list[str]:
    try:
        document: Any = json.loads(storage.read(url))
        written = [str(path) for path in document["jsonpaths"]]
    except (ValueError, KeyError, TypeError):
        raise SqlError(f"Invalid JSONPath format. Supported notations are 'dot-notation' and 'bracket-notation': {url}") from None
    if len(written) != len(targets):
        raise SqlError(
            f"Number of jsonpaths and the number of columns should match. JSONPath size: {len(written)}, "
            f"Number of columns in table or column list: {len(targets)}"
        )
    return [re.sub(r"\[\s*'([^']*)'\s*\]", r'."\1"', path) for path in written]


def _json_value(target: catalog.Column, path: str) -> str:
    if target.type.name == "super":
        return f"json_extract(json, {_text(path)})"
    text = f"json_extract_string(json, {_text(path)})"
    return text if target.type.is_string else f"CAST({text} AS {target.type.duckdb})"
