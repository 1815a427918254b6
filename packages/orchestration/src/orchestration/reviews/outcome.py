"""What a run of the reviews pipeline left behind, state by state."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import boto3

from orchestration import warehouse
from orchestration.executions import StateRun
from orchestration.pipelines import DailyPipeline
from orchestration.releases.environment.deployment import Deployment

RUN_KEY = "reviews/run_000.json"
MANIFEST_KEY = "reviews/manifest.json"


@dataclass(frozen=True)
class DayOutcome:
    """Reads the traces of one run. `run` is the execution's name."""

    deployment: Deployment
    pipeline: DailyPipeline
    run: str

    def detail(self, state: StateRun) -> str:
        """Return a few words on what a finished state did; "" for a state that leaves no trace."""
        if state.name == "SchemaSetupJob":
            return f"{len(self.pipeline.categories)} categories"
        if state.name == "ETLJob":
            read, deleted, inserted = self.audit()
            return f"read {read:,}, deleted {deleted:,}, inserted {inserted:,}"
        if state.name == "ReportJob":
            return f"{self.figures()['rows_reported']:,} rows"
        if state.name == "WriteManifest":
            return f"s3://{self.deployment.reports_bucket}/{MANIFEST_KEY}"
        return ""

    def audit(self) -> tuple[int, int, int]:
        """Rows read from the source, deleted from the table and inserted into it."""
        columns = "rows_read, rows_deleted, rows_inserted"
        run = self.run.replace("'", "''")
        rows = warehouse.query(
            self.deployment,
            f"SELECT {columns} FROM {self.pipeline.table}_audit WHERE run_id = '{run}'",  # noqa: S608
        )
        return tuple(map(int, rows[0]))  # type: ignore[return-value]

    def figures(self) -> dict[str, Any]:
        """Return the figures of the newest report."""
        answer = boto3.client("s3").get_object(Bucket=self.deployment.reports_bucket, Key=RUN_KEY)
        figures: dict[str, Any] = json.loads(answer["Body"].read())
        return figures
