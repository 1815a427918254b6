"""What `elt run` of reviews says of a delivery, and asks before it replaces many reviews by few."""

from __future__ import annotations

import io
from typing import Any

import pytest

from orchestration import pipelines
from orchestration.cli.run_day import _ask_about, _describe, rerun_command
from orchestration.environments import load
from orchestration.errors import UsageError
from orchestration.reviews.conversion import Converted
from orchestration.reviews.delivery import Delivery, Rows

PIPELINE = pipelines.load_daily("reviews")
FEWER = "far fewer reviews than are in place: Toys 19 instead of 1,529"


class Answer(io.StringIO):
    def __init__(self, text: str, *, terminal: bool) -> None:
        super().__init__(text)
        self.terminal = terminal

    def isatty(self) -> bool:
        return self.terminal


@pytest.mark.parametrize("answer", ["n\n", "\n", ""])
def test_whoever_does_not_say_yes_on_a_terminal_changes_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: Any, answer: str
) -> None:
    monkeypatch.setattr("sys.stdin", Answer(answer, terminal=True))
    with pytest.raises(UsageError, match=r"^nothing was put in place; --yes says that it is meant$"):
        _ask_about(FEWER)
    assert f"The delivery holds {FEWER}. Replace them? [y/N]: " in capsys.readouterr().err


def test_a_yes_on_a_terminal_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", Answer("y\n", terminal=True))
    _ask_about(FEWER)


def test_without_a_terminal_nothing_is_asked_and_nothing_is_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", Answer("y\n", terminal=False))
    with pytest.raises(UsageError) as caught:
        _ask_about(FEWER)
    assert str(caught.value) == f"the delivery holds {FEWER}; nothing was put in place; --yes says that it is meant"


def test_what_became_of_a_delivery_is_told() -> None:
    given = Delivery(
        (),
        {"Toys": Rows(5, 5), "Wine": Rows(1, 1)},
        converted={"a": Converted(3, {"star_rating": 1}), "b": Converted(2_000, {"star_rating": 2, "no_review_id": 1})},
        extra=("images",),
        left_out=("product_category=Toys/notes.txt",),
    )
    assert list(_describe(given, PIPELINE)) == [
        "converted 2 files: read 2,003, kept 1,999, rejected 4 (star_rating 3, no_review_id 1)",
        "not loaded, since the table has no such columns: images",
        "not delivered, since it is no product_category=…/*.parquet: product_category=Toys/notes.txt",
        "not loaded, since pipelines/reviews/pipeline.toml does not list them: Wine",
    ]


def test_the_command_to_try_again_says_what_is_gone() -> None:
    told = rerun_command(PIPELINE, load("local"), gone=("Toys", "Video Games"))
    assert told == "elt run reviews --gone Toys --gone 'Video Games' --env local"
