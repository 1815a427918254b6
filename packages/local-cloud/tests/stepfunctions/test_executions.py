"""Executions: names, inputs, lists, descriptions, express machines, many at once."""

from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor

import pytest

WAIT = {"Type": "Wait", "Seconds": 3600}
SUFFIX = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"


def test_an_execution_described(sfn):
    machine = sfn.machine(sfn.one({"Type": "Pass", "Parameters": {"b.$": "$.a"}}))
    started = sfn.api.start_execution(stateMachineArn=machine, name="told", input='{"a": 1}', traceHeader="Root=1-2")
    execution = started["executionArn"]
    sfn.wait(execution)
    described = sfn.describe(execution)
    del described["ResponseMetadata"]
    stopped = described.pop("stopDate")
    assert started["startDate"] <= stopped
    assert described == {
        "executionArn": f"{machine.replace(':stateMachine:', ':execution:')}:told",
        "stateMachineArn": machine,
        "name": "told",
        "status": "SUCCEEDED",
        "startDate": started["startDate"],
        "input": '{"a": 1}',
        "inputDetails": {"included": True},
        "output": '{"b":1}',
        "outputDetails": {"included": True},
        "traceHeader": "Root=1-2",
        "redriveCount": 0,
        "redriveStatus": "NOT_REDRIVABLE",
        "redriveStatusReason": "Execution is SUCCEEDED and cannot be redriven",
    }
    bare = sfn.api.describe_execution(executionArn=execution, includedData="METADATA_ONLY")
    assert "input" not in bare
    assert "output" not in bare


def test_an_execution_without_a_name_gets_one(sfn):
    machine = sfn.machine(sfn.one({"Type": "Pass"}))
    one, other = sfn.start(machine), sfn.start(machine)
    assert one != other
    assert re.fullmatch(f".*:execution:{machine.rpartition(':')[2]}:{SUFFIX}", one)
    assert sfn.describe(one)["input"] == "{}"


def test_a_name_twice(sfn):
    machine = sfn.machine(sfn.one(WAIT))
    request = {"stateMachineArn": machine, "name": "once", "input": '{"a": 1, "b": 2}'}
    first = sfn.api.start_execution(**request)
    again = sfn.api.start_execution(**request)
    assert (again["executionArn"], again["startDate"]) == (first["executionArn"], first["startDate"])
    exists = ("ExecutionAlreadyExists", f"Execution Already Exists: '{first['executionArn']}'")
    assert sfn.refused("start_execution", **request | {"input": "{}"}) == exists
    sfn.api.stop_execution(executionArn=first["executionArn"])
    sfn.wait(first["executionArn"])
    assert sfn.refused("start_execution", **request) == exists
    assert len(sfn.api.list_executions(stateMachineArn=machine)["executions"]) == 1


def test_a_name_started_many_times_at_once_runs_once(sfn):
    machine = sfn.machine(sfn.one({"Type": "Wait", "Seconds": 1}))

    def start(number):
        return sfn.api.start_execution(stateMachineArn=machine, name="same", input="{}")["executionArn"]

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(start, range(8)))) == 1
    assert len(sfn.api.list_executions(stateMachineArn=machine)["executions"]) == 1


VALUES = "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')"


@pytest.mark.parametrize(
    ("input", "reason"),
    [
        ("", "Invalid execution input."),
        ("{", "Unexpected end-of-input"),
        ("{'a': 1}", "Unexpected character (''' (code 39)): was expecting double-quote to start field name"),
        ('{"a": not}', f"Unrecognized token 'not': was expecting {VALUES}"),
        ("[,]", f"Unexpected character (',' (code 44)): expected a valid value {VALUES}"),
    ],
    ids=["nothing", "half", "quotes", "a word", "a comma"],
)
def test_input_that_is_refused(sfn, input, reason):
    machine = sfn.machine(sfn.one({"Type": "Pass"}))
    assert sfn.refused("start_execution", stateMachineArn=machine, input=input) == (
        "InvalidExecutionInput",
        f"Invalid State Machine Execution Input: '{reason}'",
    )


@pytest.mark.parametrize("input", ["null", "1", '"text"', "[]", '{"a": [null, true, 1.5e3, "ü ☃"]}', " {}\n"])
def test_input_that_is_not(sfn, input):
    execution = sfn.api.start_execution(stateMachineArn=sfn.machine(sfn.one({"Type": "Pass"})), input=input)
    outcome = sfn.wait(execution["executionArn"])
    assert outcome.output == json.loads(input)
    assert sfn.describe(outcome.arn)["input"] == input


def test_data_is_no_longer_than_a_quarter_of_a_mebibyte(sfn):
    """In bytes; what is sensitive is not repeated."""
    machine = sfn.machine(sfn.one({"Type": "Pass", "Result": 1}))
    longest = json.dumps("é" * 131071, ensure_ascii=False)
    sfn.api.start_execution(stateMachineArn=machine, input=longest)
    reason = "failed to satisfy constraint: Member must have length less than or equal to"
    refused = sfn.refused("start_execution", stateMachineArn=machine, input=longest + " ")
    assert refused == ("ValidationException", f"1 validation error detected: Value at 'input' {reason} 262144")
    refused = sfn.refused("send_task_success", taskToken="t", output=longest + " ")
    assert refused == ("ValidationException", f"1 validation error detected: Value at 'output' {reason} 262144")
    refused = sfn.refused("send_task_failure", taskToken="t", error="e" * 257, cause="c" * 32769)
    assert refused == (
        "ValidationException",
        f"2 validation errors detected: Value at 'error' {reason} 256; Value at 'cause' {reason} 32768",
    )


