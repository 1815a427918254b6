"""`elt demo`: everything, on this machine, on a generated month."""

from __future__ import annotations

import shutil
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from orchestration import environments, pipelines
from orchestration.cli.options import MONTH, json_option, print_json
from orchestration.errors import RunFailed
from orchestration.pipelines import Month

if TYPE_CHECKING:
    from orchestration.executions import Execution
    from orchestration.verify import MonthCheck

MONTH_OF_THE_DEMO = "2024-09"


@click.command("demo", help="The whole pipeline on this machine, on a generated month.")
@click.option(
    "--rows",
    type=click.IntRange(1, 50_000_000),
    default=500_000,
    show_default=True,
    help="Trips to generate.",
)
@click.option(
    "--month",
    type=MONTH,
    default=MONTH_OF_THE_DEMO,
    show_default=True,
    metavar="YYYY-MM",
    help="Which month.",
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Another seed, other trips.")
@json_option
def command(rows: int, month: Month, seed: int, as_json: bool) -> int:
    from orchestration import sources
    from orchestration.cli import local, run
    from orchestration.cli.deploy import deploy_from_checkout
    from orchestration.generate import yellow_month
    from orchestration.progress import stderr

    environment, pipeline = environments.load("local"), pipelines.load("yellow-trips")
    console = stderr()
    began = time.monotonic()
    chosen = local.settings()
    local.start(chosen)
    environment.activate()
    console.print(f"AWS on this machine answers at {chosen.endpoint}, its state is in {chosen.state_dir}")
    deployment = deploy_from_checkout(environment)
    folder = chosen.state_dir / "demo"
    with console.status(f"generating {rows:,} trips"):
        file = yellow_month(folder, month=month, rows=rows, seed=seed)
    console.print(f"generated {rows:,} trips: {file.name}, {file.stat().st_size / 1e6:,.1f} MB")
    rerun = run.rerun_command(pipeline, month, source=str(folder), environment=environment)
    with sources.serve(folder) as url:
        arn = run.start(deployment, pipeline, month, source_url=url, rerun=rerun, force=False)
        execution = run.follow(deployment, pipeline, month, arn)
    if execution.status != "SUCCEEDED":
        raise RunFailed(run.failure_text(execution, rerun))
    check = _check(deployment, pipeline, month)
    seconds = time.monotonic() - began
    if as_json:
        print_json({**execution.as_json(), "rows": check.as_json(), "total_seconds": round(seconds, 2)})
    else:
        _show(execution, check, seconds)
        _what_next(rerun, str(chosen.state_dir))
    return 0 if check.agrees else 1


def _check(deployment: object, pipeline: pipelines.Pipeline, month: Month) -> MonthCheck:
    import boto3

    from orchestration import verify, warehouse
    from orchestration.deployment import Deployment

    assert isinstance(deployment, Deployment)
    checks = verify.check(
        pipeline,
        boto3.client("s3"),
        deployment.processed_bucket,
        lambda sql: warehouse.query(deployment, sql),
    )
    return next(check for check in checks if check.month == str(month))


def _show(execution: Execution, check: MonthCheck, seconds: float) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column()
    table.add_column(justify="right")
    table.add_row("read", f"{check.read:,}")
    table.add_row("kept", f"{check.kept:,}")
    table.add_row("rejected", f"{sum(check.rejected.values()):,}")
    for rule, rows in check.rejected.items():
        table.add_row(f"  {rule}", f"{rows:,}")
    table.add_row("loaded", f"{check.loaded:,}")
    table.add_row()
    for state in execution.states:
        if not state.name.startswith("Pipeline"):
            table.add_row(state.name, f"{state.seconds:.1f} s")
    table.add_row("everything", f"{seconds:.1f} s")
    console = Console(highlight=False)
    console.print()
    console.print(table)
    held = "exactly once" if check.agrees else "NOT as its manifest says"
    console.print(f"\nyellow_trips holds {check.month} {held}.")


def _what_next(rerun: str, state: str) -> None:
    activate = "" if shutil.which("elt") else f"  . {Path(sys.executable).parent / 'activate'}\n"
    click.echo(f"""
What to try next:
{activate}  {rerun}
      the same month again: the count stays the same
  elt verify yellow-trips
      the table against the manifests
  elt status; elt logs
      what ran, and what its jobs logged
  eval "$(elt local env)"; aws s3 ls; aws stepfunctions list-state-machines
      the aws command and boto3 work here as they do on AWS
  elt local down
      stop it; everything it holds stays in {state}""")
