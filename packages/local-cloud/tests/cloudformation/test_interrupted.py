"""Operations that the end of the cloud cuts short have failed when it is up again, and can be taken up."""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from .conftest import Stacks

#: Resources in a chain: enough to be caught in the middle of them.
COUNT = 30

TEMPLATE = """
Parameters: {Display: {Type: String, Default: one}, Name: {Type: String}}
Resources:
  Topic: {Type: AWS::SNS::Topic, Properties: {TopicName: !Ref Name, DisplayName: !Ref Display}}
  Bucket: {Type: AWS::S3::Bucket, Properties: {BucketName: !Ref Name, Tags: [{Key: d, Value: !Ref Display}]}}
  Role:
    Type: AWS::IAM::Role
    Properties:
      RoleName: !Ref Name
      Description: !Ref Display
      AssumeRolePolicyDocument: {Version: "2012-10-17", Statement: []}
"""


@pytest.fixture
def own(new_cloud: Callable[..., Any]) -> Iterator[Stacks]:
    """A cloud that a test may kill."""
    running = new_cloud()
    running.start()
    yield Stacks(running)
    running.stop()


def many(count: int) -> str:
    """A template whose deployment takes a while: a chain of resources, each after the one before."""
    lines = [
        f"  P{index}: {{Type: AWS::SNS::Topic, {f'DependsOn: P{index - 1}, ' if index else ''}"
        f"Properties: {{TopicName: p{index}, DisplayName: !Ref Display}}}}"
        for index in range(count)
    ]
    return TEMPLATE + "\n".join(lines)


def topics(stacks: Stacks) -> dict[str, str]:
    """Name → display name of the chain's topics that there are."""
    sns = stacks.cloud.client("sns")
    arns = [each["TopicArn"] for page in sns.get_paginator("list_topics").paginate() for each in page["Topics"]]
    return {
        arn.rsplit(":", 1)[-1]: sns.get_topic_attributes(TopicArn=arn)["Attributes"]["DisplayName"]
        for arn in arns
        if ":p" in arn
    }


def restart(stacks: Stacks, signum: int) -> Stacks:
    stacks.cloud.stop(signum)
    stacks.cloud.start()
    return Stacks(stacks.cloud)


def caught(stacks: Stacks, act: Callable[[], Any], *, at: tuple[str, str], signum: int, stack: str = "cut") -> Stacks:
    """Stop the cloud in the middle of the operation that `act` starts: at (logical id, status)."""

    def start() -> None:
        with contextlib.suppress(BotoCoreError, ClientError):  # the cloud goes away under the call
            act()

    thread = threading.Thread(target=start)
    thread.start()
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with contextlib.suppress(ClientError):  # the stack is not there yet
            if at in [(logical_id, status) for logical_id, status, _ in stacks.events(stack)]:
                break
        time.sleep(0.02)
    again = restart(stacks, signum)
    thread.join()
    return again


def test_a_killed_creation_is_a_failed_stack_that_an_update_finishes(own: Stacks) -> None:
    parameters = {"Name": "cut-short"}
    after = caught(
        own,
        lambda: own.create("cut", many(COUNT), parameters=parameters),
        at=("P5", "CREATE_COMPLETE"),
        signum=signal.SIGKILL,
    )
    assert after.status("cut") == "CREATE_FAILED"
    reason = "The local cloud stopped before this was finished"
    assert after.stack("cut")["StackStatusReason"] == f"{reason}: deploy again or delete the stack."
    assert set(after.failures("cut").values()) <= {reason, f"{reason}: deploy again or delete the stack."}
    after.update("cut", many(COUNT), parameters=parameters)
    assert after.status("cut") == "UPDATE_COMPLETE"
    assert len(topics(after)) == COUNT
    after.delete("cut")
    assert topics(after) == {}
    assert after.cloud.client("s3").list_buckets()["Buckets"] == []