@pytest.mark.parametrize("name", ["a b", "a:b", "a/b"])
def test_names_that_are_refused(sfn, name):
    machine = sfn.machine(sfn.one({"Type": "Pass"}))
    assert sfn.refused("start_execution", stateMachineArn=machine, name=name)[0] == "InvalidName"


def test_lists(sfn):
    states = {
        "C": {
            "Type": "Choice",
            "Choices": [
                {"Variable": "$", "StringEquals": "fail", "Next": "F"},
                {"Variable": "$", "StringEquals": "wait", "Next": "W"},
            ],
            "Default": "P",
        },
        "F": {"Type": "Fail"},
        "W": {**WAIT, "End": True},
        "P": {"Type": "Succeed"},
    }
    machine = sfn.machine({"StartAt": "C", "States": states})
    inputs = ["ok", "fail", "wait", "ok", "fail"]
    executions = [sfn.start(machine, input, name=f"e{number}") for number, input in enumerate(inputs)]
    for execution, input in zip(executions, inputs, strict=True):
        if input != "wait":
            sfn.wait(execution)

    def listed(**request):
        pages = sfn.api.get_paginator("list_executions").paginate(stateMachineArn=machine, **request)
        return [each["name"] for page in pages for each in page["executions"]]

    assert listed() == ["e4", "e3", "e2", "e1", "e0"]
    assert listed(PaginationConfig={"PageSize": 2}) == ["e4", "e3", "e2", "e1", "e0"]
    assert listed(statusFilter="SUCCEEDED") == ["e3", "e0"]
    assert listed(statusFilter="FAILED", PaginationConfig={"PageSize": 1}) == ["e4", "e1"]
    assert listed(statusFilter="RUNNING") == ["e2"]
    assert listed(statusFilter="ABORTED") == []
    page = sfn.api.list_executions(stateMachineArn=machine, maxResults=2)
    sfn.wait(sfn.start(machine, "ok", name="late"))
    rest = sfn.api.list_executions(stateMachineArn=machine, nextToken=page["nextToken"])
    assert [each["name"] for each in rest["executions"]] == ["e2", "e1", "e0"]
    item = rest["executions"][1]
    assert set(item) == {"executionArn", "stateMachineArn", "name", "status", "startDate", "stopDate", "redriveCount"}
    assert sfn.refused("list_executions")[0] == "ValidationException"
    assert sfn.refused("list_executions", stateMachineArn=machine, nextToken="x")[0] == "InvalidToken"
    sfn.api.stop_execution(executionArn=executions[2])


def test_an_express_machine(sfn):
    machine = sfn.machine(sfn.one({"Type": "Pass", "Parameters": {"got.$": "$.a"}}), type="EXPRESS")
    done = sfn.api.start_sync_execution(stateMachineArn=machine, name="x", input='{"a": 1}')
    assert (done["status"], json.loads(done["output"]), done["name"]) == ("SUCCEEDED", {"got": 1}, "x")
    billed = done["billingDetails"]
    assert (billed["billedDurationInMilliseconds"] % 100, billed["billedMemoryUsedInMB"]) == (0, 64)
    assert done["executionArn"].startswith(f"{machine.replace(':stateMachine:', ':express:')}:x:")
    again = sfn.api.start_sync_execution(stateMachineArn=machine, name="x", input='{"a": 1}')
    assert again["executionArn"] != done["executionArn"]
    failed = sfn.api.start_sync_execution(stateMachineArn=machine)
    assert (failed["status"], failed["error"]) == ("FAILED", "States.Runtime")
    started = sfn.api.start_execution(stateMachineArn=machine, input='{"a": 1}')["executionArn"]
    assert sfn.refused("describe_execution", executionArn=started) == (
        "InvalidArn",
        "Invalid Arn: 'Resource type not valid in this context: express'",
    )
    for operation, arn in (("list_executions", "stateMachineArn"), ("get_execution_history", "executionArn")):
        target = {arn: machine if arn == "stateMachineArn" else started}
        assert sfn.refused(operation, **target)[0] == "StateMachineTypeNotSupported"
    standard = sfn.machine(sfn.one({"Type": "Pass"}))
    assert sfn.refused("start_sync_execution", stateMachineArn=standard)[0] == "StateMachineTypeNotSupported"


def test_many_at_once(sfn):
    """24 executions run side by side, and leave nothing behind."""
    branch = {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 2, "End": True}}}
    machine = sfn.machine(sfn.one({"Type": "Parallel", "Branches": [branch]}))
    sfn.wait(sfn.start(machine))
    before = sfn.threads()
    with ThreadPoolExecutor(8) as pool:
        executions = list(pool.map(lambda number: sfn.start(machine, number, name=f"n{number}"), range(24)))
    running = sfn.api.list_executions(stateMachineArn=machine, statusFilter="RUNNING")["executions"]
    assert len(running) == 24
    outcomes = [sfn.wait(execution) for execution in executions]
    assert [outcome.output for outcome in outcomes] == [[number] for number in range(24)]
    spans = [(outcome.events[0]["timestamp"], outcome.events[-1]["timestamp"]) for outcome in outcomes]
    assert max(begun for begun, _ in spans) < min(ended for _, ended in spans)
    # The web server keeps a thread for each connection of the pool above.
    assert sfn.until(sfn.threads, lambda count: count <= before + 12) <= before + 12
