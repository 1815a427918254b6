"""`elt local`: AWS on this machine. The only module that imports `local_cloud`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from orchestration import environments
from orchestration.cli.options import confirm, json_option, print_json
from orchestration.environments import Environment
from orchestration.errors import EltError, RunFailed, UsageError
from orchestration.project import find_root

#: What elt itself keeps in the state folder: pages, what a demo generated, which checkout was deployed, what was typed
#: at `elt sql`.
OWN_FOLDERS = ("reports", "dashboards", "demo", "deployed", "history")

if TYPE_CHECKING:
    from local_cloud import Settings, Status


def state_folder() -> Path:
    """Return the state folder: LOCAL_CLOUD_STATE, else `.elt` in the checkout or here."""
    return Path(os.environ.get("LOCAL_CLOUD_STATE") or (find_root() or Path.cwd()) / ".elt")


def state_path(folder: str, name: str = "") -> Path:
    """Return one of OWN_FOLDERS, or a file in it. What this process writes from now on is its owner's alone."""
    os.umask(0o077)
    return state_folder() / folder / name


def settings(*, port: int | None = None) -> Settings:
    """Return where this checkout's cloud lives: its state folder and its port.

    The port is the given one, else that of AWS_ENDPOINT_URL if it names this machine, else that of the cloud
    running on the state folder, else local_cloud's own choice.
    """
    state, typed = state_folder(), str(port or "")
    if port is None:
        endpoint = environments.endpoint()
        port = endpoint.port if endpoint and endpoint.hostname in ("127.0.0.1", "localhost") else None
    with _local_cloud() as cloud:
        chosen: Settings = cloud.Settings.create(state_dir=state, port=port, typed=cloud.Typed("elt local", port=typed))
        if port is None:
            running = cloud.status(chosen)
            if running.running and running.port:
                chosen = replace(chosen, port=running.port)
    return chosen


def connect(environment: Environment) -> None:
    """Point the SDK at an environment, and start the cloud of one that lives on this machine.

    Of any other one, stderr shows the account, the region and the endpoint, before anything is read or changed.
    """
    if environment.is_on_this_machine:
        start(settings())
    environment.activate()
    if not environment.is_on_this_machine:
        _announce(environment)


def _announce(environment: Environment) -> None:
    from orchestration.environments import destination
    from orchestration.progress import stderr

    found = destination.find(environment)
    stderr().print(str(found))
    if warning := destination.warning(found):
        stderr().print(f"WARNING: {warning}", style="bold yellow")


def start(chosen: Settings) -> Status:
    """Start the cloud if it is down and point AWS_ENDPOINT_URL at it. Errors: EltError.

    What a start found in the state goes to stderr.
    """
    with _local_cloud() as cloud:
        ran = cloud.status(chosen).running
        found: Status = cloud.up(chosen)
    for notice in () if ran else found.notices:
        click.echo(f"elt: {notice}", err=True)
    os.environ["AWS_ENDPOINT_URL"] = chosen.endpoint
    return found


@contextmanager
def _local_cloud() -> Iterator[Any]:
    """Give the package, whose errors become EltError. Errors: UsageError where it is not installed."""
    try:
        import local_cloud
    except ImportError as error:
        raise UsageError(
            "AWS on this machine needs the package local-cloud: pip install packages/local-cloud, in a checkout"
        ) from error
    try:
        yield local_cloud
    except local_cloud.LocalCloudError as error:
        raise (UsageError if error.exit_code == UsageError.exit_code else EltError)(str(error)) from error


@click.group("local", help="Start, stop and look at AWS on this machine.")
def command() -> None:
    pass


@command.command()
@click.option("--port", type=click.IntRange(1, 65535), help="Port on 127.0.0.1. [default: 4566]")
@json_option
def up(port: int | None, as_json: bool) -> None:
    """Start it, unless it runs."""
    found = start(settings(port=port))
    if as_json:
        print_json(found.as_json())
    else:
        click.echo(found.line)


@command.command()
def down() -> None:
    """Stop it. Its state stays."""
    with _local_cloud() as cloud:
        stopped = cloud.down(settings())
    click.echo("stopped" if stopped else "it was not running", err=True)


@command.command()
@json_option
def status(as_json: bool) -> None:
    """Whether it runs, and where, and what it takes on disk."""
    from orchestration.progress import size

    chosen = settings()
    with _local_cloud() as cloud:
        found, sizes = cloud.status(chosen), cloud.sizes(chosen)
    if as_json:
        print_json(found.as_json() | {"bytes": sizes})
        return
    click.echo(str(found))
    for kind, count in sizes.items():
        click.echo(f"{size(count):>12}  {kind}")


