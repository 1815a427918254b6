"""The language as data and pure functions: paths, function calls, definitions as trees."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from local_cloud.services.stepfunctions.language import tree
from local_cloud.services.stepfunctions.language.errors import StateError, has_match
from local_cloud.services.stepfunctions.language.intrinsic_calls import (
    Call,
    IntrinsicSyntaxError,
    Literal,
    PathArgument,
    parse_call,
)
from local_cloud.services.stepfunctions.language.paths import NoSuchPath, extract, is_path, put
from local_cloud.services.stepfunctions.language.read import read_machine
from local_cloud.services.stepfunctions.running.attempts import retry_wait

DOCUMENT = {
    "a": [{"b": 1}, {"b": 2}],
    "detail-type": "x",
    "n": None,
    "rows": [{"region": "eu-west-1", "aws:id": 1}, {"detail-type": "y"}],
}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("$", DOCUMENT),
        ("$.a[1].b", 2),
        ("$['a'][0][\"b\"]", 1),
        ("$.a[-1]", {"b": 2}),
        ("$.a[2]", None),
        ("$.n", None),
        ("$.detail-type", "x"),
        ("$.a[*].b", [1, 2]),
        ("$..b", [1, 2]),
        ("$.nothing[*]", []),
        ("$.a[?(@.b > 1)].b", [2]),
        ("$.a[?(@.b in [2, 3])].b", [2]),
        ("$.rows[?(@.region =~ /EU-.*/i)].aws:id", [1]),
        ("$.rows[?(!@.region)].detail-type", ["y"]),
        ("$.rows[-2:].id", []),
        ("$.[?(@.b)]", []),
    ],
)
def test_a_definite_path_names_one_value_and_any_other_a_list(path, value):
    assert extract(path, DOCUMENT) == value


@pytest.mark.parametrize(("path", "strict"), [("$.x", False), ("$.a[2].b", False), ("$.n.x", False), ("$.a[2]", True)])
def test_a_definite_path_that_names_nothing_is_an_error(path, strict):
    with pytest.raises(NoSuchPath):
        extract(path, DOCUMENT, strict=strict)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a",
        "a.*",
        "$.",
        "$.a[",
        "$.a..",
        "$$.",
        1,
        None,
        "$.a | $.b",
        "$.a[*][~'b']",
        "$.a[?(# == 'b')]",
        "$.a[?(@.b == ^.n)]",
    ],
)
def test_what_is_no_path(text):
    assert not is_path(text)


def test_a_value_is_put_into_a_copy():
    document = {"a": {"b": 1}, "l": [{}, {}]}
    assert put("$.a.c.d", document, 2) == {"a": {"b": 1, "c": {"d": 2}}, "l": [{}, {}]}
    assert put("$.l[1].x", document, 3) == {"a": {"b": 1}, "l": [{}, {"x": 3}]}
    assert document == {"a": {"b": 1}, "l": [{}, {}]}


@pytest.mark.parametrize(
    ("text", "call"),
    [
        ("States.UUID()", Call("States.UUID", ())),
        (
            "States.MathAdd( $.a[?(@.b > 1)].b , -2 )",
            Call("States.MathAdd", (PathArgument("$.a[?(@.b > 1)].b"), Literal(-2))),
        ),
        (
            "States.Array(States.Array(1.5) , null, false, 'it\\'s', $$.State.Name, $v)",
            Call(
                "States.Array",
                (
                    Call("States.Array", (Literal(1.5),)),
                    Literal(None),
                    Literal(value=False),
                    Literal("it's"),
                    PathArgument("$$.State.Name"),
                    PathArgument("$v"),
                ),
            ),
        ),
    ],
)
def test_a_function_call_is_a_tree(text, call):
    assert parse_call(text) == call


def test_only_braces_without_a_backslash_are_places():
    (template,) = parse_call(r"States.Format('a{}\{\}b{}')").arguments
    assert template.value.pieces == ["a", "{}b", ""]


@pytest.mark.parametrize(
    "text",
    [
        "States.UUID",
        "States.UUID(",
        "States.UUID()x",
        "States.UUID(1)",
        "States.MathAdd(1)",
        "States.MathAdd(1,)",
        "States.MathAdd(1 2)",
        "States.Nobody()",
        "States.Array(a)",
        "States.Array('a)",
        "States.Array($.)",
        "States.StringSplit('a', 'b', 'c')",
    ],
)
def test_what_is_no_function_call(text):
    with pytest.raises(IntrinsicSyntaxError):
        parse_call(text)


def read(state, **machine):
    return read_machine(json.dumps({"StartAt": "S", "States": {"S": state}, **machine})).states["S"]


def test_a_heartbeat_sets_no_timeout():
    state = read({"Type": "Task", "Resource": "r", "HeartbeatSeconds": 5, "End": True})
    assert isinstance(state, tree.Task)
    assert (state.timeout, state.heartbeat) == (None, tree.Quantity(field="HeartbeatSeconds", source=5))


def test_a_child_has_the_language_of_the_machine_and_not_of_its_parent():
    child = {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}}
    states = [
        read({"Type": "Parallel", "QueryLanguage": "JSONata", "Branches": [child], "End": True}).branches[0],
        read({"Type": "Map", "QueryLanguage": "JSONata", "ItemProcessor": child, "End": True}).processor,
    ]
    assert [machine.states["P"].is_jsonata for machine in states] == [False, False]
    both = read({"Type": "Parallel", "Branches": [child], "End": True}, QueryLanguage="JSONata")
    assert (both.is_jsonata, both.branches[0].states["P"].is_jsonata) == (True, True)


def test_a_template_has_its_place():
    state = read({"Type": "Choice", "Choices": [{"Condition": "{% true %}", "Next": "S", "Output": 1}]})
    (rule,) = state.rules
    assert rule == tree.Rule(
        test=tree.Template("Choices[0]/Condition", "{% true %}"),
        next="S",
        output=tree.Template("Choices[0]/Output", 1),
    )


def test_waits_between_attempts_grow_to_their_limit_and_each_retrier_counts_for_itself():
    rules = (
        tree.Retrier(errors=("E",), interval=2, attempts=3, backoff=3, longest=10),
        tree.Retrier(errors=("States.ALL",), attempts=1),
    )
    counts: Counter[tree.Retrier] = Counter()
    waits = [retry_wait(rules, StateError(error), counts) for error in ("E", "E", "F", "E", "F", "E")]
    assert waits == [2, 6, 1, 10, None, None]
    assert retry_wait(rules, StateError("States.Runtime"), counts) is None


def test_only_a_missed_heartbeat_is_both_of_its_names():
    missed = StateError("States.Timeout", missed_heartbeat=True)
    assert [has_match([name], missed) for name in ("States.Timeout", "States.HeartbeatTimeout")] == [True, True]
    assert not has_match(["States.HeartbeatTimeout"], StateError("States.Timeout"))
