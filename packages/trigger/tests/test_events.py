"""Events: which month or day one means, and what is refused."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trigger.events import EventError, month_of, period_of
from trigger.executions import execution_arn, machine_arn
from trigger.periods import Day, Month, months_before

DAYS = st.dates(min_value=datetime.date(1970, 1, 1), max_value=datetime.date(2200, 12, 31))


@pytest.mark.parametrize(
    ("today", "lag", "month"),
    [
        ("2024-11-05", 2, "2024-09"),
        ("2024-02-29", 2, "2023-12"),
        ("2024-01-31", 1, "2023-12"),
        ("2024-01-01", 0, "2024-01"),
        ("2024-03-31", 13, "2023-02"),
        ("2024-12-31", 12, "2023-12"),
    ],
)
def test_a_lag_counts_whole_months_back(today: str, lag: int, month: str) -> None:
    assert str(months_before(datetime.date.fromisoformat(today), lag)) == month


@given(day=DAYS, lag=st.integers(0, 240))
def test_stepping_back_month_by_month_gives_the_same(day: datetime.date, lag: int) -> None:
    first = day.replace(day=1)
    for _ in range(lag):
        first = (first - datetime.timedelta(days=1)).replace(day=1)
    assert months_before(day, lag) == Month(first.year, first.month)


TODAY = datetime.date(2024, 11, 5)


@pytest.mark.parametrize(
    ("event", "month"),
    [
        ({"lag_months": 2}, Month(2024, 9)),
        ({"lag_months": "2"}, Month(2024, 9)),
        ({"year": 2009, "month": 1}, Month(2009, 1)),
        ({"year": "2024", "month": "09", "lag_months": 2}, Month(2024, 9)),
    ],
)
def test_an_event_names_a_month_or_a_lag(event: dict[str, Any], month: Month) -> None:
    assert month_of(event, TODAY) == month


@pytest.mark.parametrize(
    ("event", "complaint"),
    [
        ({}, "lag_months must be a whole number, but is None"),
        ({"lag_months": -1}, "lag_months is -1; it must be 0 to 240"),
        ({"lag_months": True}, "lag_months must be a whole number, but is True"),
        ({"lag_months": 1.5}, "lag_months must be a whole number, but is 1.5"),
        ({"year": 2024}, "month must be a whole number, but is None"),
        ({"year": 2024, "month": 13}, "year 2024 and month 13 are no month TLC could have published"),
        ({"year": "x", "month": 1}, "year must be a whole number, but is 'x'"),
    ],
)
def test_month_of_refuses(event: dict[str, Any], complaint: str) -> None:
    with pytest.raises(EventError) as caught:
        month_of(event, TODAY)
    assert str(caught.value) == complaint


@pytest.mark.parametrize("text", ["2024-09-05", "2024-09-05T06:00:00Z", "2024-09-05T23:59:59Z"])
def test_an_event_names_a_day(text: str) -> None:
    day = period_of({"day": text}, TODAY)
    assert (day, str(day), day.input) == (Day(datetime.date(2024, 9, 5)), "2024-09-05", {"day": "2024-09-05"})


@pytest.mark.parametrize(
    "value",
    [None, 5, "", "today", "2024-09", "2024-09-31", "2024-09-05 06:00", "2024-09-05Tnoon", "2024-09-05T06:00"],
)
def test_not_a_day(value: Any) -> None:
    with pytest.raises(EventError) as caught:
        period_of({"day": value}, TODAY)
    assert str(caught.value) == f"day must be like 2024-09-05 or 2024-09-05T06:00:00Z, but is {value!r}"


MACHINE = "arn:aws:states:us-east-1:123456789012:stateMachine:trips"


@pytest.mark.parametrize("target", [MACHINE, f"{MACHINE}:live", f"{MACHINE}:3"])
def test_an_execution_belongs_to_the_machine_behind_its_alias(target: str) -> None:
    expected = "arn:aws:states:us-east-1:123456789012:execution:trips:yellow-2024-09"
    assert execution_arn(target, "yellow-2024-09") == expected
    assert machine_arn(target) == MACHINE
