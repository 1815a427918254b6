"""JSONata states: expressions, Step Functions' own functions, variables, and what is refused."""

from __future__ import annotations

import json
import re
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

JSONATA = {"QueryLanguage": "JSONata"}
INPUT = {
    "a": 1,
    "s": 'it\'s "q" \\ ☃ $states {% %}',
    "list": [1, 2, 3],
    "one": ["x"],
    "nil": None,
    "o": {"k": [{"v": 1}, {"v": 2}], "null": None},
    "text": '{"n": [1, null], "t": "☃"}',
    "month": "2024-09",
}

EXPRESSIONS = [
    ("$states.input.a + 1", 2),
    ("$states.input.s", INPUT["s"]),
    ("$states . input . a", 1),
    ("$states.`input`.a", 1),
    ("$exists($states)", True),
    ("($s := $states; $s.input.a)", 1),
    ("$length($states.input.s)", len(INPUT["s"])),
    ("$states.input.list", [1, 2, 3]),
    ("$states.input.one", ["x"]),
    ("$states.input.o.k.v", [1, 2]),
    ("$states.input.o.k[v=2].v", 2),
    ("$states.input.o", INPUT["o"]),
    ("$states.input.nil", None),
    ("[$states.input.nil, null]", [None, None]),
    ("$states.input.list[$ > 1]", [2, 3]),
    ("[]", []),
    ("{}", {}),
    ("null", None),
    ("$sum($states.input.list)", 6),
    ("$states.input.a = 1 ? 'one' : 'other'", "one"),
    ("$exists($states.input.gone)", False),
    ("$contains($states.input.month, /^20[0-9]{2}-(0[1-9]|1[0-2])$/)", True),
    ("$split($states.input.month, '-')[1]", "09"),
    ("$join(['a', 'b'], '\n')", "a\nb"),
    ("$substring('abcdef', 0, 3)", "abc"),
    ("$string($states.input.o)", '{"k":[{"v":1},{"v":2}],"null":null}'),
    ("$merge([{'a': 1}, {'b': 2}])", {"a": 1, "b": 2}),
    ("$map($states.input.list, function($v) { $v * 2 })", [2, 4, 6]),
    ("($x := 2; $y := $x * 3; $y)", 6),
    ("$number('12.5')", 12.5),
    ("1 / 4", 0.25),
    ("4 / 2", 2),
    ("$type($states.input.month)", "string"),
    ("$now() > '2020'", True),
    ("$states.context.State.Name", "S"),
    ("$states.context.Execution.Input.a", 1),
    # functions that Step Functions adds
    ("$partition([1,2,3,4,5], 2)", [[1, 2], [3, 4], [5]]),
    ("$range(1, 9, 2)", [1, 3, 5, 7, 9]),
    ("$range(3, 1, -1)", [3, 2, 1]),
    ("$range(1.7, 3, 1)", [1, 2, 3]),
    ("$range(3, 3, 1)", 3),
    ("$partition([1,2,3], 2.9)", [[1, 2], [3]]),
    ("$partition([1,2,3])", [[1, 2, 3]]),
    ("$hash('input data', 'SHA-1')", "aaff4a450a104cd177d28d18d74485e8cae074b7"),
    ("$hash('input data', 'SHA-256')", "b4a697a057313163aee33cd8d40c66e9f0f177e00cac2de32475ffff6169c3e3"),
    ("$random(7) = $random(7)", True),
    ("$random() < 1", True),
    ("$parse($states.input.text)", {"n": [1, None], "t": "☃"}),
    ("$parse('[1]')", [1]),
]


def test_expressions(sfn):
    output = {str(index): f"{{% {text} %}}" for index, (text, _) in enumerate(EXPRESSIONS)}
    outcome = sfn.run(sfn.one({"Type": "Pass", "Output": output}, QueryLanguage="JSONata"), INPUT)
    assert outcome.status == "SUCCEEDED", outcome.cause
    assert {text: outcome.output[str(index)] for index, (text, _) in enumerate(EXPRESSIONS)} == dict(EXPRESSIONS)


def test_uuid_is_new_each_time(sfn):
    state = {"Type": "Pass", "Output": ["{% $uuid() %}", "{% $uuid() %}"]}
    one, other = sfn.run(sfn.one(state, QueryLanguage="JSONata")).output
    assert one != other
    assert uuid.UUID(one).version == 4


def test_what_is_no_expression_stays_text(sfn):
    texts = ["{% 1 %} ", "$states.input", "{%", "a {% 1 %}", "{ % 1 % }"]
    state = {"Type": "Pass", "Output": texts}
    assert sfn.run(sfn.one(state, QueryLanguage="JSONata"), {}).output == texts


