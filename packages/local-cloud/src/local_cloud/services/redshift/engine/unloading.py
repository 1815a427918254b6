"""UNLOAD: the rows of a query as files in S3, named as Redshift names them.

`<prefix><slice>_part_<part>` with PARALLEL ON, `<prefix><number>` with PARALLEL OFF, plus `.parquet`, `.gz` or
`.zst`. https://docs.aws.amazon.com/redshift/latest/dg/r_UNLOAD.html
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local_cloud.services.redshift.engine.queries import prepare
from local_cloud.services.redshift.engine.session import Session, Sink
from local_cloud.services.redshift.engine.storage import Storage, resolve_role, split_url
from local_cloud.services.redshift.engine.text import character
from local_cloud.services.redshift.engine.translations import Scene
from local_cloud.services.redshift.errors import NotSupported, SqlError
from local_cloud.services.redshift.sql import statements
from local_cloud.services.redshift.sql.dialect import read
from local_cloud.services.redshift.sql.lexer import quoted
from local_cloud.services.redshift.sql.load import Unload
from local_cloud.services.redshift.sql.types import RedshiftType, from_duckdb

#: Slices that write side by side with PARALLEL ON. A reader that copes with two copes with more.
SLICES = 2
MAX_FILE = int(6.2 * (1 << 30))
MIN_FILE = 5 << 20
DEFAULT_PARTITION = "__HIVE_DEFAULT_PARTITION__"


@dataclass(frozen=True)
class Written:
    """One finished file. `rows` counts a header line too, as the manifest does."""

    key: str
    path: Path
    rows: int

    @property
    def size(self) -> int:
        return self.path.stat().st_size


def unload(session: Session, plan: Unload, scene: Scene, sink: Sink) -> int:
    """Write the query's rows. The number of rows."""
    inner = statements.parse(plan.query)
    if not isinstance(inner, statements.Query) or inner.verb not in ("SELECT", "WITH"):
        raise SqlError("UNLOAD takes a SELECT statement")
    tree = read(inner.sql)
    if tree.args.get("limit"):
        raise SqlError("Limit clause is not supported in the outermost select of an UNLOAD statement")
    _check_options(plan)
    storage = Storage(session, resolve_role(session, plan.role, plan.options.get("CREDENTIALS", "")))
    bucket, prefix = split_url(plan.target)
    if plan.partition_by and prefix and not prefix.endswith("/"):
        prefix += "/"
    existing = [item.key for item in storage.listing(bucket, prefix)]
    if existing and not {"ALLOWOVERWRITE", "CLEANPATH"} & set(plan.options):
        raise SqlError(
            "Specified unload destination on S3 is not empty. Consider using a different bucket / prefix, manually "
            "removing the target files in S3, or using the ALLOWOVERWRITE option."
        )
    prepared = prepare(session, tree, scene)
    session.query(
        'CREATE OR REPLACE TEMPORARY TABLE pg_unload AS SELECT *, row_number() OVER () - 1 AS "#row"'
        f" FROM ({prepared.sql})"
    )
    described = session.query("DESCRIBE temp.main.pg_unload").fetchall()
    columns = [(str(name), from_duckdb(str(kind))) for name, kind, *_ in described[:-1]]
    columns = [(name, prepared.origins[name].type if name in prepared.origins else kind) for name, kind in columns]
    total = int(session.query("SELECT count(*) FROM temp.main.pg_unload").fetchone()[0])
    session.surroundings.scratch.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="unload-", dir=session.surroundings.scratch))
    try:
        written = _write(session, plan, columns, folder, prefix, total)
        _publish(storage, plan, bucket, prefix, written, columns, existing)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        session.query("DROP TABLE IF EXISTS temp.main.pg_unload")
    session.last_unload_count = total
    return total


def _check_options(plan: Unload) -> None:
    options = set(plan.options)
    if plan.format == "PARQUET":
        refused = options & {"DELIMITER", "FIXEDWIDTH", "ADDQUOTES", "ESCAPE", "NULL", "HEADER", "GZIP", "BZIP2", "ZSTD"}
        if refused:
            raise SqlError(f"UNLOAD {min(refused)} is not supported for UNLOAD to PARQUET")
    if plan.format == "JSON" and options & {"DELIMITER", "HEADER", "FIXEDWIDTH", "ADDQUOTES", "ESCAPE", "NULL"}:
        raise SqlError("UNLOAD to JSON does not take DELIMITER, HEADER, FIXEDWIDTH, ADDQUOTES, ESCAPE or NULL AS")
    if {"ALLOWOVERWRITE", "CLEANPATH"} <= options:
        raise SqlError("CLEANPATH and ALLOWOVERWRITE cannot be used together")
    for name in ("BZIP2", "FIXEDWIDTH"):
        if name in options:
            raise NotSupported(f"UNLOAD with {name} is not supported by the local warehouse")
    if plan.size and not MIN_FILE <= plan.size <= MAX_FILE:
        raise SqlError("MAXFILESIZE must be between 5 MB and 6.2 GB")


