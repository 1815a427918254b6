"""`elt rollback`: the release that was there before."""

from __future__ import annotations

import dataclasses

import click

from orchestration.cli.options import env_option, json_option, print_json
from orchestration.environments import Environment
from orchestration.errors import UsageError


@click.command("rollback")
@click.option("--to", "release_id", metavar="ID", help="Which, of those it had. [default: the one before]")
@env_option
@json_option
def command(release_id: str | None, environment: Environment, as_json: bool) -> None:
    """Deploy the release that was live before the one that is.

    Rolling back once more goes one release further back, not forward again. While a deployment is unfinished, since it
    was cut short, what was live before that is deployed; an unfinished rollback is ended. --to takes what was live
    there at some time and nothing else: `elt promote` is for what was not. What somebody changed by hand is restored,
    too. Data stays: tables and objects are as the last runs left them.
    """
    from orchestration.cli.deploy import deploy_release
    from orchestration.cli.local import connect
    from orchestration.releases.bucket import history, publishing, records
    from orchestration.releases.environment import deployment

    connect(environment)
    store = publishing.find_artifacts()
    live = records.standing(store, environment.name).live
    if live is None:
        raise UsageError(f"nothing is deployed to {environment.name} that could be rolled back")
    target = release_id or history.rollback_target(store, environment.name)
    if target is None:
        raise UsageError(
            f"no other release was deployed to {environment.name} before {live.release}; name one with --to"
        )
    release = history.release(store, target)
    had = history.ever_deployed(store, environment.name)
    if target not in had:
        raise UsageError(
            f"release {target} was never live in {environment.name}; the last ones were {', '.join(had[:5])}"
        )
    deployed = deploy_release(environment, store, release, action="rollback")
    if as_json:
        print_json({"release": deployed.release, **dataclasses.asdict(deployment.find(environment))})
