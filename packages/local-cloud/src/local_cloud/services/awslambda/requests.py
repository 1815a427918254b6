"""Invoke, as moto's Lambda API takes it, answered by real runs."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import unquote

from moto.awslambda.models import EventInvokeConfig, LambdaBackend
from moto.awslambda.responses import LambdaResponse

from local_cloud.services.awslambda.errors import InvalidRequestContent
from local_cloud.services.awslambda.events import AsyncEvents
from local_cloud.services.awslambda.functions import Function
from local_cloud.services.awslambda.invocations import Invocations

Response = tuple[int, dict[str, str], bytes]


def patch(invocations: Invocations, events: AsyncEvents) -> None:
    """Replace Invoke, moto's own ways into a function, and its list of event-invoke configurations."""

    def invoke(self: LambdaResponse) -> Response:
        name = unquote(self.path.rsplit("/", 2)[-2])
        qualifier = (self.querystring.get("Qualifier") or [""])[0]
        function = self.backend.get_function(name, qualifier or None)
        kind = self.headers.get("X-Amz-Invocation-Type", "RequestResponse")
        version = {"X-Amz-Executed-Version": str(function.version)}
        event = _parse(self.body)
        if kind == "DryRun":
            return _answer(204, version)
        if kind == "Event":
            events.accept(function, event, qualifier=qualifier)
            return _answer(202, {})
        answer = invocations.invoke(function, event, qualifier=qualifier)
        headers = {**version, "Content-Type": "application/json"}
        if answer.failed:
            headers["X-Amz-Function-Error"] = "Unhandled"
        if self.headers.get("X-Amz-Log-Type") == "Tail":
            headers["X-Amz-Log-Result"] = answer.log_result
        return _answer(200, headers, answer.payload)

    def invoke_in_backend(  # noqa: PLR0917 - moto's own signature
        self: LambdaBackend, function_name: str, qualifier: str | None, body: Any, headers: Any, response_headers: Any
    ) -> bytes:
        """An event source mapping waits for the answer."""
        answer = invocations.invoke(self.get_function(function_name, qualifier), _parse(body))
        if answer.failed:
            response_headers["x-amz-function-error"] = "Unhandled"
        return answer.payload

    def invoke_function(self: Function, body: Any, request_headers: Any, response_headers: Any) -> str:
        """SNS, DynamoDB and log subscriptions hand their event over and go on."""
        events.accept(self, _parse(body))
        return ""

    def put_event_invoke_config(self: LambdaBackend, function_name: str, config: dict[str, Any]) -> Any:
        """The new configuration in the place of the old; moto would go on to answer with the first one."""
        function = self.get_function(function_name)
        function.event_invoke_config = [EventInvokeConfig(function.function_arn, function.last_modified, config)]
        return function.event_invoke_config[0].response()

    def update_event_invoke_config(self: LambdaBackend, function_name: str, config: dict[str, Any]) -> Any:
        function = self.get_function(function_name)
        known = function.event_invoke_config[0].config if function.event_invoke_config else {}
        return put_event_invoke_config(self, function_name, {**known, **config})

    LambdaResponse.invoke = invoke
    LambdaBackend.invoke = invoke_in_backend
    LambdaBackend.put_function_event_invoke_config = put_event_invoke_config
    LambdaBackend.update_function_event_invoke_config = update_event_invoke_config
    Function.invoke = invoke_function


def _answer(status: int, headers: dict[str, str], body: bytes = b"") -> Response:
    """moto takes the status from the headers."""
    return status, {**headers, "status": str(status)}, body


def _parse(body: str | bytes | None) -> Any:
    try:
        return json.loads(body) if body else {}
    except ValueError as error:
        raise InvalidRequestContent(error) from None
