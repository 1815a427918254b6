"""COPY: which files, which columns, which reader."""

from __future__ import annotations

from local_cloud.services.redshift.engine import catalog, delimited, json_load, parquet
from local_cloud.services.redshift.engine.context import Context
from local_cloud.services.redshift.engine.load_job import LoadJob
from local_cloud.services.redshift.engine.locks import Mode
from local_cloud.services.redshift.engine.scene import Scene
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


def copy(context: Context, plan: Copy, scene: Scene) -> int:
    """Load the files into the table, in this transaction. The number of rows loaded."""
    scene.relations = (".".join(plan.table),)
    _check_options(plan)
    keys = plan.options.get("ACCESS_KEY_ID")
    credentials = f"aws_access_key_id={keys};aws_secret_access_key=-" if keys else plan.options.get("CREDENTIALS", "")
    storage = Storage(context, resolve_role(context, plan.role, credentials=credentials))
    context.lock([(plan.table, Mode.WRITE)])
    targets = _targets(context, plan)
    columnar = plan.format == "PARQUET"
    if "MANIFEST" in plan.options:
        files = storage.by_manifest(plan.source, columnar=columnar)
    else:
        files = storage.by_prefix(plan.source)
    if context.is_temporary(plan.table):
        table = f"temp.main.{quoted(plan.table[-1])}"
    else:
        table = ".".join(quoted(part) for part in context.key(plan.table))
    job = LoadJob(plan, storage, files, table, targets)
    load = {"PARQUET": parquet.load, "JSON": json_load.load}.get(plan.format, delimited.load)
    count = load(job)
    context.last_copy = (context.query_id, count)
    return count


def _check_options(plan: Copy) -> None:
    if plan.format in ("ORC", "AVRO", "SHAPEFILE", "FIXEDWIDTH"):
        raise NotSupported(f"COPY from {plan.format} is not supported by the local warehouse")
    if "NOLOAD" in plan.options:
        raise NotSupported("COPY with NOLOAD is not supported by the local warehouse")
    if plan.format == "PARQUET":
        for option in plan.options:
            if option not in _COLUMNAR_OPTIONS:
                raise SqlError(f"{option} argument is not supported for PARQUET based COPY")


def _targets(context: Context, plan: Copy) -> list[catalog.Column]:
    """The columns that the data fills, in the order of the data."""
    stored = catalog.columns(context, plan.table)
    if not stored:
        raise SqlError(f"Cannot COPY into nonexistent table {plan.table[-1]}")
    explicit = "EXPLICIT_IDS" in plan.options
    if not plan.columns:
        return [column for column in stored if explicit or not column.identity]
    by_name = {column.name: column for column in stored}
    targets = []
    for name in plan.columns:
        if name not in by_name:
            raise SqlError(f'Column "{name}" of relation "{plan.table[-1]}" does not exist')
        column = by_name[name]
        if column in targets:
            raise SqlError(f'Column "{name}" specified more than once')
        if column.identity and not explicit:
            raise SqlError(f"EXPLICIT_IDS is needed to load the identity column {name}")
        targets.append(column)
    for column in stored:
        if column.not_null and not column.default and not column.identity and column not in targets:
            raise SqlError(
                f"Cannot COPY: column {column.name} is NOT NULL, has no default and is not in the column list"
            )
    return targets
