"""`elt release`: build, publish, list and serve what is deployed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from orchestration.cli.options import env_option, json_option, print_json, print_table
from orchestration.environments import Environment

if TYPE_CHECKING:
    from orchestration.releases.bucket.store import Store


@click.group("release")
def command() -> None:
    """Build, publish and list releases.

    A release pins every package to the bytes that were published of it, and is named by them: a commit that changes
    none of them is the same release. It is made once, and then deployed, tried (`elt smoke`), promoted and rolled back
    to. `elt deploy` without a release makes a development release of the checkout as it is, which takes no version and
    cannot be promoted.
    """


@command.command()
@click.argument("packages", nargs=-1, metavar="[PACKAGE]…")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default="dist",
    show_default=True,
    metavar="DIR",
    help="Where to.",
)
@json_option
def build(packages: tuple[str, ...], out: Path, as_json: bool) -> None:
    """Build packages as they would be published; all of them by default.

    For each there is a folder with its wheel, entry script, SQL, definitions and templates, the bill of materials
    (CycloneDX) and SHA256SUMS; for the Glue jobs one, wheelhouse, with other people's wheels that they install. The
    same sources make the same bytes. All of them are a release, whose manifest is release.json: `elt release publish
    --from DIR` takes it from there. This takes no AWS credentials.
    """
    from orchestration.project import root
    from orchestration.releases.building import assembly
    from orchestration.releases.building.build import build_all

    if packages:
        builds = build_all(root(), out, only=packages)
    else:
        release, builds = assembly.write_folder(root(), out)
        click.echo(f"release {release.id} is in {out / assembly.MANIFEST}", err=True)
    if as_json:
        print_json({name: {"version": one.version, "files": one.digests} for name, one in builds.items()})
        return
    for name, one in builds.items():
        for file, digest in one.digests.items():
            click.echo(f"{digest}  {out / name / file}")


@command.command()
@click.option(
    "--from",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Publish what `elt release build` left here, and build nothing.",
)
@env_option
@json_option
def publish(folder: Path | None, environment: Environment, as_json: bool) -> None:
    """Build the checkout and publish it as a release; prints the release's id.

    The checkout must be as it was committed. Each package goes to <package>/<version>/ in the artifact bucket, once:
    the same bytes again are fine, other bytes under a published version are refused. With them go the wheels that the
    Glue jobs install, a package index under simple/, and last releases/<id>.json, which names all of them with their
    sha256. The same bytes are the same release, of whichever commit: what is published already is left as it is, and
    said to be. Cut short, the same command again puts what is missing.

    With --from, every file of the folder is first compared with the sha256 that its manifest has of it.

    --json also tells where the release is live and how its smoke runs ended; `current` is whether it is live in the
    environment and has passed there.
    """
    from orchestration.cli.local import connect
    from orchestration.progress import stderr
    from orchestration.project import root
    from orchestration.releases.bucket import publishing
    from orchestration.signals import terminable

    make = (
        partial(publishing.publish_built, folder) if folder else partial(publishing.publish, root(), development=False)
    )
    console = stderr()
    connect(environment)
    with terminable():
        store, release = make(report=lambda step: console.print(f"publishing: {step}"))
    if as_json:
        where = _Whereabouts.read(store).of(release.id)
        current = environment.name in where["live"] and where["smokes"].get(environment.name, False)
        print_json({**release.as_json(), **where, "current": current})
    else:
        click.echo(release.id)


@command.command("list")
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True, help="How many.")
@click.option("--all", "everything", is_flag=True, help="Development releases too, not only those that are live.")
@env_option
@json_option
def list_releases(limit: int, everything: bool, environment: Environment, as_json: bool) -> None:
    """Releases, newest first: where each is live, and how its smoke runs ended.

    While a deployment is under way or was cut short, no release is live there: the one it is of is `unfinished` in that
    environment.
    """
    from orchestration.cli.local import connect
    from orchestration.releases.bucket import publishing

    connect(environment)
    rows = _rows(publishing.find_artifacts(), limit=limit, everything=everything)
    if as_json:
        print_json(rows)
    else:
        _show(rows)


@command.command()
@click.option("--dry-run", is_flag=True, help="Delete nothing, say what would be freed.")
@env_option
@json_option
def prune(dry_run: bool, environment: Environment, as_json: bool) -> None:
    """Delete development releases that no environment has, may be rolled back to, or is deploying.

    With them goes, for good, what was uploaded for them alone; what is younger than an hour stays. Published releases
    are never touched. No deploy role may delete: this takes an administrator's profile.
    """
    from orchestration.cli import prune as pruning
    from orchestration.cli.local import connect
    from orchestration.releases.bucket import publishing

    connect(environment)
    freed = {pruning.RELEASES: pruning.releases(publishing.find_artifacts(), dry_run=dry_run)}
    pruning.show(freed, dry_run=dry_run, as_json=as_json)


@command.command()
@click.argument("run", nargs=-1, metavar="[-- COMMAND…]")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Port on 127.0.0.1. [default: a free one]")
@env_option
def serve(run: tuple[str, ...], port: int, environment: Environment) -> int:
    """Serve the bucket's package index on this machine, for pip.

    The bucket is private and pip cannot sign requests: this signs them with your AWS credentials. With a command, runs
    it with this index as pip's (and uv's) only one and exits with its code:

        elt release serve --env dev -- pip install rs-query

    No other index, no pip.conf and no folder of links is looked at, so that nobody else's package of the same name is
    taken. Without a command, prints the URL for --index-url and serves until Ctrl-C.
    """
    import os
    import subprocess

    from orchestration.cli.local import connect
    from orchestration.releases.bucket import publishing
    from orchestration.releases.bucket import serve as serving

    connect(environment)
    with serving.serving(publishing.find_artifacts(), port=port) as url:
        if run:
            return subprocess.run(run, env=serving.exclusively(url, os.environ), check=False).returncode
        click.echo(url)
        _until_interrupted()
    return 0


def _until_interrupted() -> None:
    import contextlib
    import threading

    with contextlib.suppress(KeyboardInterrupt):
        threading.Event().wait()


@dataclass(frozen=True)
class _Whereabouts:
    """Which release each environment has, and of which a deployment is unfinished there."""

    store: Store
    live: Mapping[str, str]
    unfinished: Mapping[str, str]

    @classmethod
    def read(cls, store: Store) -> _Whereabouts:
        from orchestration import environments
        from orchestration.releases.bucket import records

        standings = {name: records.standing(store, name) for name in environments.names()}
        unfinished = {name: one.unfinished.release for name, one in standings.items() if one.unfinished}
        live = {name: one.live.release for name, one in standings.items() if one.live and not one.unfinished}
        return cls(store, live, unfinished)

    def of(self, release_id: str) -> dict[str, Any]:
        """Return the environments where a release is `live` and `unfinished`, and its smoke runs' outcomes."""
        from orchestration import environments
        from orchestration.releases.bucket import history

        smokes = {name: history.smoke(self.store, release_id, name) for name in environments.names()}
        return {
            "live": [name for name, its in self.live.items() if its == release_id],
            "unfinished": [name for name, its in self.unfinished.items() if its == release_id],
            "smokes": {name: one.passed for name, one in smokes.items() if one},
        }


