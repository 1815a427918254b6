"""`elt status`: recent executions."""

from __future__ import annotations

import datetime
from typing import Any

import click

from orchestration.cli.options import PIPELINE, env_option, json_option, print_json, print_table
from orchestration.environments import Environment
from orchestration.executions import seconds_between
from orchestration.pipelines import Pipeline, all_pipelines


@click.command("status", help="Recent executions, newest first.")
@click.argument("pipeline", type=PIPELINE, required=False)
@click.option("--limit", type=click.IntRange(1, 1000), default=10, show_default=True, help="How many, a pipeline.")
@env_option
@json_option
def command(pipeline: Pipeline | None, limit: int, environment: Environment, as_json: bool) -> None:
    import boto3

    from orchestration.cli.deploy import find
    from orchestration.cli.local import connect

    connect(environment)
    deployment = find(environment)
    states = boto3.client("stepfunctions")
    rows = [
        _row(one.name, execution)
        for one in ([pipeline] if pipeline else all_pipelines())
        for execution in list_recent(states, deployment.machines[one.name], limit)
    ]
    rows.sort(key=lambda row: row["started"], reverse=True)
    if as_json:
        print_json(rows)
    else:
        show(rows, environment)


def list_recent(states: Any, alias: str, limit: int) -> list[dict[str, Any]]:
    """List the newest executions of an alias's machine, those started directly on the machine too."""
    machine = alias.rsplit(":", 1)[0]
    pages = states.get_paginator("list_executions").paginate(
        stateMachineArn=machine, PaginationConfig={"MaxItems": limit}
    )
    return [execution for page in pages for execution in page["executions"]]


def _row(pipeline: str, execution: dict[str, Any]) -> dict[str, Any]:
    end = execution.get("stopDate") or datetime.datetime.now(datetime.UTC)
    return {
        "pipeline": pipeline,
        "name": execution["name"],
        "execution": execution["executionArn"],
        "status": execution["status"],
        "started": execution["startDate"].astimezone(datetime.UTC).isoformat(timespec="seconds"),
        "seconds": round(seconds_between(execution["startDate"], end), 1),
    }


def show(rows: list[dict[str, Any]], environment: Environment) -> None:
    from rich.table import Table

    if not rows:
        again = f"elt run yellow-trips --month 2024-09 --env {environment.name}"
        click.echo(f"nothing has run yet; try: {again}", err=True)
        return
    table = Table(box=None, pad_edge=False)
    for column in ("pipeline", "execution", "status", "started (UTC)"):
        table.add_column(column, no_wrap=True)
    table.add_column("seconds", justify="right", no_wrap=True)
    for row in rows:
        started = row["started"][:19].replace("T", " ")
        table.add_row(row["pipeline"], row["name"], row["status"], started, f"{row['seconds']:.1f}")
    print_table(table)
