"""Whose rows the table holds: a run that ends well may have been overtaken by another of its month.

Two runs of one month share its raw file and its manifest, and the later one to write either wins. The table stays
whole, for it takes a month from one manifest; but a run must not report another's rows as its own.
"""

from __future__ import annotations

import base64
import datetime
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from orchestration.pipelines import Month, Pipeline
from orchestration.trips.source import address
from orchestration.trips.verify import Query, read_manifest

#: Bytes of the parts that ingest uploads, each with a SHA-256 of its own.
PART_SIZE = 5 * 1024 * 1024


@dataclass(frozen=True)
class Run:
    """An execution that ended well: its name, and when it began."""

    execution: str
    started: datetime.datetime


def find_overtaken(
    pipeline: Pipeline,
    runs: Mapping[Month, Run],
    *,
    source_url: str,
    folder: Path | None,
    s3: Any,
    processed_bucket: str,
    query: Query,
) -> dict[Month, str]:
    """Find the months, of those with the run that loaded them, of which the table holds another's rows.

    Each with a clause that tells which execution loaded it, from where. `source_url` is the template that these
    runs fetched from, and `folder` the one that was served there: another run may have fetched the same file at
    another address. Months of a release that does not record executions are taken at their word.
    """
    loads = _newest_loads(query, pipeline)
    found: dict[Month, str] = {}
    for month, run in runs.items():
        manifest = read_manifest(s3, processed_bucket, pipeline.dataset, month)
        if manifest and manifest.get("execution"):
            url = address(source_url, pipeline.dataset, month)
            load_id = loads.get(str(month))
            other = _other(run.execution, url=url, load_id=load_id, manifest=manifest)
            file = folder / url.rpartition("/")[2] if folder else None
            if other and not (
                manifest["load"]["load_id"] == load_id and _is_same_file(manifest, run, file=file, s3=s3)
            ):
                found[month] = other
    return found


def _newest_loads(query: Query, pipeline: Pipeline) -> dict[str, str]:
    """Read the load that the table holds, by `YYYY-MM`: the last, since loads of a table wait for each other."""
    audit = f"{pipeline.table.split('.')[0]}.load_audit"
    rows = query(
        f"SELECT source_month, load_id FROM {audit} WHERE dataset = '{pipeline.dataset}' ORDER BY loaded_at, load_id"  # noqa: S608
    )
    return {str(month)[:7]: str(load_id) for month, load_id in rows}


def _other(execution: str, *, url: str, load_id: str | None, manifest: Mapping[str, Any]) -> str | None:
    """Return who loaded the month in place of `execution`, or whose file it loaded; None where the rows are its
    source's.
    """
    if load_id is None:
        return "the table holds no load of it"
    known = manifest["load"]["load_id"] == load_id
    source = manifest["source"]["metadata"]
    fetched_from = source.get("source-url", manifest["source"]["url"])
    if known and fetched_from == url:
        return None
    if not load_id.endswith(f"-{_token(execution)}"):
        by = f"{manifest['execution']} loaded it from {fetched_from}" if known else "another run loaded it"
        return f"the table holds another load of it: {by} (load {load_id})"
    if known and "source-url" in source:
        by = source.get("execution", "another run")
        return f"the table holds another file of it: {by} fetched {fetched_from} before this run's was read"
    return None


def _is_same_file(manifest: Mapping[str, Any], run: Run, *, file: Path | None, s3: Any) -> bool:
    """Whether the manifest's file has this run's bytes, although it was fetched at another address.

    Ingest keeps an object that has its source's bytes, with the address that these first came from.
    """
    bucket, _, key = manifest["source"]["url"].removeprefix("s3://").partition("/")
    try:
        raw = s3.head_object(Bucket=bucket, Key=key, IfMatch=manifest["source"]["etag"], ChecksumMode="ENABLED")
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] in (404, 412):
            return False  # another file has replaced it since
        raise
    if file:
        return bool(raw.get("ChecksumSHA256", "").partition("-")[0] == checksum_of(file))
    # What is older than the run, its own ingest has compared, byte for byte, and found to be its source's.
    is_own = manifest["execution"] == run.execution
    return is_own and bool(raw["LastModified"] < run.started)


def checksum_of(file: Path) -> str:
    """Compute S3's checksum of a file that was uploaded in parts: SHA-256 of all parts' SHA-256, in base64.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html (composite)
    """
    whole = hashlib.sha256()
    with file.open("rb") as content:
        while part := content.read(PART_SIZE):
            whole.update(hashlib.sha256(part).digest())
    return base64.b64encode(whole.digest()).decode()


def _token(execution: str) -> str:
    """Return how the loads of an execution end (`new_load_id` of glue-transform)."""
    return hashlib.sha256(execution.encode()).hexdigest()[:8]
