"""What a run starts with: on this machine the checkout as it is now, elsewhere what is deployed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from orchestration.cli.deploy import deploy_from_checkout, find_or_deploy, remember_checkout
from orchestration.cli.local import state_path
from orchestration.environments import Environment
from orchestration.project import find_root

if TYPE_CHECKING:
    from pathlib import Path

    from orchestration.releases.bucket.records import Deployed
    from orchestration.releases.environment.deployment import Deployment

AS_DEPLOYED = click.option(
    "--as-deployed",
    is_flag=True,
    help="On this machine: run what is deployed. Without it, a checkout that was changed since is deployed first.",
)


def find_for_run(environment: Environment, *, as_deployed: bool) -> Deployment:
    """Find what a run starts with; on this machine, after a deployment of the checkout if that has changed.

    What was rolled back to or published is not replaced. Of what is not deployed, stderr has one line. Errors: those of
    a deployment, and no run starts.
    """
    found, root = find_or_deploy(environment), find_root()
    live = _find_live(environment) if root else None
    if root is None or live is None:
        return found
    if not (environment.is_on_this_machine and live.release.startswith("dev-")):
        _tell(environment, live, _count_changes(root, live))
    elif not _is_deployed(root, live):
        if not as_deployed and live.action == "deploy":
            click.echo(
                f"the checkout has changed since {environment.name} was deployed; --as-deployed keeps that", err=True
            )
            return deploy_from_checkout(environment)
        _tell(environment, live, "other files")
    return found


def _find_live(environment: Environment) -> Deployed | None:
    """Find what is live; None where a deployment is unfinished, or where the caller may start runs but not look."""
    from botocore.exceptions import ClientError

    from orchestration.releases.bucket import publishing, records

    try:
        standing = records.standing(publishing.find_artifacts(), environment.name)
    except ClientError:
        return None
    return None if standing.unfinished else standing.live


def _is_deployed(root: Path, live: Deployed) -> bool:
    """Whether the checkout is the release that is live. It is built only where its files are not those remembered."""
    from orchestration import scratch
    from orchestration.releases.building import assembly
    from orchestration.releases.building.checkout import fingerprint

    sources = fingerprint(root, paths=assembly.SOURCES)
    known = _read_last_deployed()
    if known.get("sources") == sources:
        return known.get("release") == live.release
    with scratch.folder("build") as out:
        release, _ = assembly.assemble(root, out, development=True)
    if release.id == live.release:
        remember_checkout(release.id, sources)
    return release.id == live.release


def _read_last_deployed() -> dict[str, str]:
    """Return the release and the fingerprint of the checkout that was last deployed; {} where nothing is known."""
    try:
        found = json.loads(state_path("deployed", "checkout.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _count_changes(root: Path, live: Deployed) -> str:
    """Return in words how many files differ from the commit of what is live; "" for none, or where git cannot tell."""
    from orchestration.releases.bucket import history, publishing
    from orchestration.releases.building import checkout
    from orchestration.releases.building.assembly import SOURCES

    release = history.release(publishing.find_artifacts(), live.release)
    changed = [] if release.dirty else checkout.list_changes(root, release.commit, paths=SOURCES)
    return f"{len(changed)} other file{'s' if len(changed) > 1 else ''}" if changed else ""


def _tell(environment: Environment, live: Deployed, difference: str) -> None:
    if difference:
        click.echo(
            f"{environment.name} runs release {live.release}, and the checkout has {difference}: "
            f"`elt plan --env {environment.name}` shows what a deployment would change",
            err=True,
        )
