"""Choice states: operators, combinations, and what AWS does where no rule can be taken."""

from __future__ import annotations

import pytest

INPUT = {
    "n": 5,
    "f": 5.0,
    "big": 10,
    "s": "m",
    "num": "5",
    "t": True,
    "no": False,
    "null": None,
    "at": "2016-08-18T17:33:00Z",
    "later": "2016-08-18T17:33:00.5Z",
    "list": [1],
    "empty": [],
    "log": "zebra.log",
    "star": "a*b",
    "slash": "a\\b",
    "lines": "a\nb",
}

TRUE = [
    {"Variable": "$.n", "NumericEquals": 5},
    {"Variable": "$.n", "NumericEquals": 5.0},
    {"Variable": "$.f", "NumericEquals": 5},
    {"Variable": "$.n", "NumericLessThan": 6},
    {"Variable": "$.n", "NumericGreaterThan": 4.5},
    {"Variable": "$.n", "NumericLessThanEquals": 5},
    {"Variable": "$.n", "NumericGreaterThanEquals": 5},
    {"Variable": "$.n", "NumericEqualsPath": "$.f"},
    {"Variable": "$.n", "NumericLessThanPath": "$.big"},
    {"Variable": "$.n", "NumericLessThanEqualsPath": "$.n"},
    {"Variable": "$.big", "NumericGreaterThanPath": "$.n"},
    {"Variable": "$.n", "NumericGreaterThanEqualsPath": "$limit"},
    {"Variable": "$limit", "NumericEquals": 5},
    {"Variable": "$.s", "StringEquals": "m"},
    {"Variable": "$.s", "StringLessThan": "n"},
    {"Variable": "$.s", "StringGreaterThan": "l"},
    {"Variable": "$.s", "StringLessThanEquals": "m"},
    {"Variable": "$.s", "StringGreaterThanEquals": "m"},
    {"Variable": "$.s", "StringEqualsPath": "$.s"},
    {"Variable": "$.s", "StringLessThanPath": "$.log"},
    {"Variable": "$.log", "StringGreaterThanPath": "$.s"},
    {"Variable": "$.s", "StringLessThanEqualsPath": "$.s"},
    {"Variable": "$.s", "StringGreaterThanEqualsPath": "$.s"},
    {"Variable": "$$.Execution.Input.s", "StringEquals": "m"},
    {"Variable": "$.s", "StringEqualsPath": "$$.Execution.Input.s"},
    {"Variable": "$.log", "StringMatches": "zebra*.log"},
    {"Variable": "$.log", "StringMatches": "*"},
    {"Variable": "$.log", "StringMatches": "z*a.l*g"},
    {"Variable": "$.star", "StringMatches": "a\\*b"},
    {"Variable": "$.slash", "StringMatches": "a\\\\b"},
    {"Variable": "$.lines", "StringMatches": "a*b"},
    {"Variable": "$.t", "BooleanEquals": True},
    {"Variable": "$.no", "BooleanEquals": False},
    {"Variable": "$.t", "BooleanEqualsPath": "$.t"},
    {"Variable": "$.at", "TimestampEquals": "2016-08-18T18:33:00+01:00"},
    {"Variable": "$.at", "TimestampEquals": "2016-08-18T17:33:00.000Z"},
    {"Variable": "$.at", "TimestampLessThan": "2016-08-18T17:33:00.001Z"},
    {"Variable": "$.later", "TimestampGreaterThan": "2016-08-18T17:33:00Z"},
    {"Variable": "$.at", "TimestampLessThanEquals": "2016-08-18T17:33:00Z"},
    {"Variable": "$.at", "TimestampGreaterThanEquals": "2016-08-18T17:33:00Z"},
    {"Variable": "$.at", "TimestampEqualsPath": "$.at"},
    {"Variable": "$.at", "TimestampLessThanPath": "$.later"},
    {"Variable": "$.later", "TimestampGreaterThanPath": "$.at"},
    {"Variable": "$.at", "TimestampLessThanEqualsPath": "$.at"},
    {"Variable": "$.at", "TimestampGreaterThanEqualsPath": "$.at"},
    {"Variable": "$.null", "IsNull": True},
    {"Variable": "$.n", "IsNull": False},
    {"Variable": "$.null", "IsPresent": True},
    {"Variable": "$.nobody", "IsPresent": False},
    {"Variable": "$.list[0]", "IsPresent": True},
    {"Variable": "$.empty[0]", "IsPresent": False},
    {"Variable": "$nobody", "IsPresent": False},
    {"Variable": "$.n", "IsNumeric": True},
    {"Variable": "$.t", "IsNumeric": False},
    {"Variable": "$.s", "IsString": True},
    {"Variable": "$.null", "IsString": False},
    {"Variable": "$.no", "IsBoolean": True},
    {"Variable": "$.n", "IsBoolean": False},
    {"Variable": "$.later", "IsTimestamp": True},
    {"Variable": "$.s", "IsTimestamp": False},
    {"And": [{"Variable": "$.n", "IsPresent": True}, {"Variable": "$.n", "NumericGreaterThan": 1}]},
    {"Or": [{"Variable": "$.n", "NumericEquals": 5}, {"Variable": "$.x", "NumericEquals": 1}]},
    {"Not": {"Variable": "$.n", "NumericEquals": 6}},
    {"And": [{"Or": [{"Not": {"Variable": "$.t", "BooleanEquals": False}}]}]},
]

