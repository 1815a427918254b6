"""`elt run` of a pipeline that runs by day."""

from __future__ import annotations

import datetime
import shlex
from typing import TYPE_CHECKING

import click

from orchestration.cli.options import print_json
from orchestration.environments import Environment
from orchestration.errors import RunFailed
from orchestration.pipelines import DailyPipeline

if TYPE_CHECKING:
    from orchestration.deployment import Deployment
    from orchestration.executions import Execution
    from orchestration.reviews.source import Delivery


def run(pipeline: DailyPipeline, source: str | None, *, no_wait: bool, environment: Environment, as_json: bool) -> int:
    """Put `source`, if there is one, in place, run the pipeline for today (UTC), and follow it to its end."""
    import boto3

    from orchestration.cli.deploy import find_or_deploy
    from orchestration.cli.local import connect
    from orchestration.cli.run import failure_text
    from orchestration.reviews import source as sources

    if source:
        sources.check(source)
    connect(environment)
    deployment = find_or_deploy(environment)
    if source:
        deliver(deployment, pipeline, source)
    sources.check_delivered(boto3.client("s3"), deployment.raw_bucket)
    rerun = rerun_command(pipeline, environment)
    arn = start(deployment, pipeline, rerun)
    if no_wait:
        print_json({"execution": arn}) if as_json else click.echo(arn)
        return 0
    execution = follow(deployment, pipeline, arn)
    if as_json:
        print_json({"pipeline": pipeline.name, **execution.as_json()})
    if execution.status != "SUCCEEDED":
        raise RunFailed(failure_text(execution, rerun))
    return 0


def rerun_command(pipeline: DailyPipeline, environment: Environment) -> str:
    """Without a source: that is in place by then."""
    return shlex.join(["elt", "run", pipeline.name, "--env", environment.name])


def deliver(deployment: Deployment, pipeline: DailyPipeline, source: str) -> Delivery:
    """Put a source in place, and tell on stderr what came."""
    import boto3

    from orchestration.progress import size, stderr
    from orchestration.reviews import source as sources

    console = stderr()
    with console.status("putting the reviews in place"):
        done = sources.deliver(source, boto3.client("s3"), deployment.raw_bucket)
    if done.conversion:
        converted = done.conversion
        rules = ", ".join(f"{rule} {rows:,}" for rule, rows in converted.rejected.items())
        told = f"rejected {sum(converted.rejected.values()):,}{rules and f' ({rules})'}"
        console.print(f"converted reviews: read {converted.read:,}, kept {converted.kept:,}, {told}")
    place = f"s3://{deployment.raw_bucket}/{sources.PREFIX}"
    files = "1 file" if done.objects == 1 else f"{done.objects:,} files"
    console.print(f"put {files} of reviews, {size(done.bytes)}, into {place}")
    if others := sorted(set(done.categories) - set(pipeline.categories)):
        console.print(
            f"not loaded, since pipelines/{pipeline.name}/pipeline.toml does not list them: {', '.join(others)}"
        )
    return done


def start(deployment: Deployment, pipeline: DailyPipeline, rerun: str) -> str:
    import boto3

    from orchestration import executions

    return executions.start_day(
        boto3.client("stepfunctions"),
        deployment.machines[pipeline.name],
        pipeline=pipeline,
        day=datetime.datetime.now(datetime.UTC).date(),
        rerun=rerun,
    )


def follow(deployment: Deployment, pipeline: DailyPipeline, arn: str) -> Execution:
    """Show the execution until it is final, and return its last reading."""
    from orchestration.cli.run import follow_with
    from orchestration.reviews.outcome import DayOutcome

    return follow_with(DayOutcome(deployment, pipeline, arn.rsplit(":", 1)[-1]).detail, arn)