@command.command()
@click.option("--dry-run", is_flag=True, help="Delete nothing, say what would be freed.")
@json_option
def prune(dry_run: bool, as_json: bool) -> None:
    """Delete what nothing needs any more, and say how much each kind freed.

    These are development releases that no environment has, may be rolled back to, or is deploying; job environments,
    wheels and functions of what is not deployed any more; and, in your cache, downloaded wheels that no checkout has
    used for 30 days. What is younger than an hour stays. Objects, tables, mails, logs and published releases are never
    touched: `elt local reset` deletes those.
    """
    from orchestration.cli import prune as pruning
    from orchestration.errors import NotDeployed
    from orchestration.releases.bucket import publishing

    connect(environments.load("local"))
    freed: dict[str, int] = {}
    try:
        store = publishing.find_artifacts()
    except NotDeployed:
        pass  # so there are no releases either
    else:
        freed[pruning.RELEASES] = pruning.releases(store, dry_run=dry_run)
    with _local_cloud() as cloud:
        freed |= cloud.prune(settings(), dry_run=dry_run)
        freed[pruning.DOWNLOADS] = pruning.downloads(cloud.size_of, dry_run=dry_run)
    pruning.show(freed, dry_run=dry_run, as_json=as_json)


@command.command()
def recover() -> None:
    """Set aside what cannot be read of its state, and say what that costs.

    Nothing is deleted. Tables and objects are kept; `elt deploy` brings definitions back, `elt verify` names what is to
    be loaded again.
    """
    chosen = settings()
    with _local_cloud() as cloud:
        done = cloud.recover(chosen)
    click.echo("\n".join(done) or f"nothing is damaged in {chosen.state_dir}")


@command.command()
@click.option("--yes", is_flag=True, help="Do not ask.")
def reset(yes: bool) -> None:
    """Stop it and delete all of its state, with pages and generated files beside it, after listing it."""
    import shutil

    chosen = settings()
    own = [path for name in OWN_FOLDERS if (path := chosen.state_dir / name).is_dir()]
    with _local_cloud() as cloud:
        doomed = [*cloud.state_of(chosen), *own]
        if not doomed:
            click.echo(f"nothing to delete in {chosen.state_dir}", err=True)
            return
        if not yes:
            confirm("This deletes\n" + "".join(f"  {path}\n" for path in doomed) + "Go on?")
        cloud.down(chosen)
        for path in own:
            shutil.rmtree(path)
        for path in [*own, *cloud.reset(chosen)]:
            click.echo(f"deleted {path}", err=True)


@command.command()
@click.option("--unset", is_flag=True, help="Lines that undo it: what still has the value it was given is unset.")
def env(unset: bool) -> None:
    """Shell lines that point boto3 and the aws command at it: eval "$(elt local env)"."""
    variables = dict(environments.load("local").sdk) | {"AWS_ENDPOINT_URL": settings().endpoint}
    for name, value in variables.items():
        if not unset:
            click.echo(f"export {name}={value}")
        elif os.environ.get(name) == value:
            click.echo(f"unset {name}")


@command.command()
@click.argument("schedule")
@click.option(
    "--time",
    default="",
    metavar="TIME",
    help="When it was due (ISO 8601): the day that reviews loads. Months count back from today all the same. "
    "[default: now]",
)
@json_option
def fire(schedule: str, time: str, as_json: bool) -> None:
    """Fire a schedule now, enabled or not: a pipeline's name, such as yellow-trips, or that with -overdue.

    Prints what the function that it calls says.
    """
    import json
    import time as clock

    import boto3

    from orchestration import scheduled_calls

    began = clock.time()
    connect(environments.load("local"))
    _check_schedule(schedule)
    with _local_cloud() as cloud:
        fired = cloud.fire(settings(), f"elt-local-{schedule}", time=time)
    log = scheduled_calls.read_next_call(boto3.client("logs"), fired["target"], since=began)
    function = fired["target"].rsplit(":", 1)[-1]
    if log is None:
        raise EltError(
            f"{schedule} was fired, but {function} has not ended yet; look at log group /aws/lambda/{function}"
        )
    failed = next((line["message"] for line in log if str(line.get("message")).startswith("[ERROR]")), None)
    if failed is not None:
        raise RunFailed(f"{schedule} was fired, but {function} failed: {failed.removeprefix('[ERROR] ')}")
    if as_json:
        print_json({"schedule": fired["schedule"], "target": fired["target"], "log": log})
    else:
        click.echo("\n".join(json.dumps(line, ensure_ascii=False) for line in log))


def _check_schedule(schedule: str) -> None:
    """Raise UsageError, which names the schedules there are, unless this is one."""
    import boto3

    pages = boto3.client("scheduler").get_paginator("list_schedules").paginate(NamePrefix="elt-local-")
    there = sorted(one["Name"].removeprefix("elt-local-") for page in pages for one in page["Schedules"])
    if not there:
        raise UsageError("no schedule is deployed; run `elt deploy` first")
    if schedule not in there:
        raise UsageError(f"there is no schedule {schedule!r}; there are: {', '.join(there)}")


def _show(found: Status, as_json: bool) -> None:
    if as_json:
        print_json(found.as_json())
    else:
        click.echo(str(found))