@pytest.mark.parametrize(
    ("expression", "what"),
    [
        ("$states.input.gone", " returned nothing (undefined)."),
        ("$gone", " returned nothing (undefined)."),
        ("$partition([], 2)", " returned nothing (undefined)."),
        ("$partition([1], 0)", " returned nothing (undefined)."),
        ("$range(1, 5)", " returned nothing (undefined)."),
        ("$range(1, 5, -1)", " returned nothing (undefined)."),
        ("$hash('a')", " returned nothing (undefined)."),
        ("$sum", " returned an unsupported result type."),
        ("[$sum]", " returned an unsupported result type."),
        ("$eval('1')", " threw an error during evaluation. T1006: Attempted to invoke a non-function"),
        ("$error('why')", " threw an error during evaluation. D3137: why"),
        ("$partition([1], -1)", " threw an error during evaluation. D3137: Second argument must be zero or greater"),
        (
            "1+'a'",
            ' threw an error during evaluation. T2002: The right side of the "+" operator must evaluate to a number',
        ),
    ],
)
def test_an_expression_that_fails_is_a_query_evaluation_error(sfn, expression, what):
    state = {"Type": "Pass", "Output": {"a": [0, {"x": f"{{% {expression} %}}"}]}}
    outcome = sfn.run(sfn.one(state, QueryLanguage="JSONata"), {})
    cause = (
        "An error occurred while executing the state 'S' (entered at the event id #2). The JSONata expression"
        f" '{expression}' specified for the field 'Output/a[1]/x'{what}"
    )
    assert outcome.result == ("States.QueryEvaluationError", cause)
    assert outcome.types == ["ExecutionStarted", "PassStateEntered", "EvaluationFailed", "ExecutionFailed"]
    assert outcome.details("EvaluationFailed") == [
        {"error": "States.QueryEvaluationError", "state": "S", "cause": cause, "location": "Output/a[1]/x"}
    ]


@pytest.mark.parametrize(
    ("state", "field", "what"),
    [
        ({"Type": "Wait", "Seconds": "{% 'x' %}"}, "Seconds",
         " returned an unexpected result type. Expected 'number', but was 'string' for value: \"x\""),
        ({"Type": "Wait", "Seconds": "{% -1 %}"}, "Seconds", " returned -1, which is less than 0."),
        ({"Type": "Fail", "Cause": "{% {'k': [1]} %}"}, "Cause",
         " returned an unexpected result type. Expected 'string', but was 'object' for value: {\"k\":[1]}"),
        ({"Type": "Fail", "Error": "{% true %}"}, "Error",
         " returned an unexpected result type. Expected 'string', but was 'boolean' for value: true"),
        ({"Type": "Choice", "Choices": [{"Condition": "{% 1 %}", "Next": "Other"}]}, "Choices[0]/Condition",
         " returned an unexpected result type. Expected 'boolean', but was 'number' for value: 1"),
        ({"Type": "Map", "Items": "{% null %}", "ItemProcessor": None}, "Items",
         " returned an unexpected result type. Expected 'array', but was 'null' for value: null"),
        ({"Type": "Map", "Items": [], "MaxConcurrency": "{% 'x' %}", "ItemProcessor": None}, "MaxConcurrency",
         " returned an unexpected result type. Expected 'number', but was 'string' for value: \"x\""),
    ],
)  # fmt: skip
def test_a_result_of_a_wrong_type_is_a_query_evaluation_error(sfn, state, field, what):
    if "ItemProcessor" in state:
        state = state | {"ItemProcessor": {"StartAt": "I", "States": {"I": {"Type": "Pass", "End": True}}}}
    outcome = sfn.run(sfn.one(state, QueryLanguage="JSONata"), {})
    assert outcome.error == "States.QueryEvaluationError"
    assert outcome.cause.endswith(f" specified for the field '{field}'{what}")


def test_variables_live_in_their_scope(sfn):
    """An inner scope reads what is outside, and what it assigns ends with it."""
    inner = {
        "StartAt": "Assign",
        "States": {
            "Assign": {"Type": "Pass", "Assign": {"own": "{% $outer * $states.input %}"}, "Next": "Show"},
            "Show": {"Type": "Pass", "Output": "{% [$outer, $own] %}", "End": True},
        },
    }
    outcome = sfn.run(
        sfn.chain(
            {"Type": "Pass", "Assign": {"outer": 10, "both": {"n": [None, "{% $states.input %}"]}}, "Output": [1, 2]},
            {
                "Type": "Map",
                "Items": "{% $states.input %}",
                "ItemProcessor": inner,
                "Assign": {"all": "{% $states.result %}"},
            },
            {"Type": "Pass", "Output": {"all": "{% $all %}", "both": "{% $both %}", "own": "{% $exists($own) %}"}},
            QueryLanguage="JSONata",
        ),
        "in",
    )  # fmt: skip
    assert outcome.result == {"all": [[10, 10], [10, 20]], "both": {"n": [None, "in"]}, "own": False}


