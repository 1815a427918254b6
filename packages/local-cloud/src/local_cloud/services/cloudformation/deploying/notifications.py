"""Tells the topics of a stack what happens to it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from local_cloud.services.cloudformation.stacks import Event, Stack

log = logging.getLogger(__name__)


def notify(stack: Stack, event: Event, client: Callable[[str], Any]) -> None:
    """Publish an event to NotificationARNs. A topic that cannot be reached does not fail the operation."""
    for arn in stack.definition.notification_arns:
        try:
            client("sns").publish(
                TopicArn=arn, Subject="AWS CloudFormation Notification", Message=_message(stack, event)
            )
        except (ClientError, BotoCoreError) as error:
            log.warning("stack %s: %s did not receive %s: %s", stack.name, arn, event.id, error)


def _message(stack: Stack, event: Event) -> str:
    """The text of a notification: a line a field, as CloudFormation sends it."""
    fields = {
        "StackId": stack.id,
        "Timestamp": event.time.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "EventId": event.id,
        "LogicalResourceId": event.logical_id,
        "PhysicalResourceId": event.physical_id,
        "ResourceProperties": event.properties,
        "ResourceStatus": event.status,
        "ResourceStatusReason": event.reason,
        "ResourceType": event.type,
        "StackName": stack.name,
        "ClientRequestToken": event.token,
    }
    return "".join(f"{name}='{value}'\n" for name, value in fields.items())
