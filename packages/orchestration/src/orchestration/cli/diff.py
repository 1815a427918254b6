"""`elt diff`: what is deployed beside what should be."""

from __future__ import annotations

import json
from itertools import groupby
from typing import TYPE_CHECKING, Any

import click

from orchestration.cli.options import env_option, json_option, print_json
from orchestration.environments import Environment
from orchestration.errors import UsageError

if TYPE_CHECKING:
    from orchestration.releases.environment.comparison import Comparison


@click.command("diff")
@click.option(
    "--release", "release_id", metavar="ID", help="Compared with which. [default: the one that is live, or on its way]"
)
@env_option
@json_option
def command(release_id: str | None, environment: Environment, as_json: bool) -> int:
    """What differs between an environment and a release. Exit code 0: nothing; 1: something, as of `diff`.

    Shown are what somebody changed by hand since the last deployment (property by property of jobs, functions, state
    machines, aliases, schedules and roles), bytes in S3 that are not the manifest's, and what a deployment of the
    release would change. `elt deploy --release ID` puts all of it right.

    A deployment that is under way or was cut short is named first, with where the pipelines stack is. What
    CloudFormation has changed for it is nobody's hand.
    """
    from orchestration.cli.local import connect
    from orchestration.progress import stderr
    from orchestration.releases.bucket import history, publishing, records
    from orchestration.releases.environment import comparison

    connect(environment)
    store = publishing.find_artifacts()
    standing = records.standing(store, environment.name)
    known = [standing.live, standing.unfinished]  # what is unfinished comes last, and is compared with
    default = [one.release for one in known if one and one.release != records.NO_RELEASE]
    if not default:
        raise UsageError(f"nothing is deployed to {environment.name}; run `elt deploy --env {environment.name}` first")
    release = history.release(store, release_id or default[-1])
    with stderr().status("comparing"):
        found = comparison.compare(environment, store, standing, release)
    if as_json:
        print_json(found.as_json())
    else:
        _show(found)
    return 1 if found.differs else 0


def _show(found: Comparison) -> None:
    from orchestration.stacks.plan_text import plan_lines

    if not found.differs:
        click.echo(f"{found.environment} is release {found.release}")
        return
    if found.unfinished:
        click.echo(found.unfinished.said)
        if found.unfinished.stack:
            at = found.unfinished.stands_at
            click.echo(f"  its pipelines stack is {found.unfinished.stack}{at and f', at release {at}'}")
        else:
            click.echo("  it has no pipelines stack")
    for resource, differences in groupby((*found.by_hand, *found.objects), key=lambda one: one.resource):
        click.echo(resource)
        for one in differences:
            click.echo(f"  {one.property or 'exists'}: {_short(one.wanted)} became {_short(one.found)}")
    if found.live != found.release and not found.unfinished:
        click.echo(f"release {found.live} is live, not {found.release}")
    for package, (live, wanted) in found.packages.items():
        click.echo(f"  {package} {live}, not {wanted}")
    if found.changes:
        apart = [""] if found.unfinished or found.by_hand or found.objects or found.live != found.release else []
        click.echo("\n".join([*apart, "A deployment of it would do:", "", *plan_lines(found.changes)]))
    click.echo(f"restore with: elt deploy --env {found.environment} --release {found.release}", err=True)


def _short(value: Any) -> str:
    if value is None:
        return "nothing"
    text = json.dumps(value, default=str)
    return text if len(text) <= 200 else f"{text[:197]}…"
