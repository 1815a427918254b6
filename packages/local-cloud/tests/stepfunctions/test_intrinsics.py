"""Intrinsic functions (https://docs.aws.amazon.com/step-functions/latest/dg/intrinsic-functions.html)."""

from __future__ import annotations

import json
import uuid

import pytest

INPUT = {
    "a": [1, 2, 3, 4, 5, 6, 7, 8, 9],
    "x": "q",
    "s": "it's",
    "o": {"a": {"a1": 1, "a2": 2}, "b": 2},
    "p": {"a": {"a3": 1, "a4": 2}, "c": 3},
    "mixed": [1, 1.0, "1", {"k": [1]}, {"k": [1]}, None, True, None],
    "text": '{"number": 20, "list": [null]}',
    "n": 3.5,
    "deep": [{"v": {"w": 1}}],
    "t": True,
}

RESULTS = [
    # quotes, braces, backslashes and what else may stand in a text
    (r"States.Format('it\'s {}', $.x)", "it's q"),
    (r"States.Format('\{\} {} \{{}\}', $.x, 1)", "{} q {1}"),
    (r"States.Format('a\\b')", r"a\b"),
    (r"States.Format('a \"b\"')", 'a "b"'),
    ("States.Format('a \"b\" {}', 'it')", 'a "b" it'),
    (r"States.Format('x\ny')", "x\ny"),
    ("States.Format('☃ {}', '{}')", "☃ {}"),
    ("States.Format('{} {}', $.s, $$.State.Name)", "it's S"),
    ("States.Format('{}, {}, {}, {}', 1, 2.5, true, null)", "1, 2.5, true, null"),
    ("States.Format('{}', $.o)", "{a={a1=1, a2=2}, b=2}"),
    ("States.Format('{}', $.deep[0].v.w)", "1"),
    ("States.Format('{}', States.Format('<{}>', $.x))", "<q>"),
    ("States.Format('')", ""),
    # arrays
    ("States.Array()", []),
    ("States.Array('a', 1, $.x, null, true, $.o.b)", ["a", 1, "q", None, True, 2]),
    ("States.ArrayPartition($.a, 4)", [[1, 2, 3, 4], [5, 6, 7, 8], [9]]),
    ("States.ArrayContains($.a, 5)", True),
    ("States.ArrayContains($.a, 'x')", False),
    ("States.ArrayRange(1, 9, 2)", [1, 3, 5, 7, 9]),
    ("States.ArrayRange(3, 1, -1)", [3, 2, 1]),
    ("States.ArrayGetItem($.a, 5)", 6),
    ("States.ArrayLength($.a)", 9),
    ("States.ArrayLength($.a[?(@ > 7)])", 2),
    ("States.ArrayUnique($.mixed)", [1, 1.0, "1", {"k": [1]}, None, True]),
    # text and bytes
    ("States.Base64Encode('Daten — ☃')", "RGF0ZW4g4oCUIOKYgw=="),
    ("States.Base64Decode('RGF0ZW4g4oCUIOKYgw==')", "Daten — ☃"),
    ("States.Hash('input data', 'SHA-1')", "aaff4a450a104cd177d28d18d74485e8cae074b7"),
    ("States.Hash('é', 'MD5')", "66ddcd97cfdeabb2f6fb8a999b4bc76f"),
    ("States.StringSplit('1,2,3,4', ',')", ["1", "2", "3", "4"]),
    ("States.StringSplit('This.is+a,test=string', '.+,=')", ["This", "is", "a", "test", "string"]),
    ("States.StringSplit('a]b^c', ']^')", ["a", "b", "c"]),
    # JSON
    ("States.JsonMerge($.o, $.p, false)", {"a": {"a3": 1, "a4": 2}, "b": 2, "c": 3}),
    ("States.StringToJson(null)", None),
    ("States.Array('null', null,null , $.o.a)", ["null", None, None, {"a1": 1, "a2": 2}]),
    ("States.StringToJson($.text)", {"number": 20, "list": [None]}),
    ("States.JsonToString($.o)", '{"a":{"a1":1,"a2":2},"b":2}'),
    # numbers
    ("States.MathAdd(111, -1)", 110),
    ("States.MathAdd($.n, 1)", 5),
    ("States.MathRandom(1, 2)", 1),
]  # fmt: skip


