"""`elt report`: one execution as a page to open or to send."""

from __future__ import annotations

from pathlib import Path

import click

from orchestration.cli.logs import EXECUTION, find_execution
from orchestration.cli.options import env_option, json_option, print_json
from orchestration.environments import Environment


@click.command("report", help="Write one execution as one HTML file: the newest one, or a pipeline's newest.")
@click.argument("execution", type=EXECUTION, metavar="[EXECUTION_OR_PIPELINE]", required=False)
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The file to write. [default: reports/EXECUTION.html in the state folder, .elt]",
)
@click.option("--open", "open_it", is_flag=True, help="Show it in the browser.")
@env_option
@json_option
def command(execution: str | None, out: Path | None, open_it: bool, environment: Environment, as_json: bool) -> None:
    import webbrowser

    import boto3

    from orchestration import report
    from orchestration.cli.deploy import find
    from orchestration.cli.local import connect, state_path

    connect(environment)
    states = boto3.client("stepfunctions")
    arn = find_execution(states, find(environment), execution)
    path = (out or state_path("reports", f"{arn.rsplit(':', 1)[-1]}.html")).resolve()
    link = None if environment.is_on_this_machine else console(states.meta.region_name, arn)
    page = report.write(states, boto3.client("logs"), arn, path, link=link)
    if as_json:
        print_json({"path": path, "execution": arn, "status": page.status})
    else:
        click.echo(f"{page.name}: {page.status}", err=True)
        click.echo(path)
    if open_it:
        webbrowser.open(path.as_uri())


def console(region: str, arn: str) -> str:
    """Return where AWS's console shows an execution."""
    return f"https://{region}.console.aws.amazon.com/states/home?region={region}#/v2/executions/details/{arn}"
