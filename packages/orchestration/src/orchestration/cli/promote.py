"""`elt promote`: the bytes that one environment tried, to another."""

from __future__ import annotations

import dataclasses

import click

from orchestration.cli.options import ENVIRONMENT, json_option, print_json
from orchestration.environments import Environment
from orchestration.errors import UsageError


@click.command("promote")
@click.option(
    "--from", "source", type=ENVIRONMENT, required=True, metavar="NAME", help="Where it passed its smoke run."
)
@click.option("--to", "target", type=ENVIRONMENT, required=True, metavar="NAME", help="Where it is to be live.")
@click.option(
    "--release", "release_id", metavar="ID", help="Which. [default: the one that is live where it comes from]"
)
@click.option("--superseded", is_flag=True, help="Also one that is not live any more where it comes from.")
@json_option
def command(source: Environment, target: Environment, release_id: str | None, superseded: bool, as_json: bool) -> None:
    """Deploy a release to one environment that has passed its smoke run in another.

    Nothing is built or copied: the target's jobs are pointed at the same objects, and their sha256 is compared with
    the release's manifest, as by every `elt deploy`. Refused are a release without a passed smoke run (`elt smoke`)
    and a development release; and one that another has taken the place of where it comes from, as a promotion that was
    approved late would be, unless with --superseded. Both environments are in the account of the target's credentials.
    """
    from orchestration.cli.deploy import deploy_release
    from orchestration.cli.local import connect
    from orchestration.releases.bucket import history, publishing, records
    from orchestration.releases.environment import deployment

    if source.name == target.name:
        raise UsageError(f"--from and --to are both {source.name}")
    connect(target)
    store = publishing.find_artifacts()
    if release_id is not None:
        live = records.standing(store, source.name).live
    else:
        live = records.find_live(store, source.name)
        if live is None:
            raise UsageError(f"nothing is deployed to {source.name} that could be promoted")
        release_id = live.release
    release = history.release(store, release_id)
    if release.development:
        raise UsageError(
            f"{release_id} is a development release; commit, `elt release publish`, `elt deploy --release ID "
            f"--env {source.name}`, `elt smoke --env {source.name}`, and promote that"
        )
    smoke = history.smoke(store, release_id, source.name)
    if smoke is None or not smoke.passed:
        outcome = "has had no smoke run" if smoke is None else f"failed its smoke run ({smoke.reason})"
        raise UsageError(f"release {release_id} {outcome} in {source.name}; run `elt smoke --env {source.name}` first")
    if not superseded and (live is None or live.release != release_id):
        has = f"{live.action} of release {live.release} at {live.at[:16]}Z" if live else "destroy"
        raise UsageError(
            f"release {release_id} is superseded in {source.name} by the {has}: promote what is live there, or this "
            "with --superseded"
        )
    deployed = deploy_release(target, store, release, action="promote")
    if as_json:
        print_json({"release": deployed.release, **dataclasses.asdict(deployment.find(target))})
