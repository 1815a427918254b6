"""`elt local`: AWS on this machine. The only module that imports `local_cloud`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import click

from orchestration import environments
from orchestration.cli.options import json_option, print_json
from orchestration.environments import Environment
from orchestration.errors import EltError, RunFailed, UsageError
from orchestration.project import find_root

if TYPE_CHECKING:
    from local_cloud import Settings, Status


def state_folder() -> Path:
    """Where everything goes that is kept on this machine: LOCAL_CLOUD_STATE, else `.elt` in the checkout or here."""
    return Path(os.environ.get("LOCAL_CLOUD_STATE") or (find_root() or Path.cwd()) / ".elt")


def settings(*, port: int | None = None) -> Settings:
    """Where this checkout's cloud lives: its state folder and its port.

    The port is the given one, else that of AWS_ENDPOINT_URL if it names this machine, else that of the cloud
    running on the state folder, else local_cloud's own choice.
    """
    try:
        from local_cloud import Settings, status
    except ImportError as error:
        raise UsageError("AWS on this machine needs the package local-cloud: pip install local-cloud") from error
    state = state_folder()
    if port is None:
        endpoint = urlsplit(os.environ.get("AWS_ENDPOINT_URL", ""))
        port = endpoint.port if endpoint.hostname in ("127.0.0.1", "localhost") else None
    chosen = Settings.create(state_dir=state, port=port)
    if port is None:
        running = status(chosen)
        if running.running and running.port:
            return Settings.create(state_dir=state, port=running.port)
    return chosen


def connect(environment: Environment) -> None:
    """Point the SDK at an environment, and start the cloud of one that lives on this machine."""
    if environment.is_on_this_machine:
        start(settings())
    environment.activate()


def start(chosen: Settings) -> Status:
    """Start the cloud if it is down and point AWS_ENDPOINT_URL at it. Errors: EltError."""
    import local_cloud

    try:
        found = local_cloud.up(chosen)
    except local_cloud.LocalCloudError as error:
        raise _translated(error) from error
    os.environ["AWS_ENDPOINT_URL"] = chosen.endpoint
    return found


def _translated(error: Exception) -> EltError:
    return UsageError(str(error)) if getattr(error, "exit_code", 1) == 2 else EltError(str(error))


@click.group("local", help="Start, stop and look at AWS on this machine.")
def command() -> None:
    pass


@command.command()
@click.option("--port", type=click.IntRange(1, 65535), help="Port on 127.0.0.1. [default: 4566]")
@json_option
def up(port: int | None, as_json: bool) -> None:
    """Start it, unless it runs."""
    _show(start(settings(port=port)), as_json)


@command.command()
def down() -> None:
    """Stop it. Its state stays."""
    import local_cloud

    stopped = local_cloud.down(settings())
    click.echo("stopped" if stopped else "it was not running", err=True)


@command.command()
@json_option
def status(as_json: bool) -> None:
    """Whether it runs, and where."""
    import local_cloud

    _show(local_cloud.status(settings()), as_json)


@command.command()
@click.option("--yes", is_flag=True, help="Do not ask.")
def reset(yes: bool) -> None:
    """Stop it and delete all of its state."""
    import local_cloud

    chosen = settings()
    if not yes:
        click.confirm(f"Delete everything under {chosen.state_dir}?", abort=True, err=True)
    local_cloud.down(chosen)
    local_cloud.reset(chosen)
    click.echo(f"deleted {chosen.state_dir}", err=True)


@command.command()
def env() -> None:
    """Shell lines that point boto3 and the aws command at it: eval "$(elt local env)"."""
    variables = dict(environments.load("local").sdk) | {"AWS_ENDPOINT_URL": settings().endpoint}
    for name, value in variables.items():
        click.echo(f"export {name}={value}")


@command.command()
@click.argument("schedule")
@click.option("--time", default="", help="When the schedule is to believe it was due (ISO 8601). [default: now]")
@json_option
def fire(schedule: str, time: str, as_json: bool) -> None:
    """Fire a schedule now, enabled or not: yellow-trips, green-trips, reviews, or one of them with -overdue.

    Prints what the function that it calls says.
    """
    import json
    import time as clock

    import boto3

    import local_cloud
    from orchestration import firing

    began = clock.time()
    connect(environments.load("local"))
    try:
        fired = local_cloud.fire(settings(), f"elt-local-{schedule}", time=time)
    except local_cloud.LocalCloudError as error:
        raise _translated(error) from error
    log = firing.said(boto3.client("logs"), fired["target"], since=began)
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


def _show(found: Status, as_json: bool) -> None:
    if as_json:
        print_json(found.as_json())
    else:
        click.echo(str(found))
