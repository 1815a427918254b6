"""Rules of EventBridge: what matches arrives where it may, once; the rest is refused by name or is in a queue."""

import json
import time
from typing import Any

import pytest
from botocore.exceptions import ClientError

ACCOUNT = "123456789012"


def test_what_matches_arrives_as_aws_has_it(bus) -> None:
    url, arn = bus.queue("matching", rule="matching")
    bus.rule("matching", {"source": ["matching"], "detail": {"state": [{"anything-but": "fine"}]}}, Arn=arn)
    bus.put("matching", state="fine")
    bus.put("matching", state="broken")
    (message,) = bus.received(url)
    event = json.loads(message["Body"])
    assert time.strptime(event.pop("time"), "%Y-%m-%dT%H:%M:%SZ")
    assert event.pop("id")
    assert event == {
        "version": "0",
        "detail-type": "test",
        "source": "matching",
        "account": ACCOUNT,
        "region": "us-east-1",
        "resources": [],
        "detail": {"state": "broken"},
    }


def test_a_topic_gets_lines_of_text(bus) -> None:
    topic = bus.cloud.client("sns").create_topic(Name="lines")["TopicArn"]
    bus.cloud.client("sns").set_topic_attributes(
        TopicArn=topic, AttributeName="Policy", AttributeValue=bus.allow("sns:Publish", topic, "lines")
    )
    bus.cloud.client("sns").subscribe(TopicArn=topic, Protocol="email", Endpoint="me@example.com")
    template = {"InputPathsMap": {"state": "$.detail.state"}, "InputTemplate": '"It is <state>."\n"Look at it."'}
    bus.rule("lines", Arn=topic, InputTransformer=template)
    bus.put("lines", state="broken")
    for _ in range(100):
        mails = list((bus.cloud.state_dir / "mail").glob("*.eml"))
        if mails:
            break
        time.sleep(0.1)
    (mail,) = mails
    assert mail.read_text().replace("\r\n", "\n").endswith('\n\n"It is broken."\n"Look at it."\n')


def test_a_state_machine_is_started_as_the_targets_role(bus) -> None:
    states = bus.cloud.client("stepfunctions")
    machine = states.create_state_machine(
        name="started-by-rule",
        definition=json.dumps({"StartAt": "End", "States": {"End": {"Type": "Succeed"}}}),
        roleArn=bus.cloud.role("machine"),
    )["stateMachineArn"]
    bus.rule("starting", Arn=machine, RoleArn=bus.cloud.role("starter"), InputPath="$.detail")
    bus.put("starting", month="09")
    for _ in range(100):
        found = states.list_executions(stateMachineArn=machine)["executions"]
        if found:
            break
        time.sleep(0.1)
    (execution,) = found
    assert json.loads(states.describe_execution(executionArn=execution["executionArn"])["input"]) == {"month": "09"}


@pytest.mark.parametrize("policy", [None, "other-rule"])
def test_without_leave_of_the_target_an_event_is_in_the_dead_letter_queue_at_once(bus, policy: str | None) -> None:
    name = f"forbidden-{policy}"
    _, arn = bus.queue(name, rule=policy)
    dead, dead_arn = bus.queue(f"dead-{name}", rule=name)
    bus.rule(name, Arn=arn, DeadLetterConfig={"Arn": dead_arn})
    bus.put(name, a=1)
    (message,) = bus.received(dead)
    assert json.loads(message["Body"])["detail"] == {"a": 1}
    attributes = {key: value["StringValue"] for key, value in message["MessageAttributes"].items()}
    assert attributes.pop("ERROR_MESSAGE").startswith(
        f"events.amazonaws.com is not authorized to perform: sqs:SendMessage on resource: {arn} because no "
    )
    assert attributes == {
        "ERROR_CODE": "NO_PERMISSIONS",
        "RETRY_ATTEMPTS": "0",
        "RULE_ARN": f"arn:aws:events:us-east-1:{ACCOUNT}:rule/{name}",
        "TARGET_ARN": arn,
    }


def test_a_function_needs_a_permission_for_the_rule(bus) -> None:
    """One that is not there: AWS adds permissions to functions that are."""
    arn = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:nobody"
    dead, dead_arn = bus.queue("dead-function", rule="no-function")
    bus.rule("no-function", Arn=arn, DeadLetterConfig={"Arn": dead_arn})
    bus.put("no-function")
    (message,) = bus.received(dead)
    assert message["MessageAttributes"]["ERROR_CODE"]["StringValue"] == "NO_PERMISSIONS"


def test_a_disabled_rule_and_one_with_a_schedule_alone_send_nothing(bus) -> None:
    url, arn = bus.queue("silent", rule="*")
    bus.rule("silent-off", {"source": ["silent"]}, state="DISABLED", Arn=arn)
    bus.cloud.client("events").put_rule(Name="silent-hourly", ScheduleExpression="rate(1 hour)")
    bus.cloud.client("events").put_targets(Rule="silent-hourly", Targets=[{"Id": "one", "Arn": arn}])
    heard, heard_arn = bus.queue("heard", rule="silent-on")
    bus.rule("silent-on", {"source": ["silent"]}, Arn=heard_arn)
    bus.put("silent")
    assert len(bus.received(heard)) == 1
    assert bus.received(url, seconds=1) == []


@pytest.mark.parametrize(
    ("target", "complaint"),
    [
        (
            {"Arn": f"arn:aws:kinesis:us-east-1:{ACCOUNT}:stream/x"},
            "names a service that the local cloud does not deliver to",
        ),
        ({"Arn": f"arn:aws:states:us-east-1:{ACCOUNT}:stateMachine:x"}, "RoleArn is required for target"),
        ({"Input": "{}", "InputPath": "$"}, "Only one of Input, InputPath, or InputTransformer"),
        ({"InputPath": "$.detail.*"}, "Invalid InputPath for target one: $.detail.*"),
        (
            {"InputTransformer": {"InputPathsMap": {"a": "b"}, "InputTemplate": '"<a>"'}},
            "Invalid InputPath for target one: b",
        ),
    ],
)
def test_a_target_that_nothing_can_be_delivered_to_is_refused_by_name(
    bus, target: dict[str, Any], complaint: str
) -> None:
    events = bus.cloud.client("events")
    events.put_rule(Name="refused", EventPattern='{"source": ["refused"]}')
    one = {"Id": "one", "Arn": f"arn:aws:sqs:us-east-1:{ACCOUNT}:q", **target}
    with pytest.raises(ClientError) as caught:
        events.put_targets(Rule="refused", Targets=[one])
    assert caught.value.response["Error"]["Code"] == "ValidationException"
    assert complaint in caught.value.response["Error"]["Message"]
    assert events.list_targets_by_rule(Rule="refused")["Targets"] == []
