"""`local-cloud fire NAME`, and the function behind it: a schedule fired from outside the server."""

from __future__ import annotations

import http.client
import json
from pathlib import Path
from typing import Any

import click

from local_cloud import control
from local_cloud.errors import FireFailed
from local_cloud.settings import HOST, Settings

#: Where the server takes it; see `byhand`.
PATH = "/_local-cloud/scheduler/fire"


def fire(settings: Settings, name: str, *, group: str = "default", time: str = "") -> dict[str, Any]:
    """Fire a schedule of the cloud that runs on the settings' state folder, once, enabled or not.

    `time`, ISO 8601, is the due time that the schedule reports; now without it. Returns `schedule`, `target`,
    `executionId` and what the target answered. FireFailed when there is no cloud or schedule, or the target refuses.
    """
    running = control.status(settings)
    if not running.running:
        raise FireFailed(f"No local cloud runs on {settings.state_dir}. Start it: local-cloud up")
    connection = http.client.HTTPConnection(HOST, running.port)
    try:
        request = json.dumps({"name": name, "group": group, "time": time})
        connection.request("POST", PATH, request, {"Content-Type": "application/json"})
        response = connection.getresponse()
        answer: dict[str, Any] = json.load(response)
    except OSError as error:
        raise FireFailed(f"The local cloud at {running.endpoint} does not answer: {error}") from None
    finally:
        connection.close()
    if response.status != 200:
        raise FireFailed(str(answer["error"]))
    return answer


@click.command("fire")
@click.argument("name")
@click.option("--group", default="default", show_default=True, help="The schedule's group.")
@click.option("--time", default="", help="When the schedule is to believe it was due (ISO 8601). [default: now]")
@click.option(
    "--state",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder that holds everything. [default: LOCAL_CLOUD_STATE, else .elt]",
)
def command(name: str, group: str, time: str, state: Path | None) -> None:
    """Fire a schedule of EventBridge Scheduler now, enabled or not, and print what came of it."""
    fired = fire(Settings.create(state_dir=state), name, group=group, time=time)
    click.echo(json.dumps(fired, indent=2))
