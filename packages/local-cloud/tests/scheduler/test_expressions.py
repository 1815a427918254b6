from __future__ import annotations

import datetime

import pytest

from local_cloud.services.scheduler.errors import ExpressionError
from local_cloud.services.scheduler.expressions import Timing


def utc(text: str) -> datetime.datetime:
    return datetime.datetime.fromisoformat(text).replace(tzinfo=datetime.UTC)


def due(expression, after, *, zone="UTC", anchor="2024-01-01T00:00:00", start=None, end=None, count=1):
    """The next times, in UTC."""
    timing, moment, found = Timing.parse(expression, zone), utc(after), []
    for _ in range(count):
        moment = timing.next_after(
            moment, anchor=utc(anchor), start=utc(start) if start else None, end=utc(end) if end else None
        )
        if moment is None:
            break
        found.append(moment.strftime("%Y-%m-%dT%H:%M:%S"))
    return found


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"expression": "cron(0 6 15 * ? *)", "after": "2024-03-01T00:00:00"}, ["2024-03-15T06:00:00"]),
        (
            {
                "expression": "cron(0 6 15 * ? *)",
                "after": "2024-03-01T00:00:00",
                "zone": "America/New_York",
                "count": 2,
            },
            ["2024-03-15T10:00:00", "2024-04-15T10:00:00"],
        ),
        (
            {"expression": "cron(0 6 * * ? *)", "after": "2024-03-01T00:00:00", "start": "2024-03-05T06:00:00"},
            ["2024-03-05T06:00:00"],
        ),
        (
            {
                "expression": "cron(0 6 * * ? *)",
                "after": "2024-03-01T07:00:00",
                "end": "2024-03-03T06:00:00",
                "count": 5,
            },
            ["2024-03-02T06:00:00", "2024-03-03T06:00:00"],
        ),
        (
            {"expression": "rate(5 minutes)", "after": "2023-12-31T23:59:59", "count": 3},
            ["2024-01-01T00:00:00", "2024-01-01T00:05:00", "2024-01-01T00:10:00"],
        ),
        ({"expression": "rate(1 hour)", "after": "2024-01-01T07:30:00"}, ["2024-01-01T08:00:00"]),
        (
            {"expression": "rate(2 days)", "after": "2024-01-01T00:00:00", "start": "2024-01-10T12:00:00", "count": 2},
            ["2024-01-10T12:00:00", "2024-01-12T12:00:00"],
        ),
        ({"expression": "rate(1 day)", "after": "2024-01-01T00:00:00", "end": "2024-01-01T23:00:00"}, []),
        (
            {
                "expression": "at(2024-06-01T09:30:00)",
                "after": "2024-01-01T00:00:00",
                "zone": "Europe/Berlin",
                "count": 2,
            },
            ["2024-06-01T07:30:00"],
        ),
        ({"expression": "at(2024-06-01T09:30:00)", "after": "2024-06-01T09:30:00"}, []),
    ],
)
def test_when_a_schedule_is_due(arguments, expected):
    assert due(**arguments) == expected


def test_a_time_that_the_clocks_skip_in_spring_is_skipped():
    # New York went from 02:00 to 03:00 on 10 March 2024.
    found = due("cron(30 2 * * ? *)", "2024-03-09T00:00:00", zone="America/New_York", count=3)
    assert found == ["2024-03-09T07:30:00", "2024-03-11T06:30:00", "2024-03-12T06:30:00"]


def test_a_time_that_the_clocks_repeat_in_autumn_comes_once():
    # New York went from 02:00 back to 01:00 on 3 November 2024.
    found = due("cron(0/30 1 * * ? *)", "2024-11-03T00:00:00", zone="America/New_York", count=4)
    assert found == ["2024-11-03T05:00:00", "2024-11-03T05:30:00", "2024-11-04T06:00:00", "2024-11-04T06:30:00"]
    in_the_repeated_hour = due("cron(0/30 1 * * ? *)", "2024-11-03T06:10:00", zone="America/New_York")
    assert in_the_repeated_hour == ["2024-11-04T06:00:00"]


@pytest.mark.parametrize(
    ("expression", "zone", "message"),
    [
        ("every day", "UTC", "Invalid Schedule Expression every day: give cron(…), rate(…) or at(…)."),
        ("cron(0 6 15 * *)", "UTC", "Invalid Schedule Expression cron(0 6 15 * *): 5 fields instead of 6"),
        (
            "rate(0 minutes)",
            "UTC",
            "Invalid Schedule Expression rate(0 minutes): give a number and minutes, hours or days.",
        ),
        ("rate(5 weeks)", "UTC", "give a number and minutes, hours or days"),
        ("at(2024-06-01)", "UTC", "Invalid Schedule Expression at(2024-06-01): give at(yyyy-mm-ddThh:mm:ss)."),
        ("rate(1 day)", "Mars/Phobos", "Invalid Schedule Expression Timezone Mars/Phobos."),
        ("rate(1 day)", "../etc/passwd", "Invalid Schedule Expression Timezone ../etc/passwd."),
    ],
)
def test_what_is_no_schedule(expression, zone, message):
    with pytest.raises(ExpressionError) as raised:
        Timing.parse(expression, zone)
    assert message in str(raised.value)
