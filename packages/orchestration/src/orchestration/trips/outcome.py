"""What a run of a trips pipeline left behind: bytes fetched, rows read, kept, rejected and loaded."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3

from orchestration import warehouse
from orchestration.executions import Execution, StateRun
from orchestration.pipelines import Month, Pipeline
from orchestration.progress import size
from orchestration.releases.environment.deployment import Deployment
from orchestration.trips import ownership, verify


@dataclass(frozen=True)
class Outcome:
    """Reads a month's traces in S3 and in the table."""

    deployment: Deployment
    pipeline: Pipeline
    month: Month

    def detail(self, state: StateRun) -> str:
        """Return a few words on what a finished state did; "" for a state that leaves no trace."""
        if state.name == "IngestRaw":
            return size(self.raw_bytes())
        if state.name == "TransformTrips":
            manifest = self.manifest()
            load = manifest["load"]
            rows = f"read {load['rows_read']:,}, kept {load['rows_kept']:,}, rejected {load['rows_rejected']:,}"
            columns = len({line["column"] for line in manifest["drift"]})
            return f"{rows}; drift in {columns} column{'s' if columns > 1 else ''}" if columns else rows
        if state.name == "LoadRedshift":
            return f"loaded {self.count_loaded():,}"
        return ""

    def explain_overtaken(self, execution: Execution, *, folder: Path | None) -> str | None:
        """Say whose rows the table holds, where another run has overtaken one that succeeded, else None.

        `folder` is what was served to it, None where its source was a URL.
        """
        found = ownership.find_overtaken(
            self.pipeline,
            {self.month: ownership.Run(execution.name, execution.started)},
            source_url=execution.source_url,
            folder=folder,
            s3=boto3.client("s3"),
            processed_bucket=self.deployment.processed_bucket,
            query=lambda sql: warehouse.query(self.deployment, sql),
        )
        return found.get(self.month)

    def drift(self, execution: Execution) -> list[dict[str, Any]]:
        """List the drift of an execution's file; none where another run's manifest has taken its place.

        A pipeline of SQL steps has no manifest, and so no drift.
        """
        manifest = self._read_manifest()
        if manifest is None or manifest.get("execution") not in (None, execution.name):
            return []
        drift: list[dict[str, Any]] = manifest["drift"]
        return drift

    def raw_bytes(self) -> int:
        dataset = self.pipeline.dataset
        key = f"{dataset}/{self.month.path}/{dataset}_tripdata_{self.month}.parquet"
        head = boto3.client("s3").head_object(Bucket=self.deployment.raw_bucket, Key=key)
        return int(head["ContentLength"])

    def manifest(self) -> dict[str, Any]:
        manifest = self._read_manifest()
        assert manifest is not None, "the transform has succeeded, so its manifest is there"
        return manifest

    def _read_manifest(self) -> dict[str, Any] | None:
        bucket, dataset = self.deployment.processed_bucket, self.pipeline.dataset
        return verify.read_manifest(boto3.client("s3"), bucket, dataset, self.month)

    def count_loaded(self) -> int:
        rows = verify.count_loaded(lambda sql: warehouse.query(self.deployment, sql), self.pipeline.table)
        return rows.get(str(self.month), 0)
