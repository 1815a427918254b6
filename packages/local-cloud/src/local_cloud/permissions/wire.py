"""A refusal in a service's own code, status and words.

What AWS answers is seen in messages people quote: `UnrecognizedClientException` (400) by JSON services,
`InvalidClientTokenId` (403) by query services, `InvalidAccessKeyId` by S3; `AuthorizationError` by SNS. Common errors:
https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from local_cloud.faults import Fault
from local_cloud.permissions.errors import AccessDenied, ExpiredKey, InvalidToken, MissingKey, UnknownKey, WrongToken

_JSON = {
    UnknownKey: "UnrecognizedClientException",
    WrongToken: "UnrecognizedClientException",
    ExpiredKey: "ExpiredTokenException",
    MissingKey: "MissingAuthenticationTokenException",
}
_QUERY = {
    UnknownKey: "InvalidClientTokenId",
    WrongToken: "InvalidClientTokenId",
    ExpiredKey: "ExpiredToken",
    MissingKey: "MissingAuthenticationToken",
}
#: With the words of S3, whose messages for keys are its own. https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
_S3 = {
    UnknownKey: ("InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records."),
    WrongToken: ("InvalidToken", "The provided token is malformed or otherwise invalid."),
    ExpiredKey: ("ExpiredToken", "The provided token has expired."),
    MissingKey: ("AccessDenied", "Access Denied"),
}


def fault(error: AccessDenied, environ: Mapping[str, Any], *, service: str) -> Fault:
    """The answer to a request that was refused."""
    if isinstance(error, InvalidToken):
        return Fault(400, error.code, str(error))
    if environ.get("CONTENT_TYPE", "").startswith("application/x-www-form-urlencoded"):
        code = (
            "AuthorizationError"
            if service == "sns" and type(error) is AccessDenied
            else _QUERY.get(type(error), "AccessDenied")
        )
        return Fault(403, code, str(error))
    by_target = "HTTP_X_AMZ_TARGET" in environ
    return Fault(400 if by_target else 403, _JSON.get(type(error), "AccessDeniedException"), str(error))


def s3_code(error: AccessDenied) -> tuple[str, str]:
    """S3's code and message."""
    return _S3.get(type(error), ("AccessDenied", str(error)))
