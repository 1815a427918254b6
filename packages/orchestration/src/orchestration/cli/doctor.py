"""`elt doctor`: what an account lacks, and what helps."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import click

from orchestration.cli.options import env_option, json_option, print_json, print_table
from orchestration.environments import Environment

if TYPE_CHECKING:
    from orchestration.doctor.finding import Finding

_STYLES = {"ok": "green", "warning": "yellow", "failure": "bold red"}


@click.command("doctor")
@env_option
@json_option
def command(environment: Environment, as_json: bool) -> int:
    """Look at an environment's account, and say what it lacks. Changes nothing. Exit code 1: something fails.

    Looked at are your identity and region, the network and quotas that Redshift, Glue and Lambda take, what you may do
    (by IAM's simulation), the stacks, who gets the alerts, QuickSight, and delivery from GitHub: its roles, and where
    the command gh is signed in, its variables. Each line is ok, a warning or a failure, with what to do about it.
    """
    from orchestration import doctor
    from orchestration.cli.local import connect
    from orchestration.doctor.finding import FAILURE
    from orchestration.progress import stderr

    connect(environment)
    with stderr().status("looking"):
        findings = list(doctor.examine(environment))
    if as_json:
        print_json([dataclasses.asdict(one) for one in findings])
    else:
        _show(findings)
    return 1 if any(one.result == FAILURE for one in findings) else 0


def _show(findings: list[Finding]) -> None:
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column()
    for one in findings:
        style = _STYLES[one.result]
        table.add_row(one.check, f"[{style}]{one.result}[/]", escape(one.what))
        if one.remedy:
            table.add_row("", "", escape(f"→ {one.remedy}"))
    print_table(table)
