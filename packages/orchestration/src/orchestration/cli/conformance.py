"""`elt conformance`: what is taken for granted of AWS, asked of an account."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from orchestration.cli.options import env_option, json_option, print_json, print_table
from orchestration.environments import Environment
from orchestration.errors import NotDeployed, UsageError

if TYPE_CHECKING:
    from orchestration.conformance import Verdict
    from orchestration.releases.environment.deployment import Deployment

_STYLES = {"confirmed": "green", "differs": "bold red", "not answered": "yellow"}
_MAKES = """\
This makes a scratch stack (a bucket, two Glue jobs, a state machine, a topic, a queue, an alarm and two roles), runs it
for some minutes, and deletes it. By us-east-1's list prices that is about 2 US cents of Glue (three runs of Python
Shell, one of Spark with 2 workers) and, where the warehouse is deployed, 5 to 15 cents of Redshift (8 RPU, some
statements); on a laptop it is nothing."""


@click.command("conformance")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--probe", "only", multiple=True, metavar="NAME", help="This one alone; may be given several times.")
@click.option(
    "--record", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Write what was answered there."
)
@env_option
@json_option
def command(yes: bool, only: tuple[str, ...], record: Path | None, environment: Environment, as_json: bool) -> int:
    """Ask an account what is taken for granted of AWS. Exit code 1: something is otherwise, or was not answered.

    Each assumption is a probe: it is asked in a scratch stack, bucket prefix and session of its own, which are gone
    afterwards, and its answer stands beside the expected one, which is what local-cloud answers. What differs is a fact
    about AWS that something here does not know yet: --record keeps it, for a report.
    """
    from orchestration import conformance
    from orchestration.cli.local import connect
    from orchestration.conformance import ground
    from orchestration.progress import stderr

    probes = conformance.all_probes()
    if unknown := set(only) - {probe.name for probe in probes}:
        names = ", ".join(probe.name for probe in probes)
        raise UsageError(f"there is no probe {min(unknown)!r}; there are: {names}")
    connect(environment)
    console = stderr()
    console.print(_MAKES)
    if not yes:
        _ask()
    verdicts: list[Verdict] = []
    with ground.prepare(environment.name, _find_deployment(environment)) as prepared:
        asked = [probe for probe in probes if not only or probe.name in only]
        for verdict in conformance.examine(prepared, asked):
            console.print(f"{verdict.probe}: {verdict.result}")
            verdicts.append(verdict)
    rows = [dataclasses.asdict(one) for one in verdicts]
    if record:
        record.write_text(json.dumps({one.probe: one.answer for one in verdicts}, indent=2) + "\n", encoding="utf-8")
    if as_json:
        print_json(rows)
    else:
        _show(verdicts)
    return 0 if all(one.result == conformance.CONFIRMED for one in verdicts) else 1


def _ask() -> None:
    """Raise UsageError unless the answer is yes."""
    try:
        agreed = click.confirm("Go on?", err=True)
    except click.Abort:
        click.echo(err=True)
        agreed = False
    if not agreed:
        raise UsageError("nothing was made; --yes goes on without asking")


def _find_deployment(environment: Environment) -> Deployment | None:
    from orchestration.releases.environment import deployment

    try:
        return deployment.find(environment)
    except NotDeployed:
        return None


def _show(verdicts: list[Verdict]) -> None:
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for column in ("probe", "verdict", "answer"):
        table.add_column(column)
    for one in verdicts:
        style = _STYLES[one.result]
        table.add_row(one.probe, f"[{style}]{one.result}[/]", escape(_text(one.answer)))
        if one.result == "differs":
            table.add_row("", "expected", escape(_text(one.expected)))
            table.add_row("", "rests on it", escape(one.rests_on_it))
    print_table(table)


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)
