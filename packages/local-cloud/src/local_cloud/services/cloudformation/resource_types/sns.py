"""AWS::SNS::Topic, AWS::SNS::Subscription, AWS::SNS::TopicPolicy."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

from botocore.exceptions import ClientError

from local_cloud.services.cloudformation.errors import ResourceError
from local_cloud.services.cloudformation.resource_types.base import (
    ResourceType,
    Target,
    document,
    generated,
    is_absent,
    tag_list,
)
from local_cloud.services.cloudformation.templates.values import scalar_text

DEFAULT_ACTIONS = (
    *("AddPermission", "DeleteTopic", "GetTopicAttributes", "ListSubscriptionsByTopic", "Publish", "RemovePermission"),
    *("SetTopicAttributes", "Subscribe"),
)
TOPIC_ATTRIBUTES = (
    *("ContentBasedDeduplication", "DisplayName", "FifoThroughputScope", "FifoTopic", "KmsMasterKeyId"),
    *("MaximumMessageSize", "SignatureVersion", "TracingConfig"),
)
SUBSCRIPTION_ATTRIBUTES = (
    *("DeliveryPolicy", "FilterPolicy", "FilterPolicyScope", "RawMessageDelivery", "RedrivePolicy"),
    "SubscriptionRoleArn",
)


class Topic(ResourceType):
    type = "AWS::SNS::Topic"
    service = "sns"
    name_property = "TopicName"
    name_limit = 256

    def generate_name(self, *, stack_name: str, logical_id: str) -> str:
        return generated(f"{stack_name}-{logical_id}", limit=self.name_limit - len(".fifo"))

    def expected_id(self, target: Target) -> str:
        return target.arn("sns", _topic_name(target))

    def create(self, target: Target) -> str:
        # CreateTopic is a success for a topic that is there already.
        try:
            self.call(target, "get_topic_attributes", TopicArn=self.expected_id(target))
        except ClientError as error:
            if not is_absent(error):
                raise
        else:
            raise ResourceError(f"{_topic_name(target)} already exists")
        attributes = _attributes(target.properties, TOPIC_ATTRIBUTES) | _logging(target.properties)
        tags = tag_list(target.properties.get("Tags"))
        answer = self.call(target, "create_topic", Name=_topic_name(target), Attributes=attributes, Tags=tags)
        return str(answer["TopicArn"])

    def configure(self, target: Target, before: dict[str, Any]) -> None:
        arn = target.physical_id
        new, old = _subscriptions(target.properties), _subscriptions(before)
        for protocol, endpoint in sorted(new - old):
            self.call(target, "subscribe", TopicArn=arn, Protocol=protocol, Endpoint=endpoint)
        if old - new:
            pages = target.client("sns").get_paginator("list_subscriptions_by_topic").paginate(TopicArn=arn)
            for each in (item for page in pages for item in page["Subscriptions"]):
                if (each["Protocol"], each["Endpoint"]) in old - new and each["SubscriptionArn"].startswith("arn:"):
                    self.call(target, "unsubscribe", SubscriptionArn=each["SubscriptionArn"])

    def update(self, target: Target, before: dict[str, Any]) -> None:
        new = _attributes(target.properties, TOPIC_ATTRIBUTES) | _logging(target.properties)
        old = _attributes(before, TOPIC_ATTRIBUTES) | _logging(before)
        for name, value in _changes(old, new).items():
            which = {"TopicArn": target.physical_id}
            self.call(target, "set_topic_attributes", AttributeName=name, AttributeValue=value, **which)
        self.configure(target, before)
        self.retag(target, before, which={"ResourceArn": target.physical_id})

    def attributes(self, target: Target) -> dict[str, Any]:
        return {"TopicArn": target.physical_id, "TopicName": target.physical_id.rsplit(":", 1)[-1]}

    def delete(self, target: Target) -> None:
        # DeleteTopic leaves the subscriptions to be found by nobody; CloudFormation takes away its own.
        self.configure(dataclasses.replace(target, properties={}), target.properties)
        self.call(target, "delete_topic", TopicArn=target.physical_id)


class Subscription(ResourceType):
    type = "AWS::SNS::Subscription"
    service = "sns"

    def create(self, target: Target) -> str:
        names = ("Endpoint", "Protocol", "TopicArn")
        given: dict[str, Any] = {name: target.properties[name] for name in names if name in target.properties}
        attributes = _attributes(target.properties, SUBSCRIPTION_ATTRIBUTES)
        answer = self.call(target, "subscribe", given, Attributes=attributes, ReturnSubscriptionArn=True)
        return str(answer["SubscriptionArn"])

    def update(self, target: Target, before: dict[str, Any]) -> None:
        old, new = (_attributes(each, SUBSCRIPTION_ATTRIBUTES) for each in (before, target.properties))
        for name, value in _changes(old, new).items():
            which = {"SubscriptionArn": target.physical_id}
            self.call(target, "set_subscription_attributes", AttributeName=name, AttributeValue=value, **which)

    def attributes(self, target: Target) -> dict[str, Any]:
        return {"Arn": target.physical_id}

    def delete(self, target: Target) -> None:
        self.call(target, "unsubscribe", SubscriptionArn=target.physical_id)


class TopicPolicy(ResourceType):
    """One policy for some topics. Without it they have the default again: the account may do all."""

    type = "AWS::SNS::TopicPolicy"
    service = "sns"

    def create(self, target: Target) -> str:
        return generated(f"{target.stack_name}-{target.logical_id}", limit=self.name_limit)

    def configure(self, target: Target, before: dict[str, Any]) -> None:
        for topic in target.properties["Topics"]:
            self._set(target, topic, document(target.properties["PolicyDocument"]))
        for topic in before.get("Topics", []):
            if topic not in target.properties["Topics"]:
                self._reset(target, topic)

    def attributes(self, target: Target) -> dict[str, Any]:
        return {"Id": target.physical_id}

    def delete(self, target: Target) -> None:
        for topic in target.properties["Topics"]:
            self._reset(target, topic)

    def _set(self, target: Target, topic: str, policy: str) -> None:
        self.call(target, "set_topic_attributes", TopicArn=topic, AttributeName="Policy", AttributeValue=policy)

    def _reset(self, target: Target, topic: str) -> None:
        statement = {
            "Sid": "__default_statement_ID",
            "Effect": "Allow",
            "Principal": {"AWS": "*"},
            "Action": [f"SNS:{action}" for action in DEFAULT_ACTIONS],
            "Resource": topic,
            "Condition": {"StringEquals": {"AWS:SourceOwner": target.account}},
        }
        policy = {"Version": "2008-10-17", "Id": "__default_policy_ID", "Statement": [statement]}
        try:
            self._set(target, topic, json.dumps(policy))
        except ClientError as error:
            if not is_absent(error):
                raise


def _topic_name(target: Target) -> str:
    fifo = target.properties.get("FifoTopic") and not target.name.endswith(".fifo")
    return f"{target.name}.fifo" if fifo else target.name


def _attributes(properties: dict[str, Any], names: tuple[str, ...]) -> dict[str, str]:
    result = {}
    for name in names:
        if name in properties:
            value = properties[name]
            result[name] = document(value) if isinstance(value, (dict, list)) else scalar_text(value)
    return result


def _changes(old: dict[str, str], new: dict[str, str]) -> dict[str, str]:
    """Attributes to set; an empty value takes one away."""
    changed = {name: value for name, value in new.items() if old.get(name) != value}
    return changed | dict.fromkeys(old.keys() - new.keys(), "")


def _logging(properties: dict[str, Any]) -> dict[str, str]:
    prefixes = {
        "http/s": "HTTP",
        "sqs": "SQS",
        "lambda": "Lambda",
        "firehose": "Firehose",
        "application": "Application",
    }
    return {
        f"{prefixes[entry['Protocol']]}{name}": value
        for entry in properties.get("DeliveryStatusLogging", [])
        for name, value in entry.items()
        if name != "Protocol"
    }


def _subscriptions(properties: dict[str, Any]) -> set[tuple[str, str]]:
    return {(each["Protocol"], each["Endpoint"]) for each in properties.get("Subscription", [])}


TYPES = (Topic, Subscription, TopicPolicy)
