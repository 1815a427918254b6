"""COPY of delimited text and CSV.

Every field is read as text and then turned into its column's type; the rows wait in a temporary table until it is
known how many could not be read. https://docs.aws.amazon.com/redshift/latest/dg/r_Load_Error_Reference.html
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from local_cloud.services.redshift.engine import load_errors
from local_cloud.services.redshift.engine.copy import records
from local_cloud.services.redshift.engine.copy.job import LoadJob
from local_cloud.services.redshift.engine.copy.options import (
    compression,
    dialect,
    present,
    string_value,
    text,
    typed_value,
)
from local_cloud.services.redshift.engine.copy.rewrite import rewritten
from local_cloud.services.redshift.engine.storage import paths
from local_cloud.services.redshift.errors import LoadError, LoadErrorDetail
from local_cloud.services.redshift.sql.lexer import quoted

#: Lines noted as unreadable at most: enough to name the first one that MAXERROR does not allow.
_KEPT_REJECTS = 100_001

_ROWS, _REJECTS, _SCANS = "pg_load", "pg_load_rejects", "pg_load_scans"

_NOTED = {
    "store_rejects": "true",
    "rejects_table": text(_REJECTS),
    "rejects_scan": text(_SCANS),
    "rejects_limit": str(_KEPT_REJECTS),
}
_IN_ORDER = {"ignore_errors": "true", "parallel": "false"}


def load(job: LoadJob) -> int:
    """Append the files to the table. The number of rows."""
    statement = job.statement
    if statement.format == "FIXEDWIDTH" or records.OPTIONS & set(statement.options) or _has_blank_lines(job):
        return load_rewritten(job, functools.partial(records.records, statement=statement, columns=len(job.targets)))
    return _load(job, [])


def _has_blank_lines(job: LoadJob) -> bool:
    """DuckDB's reader would pass over a blank line of several columns; COPY refuses it."""
    if len(job.targets) == 1:
        return False
    options = (
        "columns = {'line': 'VARCHAR'}, auto_detect = false, header = false, delim = '\x02\x03\x02\x03', quote = '',"
        " escape = '', force_not_null = ['line'], ignore_errors = true, max_line_size = 4194304,"
        f" compression = {text(compression(job.statement))}"
    )
    query = f"SELECT 1 FROM read_csv({paths(job.files)}, {options}) WHERE line = '' LIMIT 1"
    try:
        return job.context.query(query).fetchone() is not None
    except Exception:
        job.context.check()
        return False  # Its load reports what is wrong with the file.


def load_rewritten(job: LoadJob, read: Callable[[Path], Iterator[records.Record]]) -> int:
    """Append the records that `read` gives for each file. The number of rows."""
    try:
        with rewritten(job, read) as (plain, faults):
            return _load(plain, faults)
    except (EOFError, OSError, UnicodeError):
        reason = "The file is not in the compression or encoding that COPY names"
        raise failed(job, [LoadErrorDetail(job.files[0].url, 1220, reason)]) from None


def _load(job: LoadJob, faults: Sequence[LoadErrorDetail]) -> int:
    context, allowed = job.context, int(job.statement.options.get("MAXERROR", "0"))
    create = f"CREATE TEMPORARY TABLE {_ROWS} AS {_query(job)}"
    try:
        context.query(create)
    except Exception as error:
        context.check()
        raise failed(job, [LoadErrorDetail(job.files[0].url, 1200, str(error).splitlines()[0])]) from None
    lines = [*faults, *_unreadable_lines(job)]
    rejected = [*lines, *_unreadable_values(job, lines, limit=allowed + 1)]
    rejected.sort(key=lambda detail: (detail.file_name, detail.line_number))
    if len(rejected) > allowed:
        raise failed(job, rejected[: allowed + 1])
    names = ", ".join(quoted(target.name) for target in job.targets)
    values = ", ".join(f"c{i}" for i in range(len(job.targets)))
    count = 0
    if "NOLOAD" not in job.statement.options:
        count = context.query(
            f"INSERT INTO {job.table} ({names}) SELECT {values} FROM temp.main.{_ROWS} WHERE bad IS NULL"
        ).fetchone()[0]
    for leftover in (_ROWS, _REJECTS, _SCANS):
        context.query(f"DROP TABLE IF EXISTS temp.main.{leftover}")
    load_errors.record(context, job.statement.table, rejected, transaction=context.transaction_number)
    return int(count)


def failed(job: LoadJob, details: Sequence[LoadErrorDetail]) -> LoadError:
    """The error of a load whose rows could not be read."""
    return LoadError(
        f"Load into table '{job.statement.table[-1]}' failed.  Check 'sys_load_error_detail' system table for details.",
        details=tuple(details),
    )


