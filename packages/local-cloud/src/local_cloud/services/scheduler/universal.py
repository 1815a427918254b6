"""Universal targets: any operation of any service, `arn:aws:scheduler:::aws-sdk:glue:startJobRun`.

https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-targets-universal.html
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from local_cloud.cloud import Actor, Cloud
from local_cloud.targets import UnsupportedTarget

#: Services whose name in the AWS SDKs is not boto3's without its hyphens.
_NAMES = {"sfn": "stepfunctions", "eventbridge": "events", "cloudwatchlogs": "logs"}


@dataclass(frozen=True)
class Operation:
    """What the ARN names: the SDK's service name and the operation, "startJobRun"."""

    service: str
    name: str


def parse(arn: str) -> Operation | None:
    """The operation of a universal target's ARN; None for other ARNs."""
    found = re.fullmatch(r"arn:aws:scheduler:::aws-sdk:([\w-]+):(\w+)", arn)
    return Operation(found[1].lower(), found[2]) if found else None


def call(cloud: Cloud, operation: Operation, payload: str, *, actor: Actor) -> dict[str, Any]:
    """Call the operation with the payload's JSON as its parameters; what it answered.

    UnsupportedTarget for a service or operation that does not exist, or when the payload is no JSON object.
    """
    client = cloud.client(_boto3_name(operation.service), actor=actor)
    methods = {api.lower(): method for method, api in client.meta.method_to_api_mapping.items()}
    method = methods.get(operation.name.lower())
    if method is None:
        raise UnsupportedTarget(f"{operation.service} has no operation {operation.name}")
    try:
        given = json.loads(payload)
    except ValueError as error:
        raise UnsupportedTarget(f"the Input of {operation.service}:{operation.name} is not JSON: {error}") from None
    model = client.meta.service_model.operation_model(client.meta.method_to_api_mapping[method])
    parameters = _as_boto3_has_it(given, model.input_shape) if model.input_shape else {}
    answer = getattr(client, method)(**parameters)
    return {name: value for name, value in answer.items() if name != "ResponseMetadata"}


def _boto3_name(service: str) -> str:
    import boto3

    if service in _NAMES:
        return _NAMES[service]
    for name in boto3.session.Session().get_available_services():
        if name.replace("-", "") == service.replace("-", ""):
            return str(name)
    raise UnsupportedTarget(f"there is no service {service}")


def _as_boto3_has_it(value: Any, shape: Any) -> Any:
    """Parameters spelt as in the SDKs for Java ("StateMachineArn") with the names of boto3's model."""
    if shape.type_name == "structure" and isinstance(value, dict):
        members = {name.lower(): name for name in shape.members}
        names = {given: members.get(given.lower(), given) for given in value}
        return {
            name: _as_boto3_has_it(value[given], shape.members[name]) if name in shape.members else value[given]
            for given, name in names.items()
        }
    if shape.type_name == "list" and isinstance(value, list):
        return [_as_boto3_has_it(item, shape.member) for item in value]
    if shape.type_name == "map" and isinstance(value, dict):
        return {key: _as_boto3_has_it(item, shape.value) for key, item in value.items()}
    return value
