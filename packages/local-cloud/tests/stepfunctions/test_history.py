"""Which events the history of an execution has, and which event each follows.

Most rows were read off Step Functions in us-east-1 (see `running.attempts`).
"""

from __future__ import annotations

import pytest

JSONATA = {"QueryLanguage": "JSONata"}
PASS = {"Type": "Pass", "End": True}
CATCH = {"Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Caught"}]}
RETRY = {"Retry": [{"ErrorEquals": ["States.ALL"], "MaxAttempts": 1, "IntervalSeconds": 1}]}
FAILS = {"Type": "Fail", "Error": "MyError", "Cause": "my cause"}
MISSING = {"Type": "Pass", "Parameters": {"m.$": "$.nope"}, "End": True}
UNDEFINED = {"Type": "Pass", "Output": {"v": "{% $states.input.missing %}"}, "End": True}
NO_QUEUE = {
    "Type": "Task",
    "Resource": "arn:aws:states:::sqs:sendMessage",
    "Parameters": {"QueueUrl": "http://127.0.0.1:4566/123456789012/nobody", "MessageBody": "hi"},
    "End": True,
}


def around(state, **more):
    return {"Type": "Parallel", "Branches": [{"StartAt": "In", "States": {"In": state}}], **more}


def over(state, **more):
    return {"Type": "Map", "MaxConcurrency": 1, "ItemProcessor": {"StartAt": "In", "States": {"In": state}}, **more}


def distributed(state, **more):
    mapped = over(state, **more)
    mapped["ItemProcessor"]["ProcessorConfig"] = {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}
    return mapped


