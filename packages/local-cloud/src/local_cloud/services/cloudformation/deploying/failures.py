"""Why a resource failed, in the form in which CloudFormation gives a service's answer."""

from __future__ import annotations

import logging
import uuid

from botocore.exceptions import BotoCoreError, ClientError

from local_cloud.services.cloudformation.errors import ResourceError

log = logging.getLogger(__name__)


def failure_reason(error: Exception) -> str:
    """Why a resource failed, in the form CloudFormation gives a service's answer."""
    if isinstance(error, ClientError):
        answer = error.response["Error"]
        metadata = error.response.get("ResponseMetadata", {})
        service = getattr(error, "operation_name", "")
        status = metadata.get("HTTPStatusCode", 400)
        text = f"{answer.get('Message') or answer.get('Code')} (Operation: {service}, Status Code: {status})"
        code = _handler_error_code(answer.get("Code", ""), status)
    elif isinstance(error, (ResourceError, BotoCoreError)):
        text = str(error)
        code = "AlreadyExists" if "already exists" in text else "InvalidRequest"
    else:
        log.exception("a resource failed")
        text, code = f"{type(error).__name__}: {error}", "InternalFailure"
    return f'Resource handler returned message: "{text}" (RequestToken: {uuid.uuid4()}, HandlerErrorCode: {code})'


def _handler_error_code(code: str, status: int) -> str:
    if "AccessDenied" in code or "NotAuthorized" in code:
        return "AccessDenied"
    if "Exist" in code and "NotExist" not in code:
        return "AlreadyExists"
    if any(part in code for part in ("NotFound", "NoSuch", "NotExist")):
        return "NotFound"
    return "InvalidRequest" if status < 500 else "ServiceInternalError"