def test_results(sfn):
    template = {f"{index}.$": function for index, (function, _) in enumerate(RESULTS)}
    outcome = sfn.run(sfn.one({"Type": "Pass", "Parameters": template}), INPUT)
    assert outcome.status == "SUCCEEDED", outcome.cause
    assert {function: outcome.output[str(index)] for index, (function, _) in enumerate(RESULTS)} == dict(RESULTS)


def test_random_results(sfn):
    template = {
        "uuid.$": "States.UUID()",
        "seeded.$": "States.Array(States.MathRandom(1, 1000, 7), States.MathRandom(1, 1000, 7))",
        "spread.$": "States.Array(States.MathRandom(0, 3), States.MathRandom(0, 3), States.MathRandom(0, 3))",
    }
    output = sfn.run(sfn.one({"Type": "Pass", "Parameters": template})).output
    assert uuid.UUID(output["uuid"]).version == 4
    assert output["seeded"][0] == output["seeded"][1]
    assert set(output["spread"]) <= {0, 1, 2}


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        ("States.Format('{0}', 1)", "the template has 0 places for 1 values"),
        ("States.Format('{} {}', 1)", "the template has 2 places for 1 values"),
        ("States.ArrayGetItem($.a, 9)", "the index 9 is out of bounds for an array of 9"),
        ("States.ArrayGetItem($.a, -1)", "the index -1 is out of bounds for an array of 9"),
        ("States.ArrayPartition($.a, 0)", "the size of the parts must be 1 or more, not 0"),
        ("States.ArrayRange(1, 5, 0)", "the step must not be 0"),
        ("States.ArrayRange(0, 1000, 1)", "the array would have 1001 items, more than 1000"),
        ("States.ArrayLength($.x)", 'expected an array, got "q"'),
        ("States.Base64Decode('*')", "the text is not Base64 of UTF-8"),
        ("States.Hash('a', 'CRC')", "'CRC' is none of MD5, SHA-1, SHA-256, SHA-384, SHA-512"),
        ("States.JsonMerge($.o, $.p, true)", "the third argument must be false: there is only a shallow merge"),
        ("States.JsonMerge($.o, $.x, false)", 'expected a JSON object, got "q"'),
        ("States.StringToJson('{')", "the text is not JSON"),
        ("States.MathAdd($.x, 1)", 'expected a number, got "q"'),
        ("States.MathRandom(2, 2)", "the start 2 must be less than the end 2"),
    ],
)
def test_a_wrong_argument_is_an_intrinsic_failure_that_can_be_caught(sfn, function, reason):
    states = {
        "Type": "Parallel",
        "Branches": [{"StartAt": "F", "States": {"F": {"Type": "Pass", "Parameters": {"r.$": function}, "End": True}}}],
        "Catch": [{"ErrorEquals": ["States.IntrinsicFailure"], "Next": "Caught"}],
    }
    output = sfn.run(sfn.one(states), INPUT).output
    assert output["Error"] == "States.IntrinsicFailure"
    prefix = "An error occurred while executing the state 'F' (entered at the event id #4). "
    assert output["Cause"].startswith(f"{prefix}The function '{function}' had the following error: {reason}")


def test_a_path_that_names_nothing_ends_the_execution_and_says_where(sfn):
    function = "States.Format('{} {}', $.a[8], States.Format('{}', $.a[9]))"
    state = {"Type": "Pass", "Parameters": {"r.$": function}}
    assert sfn.run(sfn.one(state), {"a": [0] * 9}).result == (
        "States.Runtime",
        "An error occurred while executing the state 'S' (entered at the event id #2). The function"
        f" '{function}' had the following error: The JsonPath argument for the field '$.a[9]' could not be found in"
        " the input '{\"a\":[0,0,0,0,0,0,0,0,0]}'",
    )


@pytest.mark.parametrize(
    "function",
    [
        "States.Format('it's')",
        "States.Format('open",
        "States.Format('a',)",
        "States.Format('a') extra",
        "States.Format",
        "States.Nothing('a')",
        "States.Format($.a b)",
    ],
)
def test_what_is_no_function_is_refused_when_the_machine_is_created(sfn, function):
    definition = sfn.one({"Type": "Pass", "Parameters": {"r.$": function}})
    role = "arn:aws:iam::123456789012:role/machine"
    assert sfn.refused("create_state_machine", name="bad", roleArn=role, definition=json.dumps(definition)) == (
        "InvalidDefinition",
        "Invalid State Machine Definition: 'SCHEMA_VALIDATION_FAILED: The value for the field 'r.$' must be a valid"
        " JSONPath or a valid intrinsic function call at /States/S/Parameters'",
    )
