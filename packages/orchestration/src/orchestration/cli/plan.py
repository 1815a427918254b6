"""`elt plan`: what a deployment of the checkout would change."""

from __future__ import annotations

import dataclasses
from itertools import groupby
from typing import TYPE_CHECKING

import click

from orchestration.cli.options import env_option, json_option, print_json
from orchestration.environments import Environment

if TYPE_CHECKING:
    from orchestration.stacks import Change


@click.command("plan", help="What `elt deploy` would change; changes nothing.")
@env_option
@json_option
def command(environment: Environment, as_json: bool) -> None:
    from orchestration import deployment
    from orchestration.cli.local import connect
    from orchestration.progress import stderr
    from orchestration.project import root

    checkout = root()
    connect(environment)
    with stderr().status("planning"):
        changes = deployment.plan(environment, checkout)
    if as_json:
        print_json([dataclasses.asdict(change) for change in changes])
        return
    if not changes:
        click.echo(f"{environment.name} is up to date")
    for stack, of_stack in groupby(changes, key=lambda change: change.stack):
        click.echo(stack)
        for change in of_stack:
            click.echo(f"  {in_words(change)}")


def in_words(change: Change) -> str:
    """`change  IngestRaw (Glue Job): Command, DefaultArguments`."""
    kind = " ".join(change.kind.split("::")[1:])
    verb = {"Add": "create", "Modify": "replace" if change.replaced else "change", "Remove": "delete"}[change.action]
    what = f"{verb:<8}{change.resource} ({kind})"
    return f"{what}: {', '.join(change.properties)}" if change.properties else what
