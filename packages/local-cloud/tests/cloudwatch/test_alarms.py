"""Alarms on real metrics: what they see, when they change, and what they tell."""

from __future__ import annotations

import datetime
import json
import signal
import time
from collections.abc import Callable
from email import message_from_bytes, policy
from typing import Any

import pytest


@pytest.fixture(scope="module")
def topic(cloud: Any) -> str:
    sns = cloud.client("sns")
    arn: str = sns.create_topic(Name="alerts")["TopicArn"]
    sns.subscribe(TopicArn=arn, Protocol="email", Endpoint="oncall@example.com")
    return arn


def state(cloud: Any, name: str) -> tuple[str, str]:
    (alarm,) = cloud.client("cloudwatch").describe_alarms(AlarmNames=[name])["MetricAlarms"]
    return alarm["StateValue"], alarm["StateReason"]


def eventually(what: Callable[[], Any], expected: Any) -> None:
    for _ in range(200):
        if what() == expected:
            return
        time.sleep(0.05)
    assert what() == expected


def alarm(cloud: Any, name: str, **given: Any) -> None:
    cloud.client("cloudwatch").put_metric_alarm(
        **{
            "AlarmName": name,
            "Namespace": "Test",
            "MetricName": name,
            "Statistic": "Sum",
            "Period": 60,
            "EvaluationPeriods": 1,
            "Threshold": 1,
            "ComparisonOperator": "GreaterThanOrEqualToThreshold",
            **given,
        }
    )


def put(cloud: Any, name: str, value: float, *, ago: float = 0) -> None:
    when = datetime.datetime.now(datetime.UTC) - datetime.timedelta(seconds=ago)
    datum = {"MetricName": name, "Value": value, "Timestamp": when}
    cloud.client("cloudwatch").put_metric_data(Namespace="Test", MetricData=[datum])


def mails(cloud: Any, alarm_name: str) -> list[Any]:
    files = sorted((cloud.state_dir / "mail").glob("*.eml"))
    found = [message_from_bytes(file.read_bytes(), policy=policy.default) for file in files]
    return [mail for mail in found if f'"{alarm_name}"' in mail["Subject"]]


def test_an_alarm_goes_off_and_mails(cloud: Any, topic: str) -> None:
    alarm(cloud, "errors", AlarmActions=[topic], AlarmDescription="Something went wrong.")
    assert state(cloud, "errors") == ("INSUFFICIENT_DATA", "Unchecked: Initial alarm creation")
    put(cloud, "errors", 2)
    put(cloud, "errors", 1)
    reason = "Threshold Crossed: 1 out of the last 1 datapoints [3.0] was greater than or equal to the threshold (1.0)."
    eventually(lambda: state(cloud, "errors"), ("ALARM", reason))
    eventually(lambda: len(mails(cloud, "errors")), 1)
    (mail,) = mails(cloud, "errors")
    assert mail["Subject"] == 'ALARM: "errors" in us-east-1'
    lines = mail.get_content().splitlines()
    assert "- Description:                Something went wrong." in lines
    assert "- State Change:               INSUFFICIENT_DATA -> ALARM" in lines
    assert f"- Reason for State Change:    {reason}" in lines


def test_programs_get_a_document(cloud: Any) -> None:
    sns, sqs = cloud.client("sns"), cloud.client("sqs")
    topic = sns.create_topic(Name="for-programs")["TopicArn"]
    queue = sqs.create_queue(QueueName="for-programs")["QueueUrl"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint="arn:aws:sqs:us-east-1:123456789012:for-programs")
    alarm(cloud, "by-hand", AlarmActions=[topic], TreatMissingData="ignore")
    cloud.client("cloudwatch").set_alarm_state(AlarmName="by-hand", StateValue="ALARM", StateReason="trying it")
    (message,) = sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=5)["Messages"]
    told = json.loads(json.loads(message["Body"])["Message"])
    assert told.pop("StateChangeTime")
    assert told == {
        "AlarmName": "by-hand",
        "AlarmDescription": None,
        "AWSAccountId": "123456789012",
        "NewStateValue": "ALARM",
        "NewStateReason": "trying it",
        "Region": "us-east-1",
        "AlarmArn": "arn:aws:cloudwatch:us-east-1:123456789012:alarm:by-hand",
        "OldStateValue": "INSUFFICIENT_DATA",
        "OKActions": [],
        "AlarmActions": [topic],
        "InsufficientDataActions": [],
        "Trigger": {
            "MetricName": "by-hand",
            "Namespace": "Test",
            "StatisticType": "Statistic",
            "Statistic": "SUM",
            "Unit": None,
            "Dimensions": [],
            "Period": 60,
            "EvaluationPeriods": 1,
            "DatapointsToAlarm": 1,
            "ComparisonOperator": "GreaterThanOrEqualToThreshold",
            "Threshold": 1.0,
            "TreatMissingData": "ignore",
        },
    }


