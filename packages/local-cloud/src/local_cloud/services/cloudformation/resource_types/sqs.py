"""AWS::SQS::Queue, AWS::SQS::QueuePolicy."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from local_cloud.services.cloudformation.errors import ResourceError
from local_cloud.services.cloudformation.resource_types.base import (
    ResourceType,
    Target,
    document,
    generated,
    is_absent,
    tag_map,
    without,
)
from local_cloud.services.cloudformation.templates.values import scalar_text

#: What an attribute is when the template no longer gives it.
DEFAULTS = {
    "ContentBasedDeduplication": "false",
    "DelaySeconds": "0",
    "KmsDataKeyReusePeriodSeconds": "300",
    "MaximumMessageSize": "1048576",
    "MessageRetentionPeriod": "345600",
    "ReceiveMessageWaitTimeSeconds": "0",
    "VisibilityTimeout": "30",
}


class Queue(ResourceType):
    type = "AWS::SQS::Queue"
    service = "sqs"
    name_property = "QueueName"
    name_limit = 80

    def generate_name(self, *, stack_name: str, logical_id: str) -> str:
        return generated(f"{stack_name}-{logical_id}", limit=self.name_limit - len(".fifo"))

    def expected_id(self, target: Target) -> str:
        return f"{target.client('sqs').meta.endpoint_url}/{target.account}/{_queue_name(target)}"

    def create(self, target: Target) -> str:
        # CreateQueue is a success for a queue that is there already with the same attributes.
        name = _queue_name(target)
        try:
            self.call(target, "get_queue_url", QueueName=name)
        except ClientError as error:
            if not is_absent(error):
                raise
        else:
            raise ResourceError(f"{name} already exists")
        attributes, tags = _attributes(target.properties), tag_map(target.properties.get("Tags"))
        answer = self.call(target, "create_queue", QueueName=name, Attributes=attributes, tags=tags)
        return str(answer["QueueUrl"])

    def update(self, target: Target, before: dict[str, Any]) -> None:
        old, new = _attributes(before), _attributes(target.properties)
        changed = {name: value for name, value in new.items() if old.get(name) != value}
        changed |= {name: DEFAULTS.get(name, "") for name in old.keys() - new.keys()}
        if changed:
            self.call(target, "set_queue_attributes", QueueUrl=target.physical_id, Attributes=changed)
        which = {"QueueUrl": target.physical_id}
        self.retag(target, before, which=which, tag="tag_queue", untag="untag_queue", form=tag_map)

    def attributes(self, target: Target) -> dict[str, Any]:
        name = target.physical_id.rsplit("/", 1)[-1]
        return {"Arn": target.arn("sqs", name), "QueueName": name, "QueueUrl": target.physical_id}

    def delete(self, target: Target) -> None:
        self.call(target, "delete_queue", QueueUrl=target.physical_id)


class QueuePolicy(ResourceType):
    type = "AWS::SQS::QueuePolicy"
    service = "sqs"

    def create(self, target: Target) -> str:
        return generated(f"{target.stack_name}-{target.logical_id}", limit=self.name_limit)

    def configure(self, target: Target, before: dict[str, Any]) -> None:
        queues = target.properties["Queues"]
        for queue in queues:
            self._set(target, queue, document(target.properties["PolicyDocument"]))
        for queue in before.get("Queues", []):
            if queue not in queues:
                self._take_away(target, queue)

    def attributes(self, target: Target) -> dict[str, Any]:
        return {"Id": target.physical_id}

    def delete(self, target: Target) -> None:
        for queue in target.properties["Queues"]:
            self._take_away(target, queue)

    def _set(self, target: Target, queue: str, policy: str) -> None:
        self.call(target, "set_queue_attributes", QueueUrl=queue, Attributes={"Policy": policy})

    def _take_away(self, target: Target, queue: str) -> None:
        try:
            self._set(target, queue, "")
        except ClientError as error:
            if not is_absent(error):
                raise


def _queue_name(target: Target) -> str:
    fifo = target.properties.get("FifoQueue") and not target.name.endswith(".fifo")
    return f"{target.name}.fifo" if fifo else target.name


def _attributes(properties: dict[str, Any]) -> dict[str, str]:
    given = without(properties, "QueueName", "Tags")
    if given.get("FifoQueue") is False:  # the API takes it only as true
        del given["FifoQueue"]
    return {
        name: document(value) if isinstance(value, (dict, list)) else scalar_text(value)
        for name, value in given.items()
    }


TYPES = (Queue, QueuePolicy)
