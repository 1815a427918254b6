"""`elt run`: one execution of a pipeline, followed to its end."""

from __future__ import annotations

import datetime
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

from orchestration.cli.current import AS_DEPLOYED, find_for_run
from orchestration.cli.following import failure_text, follow_with
from orchestration.cli.options import MONTH, PIPELINE, env_option, json_option, print_json
from orchestration.environments import Environment
from orchestration.errors import RunFailed, UsageError
from orchestration.pipelines import DailyPipeline, Month, MonthlyPipeline, Pipeline

if TYPE_CHECKING:
    from orchestration.executions import Execution
    from orchestration.releases.environment.deployment import Deployment


@click.command("run", help="Run a pipeline and follow it, for a month also when the month is loaded already.")
@click.argument("pipeline", type=PIPELINE)
@click.option("--month", type=MONTH, metavar="YYYY-MM", help="The month to load, of a monthly pipeline.")
@click.option(
    "--source",
    metavar="DIR_OR_URL",
    help="Of a monthly pipeline: a folder of TLC-named files, or an http(s):// or s3:// URL they lie under "
    "[default: TLC's own address]. Of reviews: a folder or s3:// URL of Parquet by product_category, or a folder of "
    "the original TSV files, to put in place of what the environment holds.",
)
@click.option(
    "--engine",
    type=click.Choice(("auto", "duckdb", "spark")),
    default="auto",
    show_default=True,
    help="What transforms the month; auto takes Spark where its file is very large.",
)
@click.option("--force", is_flag=True, help="Fetch the file again even if it has not changed.")
@click.option(
    "--gone",
    multiple=True,
    metavar="CATEGORY",
    help="Of reviews: a category that has no reviews any more, on purpose; else a run refuses to delete all of one. "
    "May be given several times.",
)
@click.option(
    "--yes",
    is_flag=True,
    help="Of reviews: do not ask before a delivery replaces reviews by far fewer. Without a terminal to ask on, such a "
    "delivery is refused.",
)
@AS_DEPLOYED
@click.option("--no-wait", is_flag=True, help="Return as soon as it is started.")
@env_option
@json_option
def command(  # noqa: PLR0917
    pipeline: Pipeline,
    month: Month | None,
    source: str | None,
    engine: str,
    force: bool,
    gone: tuple[str, ...],
    yes: bool,
    as_deployed: bool,
    no_wait: bool,
    environment: Environment,
    as_json: bool,
) -> int:
    if isinstance(pipeline, DailyPipeline):
        from orchestration.cli import run_day

        if month or force or engine != "auto":
            raise UsageError(f"{pipeline.name} runs by day: it takes no --month, --engine or --force")
        if wrong := [category for category in gone if not category or "/" in category]:
            raise UsageError(f"--gone {wrong[0]!r} is no category; write it as its folder product_category=… does")
        return run_day.run(
            pipeline,
            source,
            gone=gone,
            yes=yes,
            as_deployed=as_deployed,
            no_wait=no_wait,
            environment=environment,
            as_json=as_json,
        )
    if gone or yes:
        raise UsageError(f"{pipeline.name} runs by month: it takes no --gone or --yes")
    if month is None:
        raise UsageError(f"{pipeline.name} runs by month: give it one, such as --month 2024-09")
    if isinstance(pipeline, MonthlyPipeline) and str(month) < pipeline.first_month:
        raise UsageError(f"{pipeline.name} begins with {pipeline.first_month}; --month {month} is before that")
    if month.first_day > f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d}":
        raise UsageError(f"--month {month} has not begun yet")
    from orchestration.cli.local import connect
    from orchestration.trips.drift import explain
    from orchestration.trips.outcome import Outcome
    from orchestration.trips.source import folder_of, is_url, offer

    check_source(source, environment=environment, no_wait=no_wait)
    rerun = rerun_command(pipeline, month, source=source, engine=engine, environment=environment)
    connect(environment)
    deployment = find_for_run(environment, as_deployed=as_deployed)
    with offer(source) as url:
        arn = start(deployment, pipeline, month, source_url=url, rerun=rerun, engine=engine, force=force)
        if no_wait:
            print_json({"execution": arn}) if as_json else click.echo(arn)
            return 0
        serves = source is not None and not is_url(source)
        execution = follow(deployment, pipeline, month, arn, serves=serves)
    outcome = Outcome(deployment, pipeline, month)
    drift = outcome.drift(execution) if execution.status == "SUCCEEDED" else []
    if as_json:
        print_json({"pipeline": pipeline.name, **execution.as_json(), "drift": drift})
    for line in () if as_json else drift:
        click.echo(f"drift in {month}: {explain(line)}", err=True)
    if execution.status != "SUCCEEDED":
        raise RunFailed(failure_text(execution, rerun))
    if other := outcome.explain_overtaken(execution, folder=folder_of(source)):
        raise RunFailed(f"{execution.name} succeeded, but {other}\nload this one again: {rerun}")
    return 0


def check_source(source: str | None, *, environment: Environment, no_wait: bool) -> None:
    """Raise UsageError unless a folder, which this process serves, exists and the jobs reach it."""
    from orchestration.trips.source import is_url

    if source is None or is_url(source):
        return
    if not Path(source).is_dir():
        raise UsageError(f"there is no folder {source}; --source takes a folder of TLC-named files or a URL")
    if not environment.is_on_this_machine:
        raise UsageError(f"{environment.name} cannot reach a folder on this machine; give --source a URL")
    if no_wait:
        raise UsageError("this command serves the folder to the job, so it has to wait: drop --no-wait or give a URL")


def rerun_command(
    pipeline: Pipeline, month: Month, *, source: str | None, environment: Environment, engine: str = "auto"
) -> str:
    from orchestration.trips.source import is_url

    words = ["elt", "run", pipeline.name, "--month", str(month)]
    if source:
        words += ["--source", source if is_url(source) else str(Path(source).resolve())]
    if engine != "auto":
        words += ["--engine", engine]
    return shlex.join([*words, "--env", environment.name])


def start(
    deployment: Deployment,
    pipeline: Pipeline,
    month: Month,
    *,
    source_url: str | None,
    rerun: str,
    force: bool,
    engine: str = "auto",
) -> str:
    import boto3

    from orchestration import executions

    return executions.start(
        boto3.client("stepfunctions"),
        deployment.machines[pipeline.name],
        pipeline=pipeline,
        month=month,
        source_url=source_url,
        rerun=rerun,
        force=force,
        engine=engine,
    )


def follow(deployment: Deployment, pipeline: Pipeline, month: Month, arn: str, *, serves: bool) -> Execution:
    """Show the execution until it is final, and return its last reading. One that this process serves ends with it."""
    from orchestration.trips.outcome import Outcome

    return follow_with(Outcome(deployment, pipeline, month).detail, arn, serves=serves)
