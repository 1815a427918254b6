"""Running a plan: one statement after the other or one transaction, in one deadline, leaving nothing behind."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from rs_query.binding import Bound
from rs_query.deadline import Deadline
from rs_query.errors import ConflictError, ExpectationError, ResultError, StatementError, StoppedError
from rs_query.lexer import first_word
from rs_query.plan import Mode, Plan
from rs_query.results import Result
from rs_query.retries import Log, retrying
from rs_query.signals import Interruption
from rs_query.statements import Statement
from rs_query.transport import Cancelled, Transport

_COMMIT = "COMMIT"
_OPENING = frozenset({"BEGIN", "START"})
#: Of these, some may stay done when they fail: a procedure commits by itself, UNLOAD has written files.
_NOT_UNDONE = frozenset({"CALL", "UNLOAD"})
_CLOSING = frozenset({"COMMIT", "END", "ROLLBACK", "ABORT"})
_ENDED = {"ABORTED": "was cancelled", "FAILED": "failed", "FINISHED": "had just finished", "": "was not started"}


@dataclass(frozen=True)
class Run:
    """A finished run: one result a statement, in order, and the seconds of all of it."""

    results: tuple[Result, ...]
    seconds: float

    def arrow(self, index: int = -1) -> Any:
        """Return a result set as a typed pyarrow.Table, the last unless `index` says which.

        Raises ResultError where there is none, and the errors of Result.arrow.
        """
        sets = [result for result in self.results if result.has_result_set]
        if not -len(sets) <= index < len(sets):
            raise ResultError(f"there is no result set {index}, the run has {len(sets)}")
        return sets[index].arrow()


def run_plan(plan: Plan, transport: Transport, *, deadline: Deadline, log: Log) -> Run:
    """Run it and wait; `log` gets a line a statement and a summary.

    Raises StatementError or ConflictError when the server fails a statement, DeadlineError, RunInterrupted,
    and the errors of the service. Whatever is raised, nothing is left running, and a transaction is undone.
    """
    return _Runner(plan, transport, deadline, log).run()


class _Runner:
    def __init__(self, plan: Plan, transport: Transport, deadline: Deadline, log: Log) -> None:
        self.plan, self.transport, self.deadline, self.log = plan, transport, deadline, log
        self.results: list[Result] = []
        self.running: Sequence[Bound] = ()

    def run(self) -> Run:
        began = time.monotonic()
        status = "failed"
        try:
            if self.plan.mode is Mode.EACH:
                self._attempt()
            else:
                retrying(self._attempt, on=(ConflictError,), deadline=self.deadline, log=self.log)
            status = "finished"
        except StoppedError as error:
            status = "stopped"
            raise self._explain(error) from None
        except Interruption as signalled:
            status = "stopped"
            raise self._explain(signalled.as_error()) from None
        finally:
            seconds = time.monotonic() - began
            self.log(
                {
                    "event": "run",
                    "status": status,
                    "statements": len(self.plan.bound),
                    "finished": len(self.results),
                    "seconds": round(seconds, 3),
                    "rows": sum(result.rows or 0 for result in self.results),
                }
            )
        return Run(tuple(self.results), seconds)

    def _attempt(self) -> None:
        """Run all of the plan, from the start: what a retry after a conflict does again."""
        self.results.clear()
        failed = True
        try:
            if self.plan.mode is Mode.BATCH:
                self._execute(self.plan.bound)
            elif self.plan.mode is Mode.SESSION:
                self.transport.open_session()
                self._control("BEGIN")
                self._execute_each()
                self._control(_COMMIT)
            else:
                if len(self.plan.bound) > 1:  # temporary tables and SET live in a session
                    self.transport.open_session()
                self._execute_blocks()
            failed = False
        finally:
            self.transport.close(failed=failed)

    def _control(self, sql: str) -> None:
        last = self.plan.bound[-1].statement
        self.running = [Bound(replace(last, text=sql, placeholders=()), sql)]
        self.transport.execute(self.running, self.deadline)

    def _execute_blocks(self) -> None:
        """Run each statement, and the script's own transactions as wholes; a conflict retries what it undid."""
        for block in _blocks(self.plan.bound):
            if len(block) == 1 and first_word(block[0].sql) in _NOT_UNDONE:
                self._execute(block)
            else:
                retrying(partial(self._block, block), on=(ConflictError,), deadline=self.deadline, log=self.log)

    def _block(self, block: Sequence[Bound]) -> None:
        finished = len(self.results)
        try:
            for one in block:
                self._execute([one])
        except ConflictError:
            del self.results[finished:]
            if len(block) > 1:
                self._control("ROLLBACK")
            raise

    def _execute_each(self) -> None:
        for one in self.plan.bound:
            self._execute([one])

    def _execute(self, bound: Sequence[Bound]) -> None:
        self.running = ()
        self.deadline.check()
        self.running = bound
        try:
            outcomes = self.transport.execute(bound, self.deadline)
        except (StatementError, ConflictError) as error:
            line = next(one.statement.line for one in bound if one.statement.index == error.index)
            self.log(
                {"event": "statement", "status": "failed", "index": error.index, "line": line}
                | {"id": error.statement_id, "reason": error.reason}
            )
            raise
        for one, outcome in zip(bound, outcomes):
            statement = one.statement
            self.results.append(Result(statement, outcome.statement_id, outcome.seconds, outcome.rows, outcome.pages))
            self.log(
                {"event": "statement", "status": "finished", "index": statement.index, "line": statement.line}
                | {"id": outcome.statement_id, "seconds": round(outcome.seconds, 3), "rows": outcome.rows}
            )
            self._check(self.results[-1])

    def _check(self, result: Result) -> None:
        """Raises ExpectationError where a query's result is not what the script expects of it."""
        statement = result.statement
        if statement.expectation is None:
            return
        columns, rows = result.until(self.deadline).beginning(2)
        if reason := statement.expectation.failure([column.name for column in columns], rows):
            self.log({"event": "expectation", "index": statement.index, "line": statement.line, "reason": reason})
            raise ExpectationError(
                f"{statement.what}: {reason}",
                reason=reason,
                index=statement.index,
                line=statement.line,
                column=statement.column,
                statement_id=result.statement_id,
            )

    def _explain(self, error: StoppedError) -> StoppedError:
        """Return the same error, saying what had been done when it came."""
        said = [str(error)]
        cancelled = self.transport.cancelled or Cancelled("", "")
        if self.running:
            how = _ENDED.get(cancelled.ended, f"is in an unknown state: {cancelled.ended}")
            named = f" [statement id {cancelled.statement_id}]" if cancelled.statement_id else ""
            said.append(f"{self._running_what()} {how}{named}")
        if self.plan.mode is Mode.EACH:
            said.append(self._what_stays())
        elif self._decides() and cancelled.ended == "FINISHED":
            said.append("the transaction is committed")
        elif self._decides() and cancelled.ended not in _ENDED:
            said.append("look at the tables before running it again")
        else:
            said.append("the transaction is rolled back, nothing was changed")
        stopped = type(error)("; ".join(said))
        stopped.statement_id, stopped.ended = cancelled.statement_id, cancelled.ended
        stopped.signum = error.signum
        return stopped

    def _what_stays(self) -> str:
        """Return what had finished, less what the script's own open BEGIN takes back."""
        begun: Statement | None = None
        stay = 0
        for finished, result in enumerate(self.results, 1):
            word = first_word(result.statement.text)
            if word in _OPENING:
                begun = result.statement
            elif word in _CLOSING:
                begun = None
            stay = stay if begun else finished
        said = f"of {len(self.plan.bound)} statements {stay} had finished before and stay done"
        return f"{said}; what follows the BEGIN on line {begun.line} is rolled back" if begun else said

    def _running_what(self) -> str:
        first = self.running[0].statement
        if len(self.running) == 1:
            return first.what
        return f"{first.where}: the transaction of {len(self.running)} statements"

    def _decides(self) -> bool:
        """Whether the end of what was running is the end of the transaction."""
        return self.plan.mode is Mode.BATCH or (bool(self.running) and self.running[0].sql == _COMMIT)


def _blocks(bound: Sequence[Bound]) -> Iterator[list[Bound]]:
    """Yield the statements in order, those from a BEGIN to its end together."""
    block: list[Bound] = []
    for one in bound:
        word = first_word(one.statement.text)
        block.append(one)
        if word in _CLOSING or not (len(block) > 1 or word in _OPENING):
            yield block
            block = []
    if block:
        yield block
