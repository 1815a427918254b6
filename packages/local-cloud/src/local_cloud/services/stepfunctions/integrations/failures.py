"""An API's error as the Error and Cause of a failed Task.

A modelled error gives its own name, any other the SDK's general one: `Glue.ConcurrentRunsExceededException`, but
`Glue.AWSGlueException` for throttling and `Lambda.AWSLambdaException` for a denied call (seen in
https://repost.aws/questions/QUVo7mhaGrRlyGUQ8A3EBpsQ); `SecretsManager.SecretsManagerException` with AWS SDK
integrations (recorded in LocalStack's `error_handling/test_aws_sdk.snapshot.json`).
"""

from __future__ import annotations

import uuid
from typing import Any

from .naming import exception_name
from .services import Call

_WITH_MISSING_PARAMETERS = ("sns", "sqs")


def error_and_cause(call: Call, response: dict[str, Any]) -> tuple[str, str]:
    """Of botocore's `ClientError.response`."""
    code, message = response["Error"]["Code"], response["Error"]["Message"]
    metadata = response.get("ResponseMetadata", {})
    status, request_id = metadata.get("HTTPStatusCode", 400), metadata.get("RequestId", "")
    modelled = _modelled(call, code)
    if call.optimised:
        error = f"{call.optimised.prefix}.{modelled or call.optimised.exception}"
        details = (
            f"Service: {call.optimised.sdk}; Status Code: {status}; Error Code: {code}; Request ID: {request_id};"
            " Proxy: null"
        )
    else:
        error = f"{call.service_id}.{modelled or call.service_id + 'Exception'}"
        details = f"Service: {call.service_id}, Status Code: {status}, Request ID: {request_id}"
        if metadata.get("HostId"):
            details += f", Extended Request ID: {metadata['HostId']}"
    attempts = "" if call.optimised else " (SDK Attempt Count: 1)"  # recorded since November 2025
    return error, f"{message} ({details}){attempts}"


def null_failure(call: Call, name: str) -> tuple[str, str]:
    """The error and cause of a parameter that is null and must not be, as the called service has them (recorded)."""
    if call.client in _WITH_MISSING_PARAMETERS:
        code, message = "MissingParameter", f"The request must contain the parameter {name}."
    else:
        code = "ValidationException"
        message = (
            f"1 validation error detected: Value null at '{name[0].lower()}{name[1:]}' failed to satisfy constraint:"
            " Member must not be null"
        )
    metadata = {"HTTPStatusCode": 400, "RequestId": str(uuid.uuid4())}
    return error_and_cause(call, {"Error": {"Code": code, "Message": message}, "ResponseMetadata": metadata})


def _modelled(call: Call, code: str) -> str:
    for shape in call.error_shapes:
        if code in (shape.name, shape.error_code):
            return exception_name(shape.name)
    return ""
