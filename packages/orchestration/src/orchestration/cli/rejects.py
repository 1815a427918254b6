"""`elt rejects`: the rows of a month that were rejected, and why."""

from __future__ import annotations

import sys

import click

from orchestration.cli.options import MONTH, MONTHLY_PIPELINE, env_option
from orchestration.environments import Environment
from orchestration.pipelines import Month, MonthlyPipeline

#: Rows of a table, unless --limit says otherwise; the other forms have all.
_SHOWN = 20


@click.command("rejects")
@click.argument("pipeline", type=MONTHLY_PIPELINE)
@click.option("--month", type=MONTH, required=True, metavar="YYYY-MM", help="The month, of the file.")
@click.option("--rule", metavar="NAME", help="Only the rows that broke this rule.")
@click.option(
    "--output",
    type=click.Choice(["table", "csv", "json"]),
    default="table",
    show_default=True,
    help="How the rows are written; json is an object a line.",
)
@click.option("--limit", type=click.IntRange(1), help="At most so many rows. [default: 20 of a table, else all]")
@env_option
def command(  # noqa: PLR0917
    pipeline: MonthlyPipeline,
    month: Month,
    rule: str | None,
    output: str,
    limit: int | None,
    environment: Environment,
) -> None:
    """Show the rows of a month that were rejected, as they came, with the rule that each broke.

    How many broke which rule goes to stderr.
    """
    import boto3

    from orchestration.cli.deploy import find
    from orchestration.cli.local import connect
    from orchestration.trips import rejects
    from rs_query.output import FORMS

    connect(environment)
    s3 = boto3.client("s3")
    found = rejects.find(s3, find(environment).processed_bucket, pipeline, month)
    total = sum(found.rules.values())
    click.echo(f"{pipeline.name} {month}: {total:,} of {found.rows_read:,} rows were rejected", err=True)
    for name, rows in found.rules.items():
        click.echo(f"  {rows:>10,}  {name}", err=True)
    if not total:
        return
    most = limit or (_SHOWN if output == "table" else None)
    for line in FORMS[output](rejects.read(s3, found, rule=rule, limit=most)):
        sys.stdout.write(line + "\n")
    there = found.rejected.get(rule, 0) if rule else total
    if most and there > most:
        click.echo(f"{most} of {there:,} rows; --limit {there} shows all, --output csv does, too", err=True)
