"""Errors that no service raised: unknown services, refusals, and what went wrong in here, in AWS's shapes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

from local_cloud.httpd import Reply


class UnknownService(Exception):
    """Nothing here serves the request."""


@dataclass(frozen=True)
class Fault:
    status: int
    code: str
    message: str


def reply(fault: Fault, environ: Mapping[str, Any], *, service: str, request_id: str) -> Reply:
    """The answer in the protocol the request speaks: S3's XML, query XML, CBOR, or JSON.

    Shapes: https://smithy.io/2.0/aws/protocols/ (awsJson, restJson1, awsQuery, rpcv2Cbor), errors.
    """
    headers = {"x-amzn-RequestId": request_id, "x-amzn-ErrorType": fault.code}
    content_type = environ.get("CONTENT_TYPE", "")
    if service in ("s3", "s3express"):
        text = (
            f"<Error><Code>{'InternalError' if fault.status == 500 else fault.code}</Code>"
            f"<Message>{escape(fault.message)}</Message><RequestId>{request_id}</RequestId></Error>"
        )
        return Reply(fault.status, headers | {"Content-Type": "application/xml"}, text.encode())
    if "cbor" in environ.get("HTTP_SMITHY_PROTOCOL", ""):
        body = b"\xa2" + b"".join(map(_cbor_text, ("__type", fault.code, "message", fault.message)))
        extra = {"Content-Type": "application/cbor", "smithy-protocol": "rpc-v2-cbor"}
        return Reply(fault.status, headers | extra, body)
    if content_type.startswith("application/x-www-form-urlencoded"):
        kind = "Receiver" if fault.status >= 500 else "Sender"
        text = (
            f"<ErrorResponse><Error><Type>{kind}</Type><Code>{fault.code}</Code>"
            f"<Message>{escape(fault.message)}</Message></Error><RequestId>{request_id}</RequestId></ErrorResponse>"
        )
        return Reply(fault.status, headers | {"Content-Type": "text/xml"}, text.encode())
    body = json.dumps({"__type": fault.code, "message": fault.message}).encode()
    kind = content_type if content_type.startswith("application/x-amz-json") else "application/json"
    return Reply(fault.status, headers | {"Content-Type": kind}, body)


def _cbor_text(text: str) -> bytes:
    """RFC 8949, major type 3, with a four-byte length."""
    data = text.encode()
    return b"\x7a" + len(data).to_bytes(4, "big") + data
