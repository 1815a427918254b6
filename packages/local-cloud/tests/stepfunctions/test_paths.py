"""JSONPath states: paths, templates, results, intrinsic functions, variables."""

from __future__ import annotations

import json
import re

import pytest

DATA = {
    "a": [{"b": 1, "c": "x"}, {"b": 2, "c": "y"}],
    "one": ["only"],
    "none": [],
    "null": None,
    "detail-type": "Scheduled",
    "where": "here",
    "deep": {"er": {"list": [[1, 2], [3]]}},
    "naïve": "ï",
    "with space": "s",
}

PATHS = [
    ("$", DATA),
    ("$.a[0].b", 1),
    ("$.a[1].c", "y"),
    ("$['a'][0]['b']", 1),
    ("$.a[-1].b", 2),
    ("$.a[7]", None),
    ("$.none[0]", None),
    ("$.a[*].b", [1, 2]),
    ("$.one[*]", ["only"]),
    ("$.none[*]", []),
    ("$.a[0:1]", [{"b": 1, "c": "x"}]),
    ("$.a[0:1].b", [1]),
    ("$.a[?(@.b > 1)].c", ["y"]),
    ("$.a[?(@.b == 9)].c", []),
    ("$.a[?(@.c == 'x')]", [{"b": 1, "c": "x"}]),
    ("$..b", [1, 2]),
    ("$.deep.er.list[0]", [1, 2]),
    ("$.deep.er.list[0][1]", 2),
    ("$.deep.*.list", [[[1, 2], [3]]]),
    ("$.null", None),
    ("$.detail-type", "Scheduled"),
    ("$['detail-type']", "Scheduled"),
    ("$.where", "here"),
    ("$.naïve", "ï"),
    ("$['with space']", "s"),
    ("$.a.[0].b", 1),
    ("$.a.[?(@.b == 2)].c", ["y"]),
]


def test_a_definite_path_gives_its_value_and_any_other_a_list(sfn):
    template = {f"{index}.$": path for index, (path, _) in enumerate(PATHS)}
    outcome = sfn.run(sfn.one({"Type": "Pass", "Parameters": template}), DATA)
    assert outcome.status == "SUCCEEDED", outcome.cause
    assert {path: outcome.output[str(index)] for index, (path, _) in enumerate(PATHS)} == dict(PATHS)


@pytest.mark.parametrize(
    ("state", "cause"),
    [
        (
            {"Type": "Pass", "Parameters": {"x": {"y.$": "$.a[7].b"}}},
            "The JSONPath '$.a[7].b' specified for the field 'y.$' could not be found in the input '{}'",
        ),
        (
            {"Type": "Pass", "InputPath": "$.b"},
            "Invalid path '$.b' : No results for path: $['b']",
        ),
        (
            {"Type": "Pass", "OutputPath": "$.b"},
            "Invalid path '$.b' : No results for path: $['b']",
        ),
    ],
    ids=["Parameters", "InputPath", "OutputPath"],
)
def test_a_path_that_names_nothing_fails_the_execution_and_says_where(sfn, state, cause):
    outcome = sfn.run(sfn.one(state), {})
    prefix = "An error occurred while executing the state 'S' (entered at the event id #2). "
    assert outcome.result == ("States.Runtime", prefix + cause)
    assert outcome.types == ["ExecutionStarted", "PassStateEntered", "ExecutionFailed"]


FLOW = [
    ("nothing", {}, {"a": 1}, {"a": 1}),
    ("Result", {"Result": {"r": 1}}, {"a": 1}, {"r": 1}),
    ("Result null", {"Result": None}, {"a": 1}, None),
    ("InputPath", {"InputPath": "$.a"}, {"a": 1}, 1),
    ("InputPath null", {"InputPath": None}, {"a": 1}, {}),
    ("OutputPath", {"OutputPath": "$.a"}, {"a": 1}, 1),
    ("OutputPath null", {"OutputPath": None}, {"a": 1}, {}),
    ("ResultPath", {"Result": 2, "ResultPath": "$.r"}, {"a": 1}, {"a": 1, "r": 2}),
    ("ResultPath deep", {"Result": 2, "ResultPath": "$.x.y"}, {"a": 1}, {"a": 1, "x": {"y": 2}}),
    ("ResultPath null", {"Result": 2, "ResultPath": None}, {"a": 1}, {"a": 1}),
    ("ResultPath over", {"Result": 2, "ResultPath": "$.a"}, {"a": {"b": 1}}, {"a": 2}),
    ("ResultPath in a list", {"Result": 2, "ResultPath": "$[1].p"}, [{}, {"a": 1}], [{}, {"a": 1, "p": 2}]),
    ("ResultPath hyphen", {"Result": 2, "ResultPath": "$.a-b['c.d']"}, {"a-b": {"x": 1}}, {"a-b": {"x": 1, "c.d": 2}}),
    ("Parameters", {"Parameters": {"x.$": "$.a", "k": [{"n.$": "$.a"}]}}, {"a": 1}, {"x": 1, "k": [{"n": 1}]}),
    ("all", {"InputPath": "$.i", "Parameters": {"p.$": "$.q"}, "ResultPath": "$.r"}, {"i": {"q": 1}},
     {"i": {"q": 1}, "r": {"p": 1}}),
]  # fmt: skip


