"""`elt dashboard`: a pipeline's report as a page to open."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

import click

from orchestration.cli.options import env_option, json_option, print_json
from orchestration.environments import Environment

if TYPE_CHECKING:
    from orchestration.dashboard import Page
    from orchestration.releases.environment.deployment import Deployment

#: The pipelines that leave a report, and its folder in the reports bucket.
_FOLDERS = {"reviews": "reviews"}


@click.command("dashboard", help="Write a pipeline's report as one HTML file, which needs no server and no network.")
@click.argument("pipeline", type=click.Choice(list(_FOLDERS)))
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The file to write. [default: dashboards/PIPELINE-ENV.html in the state folder, .elt]",
)
@click.option("--open", "open_it", is_flag=True, help="Show it in the browser.")
@env_option
@json_option
def command(pipeline: str, out: Path | None, open_it: bool, environment: Environment, as_json: bool) -> None:
    import webbrowser

    from orchestration.cli.deploy import find
    from orchestration.cli.local import connect

    connect(environment)
    page = write(find(environment), pipeline, out=out)
    if as_json:
        print_json(dataclasses.asdict(page))
    else:
        click.echo(f"{page.reviews:,} reviews of {page.products:,} products, report of {page.written}", err=True)
        click.echo(page.path)
    if open_it:
        webbrowser.open(page.path.as_uri())


def write(deployment: Deployment, pipeline: str, *, out: Path | None = None) -> Page:
    """Write the page of an environment's newest report. Errors: ReportError."""
    import boto3

    from orchestration import dashboard
    from orchestration.cli.local import state_path
    from orchestration.progress import stderr

    path = out or state_path("dashboards", f"{pipeline}-{deployment.environment}.html")
    with stderr().status("reading the report"):
        return dashboard.write(
            boto3.client("s3"),
            deployment.reports_bucket,
            _FOLDERS[pipeline],
            path.resolve(),
            environment=deployment.environment,
        )
