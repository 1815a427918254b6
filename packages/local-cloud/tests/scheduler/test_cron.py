"""AWS's cron: the examples of its documentation, and calendars computed another way."""

from __future__ import annotations

import calendar
import datetime
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local_cloud.services.scheduler.cron import Cron
from local_cloud.services.scheduler.errors import CronError

START = datetime.datetime.fromisoformat("2024-02-27T12:00")
LONG_AGO = datetime.datetime.fromisoformat("1999-01-01")


def times(expression: str, count: int, after: datetime.datetime = START) -> list[str]:
    found = itertools.islice(Cron.parse(expression).after(after), count)
    return [moment.strftime("%Y-%m-%d %H:%M") for moment in found]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("0 10 * * ? *", ["2024-02-28 10:00", "2024-02-29 10:00", "2024-03-01 10:00"]),
        ("15 12 * * ? *", ["2024-02-27 12:15", "2024-02-28 12:15"]),
        ("0 12 * * ? *", ["2024-02-28 12:00"]),
        (
            "0 18 ? * MON-FRI *",
            ["2024-02-27 18:00", "2024-02-28 18:00", "2024-02-29 18:00", "2024-03-01 18:00", "2024-03-04 18:00"],
        ),
        ("0 8 1 * ? *", ["2024-03-01 08:00", "2024-04-01 08:00"]),
        ("0/20 * * * ? *", ["2024-02-27 12:20", "2024-02-27 12:40", "2024-02-27 13:00"]),
        ("*/20 * * * ? *", ["2024-02-27 12:20", "2024-02-27 12:40", "2024-02-27 13:00"]),
        ("5/30 8-9 ? * 2 *", ["2024-03-04 08:05", "2024-03-04 08:35", "2024-03-04 09:05", "2024-03-04 09:35"]),
        ("0 9 L * ? *", ["2024-02-29 09:00", "2024-03-31 09:00", "2024-04-30 09:00"]),
        ("0 9 LW * ? *", ["2024-02-29 09:00", "2024-03-29 09:00", "2024-04-30 09:00"]),
        ("0 9 3W * ? *", ["2024-03-04 09:00", "2024-04-03 09:00", "2024-05-03 09:00", "2024-06-03 09:00"]),
        ("0 9 1W * ? *", ["2024-03-01 09:00", "2024-04-01 09:00", "2024-05-01 09:00", "2024-06-03 09:00"]),
        ("0 9 31W * ? *", ["2024-03-29 09:00", "2024-05-31 09:00"]),
        ("0 9 ? * 3#2 *", ["2024-03-12 09:00", "2024-04-09 09:00"]),
        ("0 9 ? * TUE#5 *", ["2024-04-30 09:00", "2024-07-30 09:00"]),
        ("0 9 ? * 6L *", ["2024-03-29 09:00", "2024-04-26 09:00"]),
        ("0 9 ? * FRIL *", ["2024-03-29 09:00", "2024-04-26 09:00"]),
        ("0 9 ? * L *", ["2024-03-02 09:00", "2024-03-09 09:00"]),
        ("0 0 29 2 ? *", ["2024-02-29 00:00", "2028-02-29 00:00"]),
        ("0 0 1 JAN,jul ? *", ["2024-07-01 00:00", "2025-01-01 00:00"]),
        ("0 0 1 1 ? 2024-2026", ["2025-01-01 00:00", "2026-01-01 00:00"]),
        ("0 0 1 1 ? 2023", []),
        ("0 0 30 2 ? 2024", []),
        ("0 6 15 * ? *", ["2024-03-15 06:00", "2024-04-15 06:00"]),
    ],
)
def test_when_an_expression_is_due(expression, expected):
    assert times(expression, max(1, len(expected))) == expected


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("0 10 * * *", "5 fields instead of 6"),
        ("0 10 * * * *", "exactly one of day-of-month and day-of-week must be ?"),
        ("0 10 ? * ? *", "exactly one of day-of-month and day-of-week must be ?"),
        ("60 10 * * ? *", "minutes '60' is not between 0 and 59"),
        ("0 24 * * ? *", "hours '24' is not between 0 and 23"),
        ("0 0 0 * ? *", "day-of-month '0' is not between 1 and 31"),
        ("0 0 32W * ? *", "day-of-month '32' is not between 1 and 31"),
        ("0 0 1 13 ? *", "month '13' is not between 1 and 12"),
        ("0 0 ? * 8 *", "day-of-week '8' is not between 1 and 7"),
        ("0 0 ? * MON#6 *", "day-of-week 'MON#6' is not between 1 and 7"),
        ("0 0 1 * ? 1969", "year '1969' is not between 1970 and 2199"),
        ("0 5-3 * * ? *", "hours '5-3': 5 is after 3"),
        ("0/0 * * * ? *", "minutes '0/0': '0' is no step"),
        ("0/x * * * ? *", "minutes '0/X': 'X' is no step"),
        ("a * * * ? *", "minutes 'A' is not between 0 and 59"),
        (", * * * ? *", "minutes '' is not between 0 and 59"),
    ],
)
def test_what_is_no_expression(expression, message):
    with pytest.raises(CronError) as raised:
        Cron.parse(expression)
    assert message in str(raised.value)


weekdays = st.integers(1, 7)


@given(weekday=weekdays, which=st.integers(1, 5), year=st.integers(2000, 2100), month=st.integers(1, 12))
def test_the_nth_weekday_is_the_nth_in_the_calendar(weekday, which, year, month):
    column = (weekday - 2) % 7  # the calendar's weeks begin on Monday
    days = [week[column] for week in calendar.monthcalendar(year, month) if week[column]]
    expected = days[which - 1 : which]
    found = times(f"0 0 ? {month} {weekday}#{which} {year}", 1, LONG_AGO)
    assert found == [f"{year}-{month:02}-{day:02} 00:00" for day in expected]
    last = times(f"0 0 ? {month} {weekday}L {year}", 1, LONG_AGO)
    assert last == [f"{year}-{month:02}-{days[-1]:02} 00:00"]


@given(day=st.integers(1, 31), year=st.integers(2000, 2100), month=st.integers(1, 12))
def test_the_nearest_weekday_is_a_weekday_of_the_month_and_none_is_nearer(day, year, month):
    last = calendar.monthrange(year, month)[1]
    found = times(f"0 0 {day}W {month} ? {year}", 2, LONG_AGO)
    if day > last:
        assert found == []
        return
    weekdays_of_month = [d for d in range(1, last + 1) if datetime.date(year, month, d).weekday() < 5]
    nearest = min(abs(d - day) for d in weekdays_of_month)
    assert len(found) == 1
    chosen = int(found[0][8:10])
    assert chosen in weekdays_of_month
    assert abs(chosen - day) == nearest


@given(st.datetimes(min_value=LONG_AGO, max_value=LONG_AGO + datetime.timedelta(days=36_500)))
def test_times_are_later_than_asked_and_in_order(after):
    found = list(itertools.islice(Cron.parse("7/13 */5 L * ? *").after(after), 5))
    assert found == sorted(found)
    assert all(moment > after for moment in found)
