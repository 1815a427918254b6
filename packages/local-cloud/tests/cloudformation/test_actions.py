"""What is taken for the state of a resource after updates that failed."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local_cloud.services.cloudformation.deploying.actions import possible_properties

PROPERTIES = st.dictionaries(st.sampled_from("abc"), st.integers(0, 2))


@pytest.mark.parametrize(
    ("candidates", "wanted", "result"),
    [
        ([{"a": 1}], {"a": 2}, {"a": 1}),
        ([{"a": 1}], {"a": 1}, {"a": 1}),
        ([{"a": 1}, {"a": 2}], {"a": 1}, {"a": 2}),  # back to what it was: perhaps it has the new value already
        ([{"a": 1}, {"a": 2}], {"a": 3}, {"a": 1}),
        ([{"a": 1}, {}], {"a": 1}, {}),  # perhaps it was taken away
        ([{}, {"a": 1}], {}, {"a": 1}),
        ([{"a": 1}, {"a": 2}, {"a": 1}], {"a": 1}, {"a": 2}),
    ],
)
def test_of_the_states_that_are_possible_one_that_differs_is_taken(
    candidates: list[dict[str, Any]], wanted: dict[str, Any], result: dict[str, Any]
) -> None:
    assert possible_properties(candidates, wanted) == result


@given(st.lists(PROPERTIES, min_size=1, max_size=4), PROPERTIES)
def test_a_property_that_may_differ_does(candidates: list[dict[str, int]], wanted: dict[str, int]) -> None:
    before = possible_properties(candidates, wanted)
    for name in "abc":
        may_differ = any(candidate.get(name) != wanted.get(name) for candidate in candidates)
        assert (before.get(name) != wanted.get(name)) == may_differ
