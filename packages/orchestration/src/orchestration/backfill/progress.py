"""How a followed backfill looks: the months under way on a terminal, plain lines elsewhere. Always on stderr."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from orchestration.backfill.execution import FAILED, RUNNING, STOPPED, SUCCEEDED, Backfill, MonthRun
from orchestration.progress import stderr

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

Show = Callable[[Backfill], None]

#: Seconds between lines that say no more than that it is going on.
_SIGN_OF_LIFE = 30.0


@contextmanager
def following() -> Iterator[Show]:
    """Yields a function to call with every reading of a backfill."""
    console = stderr()
    if not console.is_terminal:
        yield _Lines(console).show
        return
    from rich.live import Live

    ends = _Ends(console)
    with Live(console=console, auto_refresh=False) as live:

        def show(backfill: Backfill) -> None:
            live.update(_under_way(backfill), refresh=True)
            ends.show(backfill)

        yield show


def totals(backfill: Backfill) -> str:
    """`7 of 24 months loaded, 1 failed, 680,000 rows, 31 s`."""
    loaded, failed = backfill.having(SUCCEEDED), backfill.having(FAILED)
    parts = [f"{len(loaded)} of {len(backfill.months)} months loaded"]
    if failed:
        parts.append(f"{len(failed)} failed")
    if stopped := backfill.having(STOPPED):
        parts.append(f"{len(stopped)} stopped")
    parts += [f"{sum(month.rows or 0 for month in loaded):,} rows", f"{backfill.seconds:.0f} s"]
    return ", ".join(parts)


def _end_of(month: MonthRun) -> str:
    if month.status == SUCCEEDED:
        return f"{month.month} loaded, {month.rows:,} rows, {month.seconds:.1f} s"
    return f"{month.month} failed at {month.state}: {month.cause}"


class _Ends:
    """One line for each month that has ended, once."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._shown: set[str] = set()

    def show(self, backfill: Backfill) -> None:
        from rich.text import Text  # causes may hold what looks like markup

        for month in (*backfill.having(SUCCEEDED), *backfill.having(FAILED)):
            if month.month not in self._shown:
                self._shown.add(month.month)
                self._console.print(Text(_end_of(month)))


class _Lines:
    """A line when a month begins and one when it ends; the totals now and then, and at the end."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._ends = _Ends(console)
        self._begun: set[str] = set()
        self._next_totals = time.monotonic() + _SIGN_OF_LIFE

    def show(self, backfill: Backfill) -> None:
        for month in backfill.months:
            if month.started and month.month not in self._begun:
                self._begun.add(month.month)
                self._console.print(f"{month.month} started")
        self._ends.show(backfill)
        if backfill.is_final or time.monotonic() > self._next_totals:
            self._console.print(totals(backfill))
            self._next_totals = time.monotonic() + _SIGN_OF_LIFE


def _under_way(backfill: Backfill) -> RenderableType:
    from rich.console import Group
    from rich.table import Table

    running = backfill.having(RUNNING)
    if not running:
        return totals(backfill)
    table = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
    for month in running:
        table.add_row("[yellow]●[/]", month.month, month.state or "starting", f"{month.seconds:.1f} s")
    return Group(table, totals(backfill))
