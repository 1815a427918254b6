"""What a run will do, decided before anything runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum

from rs_query.binding import Bound, Mark, bind
from rs_query.errors import PlanError
from rs_query.literals import Params
from rs_query.statements import Statement
from rs_query.transactions import refusal


class Mode(Enum):
    """How the statements of a plan reach the server."""

    EACH = "each statement by itself"
    BATCH = "one call, one transaction"
    SESSION = "BEGIN … COMMIT in one session"


@dataclass(frozen=True)
class Plan:
    """Bound statements and how they run."""

    bound: tuple[Bound, ...]
    mode: Mode


def make_plan(
    statements: Sequence[Statement],
    params: Params,
    *,
    transaction: bool,
    mark: Mark,
    binds_in_batches: Callable[[], bool],
    batch_limit: int,
    statement_limit: int,
) -> Plan:
    """Bind and check.

    Raises PlanError for no statement at all, for one that can't be in a transaction (if `transaction`) and
    for one of more than `statement_limit` bytes; ParameterError as binding.bind.
    """
    if not statements:
        raise PlanError("there is no statement to run")
    if transaction:
        for statement in statements:
            if reason := refusal(statement.text):
                raise PlanError(f"{statement.what}: {reason}; nothing was run")
    bound = tuple(bind(statements, params, mark=mark))
    # What a script expects of a query is looked at while the transaction can still be undone.
    in_one_call = len(bound) <= batch_limit and not any(one.statement.expectation for one in bound)
    mode = Mode.EACH if not transaction else Mode.BATCH if in_one_call else Mode.SESSION
    if mode is Mode.BATCH and len(bound) > 1 and any(one.parameters for one in bound) and not binds_in_batches():
        bound = tuple(bind(statements, params, mark=lambda statement, name, number: None))
    for one in bound:
        size = len(one.sql.encode())
        if size > statement_limit:
            raise PlanError(
                f"{one.statement.what}: {size} bytes of SQL, and one statement can have {statement_limit} here; "
                "nothing was run"
            )
    return Plan(bound, mode)


def check_one_call(plan: Plan, *, limit: int) -> None:
    """Raises PlanError for what one call, whose end nobody waits for, can't do as `run` does."""
    for one in plan.bound:
        if one.statement.expectation:
            raise PlanError(
                f"{one.statement.what}: an @expect is looked at by `run`, while its transaction can still be undone, "
                "and by nobody once it is submitted; nothing was submitted"
            )
    if len(plan.bound) > limit:
        raise PlanError(
            f"{len(plan.bound)} statements, and one submission takes {limit}: run them; nothing was submitted"
        )
    if len(plan.bound) > 1 and plan.mode is Mode.EACH:
        raise PlanError(
            f"{len(plan.bound)} statements are submitted as one transaction: add --transaction, or run them; "
            "nothing was submitted"
        )
