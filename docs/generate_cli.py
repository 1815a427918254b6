"""docs/cli.md, from what `elt --help` and its commands' help say: `make docs`."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator

import click

from orchestration.cli import COMMANDS, elt

HEAD = """\
# Commands

Made by `make docs` from the commands' own help.

Every command takes `--env local|dev|prod` (default: `ELT_ENV`, else `local`) and, where it has something to tell,
`--json`. Data goes to stdout, progress to stderr.

| exit code | means |
|---|---|
| 0 | success |
| 1 | a run failed, something differs, or AWS refused: one line on stderr says what, where, and what to do |
| 2 | wrong usage: nothing was started |
| 130 | interrupted |
"""


def page() -> str:
    """The whole page."""
    context = click.Context(elt, info_name="elt")
    return "\n".join([HEAD, *(line for name in COMMANDS for line in section(name, elt, context))]).rstrip() + "\n"


def section(name: str, group: click.Group, context: click.Context) -> Iterator[str]:
    """A command, and after it the commands in it."""
    command = group.get_command(context, name)
    assert command is not None
    own = click.Context(command, info_name=name, parent=context)
    yield f"## {own.command_path}\n"
    yield f"```\n{' '.join([own.command_path, *command.collect_usage_pieces(own)])}\n```\n"
    if command.help:
        yield from described(inspect.cleandoc(command.help))
    params = [
        param for param in command.get_params(own) if isinstance(param, click.Option) and "--help" not in param.opts
    ]
    if rows := [record for param in params if (record := param.get_help_record(own))]:
        yield "| option | |\n|---|---|"
        yield from (f"| `{cell(names)}` | {cell(text)} |" for names, text in rows)
        yield ""
    if isinstance(command, click.Group):
        for child in command.list_commands(own):
            yield from section(child, command, own)


def described(text: str) -> Iterator[str]:
    """Paragraphs as they are; one after `\\b`, which click prints as it stands, is commands and what they do."""
    for paragraph in text.split("\n\n"):
        examples = paragraph.removeprefix("\b\n")
        if examples == paragraph:
            yield f"{paragraph}\n"
        else:
            lines = (re.sub(r"( {2,})(?=\S)", r"\1# ", line.strip(), count=1) for line in examples.splitlines())
            yield "\n".join(["```sh", *lines, "```\n"])


def cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    print(page(), end="")
