"""What `elt backfill` prints at its end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from orchestration.cli.options import print_json
from orchestration.errors import RunFailed
from orchestration.pipelines import Month

if TYPE_CHECKING:
    from orchestration.backfill.execution import Backfill, MonthRun
    from orchestration.backfill.plan import Plan
    from orchestration.backfill.request import Request


def conclude(backfill: Backfill | None, plan: Plan | None, *, as_json: bool) -> int:
    """Print the final table or JSON. Errors: RunFailed where the backfill did not succeed."""
    from orchestration.backfill import tables

    outcomes = tables.outcomes(backfill, plan)
    if as_json:
        print_json(_as_json(backfill, outcomes))
    else:
        tables.show_outcomes(outcomes)
    if backfill and backfill.warning:
        click.echo(f"warning: {backfill.warning}", err=True)
    if backfill and backfill.status != "SUCCEEDED":
        raise RunFailed(_failure_text(backfill))
    return 0


def _failure_text(backfill: Backfill) -> str:
    """Say how a backfill failed, and how to go on; the causes of months that failed are in the table already."""
    from orchestration.backfill.execution import FAILED

    failed = len(backfill.having(FAILED))
    cause = " ".join((backfill.cause or backfill.error or "no cause given").split())
    if backfill.status == "FAILED" and failed:
        cause = f"{failed} of {len(backfill.months)} months"
    again = f"\ndo what is missing: {backfill.rerun}" if backfill.rerun else ""
    return f"{backfill.name} {backfill.status.lower()}: {cause}{again}"


def _as_json(backfill: Backfill | None, outcomes: Any) -> dict[str, Any]:
    return {
        "execution": backfill.arn if backfill else None,
        "status": backfill.status if backfill else "SUCCEEDED",
        "seconds": round(backfill.seconds, 1) if backfill else 0.0,
        "months": [outcome.as_json() for outcome in outcomes],
    }


def describe_overtaken(request: Request, months: Sequence[MonthRun]) -> str:
    """Name the months that other runs have overtaken, and the commands that load this backfill's again."""
    from orchestration.cli.run import rerun_command

    again = (
        rerun_command(request.pipeline, Month.parse(run.month), source=request.source, environment=request.environment)
        for run in months
    )
    named = ", ".join(run.month for run in months)
    return "\n".join([f"everything ran, but the table holds another run's rows of {named}; load again:", *again])
