"""Which API a Resource ARN names, with everything Step Functions needs to know about it.

Optimised integrations: https://docs.aws.amazon.com/step-functions/latest/dg/integrate-optimized.html; AWS SDK
integrations: https://docs.aws.amazon.com/step-functions/latest/dg/supported-services-awssdk.html. Members of
requests and responses come from botocore's models.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from .naming import java_name, pascal_name, service_name

SYNC = "sync"
SYNC_2 = "sync:2"
TASK_TOKEN = "waitForTaskToken"  # noqa: S105 - the name of a pattern

LAMBDA = re.compile(r"arn:aws[a-z-]*:lambda:[A-Za-z0-9-]+:[A-Za-z0-9-]+:function:.+")
"""AWS looks no closer before the function is called (recorded, see `errors`)."""
ACTIVITY = re.compile(r"arn:aws[a-z-]*:states:[a-z0-9-]+:\d{12}:activity:.+")
_RESOURCE = re.compile(
    r"arn:aws[a-z-]*:states:[a-z0-9-]*:\d*:(?P<service>aws-sdk:[A-Za-z0-9]+|[a-z0-9-]+):(?P<action>[A-Za-z0-9]+)"
    r"(?:\.(?P<pattern>sync:2|sync|waitForTaskToken))?"
)


@dataclass(frozen=True)
class Optimised:
    """An optimised integration: its actions with their patterns, and how version 1 of the Java SDK names errors."""

    client: str
    actions: Mapping[str, tuple[str, ...]]
    prefix: str
    sdk: str
    exception: str


_TOKEN_OR_NOT = ("", TASK_TOKEN)
OPTIMISED: dict[str, Optimised] = {
    "dynamodb": Optimised(
        "dynamodb",
        {action: ("",) for action in ("getItem", "putItem", "updateItem", "deleteItem")},
        "DynamoDB",
        "AmazonDynamoDBv2",
        "AmazonDynamoDBException",
    ),
    "events": Optimised(
        "events",
        {"putEvents": _TOKEN_OR_NOT},
        "EventBridge",
        "AmazonCloudWatchEvents",
        "AmazonCloudWatchEventsException",
    ),
    "glue": Optimised("glue", {"startJobRun": ("", SYNC)}, "Glue", "AWSGlue", "AWSGlueException"),
    "lambda": Optimised("lambda", {"invoke": _TOKEN_OR_NOT}, "Lambda", "AWSLambda", "AWSLambdaException"),
    "sns": Optimised("sns", {"publish": _TOKEN_OR_NOT}, "SNS", "AmazonSNS", "AmazonSNSException"),
    "sqs": Optimised("sqs", {"sendMessage": _TOKEN_OR_NOT}, "SQS", "AmazonSQS", "AmazonSQSException"),
    "states": Optimised(
        "stepfunctions",
        {"startExecution": ("", SYNC, SYNC_2, TASK_TOKEN)},
        "StepFunctions",
        "AWSStepFunctions",
        "AWSStepFunctionsException",
    ),
}

#: Where an AWS SDK integration's name is not boto's without hyphens.
_SDK_NAMES = {
    "cloudwatchlogs": "logs",
    "cognitoidentityprovider": "cognito-idp",
    "configservice": "config",
    "costexplorer": "ce",
    "databasemigration": "dms",
    "elasticloadbalancingv2": "elbv2",
    "eventbridge": "events",
    "sfn": "stepfunctions",
}


@dataclass(frozen=True)
class Call:
    """One API action as a Task names it."""

    resource_type: str
    """`glue`, `aws-sdk:redshiftdata`: how history events name the service."""
    action: str
    pattern: str
    client: str
    """boto's name of the service."""
    operation: str
    method: str
    """boto's name of the action."""
    optimised: Optimised | None
    service_id: str
    parameters: Mapping[str, str] = field(repr=False, hash=False)
    """The API's member by each spelling that a definition may use."""
    required: frozenset[str] = field(repr=False)

    @property
    def input_shape(self) -> Any:
        return _model(self.client).operation_model(self.operation).input_shape

    @property
    def output_shape(self) -> Any:
        return _model(self.client).operation_model(self.operation).output_shape

    @property
    def content_type(self) -> str:
        """Of a response, where the API's protocol fixes it."""
        metadata = _model(self.client).metadata
        if metadata["protocol"] == "json":
            return f"application/x-amz-json-{metadata['jsonVersion']}"
        return "text/xml" if metadata["protocol"] == "query" else ""

    @property
    def error_shapes(self) -> Any:
        return _model(self.client).error_shapes


@lru_cache(maxsize=512)
def find_call(resource: str) -> Call | None:
    """The call a Resource names, or None where there is no such service, action or pattern."""
    match = _RESOURCE.fullmatch(resource)
    if not match:
        return None
    service, action, pattern = match["service"], match["action"], match["pattern"] or ""
    optimised = OPTIMISED.get(service)
    if optimised:
        client = optimised.client
        if pattern not in optimised.actions.get(action, ()):
            return None
    else:
        client = _sdk_client(service.removeprefix("aws-sdk:")) if service.startswith("aws-sdk:") else ""
        if not client or pattern not in _TOKEN_OR_NOT:
            return None
    from botocore import xform_name

    model = _model(client)
    operation = action[:1].upper() + action[1:]
    if operation not in model.operation_names:
        return None
    shape = model.operation_model(operation).input_shape
    members = {} if shape is None else shape.members
    return Call(
        resource_type=service,
        action=action,
        pattern=pattern,
        client=client,
        operation=operation,
        method=xform_name(operation),
        optimised=optimised,
        service_id=service_name(model.service_id),
        parameters={spell(name): name for name in members for spell in (java_name, pascal_name)},
        required=frozenset((pascal_name if optimised else java_name)(name) for name in _required(shape)),
    )


def _required(shape: Any) -> list[str]:
    """Members a caller must give; botocore fills in those that only make a request idempotent."""
    if shape is None:
        return []
    return [name for name in shape.required_members if not shape.members[name].metadata.get("idempotencyToken")]


@lru_cache(maxsize=128)
def _sdk_client(name: str) -> str:
    from botocore.session import get_session

    wanted = name.lower()
    if wanted in _SDK_NAMES:
        return _SDK_NAMES[wanted]
    return next((each for each in get_session().get_available_services() if each.replace("-", "") == wanted), "")


@lru_cache(maxsize=64)
def _model(client: str) -> Any:
    from botocore.session import get_session

    return get_session().get_service_model(client)
