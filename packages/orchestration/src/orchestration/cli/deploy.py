"""`elt deploy`: bring an environment to a release, or to the checkout."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from orchestration.cli.options import env_option, json_option, print_json
from orchestration.environments import Environment
from orchestration.errors import UsageError

if TYPE_CHECKING:
    from orchestration.progress import Progress
    from orchestration.releases.bucket.records import Deployed
    from orchestration.releases.bucket.store import Store
    from orchestration.releases.building.manifest import Release
    from orchestration.releases.environment.deployment import Deployment


@click.command("deploy")
@click.option("--release", "release_id", metavar="ID", help="A published release. [default: the checkout as it is]")
@click.option("--untried", is_flag=True, help="Also one that has passed no smoke run, where that is asked for.")
@env_option
@json_option
def command(release_id: str | None, untried: bool, environment: Environment, as_json: bool) -> None:
    """Bring an environment to a release, or to the checkout.

    Without --release the checkout is built and deployed as a development release, under keys of its own: no version
    is taken by it, however often it changes, and it cannot be promoted.

    With --release the bytes that `elt release publish` put into the artifact bucket are deployed. What somebody
    changed by hand since the last deployment is restored; then come jobs, functions and state machines, a new version
    of each, and its alias `live` last. All of it is read back and compared with the release's manifest. If anything
    fails, the environment goes back to the release and the settings that were there. Executions that run go on with
    what they started with, jobs included.

    One deployment of an environment runs at a time: while another is under way, this says whose, changes nothing and
    exits with 1. One that was cut short, however and whenever, is unfinished: the same command again ends it, and
    `elt rollback` goes back to what was there before it.

    An environment that takes published releases only, such as prod, asks for more: a release that passed a smoke run
    (`elt smoke`), or was live there before. --untried is for one whose smoke run was in another account, or that cannot
    wait for one.
    """
    from orchestration.cli.local import connect
    from orchestration.releases.bucket import history, publishing
    from orchestration.releases.environment import deployment, rollout

    if untried and release_id is None:
        raise UsageError("--untried goes with --release")
    connect(environment)
    if release_id is None:
        found = _deploy_checkout(environment)
    else:
        store = publishing.find_artifacts()
        release = history.release(store, release_id)
        if not untried:
            rollout.require_tried(environment, store, release)
        found = deploy_release(environment, store, release, action="deploy")
    if as_json:
        print_json({"release": found.release, **dataclasses.asdict(deployment.find(environment))})


def deploy_from_checkout(environment: Environment) -> Deployment:
    """Deploy what the checkout holds, telling each step on stderr."""
    from orchestration.releases.environment import deployment

    _deploy_checkout(environment)
    return deployment.find(environment)


def _deploy_checkout(environment: Environment) -> Deployed:
    from orchestration.project import root
    from orchestration.releases.building.assembly import SOURCES
    from orchestration.releases.building.checkout import fingerprint
    from orchestration.releases.environment import deployment

    checkout = root()
    sources = fingerprint(checkout, paths=SOURCES)  # before the build: what is edited meanwhile is a change
    deployed = with_progress(environment, lambda report: deployment.deploy(environment, checkout, report=report))
    if environment.is_on_this_machine:
        remember_checkout(deployed.release, sources)
    return deployed


def remember_checkout(release: str, sources: str) -> None:
    """Note which release a checkout is, by its fingerprint: a run need not build it to know."""
    from orchestration.cli.local import state_path

    file = state_path("deployed", "checkout.json")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({"release": release, "sources": sources}) + "\n", encoding="utf-8")


def deploy_release(environment: Environment, store: Store, release: Release, *, action: str) -> Deployed:
    """Deploy what is in the bucket, telling each step on stderr. `action` is deploy, promote or rollback."""
    from orchestration.releases.environment.rollout import roll_out

    return with_progress(
        environment, lambda report: roll_out(environment, store, release, action=action, report=report)
    )


def with_progress(environment: Environment, work: Callable[[Progress], Deployed]) -> Deployed:
    """Run `work` and show each step on stderr. SIGTERM ends it as Ctrl-C does."""
    import time

    from orchestration.progress import stderr, steps
    from orchestration.signals import terminable

    began = time.monotonic()
    with terminable(), steps("deploying") as report:
        deployed = work(report)
    stderr().print(f"deployed {environment.name} in {time.monotonic() - began:.1f} s: release {deployed.release}")
    return deployed


def find(environment: Environment) -> Deployment:
    """Return what is deployed, for commands that only read. Errors: NotDeployed says how it is deployed."""
    from orchestration.releases.environment import deployment

    return deployment.find(environment)


def find_or_deploy(environment: Environment) -> Deployment:
    """Return what is deployed; on this machine, an empty cloud is deployed to first."""
    from orchestration.errors import NotDeployed
    from orchestration.releases.environment import deployment

    try:
        return deployment.find(environment)
    except NotDeployed:
        if not environment.is_on_this_machine:
            raise
        return deploy_from_checkout(environment)
