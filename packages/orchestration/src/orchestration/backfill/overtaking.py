"""Months that another run has loaded while a backfill ran."""

from __future__ import annotations

from dataclasses import replace

import boto3

from orchestration import executions, warehouse
from orchestration.backfill.execution import OVERTAKEN, SUCCEEDED, Backfill
from orchestration.backfill.request import Request
from orchestration.pipelines import Month
from orchestration.releases.environment.deployment import Deployment
from orchestration.trips import ownership
from orchestration.trips.source import folder_of


def mark_overtaken(deployment: Deployment, request: Request, backfill: Backfill) -> Backfill:
    """Mark the months of a backfill of which the table holds another run's rows, with who loaded them."""
    runs = {
        Month.parse(run.month): ownership.Run(run.execution.rsplit(":", 1)[-1], run.started)
        for run in backfill.having(SUCCEEDED)
        if run.execution and run.started
    }
    if not runs:
        return backfill
    arn = next(run.execution for run in backfill.having(SUCCEEDED) if run.execution)
    any_run = executions.read(boto3.client("stepfunctions"), arn)
    found = ownership.find_overtaken(
        request.pipeline,
        runs,
        source_url=any_run.source_url,
        folder=folder_of(request.source),
        s3=boto3.client("s3"),
        processed_bucket=deployment.processed_bucket,
        query=lambda sql: warehouse.query(deployment, sql),
    )
    others = {str(month): clause for month, clause in found.items()}
    months = (
        replace(run, status=OVERTAKEN, cause=others[run.month]) if run.month in others else run
        for run in backfill.months
    )
    return replace(backfill, months=tuple(months))