@pytest.mark.parametrize(
    ("missing", "expected"),
    [("breaching", "ALARM"), ("notBreaching", "OK"), ("ignore", "INSUFFICIENT_DATA"), ("missing", "INSUFFICIENT_DATA")],
)
def test_no_data_at_all(cloud: Any, missing: str, expected: str) -> None:
    name = f"silent-{missing}"
    alarm(cloud, name, TreatMissingData=missing)
    alarm(cloud, "behind-it", TreatMissingData="breaching")  # by then the first was looked at, too
    eventually(lambda: state(cloud, "behind-it")[0], "ALARM")
    assert state(cloud, name)[0] == expected
    cloud.client("cloudwatch").delete_alarms(AlarmNames=["behind-it"])


def test_an_old_value_counts_until_three_periods_have_passed(cloud: Any) -> None:
    alarm(cloud, "stale", TreatMissingData="notBreaching")
    put(cloud, "stale", 1, ago=179)
    eventually(lambda: state(cloud, "stale")[0], "ALARM")
    eventually(lambda: state(cloud, "stale")[0], "OK")


def test_an_update_keeps_the_state(cloud: Any, topic: str) -> None:
    alarm(cloud, "kept")
    put(cloud, "kept", 5)
    eventually(lambda: state(cloud, "kept")[0], "ALARM")
    before = state(cloud, "kept")
    alarm(cloud, "kept", AlarmActions=[topic], Threshold=4)
    assert state(cloud, "kept") == before
    alarm(cloud, "kept", AlarmActions=[topic], Threshold=6)
    eventually(lambda: state(cloud, "kept")[0], "OK")
    assert mails(cloud, "kept") == [], "no action for being OK, and none was due before"


def test_what_cannot_be_evaluated_says_so(cloud: Any) -> None:
    alarm(cloud, "percentile", Statistic="Sum")
    cloud.client("cloudwatch").put_metric_alarm(
        AlarmName="band",
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
        Metrics=[
            {
                "Id": "m",
                "MetricStat": {"Metric": {"Namespace": "Test", "MetricName": "m"}, "Period": 60, "Stat": "Sum"},
                "ReturnData": False,
            },
            {"Id": "e", "Expression": "RATE(m)", "ReturnData": True},
        ],
    )
    complaint = "the local cloud does not do RATE of 1 arguments in metric math"
    eventually(lambda: state(cloud, "band"), ("INSUFFICIENT_DATA", complaint))


def machine(cloud: Any) -> str:
    """A state machine whose executions end as their input says: well, badly, or never."""
    states = cloud.client("stepfunctions")
    role = cloud.client("iam").create_role(
        RoleName="machine",
        AssumeRolePolicyDocument=json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Effect": "Allow",
                        "Principal": {"Service": "states.amazonaws.com"},
                        "Action": "sts:AssumeRole",
                    }
                ],
            }
        ),
    )["Role"]["Arn"]
    definition = {
        "StartAt": "Which",
        "States": {
            "Which": {
                "Type": "Choice",
                "Choices": [
                    {"Variable": "$.end", "StringEquals": "well", "Next": "Well"},
                    {"Variable": "$.end", "StringEquals": "never", "Next": "Wait"},
                ],
                "Default": "Badly",
            },
            "Well": {"Type": "Succeed"},
            "Badly": {"Type": "Fail"},
            "Wait": {"Type": "Wait", "Seconds": 600, "Next": "Well"},
        },
    }
    made = states.create_state_machine(name="watched", definition=json.dumps(definition), roleArn=role)
    return str(made["stateMachineArn"])


