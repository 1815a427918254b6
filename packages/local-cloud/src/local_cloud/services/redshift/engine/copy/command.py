"""COPY: which files, which columns, which reader."""

from __future__ import annotations

from local_cloud.services.redshift.engine import catalog
from local_cloud.services.redshift.engine.context import Context
from local_cloud.services.redshift.engine.copy import delimited, json_files, parquet
from local_cloud.services.redshift.engine.copy.job import LoadJob
from local_cloud.services.redshift.engine.locks import Mode
from local_cloud.services.redshift.engine.statement import RunningStatement
from local_cloud.services.redshift.engine.storage import Storage, resolve_role
from local_cloud.services.redshift.errors import NotSupported, SqlError
from local_cloud.services.redshift.sql.lexer import quoted
from local_cloud.services.redshift.sql.load import Copy

#: What COPY takes with Parquet and ORC.
#: https://docs.aws.amazon.com/redshift/latest/dg/copy-usage_notes-copy-from-columnar.html
_COLUMNAR_OPTIONS = {
    "ACCEPTINVCHARS",
    "ACCESS_KEY_ID",
    "CREDENTIALS",
    "EXPLICIT_IDS",
    "FILLRECORD",
    "MANIFEST",
    "REGION",
    "SECRET_ACCESS_KEY",
    "SERIALIZETOJSON",
    "SESSION_TOKEN",
    "STATUPDATE",
}


def copy(context: Context, statement: Copy, running: RunningStatement) -> int:
    """Load the files into the table, in this transaction. The number of rows loaded."""
    running.relations = (".".join(statement.table),)
    _check_options(statement)
    keys = statement.options.get("ACCESS_KEY_ID")
    credentials = (
        f"aws_access_key_id={keys};aws_secret_access_key=-" if keys else statement.options.get("CREDENTIALS", "")
    )
    storage = Storage(context, resolve_role(context, statement.role, credentials=credentials))
    context.lock([(statement.table, Mode.WRITE)])
    targets = _targets(context, statement)
    columnar = statement.format == "PARQUET"
    if "MANIFEST" in statement.options:
        files = storage.by_manifest(statement.source, columnar=columnar)
    else:
        files = storage.by_prefix(statement.source)
    if context.is_temporary(statement.table):
        table = f"temp.main.{quoted(statement.table[-1])}"
    else:
        table = ".".join(quoted(part) for part in context.key(statement.table))
    job = LoadJob(statement, storage, files, table, targets)
    load = {"PARQUET": parquet.load, "JSON": json_files.load}.get(statement.format, delimited.load)
    count = load(job)
    context.last_copy = (context.query_id, count)
    return count


def _check_options(statement: Copy) -> None:
    if statement.format in ("ORC", "AVRO", "SHAPEFILE"):
        raise NotSupported(f"COPY from {statement.format} is not supported by the local warehouse")
    if statement.format == "PARQUET":
        for option in statement.options:
            if option not in _COLUMNAR_OPTIONS:
                raise SqlError(f"{option} argument is not supported for PARQUET based COPY")


def _targets(context: Context, statement: Copy) -> list[catalog.Column]:
    """The columns that the data fills, in the order of the data."""
    stored = catalog.columns(context, statement.table)
    if not stored:
        raise SqlError(f"Cannot COPY into nonexistent table {statement.table[-1]}")
    explicit = "EXPLICIT_IDS" in statement.options
    if not statement.columns:
        return [column for column in stored if explicit or not column.identity]
    by_name = {column.name: column for column in stored}
    targets = []
    for name in statement.columns:
        if name not in by_name:
            raise SqlError(f'Column "{name}" of relation "{statement.table[-1]}" does not exist')
        column = by_name[name]
        if column in targets:
            raise SqlError(f'Column "{name}" specified more than once')
        if column.identity and not explicit:
            raise SqlError(f"EXPLICIT_IDS is needed to load the identity column {name}")
        targets.append(column)
    for column in stored:
        if column.not_null and not column.default and not column.identity and column not in targets:
            # In the words that https://github.com/aws/aws-sdk-pandas/issues/2871 quotes.
            raise SqlError("NOT NULL column without DEFAULT must be included in column list")
    return targets
