"""`elt deploy`: bring an environment up to date with the checkout."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import click

from orchestration.cli.options import env_option, json_option, print_json
from orchestration.environments import Environment

if TYPE_CHECKING:
    from orchestration.deployment import Deployment


@click.command("deploy", help="Build the packages and bring the stacks up to date.")
@env_option
@json_option
def command(environment: Environment, as_json: bool) -> None:
    from orchestration.cli.local import connect

    connect(environment)
    found = deploy_from_checkout(environment)
    if as_json:
        print_json(dataclasses.asdict(found))


def deploy_from_checkout(environment: Environment) -> Deployment:
    """Deploy what the checkout holds, telling each step on stderr."""
    import time

    from orchestration import deployment
    from orchestration.progress import stderr
    from orchestration.project import root

    checkout, console, began = root(), stderr(), time.monotonic()
    with console.status("deploying") as spinner:

        def report(step: str) -> None:
            if console.is_terminal:
                spinner.update(f"deploying: {step}")
            else:
                console.print(f"deploying: {step}")

        found = deployment.deploy(environment, checkout, report=report)
    console.print(f"deployed {environment.name} in {time.monotonic() - began:.1f} s")
    return found


def find_or_deploy(environment: Environment) -> Deployment:
    """What is deployed; on this machine, an empty cloud is deployed to first."""
    from orchestration import deployment
    from orchestration.errors import NotDeployed

    try:
        return deployment.find(environment)
    except NotDeployed:
        if not environment.is_on_this_machine:
            raise
        return deploy_from_checkout(environment)