def _rows(store: Store, *, limit: int, everything: bool) -> list[dict[str, Any]]:
    from orchestration.releases.bucket import history

    where = _Whereabouts.read(store)
    deployed = {*where.live.values(), *where.unfinished.values()}
    listed = [
        (release_id, written)
        for release_id, written in history.releases(store)
        if everything or not release_id.startswith("dev-") or release_id in deployed
    ]
    rows = []
    for release_id, written in listed[:limit]:
        release = history.release(store, release_id)
        rows.append(
            {
                "release": release_id,
                "made": written.isoformat(timespec="seconds"),
                "commit": release.commit,
                "dirty": release.dirty,
                "development": release.development,
                "packages": {name: one.version for name, one in release.packages.items()},
                **where.of(release_id),
            }
        )
    return rows


def _show(rows: list[dict[str, Any]]) -> None:
    from rich.table import Table

    if not rows:
        click.echo("no release is published yet; `elt release publish` makes one", err=True)
        return
    table = Table(box=None, pad_edge=False)
    for column in ("release", "made", "commit", "live in", "smoke runs"):
        table.add_column(column, no_wrap=True)
    for row in rows:
        smokes = ", ".join(f"{name} {'passed' if passed else 'FAILED'}" for name, passed in row["smokes"].items())
        commit = row["commit"][:12] + ("+" if row["dirty"] else "")
        live = ", ".join([*row["live"], *(f"{name} (unfinished)" for name in row["unfinished"])])
        table.add_row(row["release"], row["made"][:16].replace("T", " "), commit, live, smokes)
    print_table(table)
