"""How a followed execution looks: a live table on a terminal, plain lines elsewhere. Always on stderr."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from orchestration.executions import Execution, StateRun

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

#: A function to call with each step of a work, in a few words.
Progress = Callable[[str], None]
#: What a finished state left behind, in a few words; "" for nothing to tell.
Detail = Callable[[StateRun], str]
Show = Callable[[Execution], None]

_SIGNS = {"SUCCEEDED": "[green]✓[/]", "FAILED": "[red]✗[/]", "RUNNING": "[yellow]●[/]"}


def stderr() -> Console:
    from rich.console import Console

    return Console(stderr=True, highlight=False, soft_wrap=True)


@contextmanager
def steps(doing: str) -> Iterator[Progress]:
    """Yields a function to call with every step of a work; `doing` is said before each."""
    console = stderr()
    with console.status(doing) as spinner:

        def report(step: str) -> None:
            if console.is_terminal:
                spinner.update(f"{doing}: {step}")
            else:
                console.print(f"{doing}: {step}")

        yield report


def size(count: int) -> str:
    """Bytes as a person reads them: 12 kB, 1.4 MB, 2,310.9 MB."""
    return f"{count / 1e6:,.1f} MB" if count >= 1e6 else f"{count / 1e3:,.0f} kB"


@contextmanager
def following(detail: Detail) -> Iterator[Show]:
    """Yields a function to call with every reading of an execution."""
    console = stderr()
    details = _Details(detail)
    if not console.is_terminal:
        yield _Lines(console, details).show
        return
    from rich.live import Live

    with Live(console=console, refresh_per_second=8) as live:
        yield lambda execution: live.update(_table(execution, details))


class _Details:
    """Asks for the detail of a state once, when it is over."""

    def __init__(self, detail: Detail) -> None:
        self._detail = detail
        self._known: dict[str, str] = {}

    def of(self, state: StateRun) -> str:
        if state.status != "SUCCEEDED":
            return ""
        if state.name not in self._known:
            self._known[state.name] = self._detail(state)
        return self._known[state.name]


class _Lines:
    """The execution's name, one line when a state begins, one when it ends, and one every 10 s while it runs."""

    def __init__(self, console: Console, details: _Details) -> None:
        self._console = console
        self._details = details
        self._shown: set[tuple[str, str]] = set()
        self._next_sign_of_life = 0.0

    def show(self, execution: Execution) -> None:
        if not self._shown:
            self._shown.add(("named", execution.name))
            self._print(execution.name)
        for state in execution.states:
            if state.name.startswith("Pipeline"):
                continue
            if ("began", state.name) not in self._shown:
                self._shown.add(("began", state.name))
                self._print(f"{state.name} started")
                self._next_sign_of_life = time.monotonic() + 10
            if state.status == "RUNNING":
                if time.monotonic() > self._next_sign_of_life:
                    doing = "waiting for a slot" if state.is_waiting else "running"
                    self._print(f"{state.name} {doing}, {state.seconds:.0f} s")
                    self._next_sign_of_life = time.monotonic() + 10
            elif ("ended", state.name) not in self._shown:
                self._shown.add(("ended", state.name))
                detail = self._details.of(state)
                self._print(f"{state.name} {state.status.lower()}, {state.seconds:.1f} s{detail and ', ' + detail}")
        if execution.warning:
            self._print(f"warning: {execution.warning}")

    def _print(self, line: str) -> None:
        self._console.print(line)


def _table(execution: Execution, details: _Details) -> RenderableType:
    from rich.table import Table

    table = Table(title=execution.name, title_justify="left", box=None, padding=(0, 2, 0, 0), show_header=False)
    for state in execution.states:
        if not state.name.startswith("Pipeline"):
            sign = _SIGNS[state.status]
            detail = "waiting for a slot" if state.is_waiting else details.of(state)
            table.add_row(sign, state.name, f"{state.seconds:.1f} s", detail)
    if not execution.warning:
        return table
    from rich.console import Group
    from rich.markup import escape

    return Group(table, f"[yellow]warning:[/] {escape(execution.warning)}")
