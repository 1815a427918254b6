"""`elt verify`: the warehouse against the manifests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from orchestration.cli.options import PIPELINE, env_option, json_option, print_json
from orchestration.environments import Environment
from orchestration.pipelines import Pipeline

if TYPE_CHECKING:
    from orchestration.verify import MonthCheck


@click.command("verify", help="Compare the warehouse with the manifests, month by month. Exit code 1 if they differ.")
@click.argument("pipeline", type=PIPELINE)
@env_option
@json_option
def command(pipeline: Pipeline, environment: Environment, as_json: bool) -> int:
    import boto3

    from orchestration import verify, warehouse
    from orchestration.cli.deploy import find_or_deploy
    from orchestration.cli.local import connect

    connect(environment)
    deployment = find_or_deploy(environment)
    checks = verify.check(
        pipeline,
        boto3.client("s3"),
        deployment.processed_bucket,
        lambda sql: warehouse.query(deployment, sql),
    )
    if as_json:
        print_json([check.as_json() for check in checks])
    else:
        show(checks)
    return 0 if all(check.agrees for check in checks) else 1


def show(checks: list[MonthCheck]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    table.add_column("month")
    for name in ("read", "kept", "rejected", "loaded"):
        table.add_column(name, justify="right")
    table.add_column("")
    for check in checks:
        known = check.read is not None and check.kept is not None
        table.add_row(
            check.month,
            f"{check.read:,}" if known else "-",
            f"{check.kept:,}" if known else "-",
            f"{sum(check.rejected.values()):,}" if known else "-",
            f"{check.loaded:,}",
            "agrees" if check.agrees else "no manifest" if not known else "DIFFERS",
        )
    if checks:
        Console(highlight=False).print(table)
    else:
        click.echo("no month is loaded yet", err=True)
