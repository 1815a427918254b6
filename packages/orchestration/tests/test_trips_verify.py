"""When a month agrees, and when it does not."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from orchestration import pipelines
from orchestration.trips.verify import MonthCheck, check_months, count_loaded

RULES = {"pickup missing": 0, "fare not positive": 3}
COLUMNS = ["fare", "source_month", "tip"]


class Bucket:
    """Manifests by month, as S3 gives them."""

    class exceptions:
        NoSuchKey = KeyError

    def __init__(self, manifests: dict[str, dict[str, Any]]) -> None:
        load = {"load": {"rows_read": 0, "rows_kept": 0}, "rejected": {}}
        self.bodies = {
            f"yellow/{month.replace('-', '/')}/manifest.json": json.dumps({**load, **one}).encode()
            for month, one in manifests.items()
        }

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:
        return {"Body": io.BytesIO(self.bodies[Key])}

    def get_paginator(self, _: str) -> Bucket:
        return self

    def paginate(self, **_: str) -> list[dict[str, Any]]:
        return [{"Contents": [{"Key": key} for key in self.bodies]}]


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


def test_a_month_has_the_drift_of_its_manifest() -> None:
    line = {"column": "new_fee", "change": "new_column", "type": "double"}
    s3 = Bucket({"2024-09": {"drift": [line]}, "2024-10": {"drift": []}, "2024-11": {}})
    found = check_months(pipelines.load("yellow-trips"), s3, "processed", lambda sql: [])
    assert [(one.month, one.as_json()["drift"], one.agrees) for one in found] == [
        ("2024-09", [line], True),
        ("2024-10", [], True),
        ("2024-11", [], True),
    ]


def test_a_month_whose_load_lacks_columns_of_the_table_says_which() -> None:
    s3 = Bucket({"2024-09": {"columns": ["fare", "source_month"]}, "2024-10": {}, "2024-11": {"columns": COLUMNS}})
    pipeline = pipelines.load("yellow-trips")
    found = check_months(
        pipeline, s3, "processed", lambda sql: [(column,) for column in COLUMNS] if "columns" in sql else []
    )
    assert [(one.month, one.before, one.as_json()["before"]) for one in found] == [
        ("2024-09", ["tip"], ["tip"]),
        ("2024-10", [], []),
        ("2024-11", [], []),
    ]
