"""What a schedule's event says: which pipeline, and which month or day of it."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any

from trigger.periods import Day, Month, months_before


class EventError(ValueError):
    """The event does not say which month or day of which pipeline; `str()` names the key at fault."""


def text(event: Mapping[str, Any], key: str) -> str:
    """Return the text that the event has under `key`. Errors: EventError where there is none."""
    value = event.get(key)
    if not isinstance(value, str) or not value:
        raise EventError(f"{key} must be text, but is {value!r}")
    return value


def whole_number(event: Mapping[str, Any], key: str) -> int:
    """Return what the event has under `key`, a number or its digits. Errors: EventError."""
    value = event.get(key)
    if isinstance(value, str) and value.isascii() and value.isdigit():
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise EventError(f"{key} must be a whole number, but is {value!r}")


def period_of(event: Mapping[str, Any], today: datetime.date) -> Day | Month:
    """Return the day that an event names, else the month it means. Errors: EventError."""
    return day_of(event) if "day" in event else month_of(event, today)


def day_of(event: Mapping[str, Any]) -> Day:
    """Return the day of a date or of a time in UTC, as `<aws.scheduler.scheduled-time>` gives it. Errors: EventError.

    Of the time that was scheduled, not of the clock: a call that is retried after midnight means the same day.
    """
    value = event["day"]
    try:
        date, _, time = value.partition("T")
        day = datetime.date.fromisoformat(date)
        if time:
            datetime.datetime.strptime(time, "%H:%M:%SZ")  # noqa: DTZ007 - only whether it is one
    except (AttributeError, ValueError):
        raise EventError(f"day must be like 2024-09-05 or 2024-09-05T06:00:00Z, but is {value!r}") from None
    return Day(day)


def month_of(event: Mapping[str, Any], today: datetime.date) -> Month:
    """Return the month an event means, explicit or counted back from `today`. Errors: EventError."""
    if "year" in event or "month" in event:
        year, number = whole_number(event, "year"), whole_number(event, "month")
        if not (2009 <= year <= 2099 and 1 <= number <= 12):
            raise EventError(f"year {year} and month {number} are no month TLC could have published")
        return Month(year, number)
    lag = whole_number(event, "lag_months")
    if not 0 <= lag <= 240:
        raise EventError(f"lag_months is {lag}; it must be 0 to 240")
    return months_before(today, lag)
