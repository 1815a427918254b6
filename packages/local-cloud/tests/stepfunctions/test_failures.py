"""Retry, Catch, timeouts and waits."""

from __future__ import annotations

import datetime
import time
from itertools import pairwise

import pytest

JSONATA = {"QueryLanguage": "JSONata"}
PASS = {"Type": "Pass", "End": True}


def failing(error, **more):
    """A state that fails with an error, which can be caught."""
    state = {"Type": "Fail", "Error": error, "Cause": "why"}
    return {"Type": "Parallel", "Branches": [{"StartAt": "F", "States": {"F": state}}], **more}


@pytest.mark.parametrize(
    ("error", "rules", "caught"),
    [
        ("E", ["E"], True),
        ("E", ["Nobodys", "E"], True),
        ("E", ["e"], False),
        ("E", ["States.ALL"], True),
        ("E", ["States.TaskFailed"], True),
        ("Lambda.Unknown", ["States.TaskFailed"], True),
        ("States.TaskFailed", ["States.TaskFailed"], True),
        ("States.TaskFailed", ["States.ALL"], True),
        ("States.Timeout", ["States.TaskFailed"], False),
        ("States.Timeout", ["States.Timeout"], True),
        ("States.Timeout", ["States.HeartbeatTimeout"], False),
        ("States.Timeout", ["States.ALL"], True),
        ("States.DataLimitExceeded", ["States.ALL"], True),
        ("States.Runtime", ["States.ALL"], False),
        ("States.Runtime", ["States.TaskFailed"], False),
        ("States.Runtime", ["States.Runtime"], True),
    ],
)
def test_which_rule_takes_which_error(sfn, error, rules, caught):
    state = failing(error, Catch=[{"ErrorEquals": rules, "Next": "Caught"}])
    outcome = sfn.run(sfn.one(state))
    if caught:
        assert outcome.result == {"Error": error, "Cause": "why"}
    else:
        assert outcome.result == (error, "why")


def test_the_first_rule_that_takes_it_counts(sfn):
    rules = [
        {"ErrorEquals": ["Other"], "Next": "Other"},
        {"ErrorEquals": ["E"], "ResultPath": "$.error", "Next": "Caught"},
        {"ErrorEquals": ["States.ALL"], "Next": "Other"},
    ]
    outcome = sfn.run(sfn.one(failing("E", Catch=rules)), {"k": 1})
    assert outcome.output == {"k": 1, "error": {"Error": "E", "Cause": "why"}}


@pytest.mark.parametrize(
    ("path", "wanted"), [(None, {"k": 1}), ("$.a.b", {"k": 1, "a": {"b": {"Error": "E", "Cause": "why"}}})]
)
def test_a_catchers_result_path(sfn, path, wanted):
    rule = {"ErrorEquals": ["E"], "ResultPath": path, "Next": "Caught"}
    assert sfn.run(sfn.one(failing("E", Catch=[rule])), {"k": 1}).output == wanted


def test_a_catcher_assigns(sfn):
    rule = {"ErrorEquals": ["E"], "Assign": {"why.$": "$.Cause", "fixed": 1}, "Next": "Caught"}
    definition = sfn.one(failing("E", Catch=[rule]))
    definition["States"]["Caught"]["Parameters"] = {"why.$": "$why", "fixed.$": "$fixed"}
    assert sfn.run(definition).output == {"why": "why", "fixed": 1}


def test_retries_have_counts_of_their_own_and_the_context_counts_all(sfn):
    """E is tried twice more, F once more; the third attempt at E goes to the catcher."""
    state = {
        "Type": "Map",
        "ItemsPath": "$.order",
        "MaxConcurrency": 1,
        "ItemProcessor": {"StartAt": "F", "States": {"F": {"Type": "Fail", "ErrorPath": "$", "Cause": "c"}}},
        "Retry": [
            {"ErrorEquals": ["F"], "IntervalSeconds": 1, "MaxAttempts": 0},
            {"ErrorEquals": ["E"], "IntervalSeconds": 1, "BackoffRate": 1, "MaxAttempts": 2},
        ],
        "Catch": [{"ErrorEquals": ["E"], "ResultPath": "$.caught", "Next": "Caught"}],
    }
    outcome = sfn.run(sfn.one(state), {"order": ["E"]})
    assert outcome.output == {"order": ["E"], "caught": {"Error": "E", "Cause": "c"}}
    assert outcome.types.count("MapStateStarted") == 3
    outcome = sfn.run(sfn.one(state), {"order": ["F"]})
    assert (outcome.result, outcome.types.count("MapStateStarted")) == (("F", "c"), 1)


