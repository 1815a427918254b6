"""COPY of delimited text and CSV.

https://docs.aws.amazon.com/redshift/latest/dg/copy-parameters-data-format.html
https://docs.aws.amazon.com/redshift/latest/dg/r_Load_Error_Reference.html
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from local_cloud.services.redshift.engine import catalog
from local_cloud.services.redshift.engine.load_job import LoadJob
from local_cloud.services.redshift.engine.storage import paths
from local_cloud.services.redshift.errors import LoadError, LoadErrorDetail, NotSupported
from local_cloud.services.redshift.sql.lexer import quoted
from local_cloud.services.redshift.sql.load import Copy

#: Rejected lines kept beyond the allowed ones: enough to name the first that is too many.
_KEPT_REJECTS = 100_001


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


def load(job: LoadJob) -> int:
    """Append the files to the table. The number of rows.

    The rows go through a temporary table: what is wrong with them has to be counted before any is kept.
    """
    allowed = int(job.plan.options.get("MAXERROR", "0"))
    values = ", ".join(_value(i, target, job.plan) for i, target in enumerate(job.targets))
    try:
        job.session.query(f"CREATE TEMPORARY TABLE pg_load AS SELECT {values} FROM {_source(job)}")
    except Exception as error:
        job.session.check()
        raise failed(job, [LoadErrorDetail(job.files[0].url, 1200, str(error).splitlines()[0])]) from None
    rejected = [*_rejects(job), *_too_long(job)]
    if len(rejected) > allowed:
        raise failed(job, rejected[: allowed + 1])
    strings = [(i, target.type.length) for i, target in enumerate(job.targets) if target.type.is_string]
    keep = " AND ".join(f"(c{i} IS NULL OR strlen(c{i}) <= {length})" for i, length in strings) or "true"
    names = ", ".join(quoted(target.name) for target in job.targets)
    count = job.session.query(f"INSERT INTO {job.table} ({names}) FROM temp.main.pg_load WHERE {keep}").fetchone()[0]
    for leftover in ("pg_load", "pg_load_rejects", "pg_load_scans"):
        job.session.query(f"DROP TABLE IF EXISTS temp.main.{leftover}")
    job.session.record_load_errors(rejected, job.plan.table)
    return int(count)


def failed(job: LoadJob, details: Sequence[LoadErrorDetail]) -> LoadError:
    """The error of a load whose rows could not be read."""
    return LoadError(
        f"Load into table '{job.plan.table[-1]}' failed.  Check 'sys_load_error_detail' system table for details.",
        details=tuple(details),
    )


def _source(job: LoadJob) -> str:
    """The files as a call of DuckDB's CSV reader that notes what it cannot read."""
    options = job.plan.options
    epoch = _epoch(job.plan)
    columns = ", ".join(f"'c{i}': '{_read_type(target, epoch)}'" for i, target in enumerate(job.targets))
    strings = [f"'c{i}'" for i, target in enumerate(job.targets) if target.type.is_string]
    settings = {
        "columns": "{" + columns + "}",
        "auto_detect": "false",
        "header": "false",
        "skip": options.get("IGNOREHEADER", "0"),
        "nullstr": "[" + ", ".join(_text(null) for null in dict.fromkeys(["", _null_string(job.plan)])) + "]",
        "force_not_null": "[" + ", ".join(strings) + "]",
        "store_rejects": "true",
        "rejects_table": "'pg_load_rejects'",
        "rejects_scan": "'pg_load_scans'",
        "rejects_limit": str(_KEPT_REJECTS),
        "null_padding": str("FILLRECORD" in options).lower(),
        "max_line_size": "4194304",
        "compression": f"'{compression(job.plan)}'",
        **_dialect(job.plan),
    }
    for option, key in (("DATEFORMAT", "dateformat"), ("TIMEFORMAT", "timestampformat")):
        written = strptime_format(options.get(option, "auto"))
        if written and not (option == "TIMEFORMAT" and epoch):
            settings[key] = _text(written)
    return f"read_csv({paths(job.files)}, " + ", ".join(f"{k} = {v}" for k, v in settings.items()) + ")"


def _epoch(plan: Copy) -> int:
    """Microseconds in a unit of TIMEFORMAT 'epochsecs' and 'epochmillisecs'; 0 for written times."""
    return {"epochsecs": 1_000_000, "epochmillisecs": 1_000}.get(plan.options.get("TIMEFORMAT", "").lower(), 0)


def compression(plan: Copy) -> str:
    for name in ("BZIP2", "LZOP"):
        if name in plan.options:
            raise NotSupported(f"COPY with {name} is not supported by the local warehouse; GZIP and ZSTD are")
    return next((name.lower() for name in ("GZIP", "ZSTD") if name in plan.options), "none")


def _dialect(plan: Copy) -> dict[str, str]:
    options = plan.options
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


def _value(index: int, target: catalog.Column, plan: Copy) -> str:
    """What the options make of one field."""
    name, options, epoch = f"c{index}", plan.options, _epoch(plan)
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


def _rejects(job: LoadJob) -> list[LoadErrorDetail]:
    """One row for each line that could not be read, in file order."""
    urls = {str(file.path): file.url for file in job.files}
    rows = job.session.query(
        "SELECT DISTINCT ON (s.file_path, e.line) s.file_path, e.line, e.column_idx, e.error_type, e.error_message"
        " FROM temp.main.pg_load_rejects e JOIN temp.main.pg_load_scans s USING (scan_id, file_id)"
        " ORDER BY s.file_path, e.line, e.column_idx"
    ).fetchall()
    found = []
    for path, line, number, kind, said in rows:
        target = job.targets[number - 1] if kind == "CAST" and number and number <= len(job.targets) else None
        code, reason = _REASONS.get(kind, (1200, said))
        if target is not None:
            value = re.search(r'string "(.*)" to', said, re.DOTALL)
            code, reason = _CAST_REASONS.get(target.type.name, (1200, said))
            reason = reason.format(value=value[1] if value else "")
        found.append(
            LoadErrorDetail(
                urls[path],
                code,
                reason,
                line_number=int(line),
                column_name=target.name if target else "",
                column_type=target.type.api_name if target else "",
            )
        )
    return found


def _too_long(job: LoadJob) -> list[LoadErrorDetail]:
    """One row for each value over its column's length. Which line it was is not known."""
    found = []
    for index, target in enumerate(job.targets):
        if not target.type.is_string:
            continue
        count = job.session.query(
            f"SELECT count(*) FROM temp.main.pg_load WHERE strlen(c{index}) > {target.type.length}"
        ).fetchone()[0]
        detail = LoadErrorDetail(
            job.files[0].url if len(job.files) == 1 else "",
            1204,
            "String length exceeds DDL length",
            column_name=target.name,
            column_type=target.type.api_name,
            column_length=str(target.type.length),
        )
        found += [detail] * min(int(count), _KEPT_REJECTS)
    return found
