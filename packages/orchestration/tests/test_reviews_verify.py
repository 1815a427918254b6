"""The table of reviews beside its source."""

from __future__ import annotations

from typing import Any

from orchestration import pipelines
from orchestration.cli.verify import show_categories
from orchestration.reviews.verify import CategoryCheck, check_categories

PIPELINE = pipelines.load_daily("reviews")


def test_every_category_that_is_listed_or_loaded_is_told(capsys: Any) -> None:
    answers = {
        "svv_external_tables": [(1,)],
        "amzreviews.reviews WHERE year >= 2015 OR year IS NULL": [("Books", 3), ("Home", 4), ("Toys", 2)],
        "public.reviews": [("Books", 3), ("Home", 5), ("Music", 1), ("Wine", 2)],
    }

    def query(sql: str) -> list[tuple[Any, ...]]:
        return next(rows for words, rows in answers.items() if words in sql)

    found = check_categories(PIPELINE, query)
    assert [one.category for one in found] == [*PIPELINE.categories, "Wine"]
    by_name = {one.category: one for one in found}
    assert (by_name["Books"], by_name["Toys"]) == (CategoryCheck("Books", 3, 3), CategoryCheck("Toys", 2, 0))
    told = {name: (one.agrees, one.missing_from) for name, one in by_name.items()}
    assert {name: told.pop(name) for name in ("Books", "Home", "Music", "Toys", "Wine")} == {
        "Books": (True, []),
        "Home": (False, []),
        "Music": (False, ["source"]),
        "Toys": (False, ["table"]),
        "Wine": (False, ["source"]),
    }
    assert set(map(str, told.values())) == {"(True, ['source', 'table'])"}
    show_categories(found)
    shown = [line.strip().split(maxsplit=3) for line in capsys.readouterr().out.splitlines()]
    assert shown[2:4] == [["Books", "3", "3", "agrees"], ["Camera", "0", "0", "no reviews"]]
    assert {line[0]: line[3] for line in shown if line[0] in ("Home", "Music", "Toys", "Wine")} == {
        "Home": "DIFFERS",
        "Music": "NOT IN THE SOURCE",
        "Toys": "NOT IN THE TABLE",
        "Wine": "NOT IN THE SOURCE",
    }


def test_before_the_first_run_there_is_nothing_to_compare() -> None:
    assert check_categories(PIPELINE, lambda sql: []) == []
