"""Result sets: typed, a page at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from rs_query import arrow
from rs_query.deadline import Deadline
from rs_query.errors import ResultError
from rs_query.pages import Column, Page, Row
from rs_query.statements import Statement


@dataclass(frozen=True)
class Result:
    """One statement that has run.

    `rows` is the number returned or affected, None where the server doesn't say; `statement_id` its name at
    the server. Iterating gives its result set row by row, holding one page; a statement without one gives
    no row.
    """

    statement: Statement
    statement_id: str
    seconds: float
    rows: int | None
    source: Callable[[], Iterator[Page]] | None = field(default=None, repr=False)

    @property
    def has_result_set(self) -> bool:
        """Whether it is a query, even one that found nothing."""
        return self.source is not None

    def pages(self) -> Iterator[Page]:
        """Yield the result set page by page, at least one page if there is a result set."""
        return iter(()) if self.source is None else self.source()

    def until(self, deadline: Deadline) -> Result:
        """Return the same result, whose fetching ends with the deadline: DeadlineError."""

        def pages() -> Iterator[Page]:
            for page in self.pages():
                deadline.check()
                yield page

        return replace(self, source=pages if self.has_result_set else None)

    def __iter__(self) -> Iterator[Row]:
        for page in self.pages():
            yield from page.rows

    def fetch(self) -> list[Row]:
        """List all rows."""
        return list(self)

    def beginning(self, count: int) -> tuple[tuple[Column, ...], list[Row]]:
        """Return the columns and the first `count` rows, or as many as there are; no page is fetched for more."""
        columns: tuple[Column, ...] = ()
        rows: list[Row] = []
        for page in self.pages():
            columns = columns or page.columns
            rows += page.rows[: count - len(rows)]
            if len(rows) == count:
                break
        return columns, rows

    def columns(self) -> tuple[Column, ...]:
        """Return the columns of the result set; none without one."""
        return next((page.columns for page in self.pages()), ())

    def arrow(self) -> Any:
        """Return the result set as a typed pyarrow.Table: see arrow.table.

        Raises UsageError without pyarrow, ResultError.
        """
        if self.source is None:
            raise ResultError(f"{self.statement.what}: has no result set")
        return arrow.table(self.pages(), what=self.statement.what)
