"""Which month or day a schedule means."""

from __future__ import annotations

import datetime
from typing import NamedTuple


class Month(NamedTuple):
    """A calendar month; `number` is 1 to 12."""

    year: int
    number: int

    def __str__(self) -> str:
        return f"{self.year:04}-{self.number:02}"

    @property
    def input(self) -> dict[str, str]:
        """As a monthly pipeline's execution gets it."""
        return {"year": f"{self.year:04}", "month": f"{self.number:02}"}


class Day(NamedTuple):
    """A calendar day, UTC."""

    date: datetime.date

    def __str__(self) -> str:
        return self.date.isoformat()

    @property
    def input(self) -> dict[str, str]:
        """As a daily pipeline's execution gets it."""
        return {"day": str(self)}


def months_before(today: datetime.date, lag: int) -> Month:
    """Return the month `lag` months before the one `today` lies in; a lag of 0 is today's own month."""
    count = today.year * 12 + today.month - 1 - lag
    return Month(count // 12, count % 12 + 1)
