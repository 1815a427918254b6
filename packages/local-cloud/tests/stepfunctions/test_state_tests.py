"""TestState: one state on its own. What AWS answers was recorded in LocalStack's `test_state/*.snapshot.json`."""

from __future__ import annotations

import json
from typing import Any

import pytest

ROLE = "arn:aws:iam::123456789012:role/machine"
INVOKE = "arn:aws:states:::lambda:invoke"
RETRY = {"ErrorEquals": ["Busy"], "IntervalSeconds": 1, "MaxAttempts": 5, "BackoffRate": 2.0}
CATCH = {"ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Next": "Repair"}
ORDERS = {"StartAt": "One", "States": {"One": {"Type": "Pass", "End": True}}}
DISTRIBUTED = ORDERS | {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}}
BUSY = {"errorOutput": {"error": "Busy", "cause": "Too many."}}


def run(sfn: Any, state: dict[str, Any], input: Any = None, **request: Any) -> dict[str, Any]:
    """Test a state; the answer, with JSON texts read."""
    ends = state["Type"] in ("Choice", "Fail", "Succeed") or "Next" in state
    definition = json.dumps(state if ends else state | {"End": True})
    answer = sfn.api.test_state(definition=definition, input=json.dumps(input or {}), **request)
    return read(answer)


def read(answer: dict[str, Any]) -> dict[str, Any]:
    answer.pop("ResponseMetadata")
    if "output" in answer:
        answer["output"] = json.loads(answer["output"])
    for name, value in answer.get("inspectionData", {}).items():
        answer["inspectionData"][name] = json.loads(value) if isinstance(value, str) else value
    return answer


def mocked(result: Any, **mock: Any) -> dict[str, Any]:
    return {"result": json.dumps(result)} | mock


SEEN = {
    "pass": (
        {"Type": "Pass", "InputPath": "$.a", "Parameters": {"n.$": "$.b"}, "ResultPath": "$.c", "Next": "Later"},
        {"a": {"b": 1}},
        {
            "status": "SUCCEEDED",
            "nextState": "Later",
            "output": {"a": {"b": 1}, "c": {"n": 1}},
            "inspectionData": {
                "input": {"a": {"b": 1}},
                "afterInputPath": {"b": 1},
                "afterParameters": {"n": 1},
                "afterResultSelector": {"n": 1},
                "afterResultPath": {"a": {"b": 1}, "c": {"n": 1}},
            },
        },
    ),
    "pass with a result": (
        {"Type": "Pass", "Result": {"r": 1}},
        {"a": 1},
        {
            "status": "SUCCEEDED",
            "output": {"r": 1},
            "inspectionData": {
                "input": {"a": 1},
                "result": {"r": 1},
                "afterResultSelector": {"r": 1},
                "afterResultPath": {"r": 1},
            },
        },
    ),
    "pass with JSONata": (
        {"Type": "Pass", "QueryLanguage": "JSONata", "Output": {"n": "{% $states.input.a + 1 %}"}},
        {"a": 1},
        {"status": "SUCCEEDED", "output": {"n": 2}, "inspectionData": {"input": {"a": 1}}},
    ),
    "choice": (
        {"Type": "Choice", "Choices": [{"Variable": "$.a", "NumericGreaterThan": 0, "Next": "More"}], "Default": "No"},
        {"a": 1},
        {
            "status": "SUCCEEDED",
            "nextState": "More",
            "output": {"a": 1},
            "inspectionData": {"input": {"a": 1}, "afterInputPath": {"a": 1}},
        },
    ),
    "wait": (
        {"Type": "Wait", "Seconds": 0},
        {"a": 1},
        {"status": "SUCCEEDED", "output": {"a": 1}, "inspectionData": {"input": {"a": 1}, "afterInputPath": {"a": 1}}},
    ),
    "succeed": (
        {"Type": "Succeed"},
        {"a": 1},
        {"status": "SUCCEEDED", "output": {"a": 1}, "inspectionData": {"input": {"a": 1}, "afterInputPath": {"a": 1}}},
    ),
    "fail": (
        {"Type": "Fail", "Error": "Bad", "Cause": "It is."},
        {"a": 1},
        {
            "status": "FAILED",
            "error": "Bad",
            "cause": "It is.",
            "inspectionData": {"input": {"a": 1}, "afterInputPath": {"a": 1}},
        },
    ),
    "an error of the interpreter's own": (
        {"Type": "Pass", "InputPath": "$.none"},
        {"a": 1},
        {
            "status": "FAILED",
            "error": "States.Runtime",
            "cause": "Invalid path '$.none' : No results for path: $['none']",
            "inspectionData": {"input": {"a": 1}},
        },
    ),
}


