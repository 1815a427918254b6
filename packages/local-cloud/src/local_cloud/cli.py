"""`local-cloud up|down|status|recover|reset|env|fire|permissions`."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import click

from local_cloud import caches, control
from local_cloud.errors import LocalCloudError
from local_cloud.permissions import command as permissions
from local_cloud.saving import cause_of
from local_cloud.services.scheduler import command as fire
from local_cloud.settings import Settings
from local_cloud.version import __version__

F = TypeVar("F", bound=Callable[..., Any])


class _Group(click.Group):
    """Our errors end as one line and their exit code."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except OSError as error:
            click.echo(f"Error: {cause_of(error)}", err=True)
            sys.exit(LocalCloudError.exit_code)
        except LocalCloudError as error:
            click.echo(f"Error: {error}", err=True)
            sys.exit(error.exit_code)


def state_option(command: F) -> F:
    return click.option(
        "--state",
        type=click.Path(file_okay=False, path_type=Path),
        help="Folder that holds everything. [default: LOCAL_CLOUD_STATE, else .elt]",
    )(command)


def port_option(command: F) -> F:
    return click.option(
        "--port",
        type=click.IntRange(1, 65535),
        help="Port on 127.0.0.1. [default: the running one's, else LOCAL_CLOUD_PORT, else 4566]",
    )(command)


@click.group(cls=_Group, help="AWS for a serverless ELT on one machine.")
@click.version_option(__version__, prog_name="local-cloud")
def main() -> None:
    pass


@main.command()
@state_option
@port_option
def up(state: Path | None, port: int | None) -> None:
    """Start the cloud, unless it runs, and wait until it answers."""
    found = control.up(_settings(state, port))
    click.echo(found.line)
    for notice in found.notices:
        click.echo(notice, err=True)


@main.command()
@state_option
def down(state: Path | None) -> None:
    """Stop the cloud. Its state stays."""
    settings = Settings.create(state_dir=state)
    click.echo("stopped" if control.down(settings) else f"not running (state in {settings.state_dir})")


@main.command()
@state_option
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def status(state: Path | None, as_json: bool) -> None:
    """Say whether the cloud runs, and where."""
    found = control.status(Settings.create(state_dir=state))
    click.echo(json.dumps(found.as_json(), indent=2) if as_json else found)


@main.command()
@state_option
@click.option("--dry-run", is_flag=True, help="Delete nothing, say what would be freed.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def prune(state: Path | None, dry_run: bool, as_json: bool) -> None:
    """Delete job environments, wheels and functions that no job or function of the running cloud needs any more."""
    freed = caches.prune(Settings.create(state_dir=state), dry_run=dry_run)
    if as_json:
        click.echo(json.dumps({"dry_run": dry_run, "bytes": freed}, indent=2))
        return
    for kind, count in freed.items():
        click.echo(f"{kind}: {count / 1e6:,.1f} MB {'would be ' if dry_run else ''}freed")


@main.command()
@state_option
def recover(state: Path | None) -> None:
    """Set aside what cannot be read of the state, and say what that costs. Nothing is deleted."""
    settings = Settings.create(state_dir=state)
    for line in control.recover(settings) or [f"nothing is damaged in {settings.state_dir}"]:
        click.echo(line)


@main.command()
@state_option
@click.option("--stop", is_flag=True, help="Stop the cloud first if it runs.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def reset(state: Path | None, stop: bool, yes: bool) -> None:
    """Delete all state: objects, tables, mail, definitions, logs."""
    settings = Settings.create(state_dir=state)
    if not stop and control.status(settings).running:
        control.reset(settings)  # refuses, and says by whom it is used
    doomed = control.state_of(settings)
    if not doomed:
        click.echo(f"nothing to delete in {settings.state_dir}")
        return
    if not yes:
        listed = "".join(f"  {path}\n" for path in doomed)
        click.confirm(f"This deletes\n{listed}Go on?", abort=True, err=True)
    if stop:
        control.down(settings)
    for path in control.reset(settings):
        click.echo(f"deleted {path}")


@main.command()
@state_option
@port_option
def env(state: Path | None, port: int | None) -> None:
    """Print shell lines that point boto3 and the aws command here: eval "$(local-cloud env)"."""
    settings = _settings(state, port)
    for name, value in control.environment(settings).items():
        click.echo(f"export {name}={shlex.quote(value)}")
    click.echo("unset AWS_PROFILE AWS_SESSION_TOKEN")
    if not control.status(settings).running:
        click.echo(f"The local cloud is not running. Start it: {settings.typed.command('up')}", err=True)


main.add_command(fire.command)
main.add_command(permissions.command)


def _settings(state: Path | None, port: int | None) -> Settings:
    """The port asked for, else that of the cloud that runs on the state folder, else the default."""
    settings = Settings.create(state_dir=state, port=port)
    running = control.status(settings)
    return replace(settings, port=running.port) if port is None and running.running else settings
