"""`-- @expect`: what it says, where it may stand, and what a run does where it is not so."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

import rs_query
from rs_query import Expectation, ExpectationError, LexicalError
from rs_query.plan import Mode, make_plan

COMMENTS = {
    "-- @expect no rows": Expectation(None),
    "--@expect  no  rows :  some {n} too many ": Expectation(None, "some {n} too many"),
    "-- @expect one row (1)": Expectation((Decimal(1),)),
    "-- @expect one row ( -1.50, 'it''s, (', NULL, true, False ): why": Expectation(
        (Decimal("-1.50"), "it's, (", None, True, False), "why"
    ),
    "-- @expect one row ()": Expectation(()),
}


@pytest.mark.parametrize(("comment", "expectation"), COMMENTS.items(), ids=COMMENTS)
def test_a_comment_before_a_statement_is_its_expectation(comment: str, expectation: Expectation) -> None:
    first, second = rs_query.split(f"-- a heading\n{comment}\n/* more */ SELECT 1;\n-- @expected by nobody\nSELECT 2")
    assert (first.expectation, first.text) == (expectation, "SELECT 1")
    assert second.expectation is None


MALFORMED = {
    "-- @expect\nSELECT 1": (1, "an @expect that is none: write"),
    "-- @expect 3 rows\nSELECT 1": (1, "an @expect that is none: write"),
    "-- @expect one row (abc)\nSELECT 1": (1, "an @expect that is none: 'abc' begins with no number"),
    "-- @expect no rows\n-- @expect no rows\nSELECT 1": (2, "a second @expect for one statement"),
    "SELECT 1 -- @expect no rows\n;": (1, "an @expect within a statement"),
    "SELECT 1;\n\n-- @expect no rows\n": (3, "there is no statement after this @expect"),
}


@pytest.mark.parametrize(("text", "expected"), MALFORMED.items(), ids=MALFORMED)
def test_an_expectation_that_would_not_be_looked_at_is_refused(text: str, expected: tuple[int, str]) -> None:
    with pytest.raises(LexicalError) as caught:
        rs_query.split(text, "x.sql")
    assert caught.value.line == expected[0]
    assert expected[1] in str(caught.value)


NO_ROWS, MESSAGE = Expectation(None), Expectation(None, "{n} of {total}, and {unknown}")
ONE = Expectation((Decimal("1.50"), "x", None, True))
JUDGED = [
    (NO_ROWS, [], ""),
    (NO_ROWS, [(1,), (2,)], "expected no rows, found (1) and more"),
    (MESSAGE, [(3, "four")], "3 of four, and {unknown}"),
    (ONE, [(1.5, "x", None, True)], ""),
    (ONE, [(Decimal("1.5"), "x", None, True)], ""),
    (ONE, [], "expected one row (1.50, 'x', null, true), found none"),
    (
        ONE,
        [(1.5, "x", None, True)] * 2,
        "expected one row (1.50, 'x', null, true), found (1.5, 'x', null, true) and more",
    ),
    (ONE, [(True, "x", None, True)], "expected one row (1.50, 'x', null, true), found (true, 'x', null, true)"),
    (Expectation((Decimal(1),)), [(True,)], "expected one row (1), found (true)"),
    (Expectation((True,)), [(1,)], "expected one row (true), found (1)"),
    (Expectation(("1",)), [(1,)], "expected one row ('1'), found (1)"),
    (Expectation(("2024-09-01",)), [(dt.date(2024, 9, 1),)], ""),
    (Expectation((None,)), [("",)], "expected one row (null), found ('')"),
    (Expectation((Decimal(0),), "not empty"), [(7,)], "not empty"),
    (Expectation((Decimal(0),), "{n} too many"), [], "{n} too many"),
]


@pytest.mark.parametrize(("expectation", "rows", "failure"), JUDGED)
def test_a_result_is_what_is_expected_or_why_not(expectation: Expectation, rows: list[Any], failure: str) -> None:
    assert expectation.failure(["n", "total"], rows) == failure


def test_a_transaction_that_is_to_be_looked_into_is_no_single_call() -> None:
    def mode(text: str) -> Mode:
        plan = make_plan(
            rs_query.split(text),
            {},
            transaction=True,
            mark=lambda *_: None,
            batch_limit=40,
            statement_limit=1000,
            binds_in_batches=lambda: True,
        )
        return plan.mode

    assert mode("DELETE FROM a; SELECT 1") is Mode.BATCH
    assert mode("DELETE FROM a; -- @expect no rows\nSELECT 1") is Mode.SESSION


def test_the_error_is_public_and_a_statements() -> None:
    assert issubclass(ExpectationError, rs_query.StatementError)
