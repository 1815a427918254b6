"""`elt destroy`: delete what holds no data, and say what is kept."""

from __future__ import annotations

from collections.abc import Mapping

import click

from orchestration.cli.options import confirm, env_option, json_option, print_json
from orchestration.environments import Environment

#: What holds data, by the outputs of the stacks that name it.
_KEPT = {
    "RawBucket": "bucket",
    "ProcessedBucket": "bucket",
    "ReportsBucket": "bucket",
    "Namespace": "warehouse namespace",
    "Workgroup": "warehouse workgroup",
    "ArtifactBucket": "bucket of releases, which all environments share",
}


@click.command("destroy")
@click.option("--yes", is_flag=True, help="Do not ask.")
@env_option
@json_option
def command(yes: bool, environment: Environment, as_json: bool) -> None:
    """Delete everything deployed that holds no data: jobs, state machines, schedules, alarms, roles.

    What holds data stays: buckets, the warehouse, and the artifacts, which all environments share. It is listed, with
    the commands that remove it. A deployment that is under way is not disturbed: this then changes nothing and exits
    with 1. One of this that was cut short is ended by the same command again.
    """
    import boto3

    from orchestration.cli.local import connect
    from orchestration.progress import steps
    from orchestration.releases.environment import deployment
    from orchestration.signals import terminable
    from orchestration.stacks import updates

    artifacts_stack, data_stack, pipelines_stack = deployment.stacks_of(environment)
    if not yes:
        confirm(f"Delete stack {pipelines_stack.name}?")
    connect(environment)
    with terminable(), steps("destroying") as report:
        deleted = deployment.destroy(environment, report=report)
    cloudformation = boto3.client("cloudformation")
    data = updates.outputs(cloudformation, data_stack) or {}
    kept = data | (updates.outputs(cloudformation, artifacts_stack) or {})
    kept = {name: kept[name] for name in _KEPT if name in kept}
    if as_json:
        print_json({"stack": pipelines_stack.name, "deleted": deleted, "kept": kept})
        return
    click.echo(f"{pipelines_stack.name}: {'deleted' if deleted else 'was not there'}")
    if kept:
        click.echo("\n".join(["", "Kept, for the data in it:", *format_kept(kept)]))
    if data:
        click.echo(
            "\n".join(["", "To remove that of this environment too, for good:", *removal(data_stack.name, kept)])
        )


def format_kept(kept: Mapping[str, str]) -> list[str]:
    width = max(map(len, kept.values()))
    return [f"  {name:<{width}}  {_KEPT[output]}" for output, name in kept.items()]


def removal(data_stack: str, kept: Mapping[str, str]) -> list[str]:
    """List the commands that remove an environment's data; the artifacts are not one environment's to remove.

    A namespace can be deleted once its workgroup is gone; that takes minutes, and the SDK has no waiter for it.
    """
    workgroup, namespace = (f"--{kind}-name {kept[kind.capitalize()]}" for kind in ("workgroup", "namespace"))
    buckets = [kept[name] for name in ("RawBucket", "ProcessedBucket", "ReportsBucket")]
    return [
        f"  aws cloudformation delete-stack --stack-name {data_stack}",
        f"  aws cloudformation wait stack-delete-complete --stack-name {data_stack}",
        f"  aws redshift-serverless delete-workgroup {workgroup}",
        f"  while aws redshift-serverless get-workgroup {workgroup} > /dev/null 2>&1; do sleep 5; done",
        f"  aws redshift-serverless delete-namespace {namespace}",
        *(
            f'  python -c \'import boto3; b = boto3.resource("s3").Bucket("{bucket}");'
            " b.object_versions.delete(); b.delete()'"
            for bucket in buckets
        ),
    ]
