"""AWS clients, and what their errors mean to a run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rs_query.errors import ConnectionLostError, RsQueryError, ServiceError, ThrottledError

#: https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html, and the Data API's own limits:
#: https://docs.aws.amazon.com/redshift-data/latest/APIReference/API_ExecuteStatement.html#API_ExecuteStatement_Errors
_THROTTLED = frozenset(
    {
        "ActiveSessionsExceededException",
        "ActiveStatementsExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "TooManyRequestsException",
    }
)
#: The service, or something before it, failed at what was asked; whether it was done is not known.
_FAILED = frozenset({500, 502, 503, 504})


def client(service: str, *, attempts: int = 5) -> Any:
    """Return a client found by the SDK's own environment; `attempts` is 1 for calls that the run itself retries."""
    import boto3
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError

    retries = {"mode": "standard", "total_max_attempts": attempts}
    config = Config(retries=retries, connect_timeout=10, read_timeout=60, user_agent_extra="rs-query")
    try:
        return boto3.session.Session().client(service, config=config)
    except (BotoCoreError, ValueError) as error:
        raise ServiceError(f"{service}: {error}") from None


def call(action: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Return what `action`, one call of a client, returns; its errors as ours."""
    from botocore.exceptions import (
        BotoCoreError,
        ClientError,
        ConnectTimeoutError,
        EndpointConnectionError,
        HTTPClientError,
        ProxyConnectionError,
        SSLError,
    )

    try:
        return action()
    except ClientError as error:
        raise _of_client(error) from None
    except SSLError as error:
        raise ServiceError(str(error)) from None
    except (EndpointConnectionError, ConnectTimeoutError, ProxyConnectionError) as error:
        raise ConnectionLostError(str(error), sent=False) from None
    except HTTPClientError as error:
        raise ConnectionLostError(str(error)) from None
    except BotoCoreError as error:
        raise ServiceError(str(error)) from None


def _of_client(error: Any) -> RsQueryError:
    details = error.response.get("Error", {})
    code = details.get("Code", "")
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    message = f"{error.operation_name}: {code}: {details.get('Message') or details.get('message') or error}"
    if code in _THROTTLED or status == 429:
        return ThrottledError(message)
    if status in _FAILED:
        return ConnectionLostError(message)
    return ServiceError(message, code=code)
