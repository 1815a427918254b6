"""A smoke run: a small month through the pipeline that is deployed, in a place of its own, and gone afterwards."""

from __future__ import annotations

import datetime
import json
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import boto3

from orchestration import executions, objects, scratch, warehouse
from orchestration.generate import yellow_month
from orchestration.pipelines import Month
from orchestration.releases.bucket.history import Smoke
from orchestration.releases.bucket.records import now
from orchestration.releases.environment.deployment import Deployment
from orchestration.signals import defer_signals

PIPELINE = "yellow-trips"
#: So far off that nothing about a real month is touched, alerts and recoveries included.
MONTH = Month(2099, 12)
ROWS = 2_000


@dataclass(frozen=True)
class Sandbox:
    """Where a smoke run keeps all that it makes: a prefix of both buckets, and a schema."""

    prefix: str
    schema: str

    @classmethod
    def new(cls, release_id: str) -> Sandbox:
        name = f"{release_id}-{secrets.token_hex(3)}"
        return cls(f"smoke/{name}", f"smoke_{name}".replace("-", "_"))


def record_start(release_id: str, environment: str) -> Smoke:
    """Return what is on record while a smoke run lasts: whatever an earlier one found, this release has not passed."""
    began = now()
    reason = f"one that began at {began} has not ended"
    return Smoke(release_id, environment, at=began, passed=False, reason=reason, execution="", rows={}, seconds=0.0)


def run(deployment: Deployment, release_id: str, *, report: Callable[[str], None]) -> Smoke:
    """Run it and clean up; the outcome, also of one that fails."""
    began = time.monotonic()
    rows: dict[str, int] = {}
    arn, reason = "", ""
    sandbox = Sandbox.new(release_id)
    with scratch.folder("smoke") as folder, _isolate(deployment, sandbox):
        report(f"generating {ROWS:,} trips")
        file = yellow_month(folder, month=MONTH, rows=ROWS)
        source = f"{sandbox.prefix}/source"
        boto3.client("s3").upload_file(str(file), deployment.raw_bucket, f"{source}/{file.name}")
        report("running the pipeline")
        execution = _run_pipeline(deployment, sandbox, source=f"s3://{deployment.raw_bucket}/{source}")
        arn = execution.arn
        if execution.status == "SUCCEEDED":
            report("checking what it loaded")
            rows, reason = _verify(deployment, sandbox, file, folder)
        else:
            cause = " ".join((execution.cause or execution.error or "no cause given").split())
            reason = f"{execution.name} {execution.status.lower()}: {cause}"
    return Smoke(
        release=release_id,
        environment=deployment.environment,
        at=now(),
        passed=not reason,
        reason=reason,
        execution=arn,
        rows=rows,
        seconds=round(time.monotonic() - began, 1),
    )


@contextmanager
def _isolate(deployment: Deployment, sandbox: Sandbox) -> Iterator[None]:
    """Make a schema that everybody may make tables in; in the end delete it and all else under `sandbox`.

    The administrator makes it: the load job's role may make tables, and nothing but tables.
    """
    with ExitStack() as cleanup:
        for name in (deployment.raw_bucket, deployment.processed_bucket):
            cleanup.callback(objects.delete_under, boto3.client("s3"), name, f"{sandbox.prefix}/")
        warehouse.query(deployment, f'CREATE SCHEMA "{sandbox.schema}"')
        cleanup.callback(warehouse.query, deployment, f'DROP SCHEMA "{sandbox.schema}" CASCADE')
        warehouse.query(deployment, f'GRANT USAGE, CREATE ON SCHEMA "{sandbox.schema}" TO PUBLIC')
        yield


def _start(deployment: Deployment, sandbox: Sandbox, *, source: str) -> str:
    given = {
        "year": f"{MONTH.year:04}",
        "month": f"{MONTH.number:02}",
        "source_url": f"{source}/{{dataset}}_tripdata_{{year}}-{{month}}.parquet",
        "prefix": sandbox.prefix,
        "schema": sandbox.schema,
        "rerun": f"elt smoke --env {deployment.environment}",
    }
    started = boto3.client("stepfunctions").start_execution(
        stateMachineArn=deployment.machines[PIPELINE],
        name=f"smoke-{datetime.datetime.now(datetime.UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(2)}",
        input=json.dumps(given),
    )
    return str(started["executionArn"])


def _run_pipeline(deployment: Deployment, sandbox: Sandbox, *, source: str) -> executions.Execution:
    """Run the pipeline and return the final execution; it is stopped, with its job, if this command is."""
    states = boto3.client("stepfunctions")
    arn = ""
    try:
        with defer_signals():
            arn = _start(deployment, sandbox, source=source)
        *_, execution = executions.follow(states, arn)
    except BaseException:
        if arn:
            states.stop_execution(executionArn=arn)
        raise
    return execution


def _verify(deployment: Deployment, sandbox: Sandbox, file: Path, folder: Path) -> tuple[dict[str, int], str]:
    """Count what came of the file: every row, and what is wrong where one or a cent is lost."""
    bucket, month = boto3.resource("s3").Bucket(deployment.processed_bucket), f"{sandbox.prefix}/yellow/{MONTH.path}"
    load = json.loads(bucket.Object(f"{month}/manifest.json").get()["Body"].read())["load"]
    table = f'SELECT COUNT(*), SUM(total_amount) FROM "{sandbox.schema}".yellow_trips'  # noqa: S608
    loaded, loaded_total = warehouse.query(deployment, table)[0]
    audit = f'SELECT rows_read, rows_kept FROM "{sandbox.schema}".load_audit'  # noqa: S608
    audited = warehouse.query(deployment, audit)
    rejects: list[Path] = []
    for one in bucket.objects.filter(Prefix=f"{sandbox.prefix}/yellow_rejected/"):
        rejects.append(folder / f"rejects-{len(rejects)}.parquet")
        bucket.download_file(one.key, str(rejects[-1]))
    source, source_total = _sum([file])
    rejected, rejected_total = _sum(rejects)
    rows = {
        "source": source,
        "read": load["rows_read"],
        "kept": load["rows_kept"],
        "rejected": rejected,
        "loaded": int(loaded),
    }
    return rows, describe_mismatch(rows, audited, source_total, (loaded_total or 0.0) + rejected_total)


def describe_mismatch(
    rows: Mapping[str, int], audited: list[tuple[int, int]], source_total: float, total: float
) -> str:
    """Say what does not agree, "" where all does: rows by what became of them, and sums in dollars."""
    source, read, kept, rejected, loaded = (rows[name] for name in ("source", "read", "kept", "rejected", "loaded"))
    wrong = {
        f"the file has {source} rows, {read} were read": source != read,
        f"{kept} rows were kept, {loaded} are in the table": kept != loaded,
        f"{read - kept} rows were not kept, {rejected} are among the rejects": read - kept != rejected,
        f"load_audit says {audited}, not {[(read, kept)]}": audited != [(read, kept)],
        f"total_amount is {source_total:.2f} in the file, {total:.2f} in table and rejects": (
            abs(source_total - total) >= 0.005
        ),
    }
    return "; ".join(said for said, is_wrong in wrong.items() if is_wrong)


def _sum(files: list[Path]) -> tuple[int, float]:
    """Return the rows of Parquet files, and the sum of their total_amount."""
    if not files:
        return 0, 0.0
    import duckdb

    with duckdb.connect() as connection:
        counted = "SELECT COUNT(*), COALESCE(SUM(total_amount), 0) FROM read_parquet(?)"
        row = connection.execute(counted, [[str(file) for file in files]]).fetchone()
    assert row is not None
    return int(row[0]), float(row[1])
