"""`elt run` of a pipeline that runs by day."""

from __future__ import annotations

import datetime
import shlex
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from typing import TYPE_CHECKING

import click

from orchestration.cli.following import failure_text, follow_with
from orchestration.cli.options import confirm, print_json
from orchestration.environments import Environment
from orchestration.errors import RunFailed, UsageError
from orchestration.pipelines import DailyPipeline

if TYPE_CHECKING:
    from orchestration.executions import Execution
    from orchestration.releases.environment.deployment import Deployment
    from orchestration.reviews.delivery import Delivery


def run(
    pipeline: DailyPipeline,
    source: str | None,
    *,
    gone: tuple[str, ...],
    yes: bool,
    as_deployed: bool = False,
    no_wait: bool,
    environment: Environment,
    as_json: bool,
) -> int:
    """Put `source`, if any, in place, run the pipeline for today (UTC), and follow it to its end.

    Categories that are `gone` may have no reviews any more. With `yes`, nothing is asked. With
    `as_deployed`, a changed checkout is not deployed.
    """
    import boto3

    from orchestration.cli.current import find_for_run
    from orchestration.cli.local import connect
    from orchestration.reviews import placing
    from orchestration.reviews import source as sources

    if source:
        sources.check(source)
    connect(environment)
    deployment = find_for_run(environment, as_deployed=as_deployed)
    if source:
        deliver(deployment, pipeline, source, gone=gone, yes=yes)
    placing.check_delivered(boto3.client("s3"), deployment.raw_bucket)
    rerun = rerun_command(pipeline, environment, gone=gone)
    arn = start(deployment, pipeline, rerun, gone=gone)
    if no_wait:
        print_json({"execution": arn}) if as_json else click.echo(arn)
        return 0
    execution = follow(deployment, pipeline, arn)
    if as_json:
        print_json({"pipeline": pipeline.name, **execution.as_json()})
    if execution.status != "SUCCEEDED":
        raise RunFailed(failure_text(execution, rerun))
    return 0


def rerun_command(pipeline: DailyPipeline, environment: Environment, *, gone: tuple[str, ...] = ()) -> str:
    """Return the command that runs it again, without a source: that is in place by then."""
    words = [word for category in gone for word in ("--gone", category)]
    return shlex.join(["elt", "run", pipeline.name, *words, "--env", environment.name])


def deliver(
    deployment: Deployment, pipeline: DailyPipeline, source: str, *, gone: tuple[str, ...] = (), yes: bool = False
) -> None:
    """Look at a source, put it in place, and tell on stderr what came.

    Errors: UsageError, with nothing changed, where a file does not fit, a category would be left without reviews, or
    far fewer would be there than before and nobody said that this is meant.
    """
    import boto3

    from orchestration.progress import stderr
    from orchestration.reviews import delivery as deliveries
    from orchestration.reviews import placing
    from orchestration.reviews import source as sources

    s3, bucket, console = boto3.client("s3"), deployment.raw_bucket, stderr()
    with ExitStack() as stack:
        with console.status("looking at the reviews"):
            delivery = stack.enter_context(deliveries.prepare(source, s3, bucket, pipeline=pipeline))
            held = placing.count_held(s3, bucket, delivery.categories, since=pipeline.since_year)
        for line in _describe(delivery, pipeline):
            console.print(line, markup=False)
        if kept := deliveries.find_not_gone(delivery, gone):
            raise UsageError(
                f"nothing was put in place, since --gone says that there are no reviews of {', '.join(kept)}, and some "
                "are delivered"
            )
        if emptied := deliveries.find_emptied(delivery, held, gone):
            lost = ", ".join(f"{category} ({held[category].all:,} in place)" for category in emptied)
            words = shlex.join(word for category in emptied for word in ("--gone", category))
            raise UsageError(
                f"nothing was put in place, since no reviews of {pipeline.since_year} or later would be left of "
                f"{lost}; if that is meant: {words}"
            )
        if (shrunk := deliveries.find_shrunk(delivery, held)) and not yes:
            fewer = (f"{name} {delivery.rows[name].all:,} instead of {held[name].all:,}" for name in shrunk)
            _ask_about(f"far fewer reviews than are in place: {', '.join(fewer)}")
        with console.status("putting the reviews in place"):
            placing.place(delivery, s3, bucket)
        console.print(_report_placed(delivery, f"s3://{bucket}/{sources.PREFIX}"))


def _ask_about(fewer: str) -> None:
    """Raise UsageError where nobody is there to ask, or the answer is no."""
    otherwise = "nothing was put in place; --yes says that it is meant"
    if not sys.stdin.isatty():
        raise UsageError(f"the delivery holds {fewer}; {otherwise}")
    confirm(f"The delivery holds {fewer}. Replace them?", otherwise=otherwise)


def _describe(delivery: Delivery, pipeline: DailyPipeline) -> Iterator[str]:
    """Yield what became of the source on the way to what is put in place."""
    from orchestration.reviews.source import describe_unlisted

    if lines := delivery.lines:
        yield f"converted reviews: read {lines.read:,}, kept {lines.kept:,}, {_count_rejected(lines.rejected)}"
    if converted := delivery.converted.values():
        rejected = sum((Counter(one.rejected) for one in converted), Counter[str]())
        read, kept = (sum(getattr(one, what) for one in converted) for what in ("read", "kept"))
        yield f"converted {_count_files(len(converted))}: read {read:,}, kept {kept:,}, {_count_rejected(rejected)}"
    if delivery.extra:
        yield f"not loaded, since the table has no such columns: {', '.join(delivery.extra)}"
    if delivery.left_out:
        yield f"not delivered, since it is no product_category=…/*.parquet: {', '.join(delivery.left_out)}"
    if others := set(delivery.categories) - set(pipeline.categories):
        yield describe_unlisted(others)


def _count_rejected(by_rule: Mapping[str, int]) -> str:
    rules = ", ".join(f"{rule} {rows:,}" for rule, rows in by_rule.items())
    return f"rejected {sum(by_rule.values()):,}{rules and f' ({rules})'}"


def _count_files(number: int) -> str:
    return "1 file" if number == 1 else f"{number:,} files"


def _report_placed(delivery: Delivery, place: str) -> str:
    from orchestration.progress import size

    return f"put {_count_files(len(delivery.files))} of reviews, {size(delivery.bytes)}, into {place}"


def start(deployment: Deployment, pipeline: DailyPipeline, rerun: str, *, gone: tuple[str, ...] = ()) -> str:
    import boto3

    from orchestration import executions

    return executions.start_day(
        boto3.client("stepfunctions"),
        deployment.machines[pipeline.name],
        pipeline=pipeline,
        day=datetime.datetime.now(datetime.UTC).date(),
        rerun=rerun,
        gone=gone,
    )


def follow(deployment: Deployment, pipeline: DailyPipeline, arn: str) -> Execution:
    """Show the execution until it is final, and return its last reading."""
    from orchestration.reviews.outcome import DayOutcome

    return follow_with(DayOutcome(deployment, pipeline, arn.rsplit(":", 1)[-1]).detail, arn)
