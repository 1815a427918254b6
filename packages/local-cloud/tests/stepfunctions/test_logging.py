"""Executions in CloudWatch Logs, of machines with a loggingConfiguration."""

from __future__ import annotations

import json
import re

import pytest

DEFINITION = {
    "StartAt": "A",
    "States": {
        "A": {"Type": "Pass", "Next": "F"},
        "F": {"Type": "Fail", "Error": "E", "Cause": "c"},
    },
}
ALL = ["ExecutionStarted", "PassStateEntered", "PassStateExited", "FailStateEntered", "ExecutionFailed"]


def logged(sfn, level, **settings):
    """The messages of one failed execution, and its outcome."""
    group = f"/aws/vendedlogs/states/{level}{len(settings)}"
    sfn.client("logs").create_log_group(logGroupName=group)
    arn = f"arn:aws:logs:us-east-1:123456789012:log-group:{group}:*"
    configuration = {"level": level, "destinations": [{"cloudWatchLogsLogGroup": {"logGroupArn": arn}}], **settings}
    outcome = sfn.run(DEFINITION, {"secret": 1}, loggingConfiguration=configuration)

    def look():
        return sfn.client("logs").filter_log_events(logGroupName=group)["events"]

    events = sfn.until(look, lambda found: any("ExecutionFailed" in event["message"] for event in found))
    return [json.loads(event["message"]) for event in events], outcome, {event["logStreamName"] for event in events}


@pytest.mark.parametrize(
    ("level", "types"),
    [("ALL", ALL), ("ERROR", ["FailStateEntered", "ExecutionFailed"]), ("FATAL", ["ExecutionFailed"])],
)
def test_levels(sfn, level, types):
    messages, outcome, _ = logged(sfn, level)
    assert [message["type"] for message in messages] == types
    assert {message["execution_arn"] for message in messages} == {outcome.arn}
    assert messages[-1] == {
        "id": "5",
        "type": "ExecutionFailed",
        "details": {"error": "E", "cause": "c"},
        "previous_event_id": "4",
        "event_timestamp": messages[-1]["event_timestamp"],
        "execution_arn": outcome.arn,
        "redrive_count": "0",
    }
    assert "secret" not in json.dumps(messages)


def test_data_is_logged_where_it_is_wanted(sfn):
    messages, outcome, streams = logged(sfn, "ALL", includeExecutionData=True)
    assert messages[0]["details"]["input"] == '{"secret": 1}'
    assert messages[1]["details"]["name"] == "A"
    (stream,) = streams
    machine = outcome.arn.split(":")[6]
    assert re.fullmatch(rf"states/{machine}/\d{{4}}(-\d\d){{4}}/\w+", stream)


def test_a_group_that_is_not_there_loses_the_log_only(sfn):
    arn = "arn:aws:logs:us-east-1:123456789012:log-group:/nobody:*"
    configuration = {"level": "ALL", "destinations": [{"cloudWatchLogsLogGroup": {"logGroupArn": arn}}]}
    assert sfn.run(DEFINITION, {}, loggingConfiguration=configuration).result == ("E", "c")
