"""Hands a payload to what an ARN names: a queue, a topic, a function, a state machine, an event bus."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from local_cloud.cloud import Actor, Cloud


class UnsupportedTarget(Exception):
    """The ARN names something that the local cloud does not deliver to."""


def deliver(
    cloud: Cloud,
    arn: str,
    payload: str,
    *,
    actor: Actor | None = None,
    attributes: Mapping[str, str] | None = None,
    options: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Send `payload` to the target, as the actor or as the cloud itself.

    `attributes` become message attributes of a queue or topic; `options` are further parameters of the call. A
    function is invoked asynchronously, a state machine started; neither is waited for. What the target answered
    comes back. UnsupportedTarget for other services; botocore's errors when the target refuses.
    """
    service = service_of(arn)
    if service not in SERVICES:
        raise UnsupportedTarget(f"{arn}: the local cloud delivers to {', '.join(sorted(SERVICES))}")
    client_name, call = SERVICES[service]
    client = cloud.client(client_name, actor=actor)
    answer = call(client, arn, payload, dict(attributes or {}), dict(options or {}))
    return {name: value for name, value in answer.items() if name not in ("ResponseMetadata", "Payload")}


def service_of(arn: str) -> str:
    """ "sqs" of "arn:aws:sqs:…"; "" for what is no ARN."""
    parts = arn.split(":", 5)
    return parts[2] if len(parts) == 6 and parts[0] == "arn" else ""


_Call = Callable[[Any, str, str, dict[str, str], dict[str, Any]], Any]


def _send(client: Any, arn: str, payload: str, attributes: dict[str, str], options: dict[str, Any]) -> Any:
    # Made, not asked for: who may send to a queue may not have leave to look it up.
    url = "/".join([client.meta.endpoint_url, *arn.split(":")[4:6]])
    return client.send_message(QueueUrl=url, MessageBody=payload, MessageAttributes=_strings(attributes), **options)


def _publish(client: Any, arn: str, payload: str, attributes: dict[str, str], options: dict[str, Any]) -> Any:
    return client.publish(TopicArn=arn, Message=payload, MessageAttributes=_strings(attributes), **options)


def _invoke(client: Any, arn: str, payload: str, attributes: dict[str, str], options: dict[str, Any]) -> Any:
    return client.invoke(FunctionName=arn, InvocationType="Event", Payload=payload.encode(), **options)


def _start(client: Any, arn: str, payload: str, attributes: dict[str, str], options: dict[str, Any]) -> Any:
    return client.start_execution(stateMachineArn=arn, input=payload, **options)


def _put(client: Any, arn: str, payload: str, attributes: dict[str, str], options: dict[str, Any]) -> Any:
    return client.put_events(Entries=[{"EventBusName": arn, "Detail": payload, **options}])


#: Who can be delivered to: the client and the call, by the service in the ARN.
SERVICES: dict[str, tuple[str, _Call]] = {
    "sqs": ("sqs", _send),
    "sns": ("sns", _publish),
    "lambda": ("lambda", _invoke),
    "states": ("stepfunctions", _start),
    "events": ("events", _put),
}


def _strings(attributes: dict[str, str]) -> dict[str, dict[str, str]]:
    return {name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()}
