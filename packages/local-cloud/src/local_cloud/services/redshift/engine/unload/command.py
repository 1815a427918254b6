"""UNLOAD: the rows of a query as files in S3, and a manifest of them.

https://docs.aws.amazon.com/redshift/latest/dg/r_UNLOAD.html
"""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

from local_cloud.services.redshift.engine.context import Context
from local_cloud.services.redshift.engine.queries import prepare
from local_cloud.services.redshift.engine.statement import RunningStatement
from local_cloud.services.redshift.engine.storage import Storage, resolve_role, split_url
from local_cloud.services.redshift.engine.unload.files import MAX_FILE, NUMBER, ROWS, UnloadJob, Written
from local_cloud.services.redshift.errors import SqlError
from local_cloud.services.redshift.sql import statements
from local_cloud.services.redshift.sql.dialect import read
from local_cloud.services.redshift.sql.load import Unload
from local_cloud.services.redshift.sql.parser import parse
from local_cloud.services.redshift.sql.types import RedshiftType

MIN_FILE = 5 << 20
#: What a format does not take: https://docs.aws.amazon.com/redshift/latest/dg/r_UNLOAD.html, in the words that are
#: quoted in https://github.com/awsdocs/amazon-redshift-developer-guide/pull/25.
_EXCLUDED = {
    "CSV": ("ADDQUOTES", "ESCAPE", "FIXEDWIDTH"),
    "JSON": ("ADDQUOTES", "DELIMITER", "ESCAPE", "FIXEDWIDTH", "HEADER", "NULL"),
    "PARQUET": ("ADDQUOTES", "BZIP2", "DELIMITER", "ESCAPE", "FIXEDWIDTH", "GZIP", "HEADER", "NULL", "ZSTD"),
}


def unload(context: Context, statement: Unload, running: RunningStatement) -> int:
    """Write the query's rows. The number of rows."""
    inner = parse(statement.query)
    if not isinstance(inner, statements.Query) or inner.verb not in ("SELECT", "WITH"):
        raise SqlError("UNLOAD takes a SELECT statement")
    tree = read(inner.sql)
    if tree.args.get("limit"):
        raise SqlError("Limit clause is not supported in the outermost select of an UNLOAD statement")
    _check_options(statement)
    credentials = statement.options.get("CREDENTIALS", "")
    storage = Storage(context, resolve_role(context, statement.role, credentials=credentials))
    bucket, prefix = split_url(statement.target)
    if statement.partition_by and prefix and not prefix.endswith("/"):
        prefix += "/"
    existing = [item.key for item in storage.listing(bucket, prefix)]
    if existing and not {"ALLOWOVERWRITE", "CLEANPATH"} & set(statement.options):
        raise SqlError(
            "Specified unload destination on S3 is not empty. Consider using a different bucket / prefix, manually "
            "removing the target files in S3, or using the ALLOWOVERWRITE option."
        )
    prepared = prepare(context, tree, running)
    ordered = bool(tree.args.get("order"))
    number = f", row_number() OVER () - 1 AS {NUMBER}" if ordered else ""
    context.query(f"CREATE OR REPLACE TEMPORARY TABLE {ROWS} AS SELECT *{number} FROM ({prepared.sql})")
    described = context.query(f"DESCRIBE {ROWS}").fetchall()
    described = described[:-1] if ordered else described
    columns = [
        (str(name), prepared.column(index, str(name), str(kind)).type)
        for index, (name, kind, *_) in enumerate(described)
    ]
    total = int(context.query(f"SELECT count(*) FROM {ROWS}").fetchone()[0])
    context.services.scratch.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="unload-", dir=context.services.scratch))
    try:
        written = UnloadJob(context, statement, columns, prefix, folder, total, ordered=ordered).write()
        with storage.access() as objects:
            for key in existing if "CLEANPATH" in statement.options else ():
                objects.delete(bucket, key)
            for file in written:
                objects.put_file(bucket, file.key, file.path)
            if written and "MANIFEST" in statement.options:
                body = manifest(statement, bucket, written=written, columns=columns)
                objects.put(bucket, f"{prefix}manifest", body, content_type="application/json")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    context.query(f"DROP TABLE {ROWS}")
    context.last_unload_count = total
    return total


def _check_options(statement: Unload) -> None:
    options = set(statement.options)
    if refused := sorted(options & set(_EXCLUDED.get(statement.format, ()))):
        raise SqlError(f"{refused[0]} is not supported for UNLOAD to {statement.format}")
    if options >= {"ALLOWOVERWRITE", "CLEANPATH"}:
        raise SqlError("CLEANPATH and ALLOWOVERWRITE cannot be used together")
    if "FIXEDWIDTH" in options and (refused := sorted(options & {"ADDQUOTES", "DELIMITER", "ESCAPE", "HEADER"})):
        raise SqlError(f"{refused[0]} is not supported for UNLOAD with FIXEDWIDTH")
    if statement.size and not MIN_FILE <= statement.size <= MAX_FILE:
        raise SqlError("MAXFILESIZE must be between 5 MB and 6.2 GB")


def manifest(
    statement: Unload, bucket: str, *, written: list[Written], columns: list[tuple[str, RedshiftType]]
) -> bytes:
    """The manifest of the written files, as COPY and Spectrum read it."""
    verbose = statement.options["MANIFEST"] == "verbose"
    entries = []
    for file in written:
        meta = {"content_length": file.size, **({"record_count": file.rows} if verbose else {})}
        entries.append({"url": f"s3://{bucket}/{file.key}", "meta": meta})
    document: dict[str, Any] = {"entries": entries}
    if verbose:
        sizes, rows = sum(file.size for file in written), sum(file.rows for file in written)
        document |= {
            "schema": {"elements": [{"name": name, "type": _manifest_type(kind)} for name, kind in columns]},
            "meta": {"content_length": sizes, "record_count": rows},
            "author": {"name": "Amazon Redshift", "version": "1.0.0"},
        }
    return json.dumps(document, indent=2).encode()


def _manifest_type(kind: RedshiftType) -> dict[str, Any]:
    if kind.name == "numeric":
        return {"base": "numeric", "precision": kind.precision, "scale": kind.scale}
    if kind.is_string:
        return {"base": kind.name, "max_length": kind.length}
    return {"base": kind.name}