def test_data_flows_through_a_state_as_the_language_says(sfn):
    branches = [sfn.one(state | {"Type": "Pass"}) for _, state, _, _ in FLOW]
    for index, branch in enumerate(branches):
        branch["StartAt"] = f"S{index}"
        branch["States"] = {f"S{index}": branch["States"]["S"]}
    inputs = {str(index): input for index, (_, _, input, _) in enumerate(FLOW)}
    parallel = {
        "Type": "Parallel",
        "Branches": [
            {
                "StartAt": f"Pick{index}",
                "States": {
                    f"Pick{index}": {"Type": "Pass", "InputPath": f"$['{index}']", "Next": f"S{index}"},
                    **branch["States"],
                },
            }
            for index, branch in enumerate(branches)
        ],
    }
    outcome = sfn.run(sfn.one(parallel), inputs)
    assert outcome.status == "SUCCEEDED", outcome.cause
    assert dict(zip([name for name, *_ in FLOW], outcome.output, strict=True)) == {
        name: output for name, _, _, output in FLOW
    }


@pytest.mark.parametrize(
    ("path", "input", "cause"),
    [
        ("$.x", "text", 'Unable to apply step "x" to input "text"'),
        ("$.a.b", {"a": [1]}, 'Unable to apply step "b" to input [1]'),
        ("$.a[2]", {"a": [1]}, 'Unable to apply step "2" to input [1]'),
        ("$.a[0].b", {"a": {}}, 'Unable to apply step "0" to input {}'),
    ],
)
def test_a_result_path_that_cannot_be_applied_can_be_caught(sfn, path, input, cause):
    branch = {"StartAt": "In", "States": {"In": {"Type": "Pass", "End": True}}}
    catch = [{"ErrorEquals": ["States.ResultPathMatchFailure"], "Next": "Caught"}]
    state = {"Type": "Parallel", "Branches": [branch], "ResultPath": path}
    assert sfn.run(sfn.one(state), input).result == ("States.ResultPathMatchFailure", cause)
    caught = sfn.run(sfn.one(state | {"Catch": catch}), input)
    assert caught.result == {"Error": "States.ResultPathMatchFailure", "Cause": cause}


def test_the_context_object_says_who_runs_what_where(sfn):
    machine = sfn.machine(
        sfn.chain(
            {"Type": "Pass", "ResultPath": "$.first", "Parameters": {"state.$": "$$.State"}},
            {"Type": "Pass", "ResultPath": "$.all", "Parameters": {"c.$": "$$", "name.$": "$$.State.Name"}},
        )
    )
    execution = sfn.start(machine, {"k": 1}, name="who")
    output = sfn.wait(execution).output
    context = output["all"]["c"]
    assert output["all"]["name"] == "S1"
    times = [
        context["Execution"].pop("StartTime"),
        output["first"]["state"].pop("EnteredTime"),
        context["State"].pop("EnteredTime"),
    ]
    assert times == sorted(times)
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", time) for time in times)
    assert output["first"]["state"] == {"Name": "S0"}
    assert context == {
        "Execution": {
            "Id": execution,
            "Input": {"k": 1},
            "Name": "who",
            "RoleArn": "arn:aws:iam::123456789012:role/machine",
            "RedriveCount": 0,
        },
        "StateMachine": {"Id": machine, "Name": machine.rpartition(":")[2]},
        "State": {"Name": "S1"},
    }


