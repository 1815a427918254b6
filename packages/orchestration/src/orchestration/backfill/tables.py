"""A plan and an outcome as tables on stdout."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from orchestration.backfill.execution import FAILED, OVERTAKEN, SUCCEEDED, Backfill, MonthRun
from orchestration.backfill.plan import LOADED, MISSING, UNPUBLISHED, Plan

if TYPE_CHECKING:
    from rich.console import Console

    from orchestration.backfill.cost import Estimate, JobTime
    from orchestration.pipelines import Month, MonthlyPipeline

SKIPPED = "SKIPPED"
NOT_PUBLISHED = "NOT_PUBLISHED"


@dataclass(frozen=True)
class Outcome:
    """One month at the end. `status` is that of its run, or SKIPPED (it is loaded already) or NOT_PUBLISHED."""

    month: str
    status: str
    rows: int | None
    run: MonthRun | None = None

    def as_json(self) -> dict[str, Any]:
        if self.run:
            return self.run.as_json()
        return MonthRun(self.month, self.status, rows=self.rows).as_json()

    @property
    def summary(self) -> str:
        if self.status == FAILED and self.run:
            return f"failed at {self.run.state}: {self.run.cause}"
        if self.status == OVERTAKEN and self.run:
            return f"loaded, but {self.run.cause}"
        return {
            SUCCEEDED: "loaded",
            SKIPPED: "was loaded already",
            NOT_PUBLISHED: "not published yet",
        }.get(self.status, self.status.lower())


def outcomes(backfill: Backfill | None, plan: Plan | None) -> list[Outcome]:
    """List every month of the plan, or of the backfill where there is no plan, in order."""
    runs = {run.month: run for run in backfill.months} if backfill else {}
    found = {month: Outcome(month, run.status, run.rows, run) for month, run in runs.items()}
    for planned in plan.months if plan else ():
        month = str(planned.month)
        if month not in found:
            found[month] = Outcome(month, SKIPPED if planned.decision == LOADED else NOT_PUBLISHED, planned.rows)
    return [found[month] for month in sorted(found)]


def show_outcomes(months: list[Outcome]) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    table.add_column("month", no_wrap=True)
    table.add_column("rows", justify="right", no_wrap=True)
    table.add_column("")
    for month in months:
        table.add_row(month.month, f"{month.rows:,}" if month.rows is not None else "-", Text(month.summary))
    _console().print(table)


def show_plan(pipeline: MonthlyPipeline, plan: Plan, estimate: Estimate, *, missing: Sequence[Month] = ()) -> None:
    """`missing` are months to be run of which the source has no file."""
    from rich.table import Table

    fates = {
        MISSING: "will be loaded",
        LOADED: "is loaded, will be loaded again" if plan.force else "is loaded, will be skipped",
        UNPUBLISHED: "is not published yet",
    }
    table = Table(box=None, pad_edge=False)
    table.add_column("month", no_wrap=True)
    table.add_column("rows", justify="right", no_wrap=True)
    table.add_column("")
    for month in plan.months:
        fate = "will fail: the source has no file of it" if month.month in missing else fates[month.decision]
        table.add_row(str(month.month), f"{month.rows:,}" if month.rows is not None else "-", fate)
    console = _console()
    console.print(table)
    console.print(
        f"\n{pipeline.name}: {len(plan.to_run)} to run, {plan.count(LOADED)} loaded already,"
        f" {plan.count(UNPUBLISHED)} not published yet"
    )
    _show_estimate(console, estimate)


def _show_estimate(console: Console, estimate: Estimate) -> None:
    from rich.table import Table

    rates = estimate.rates
    table = Table(box=None, pad_edge=False, show_header=False)
    for _ in range(3):
        table.add_column(justify="right", no_wrap=True)
    table.columns[0].justify = "left"
    table.add_row("Glue", f"{estimate.dpu_hours:.2f} DPU-hours at ${rates.dpu_hour}", f"${estimate.glue:.2f}")
    table.add_row("Redshift", f"{estimate.rpu_hours:.2f} RPU-hours at ${rates.rpu_hour}", f"${estimate.redshift:.2f}")
    table.add_row("together", "", f"${estimate.total:.2f}")
    console.print(f"\nOn AWS ({rates.region}) that costs about:")
    console.print(table)
    basis = (
        f"the mean of the newest {estimate.measured} runs" if estimate.measured else "assumed, as nothing has run yet"
    )
    console.print(
        f"An estimate. Seconds a month, {basis}: {', '.join(map(_time, estimate.jobs))}. A job is billed for at least"
        f" {rates.dpu_minimum:.0f} s; the warehouse ({estimate.rpu} RPU) for at least {rates.rpu_minimum:.0f} s a load,"
        f" less where loads run close together. Prices: {', '.join(rates.sources)}."
    )


def _time(job: JobTime) -> str:
    return f"{job.state} {job.seconds:.{0 if job.seconds >= 10 else 1}f} s at {job.dpu:g} DPU"


def _console() -> Console:
    from rich.console import Console

    return Console(highlight=False, soft_wrap=True)
