"""Drift in words: what, where, and what to do."""

from __future__ import annotations

from typing import Any

import pytest

from orchestration.trips.drift import explain, explain_months

NEW = {"column": "new_fee", "change": "new_column", "type": "double"}


def unreadable(rows: int) -> dict[str, Any]:
    return {"column": "Fare", "change": "unreadable_values", "type": "text", "into": "fare_amount", "rows": rows}


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (
            NEW,
            "the column new_fee (double) is new, and is not loaded: add it to the dataset, or to `also` of its era "
            "(docs/adding-a-dataset.md)",
        ),
        (
            unreadable(1_200),
            "the column Fare has values (text) that fare_amount cannot hold: look at the file, and at `invalid_values` "
            "of the dataset, which decides between NULL and a rejected row; rows: 1,200",
        ),
        (
            {"column": "at", "change": "zoned_times", "type": "timestamp", "read_as": "America/New_York"},
            "the times of at have a zone, and were read as America/New_York: compare some with the months before",
        ),
        (
            {"column": "at", "change": "times_of_unknown_zone", "type": "timestamp", "read_as": "wall clock"},
            "the times of at do not tell whether they have a zone, and were read as wall clock: compare some with the "
            "months before",
        ),
        (
            {"column": "rejected_by", "change": "renamed_in_rejects", "type": "text", "into": "rejected_by_1"},
            "the rejects have the column rejected_by as rejected_by_1: there is nothing to do",
        ),
        ({"column": "{x}", "change": "later"}, '{"column": "{x}", "change": "later"}'),
        ({"column": "at", "change": "zoned_times"}, '{"column": "at", "change": "zoned_times"}'),
    ],
)
def test_every_kind_says_what_it_is_and_what_to_do(line: dict[str, Any], words: str) -> None:
    assert explain(line) == words


def test_what_months_have_alike_is_one_line_with_the_rows_of_all() -> None:
    months = [
        ("2024-09", [NEW]),
        ("2024-10", [NEW, unreadable(2)]),
        ("2024-11", [unreadable(3), {**NEW, "type": "text"}]),
    ]
    assert explain_months(months) == [
        f"2 months from 2024-09 to 2024-10: {explain(NEW)}",
        f"2 months from 2024-10 to 2024-11: {explain(unreadable(5))}",
        f"2024-11: {explain({**NEW, 'type': 'text'})}",
    ]
    assert explain_months([("2024-09", [])]) == []