@pytest.mark.parametrize(("state", "input", "answer"), SEEN.values(), ids=SEEN)
def test_a_state_is_run_and_says_what_data_became_on_the_way(sfn, state, input, answer):
    assert run(sfn, state, input, inspectionLevel="DEBUG") == answer
    assert run(sfn, state, input, inspectionLevel="TRACE") == answer
    assert run(sfn, state, input) == {name: value for name, value in answer.items() if name != "inspectionData"}


def test_a_task_calls_the_service_as_the_role(sfn):
    state = {
        "Type": "Task",
        "Resource": "arn:aws:states:::aws-sdk:sts:getCallerIdentity",
        "ResultSelector": {"who.$": "$.Arn"},
    }
    answer = run(sfn, state, roleArn=ROLE)
    assert answer["status"] == "SUCCEEDED"
    assert answer["output"]["who"].startswith("arn:aws:sts::123456789012:assumed-role/machine/")


def test_a_mock_stands_for_the_service_and_needs_no_role(sfn):
    state = {"Type": "Task", "Resource": INVOKE, "Parameters": {"FunctionName.$": "$.name"}, "ResultPath": "$.r"}
    answer = run(sfn, state, {"name": "none"}, mock=mocked({"Payload": "x"}), inspectionLevel="DEBUG")
    assert answer == {
        "status": "SUCCEEDED",
        "output": {"name": "none", "r": {"Payload": "x"}},
        "inspectionData": {
            "input": {"name": "none"},
            "afterInputPath": {"name": "none"},
            "afterParameters": {"FunctionName": "none"},
            "result": {"Payload": "x"},
            "afterResultSelector": {"Payload": "x"},
            "afterResultPath": {"name": "none", "r": {"Payload": "x"}},
        },
    }


@pytest.mark.parametrize(
    "resource",
    ["arn:aws:lambda:us-east-1:123456789012:function:f", "arn:aws:states:us-east-1:123456789012:activity:a"],
)
def test_functions_and_activities_are_mocked_with_any_json(sfn, resource):
    assert run(sfn, {"Type": "Task", "Resource": resource}, mock=mocked([1])) == {"status": "SUCCEEDED", "output": [1]}


def test_a_mocked_error_would_be_retried_then_is_caught_then_fails(sfn):
    state = {"Type": "Task", "Resource": INVOKE, "Parameters": {"FunctionName": "f"}, "Retry": [RETRY]}

    def outcome(state: dict[str, Any], retries: int) -> Any:
        answer = run(
            sfn,
            state,
            {"a": 1},
            mock=BUSY,
            stateConfiguration={"retrierRetryCount": retries},
            inspectionLevel="DEBUG",
        )
        assert (answer["error"], answer["cause"]) == ("Busy", "Too many.")
        return answer["status"], answer["inspectionData"]["errorDetails"], answer.get("nextState"), answer.get("output")

    assert outcome(state, 4) == ("RETRIABLE", {"retryIndex": 0, "retryBackoffIntervalSeconds": 16}, None, None)
    assert outcome(state, 5) == ("FAILED", {"retryIndex": 0}, None, None)
    output = {"a": 1, "error": {"Error": "Busy", "Cause": "Too many."}}
    caught = ("CAUGHT_ERROR", {"retryIndex": 0, "catchIndex": 0}, "Repair", output)
    assert outcome(state | {"Catch": [CATCH]}, 5) == caught


def test_a_parallel_is_mocked_as_a_whole(sfn):
    state = {
        "Type": "Parallel",
        "Branches": [ORDERS, ORDERS | {"StartAt": "Two", "States": {"Two": {"Type": "Succeed"}}}],
    }
    answer = run(sfn, state, {"a": 1}, mock=mocked([1, 2]), inspectionLevel="DEBUG")
    assert answer == {
        "status": "SUCCEEDED",
        "output": [1, 2],
        "inspectionData": {"input": {"a": 1}, "afterResultSelector": [1, 2], "afterResultPath": [1, 2]},
    }


