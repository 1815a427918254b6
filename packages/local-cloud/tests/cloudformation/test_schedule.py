"""The runner of dependency graphs."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local_cloud.services.cloudformation.planning.schedule import cycle, order, run


@st.composite
def graphs(draw: st.DrawFn) -> dict[str, set[str]]:
    """Acyclic ones: each node requires only earlier ones."""
    names = [f"n{index}" for index in range(draw(st.integers(0, 12)))]
    return {name: {other for other in names[:index] if draw(st.booleans())} for index, name in enumerate(names)}


@given(graphs())
def test_everything_runs_once_and_after_what_it_requires(graph: dict[str, set[str]]) -> None:
    done: list[str] = []

    def step(name: str) -> None:
        assert graph[name] <= set(done)
        done.append(name)

    assert run(graph, step, stop_on_failure=True, may_start=lambda: True) == {}
    assert sorted(done) == sorted(graph)


@given(graphs(), st.data())
def test_what_requires_a_failure_never_runs(graph: dict[str, set[str]], data: st.DataObject) -> None:
    broken = data.draw(st.sampled_from(sorted(graph))) if graph else ""
    done: list[str] = []

    def step(name: str) -> None:
        if name == broken:
            raise ValueError(name)
        done.append(name)

    failures = run(graph, step, stop_on_failure=False, may_start=lambda: True)
    assert list(failures) == ([broken] if broken else [])
    behind = {broken}
    for name in order(graph):
        if graph[name] & behind:
            behind.add(name)
    assert set(done) == graph.keys() - behind


def test_steps_that_do_not_require_each_other_run_at_the_same_time() -> None:
    together = threading.Barrier(3, timeout=10)
    graph: dict[str, set[str]] = {"a": set(), "b": set(), "c": set()}
    assert run(graph, lambda _: together.wait(), stop_on_failure=True, may_start=lambda: True) == {}  # type: ignore[func-returns-value]


def test_a_failure_lets_nothing_new_start_but_waits_for_what_runs() -> None:
    failed, ended = threading.Event(), threading.Event()

    def step(name: str) -> None:
        if name == "bad":
            failed.set()
            raise ValueError("no")
        if name == "slow":
            assert failed.wait(10)
            ended.set()
        assert name != "next"

    graph: dict[str, set[str]] = {"bad": set(), "slow": set(), "next": {"slow"}}
    assert list(run(graph, step, stop_on_failure=True, may_start=lambda: True)) == ["bad"]
    assert ended.is_set()


def test_nothing_starts_once_it_may_not() -> None:
    done: list[str] = []
    graph: dict[str, set[str]] = {"a": set(), "b": {"a"}, "c": {"b"}}
    assert run(graph, done.append, stop_on_failure=True, may_start=lambda: len(done) < 2) == {}
    assert done == ["a", "b"]


@pytest.mark.parametrize(
    ("graph", "nodes"),
    [
        ({}, []),
        ({"a": {"b"}, "b": set()}, []),
        ({"a": {"a"}}, ["a"]),
        ({"a": {"b"}, "b": {"a"}, "c": {"a"}, "d": set()}, ["a", "b"]),
        ({"a": {"b"}, "b": {"c"}, "c": {"a"}, "before": {"a"}, "after": set()}, ["a", "b", "c"]),
        ({"a": {"outside"}}, []),
    ],
)
def test_a_cycle_is_named_by_its_members_alone(graph: dict[str, set[str]], nodes: list[str]) -> None:
    assert cycle(graph) == nodes