def test_executions_are_counted_and_watched(cloud: Any, topic: str) -> None:
    states, arn = cloud.client("stepfunctions"), machine(cloud)

    def metric(name: str) -> dict[str, Any]:
        one = {
            "Namespace": "AWS/States",
            "MetricName": name,
            "Dimensions": [{"Name": "StateMachineArn", "Value": arn}],
        }
        return {
            "Id": name.lower(),
            "MetricStat": {"Metric": one, "Period": 300, "Stat": "Sum"},
            "ReturnData": False,
        }

    watched = ("ExecutionsFailed", "ExecutionsTimedOut", "ExecutionsAborted")
    alarm_given = {
        "AlarmName": "executions",
        "EvaluationPeriods": 1,
        "Threshold": 1,
        "ComparisonOperator": "GreaterThanThreshold",
        "TreatMissingData": "notBreaching",
        "AlarmActions": [topic],
        "Metrics": [
            *(metric(name) for name in watched),
            {"Id": "all", "Expression": "SUM(FILL(METRICS(), 0))", "ReturnData": True},
        ],
    }
    cloud.client("cloudwatch").put_metric_alarm(**alarm_given)
    eventually(lambda: state(cloud, "executions")[0], "OK")
    for end in ("well", "badly", "never"):
        started = states.start_execution(stateMachineArn=arn, input=json.dumps({"end": end}))["executionArn"]
    states.stop_execution(executionArn=started)
    # One failed and one was stopped: together they are more than one.
    eventually(lambda: state(cloud, "executions")[0], "ALARM")
    eventually(lambda: len(mails(cloud, "executions")), 1)

    def total(name: str, statistic: str = "Sum") -> float:
        now = datetime.datetime.now(datetime.UTC)
        found = cloud.client("cloudwatch").get_metric_statistics(
            Namespace="AWS/States",
            MetricName=name,
            Dimensions=[{"Name": "StateMachineArn", "Value": arn}],
            StartTime=now - datetime.timedelta(minutes=10),
            EndTime=now + datetime.timedelta(minutes=1),
            Period=3600,
            Statistics=[statistic],
        )["Datapoints"]
        return sum(float(point[statistic]) for point in found)

    counts = {"ExecutionsStarted": 3, "ExecutionsSucceeded": 1, "ExecutionsFailed": 1, "ExecutionsAborted": 1}
    assert {name: total(name) for name in counts} == counts
    assert total("ExecutionTime", "SampleCount") == 3


def test_a_queue_that_is_not_empty(cloud: Any) -> None:
    sqs = cloud.client("sqs")
    queue = sqs.create_queue(QueueName="dead-letters")["QueueUrl"]
    alarm(
        cloud,
        "dead-letters",
        Namespace="AWS/SQS",
        MetricName="ApproximateNumberOfMessagesVisible",
        Dimensions=[{"Name": "QueueName", "Value": "dead-letters"}],
        Statistic="Maximum",
    )
    eventually(lambda: state(cloud, "dead-letters")[0], "OK")
    sqs.send_message(QueueUrl=queue, MessageBody="lost")
    eventually(lambda: state(cloud, "dead-letters")[0], "ALARM")
    sqs.purge_queue(QueueUrl=queue)
    eventually(lambda: state(cloud, "dead-letters")[0], "OK")


def test_what_a_killed_cloud_interrupts_counts_as_aborted(new_cloud: Callable[..., Any]) -> None:
    cloud = new_cloud()
    cloud.start()
    try:
        arn = machine(cloud)
        cloud.client("stepfunctions").start_execution(stateMachineArn=arn, input='{"end": "never"}')
        dimensions = [{"Name": "StateMachineArn", "Value": arn}]
        alarm(cloud, "aborted", Namespace="AWS/States", MetricName="ExecutionsAborted", Dimensions=dimensions)
        cloud.stop(signal.SIGKILL)
        cloud.start()
        eventually(lambda: state(cloud, "aborted")[0], "ALARM")
    finally:
        cloud.stop()