def test_retry_count_in_the_context(sfn):
    queue = sfn.client("sqs").create_queue(QueueName="counted")["QueueUrl"]
    send = {
        "Type": "Task",
        "Resource": "arn:aws:states:::sqs:sendMessage",
        "Parameters": {
            "QueueUrl.$": "States.ArrayGetItem($.urls, $$.State.RetryCount)",
            "MessageBody.$": "States.Format('{}', $$.State.RetryCount)",
        },
        "Retry": [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 1, "BackoffRate": 1}],
        "ResultPath": None,
    }
    outcome = sfn.run(sfn.one(send), {"urls": [f"{queue}-gone", queue]})
    assert outcome.status == "SUCCEEDED", outcome.cause
    received = sfn.client("sqs").receive_message(QueueUrl=queue)["Messages"]
    assert [message["Body"] for message in received] == ["1"]
    assert outcome.types.count("TaskScheduled") == 2


def test_delays_of_a_retry_grow_up_to_their_limit(sfn):
    rule = {"ErrorEquals": ["E"], "IntervalSeconds": 1, "BackoffRate": 10, "MaxDelaySeconds": 2, "MaxAttempts": 2}
    outcome = sfn.run(sfn.one(failing("E", Retry=[rule])))
    started = [event["timestamp"] for event in outcome.events if event["type"] == "ParallelStateStarted"]
    delays = [(after - before).total_seconds() for before, after in pairwise(started)]
    assert delays[0] >= 1
    assert 2 <= delays[1] < 10


def test_jitter_makes_delays_shorter(sfn):
    rule = {"ErrorEquals": ["E"], "IntervalSeconds": 1, "BackoffRate": 1, "JitterStrategy": "FULL", "MaxAttempts": 3}
    outcome = sfn.run(sfn.one(failing("E", Retry=[rule])))
    started = [event["timestamp"] for event in outcome.events if event["type"] == "ParallelStateStarted"]
    assert len(started) == 4
    delays = [(after - before).total_seconds() for before, after in pairwise(started)]
    assert len({round(delay, 2) for delay in delays}) > 1


def test_a_stop_ends_a_retrys_delay(sfn):
    rule = {"ErrorEquals": ["E"], "IntervalSeconds": 3600}
    execution = sfn.start(sfn.machine(sfn.one(failing("E", Retry=[rule]))))
    sfn.until_event(execution, "FailStateEntered")
    sfn.api.stop_execution(executionArn=execution)
    outcome = sfn.wait(execution)
    assert (outcome.status, outcome.types[-1]) == ("ABORTED", "ExecutionAborted")


def side_by_side(states):
    """A machine with a branch for each state, named by number; they end with the state or at its catcher."""
    branches = [
        {"StartAt": f"S{number}", "States": {f"S{number}": {**state, "End": True}, f"C{number}": dict(PASS)}}
        for number, state in enumerate(states)
    ]
    for branch, state in zip(branches, states, strict=True):
        if "Catch" not in state:
            del branch["States"][branch["StartAt"].replace("S", "C")]
    return {"Type": "Parallel", "Branches": branches}


def test_tasks_time_out(sfn):
    queue = sfn.client("sqs").create_queue(QueueName="slow")["QueueUrl"]
    parameters = {"QueueUrl": queue, "MessageBody": "x"}
    limits = [
        {"TimeoutSeconds": 1, "Parameters": parameters},
        {"TimeoutSecondsPath": "$.limit", "Parameters": parameters},
        {"TimeoutSeconds": "{% $states.input.limit %}", "Arguments": parameters, **JSONATA},
    ]
    tasks = [
        {
            "Type": "Task",
            "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
            "Catch": [{"ErrorEquals": ["States.Timeout"], "Next": f"C{number}"}],
            **limit,
        }
        for number, limit in enumerate(limits)
    ]
    outcome = sfn.run(sfn.one(side_by_side(tasks)), {"limit": 1})
    assert outcome.output == [{"Error": "States.Timeout", "Cause": ""}] * 3
    assert (
        outcome.details("TaskTimedOut")
        == [{"resourceType": "sqs", "resource": "sendMessage.waitForTaskToken", "error": "States.Timeout"}] * 3
    )