def _write(
    session: Session, plan: Unload, columns: Sequence[tuple[str, RedshiftType]], folder: Path, prefix: str, total: int
) -> list[Written]:
    for name in plan.partition_by:
        if name not in [column for column, _ in columns]:
            raise SqlError(f'Partition column "{name}" is not in the query result')
    kept = [c for c in columns if plan.include or c[0] not in plan.partition_by]
    if not kept:
        raise SqlError("At least one column must not be a partition column")
    serial = plan.options.get("PARALLEL") == "off"
    if not total and plan.format == "PARQUET":
        return []
    written: list[Written] = []
    for where, path in _partitions(session, plan):
        slices = 1 if serial else min(SLICES, max(1, total))
        for number in range(slices):
            condition = where if serial else f'{where} AND "#row" % {slices} = {number}'
            name = "" if serial else f"{number:04d}_part_"
            written += _write_slice(session, plan, kept, condition, folder, f"{prefix}{path}{name}", serial=serial)
    return written


def _partitions(session: Session, plan: Unload) -> list[tuple[str, str]]:
    """A condition and a folder for each combination of partition values."""
    if not plan.partition_by:
        return [("true", "")]
    names = ", ".join(f"CAST({quoted(name)} AS VARCHAR)" for name in plan.partition_by)
    rows = session.query(f"SELECT DISTINCT {names} FROM temp.main.pg_unload ORDER BY ALL").fetchall()
    found = []
    for row in rows:
        conditions, folders = [], []
        for name, value in zip(plan.partition_by, row, strict=True):
            text = "NULL" if value is None else "'" + value.replace("'", "''") + "'"
            conditions.append(f"CAST({quoted(name)} AS VARCHAR) IS NOT DISTINCT FROM {text}")
            folders.append(f"{name}={DEFAULT_PARTITION if value is None else value}/")
        found.append((" AND ".join(conditions), "".join(folders)))
    return found


def _write_slice(
    session: Session,
    plan: Unload,
    columns: Sequence[tuple[str, RedshiftType]],
    condition: str,
    folder: Path,
    stem: str,
    *,
    serial: bool,
) -> list[Written]:
    """One slice's rows, in the query's order, cut into parts of at most MAXFILESIZE."""
    source = f'FROM temp.main.pg_unload WHERE {condition} ORDER BY "#row"'
    count = int(session.query(f"SELECT count(*) FROM temp.main.pg_unload WHERE {condition}").fetchone()[0])
    if plan.partition_by and not count:
        return []
    width = 3 if serial else 2
    suffix = _suffix(plan)
    output = folder / f"{len(list(folder.iterdir())):06d}"
    output.mkdir()
    select = _select(plan, columns)
    settings = _settings(plan)
    size = plan.size or MAX_FILE
    session.query(
        f"COPY (SELECT {select} {source}) TO '{str(output).replace(chr(39), chr(39) * 2)}'"
        f" ({settings}, FILE_SIZE_BYTES {size}, FILENAME_PATTERN 'part_{{i}}', OVERWRITE true)"
    )
    files = sorted(output.iterdir(), key=lambda file: int(file.stem.split(".")[0].removeprefix("part_")))
    header = int("HEADER" in plan.options)
    rows = [count + header] if len(files) == 1 else [_count(session, plan, file) for file in files]
    return [
        Written(f"{stem}{number:0{width}d}{suffix}", file, rows[number]) for number, file in enumerate(files)
    ]


def _count(session: Session, plan: Unload, file: Path) -> int:
    """Rows of one part of several. A text part's lines are counted, which its header is one of."""
    path = str(file).replace("'", "''")
    if plan.format == "PARQUET":
        return int(session.query(f"SELECT num_rows FROM parquet_file_metadata('{path}')").fetchone()[0])
    if plan.format == "JSON":
        return int(session.query(f"SELECT count(*) FROM read_json_objects('{path}')").fetchone()[0])
    delimiter = character(plan.options.get("DELIMITER", "," if plan.format == "CSV" else "|"))
    return int(
        session.query(
            f"SELECT count(*) FROM read_csv('{path}', header = false, all_varchar = true, auto_detect = false,"
            f" columns = {{'c': 'VARCHAR'}}, delim = '{delimiter}', quote = '\"', ignore_errors = true, null_padding = true,"
            " strict_mode = false)"
        ).fetchone()[0]
    )


