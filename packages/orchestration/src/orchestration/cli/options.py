"""Options and argument types that several commands share."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.shell_completion import CompletionItem

from orchestration import environments, pipelines
from orchestration.errors import EltError, UsageError

if TYPE_CHECKING:
    from rich.table import Table

Command = TypeVar("Command", bound=Callable[..., Any])


class _Parsed(click.ParamType[Any]):
    """An argument that `parse` turns into an object; its own one-line error is passed on. `known` are completed."""

    def __init__(self, name: str, parse: Callable[[str], Any], known: Callable[[], Iterable[str]] = tuple) -> None:
        self.name = name
        self.parse = parse
        self.known = known

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if not isinstance(value, str):
            return value
        try:
            return self.parse(value)
        except EltError as error:
            self.fail(str(error), param, ctx)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        return [CompletionItem(name) for name in self.known() if name.startswith(incomplete)]


ENVIRONMENT = _Parsed("environment", environments.load, environments.names)
PIPELINE = _Parsed("pipeline", pipelines.load, pipelines.names)
MONTHLY_PIPELINE = _Parsed(
    "pipeline", pipelines.load_monthly, lambda: [one.name for one in pipelines.monthly_pipelines()]
)
MONTH = _Parsed("YYYY-MM", pipelines.Month.parse)


def env_option(command: Command) -> Command:
    return click.option(
        "--env",
        "environment",
        type=ENVIRONMENT,
        envvar="ELT_ENV",
        default="local",
        show_default=True,
        metavar="NAME",
        help="Where: local, dev or prod.",
    )(command)


def json_option(command: Command) -> Command:
    return click.option("--json", "as_json", is_flag=True, help="Print JSON on stdout.")(command)


def confirm(question: str, *, otherwise: str = "nothing is deleted; --yes deletes without asking") -> None:
    """Ask before data or what runs on it is deleted. Errors: UsageError, `otherwise`, unless the answer is yes."""
    try:
        agreed = click.confirm(question, err=True)
    except click.Abort:
        click.echo(err=True)
        agreed = False
    if not agreed:
        raise UsageError(otherwise)


def print_json(value: Any) -> None:
    click.echo(json.dumps(value, indent=2, default=str))


def print_table(table: Table) -> None:
    """On stdout, every cell whole, however narrow the terminal is and also into a pipe."""
    from rich.console import Console

    Console(highlight=False, width=10_000).print(table)
