"""`elt plan`: what a deployment of the checkout would change."""

from __future__ import annotations

import dataclasses

import click

from orchestration.cli.options import env_option, json_option, print_json
from orchestration.environments import Environment


@click.command("plan", help="What `elt deploy` would change, and what would be lost by it; changes nothing.")
@env_option
@json_option
def command(environment: Environment, as_json: bool) -> None:
    from orchestration.cli.local import connect
    from orchestration.progress import stderr
    from orchestration.project import root
    from orchestration.releases.environment.plan import plan_checkout
    from orchestration.stacks.plan_text import plan_lines

    checkout = root()
    connect(environment)
    with stderr().status("planning"):
        changes = plan_checkout(environment, checkout)
    if as_json:
        print_json([dataclasses.asdict(change) for change in changes])
    else:
        click.echo("\n".join(plan_lines(changes)))
