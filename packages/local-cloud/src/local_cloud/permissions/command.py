"""`local-cloud permissions`, and the function behind it: what roles used of what they are granted."""

from __future__ import annotations

import http.client
import json
from pathlib import Path
from typing import Any

import click

from local_cloud import control
from local_cloud.errors import NotRunning
from local_cloud.settings import HOST, Settings

#: Where the server tells it.
PATH = "/_local-cloud/iam/usage"


def usage(settings: Settings, *, clear: bool = False) -> dict[str, Any]:
    """What the cloud on the settings' state folder granted and refused since it started, or since it was cleared.

    `granted`: owner of the policy, its name, the statement's place and Sid, the action, how often, a resource for
    example, and the patterns of the statement's Resource that it fitted. `unused`: actions of roles' Allow statements
    that allowed nothing yet; `unused_resources`: patterns of Resource on which no action did, of statements that are
    used otherwise. `refused`: identity, action, resource, reason, time. NotRunning where there is no cloud.
    """
    running = control.status(settings)
    if not running.running:
        raise NotRunning(f"No local cloud runs on {settings.state_dir}. Start it: local-cloud up")
    connection = http.client.HTTPConnection(HOST, running.port)
    try:
        connection.request("POST", PATH, json.dumps({"clear": clear}), {"Content-Type": "application/json"})
        answer: dict[str, Any] = json.load(connection.getresponse())
    except OSError as error:
        raise NotRunning(f"The local cloud at {running.endpoint} does not answer: {error}") from None
    finally:
        connection.close()
    return answer


@click.command("permissions")
@click.option("--clear", is_flag=True, help="Forget it, once it is printed.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.option(
    "--state",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder that holds everything. [default: LOCAL_CLOUD_STATE, else .elt]",
)
def command(clear: bool, as_json: bool, state: Path | None) -> None:
    """Tell what roles used of what they are granted, what they did not use, and what was refused."""
    usage_document = usage(Settings.create(state_dir=state), clear=clear)
    click.echo(json.dumps(usage_document, indent=2) if as_json else "\n".join(_lines(usage_document)))


def _lines(usage_document: dict[str, Any]) -> list[str]:
    lines = []
    kinds = ("granted", "unused", "unused_resources")
    for owner in sorted({each["owner"] for kind in kinds for each in usage_document[kind]}):
        lines.append(owner)
        lines += [
            f"  {each['action']:<40} {each['times']:>6}  {each['policy']}{_sid(each)}"
            for each in usage_document["granted"]
            if each["owner"] == owner
        ]
        lines += [
            f"  {each['action']:<40} unused  {each['policy']}{_sid(each)}"
            for each in usage_document["unused"]
            if each["owner"] == owner
        ]
        lines += [
            f"  nothing on {each['resource']}  {each['policy']}{_sid(each)}"
            for each in usage_document["unused_resources"]
            if each["owner"] == owner
        ]
    return lines + [f"refused: {each['reason']}" for each in usage_document["refused"]]


def _sid(entry: dict[str, Any]) -> str:
    return f"/{entry['sid']}" if entry["sid"] else ""