def _query(job: LoadJob, *, again: bool = False) -> str:
    """Columns `c0`, `c1`, … with the values; `bad` with the number of the first column that has none, else NULL;
    `written` with that column's text; `path` with its file."""
    statement, fields, values, faults = job.statement, [], [], []
    for i, target in enumerate(job.targets):
        kind = target.type
        if kind.is_string:
            fields.append(f"{string_value(f'f{i}', statement, length=kind.length)} AS f{i}")
            values.append(f"f{i} AS c{i}")
            if kind.name == "character":
                faults.append((i, f"strlen(f{i}) > length(f{i})"))
            faults.append((i, f"strlen(f{i}) > {kind.length}"))
            if target.not_null:
                faults.append((i, f"f{i} IS NULL"))
            continue
        value = typed_value(f"f{i}", statement, kind)
        fields.append(f"{present(f'f{i}', statement)} AS f{i}")
        values.append(f"{value} AS c{i}")
        if not ("ACCEPTANYDATE" in statement.options and kind.name.startswith(("date", "timestamp"))):
            faults.append((i, f"f{i} IS NOT NULL AND {value} IS NULL"))
        if target.not_null:
            faults.append((i, f"{value} IS NULL"))
    bad = " ".join(f"WHEN {fault} THEN {i}" for i, fault in faults)
    written = " ".join(f"WHEN {fault} THEN f{i}" for i, fault in faults)
    line = ["line"] if job.numbered else []
    return (
        f"SELECT {', '.join([*values, *line])}, CASE WHEN false THEN 0 {bad} END AS bad,"
        f" CASE WHEN false THEN '' {written} END AS written, path"
        f" FROM (SELECT {', '.join([*fields, *line])}, filename AS path FROM {_source(job, again=again)})"
    )


def _source(job: LoadJob, *, again: bool) -> str:
    """The files as a call of DuckDB's CSV reader that notes which lines it cannot take apart.

    `again`: by one thread, which gives the rows in their order, and without a note.
    """
    options, names = job.statement.options, [f"f{i}" for i in range(len(job.targets))]
    settings = {
        "columns": "{"
        + ", ".join(f"'{name}': 'VARCHAR'" for name in [*(["line"] if job.numbered else []), *names])
        + "}",
        "force_not_null": "[" + ", ".join(text(name) for name in names) + "]",
        "auto_detect": "false",
        "header": "false",
        "skip": options.get("IGNOREHEADER", "0"),
        "filename": "true",
        **(_IN_ORDER if again else _NOTED),
        "null_padding": str("FILLRECORD" in options).lower(),
        "max_line_size": "4194304",
        "compression": text(compression(job.statement)),
        **dialect(job.statement),
    }
    return f"read_csv({paths(job.files)}, " + ", ".join(f"{k} = {v}" for k, v in settings.items()) + ")"


_LINES = {
    "TOO MANY COLUMNS": (1202, "Extra column(s) found"),
    "MISSING COLUMNS": (1214, "Delimiter not found"),
    "UNQUOTED VALUE": (1216, "Invalid quote formatting for CSV"),
    "LINE SIZE OVER MAXIMUM": (1216, "Input line is too long"),
    "INVALID ENCODING": (1220, "String contains invalid or unsupported UTF8 codepoints"),
}
_VALUES = {
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
    "character": (1204, "String length exceeds DDL length"),
    "character varying": (1204, "String length exceeds DDL length"),
    "super": (1224, "Invalid JSON value"),
}


def _unreadable_lines(job: LoadJob) -> list[LoadErrorDetail]:
    """One row for each line that is none, in file order."""
    urls = {str(file.path): file.url for file in job.files}
    rows = job.context.query(
        "SELECT DISTINCT ON (s.file_path, e.line) s.file_path, e.line, e.error_type, e.error_message"
        f" FROM temp.main.{_REJECTS} e JOIN temp.main.{_SCANS} s USING (scan_id, file_id)"
        " ORDER BY s.file_path, e.line, e.column_idx"
    ).fetchall()
    found = []
    for path, line, kind, said in rows:
        code, reason = _LINES.get(kind, (1200, said.splitlines()[0]))
        found.append(LoadErrorDetail(urls[path], code, reason, line_number=int(line)))
    return found


def _unreadable_values(job: LoadJob, lines: Sequence[LoadErrorDetail], *, limit: int) -> list[LoadErrorDetail]:
    """One row for each line with a value that does not fit its column."""
    files = job.context.query(
        f"SELECT path FROM temp.main.{_ROWS} WHERE bad IS NOT NULL GROUP BY path ORDER BY path"
    ).fetchall()
    by_path = {str(file.path): file for file in job.files}
    found: list[LoadErrorDetail] = []
    for (path,) in files:
        one = dataclasses.replace(job, files=[by_path[path]])
        # Rows of one file, read again in their order: their number tells the line.
        row_number = "CAST(line AS BIGINT)" if job.numbered else "row_number() OVER ()"
        rows = job.context.query(
            f"SELECT n, bad, written FROM (SELECT {row_number} AS n, * FROM ({_query(one, again=True)}))"
            f" WHERE bad IS NOT NULL ORDER BY n LIMIT {limit - len(found)}"
        ).fetchall()
        skipped = int(job.statement.options.get("IGNOREHEADER", "0"))
        unreadable = sorted(
            line.line_number for line in lines if line.file_name == by_path[path].url and not job.numbered
        )
        for row, number, value in rows:
            line = row + skipped
            for other in unreadable:
                line += other <= line
            found.append(_value_error(job, by_path[path].url, line=line, number=number, value=value))
    return found


def _value_error(job: LoadJob, url: str, *, line: int, number: int, value: str | None) -> LoadErrorDetail:
    target = job.targets[number]
    code, reason = _VALUES.get(target.type.name, (1200, "Invalid value: {value}"))
    if value is None:
        code, reason, value = 1213, "Missing data for not-null field", ""
    elif target.type.name == "character" and (wide := next((each for each in value if not each.isascii()), "")):
        written = wide.encode().hex(" ")
        code, reason = (
            1220,
            f"Multibyte character not supported for CHAR (Hint: try using VARCHAR). Invalid char: {written}",
        )
    return LoadErrorDetail(
        url,
        code,
        reason.format(value=value[:100]),
        line_number=line,
        column_name=target.name,
        column_type=target.type.api_name,
        column_length=str(target.type.length) if target.type.is_string else "",
    )