def test_a_map_is_mocked_after_its_items_are_made(sfn):
    state = {
        "Type": "Map",
        "ItemsPath": "$.items",
        "ItemSelector": {"item.$": "$$.Map.Item.Value"},
        "ItemBatcher": {"MaxItemsPerBatch": 2},
        "MaxConcurrency": 3,
        "ToleratedFailurePercentage": 50,
        "ItemProcessor": DISTRIBUTED,
    }
    selected = [{"item": number} for number in (1, 2, 3)]
    answer = run(sfn, state, {"items": [1, 2, 3]}, mock=mocked([7, 8]), inspectionLevel="DEBUG")
    assert answer == {
        "status": "SUCCEEDED",
        "output": [7, 8],
        "inspectionData": {
            "input": {"items": [1, 2, 3]},
            "afterInputPath": {"items": [1, 2, 3]},
            "afterItemsPath": [1, 2, 3],
            "afterItemSelector": selected,
            "afterItemBatcher": [{"Items": selected[:2]}, {"Items": selected[2:]}],
            "maxConcurrency": 3,
            "toleratedFailurePercentage": 50.0,
            "afterResultSelector": [7, 8],
            "afterResultPath": [7, 8],
        },
    }


def test_a_map_reads_the_data_that_is_given_for_its_source(sfn):
    state = {
        "Type": "Map",
        "ItemReader": {
            "Resource": "arn:aws:states:::s3:getObject",
            "ReaderConfig": {"InputType": "JSON", "ItemsPointer": "/rows", "MaxItems": 2},
            "Parameters": {"Bucket": "b", "Key": "k"},
        },
        "ItemProcessor": DISTRIBUTED,
    }
    configuration = {"mapItemReaderData": '{"rows": [1, 2, 3]}'}
    answer = run(sfn, state, mock=mocked([]), stateConfiguration=configuration, inspectionLevel="DEBUG")
    assert answer["inspectionData"]["afterItemsPointer"] == [1, 2]


@pytest.mark.parametrize(("failed", "status"), [(1, "SUCCEEDED"), (2, "FAILED")])
def test_a_map_fails_when_more_iterations_failed_than_it_tolerates(sfn, failed, status):
    state = {"Type": "Map", "ToleratedFailureCount": 1, "ItemProcessor": DISTRIBUTED}
    answer = run(sfn, state, [1, 2, 3], mock=mocked([1]), stateConfiguration={"mapIterationFailureCount": failed})
    assert answer["status"] == status
    assert answer.get("error") == (None if status == "SUCCEEDED" else "States.ExceedToleratedFailureThreshold")


def test_variables_are_given_and_come_back_with_what_is_assigned(sfn):
    state = {"Type": "Pass", "QueryLanguage": "JSONata", "Assign": {"b": "{% $a + 1 %}"}, "Output": "{% $a %}"}
    answer = run(sfn, state, variables='{"a": 1}', inspectionLevel="DEBUG")
    assert (answer["output"], answer["inspectionData"]["variables"]) == (1, {"a": 1, "b": 2})


def test_the_context_object_is_made_up_or_given(sfn):
    state = {"Type": "Task", "Resource": INVOKE, "Parameters": {"FunctionName": "f"}, "ResultSelector": {"c.$": "$$"}}
    made = run(sfn, state, {"a": 1}, mock=mocked({}))["output"]["c"]
    machine, name = made["StateMachine"]["Name"], made["Execution"]["Name"]
    assert made == {
        "Execution": {
            "Id": f"arn:aws:states:us-east-1:123456789012:express:{machine}:{name}",
            "Input": {"a": 1},
            "Name": name,
            "RoleArn": None,
            "StartTime": made["Execution"]["StartTime"],
        },
        "StateMachine": {"Id": f"arn:aws:states:us-east-1:123456789012:stateMachine:{machine}", "Name": machine},
        "State": {"Name": "StateName", "EnteredTime": made["State"]["EnteredTime"], "RetryCount": 0},
    }
    given = {"Execution": {"Name": "mine"}, "State": {}}
    assert run(sfn, state, mock=mocked({}), context=json.dumps(given))["output"] == {"c": given}