def test_assign_sees_the_values_from_before(sfn):
    outcome = sfn.run(
        sfn.chain(
            {"Type": "Pass", "Assign": {"a": 1, "b": 2}},
            {"Type": "Pass", "Assign": {"a": "{% $b %}", "b": "{% $a %}"}},
            {"Type": "Pass", "Output": ["{% $a %}", "{% $b %}"]},
            QueryLanguage="JSONata",
        )
    )
    assert outcome.output == [2, 1]


def test_states_may_differ_in_language(sfn):
    outcome = sfn.run(
        sfn.chain(
            {"Type": "Pass", "Assign": {"v.$": "$.a[0]"}},
            {"Type": "Pass", "QueryLanguage": "JSONata", "Output": {"v": "{% $v + $states.input.a[1] %}"}},
            {"Type": "Pass", "Parameters": {"v.$": "$.v", "was.$": "$v"}},
        ),
        {"a": [1, 2]},
    )
    assert outcome.output == {"v": 3, "was": 1}


def test_a_task_reads_result_and_error_output(sfn):
    queue = sfn.client("sqs").create_queue(QueueName="jsonata")["QueueUrl"]
    send = {
        "Type": "Task",
        "Resource": "arn:aws:states:::aws-sdk:sqs:getQueueAttributes",
        "Arguments": {"QueueUrl": "{% $states.input.url %}", "AttributeNames": ["QueueArn"]},
        "Assign": {"arn": "{% $states.result.Attributes.QueueArn %}"},
        "Output": {"got": "{% $states.result.Attributes %}", "in": "{% $states.input.k %}"},
        "Catch": [
            {
                "ErrorEquals": ["States.ALL"],
                "Assign": {"why": "{% $states.errorOutput.Error %}"},
                "Output": {"why": "{% $states.errorOutput.Error %}", "k": "{% $states.input.k %}"},
                "Next": "Caught",
            }
        ],
    }
    definition = sfn.one(send, QueryLanguage="JSONata")
    definition["States"]["Caught"]["Output"] = {"caught": "{% $states.input %}", "why": "{% $why %}"}
    arn = "arn:aws:sqs:us-east-1:123456789012:jsonata"
    assert sfn.run(definition, {"url": queue, "k": 1}).output == {"got": {"QueueArn": arn}, "in": 1}
    caught = sfn.run(definition, {"url": f"{queue}-gone", "k": 1}).output
    assert re.fullmatch(r"Sqs\.\w+Exception", caught["why"])
    assert caught["caught"] == {"why": caught["why"], "k": 1}


def test_two_definitions_parsed_at_once_keep_their_languages(sfn):
    def create(number: int) -> tuple[str, str]:
        definition = sfn.one({"Type": "Pass", "Comment": str(number), "Output": "{% 1 %}"}, QueryLanguage="JSONata")
        if number % 3 == 1:
            definition = sfn.one({"Type": "Pass", "Comment": str(number), "Parameters": {"a.$": "$.a"}})
        elif number % 3 == 2:
            definition = sfn.one({"Type": "Pass", "Output": {"a": "{% 1 + %}"}}, QueryLanguage="JSONata")
        report = sfn.api.validate_state_machine_definition(definition=json.dumps(definition))
        return report["result"], "FAIL" if number % 3 == 2 else "OK"

    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(create, range(48)))
    assert [result for result, _ in results] == [wanted for _, wanted in results]


def test_fail_by_expression(sfn):
    state = {"Type": "Fail", "Error": "{% $states.input.e %}", "Cause": "{% 'because ' & $states.input.c %}"}
    outcome = sfn.run(sfn.one(state, QueryLanguage="JSONata"), {"e": "E", "c": "c"})
    assert outcome.result == ("E", "because c")


def test_children_of_a_jsonata_state_have_the_language_of_the_machine(sfn):
    child = {"StartAt": "P", "States": {"P": {"Type": "Pass", "Parameters": {"v.$": "$"}, "End": True}}}
    mapped = {"Type": "Map", **JSONATA, "Items": "{% [1,2] %}", "ItemProcessor": child}
    assert sfn.run(sfn.one(mapped, QueryLanguage="JSONPath")).result == [{"v": 1}, {"v": 2}]
    branched = {
        "Type": "Parallel",
        **JSONATA,
        "Arguments": {"k": 3},
        "Branches": [child],
        "Output": "{% $states.result.v.k %}",
    }
    assert sfn.run(sfn.one(branched)).result == 3
