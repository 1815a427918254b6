"""`elt smoke`: a small month through what is deployed."""

from __future__ import annotations

import dataclasses

import click

from orchestration.cli.options import env_option, json_option, print_json
from orchestration.environments import Environment
from orchestration.errors import RunFailed, UsageError


@click.command("smoke")
@click.option("--release", "release_id", metavar="ID", help="The release that must be live. [default: whichever is]")
@env_option
@json_option
def command(release_id: str | None, environment: Environment, as_json: bool) -> int:
    """Run a small generated month through what is deployed, check what comes out, and clean up.

    It runs the real jobs on the real services, in a prefix of the buckets and a schema of the warehouse that are its
    own and gone afterwards. No row and no cent may be lost between the file, the table and the rejects. The outcome is
    recorded with the release: `elt promote` asks for it. Exit code 1 if it fails.
    """
    from orchestration.cli.local import connect
    from orchestration.progress import stderr
    from orchestration.releases.bucket import history, publishing, records
    from orchestration.releases.environment import deployment, smoke

    connect(environment)
    store = publishing.find_artifacts()
    live = records.find_live(store, environment.name)
    if live is None:
        raise UsageError(f"nothing is deployed to {environment.name}; run `elt deploy --env {environment.name}` first")
    if release_id not in (None, live.release):
        history.release(store, release_id)
        raise UsageError(
            f"release {live.release} is live in {environment.name}, not {release_id}; "
            f"run `elt deploy --env {environment.name} --release {release_id}` first"
        )
    console = stderr()
    history.save_smoke(store, smoke.record_start(live.release, environment.name))  # stands if this command is killed
    found = smoke.run(
        deployment.find(environment), live.release, report=lambda step: console.print(f"smoke run: {step}")
    )
    history.save_smoke(store, found)
    if as_json:
        print_json(dataclasses.asdict(found))
    if not found.passed:
        raise RunFailed(f"release {found.release} failed its smoke run in {environment.name}: {found.reason}")
    if not as_json:
        rows = ", ".join(f"{name} {count:,}" for name, count in found.rows.items())
        click.echo(f"release {found.release} passed in {environment.name} in {found.seconds} s: {rows}")
    return 0