def test_a_machine_times_out_inside_of_everything(sfn):
    wait = {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 600, "End": True}}}
    branch = {"StartAt": "M", "States": {"M": {"Type": "Map", "Items": [1, 2], "ItemProcessor": wait, "End": True}}}
    outcome = sfn.run(sfn.one({"Type": "Parallel", "Branches": [branch]}, TimeoutSeconds=1, **JSONATA))
    assert (outcome.status, outcome.types[-1]) == ("TIMED_OUT", "ExecutionTimedOut")


def test_waits(sfn):
    zone = datetime.timezone(datetime.timedelta(hours=5, minutes=30))
    at = (datetime.datetime.now(tz=zone) + datetime.timedelta(seconds=1.2)).isoformat(timespec="milliseconds")
    fields = [
        {"Seconds": 1},
        {"SecondsPath": "$.n"},
        {"Timestamp": at},
        {"TimestampPath": "$.at"},
        {"Seconds": "{% $states.input.n %}", **JSONATA},
        {"Timestamp": "{% $states.input.at %}", **JSONATA},
        {"Timestamp": at, **JSONATA},
        {"Timestamp": "2020-01-01T00:00:00Z"},
    ]
    outcome = sfn.run(sfn.one(side_by_side([{"Type": "Wait", **each} for each in fields])), {"n": 1, "at": at})
    assert outcome.status == "SUCCEEDED", outcome.cause
    assert outcome.output == [{"n": 1, "at": at}] * len(fields)
    times = {}
    for event in outcome.events:
        details = event.get("stateEnteredEventDetails") or event.get("stateExitedEventDetails")
        if event["type"].startswith("WaitState"):
            times.setdefault(details["name"], []).append(event["timestamp"])
    for number, each in enumerate(fields):
        begun, ended = times[f"S{number}"]
        if "Seconds" in each or "SecondsPath" in each:
            assert 1 <= (ended - begun).total_seconds() + 0.002 < 60  # times are cut to milliseconds
        elif each["Timestamp" if "Timestamp" in each else "TimestampPath"] != "2020-01-01T00:00:00Z":
            assert ended >= datetime.datetime.fromisoformat(at) - datetime.timedelta(milliseconds=2)
        else:
            assert ended - begun < datetime.timedelta(seconds=60)


@pytest.mark.parametrize(
    ("fields", "input", "cause"),
    [
        ({"SecondsPath": "$.n"}, {"n": -1}, "The SecondsPath parameter references a negative value: $.n == -1"),
        ({"SecondsPath": "$.n"}, {"n": "x"}, "The SecondsPath parameter cannot be parsed as a long value: $.n == x"),
        ({"SecondsPath": "$.n"}, {}, "The SecondsPath parameter does not reference an input value: $.n"),
        ({"TimestampPath": "$.n"}, {"n": "2024-01-01"},
         "The TimestampPath parameter does not reference a valid ISO-8601 extended offset date-time format string:"
         " $.n == 2024-01-01"),
    ],
)  # fmt: skip
def test_waits_for_nonsense(sfn, fields, input, cause):
    prefix = "An error occurred while executing the state 'S' (entered at the event id #2). "
    assert sfn.run(sfn.one({"Type": "Wait", **fields}), input).result == ("States.Runtime", prefix + cause)


def test_a_moment_of_jsonata_that_is_none(sfn):
    state = {"Type": "Wait", "Timestamp": "{% $states.input %}"}
    outcome = sfn.run(sfn.one(state, **JSONATA), "2016-12-05 21:29:29Z")
    assert outcome.result == (
        "States.QueryEvaluationError",
        "An error occurred while executing the state 'S' (entered at the event id #2). The Timestamp field cannot be"
        " parsed as an ISO-8601 extended offset date-time format string: 2016-12-05 21:29:29Z",
    )
    assert outcome.details("EvaluationFailed")[0]["location"] == "Timestamp"


@pytest.mark.parametrize(
    ("state", "input", "result"),
    [
        ({"Error": "E", "Cause": "c"}, {}, ("E", "c")),
        ({"Error": "E"}, {}, ("E", None)),
        ({"Cause": "c"}, {}, (None, "c")),
        ({}, {}, (None, None)),
        ({"ErrorPath": "$.e", "CausePath": "$.c"}, {"e": "X", "c": "y"}, ("X", "y")),
        ({"Error": "E", "CausePath": "States.Format('{} \\'{}\\'', $.c, $$.State.Name)"}, {"c": "y"}, ("E", "y 'S'")),
        ({"Error": "States.MyOwn"}, {}, ("States.MyOwn", None)),
    ],
)
def test_fail(sfn, state, input, result):
    outcome = sfn.run(sfn.one({"Type": "Fail", **state}), input)
    assert (outcome.status, outcome.result) == ("FAILED", result)
    assert outcome.details("ExecutionFailed") == [
        {name: value for name, value in zip(("error", "cause"), result, strict=True) if value is not None}
    ]