def _suffix(plan: Unload) -> str:
    if "EXTENSION" in plan.options:
        return "." + plan.options["EXTENSION"].lstrip(".")
    if plan.format == "PARQUET":
        return ".parquet"
    compression = {"GZIP": ".gz", "ZSTD": ".zst"}
    return next((suffix for name, suffix in compression.items() if name in plan.options), "")


def _settings(plan: Unload) -> str:
    if plan.format == "PARQUET":
        return "FORMAT parquet, COMPRESSION snappy"
    compression = next((c.lower() for c in ("GZIP", "ZSTD") if c in plan.options), "none")
    if plan.format == "JSON":
        return f"FORMAT json, COMPRESSION {compression}"
    csv = plan.format == "CSV"
    delimiter = character(plan.options.get("DELIMITER", "," if csv else "|")).replace("'", "''")
    null = plan.options.get("NULL", "").replace("'", "''")
    settings = [
        "FORMAT csv",
        f"COMPRESSION {compression}",
        f"DELIMITER '{delimiter}'",
        f"NULLSTR '{null}'",
        f"HEADER {str('HEADER' in plan.options).lower()}",
    ]
    if "ADDQUOTES" in plan.options:
        settings += ["QUOTE '\"'", "FORCE_QUOTE *"]
    elif csv:
        settings += ["QUOTE '\"'", "ESCAPE '\"'"]
    else:
        settings += ["QUOTE ''", "ESCAPE ''"]
    return ", ".join(settings)


def _select(plan: Unload, columns: Sequence[tuple[str, RedshiftType]]) -> str:
    """The columns as their format writes them."""
    values = []
    for name, kind in columns:
        value = quoted(name)
        if plan.format != "PARQUET":
            value = _as_text(value, kind, plan)
        elif kind.name == "timestamp with time zone":
            value = f"CAST({value} AS TIMESTAMP)"
        values.append(f"{value} AS {quoted(name)}")
    return ", ".join(values)


def _as_text(value: str, kind: RedshiftType, plan: Unload) -> str:
    if plan.format == "JSON":
        return f"CASE WHEN {value} THEN 't' ELSE 'f' END" if kind.name == "boolean" else value
    if kind.name == "boolean":
        return f"CASE {value} WHEN true THEN 't' WHEN false THEN 'f' END"
    if kind.name in ("real", "double precision"):
        return rf"regexp_replace(CAST({value} AS VARCHAR), '\.0$', '')"
    text = f"CAST({value} AS VARCHAR)"
    if "ESCAPE" in plan.options and kind.is_string:
        delimiter = character(plan.options.get("DELIMITER", "|"))
        for special in ("\\", "\n", "\r", delimiter):
            plain = special.replace("'", "''")
            text = f"replace({text}, '{plain}', '\\{plain}')"
    return text


def _publish(
    storage: Storage,
    plan: Unload,
    bucket: str,
    prefix: str,
    written: list[Written],
    columns: Sequence[tuple[str, RedshiftType]],
    existing: list[str],
) -> None:
    """Put the files into the bucket, the manifest last."""
    try:
        if "CLEANPATH" in plan.options:
            for key in existing:
                storage.objects.delete(bucket, key)
        entries = []
        for file in written:
            entry: dict[str, Any] = {"url": f"s3://{bucket}/{file.key}", "meta": {"content_length": file.size}}
            if plan.options.get("MANIFEST") == "verbose":
                entry["meta"]["record_count"] = file.rows
            entries.append(entry)
        sizes, rows = sum(file.size for file in written), sum(file.rows for file in written)
        for file in written:
            storage.objects.put_file(bucket, file.key, file.path)
        if "MANIFEST" in plan.options and written:
            manifest: dict[str, Any] = {"entries": entries}
            if plan.options["MANIFEST"] == "verbose":
                manifest |= {
                    "schema": {"elements": [{"name": name, "type": _manifest_type(kind)} for name, kind in columns]},
                    "meta": {"content_length": sizes, "record_count": rows},
                    "author": {"name": "Amazon Redshift", "version": "1.0.0"},
                }
            body = json.dumps(manifest, indent=2).encode()
            storage.objects.put(bucket, f"{prefix}manifest", body, content_type="application/json")
    except KeyError:
        storage.listing(bucket, prefix)
        raise


def _manifest_type(kind: RedshiftType) -> dict[str, Any]:
    if kind.name == "numeric":
        return {"base": "numeric", "precision": kind.precision, "scale": kind.scale}
    if kind.is_string:
        return {"base": kind.name, "max_length": kind.length}
    return {"base": kind.name}
