"""AWS's cron expressions: six fields, with `?`, `L`, `W` and `#`.

Minutes, hours, day of month, month, day of week (1 is Sunday), year.
https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
"""

from __future__ import annotations

import calendar
import datetime
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from local_cloud.services.scheduler.errors import CronError

_MONTHS = {
    **{"JAN": 1, "FEB": 2, "MAR": 3, "APR": 4, "MAY": 5, "JUN": 6},
    **{"JUL": 7, "AUG": 8, "SEP": 9, "OCT": 10, "NOV": 11, "DEC": 12},
}
_WEEKDAYS = {"SUN": 1, "MON": 2, "TUE": 3, "WED": 4, "THU": 5, "FRI": 6, "SAT": 7}
_LAST_YEAR = 2199

#: The days of a month that a field names.
_Days = Callable[[int, int], set[int]]


@dataclass(frozen=True)
class Cron:
    """A parsed expression."""

    minutes: frozenset[int]
    hours: frozenset[int]
    months: frozenset[int]
    years: frozenset[int]
    days: _Days

    @classmethod
    def parse(cls, text: str) -> Cron:
        """Parse the six fields. CronError for anything AWS would not take."""
        fields = text.upper().split()
        if len(fields) != 6:
            raise CronError(f"{len(fields)} fields instead of 6: minutes hours day-of-month month day-of-week year")
        minutes, hours, day_of_month, month, day_of_week, year = fields
        if (day_of_month == "?") == (day_of_week == "?"):
            raise CronError("exactly one of day-of-month and day-of-week must be ?")
        return cls(
            minutes=_numbers(minutes, "minutes", 0, 59),
            hours=_numbers(hours, "hours", 0, 23),
            months=_numbers(month, "month", 1, 12, names=_MONTHS),
            years=_numbers(year, "year", 1970, _LAST_YEAR),
            days=_days_of_week(day_of_week) if day_of_month == "?" else _days_of_month(day_of_month),
        )

    def after(self, moment: datetime.datetime) -> Iterator[datetime.datetime]:
        """The times after `moment`, in order; all without time zone, whole minutes."""
        for day in self._days_from(moment.date()):
            for hour in sorted(self.hours):
                for minute in sorted(self.minutes):
                    found = datetime.datetime.combine(day, datetime.time(hour, minute))
                    if found > moment:
                        yield found

    def _days_from(self, first: datetime.date) -> Iterator[datetime.date]:
        for year in sorted(y for y in self.years if y >= first.year):
            for month in sorted(self.months):
                if (year, month) >= (first.year, first.month):
                    days = (datetime.date(year, month, day) for day in sorted(self.days(year, month)))
                    yield from (day for day in days if day >= first)


def _numbers(field: str, name: str, low: int, high: int, *, names: dict[str, int] | None = None) -> frozenset[int]:
    """A field of lists, ranges and steps as the values it stands for."""
    found: set[int] = set()
    for part in field.split(","):
        span, _, step = part.partition("/")
        if span == "*":
            first, last = low, high
        else:
            start, dash, end = span.partition("-")
            first = _number(start, name, low, high, names)
            last = _number(end, name, low, high, names) if dash else (high if step else first)
        every = int(step) if step.isdigit() and int(step) else 0 if step else 1
        if not every:
            raise CronError(f"{name} {field!r}: {step!r} is no step")
        if first > last:
            raise CronError(f"{name} {field!r}: {first} is after {last}")
        found.update(range(first, last + 1, every))
    return frozenset(found)


def _number(text: str, name: str, low: int, high: int, names: dict[str, int] | None) -> int:
    value = (names or {}).get(text, int(text) if text.isdigit() else -1)
    if not low <= value <= high:
        raise CronError(f"{name} {text!r} is not between {low} and {high}")
    return value


def _days_of_month(field: str) -> _Days:
    if field == "L":
        return lambda year, month: {_last_day(year, month)}
    if field == "LW":
        return lambda year, month: {_nearest_weekday(year, month, _last_day(year, month))}
    if found := re.fullmatch(r"(\d+)W", field):
        wanted = _number(found[1], "day-of-month", 1, 31, None)
        return lambda year, month: (
            {_nearest_weekday(year, month, wanted)} if wanted <= _last_day(year, month) else set()
        )
    days = _numbers(field, "day-of-month", 1, 31)
    return lambda year, month: {day for day in days if day <= _last_day(year, month)}


def _days_of_week(field: str) -> _Days:
    if found := re.fullmatch(r"(\w+)#([1-5])", field):
        weekday, which = _number(found[1], "day-of-week", 1, 7, _WEEKDAYS), int(found[2])
        return lambda year, month: set(sorted(_weekdays(year, month, {weekday}))[which - 1 : which])
    if found := re.fullmatch(r"(\w+)L", field):
        weekday = _number(found[1], "day-of-week", 1, 7, _WEEKDAYS)
        return lambda year, month: {max(_weekdays(year, month, {weekday}))}
    if field == "L":
        return lambda year, month: _weekdays(year, month, {7})
    wanted = _numbers(field, "day-of-week", 1, 7, names=_WEEKDAYS)
    return lambda year, month: _weekdays(year, month, wanted)


def _last_day(year: int, month: int) -> int:
    return calendar.monthrange(year, month)[1]


def _weekdays(year: int, month: int, wanted: set[int] | frozenset[int]) -> set[int]:
    """The month's days that fall on the wanted weekdays, 1 for Sunday."""
    first = datetime.date(year, month, 1).isoweekday() % 7
    return {day for day in range(1, _last_day(year, month) + 1) if (first + day - 1) % 7 + 1 in wanted}


def _nearest_weekday(year: int, month: int, day: int) -> int:
    """The Monday-to-Friday day nearest to `day`, within the month."""
    weekday = datetime.date(year, month, day).isoweekday()
    if weekday == 6:
        return day - 1 if day > 1 else day + 2
    if weekday == 7:
        return day + 1 if day < _last_day(year, month) else day - 2
    return day