ROWS = {
    "Pass": (PASS, {}, {}, "0 PassStateEntered, 2 PassStateExited, 3 ExecutionSucceeded"),
    "Fail": (FAILS, {}, {}, "0 FailStateEntered, 2 ExecutionFailed"),
    "Succeed": ({"Type": "Succeed"}, {}, {}, "0 SucceedStateEntered, 2 SucceedStateExited, 3 ExecutionSucceeded"),
    "Wait": ({"Type": "Wait", "Seconds": 0}, {}, {}, "0 WaitStateEntered, 2 WaitStateExited, 3 ExecutionSucceeded"),
    "no choice": (
        {"Type": "Choice", "Choices": [{"Variable": "$.x", "IsString": False, "Next": "Other"}]},
        {}, {"x": "a"}, "0 ChoiceStateEntered, 2 ExecutionFailed",
    ),
    "a Task that fails": (
        NO_QUEUE, {}, {}, "0 TaskStateEntered, 2 TaskScheduled, 3 TaskStarted, 4 TaskFailed, 5 ExecutionFailed"
    ),
    "a Task tried again": (
        NO_QUEUE | RETRY, {}, {},
        "0 TaskStateEntered, 2 TaskScheduled, 3 TaskStarted, 4 TaskFailed, 5 TaskScheduled, 6 TaskStarted,"
        " 7 TaskFailed, 8 ExecutionFailed",
    ),
    "a Task caught": (
        NO_QUEUE | CATCH, {}, {},
        "0 TaskStateEntered, 2 TaskScheduled, 3 TaskStarted, 4 TaskFailed, 5 TaskStateExited, 6 PassStateEntered,"
        " 7 PassStateExited, 8 ExecutionSucceeded",
    ),
    "JSONata that fails, tried again": (
        {"Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage", **RETRY,
         "Arguments": {"QueueUrl": "u", "MessageBody": "{% $states.input.missing %}"}},
        JSONATA, {}, "0 TaskStateEntered, 2 EvaluationFailed, 3 EvaluationFailed, 4 ExecutionFailed",
    ),
    "Parallel": (
        around(PASS), {}, {},
        "0 ParallelStateEntered, 2 ParallelStateStarted, 3 PassStateEntered, 4 PassStateExited,"
        " 5 ParallelStateSucceeded, 5 ParallelStateExited, 7 ExecutionSucceeded",
    ),
    "a path of a branch that names nothing": (
        around(MISSING), {}, {}, "0 ParallelStateEntered, 2 ParallelStateStarted, 3 PassStateEntered, 4 ExecutionFailed"
    ),
    "Fail in a branch": (
        around(FAILS), {}, {},
        "0 ParallelStateEntered, 2 ParallelStateStarted, 3 FailStateEntered, 4 ParallelStateFailed, 5 ExecutionFailed",
    ),
    "Fail in a branch, caught": (
        around(UNDEFINED, **CATCH), JSONATA, {},
        "0 ParallelStateEntered, 2 ParallelStateStarted, 3 PassStateEntered, 4 EvaluationFailed, 5 ParallelStateFailed,"
        " 6 ParallelStateExited, 7 PassStateEntered, 8 PassStateExited, 9 ExecutionSucceeded",
    ),
    "Fail in a branch, tried again": (
        around(FAILS, **RETRY), {}, {},
        "0 ParallelStateEntered, 2 ParallelStateStarted, 3 FailStateEntered, 4 ParallelStateStarted,"
        " 5 FailStateEntered, 6 ParallelStateFailed, 7 ExecutionFailed",
    ),
    "a catcher that fails": (
        around(FAILS, Catch=[CATCH["Catch"][0] | {"Output": {"v": "{% $states.input.missing %}"}}]), JSONATA, {},
        "0 ParallelStateEntered, 2 ParallelStateStarted, 3 FailStateEntered, 4 ParallelStateFailed, 4 EvaluationFailed,"
        " 6 ParallelStateFailed, 7 ExecutionFailed",
    ),
    "ResultSelector of a Parallel that fails": (
        around(PASS, ResultSelector={"m.$": "$.nope"}), {}, {},
        "0 ParallelStateEntered, 2 ParallelStateStarted, 3 PassStateEntered, 4 PassStateExited,"
        " 5 ParallelStateSucceeded, 6 ExecutionFailed",
    ),
    "a Task that ends its branch": (
        around(NO_QUEUE, **CATCH), {}, {},
        "0 ParallelStateEntered, 2 ParallelStateStarted, 3 TaskStateEntered, 4 TaskScheduled, 5 TaskStarted,"
        " 6 TaskFailed, 7 TaskStateAborted, 7 ParallelStateFailed, 9 ParallelStateExited, 10 PassStateEntered,"
        " 11 PassStateExited, 12 ExecutionSucceeded",
    ),
    "a Task of a branch whose path names nothing": (
        around(NO_QUEUE | {"Parameters": {"QueueUrl.$": "$.nope", "MessageBody": "hi"}}), {}, {},
        "0 ParallelStateEntered, 2 ParallelStateStarted, 3 TaskStateEntered, 4 ExecutionFailed",
    ),
    "Arguments of a Parallel that fail, caught": (
        around(PASS, Arguments="{% $states.input.missing %}", **CATCH), JSONATA, {},
        "0 ParallelStateEntered, 2 EvaluationFailed, 3 ParallelStateFailed, 4 ParallelStateExited, 5 PassStateEntered,"
        " 6 PassStateExited, 7 ExecutionSucceeded",
    ),
    "Map": (
        over(PASS), {}, [1, 2],
        "0 MapStateEntered, 2 MapStateStarted, 3 MapIterationStarted, 4 PassStateEntered, 5 PassStateExited,"
        " 6 MapIterationSucceeded, 6 MapIterationStarted, 8 PassStateEntered, 9 PassStateExited,"
        " 10 MapIterationSucceeded, 11 MapStateSucceeded, 11 MapStateExited, 13 ExecutionSucceeded",
    ),
    "Map over nothing": (
        over(PASS), {}, [],
        "0 MapStateEntered, 2 MapStateStarted, 3 MapStateSucceeded, 3 MapStateExited, 5 ExecutionSucceeded",
    ),
    "Map over no array": (over(PASS), {}, {}, "0 MapStateEntered, 2 ExecutionFailed"),
    "Items that fail": (
        over(PASS, Items="{% $states.input.missing %}"), JSONATA, {},
        "0 MapStateEntered, 2 EvaluationFailed, 3 MapStateFailed, 4 ExecutionFailed",
    ),
    "an iteration that fails": (
        over(UNDEFINED, Items="{% [1, 2] %}"), JSONATA, {},
        "0 MapStateEntered, 2 MapStateStarted, 3 MapIterationStarted, 4 PassStateEntered, 5 EvaluationFailed,"
        " 6 MapIterationFailed, 6 MapStateFailed, 8 ExecutionFailed",
    ),
    "a path of an iteration that names nothing": (
        over(MISSING), {}, [1, 2],
        "0 MapStateEntered, 2 MapStateStarted, 3 MapIterationStarted, 4 PassStateEntered, 5 ExecutionFailed",
    ),
    "distributed Map": (
        distributed(PASS), {}, [1, 2],
        "0 MapStateEntered, 2 MapStateStarted, 3 MapRunStarted, 4 MapRunSucceeded, 5 MapStateSucceeded,"
        " 4 MapStateExited, 7 ExecutionSucceeded",
    ),
    "distributed Map whose items fail": (
        distributed(FAILS), {}, [1],
        "0 MapStateEntered, 2 MapStateStarted, 3 MapRunStarted, 4 MapRunFailed, 5 MapStateFailed, 6 ExecutionFailed",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("state", "machine", "input", "wanted"), ROWS.values(), ids=ROWS)
def test_events(sfn, state, machine, input, wanted):
    outcome = sfn.run(sfn.one(state, **machine), input)
    seen = [f"{event['previousEventId']} {event['type']}" for event in outcome.events]
    assert seen == ["0 ExecutionStarted", *wanted.split(", ")]
    assert [event["id"] for event in outcome.events] == list(range(1, len(seen) + 1))


@pytest.mark.parametrize(
    ("state", "input", "shown"),
    [
        (around(MISSING), {}, "{}"),
        (over(MISSING), [1], "1"),
        (around(over(around(MISSING, End=True), End=True)), [1], "1"),
    ],
    ids=["branch", "iteration", "deep"],
)
def test_a_cause_says_once_which_state_failed(sfn, state, input, shown):
    outcome = sfn.run(sfn.one(with_names(state)), input)
    failed = next(event for event in outcome.events if event["type"] == "PassStateEntered")
    name = failed["stateEnteredEventDetails"]["name"]
    assert outcome.result == (
        "States.Runtime",
        f"An error occurred while executing the state '{name}' (entered at the event id #{failed['id']})."
        f" The JSONPath '$.nope' specified for the field 'm.$' could not be found in the input '{shown}'",
    )


def with_names(state, depth=0):
    """The same with a name of its own for each nested state."""
    if "Branches" in state:
        return state | {"Branches": [with_name(state["Branches"][0], depth)]}
    if "ItemProcessor" in state:
        return state | {"ItemProcessor": with_name(state["ItemProcessor"], depth)}
    return state


def with_name(machine, depth):
    name = f"In{depth}"
    return machine | {"StartAt": name, "States": {name: with_names(machine["States"]["In"], depth + 1)}}


def test_a_catch_gets_the_cause_with_the_state(sfn):
    state = around(UNDEFINED, **CATCH)
    assert sfn.run(sfn.one(state, **JSONATA), {}).output == {
        "Error": "States.QueryEvaluationError",
        "Cause": "An error occurred while executing the state 'In' (entered at the event id #4). The JSONata expression"
        " '$states.input.missing' specified for the field 'Output/v' returned nothing (undefined).",
    }


def test_branches_have_chains_of_their_own(sfn):
    branches = [
        {"StartAt": f"{name}1", "States": {f"{name}1": {"Type": "Pass", "Next": f"{name}2"}, f"{name}2": PASS}}
        for name in "AB"
    ]
    events = sfn.run(sfn.one({"Type": "Parallel", "Branches": branches})).events
    named = {}
    for event in events:
        details = event.get("stateEnteredEventDetails") or event.get("stateExitedEventDetails") or {}
        named[details.get("name", ""), event["type"]] = event
    started = named["", "ParallelStateStarted"]["id"]
    for name in "AB":
        chain = [
            named[f"{name}1", "PassStateEntered"],
            named[f"{name}1", "PassStateExited"],
            named[f"{name}2", "PassStateEntered"],
            named[f"{name}2", "PassStateExited"],
        ]
        assert [event["previousEventId"] for event in chain] == [started, *(event["id"] for event in chain[:-1])]


def test_what_still_runs_when_a_branch_fails_is_aborted(sfn):
    waits = {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 600, "End": True}}}
    fails = {
        "StartAt": "A",
        "States": {"A": {"Type": "Wait", "Seconds": 1, "Next": "F"}, "F": {"Type": "Fail", "Error": "E"}},
    }
    outcome = sfn.run(sfn.one({"Type": "Parallel", "Branches": [waits, fails]}))
    assert outcome.result == ("E", None)
    assert outcome.types[-3:] == ["WaitStateAborted", "ParallelStateFailed", "ExecutionFailed"]


