"""`elt backfill`: many months of a pipeline, those that are missing."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

import click

from orchestration.cli.backfill_outcome import conclude, describe_overtaken
from orchestration.cli.current import AS_DEPLOYED, find_for_run
from orchestration.cli.following import interruptible
from orchestration.cli.options import MONTH, MONTHLY_PIPELINE, env_option, json_option, print_json
from orchestration.environments import Environment
from orchestration.errors import RunFailed, UsageError
from orchestration.pipelines import Month, MonthlyPipeline

if TYPE_CHECKING:
    from orchestration.backfill.cost import Estimate
    from orchestration.backfill.execution import Backfill
    from orchestration.backfill.plan import Plan
    from orchestration.backfill.request import Request
    from orchestration.releases.environment.deployment import Deployment

#: As many runs at once as the Glue jobs allow (ExecutionProperty.MaxConcurrentRuns in the templates).
MOST_AT_ONCE = 8

_HELP = """Load the months from --from to --to that are missing, some at a time.

A month is missing unless the warehouse holds it as its manifest says, so running the same command again does only
what is left. A month that fails does not stop the others; one mail tells of all that failed. Months that are not
published yet (the last two) are left out. Exit code 1 if a month failed.

\b
  elt backfill yellow-trips --from 2023-01 --to 2024-12 --plan    what would run, and what it would cost
  elt backfill yellow-trips --from 2023-01 --to 2024-12           run it and follow
  elt backfill yellow-trips --follow                              go on following, or see how the last one ended
  elt backfill yellow-trips --stop                                stop the one under way