def test_a_stop_in_good_order_lets_go_or_finishes(own: Stacks) -> None:
    parameters = {"Name": "cut-short"}
    after = caught(
        own,
        lambda: own.create("cut", many(COUNT), parameters=parameters),
        at=("P5", "CREATE_COMPLETE"),
        signum=signal.SIGTERM,
    )
    if after.status("cut") == "CREATE_FAILED":
        after.update("cut", many(COUNT), parameters=parameters)
    assert after.status("cut") in ("CREATE_COMPLETE", "UPDATE_COMPLETE")
    assert len(topics(after)) == COUNT


def test_a_creation_that_is_not_taken_up_again_leaves_nothing(own: Stacks) -> None:
    parameters = {"Name": "cut-away"}
    after = caught(
        own,
        lambda: own.create("cut", many(COUNT), parameters=parameters),
        at=("P5", "CREATE_COMPLETE"),
        signum=signal.SIGKILL,
    )
    after.delete("cut")
    with pytest.raises(ClientError, match="does not exist"):
        after.stack("cut")
    assert topics(after) == {}
    assert after.cloud.client("sns").list_topics()["Topics"] == []


@pytest.mark.parametrize("way", ["back", "on"])
def test_a_killed_update_can_be_rolled_back_or_gone_on_with(own: Stacks, way: str) -> None:
    own.create("cut", many(COUNT), parameters={"Name": "cut-update"})
    two = {"Name": "cut-update", "Display": "two"}
    after = caught(
        own, lambda: own.update("cut", many(COUNT), parameters=two), at=("P5", "UPDATE_COMPLETE"), signum=signal.SIGKILL
    )
    assert after.status("cut") == "UPDATE_FAILED"
    if way == "back":
        after.api.rollback_stack(StackName="cut")
        assert after.status("cut") == "UPDATE_ROLLBACK_COMPLETE"
    else:
        after.update("cut", many(COUNT), parameters=two)
        assert after.status("cut") == "UPDATE_COMPLETE"
    values = set(topics(after).values())
    topic = after.resources("cut")["Topic"]
    display = after.cloud.client("sns").get_topic_attributes(TopicArn=topic)["Attributes"]["DisplayName"]
    role = after.cloud.client("iam").get_role(RoleName="cut-update")["Role"]["Description"]
    tags = after.cloud.client("s3").get_bucket_tagging(Bucket="cut-update")["TagSet"]
    expected = "one" if way == "back" else "two"
    assert (values, display, role, tags[0]["Value"]) == ({expected}, expected, expected, expected)


def test_a_killed_deletion_can_be_repeated(own: Stacks) -> None:
    stack_id = own.create("cut", many(COUNT), parameters={"Name": "cut-delete"})
    at = (f"P{COUNT - 3}", "DELETE_COMPLETE")
    after = caught(own, lambda: own.delete("cut"), at=at, signum=signal.SIGKILL, stack=stack_id)
    assert after.status("cut") == "DELETE_FAILED"
    after.delete("cut")
    with pytest.raises(ClientError, match="does not exist"):
        after.stack("cut")


def test_everything_is_as_it_was_after_a_restart(own: Stacks) -> None:
    template = TEMPLATE + "Outputs: {O: {Value: !Ref Topic, Export: {Name: topic}}}"
    own.create("whole", template, parameters={"Name": "whole"}, tags={"a": "b"})
    own.api.create_change_set(
        StackName="whole",
        ChangeSetName="next",
        UsePreviousTemplate=True,
        Capabilities=["CAPABILITY_NAMED_IAM"],
        Parameters=[
            {"ParameterKey": "Name", "UsePreviousValue": True},
            {"ParameterKey": "Display", "ParameterValue": "x"},
        ],
    )
    before = (own.stack("whole"), own.events("whole"), own.resources("whole"), own.api.list_exports()["Exports"])
    after = restart(own, signal.SIGKILL)
    assert (
        after.stack("whole"),
        after.events("whole"),
        after.resources("whole"),
        after.api.list_exports()["Exports"],
    ) == before
    after.api.execute_change_set(StackName="whole", ChangeSetName="next")
    assert after.status("whole") == "UPDATE_COMPLETE"
