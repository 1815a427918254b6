"""`elt demo`: everything, on this machine, on a generated month and generated reviews."""

from __future__ import annotations

import shutil
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from orchestration import environments, pipelines
from orchestration.cli.following import failure_text
from orchestration.cli.options import MONTH, json_option, print_json
from orchestration.errors import RunFailed
from orchestration.pipelines import Month

if TYPE_CHECKING:
    from orchestration.dashboard import Page
    from orchestration.executions import Execution
    from orchestration.releases.environment.deployment import Deployment
    from orchestration.reviews.verify import CategoryCheck
    from orchestration.trips.verify import MonthCheck

MONTH_OF_THE_DEMO = "2024-09"


@dataclass(frozen=True)
class Reviews:
    """What became of the generated reviews: the run, the table beside its source, and the analysts' page."""

    execution: Execution
    checks: list[CategoryCheck]
    page: Page

    def as_json(self) -> dict[str, Any]:
        checks = [check.as_json() for check in self.checks]
        return {**self.execution.as_json(), "categories": checks, "dashboard": str(self.page.path)}

    @property
    def agree(self) -> bool:
        return all(check.agrees for check in self.checks)


@click.command("demo", help="The pipelines on this machine, on a generated month of trips and generated reviews.")
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
@click.option(
    "--reviews",
    type=click.IntRange(100, 50_000_000),
    default=50_000,
    show_default=True,
    help="Reviews to generate.",
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Another seed, other data.")
@click.option("--port", type=click.IntRange(1, 65535), help="The port of AWS on this machine, where it is down.")
@json_option
def command(  # noqa: PLR0917
    rows: int, month: Month, reviews: int, seed: int, port: int | None, as_json: bool
) -> int:
    from orchestration.cli import local, run
    from orchestration.cli.deploy import deploy_from_checkout
    from orchestration.generate import yellow_month
    from orchestration.progress import stderr
    from orchestration.trips import source

    environment, pipeline = environments.load("local"), pipelines.load("yellow-trips")
    console = stderr()
    began = time.monotonic()
    chosen = local.settings(port=port)
    local.start(chosen)
    environment.activate()
    console.print(f"AWS on this machine answers at {chosen.endpoint}, its state is in {chosen.state_dir}")
    deployment = deploy_from_checkout(environment)
    folder = local.state_path("demo")
    with console.status(f"generating {rows:,} trips"):
        file = yellow_month(folder, month=month, rows=rows, seed=seed)
    console.print(f"generated {rows:,} trips: {file.name}, {file.stat().st_size / 1e6:,.1f} MB")
    rerun = run.rerun_command(pipeline, month, source=str(folder), environment=environment)
    with source.serve(folder) as url:
        arn = run.start(deployment, pipeline, month, source_url=url, rerun=rerun, force=False)
        execution = run.follow(deployment, pipeline, month, arn, serves=True)
    if execution.status != "SUCCEEDED":
        raise RunFailed(failure_text(execution, rerun))
    check = _check(deployment, pipeline, month)
    reviewed = _run_reviews(deployment, folder / "reviews", rows=reviews, seed=seed)
    seconds = time.monotonic() - began
    if as_json:
        rest = {"reviews": reviewed.as_json(), "total_seconds": round(seconds, 2)}
        print_json({**execution.as_json(), "rows": check.as_json(), **rest})
    else:
        _show(execution, check, reviewed, seconds)
        _what_next(rerun, str(chosen.state_dir))
    return 0 if check.agrees and reviewed.agree else 1


def _run_reviews(deployment: Deployment, folder: Path, *, rows: int, seed: int) -> Reviews:
    from orchestration import generate, warehouse
    from orchestration.cli import dashboard, run_day
    from orchestration.progress import stderr
    from orchestration.reviews.verify import check_categories

    pipeline = pipelines.load_daily("reviews")
    with stderr().status(f"generating {rows:,} reviews"):
        generate.reviews(folder, categories=pipeline.categories, rows=rows, seed=seed)
    stderr().print(f"generated {rows:,} reviews; loaded are those since {pipeline.since_year}")
    run_day.deliver(deployment, pipeline, str(folder), yes=True)
    rerun = run_day.rerun_command(pipeline, environments.load("local"))
    execution = run_day.follow(deployment, pipeline, run_day.start(deployment, pipeline, rerun))
    if execution.status != "SUCCEEDED":
        raise RunFailed(failure_text(execution, rerun))
    checks = check_categories(pipeline, lambda sql: warehouse.query(deployment, sql))
    return Reviews(execution, checks, dashboard.write(deployment, pipeline.name))


def _check(deployment: Deployment, pipeline: pipelines.Pipeline, month: Month) -> MonthCheck:
    import boto3

    from orchestration import warehouse
    from orchestration.trips.verify import check_months

    checks = check_months(
        pipeline,
        boto3.client("s3"),
        deployment.processed_bucket,
        lambda sql: warehouse.query(deployment, sql),
    )
    return next(check for check in checks if check.month == str(month))


def _show(execution: Execution, check: MonthCheck, reviews: Reviews, seconds: float) -> None:
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
    for run in (execution, reviews.execution):
        for state in run.states:
            if state.job:
                table.add_row(state.name, f"{state.seconds:.1f} s")
    table.add_row("everything", f"{seconds:.1f} s")
    console = Console(highlight=False, soft_wrap=True)
    console.print()
    console.print(table)
    held = "exactly once" if check.agrees else "NOT as its manifest says"
    console.print(f"\nyellow_trips holds {check.month} {held}.")
    loaded = sum(one.loaded for one in reviews.checks)
    held = "as their source does" if reviews.agree else "NOT as their source does"
    console.print(f"reviews holds {loaded:,} reviews of {len(reviews.checks)} categories, {held}.")
    console.print(f"The analysts' page: {reviews.page.path}")


def _what_next(rerun: str, state: str) -> None:
    activate = "" if shutil.which("elt") else f"  . {Path(sys.executable).parent / 'activate'}\n"
    click.echo(f"""
What to try next:
{activate}  {rerun}
      the same month again: the count stays the same
  elt verify yellow-trips
      the table against the manifests
  elt run reviews; elt dashboard reviews
      the reviews again, and the page of their report
  elt status; elt logs
      what ran, and what its jobs logged
  eval "$(elt local env)"; aws s3 ls; aws stepfunctions list-state-machines
      the aws command and boto3 work here as they do on AWS
  elt local down
      stop it; everything it holds stays in {state}""")