"""


@click.command("backfill", help=_HELP)
@click.argument("pipeline", type=MONTHLY_PIPELINE)
@click.option("--from", "first", type=MONTH, metavar="YYYY-MM", help="The first month.")
@click.option("--to", "last", type=MONTH, metavar="YYYY-MM", help="The last month.")
@click.option(
    "--max-concurrency",
    type=click.IntRange(1, MOST_AT_ONCE),
    default=4,
    show_default=True,
    help="How many months at a time.",
)
@click.option("--plan", "only_plan", is_flag=True, help="Show what would run and what it would cost; start nothing.")
@click.option("--force", is_flag=True, help="Also the months that are loaded already.")
@click.option(
    "--source",
    metavar="DIR_OR_URL",
    help="A folder of TLC-named files, or an http(s):// or s3:// URL they lie under. [default: TLC's own address]",
)
@click.option("--follow", is_flag=True, help="Follow the newest backfill instead of starting one.")
@click.option("--stop", is_flag=True, help="Stop the backfill under way; months that are loaded stay loaded.")
@AS_DEPLOYED
@env_option
@json_option
def command(  # noqa: PLR0917
    pipeline: MonthlyPipeline,
    first: Month | None,
    last: Month | None,
    max_concurrency: int,
    only_plan: bool,
    force: bool,
    source: str | None,
    follow: bool,
    stop: bool,
    as_deployed: bool,
    environment: Environment,
    as_json: bool,
) -> int:
    from orchestration.backfill.plan import check_range
    from orchestration.backfill.request import Request
    from orchestration.cli.deploy import find_or_deploy
    from orchestration.cli.local import connect
    from orchestration.cli.run import check_source

    request = None
    if follow or stop:
        if (follow and stop) or any((first, last, only_plan, force, source)):
            raise UsageError(
                "--follow and --stop go alone with the pipeline: they are about a backfill already started"
            )
    elif first is None or last is None:
        raise UsageError("give --from and --to, or --follow or --stop for a backfill already started")
    else:
        check_range(pipeline, first, last)
        check_source(source, environment=environment, no_wait=False)
        request = Request(pipeline, first, last, max_concurrency, force, source, environment)
    connect(environment)
    starts_here = request is not None and not only_plan and environment.is_on_this_machine
    deployment = find_for_run(environment, as_deployed=as_deployed) if starts_here else find_or_deploy(environment)
    if request is None:
        arn = _find(deployment, pipeline, running=stop)
        if stop:
            return _stop(arn, as_json=as_json)
        return conclude(_follow(arn, pipeline, environment, serves=False), None, as_json=as_json)
    plan = _plan(deployment, request)
    if only_plan:
        return _show_plan(deployment, request, plan, as_json=as_json)
    return _run(deployment, request, plan, as_json=as_json)


def _plan(deployment: Deployment, request: Request) -> Plan:
    import boto3

    from orchestration import warehouse
    from orchestration.backfill import plan

    loaded = plan.find_loaded_months(
        request.pipeline,
        plan.months_between(request.first, request.last),
        s3=boto3.client("s3"),
        processed_bucket=deployment.processed_bucket,
        query=warehouse.query_as_reader(deployment, request.environment),
    )
    today = datetime.datetime.now(datetime.UTC).date()
    return plan.plan(request.first, request.last, loaded=loaded, today=today, force=request.force)


def _show_plan(deployment: Deployment, request: Request, plan: Plan, *, as_json: bool) -> int:
    from orchestration.backfill import tables
    from orchestration.trips.source import missing_from

    estimate = _estimate(deployment, request, len(plan.to_run))
    missing = missing_from(request.source, request.pipeline.dataset, plan.to_run)
    if as_json:
        print_json(
            {
                "pipeline": request.pipeline.name,
                "months": [
                    {**one.as_json(), "runs": one.month in plan.to_run, "no_file": one.month in missing}
                    for one in plan.months
                ],
                "estimate": estimate.as_json(),
            }
        )
    else:
        tables.show_plan(request.pipeline, plan, estimate, missing=missing)
    return 0


def _estimate(deployment: Deployment, request: Request, months: int) -> Estimate:
    import boto3

    from orchestration.backfill import cost

    rates = cost.load_rates()
    alias = deployment.machines[request.pipeline.name]
    jobs, measured = cost.measure(
        boto3.client("stepfunctions"), boto3.client("glue"), alias, dataset=request.pipeline.dataset, rates=rates
    )
    workgroup = boto3.client("redshift-serverless").get_workgroup(workgroupName=deployment.workgroup)["workgroup"]
    return cost.estimate(
        months, jobs=jobs or rates.assumed, measured=measured, rates=rates, rpu=int(workgroup["baseCapacity"])
    )


def _run(deployment: Deployment, request: Request, plan: Plan, *, as_json: bool) -> int:
    import boto3

    from orchestration.backfill import execution
    from orchestration.backfill.execution import OVERTAKEN
    from orchestration.backfill.overtaking import mark_overtaken
    from orchestration.trips.source import is_url, offer

    if not plan.to_run:
        return conclude(None, plan, as_json=as_json)
    states = boto3.client("stepfunctions")
    under_way = execution.newest(states, deployment.backfill, request.pipeline, running=True)
    if under_way:
        name = under_way.rsplit(":", 1)[-1]
        raise UsageError(f"{name} is under way already; {_ways_on(request.pipeline, request.environment)}")
    serves = bool(request.source) and not is_url(str(request.source))
    with offer(request.source) as url:
        arn = execution.start(
            states,
            deployment.backfill,
            pipeline=request.pipeline,
            months=plan.to_run,
            max_concurrency=request.max_concurrency,
            source_url=url,
            rerun=request.command,
        )
        backfill = _follow(arn, request.pipeline, request.environment, serves=serves)
    backfill = mark_overtaken(deployment, request, backfill)
    conclude(backfill, plan, as_json=as_json)
    if overtaken := backfill.having(OVERTAKEN):
        raise RunFailed(describe_overtaken(request, overtaken))
    return 0


def _follow(arn: str, pipeline: MonthlyPipeline, environment: Environment, *, serves: bool) -> Backfill:
    """Show the backfill until it is final, and return its last reading."""
    import boto3

    from orchestration.backfill import execution
    from orchestration.backfill.progress import following

    with (
        interruptible(arn, serves=serves, ways_on=_ways_on(pipeline, environment)),
        following() as show,
    ):
        for backfill in execution.follow(boto3.client("stepfunctions"), arn):
            show(backfill)
    return backfill


def _ways_on(pipeline: MonthlyPipeline, environment: Environment) -> str:
    """Name the commands for a backfill that is under way."""
    words = f"elt backfill {pipeline.name} --env {environment.name}"
    return f"follow it: {words} --follow; stop it: {words} --stop"


def _find(deployment: Deployment, pipeline: MonthlyPipeline, *, running: bool) -> str:
    import boto3

    from orchestration.backfill import execution

    found = execution.newest(boto3.client("stepfunctions"), deployment.backfill, pipeline, running=running)
    if found is None:
        raise UsageError(f"no backfill of {pipeline.name} {'is under way' if running else 'has been started yet'}")
    return found


def _stop(arn: str, *, as_json: bool) -> int:
    import boto3

    boto3.client("stepfunctions").stop_execution(executionArn=arn, cause="stopped by elt backfill --stop")
    print_json({"stopped": arn}) if as_json else click.echo(arn)
    return 0
