"""`elt destroy`: delete what holds no data."""

from __future__ import annotations

import click

from orchestration.cli.options import env_option
from orchestration.environments import Environment


@click.command("destroy", help="Delete everything deployed that holds no data: jobs, state machines, schedules, roles.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@env_option
def command(yes: bool, environment: Environment) -> None:
    import boto3

    from orchestration import deployment, stacks
    from orchestration.cli.local import connect

    artifacts_stack, data_stack, pipelines_stack = deployment.stacks_of(environment)
    if not yes:
        click.confirm(f"Delete stack {pipelines_stack.name}?", abort=True, err=True)
    connect(environment)
    deleted = deployment.destroy(environment)
    click.echo(f"stack {pipelines_stack.name}: {'deleted' if deleted else 'was not there'}")
    cloudformation = boto3.client("cloudformation")
    for stack in (data_stack, artifacts_stack):
        kept = stacks.outputs(cloudformation, stack)
        if kept is not None:
            click.echo(f"stack {stack.name}: kept, it holds data: {', '.join(sorted(kept.values()))}")