FALSE = [
    {"Variable": "$.n", "NumericEquals": 6},
    {"Variable": "$.num", "NumericEquals": 5},
    {"Variable": "$.n", "StringEquals": "5"},
    {"Variable": "$.t", "NumericEquals": 1},
    {"Variable": "$.num", "NumericLessThan": 6},
    {"Variable": "$.null", "StringEquals": "null"},
    {"Variable": "$.s", "BooleanEquals": True},
    {"Variable": "$.log", "StringMatches": "zebr?.log"},
    {"Variable": "$.log", "StringMatches": "zebr[a-z].log"},
    {"Variable": "$.log", "StringMatches": "ZEBRA*"},
    {"Variable": "$.log", "StringMatches": "zebra"},
    {"Variable": "$.star", "StringMatches": "a\\*"},
    {"Variable": "$.n", "StringMatches": "*"},
    {"Variable": "$.s", "TimestampEquals": "2016-08-18T17:33:00Z"},
    {"Variable": "$.at", "TimestampLessThan": "2016-08-18T18:33:00+01:00"},
    {"Variable": "$.n", "NumericEqualsPath": "$.s"},
    {"And": [{"Variable": "$.n", "NumericEquals": 5}, {"Variable": "$.s", "StringEquals": "x"}]},
    {"Or": [{"Variable": "$.n", "NumericEquals": 6}, {"Variable": "$.s", "StringEquals": "x"}]},
    {"Not": {"Variable": "$.n", "NumericEquals": 5}},
]

NO_TIMESTAMPS = [
    "2016-08-18t17:33:00z",
    "2024-01-01",
    "2024-01-01T00:00Z",
    "2024-01-01T00:00:00+01",
    "2024-01-01T00:00:00+0100",
    "2024-01-01T00:00:00",
    "2024-01-01 00:00:00Z",
    "2024-13-01T00:00:00Z",
    "soon",
]


def branches_over(rules):
    """A machine that takes a choice for every rule, at once, and puts out the ways taken."""
    ways = []
    for index, rule in enumerate(rules):
        names = {"C": f"C{index}", "yes": f"yes{index}", "no": f"no{index}"}
        choice = {"Type": "Choice", "Choices": [rule | {"Next": names["yes"]}], "Default": names["no"]}
        ends = {names[way]: {"Type": "Pass", "Result": way, "End": True} for way in ("yes", "no")}
        ways.append({"StartAt": names["C"], "States": {names["C"]: choice, **ends}})
    first = {"Type": "Pass", "Assign": {"limit": 5}, "Next": "All"}
    every = {"Type": "Parallel", "Branches": ways, "End": True}
    return {"StartAt": "First", "States": {"First": first, "All": every}}


@pytest.mark.parametrize(("rules", "way"), [(TRUE, "yes"), (FALSE, "no")], ids=["taken", "not taken"])
def test_operators(sfn, rules, way):
    outcome = sfn.run(branches_over(rules), INPUT)
    assert outcome.status == "SUCCEEDED", outcome.cause
    assert [str(rule) for rule, taken in zip(rules, outcome.output, strict=True) if taken != way] == []


def test_a_combination_looks_no_further_than_it_must(sfn):
    guarded = {"And": [{"Variable": "$.x", "IsPresent": True}, {"Variable": "$.x", "NumericGreaterThan": 1}]}
    assert sfn.run(branches_over([guarded]), {}).output == ["no"]


