"""Definitions: what is refused, in which words, and what must not be refused.

Words of the rows marked AWS were measured in us-east-1 by the tests of https://github.com/floci-io/floci, or recorded
by those of https://github.com/localstack/localstack.
"""

from __future__ import annotations

import json

import pytest

SCHEMA = "SCHEMA_VALIDATION_FAILED"
TRANSITION = "MISSING_TRANSITION_TARGET"
UNSUPPORTED = "UNSUPPORTED_JSONATA_EXPRESSION"
INVALID = "INVALID_JSONATA_EXPRESSION"
PASS = {"Type": "Pass", "End": True}
JSONATA = {"QueryLanguage": "JSONata"}
TASK = {"Type": "Task", "Resource": "arn:aws:states:::aws-sdk:s3:listBuckets", "End": True}
ITEMS = {"StartAt": "I", "States": {"I": PASS}}
DISTRIBUTED = ITEMS | {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}}
MAP = {"Type": "Map", "ItemProcessor": ITEMS, "End": True}
LAMBDA = "arn:aws:lambda:us-east-1:123456789012:function:f"
NO_TYPE = "The field 'Type' should have one of these values: [Task, Wait, Pass, Succeed, Fail, Choice, Parallel, Map]"


def one(state, **machine):
    return {"StartAt": "S", "States": {"S": state}, **machine}


def choice(*rules, **more):
    states = {"S": {"Type": "Choice", "Choices": list(rules), "Default": "E", **more}, "E": PASS}
    return {"StartAt": "S", "States": states}


def output(expression):
    return one({"Type": "Pass", "Output": {"v": f"{{% {expression} %}}"}, "End": True}, **JSONATA)


def at_top(name, place="/States/S/Output/v"):
    return (UNSUPPORTED, f"Reference to '{name}' at the top level is not supported.", place)


