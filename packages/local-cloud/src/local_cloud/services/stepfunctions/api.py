"""The Step Functions API on the wire: AWS JSON 1.0, one method per operation.

Requests are checked against the API's model (`constraints`); what a method answers is sent as it is, with
times in seconds since 1970 and without members that are None.
"""

from __future__ import annotations

import json
import logging
import uuid
from functools import cached_property
from typing import Any

from local_cloud.cloud import Cloud

from .constraints import check
from .errors import SerializationException, StatesError, UnknownOperationException
from .executions import Executions
from .listings import Listings
from .machines import Machines
from .map_runs import MapRuns
from .registry import Registry
from .state_tests import StateTests
from .tags import Tags
from .tasks import Tasks
from .versions import Versions

log = logging.getLogger("local_cloud.stepfunctions")

Response = tuple[int, dict[str, str], str]


class Api:
    def __init__(self, cloud: Cloud) -> None:
        self.registry = Registry(cloud)
        parts = (Machines, Versions, Executions, Listings, MapRuns, Tasks, Tags, StateTests)
        self._parts = [part(self.registry) for part in parts]

    def handle(self, request: Any, full_url: str, headers: Any) -> Response:
        """One HTTP request, in the form moto's dispatcher gives it."""
        return self.answer(request.headers.get("X-Amz-Target", "").rpartition(".")[2], request.get_data())

    def answer(self, operation: str, text: bytes) -> Response:
        """Answer an operation, given the JSON text of its parameters."""
        request_id = str(uuid.uuid4())
        try:
            answer = self.call(operation, _parameters(text))
            status, body = 200, {name: value for name, value in answer.items() if value is not None}
        except StatesError as error:
            status, body = 400, {"__type": error.code, "message": error.message}
        sent = {"Content-Type": "application/x-amz-json-1.0", "x-amzn-RequestId": request_id}
        return status, sent, json.dumps(_sendable(body))

    def call(self, operation: str, parameters: Any) -> dict[str, Any]:
        """Raises StatesError."""
        from botocore import xform_name

        name = xform_name(operation)
        method = next((getattr(part, name) for part in self._parts if hasattr(part, name)), None)
        if method is None or operation not in self._model.operation_names:
            raise UnknownOperationException(operation)
        shape = self._model.operation_model(operation).input_shape
        check(parameters, shape)
        known = {xform_name(name): parameters[name] for name in shape.members if parameters.get(name) is not None}
        answer: dict[str, Any] = method(**known)
        return answer

    @cached_property
    def _model(self) -> Any:
        from botocore.session import get_session

        return get_session().get_service_model("stepfunctions")


def _parameters(text: bytes) -> Any:
    try:
        return json.loads(text or b"{}")
    except ValueError as error:
        raise SerializationException(f"The request is no JSON: {error}") from None


def _sendable(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _sendable(item) for name, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_sendable(item) for item in value]
    return value