def test_a_stop_says_what_it_was_told(sfn):
    machine = sfn.machine(sfn.one({"Type": "Wait", "Seconds": 3600}))
    one, other = sfn.start(machine), sfn.start(machine)
    stopped = sfn.api.stop_execution(executionArn=one, error="Operator", cause='"lunch"')["stopDate"]
    outcome = sfn.wait(one)
    assert (outcome.status, outcome.result) == ("ABORTED", ("Operator", '"lunch"'))
    assert outcome.events[-1]["executionAbortedEventDetails"] == {"error": "Operator", "cause": '"lunch"'}
    assert sfn.describe(one)["stopDate"] == stopped
    assert sfn.api.stop_execution(executionArn=one, error="Again")["stopDate"] == stopped
    assert sfn.describe(one)["error"] == "Operator"
    sfn.api.stop_execution(executionArn=other)
    assert sfn.wait(other).result == (None, None)
    gone = one.replace(":execution:", ":execution:x")
    assert sfn.refused("stop_execution", executionArn=gone)[0] == "ExecutionDoesNotExist"


def test_more_output_than_a_state_may_have(sfn):
    state = {"Type": "Pass", "Parameters": {"a.$": "$.x", "b.$": "$.x"}}
    outcome = sfn.run(sfn.one(state), {"x": "a" * 200_000})
    assert outcome.error == "States.DataLimitExceeded"
    assert outcome.cause == (
        "The state/task 'S' returned a result with a size exceeding the maximum number of bytes service limit."
    )


def test_an_execution_ends_when_its_history_is_full(sfn):
    definition = {
        "StartAt": "A",
        "States": {
            "A": {"Type": "Choice", "Choices": [{"Variable": "$", "IsNull": True, "Next": "End"}], "Default": "B"},
            "B": {"Type": "Pass", "Next": "A"},
            "End": {"Type": "Succeed"},
        },
    }
    execution = sfn.start(sfn.machine(definition), 1)
    deadline = time.monotonic() + 240
    while sfn.describe(execution)["status"] == "RUNNING" and time.monotonic() < deadline:
        time.sleep(0.2)
    described = sfn.describe(execution)
    assert (described["status"], described["error"]) == ("FAILED", "States.Runtime")
    assert "25000" in described["cause"]
    last = sfn.api.get_execution_history(executionArn=execution, reverseOrder=True, maxResults=1)["events"]
    assert [(event["id"], event["type"]) for event in last] == [(25_000, "ExecutionFailed")]


def test_errors_that_a_machine_handles_are_no_noise_in_the_log(sfn):
    before = (sfn.cloud.state_dir / "server.log").stat().st_size
    sfn.run(sfn.one(failing("E", Catch=[{"ErrorEquals": ["E"], "Next": "Caught"}])))
    sfn.run(sfn.one({"Type": "Fail", "Error": "E"}))
    with (sfn.cloud.state_dir / "server.log").open() as log:
        log.seek(before)
        assert [line for line in log if "stepfunctions" in line or "Traceback" in line] == []


def test_what_comes_after_the_result_is_caught_by_nothing(sfn):
    """Recorded in LocalStack's `test_base_scenarios.snapshot.json`."""
    state = {
        "Type": "Task",
        "Resource": "arn:aws:states:::aws-sdk:sts:getCallerIdentity",
        "OutputPath": "$.none.at.all",
        "Catch": [{"ErrorEquals": ["States.Runtime"], "Next": "Caught"}],
    }
    outcome = sfn.run(sfn.one(state))
    assert outcome.error == "States.Runtime"
    assert outcome.cause.endswith("Invalid path '$.none.at.all' : Missing property in path $['none']")
    assert outcome.types[-2:] == ["TaskSucceeded", "ExecutionFailed"]


def test_an_error_and_a_cause_are_as_long_as_aws_keeps_them(sfn):
    outcome = sfn.run(
        sfn.one({"Type": "Fail", "ErrorPath": "$.e", "CausePath": "$.c"}), {"e": "e" * 300, "c": "c" * 40000}
    )
    assert (outcome.error, outcome.cause) == ("e" * 256, "c" * 32768)
    failed = outcome.details("ExecutionFailed")
    assert failed == [{"error": "e" * 256, "cause": "c" * 32768}]