REFUSED = {
    # the machine
    "an array": ([], [(SCHEMA, "Definition must be a valid JSON object", None)]),
    "no states": ({"StartAt": "S"}, [(SCHEMA, "These fields are required: [States]", "/")]),  # AWS
    "no start": ({"States": {"S": PASS}}, [(SCHEMA, "These fields are required: [StartAt]", "/")]),
    "a field of nobody": (one(PASS, Foo=1), [(SCHEMA, "Field 'Foo' is not supported", "/")]),
    "a language of nobody": (
        one(PASS, QueryLanguage="JMESPath"),
        [(SCHEMA, "Value should be one of the following: [JSONPath, JSONata]", "/QueryLanguage")],  # AWS
    ),
    "TimeoutSeconds": (one(PASS, TimeoutSeconds=0), [(SCHEMA, "Value must be at least 1 and at most 99999999",
                                                      "/TimeoutSeconds")]),
    "Version": (one(PASS, Version="2.0"), [(SCHEMA, "Value must be '1.0'", "/Version")]),
    # transitions
    "a state that is not there": (  # AWS
        {"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "NOPE"}}},
        [(TRANSITION, "Missing 'Next' target: NOPE", "/States/A/Next"),
         ("MISSING_END_STATE", "Workflow has no terminal state", None)],
    ),
    "a loop": (  # AWS
        {"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "B"}, "B": {"Type": "Pass", "Next": "A"},
                                    "C": {"Type": "Pass", "Next": "A"}}},
        [("MISSING_END_STATE", "Workflow has no terminal state", None)],
    ),
    "a state nothing leads to": (  # AWS
        {"StartAt": "A", "States": {"A": PASS, "C": PASS}},
        [(TRANSITION, 'State "C" is not reachable.', "/States/C")],
    ),
    "a Default that is not there": (
        choice({"Variable": "$.a", "IsNull": True, "Next": "E"}, Default="X"),
        [(TRANSITION, "Missing 'Next' target: X", "/States/S/Default")],
    ),
    "a rule's Next that is not there": (
        choice({"Variable": "$.a", "IsNull": True, "Next": "X"}),
        [(TRANSITION, "Missing 'Next' target: X", "/States/S/Choices[0]/Next")],
    ),
    "a catcher's Next that is not there": (
        one(TASK | {"Catch": [{"ErrorEquals": ["States.ALL"], "Next": "X"}]}),
        [(TRANSITION, "Missing 'Next' target: X", "/States/S/Catch[0]/Next")],
    ),
    "neither Next nor End": (
        {"StartAt": "S", "States": {"S": {"Type": "Pass"}}},
        [(SCHEMA, "One of these fields is required: [Next, End]", "/States/S"),
         ("MISSING_END_STATE", "Workflow has no terminal state", None)],
    ),
    "Next and End": (
        one(PASS | {"Next": "S"}), [(SCHEMA, "Only one of these fields is allowed: [Next, End]", "/States/S")]
    ),
    "a name twice": (
        one({"Type": "Parallel", "Branches": [one(PASS)], "End": True}),
        [("DUPLICATE_STATE_NAME", "State name 'S' is used before, at /States/S", "/States/S/Branches[0]/States/S")],
    ),
    "a long name": (
        {"StartAt": "S" * 81, "States": {"S" * 81: PASS}},
        [(SCHEMA, "A state name has 1 to 80 characters", f"/States/{'S' * 81}")],
    ),
    # states
    "a type of nobody": (
        one({"Type": "Passs", "End": True}),
        [(SCHEMA, NO_TYPE, "/States/S/Type")],
    ),
    "a type that is no text": (
        one({"Type": ["Pass"], "End": True}),
        [(SCHEMA, NO_TYPE, "/States/S/Type")],
    ),
    "a target that is no text": (
        {"StartAt": {}, "States": {"S": PASS}},
        [(SCHEMA, "Expected value of type string", "/StartAt"),
         (TRANSITION, 'State "S" is not reachable.', "/States/S")],
    ),
    "a comment that is no text": (one(PASS, Comment=1), [(SCHEMA, "Expected value of type string", "/Comment")]),
    "an Error that is no text": (
        one({"Type": "Fail", "Error": 1}), [(SCHEMA, "Expected value of type string", "/States/S/Error")]
    ),
    "a Timestamp that is none": (  # AWS
        one({"Type": "Wait", "Timestamp": "soon", "End": True}),
        [(SCHEMA, "String does not match RFC3339 timestamp", "/States/S/Timestamp")],
    ),
    "Credentials of nobody": (  # AWS
        one(TASK | {"Credentials": {"Role": "r"}}),
        [(SCHEMA, "The field 'RoleArn' is required but was missing", "/States/S/Credentials")],
    ),
    "Arguments that are neither": (
        one(TASK | {"Arguments": "$.a"}, **JSONATA),
        [(SCHEMA, "Expected value of type object, or a JSONata expression", "/States/S/Arguments")],
    ),
    "Items that are neither": (
        one(MAP | {"Items": "$.a"}, **JSONATA),
        [(SCHEMA, "Expected value of type array, or a JSONata expression", "/States/S/Items")],
    ),
    "a Condition that is neither": (
        choice({"Condition": "$.a", "Next": "E"}, **JSONATA),
        [(SCHEMA, "Condition must be a JSONata expression or a boolean", "/States/S/Choices[0]/Condition")],
    ),
    "an Assign of a rule that is no object": (
        choice({"Variable": "$.a", "IsNull": True, "Assign": "$.a", "Next": "E"}),
        [(SCHEMA, "Expected value of type object", "/States/S/Choices[0]/Assign")],
    ),
    "a function of nobody": (
        one(PASS | {"Parameters": {"a.$": "States.Nobody()"}}),
        [(SCHEMA, "The value for the field 'a.$' must be a valid JSONPath or a valid intrinsic function call",
          "/States/S/Parameters")],
    ),
    "a field of another state": (  # AWS
        one(PASS | {"Catch": []}), [(SCHEMA, "Field 'Catch' is not supported", "/States/S")]
    ),
    "a misspelt field": (one(PASS | {"Comments": ""}), [(SCHEMA, "Field 'Comments' is not supported", "/States/S")]),
    "a Task without Resource": (
        one({"Type": "Task", "End": True}), [(SCHEMA, "These fields are required: [Resource]", "/States/S")]
    ),
    "a Wait for nothing": (
        one({"Type": "Wait", "End": True}),
        [(SCHEMA, "One of these fields is required: [Seconds, SecondsPath, Timestamp, TimestampPath]", "/States/S")],
    ),
    "a Wait for two things": (
        one({"Type": "Wait", "Seconds": 1, "SecondsPath": "$.s", "End": True}),
        [(SCHEMA, "Only one of these fields is allowed: [Seconds, SecondsPath]", "/States/S")],
    ),
    "text for a number": (
        one({"Type": "Wait", "Seconds": "5", "End": True}),
        [(SCHEMA, "Expected value of type integer", "/States/S/Seconds")],
    ),
    "a heartbeat after the end": (
        one(TASK | {"TimeoutSeconds": 5, "HeartbeatSeconds": 5}),
        [(SCHEMA, "HeartbeatSeconds must be less than TimeoutSeconds", "/States/S/HeartbeatSeconds")],
    ),
    # paths and templates
    "no path": (one(PASS | {"InputPath": "a"}), [(SCHEMA, "Value is not a valid JSONPath", "/States/S/InputPath")]),
    "no reference path": (
        one(PASS | {"ResultPath": "$.a[*]"}), [(SCHEMA, "Value is not a Reference Path", "/States/S/ResultPath")]
    ),
    "a template's value that is no path": (
        one(PASS | {"Parameters": {"a": [{"b.$": "c"}]}}),
        [(SCHEMA, "The value for the field 'b.$' must be a valid JSONPath or a valid intrinsic function call",
          "/States/S/Parameters/a[0]")],
    ),
    "a template's name twice": (
        one(PASS | {"Parameters": {"a": 1, "a.$": "$"}}),
        [(SCHEMA, "The field 'a' is there twice", "/States/S/Parameters")],
    ),
    # query languages
    "a JSONata field of a JSONPath state": (  # AWS
        one(PASS | {"Output": 1}),
        [(SCHEMA, "The QueryLanguage is set to 'JSONPath', but field 'Output' is only supported for the 'JSONata'"
          " QueryLanguage", "/States/S")],
    ),
    "a JSONPath field of a JSONata state": (  # AWS
        one(PASS | {"InputPath": "$.a"}, **JSONATA),
        [(SCHEMA, "The QueryLanguage is set to 'JSONata', but field 'InputPath' is only supported for the 'JSONPath'"
          " QueryLanguage", "/States/S")],
    ),
    "JSONPath in a JSONata machine": (  # AWS
        one(PASS | {"QueryLanguage": "JSONPath", "Output": 1}, **JSONATA),
        [(SCHEMA, "'QueryLanguage' can not be 'JSONPath' if set to 'JSONata' for whole state machine", "/States/S")],
    ),
    "QueryLanguage of an item processor": (  # AWS
        one(MAP | {"ItemProcessor": ITEMS | JSONATA}),
        [(SCHEMA, "Field 'QueryLanguage' is not supported", "/States/S/ItemProcessor")],
    ),
    # JSONata, all AWS
    "a name at the top": (output("phone"), [at_top("phone")]),
    "a path at the top": (output("phone[0].x"), [at_top("phone")]),
    "$ at the top": (output("$.phone"), [at_top("$")]),
    "$$": (output("$$"), [(UNSUPPORTED, "Reference to '$$' is not supported.", "/States/S/Output/v")]),
    "two names at the top": (output("aaa + bbb"), [at_top("aaa"), at_top("bbb")]),
    "a name in a lambda": (output("$map($states.input.a, function($x){ b })"), [at_top("b")]),
    "errorOutput outside of Catch": (
        output("$states.errorOutput.Error"),
        [(UNSUPPORTED, "Field '$states.errorOutput' does not exist.", "/States/S/Output/v")],
    ),
    "a bracket": (output("a[1,2)"), [(INVALID, 'Expected "]", got ","', "/States/S/Output/v")]),
    "a quote": (
        output('"unterminated'),
        [(INVALID, "String literal must be terminated by a matching quote", "/States/S/Output/v")],
    ),
    "half an expression": (output("1 +"), [(INVALID, "Unexpected end of expression", "/States/S/Output/v")]),
    "a symbol": (
        output('{"a":}'), [(INVALID, 'The symbol "}" cannot be used as a unary operator', "/States/S/Output/v")]
    ),
    "no expression": (output(""), [(INVALID, "Unexpected end of expression", "/States/S/Output/v")]),
    "Assign": (
        one(PASS | {"Assign": {"Next": "{% phone %}"}}, **JSONATA), [at_top("phone", "/States/S/Assign/Next")]
    ),
    "Seconds": (
        one({"Type": "Wait", "Seconds": "{% phone %}", "End": True}, **JSONATA), [at_top("phone", "/States/S/Seconds")]
    ),
    "Cause": (one({"Type": "Fail", "Cause": "{% phone %}"}, **JSONATA), [at_top("phone", "/States/S/Cause")]),
    "Condition": (
        choice({"Condition": "{% phone = 1 %}", "Next": "E"}) | JSONATA,
        [at_top("phone", "/States/S/Choices[0]/Condition")],
    ),
    "a rule's Output": (
        choice({"Condition": True, "Output": "{% phone %}", "Next": "E"}) | JSONATA,
        [at_top("phone", "/States/S/Choices[0]/Output")],
    ),
    "a catcher's Output": (
        {"StartAt": "S", "States": {"S": TASK | {"Catch": [
            {"ErrorEquals": ["States.ALL"], "Output": {"v": "{% phone %}"}, "Next": "E"}]}, "E": PASS}, **JSONATA},
        [at_top("phone", "/States/S/Catch[0]/Output/v")],
    ),
    "a branch": (
        one({"Type": "Parallel", "End": True, "Branches": [
            {"StartAt": "B", "States": {"B": PASS | {"Output": {"v": "{% phone %}"}}}}]}, **JSONATA),
        [at_top("phone", "/States/S/Branches[0]/States/B/Output/v")],
    ),
    "BatchInput": (
        one({"Type": "Map", "ItemBatcher": {"BatchInput": {"c": "{% phone %}"}, "MaxItemsPerBatch": 1},
             "ItemProcessor": DISTRIBUTED, "End": True}, **JSONATA),
        [at_top("phone", "/States/S/ItemBatcher/BatchInput/c")],
    ),
    # variables
    "a variable of an outer scope": (
        {"StartAt": "A", "States": {
            "A": PASS | {"Assign": {"x": 1}, "End": False, "Next": "S"},
            "S": MAP | {"ItemProcessor": {"StartAt": "I", "States": {"I": PASS | {"Assign": {"x.$": "$"}}}}}}},
        [("DUPLICATE_VARIABLE_NAME", "The variable name 'x' was already defined in a parent scope.",
          "/States/S/ItemProcessor/States/I/Assign/x.$")],
    ),
    # Choice
    "no rules": (choice(), [(SCHEMA, "Value cannot be empty", "/States/S/Choices")]),
    "two operators": (
        choice({"Variable": "$.a", "NumericEquals": 1, "StringEquals": "y", "Next": "E"}),
        [(SCHEMA, "A choice rule must have one comparison operator, it has 2", "/States/S/Choices[0]")],
    ),
    "an operator of nobody": (
        choice({"Variable": "$.a", "NumericEquals": 1, "NumericSpicyThan": 2, "Next": "E"}),
        [(SCHEMA, "Field 'NumericSpicyThan' is not supported", "/States/S/Choices[0]")],
    ),
    "an operand of another type": (
        choice({"Variable": "$.a", "NumericEquals": "5", "Next": "E"}),
        [(SCHEMA, "Expected value of type number", "/States/S/Choices[0]/NumericEquals")],
    ),
    "no timestamp": (
        choice({"Variable": "$.a", "TimestampEquals": "nope", "Next": "E"}),
        [(SCHEMA, "Expected an ISO-8601 timestamp like 2016-03-14T01:59:00Z", "/States/S/Choices[0]/TimestampEquals")],
    ),
    "no path to compare with": (
        choice({"Variable": "$.a", "StringEqualsPath": "b", "Next": "E"}),
        [(SCHEMA, "Value is not a valid JSONPath", "/States/S/Choices[0]/StringEqualsPath")],
    ),
    "an empty And": (
        choice({"And": [], "Next": "E"}),
        [(SCHEMA, "And must be a non-empty array of choice rules", "/States/S/Choices[0]/And")],
    ),
    "a Not of many": (
        choice({"Not": [{"Variable": "$.a", "IsNull": True}], "Next": "E"}),
        [(SCHEMA, "A choice rule must be a JSON object", "/States/S/Choices[0]/Not")],
    ),
    "a rule without Next": (
        choice({"Variable": "$.a", "IsNull": True}, {"Variable": "$.a", "IsNull": True, "Next": "E"}),
        [(SCHEMA, "These fields are required: [Next]", "/States/S/Choices[0]")],
    ),
    "Next inside of And": (
        choice({"And": [{"Variable": "$.a", "IsNull": True, "Next": "E"}], "Next": "E"}),
        [(SCHEMA, "Field 'Next' is not supported", "/States/S/Choices[0]/And[0]")],
    ),
    "And beside Variable": (
        choice({"And": [{"Variable": "$.a", "IsNull": True}], "Variable": "$.b", "Next": "E"}),
        [(SCHEMA, "Field 'Variable' is not supported", "/States/S/Choices[0]")],
    ),
    # Retry and Catch
    "States.ALL among others": (
        one(TASK | {"Retry": [{"ErrorEquals": ["States.ALL", "E"]}]}),
        [(SCHEMA, "States.ALL must appear alone and in the last rule", "/States/S/Retry[0]/ErrorEquals")],
    ),
    "States.ALL before others": (
        one(TASK | {"Retry": [{"ErrorEquals": ["States.ALL"]}, {"ErrorEquals": ["E"]}]}),
        [(SCHEMA, "States.ALL must appear alone and in the last rule", "/States/S/Retry[0]/ErrorEquals")],
    ),
    "no errors": (
        one(TASK | {"Retry": [{"ErrorEquals": []}]}),
        [(SCHEMA, "ErrorEquals must be a non-empty array of strings", "/States/S/Retry[0]/ErrorEquals")],
    ),
    "numbers of Retry": (
        one(TASK | {"Retry": [{"ErrorEquals": ["E"], "IntervalSeconds": 0, "MaxAttempts": -1, "BackoffRate": 0.5,
                               "MaxDelaySeconds": 31_622_401, "JitterStrategy": "SOME"}]}),
        [(SCHEMA, "Value must be at least 1 and at most 99999999", "/States/S/Retry[0]/IntervalSeconds"),
         (SCHEMA, "Value must be at least 0 and at most 99999999", "/States/S/Retry[0]/MaxAttempts"),
         (SCHEMA, "Value must be at least 1 and at most inf", "/States/S/Retry[0]/BackoffRate"),
         (SCHEMA, "Value must be at least 1 and at most 31622400", "/States/S/Retry[0]/MaxDelaySeconds"),
         (SCHEMA, "Value must be 'FULL' or 'NONE'", "/States/S/Retry[0]/JitterStrategy")],
    ),
    "a field of no catcher": (  # AWS
        {"StartAt": "S", "States": {"E": PASS, "S": TASK | {"Catch": [
            {"ErrorEquals": ["E"], "Next": "E", "_comment": ""}]}}},
        [(SCHEMA, "Field '_comment' is not supported", "/States/S/Catch[0]")],
    ),
    # Map and Parallel
    "no branches": (
        one({"Type": "Parallel", "Branches": [], "End": True}),
        [(SCHEMA, "Value cannot be empty", "/States/S/Branches")],
    ),
    "no processor": (
        one({"Type": "Map", "End": True}),
        [(SCHEMA, "Expected a JSON object with StartAt and States", "/States/S/ItemProcessor")],
    ),
    "ExecutionType of an inline Map": (  # AWS
        one(MAP | {"ItemProcessor": ITEMS | {"ProcessorConfig": {"Mode": "INLINE", "ExecutionType": "STANDARD"}}}),
        [(SCHEMA, "Field 'ExecutionType' is not supported", "/States/S/ItemProcessor/ProcessorConfig")],
    ),
    "two limits": (
        one(MAP | {"MaxConcurrency": 1, "MaxConcurrencyPath": "$.n"}),
        [(SCHEMA, "Only one of these fields is allowed: [MaxConcurrency, MaxConcurrencyPath]", "/States/S")],
    ),
    "a long label": (
        one(MAP | {"ItemProcessor": DISTRIBUTED, "Label": "x" * 41}),
        [(SCHEMA, "A label has 1 to 40 characters", "/States/S/Label")],
    ),
    "a label with a space": (
        one(MAP | {"ItemProcessor": DISTRIBUTED, "Label": "a b"}),
        [(SCHEMA, "Label contains invalid character: ' '", "/States/S/Label")],
    ),
    "more than all": (
        one(MAP | {"ToleratedFailurePercentage": 101}),
        [(SCHEMA, "Value must be at least 0 and at most 100", "/States/S/ToleratedFailurePercentage")],
    ),
    "a reader of nothing": (
        one(MAP | {"ItemProcessor": DISTRIBUTED, "ItemReader": {"Resource": "arn:aws:states:::s3:unknown"}}),
        [(SCHEMA, "The value must be one of the following: [arn:aws:states:::s3:getObject,"
          " arn:aws:states:::s3:listObjectsV2]", "/States/S/ItemReader/Resource"),
         (SCHEMA, "These fields are required: [Bucket]", "/States/S/ItemReader/Parameters")],
    ),
    "a form of nobody": (
        one(MAP | {"ItemProcessor": DISTRIBUTED, "ItemReader": {
            "Resource": "arn:aws:states:::s3:getObject", "Parameters": {"Bucket": "b", "Key": "k"},
            "ReaderConfig": {"InputType": "XML", "MaxItems": -1}}}),
        [(SCHEMA, "Value should be one of the following: [CSV, JSON, JSONL, PARQUET]",
          "/States/S/ItemReader/ReaderConfig/InputType"),
         (SCHEMA, "Expected a whole number of at least 0", "/States/S/ItemReader/ReaderConfig/MaxItems")],
    ),
    "an empty ResultWriter": (
        one(MAP | {"ItemProcessor": DISTRIBUTED, "ResultWriter": {}}),
        [(SCHEMA, "One of these fields is required: [Resource, WriterConfig]", "/States/S/ResultWriter")],
    ),
    # Resources
    "a resource of nobody": (
        one(TASK | {"Resource": "arn:aws:states:::glue:startJob"}),
        [(SCHEMA, "The resource provided arn:aws:states:::glue:startJob is not recognized. The value is not a valid"
          " resource ARN, or the resource is not available in this region.", "/States/S/Resource")],
    ),
    "parameters of nobody": (
        one({"Type": "Task", "Resource": "arn:aws:states:::glue:startJobRun.sync", "End": True,
             "Parameters": {"jobName": "j", "JobRunID": "x"}}),
        [(SCHEMA, 'The field "JobRunID" is not supported by Step Functions', "/States/S/Parameters"),
         (SCHEMA, 'The field "jobName" is not supported by Step Functions', "/States/S/Parameters"),
         (SCHEMA, 'The field "JobName" is required but was missing', "/States/S/Parameters")],
    ),
    "no parameters": (
        one({"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "End": True}),
        [(SCHEMA, 'The field "FunctionName" is required but was missing', "/States/S")],
    ),
}  # fmt: skip

ACCEPTED = {
    "anchored JSONata": output("$states.input.items[phone > 3].(a & $b){ c: $count(d) }^(>e)"),
    "a lambda's argument": output("$map($states.input.a, function($x){ $x.phone })"),
    "JSONata in a comment": one(PASS | {"Comment": "{% phone %}"}, **JSONATA),
    "JSONata in ErrorEquals": one(TASK | {"Retry": [{"ErrorEquals": ["{% phone %}"]}]}, **JSONATA),
    "JSONata in a JSONPath machine": one(PASS | {"Parameters": {"v": "{% phone %}"}}),
    "a JSONata state in a JSONPath machine": one(PASS | {"QueryLanguage": "JSONata", "Output": "{% 1 %}"}),
    "no rules of Retry and Catch": one(TASK | {"Retry": [], "Catch": []}),
    "End false": {"StartAt": "A", "States": {"A": {"Type": "Pass", "End": False, "Next": "S"}, "S": PASS}},
    "names that are keywords": {
        "StartAt": "States",
        "States": {"States": {"Type": "Pass", "Next": "Next"}, "Next": {"Type": "Pass", "Next": "End"}, "End": PASS},
    },
    "names in quotes": {"StartAt": 'a "b"', "States": {'a "b"': {"Type": "Pass", "Next": "ü ☃ \\"}, "ü ☃ \\": PASS}},
    "payload keys that are keywords": one(PASS | {"Parameters": {"Type": "x", "States": {"Next.$": "$", "End": 1}}}),
    "a result like a machine": one(PASS | {"Result": {"StartAt": "x", "Type": 1, "a.b": None, "QueryLanguage": 2}}),
    "comments everywhere": {
        "Comment": "c",
        "StartAt": "S",
        "States": {
            "S": TASK | {"Comment": "c", "Retry": [{"ErrorEquals": ["E"], "Comment": "c"}]},
        },
    },
    "a large MaxConcurrency": one(MAP | {"MaxConcurrency": 99_999_999}),
    "an old Iterator": one({"Type": "Map", "Iterator": ITEMS, "Parameters": {"v.$": "$$.Map.Item.Value"}, "End": True}),
    "an integer percentage": one(MAP | {"ItemProcessor": DISTRIBUTED, "ToleratedFailurePercentage": 5}),
    "a percentage": one(MAP | {"ItemProcessor": DISTRIBUTED, "ToleratedFailurePercentage": 12.5}),
    "a function by ARN": one({"Type": "Task", "Resource": LAMBDA, "End": True}),
    "a version of a function by ARN": one({"Type": "Task", "Resource": f"{LAMBDA}:live", "End": True}),
    "Java's spelling": one(
        TASK | {"Resource": "arn:aws:states:::aws-sdk:rds:describeDBInstances",
                "Parameters": {"DbInstanceIdentifier": "x"}}
    ),
}  # fmt: skip


def diagnostics(sfn, definition, **request):
    text = definition if isinstance(definition, str) else json.dumps(definition)
    return sfn.api.validate_state_machine_definition(definition=text, **request)


@pytest.mark.parametrize(("definition", "wanted"), REFUSED.values(), ids=REFUSED)
def test_refused(sfn, definition, wanted):
    report = diagnostics(sfn, definition)
    seen = [(each["code"], each["message"], each.get("location")) for each in report["diagnostics"]]
    assert sorted(seen, key=str) == sorted(wanted, key=str)
    assert (report["result"], report["truncated"]) == ("FAIL", False)


@pytest.mark.parametrize("definition", ACCEPTED.values(), ids=ACCEPTED)
def test_accepted(sfn, definition):
    report = diagnostics(sfn, definition)
    assert (report["result"], report["diagnostics"]) == ("OK", [])


@pytest.mark.parametrize(
    ("text", "code", "message"),
    [
        ('{"a": 1, "a": 2}', SCHEMA, "The name 'a' is there 2 times in one object"),
        ("[]", SCHEMA, "Definition must be a valid JSON object"),
        (" ", SCHEMA, "Definition must be a valid JSON object"),
    ],
)  # fmt: skip
def test_text_that_is_no_definition(sfn, text, code, message):
    report = diagnostics(sfn, text)
    assert report["diagnostics"] == [{"severity": "ERROR", "code": code, "message": message}]
    assert sfn.refused(
        "create_state_machine", name="x", roleArn="arn:aws:iam::123456789012:role/machine", definition=text
    ) == ("InvalidDefinition", f"Invalid State Machine Definition: '{code}: {message}'")


def test_text_that_is_no_json(sfn):
    """In the words of Jackson, with which AWS reads it (recorded in `test_sfn_api_validation.snapshot.json`)."""
    tokens = "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')"
    place = '[Source: (String)"{\n"a": not}"; line: 2, column: 9]'
    message = f"Unrecognized token 'not': was expecting {tokens}\n at {place}"
    code = "INVALID_JSON_DESCRIPTION"
    problem = {"severity": "ERROR", "code": code, "message": message, "location": place}
    assert diagnostics(sfn, '{\n"a": not}')["diagnostics"] == [problem]
    role = "arn:aws:iam::123456789012:role/machine"
    refused = sfn.refused("create_state_machine", name="x", roleArn=role, definition='{\n"a": not}')
    assert refused == ("InvalidDefinition", f"Invalid State Machine Definition: '{code}: {message}'")


def test_every_problem_is_in_the_message(sfn):
    """AWS's form, with the period and the place."""
    definition = output("aaa + bbb")
    with_location = "at the top level is not supported. at /States/S/Output/v"
    wanted = (
        f"Invalid State Machine Definition: '{UNSUPPORTED}: Reference to 'aaa' {with_location},"
        f" {UNSUPPORTED}: Reference to 'bbb' {with_location}'"
    )
    machine = sfn.machine(one(PASS))
    text = json.dumps(definition)
    assert sfn.refused("update_state_machine", stateMachineArn=machine, definition=text) == (
        "InvalidDefinition",
        wanted,
    )
    assert json.loads(sfn.api.describe_state_machine(stateMachineArn=machine)["definition"]) == one(PASS)


def test_warnings_and_limits(sfn):
    definition = one(PASS | {"Parameters": {"a": "$.b"}})
    warning = {
        "severity": "WARNING",
        "code": "NO_DOLLAR",
        "message": "The value of 'a' looks like a path; to have it read as one, name the field 'a.$'",
        "location": "/States/S/Parameters/a",
    }
    assert diagnostics(sfn, definition)["diagnostics"] == []
    report = diagnostics(sfn, definition, severity="WARNING")
    assert (report["result"], report["diagnostics"]) == ("OK", [warning])
    report = diagnostics(sfn, output("a + b + c"), maxResults=2)
    assert (len(report["diagnostics"]), report["truncated"]) == (2, True)


@pytest.mark.parametrize(
    ("resource", "what"),
    [
        ("arn:aws:states:::glue:startJobRun.sync", "'.sync' service integration"),
        ("arn:aws:states:us-east-1:123456789012:activity:a", "Activity ARN"),
    ],
)  # fmt: skip
def test_what_express_machines_lack(sfn, resource, what):
    definition = one(TASK | {"Resource": resource} | ({"Parameters": {"JobName": "j"}} if "glue" in resource else {}))
    assert diagnostics(sfn, definition)["result"] == "OK"
    report = diagnostics(sfn, definition, type="EXPRESS")
    assert report["diagnostics"] == [
        {
            "severity": "ERROR",
            "code": SCHEMA,
            "message": f"Express state machine does not support {what}",
            "location": "/States/S/Resource",
        }
    ]
