"""When a month agrees, and when it does not."""

from __future__ import annotations

from typing import Any

import pytest

from orchestration.trips.verify import MonthCheck, count_loaded

RULES = {"pickup missing": 0, "fare not positive": 3}


@pytest.mark.parametrize(
    ("check", "agrees"),
    [
        (MonthCheck("2024-09", 10, 7, RULES, 7), True),
        (MonthCheck("2024-09", 10, 7, RULES, 14), False),
        (MonthCheck("2024-09", 10, 7, RULES, 0), False),
        (MonthCheck("2024-09", 11, 7, RULES, 7), False),
        (MonthCheck("2024-09", None, None, {}, 7), False),
        (MonthCheck("2024-09", 3, 0, RULES, 0), True),
    ],
)
def test_a_month_agrees_where_manifest_and_table_do(check: MonthCheck, agrees: bool) -> None:
    assert check.agrees is agrees
    assert check.as_json()["agrees"] is agrees


def test_rows_of_the_table_are_counted_by_month() -> None:
    def query(sql: str) -> list[tuple[Any, ...]]:
        return [(1,)] if "svv_tables" in sql else [("2024-09-01", 7), ("2024-10-01", 8)]

    assert count_loaded(query, "public.yellow_trips") == {"2024-09": 7, "2024-10": 8}


def test_a_table_that_is_not_there_holds_nothing() -> None:
    asked = []

    def query(sql: str) -> list[tuple[Any, ...]]:
        asked.append(sql)
        return []

    assert count_loaded(query, "public.yellow_trips") == {}
    assert len(asked) == 1
