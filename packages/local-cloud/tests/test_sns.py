"""SNS: mail as files, queues, and what a publisher is told."""

from __future__ import annotations

import email
import email.policy
import json
import re
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError


@pytest.fixture
def topic(cloud: Any, request: pytest.FixtureRequest) -> Iterator[str]:
    yield cloud.client("sns").create_topic(Name=re.sub(r"\W", "-", request.node.name[:60]))["TopicArn"]


@pytest.fixture
def sns(cloud: Any) -> Any:
    return cloud.client("sns")


def mails(cloud: Any, to: str) -> list[EmailMessage]:
    """The mails to one address, in the order of their file names."""
    found = []
    for file in sorted((cloud.state_dir / "mail").glob("*.eml")):
        message = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
        assert isinstance(message, EmailMessage)
        if message["To"] == to:
            found.append(message)
    return found


def test_an_email_subscription_gets_a_file(cloud: Any, sns: Any, topic: str) -> None:
    subscribed = sns.subscribe(TopicArn=topic, Protocol="email", Endpoint="ops@example.com")
    assert subscribed["SubscriptionArn"].startswith(topic)
    attributes = sns.get_subscription_attributes(SubscriptionArn=subscribed["SubscriptionArn"])["Attributes"]
    assert attributes["PendingConfirmation"] == "false"
    assert sns.get_topic_attributes(TopicArn=topic)["Attributes"]["SubscriptionsConfirmed"] == "1"
    bodies = ["State LoadRedshift failed.\nTry: elt run", "Größe: 5 µm", "x" * 2000, ""]
    ids = [
        sns.publish(TopicArn=topic, Subject=f"No. {n}: über", Message=body or " ")["MessageId"]
        for n, body in enumerate(bodies)
    ]
    found = mails(cloud, "ops@example.com")
    assert [m["Subject"] for m in found] == [f"No. {n}: über" for n in range(4)]
    contents = [m.get_content().replace("\r\n", "\n").removesuffix("\n") for m in found]
    assert contents == [body or " " for body in bodies]
    assert [m["Message-ID"] for m in found] == [f"<{message_id}@sns.amazonaws.com>" for message_id in ids]
    for message in found:
        assert message["From"] == "AWS Notifications <no-reply@sns.amazonaws.com>"
        assert message["Date"].datetime.tzinfo is not None
        assert message.defects == []
    plain = sorted((cloud.state_dir / "mail").glob("*.eml"))
    assert any(b"State LoadRedshift failed.\r\nTry: elt run" in file.read_bytes() for file in plain)


@pytest.mark.parametrize(
    ("message", "why"),
    [("", "Empty message"), ("x" * (256 * 1024 + 1), "Message too long"), ("ü" * 131_073, "too long")],
)
def test_messages_that_are_refused(sns: Any, topic: str, message: str, why: str) -> None:
    with pytest.raises(ClientError, match=f"InvalidParameter.*Invalid parameter: .*{why}"):
        sns.publish(TopicArn=topic, Message=message)
    answer = sns.publish_batch(TopicArn=topic, PublishBatchRequestEntries=[{"Id": "a", "Message": message}])
    assert [each["Code"] for each in answer["Failed"]] == ["InvalidParameter"]


def test_without_a_subject(cloud: Any, sns: Any, topic: str) -> None:
    sns.subscribe(TopicArn=topic, Protocol="email", Endpoint="nosubject@example.com")
    sns.publish(TopicArn=topic, Message="text")
    assert [m["Subject"] for m in mails(cloud, "nosubject@example.com")] == ["AWS Notification Message"]


def test_an_email_json_subscription_gets_the_document(cloud: Any, sns: Any, topic: str) -> None:
    sns.subscribe(TopicArn=topic, Protocol="email-json", Endpoint="json@example.com")
    message_id = sns.publish(TopicArn=topic, Subject="s", Message="text")["MessageId"]
    document = json.loads(mails(cloud, "json@example.com")[0].get_content())
    assert document.pop("Timestamp").endswith("Z")
    assert document == {
        "Type": "Notification",
        "MessageId": message_id,
        "TopicArn": topic,
        "Subject": "s",
        "Message": "text",
    }


def test_filters_and_messages_by_protocol(cloud: Any, sns: Any, topic: str) -> None:
    sns.subscribe(
        TopicArn=topic,
        Protocol="email",
        Endpoint="filtered@example.com",
        Attributes={"FilterPolicy": json.dumps({"level": ["error"]})},
    )
    for level in ("info", "error"):
        sns.publish(
            TopicArn=topic,
            MessageStructure="json",
            Message=json.dumps({"default": "long", "email": f"mail {level}"}),
            MessageAttributes={"level": {"DataType": "String", "StringValue": level}},
        )
    assert [m.get_content().strip() for m in mails(cloud, "filtered@example.com")] == ["mail error"]


def test_a_queue_gets_the_notification(cloud: Any, sns: Any, topic: str) -> None:
    sqs = cloud.client("sqs")
    queue = sqs.create_queue(QueueName="alerts")["QueueUrl"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint="arn:aws:sqs:us-east-1:123456789012:alerts")
    sns.publish(TopicArn=topic, Subject="s", Message="text")
    body = json.loads(sqs.receive_message(QueueUrl=queue)["Messages"][0]["Body"])
    assert (body["Type"], body["Subject"], body["Message"]) == ("Notification", "s", "text")


def test_a_delivery_that_fails_does_not_fail_the_publisher(cloud: Any, sns: Any, topic: str) -> None:
    for protocol, endpoint in (
        ("sqs", "arn:aws:sqs:us-east-1:123456789012:absent"),
        ("lambda", "arn:aws:lambda:us-east-1:123456789012:function:absent"),
        ("email", "still@example.com"),
    ):
        sns.subscribe(TopicArn=topic, Protocol=protocol, Endpoint=endpoint)
    assert sns.publish(TopicArn=topic, Message="text")["MessageId"]
    assert len(mails(cloud, "still@example.com")) == 1


@pytest.mark.parametrize("subject", ["two\nlines", "x" * 101, "tab\there"])
def test_subjects_that_sns_refuses(sns: Any, topic: str, subject: str) -> None:
    with pytest.raises(ClientError) as caught:
        sns.publish(TopicArn=topic, Subject=subject, Message="text")
    assert caught.value.response["Error"]["Code"] == "InvalidParameter"


def test_the_aws_command_publishes(cloud: Any, sns: Any, topic: str) -> None:
    sns.subscribe(TopicArn=topic, Protocol="email", Endpoint="cli@example.com")
    done = cloud.aws("sns", "publish", "--topic-arn", topic, "--subject", "by hand", "--message", "hello")
    assert (done.returncode, done.stderr) == (0, "")
    assert [m["Subject"] for m in mails(cloud, "cli@example.com")] == ["by hand"]


def test_file_names_sort_by_time(cloud: Any, sns: Any, topic: str) -> None:
    sns.subscribe(TopicArn=topic, Protocol="email", Endpoint="order@example.com")
    for number in range(5):
        sns.publish(TopicArn=topic, Message=str(number))
    assert [m.get_content().strip() for m in mails(cloud, "order@example.com")] == list("01234")
    for file in Path(cloud.state_dir / "mail").iterdir():
        assert file.suffix == ".eml"


def test_a_topic_that_is_not_there_is_named_as_one(sns: Any) -> None:
    with pytest.raises(ClientError) as refused:
        sns.publish(TopicArn="arn:aws:sns:us-east-1:123456789012:nobody", Message="x")
    error = refused.value.response["Error"]
    assert (error["Code"], error["Message"]) == ("NotFound", "Topic does not exist")
