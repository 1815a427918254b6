"""Whose rows the table holds: a run that ends well may have been overtaken by another of its month.

Two runs of one month share its raw file and its manifest, and the later one to write either wins. The table stays
whole, for it takes a month from one manifest; but a run must not report another's rows as its own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from orchestration.pipelines import Month, Pipeline
from orchestration.trips.check import Query, read_manifest
from orchestration.trips.source import address


def overtaken(
    pipeline: Pipeline,
    runs: Mapping[Month, str],
    *,
    source_url: str,
    folder: Path | None,
    s3: Any,
    processed_bucket: str,
    query: Query,
) -> dict[Month, str]:
    """Of months with the name of the execution that loaded them, those of which the table holds another's rows.

    Each with a clause that tells which execution loaded it, from where. `source_url` is the template that these
    executions fetched from, and `folder` the one that was served there: another execution may have fetched the same
    file at another address. Months of a release that does not record executions are taken at their word.
    """
    loads = _newest_loads(query, pipeline)
    found: dict[Month, str] = {}
    for month, execution in runs.items():
        manifest = read_manifest(s3, processed_bucket, pipeline.dataset, month)
        if manifest and manifest.get("execution"):
            url = address(source_url, pipeline.dataset, month)
            load_id = loads.get(str(month))
            other = _other(execution, url=url, load_id=load_id, manifest=manifest)
            if other and not (folder and _is_of(manifest, load_id, folder / url.rpartition("/")[2])):
                found[month] = other
    return found


def _newest_loads(query: Query, pipeline: Pipeline) -> dict[str, str]:
    """The load that the table holds, by `YYYY-MM`. Loads of a table wait for each other, so the last is the one."""
    audit = f"{pipeline.table.split('.')[0]}.load_audit"
    rows = query(
        f"SELECT source_month, load_id FROM {audit} WHERE dataset = '{pipeline.dataset}' ORDER BY loaded_at, load_id"  # noqa: S608
    )
    return {str(month)[:7]: str(load_id) for month, load_id in rows}


def _other(execution: str, *, url: str, load_id: str | None, manifest: Mapping[str, Any]) -> str | None:
    """Who loaded the month in place of `execution`, or whose file it loaded; None where the rows are its source's."""
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


def _is_of(manifest: Mapping[str, Any], load_id: str | None, file: Path) -> bool:
    """Whether the load is the manifest's, and that is of this very file."""
    if manifest["load"]["load_id"] != load_id:
        return False
    with file.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
    return bool(digest == manifest["source"]["metadata"].get("sha256"))


def _token(execution: str) -> str:
    """How the loads of an execution end (`new_load_id` of glue-transform)."""
    return hashlib.sha256(execution.encode()).hexdigest()[:8]