def test_a_state_of_a_whole_machine_is_tested_by_its_name_also_inside_of_a_map(sfn):
    machine = {
        "QueryLanguage": "JSONata",
        "StartAt": "Each",
        "States": {
            "Each": {
                "Type": "Map",
                "ItemProcessor": {
                    "StartAt": "Double",
                    "States": {"Double": {"Type": "Pass", "Output": "{% $states.input * 2 %}", "End": True}},
                },
                "End": True,
            }
        },
    }
    request = {"definition": json.dumps(machine), "input": "21"}
    assert read(sfn.api.test_state(stateName="Double", **request)) == {"status": "SUCCEEDED", "output": 42}
    refused = sfn.refused("test_state", stateName="None", **request)
    assert refused == ("ValidationException", "State not found in definition")


EVENTS = {"Type": "Task", "Resource": "arn:aws:states:::events:putEvents", "Parameters": {"Entries": []}}
START = {
    "Type": "Task",
    "Resource": "arn:aws:states:::states:startExecution",
    "Parameters": {"StateMachineArn": "arn:aws:states:us-east-1:123456789012:stateMachine:m"},
}
OBJECT = {
    "Type": "Task",
    "Resource": "arn:aws:states:::aws-sdk:s3:getObject",
    "Parameters": {"Bucket": "b", "Key": "k"},
}
ENCRYPT = {
    "Type": "Task",
    "Resource": "arn:aws:states:::aws-sdk:kms:encrypt",
    "Parameters": {"KeyId": "k", "Plaintext": "p"},
}
JOB = {
    "Type": "Task",
    "Resource": "arn:aws:states:::glue:startJobRun.sync",
    "Parameters": {"JobName": "j"},
}
MISFITS = {
    "no array": (EVENTS, {"Entries": "x"}, "Field 'Entries' must be an array"),
    "inside": (EVENTS, {"Entries": [{"EventId": "a"}, {"EventId": []}]}, "Field 'EventId' must be a string"),
    "a member that is missing": (START, {}, "Required field 'ExecutionArn' is missing"),
    "the API's spelling": (START, {"executionArn": "a", "startDate": "b"}, "Required field 'ExecutionArn' is missing"),
    "a time": (START, {"ExecutionArn": "a", "StartDate": 1764103483}, "Field 'StartDate' must be a string"),
    "a number": (OBJECT, {"ContentLength": "9000"}, "Field 'ContentLength' must be a number"),
    "a choice": (OBJECT, {"StorageClass": "Papyrus"}, "Field 'StorageClass' is not an expected value"),
    "a length": (ENCRYPT, {"CiphertextBlob": ""}, "Field 'CiphertextBlob' is smaller than the minimum length"),
    "the job, not its start": (JOB, {"JobRunState": "DONE"}, "Field 'JobRunState' is not an expected value"),
}


@pytest.mark.parametrize(("state", "result", "problem"), MISFITS.values(), ids=MISFITS)
def test_a_mocked_result_has_the_form_of_the_services_response(sfn, state, result, problem):
    request = {"definition": json.dumps(state | {"End": True})}
    message = f"Mock result schema validation error: {problem}"
    assert sfn.refused("test_state", mock=mocked(result), **request) == ("ValidationException", message)
    assert read(sfn.api.test_state(mock=mocked(result, fieldValidationMode="NONE"), **request))["output"] == result


def test_a_mocked_result_may_lack_members_where_only_those_there_are_looked_at(sfn):
    answer = run(sfn, START, mock=mocked({"unknown": 1}, fieldValidationMode="PRESENT"))
    assert answer == {"status": "SUCCEEDED", "output": {"unknown": 1}}


