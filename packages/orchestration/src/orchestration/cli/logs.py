"""`elt logs`: what the jobs of an execution logged."""

from __future__ import annotations

import contextlib
import datetime
import os
import time
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from orchestration.cli.options import env_option, json_option
from orchestration.environments import Environment
from orchestration.errors import UsageError
from orchestration.pipelines import all_pipelines

if TYPE_CHECKING:
    from orchestration.joblogs import LogLine
    from orchestration.releases.environment.deployment import Deployment


class _Execution(click.ParamType[str]):
    """An execution's name or ARN, or a pipeline's name; what runs in the environment is completed."""

    name = "execution"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        return value

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        found = (
            name for name in (*(one.name for one in all_pipelines()), *_recent(ctx)) if name.startswith(incomplete)
        )
        return [CompletionItem(name) for name in found]


def _recent(ctx: click.Context) -> list[str]:
    """List the newest executions of an environment; none where that cannot be asked, and nothing is started for it."""
    import boto3

    from orchestration import environments
    from orchestration.cli.local import settings
    from orchestration.cli.status import list_recent
    from orchestration.releases.environment import deployment

    with contextlib.suppress(Exception):
        environment = environments.load(str(ctx.params.get("environment") or os.environ.get("ELT_ENV", "local")))
        if environment.is_on_this_machine:
            os.environ["AWS_ENDPOINT_URL"] = settings().endpoint
        environment.activate()
        states, machines = boto3.client("stepfunctions"), deployment.find(environment).machines
        return [execution["name"] for machine in machines.values() for execution in list_recent(states, machine, 10)]
    return []


EXECUTION = _Execution()


@click.command("logs")
@click.argument("execution", type=EXECUTION, metavar="[EXECUTION_OR_PIPELINE]", required=False)
@click.option("--follow", is_flag=True, help="Go on until the execution ends.")
@env_option
@json_option
def command(execution: str | None, follow: bool, environment: Environment, as_json: bool) -> None:
    """Print what the jobs of an execution logged: of the newest one, or a pipeline's newest.

    With --json, an object a line.
    """
    import boto3

    from orchestration import executions, joblogs
    from orchestration.cli.deploy import find
    from orchestration.cli.local import connect

    connect(environment)
    deployment = find(environment)
    states, logs = boto3.client("stepfunctions"), boto3.client("logs")
    arn = find_execution(states, deployment, execution)
    seen: set[str] = set()
    while True:
        reading = executions.read(states, arn)
        for line in joblogs.read(logs, reading):
            if line.event_id not in seen:
                seen.add(line.event_id)
                click.echo(_as_json(line) if as_json else as_text(line))
        if not follow or reading.is_final:
            return
        time.sleep(1)


def find_execution(states: Any, deployment: Deployment, wanted: str | None) -> str:
    """Return the ARN of an execution by its name or ARN, or of the newest one, of a pipeline or of all.

    Errors: UsageError.
    """
    from orchestration.cli.status import list_recent

    if wanted and wanted.startswith("arn:"):
        return wanted
    every = [pipeline.name for pipeline in all_pipelines()]
    newest = wanted is None or wanted in every
    found = [
        execution
        for pipeline in ([wanted] if wanted and newest else every)
        for execution in list_recent(states, deployment.machines[pipeline], 1 if newest else 1000)
        if newest or execution["name"] == wanted
    ]
    if not found:
        there = f"--env {deployment.environment}"
        if wanted and newest:
            raise UsageError(f"{wanted} has not run yet; `elt status {there}` lists what has run")
        if wanted:
            raise UsageError(f"there is no execution {wanted!r}; `elt status {there}` lists what has run")
        raise UsageError(f"nothing has run yet; try: elt run yellow-trips --month 2024-09 {there}")
    return str(max(found, key=lambda execution: execution["startDate"])["executionArn"])


def as_text(line: LogLine) -> str:
    """Return a job's JSON as words; what the same job says in every line is left to --json."""
    from orchestration.report.events import Event

    event = Event.of(line)
    fields = "  ".join(f"{key} {_on_one_line(value)}" for key, value in event.fields.items() if value is not None)
    return f"{event.at:%H:%M:%S} {line.state:<14} {f'{event.name}: {fields}' if event.name else line.text}"


def _on_one_line(value: Any) -> str:
    import json

    text = str(value)
    return text if text.isprintable() else json.dumps(text, ensure_ascii=False)


def _as_json(line: LogLine) -> str:
    import json

    moment = datetime.datetime.fromtimestamp(line.milliseconds / 1000, datetime.UTC)
    return json.dumps({"time": moment.isoformat(), "state": line.state, "text": line.text, "job_run": line.job_run})
