"""EventBridge of a running cloud: rules, what they deliver to, and events."""

import json
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

ACCOUNT = "123456789012"

#: Retries that follow quickly.
QUICK = textwrap.dedent(
    """
    import local_cloud.attempts as attempts
    from local_cloud.server import serve
    from local_cloud.settings import Settings
    attempts.FIRST_DELAY_S = 0.01
    serve(Settings.create())
    """
)


@dataclass
class Bus:
    """The default one."""

    cloud: Any

    def allow(self, action: str, resource: str, rule: str) -> str:
        """A policy by which EventBridge may, for one rule."""
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": "events.amazonaws.com"},
            "Action": action,
            "Resource": resource,
            "Condition": {"ArnLike": {"aws:SourceArn": f"arn:aws:events:us-east-1:{ACCOUNT}:rule/{rule}"}},
        }
        return json.dumps({"Version": "2012-10-17", "Statement": [statement]})

    def queue(self, name: str, *, rule: str | None = None) -> tuple[str, str]:
        """URL and ARN of a queue that a rule may send to."""
        arn = f"arn:aws:sqs:us-east-1:{ACCOUNT}:{name}"
        attributes = {"Policy": self.allow("sqs:SendMessage", arn, rule)} if rule else {}
        return self.cloud.client("sqs").create_queue(QueueName=name, Attributes=attributes)["QueueUrl"], arn

    def rule(self, name: str, pattern: dict[str, Any] | None = None, *, state: str = "ENABLED", **target: Any) -> None:
        """A rule for a pattern, else for the source of its own name, with one target."""
        events = self.cloud.client("events")
        events.put_rule(Name=name, EventPattern=json.dumps(pattern or {"source": [name]}), State=state)
        events.put_targets(Rule=name, Targets=[{"Id": "one", **target}])

    def put(self, source: str, **detail: Any) -> None:
        entry = {"Source": source, "DetailType": "test", "Detail": json.dumps(detail)}
        assert self.cloud.client("events").put_events(Entries=[entry])["FailedEntryCount"] == 0

    def received(self, url: str, *, seconds: int = 10) -> list[dict[str, Any]]:
        """The messages of a queue, which go with that."""
        sqs = self.cloud.client("sqs")
        found: list[dict[str, Any]] = sqs.receive_message(
            QueueUrl=url, WaitTimeSeconds=seconds, MaxNumberOfMessages=10, MessageAttributeNames=["All"]
        ).get("Messages", [])
        for message in found:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return found


@pytest.fixture(scope="session")
def new_bus(new_cloud: Callable[..., Any]) -> Callable[[], Bus]:
    def make() -> Bus:
        cloud = new_cloud(command=("-c", QUICK))
        cloud.start()
        return Bus(cloud)

    return make


@pytest.fixture(scope="module")
def bus(new_bus: Callable[[], Bus]) -> Iterator[Bus]:
    found = new_bus()
    yield found
    found.cloud.stop()
