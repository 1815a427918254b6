"""A boto response as the output of a Task.

Times: optimised integrations give milliseconds since 1970, AWS SDK integrations ISO-8601 text, since the one speaks
with version 1 of the Java SDK and the other with version 2. Recorded examples: `tests/aws/services/stepfunctions` of
LocalStack.
"""

from __future__ import annotations

import base64
import datetime
import json
import secrets
import time
from typing import Any

from .naming import java_name, pascal_name
from .services import Call

_HEADERS = {
    "content-length": "Content-Length",
    "date": "Date",
    "x-amz-crc32": "x-amz-crc32",
    "x-amz-executed-version": "X-Amz-Executed-Version",
    "x-amz-log-result": "X-Amz-Log-Result",
    "x-amzn-requestid": "x-amzn-RequestId",
}
_OWN_HEADERS = {
    "dynamodb": {"Connection": "keep-alive", "Server": "Server"},
    "lambda": {"Connection": "keep-alive", "x-amzn-Remapped-Content-Length": "0"},
}


def to_output(call: Call, response: dict[str, Any]) -> dict[str, Any]:
    """The output of one call. Takes the response apart: a streamed body is read here."""
    metadata = response.pop("ResponseMetadata", {})
    shape = call.output_shape
    output = structure_output(response, shape, optimised=call.optimised is not None) if shape else {}
    if call.resource_type == "lambda":
        output["Payload"] = _json_or_text(output.get("Payload", ""))
    if call.optimised:
        output |= sdk_metadata(call, metadata)
    return output


def structure_output(value: dict[str, Any], shape: Any, *, optimised: bool) -> dict[str, Any]:
    """A structure of a response, with Step Functions' spelling of its members."""
    spell = pascal_name if optimised else java_name
    return {
        spell(name): _value(value[name], shape.members[name], optimised=optimised)
        for name in sorted(value)
        if name in shape.members and value[name] is not None
    }


def _value(value: Any, shape: Any, *, optimised: bool) -> Any:
    match shape.type_name:
        case "structure" if isinstance(value, dict):
            return structure_output(value, shape, optimised=optimised)
        case "list":
            return [_value(item, shape.member, optimised=optimised) for item in value]
        case "map":
            return {key: _value(item, shape.value, optimised=optimised) for key, item in value.items()}
        case "timestamp":
            return _time(value, optimised=optimised)
        case "blob":
            return _blob(value.read() if hasattr(value, "read") else value)
    return value


def _blob(value: Any) -> Any:
    try:
        return value.decode() if isinstance(value, bytes) else value
    except UnicodeDecodeError:
        return base64.b64encode(value).decode()


def _time(value: Any, *, optimised: bool) -> Any:
    if not isinstance(value, datetime.datetime):
        return value
    if optimised:
        return int(value.timestamp() * 1000)
    moment = value.astimezone(datetime.UTC)
    return moment.isoformat(timespec="milliseconds" if moment.microsecond else "seconds").replace("+00:00", "Z")


def _json_or_text(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def sdk_metadata(call: Call, metadata: dict[str, Any]) -> dict[str, Any]:
    """What the SDK for Java says of a response, with the service's headers as they are spelled on AWS.

    Recorded for DynamoDB, Lambda, SNS, SQS and Step Functions in `services/*.snapshot.json` of LocalStack.
    """
    given = metadata.get("HTTPHeaders", {})
    headers = {spelled: given[name] for name, spelled in _HEADERS.items() if name in given}
    headers["Content-Type"] = call.content_type or given.get("content-type", "")
    headers |= _OWN_HEADERS.get(call.resource_type, {"connection": "keep-alive"})
    if call.resource_type == "lambda":
        headers["X-Amzn-Trace-Id"] = f"Root=1-{int(time.time()):x}-{secrets.token_hex(12)};Sampled=0"
    return {
        "SdkHttpMetadata": {
            "AllHttpHeaders": {name: [value] for name, value in headers.items()},
            "HttpHeaders": headers,
            "HttpStatusCode": metadata.get("HTTPStatusCode", 200),
        },
        "SdkResponseMetadata": {"RequestId": metadata.get("RequestId", "")},
    }