def test_text_that_is_no_timestamp(sfn):
    rules = [{"Variable": f"$[{index}]", "IsTimestamp": False} for index in range(len(NO_TIMESTAMPS))]
    assert sfn.run(branches_over(rules), NO_TIMESTAMPS).output == ["yes"] * len(NO_TIMESTAMPS)


@pytest.mark.parametrize(
    ("rule", "path"),
    [
        ({"Variable": "$.gone", "NumericEquals": 1}, "$.gone"),
        ({"Variable": "$.gone", "IsNull": True}, "$.gone"),
        ({"Variable": "$.n", "NumericEqualsPath": "$.gone"}, "$.gone"),
        ({"Variable": "$.list[3]", "IsString": True}, "$.list[3]"),
        ({"Variable": "$gone", "IsString": True}, "$gone"),
    ],
)
def test_a_variable_that_names_nothing_fails_the_execution(sfn, rule, path):
    choice = {"Type": "Choice", "Choices": [rule | {"Next": "Other"}], "Default": "Other"}
    assert sfn.run(sfn.one(choice), INPUT).result == (
        "States.Runtime",
        "An error occurred while executing the state 'S' (entered at the event id #2). Invalid path"
        f" '{path}': The choice state's condition path references an invalid value.",
    )


@pytest.mark.parametrize(
    "choice",
    [
        {"Choices": [{"Variable": "$.n", "NumericEquals": 6, "Next": "Other"}]},
        {"QueryLanguage": "JSONata", "Choices": [{"Condition": "{% $states.input.n = 6 %}", "Next": "Other"}]},
    ],
    ids=["JSONPath", "JSONata"],
)
def test_no_rule_and_no_default_fails_the_execution(sfn, choice):
    assert sfn.run(sfn.one({"Type": "Choice", **choice}), INPUT).result == (
        "States.Runtime",
        "An error occurred while executing the state 'S' (entered at the event id #2). Failed to transition out of the"
        " state. The state does not point to a next state.",
    )


@pytest.mark.parametrize(
    ("language", "n", "wanted"),
    [
        ("JSONPath", 1, {"by": "rule", "n": 1}),
        ("JSONPath", 2, {"by": "default", "n": 2}),
        ("JSONata", 1, {"by": "rule", "n": 1}),
        ("JSONata", 2, {"by": "default", "n": 2}),
    ],
)
def test_a_rule_assigns_what_it_says_and_default_what_the_state_says(sfn, language, n, wanted):
    """Also where both go to the same state."""
    if language == "JSONPath":
        rule = {"Variable": "$.n", "NumericEquals": 1, "Assign": {"by": "rule", "n.$": "$.n"}}
        default, last = {"by": "default", "n.$": "$.n"}, {"Parameters": {"by.$": "$by", "n.$": "$n"}}
    else:
        rule = {"Condition": "{% $states.input.n = 1 %}", "Assign": {"by": "rule", "n": "{% $states.input.n %}"}}
        default, last = (
            {"by": "default", "n": "{% $states.input.n %}"},
            {"Output": {"by": "{% $by %}", "n": "{% $n %}"}},
        )
    definition = {
        "QueryLanguage": language,
        "StartAt": "C",
        "States": {
            "C": {"Type": "Choice", "Choices": [rule | {"Next": "Last"}], "Assign": default, "Default": "Last"},
            "Last": {"Type": "Pass", **last, "End": True},
        },
    }
    assert sfn.run(definition, {"n": n}).output == wanted


def test_a_choice_filters_its_input_and_output(sfn):
    choice = {
        "Type": "Choice",
        "InputPath": "$.in",
        "Choices": [{"Variable": "$.go", "BooleanEquals": True, "Next": "Other"}],
        "OutputPath": "$.out",
    }
    assert sfn.run(sfn.one(choice), {"in": {"go": True, "out": 7}}).output == 7


def test_the_first_rule_that_holds_is_taken(sfn):
    rules = [
        {"Condition": False, "Next": "Other"},
        {"Condition": "{% $states.input.n > 3 %}", "Next": "Caught", "Output": {"first": "{% $states.input.n %}"}},
        {"Condition": True, "Next": "Other"},
    ]
    choice = {"Type": "Choice", "Choices": rules}
    assert sfn.run(sfn.one(choice, QueryLanguage="JSONata"), {"n": 5}).output == {"first": 5}