def test_variables_are_read_as_json_and_reach_inner_scopes(sfn):
    inner = {
        "StartAt": "In",
        "States": {
            "In": {
                "Type": "Pass",
                "Assign": {"mine.$": "$$.Map.Item.Value", "k": "inner"},
                "Next": "Out",
            },
            "Out": {"Type": "Pass", "Parameters": {"mine.$": "$mine", "k.$": "$k", "m.$": "$m.l[0]"}, "End": True},
        },
    }
    outcome = sfn.run(
        sfn.chain(
            {
                "Type": "Pass",
                "Assign": {
                    "m.$": "$.m",
                    "text": 'a "b" \\ ☃',
                    "n": 1.5,
                    "nil": None,
                    "sum.$": "States.MathAdd($.n, 2)",
                },
            },
            {
                "Type": "Map",
                "ItemsPath": "$.items",
                "ItemProcessor": inner,
                "Assign": {"mapped.$": "$[*].mine"},
                "ResultPath": "$.mapped",
            },
            {
                "Type": "Pass",
                "Parameters": {
                    "one.$": "$m.l[*]",
                    "first.$": "$m.l[0]",
                    "text.$": "$text",
                    "n.$": "$n",
                    "nil.$": "$nil",
                    "sum.$": "$sum",
                    "mapped.$": "$mapped",
                    "format.$": "States.Format('{}-{}', $m.year, $text)",
                    "results.$": "$.mapped",
                },
            },
        ),
        {"m": {"year": 2024, "l": ["x"]}, "n": 3, "items": [7, 8]},
    )
    assert outcome.result == {
        "one": ["x"],
        "first": "x",
        "text": 'a "b" \\ ☃',
        "n": 1.5,
        "nil": None,
        "sum": 5,
        "mapped": [7, 8],
        "format": '2024-a "b" \\ ☃',
        "results": [{"mine": 7, "k": "inner", "m": "x"}, {"mine": 8, "k": "inner", "m": "x"}],
    }
    exited = outcome.events[2]["stateExitedEventDetails"]["assignedVariables"]
    assert {name: json.loads(text) for name, text in exited.items()} == {
        "m": {"year": 2024, "l": ["x"]},
        "text": 'a "b" \\ ☃',
        "n": 1.5,
        "nil": None,
        "sum": 5,
    }


@pytest.mark.parametrize(
    ("fields", "language"),
    [
        ({"Assign": {"v": "new", "was.$": "$v"}, "Parameters": {"seen.$": "$v"}, "OutputPath": "$.seen"}, "JSONPath"),
        ({"Assign": {"v": "new"}, "InputPath": "$v", "OutputPath": "$v"}, "JSONPath"),
        ({"Assign": {"v": "new", "was": "{% $v %}"}, "Output": "{% $v %}"}, "JSONata"),
    ],
)
def test_a_state_sees_variables_as_they_were_when_it_was_entered(sfn, fields, language):
    show = {"Output": ["{% $states.input %}", "{% $v %}"]}
    if language == "JSONPath":
        show = {"Parameters": {"all.$": "States.Array($, $v)"}, "OutputPath": "$.all"}
    definition = sfn.chain(
        {"Type": "Pass", "Assign": {"v": "old"}}, {"Type": "Pass", **fields}, {"Type": "Pass", **show}
    )
    assert sfn.run(definition | {"QueryLanguage": language}).output == ["old", "new"]


def test_what_a_failed_attempt_assigned_is_forgotten(sfn):
    branch = {"StartAt": "In", "States": {"In": {"Type": "Pass", "End": True}}}
    state = {
        "Type": "Parallel",
        "Branches": [branch],
        "Assign": {"v": "new"},
        "ResultPath": "$.x",
        "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Caught"}],
    }
    choice = {
        "Type": "Choice",
        "Choices": [{"Variable": "$v", "IsPresent": True, "Next": "T"}],
        "Default": "F",
    }
    definition = sfn.one(state)
    definition["States"] |= {way: {"Type": "Pass", "Result": way, "End": True} for way in "TF"}
    definition["States"]["Caught"] = choice
    assert sfn.run(definition, "text").output == "F"


def test_a_variable_that_was_never_assigned_fails_the_execution(sfn):
    outcome = sfn.run(sfn.one({"Type": "Pass", "Parameters": {"a.$": "$nobody"}}))
    assert (outcome.status, outcome.error) == ("FAILED", "States.Runtime")
    assert "nobody" in outcome.cause


def test_escapes_of_a_definition_are_those_of_json(sfn):
    text = r"""{"StartAt": "a \"b\" \u2603 \\ \/", "States": {"a \"b\" \u2603 \\ \/": {"Type": "Pass",
        "Assign": {"v": "x \"y\" \ud83d\ude00 \/ \\n"}, "Next": "out"}, "out": {"Type": "Pass",
        "Parameters": {"k \"q\"": "t \/ \"", "v.$": "$v", "f.$": "States.Format('\"{}\" \u2603', 'a')"},
        "End": true}}}"""
    outcome = sfn.run(text)
    assert outcome.output == {'k "q"': 't / "', "v": 'x "y" 😀 / \\n', "f": '"a" ☃'}
    assert outcome.events[1]["stateEnteredEventDetails"]["name"] == 'a "b" ☃ \\ /'


def test_history_has_json_as_aws_writes_it(sfn):
    outcome = sfn.run(sfn.one({"Type": "Pass", "Parameters": {"a": [1, {"b": "☃"}]}}))
    exited = outcome.events[2]["stateExitedEventDetails"]
    assert exited["output"] == '{"a":[1,{"b":"☃"}]}'


def test_the_context_object_in_an_output_stays_as_it_was(sfn):
    states = [{"Type": "Pass", "Parameters": {"c.$": "$$"}}, {"Type": "Pass"}]
    assert sfn.run(sfn.chain(*states)).output["c"]["State"]["Name"] == "S0"