MAP = {"Type": "Map", "ItemProcessor": DISTRIBUTED}
ITEMS = {"input": "[1, 2]"}
TASK = {"Type": "Task", "Resource": INVOKE, "Parameters": {"FunctionName": "f"}}
UNSUPPORTED = (
    "TestState API does not support Map or Parallel states. Supported state types include: [Task, Wait, Pass, Succeed,"
    " Fail, Choice]"
)
ONLY_MOCKED = (
    "TestState API supports activities and the patterns '.sync' and '.waitForTaskToken' when a mock is specified only"
)
CONTEXT = "Invalid Context object provided: "
REFUSED = {
    "a mock of a pass": (
        {"Type": "Pass"},
        {"mock": mocked({})},
        "ValidationException",
        "State type 'Pass' is not supported when a mock is specified",
    ),
    "two mocks": (
        TASK,
        {"mock": mocked({}, **BUSY)},
        "ValidationException",
        "A test mock should have only one of the following fields: [result, errorOutput].",
    ),
    "secrets of a mock": (
        TASK,
        {"mock": mocked({}), "revealSecrets": True},
        "ValidationException",
        "TestState does not support RevealSecrets when a mock is specified.",
    ),
    "no JSON": (TASK, {"mock": {"result": "x"}}, "ValidationException", "Mocked result must be valid JSON"),
    "no array": (MAP, ITEMS | {"mock": mocked({})}, "ValidationException", "Mocked result must be an array."),
    "no object": (
        MAP | {"ResultWriter": {"Resource": "arn:aws:states:::s3:putObject", "Parameters": {"Bucket": "b"}}},
        ITEMS | {"mock": mocked([])},
        "ValidationException",
        "Mocked result must be a JSON object.",
    ),
    "a branch without a result": (
        {"Type": "Parallel", "Branches": [ORDERS]},
        {"mock": mocked([])},
        "ValidationException",
        "Mocked result must contain the same number of items as number of Parallel branches.",
    ),
    "more failures than items": (
        MAP,
        ITEMS | {"mock": mocked([]), "stateConfiguration": {"mapIterationFailureCount": 3}},
        "ValidationException",
        "Map iteration failure count must be less than or equal to the number of Map iterations",
    ),
    "failures without a mock": (
        MAP,
        ITEMS | {"stateConfiguration": {"mapIterationFailureCount": 0}},
        "ValidationException",
        "TestState does not support MapIterationFailureCount when a mock is not specified.",
    ),
    "a map without a mock": (MAP, ITEMS, "InvalidDefinition", UNSUPPORTED),
    "a job without a mock": (JOB, {"roleArn": ROLE}, "InvalidDefinition", ONLY_MOCKED),
    "a task without a role": (
        TASK,
        {},
        "ValidationException",
        "RoleArn must be specified when testing a Task state",
    ),
    "a token that nobody waits for": (
        TASK,
        {"mock": mocked({}), "context": '{"Task": {"Token": "t"}}'},
        "ValidationException",
        f"{CONTEXT}Context object contains 'Task' when state is not a Task state with a '.sync' or"
        " '.waitForTaskToken' service integration pattern",
    ),
    "an item as context": (
        TASK,
        {"mock": mocked({}), "context": '{"Map": {}}'},
        "ValidationException",
        f"{CONTEXT}'Map' field is not supported when mocking a Context object",
    ),
    "an unknown context": (
        TASK,
        {"mock": mocked({}), "context": '{"Execution": {"x": 1}}'},
        "ValidationException",
        f"{CONTEXT}Field 'x' is not allowed",
    ),
    "a context of the wrong type": (
        TASK,
        {"mock": mocked({}), "context": '{"Execution": {"Id": 1}}'},
        "ValidationException",
        f"{CONTEXT}Execution.Id must be a string",
    ),
    "a bad definition": (
        {"Type": "Parallel", "Branches": []},
        {"mock": mocked([])},
        "InvalidDefinition",
        "Invalid State Machine Definition: 'SCHEMA_VALIDATION_FAILED: Value cannot be empty at"
        " /States/StateName/Branches'",
    ),
    "bad input": (
        {"Type": "Pass"},
        {"input": "{"},
        "InvalidExecutionInput",
        "Invalid State Machine Execution Input: 'Unexpected end-of-input'",
    ),
}


@pytest.mark.parametrize(("state", "request_", "code", "message"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_tested_is_refused(sfn, state, request_, code, message):
    assert sfn.refused("test_state", definition=json.dumps(state | {"End": True}), **request_) == (code, message)
