"""`elt verify`: the warehouse against the manifests, or against its source."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from orchestration.cli.options import PIPELINE, env_option, json_option, print_json, print_table
from orchestration.environments import Environment
from orchestration.pipelines import DailyPipeline, Pipeline

if TYPE_CHECKING:
    from orchestration.reviews.verify import CategoryCheck
    from orchestration.trips.verify import MonthCheck

Check = TypeVar("Check", "MonthCheck", "CategoryCheck")


@click.command(
    "verify",
    help="Compare the warehouse with the manifests, month by month, or reviews with their source, category by "
    "category. Exit code 1 if they differ.",
)
@click.argument("pipeline", type=PIPELINE)
@env_option
@json_option
def command(pipeline: Pipeline, environment: Environment, as_json: bool) -> int:
    import boto3

    from orchestration import warehouse
    from orchestration.cli.deploy import find
    from orchestration.cli.local import connect
    from orchestration.reviews.placing import find_unlisted
    from orchestration.reviews.source import describe_unlisted
    from orchestration.reviews.verify import check_categories
    from orchestration.trips.drift import explain_months
    from orchestration.trips.verify import check_months

    connect(environment)
    deployment = find(environment)

    def query(sql: str) -> list[tuple[Any, ...]]:
        return warehouse.query(deployment, sql)

    if isinstance(pipeline, DailyPipeline):
        others = find_unlisted(boto3.client("s3"), deployment.raw_bucket, pipeline)
        if others:
            click.echo(describe_unlisted(others), err=True)
        return _print(check_categories(pipeline, query), show_categories, as_json)
    months = check_months(pipeline, boto3.client("s3"), deployment.processed_bucket, query)
    exit_code = _print(months, show, as_json)
    if older := [one for one in months if one.before]:
        columns = ", ".join(dict.fromkeys(column for one in older for column in one.before))
        click.echo(
            f"loaded before {pipeline.table} had {columns}: {len(older)} of {len(months)} months; `elt backfill "
            f"{pipeline.name} --from {older[0].month} --to {older[-1].month} --force --env {environment.name}` loads "
            "them again",
            err=True,
        )
    if not as_json:
        for line in explain_months((one.month, one.drift) for one in months):
            click.echo(f"drift in {line}", err=True)
    return exit_code


def _print(checks: list[Check], show: Callable[[list[Check]], None], as_json: bool) -> int:
    print_json([check.as_json() for check in checks]) if as_json else show(checks)
    return 0 if all(check.agrees for check in checks) else 1


def show(checks: list[MonthCheck]) -> None:
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
        print_table(table)
    else:
        click.echo("no month is loaded yet", err=True)


def show_categories(checks: list[CategoryCheck]) -> None:
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    table.add_column("category")
    for name in ("source", "loaded"):
        table.add_column(name, justify="right")
    table.add_column("")
    for check in checks:
        table.add_row(check.category, f"{check.source:,}", f"{check.loaded:,}", _beside(check))
    if checks:
        print_table(table)
    else:
        click.echo("nothing is loaded yet", err=True)


def _beside(check: CategoryCheck) -> str:
    if len(check.missing_from) == 1:
        return f"NOT IN THE {check.missing_from[0].upper()}"
    if check.missing_from:
        return "no reviews"
    return "agrees" if check.agrees else "DIFFERS"