def test_what_still_runs_when_an_iteration_fails_is_aborted(sfn):
    choice = {
        "Type": "Choice",
        "Choices": [{"Variable": "$", "NumericEquals": 1, "Next": "Soon"}],
        "Default": "Never",
    }
    states = {
        "C": choice,
        "Soon": {"Type": "Wait", "Seconds": 1, "Next": "F"},
        "F": {"Type": "Fail", "Error": "E"},
        "Never": {"Type": "Wait", "Seconds": 600, "End": True},
    }
    outcome = sfn.run(sfn.one({"Type": "Map", "ItemProcessor": {"StartAt": "C", "States": states}}), [0, 1, 2])
    assert outcome.result == ("E", None)
    assert outcome.types[-7:] == [
        "MapIterationFailed",
        "WaitStateAborted",
        "MapIterationAborted",
        "WaitStateAborted",
        "MapIterationAborted",
        "MapStateFailed",
        "ExecutionFailed",
    ]
    assert [details["index"] for details in outcome.details("MapIterationAborted")] == [0, 2]


def test_a_time_out_is_an_event_of_no_state(sfn):
    outcome = sfn.run(sfn.one({"Type": "Wait", "Seconds": 600}, TimeoutSeconds=1))
    assert (outcome.status, outcome.error, outcome.cause) == ("TIMED_OUT", None, None)
    last = outcome.events[-1]
    assert (last["type"], last["previousEventId"]) == ("ExecutionTimedOut", 0)
    assert last["executionTimedOutEventDetails"] == {"error": "States.Timeout"}
    assert outcome.types[:-1] == ["ExecutionStarted", "WaitStateEntered"]


def test_events_carry_data_unless_they_are_not_wanted(sfn):
    outcome = sfn.run(sfn.one({"Type": "Pass", "Parameters": {"b.$": "$.a"}}), {"a": "☃"})
    started, entered, exited, succeeded = outcome.events
    assert started["executionStartedEventDetails"] == {
        "input": '{"a": "\\u2603"}',
        "inputDetails": {"truncated": False},
        "roleArn": "arn:aws:iam::123456789012:role/machine",
    }
    assert entered["stateEnteredEventDetails"] == {
        "name": "S",
        "input": '{"a": "\\u2603"}',
        "inputDetails": {"truncated": False},
    }
    assert exited["stateExitedEventDetails"] == {
        "name": "S",
        "output": '{"b":"☃"}',
        "outputDetails": {"truncated": False},
    }
    assert succeeded["executionSucceededEventDetails"] == {
        "output": '{"b":"☃"}',
        "outputDetails": {"truncated": False},
    }
    bare = sfn.api.get_execution_history(executionArn=outcome.arn, includeExecutionData=False)["events"]
    assert [event["type"] for event in bare] == outcome.types
    assert bare[0]["executionStartedEventDetails"] == {"roleArn": "arn:aws:iam::123456789012:role/machine"}
    assert bare[1]["stateEnteredEventDetails"] == {"name": "S"}


def test_pages_of_history(sfn):
    outcome = sfn.run(sfn.chain(*({"Type": "Pass"} for _ in range(10))))
    assert len(outcome.events) == 22
    api = sfn.api.get_paginator("get_execution_history")
    for reverse in (False, True):
        pages = list(api.paginate(executionArn=outcome.arn, reverseOrder=reverse, PaginationConfig={"PageSize": 8}))
        assert [len(page["events"]) for page in pages] == [8, 8, 6]
        ids = [event["id"] for page in pages for event in page["events"]]
        assert ids == sorted(range(1, 23), reverse=reverse)
    code, _ = sfn.refused("get_execution_history", executionArn=outcome.arn, nextToken="nonsense")
    assert code == "InvalidToken"
    gone = outcome.arn.replace(":execution:", ":execution:x")
    assert sfn.refused("get_execution_history", executionArn=gone) == (
        "ExecutionDoesNotExist",
        f"Execution Does Not Exist: '{gone}'",
    )
