"""The Step Functions API on the wire: AWS JSON 1.0, one method per operation.

Requests are checked against botocore's `stepfunctions/2016-11-23` model; what a method answers is sent as it is, with
times in seconds since 1970 and without members that are None.
"""

from __future__ import annotations

import json
import logging
import uuid
from collections.abc import Iterator
from functools import cached_property
from typing import Any

from local_cloud.cloud import Cloud

from .errors import StatesError, UnknownOperationException, ValidationException
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
            answer = self.call(operation, json.loads(text or b"{}"))
            status, body = 200, {name: value for name, value in answer.items() if value is not None}
        except StatesError as error:
            status, body = 400, {"__type": error.code, "message": error.message}
        sent = {"Content-Type": "application/x-amz-json-1.0", "x-amzn-RequestId": request_id}
        return status, sent, json.dumps(_sendable(body))

    def call(self, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
        """Raises StatesError."""
        from botocore import xform_name
        from botocore.validate import ParamValidator

        name = xform_name(operation)
        method = next((getattr(part, name) for part in self._parts if hasattr(part, name)), None)
        if method is None or operation not in self._model.operation_names:
            raise UnknownOperationException(operation)
        shape = self._model.operation_model(operation).input_shape
        report = ParamValidator().validate(parameters, shape)
        if report.has_errors():
            raise ValidationException(report.generate_report())
        problem = next(_outside_of_enums(parameters, shape, ""), "")
        if problem:
            raise ValidationException(f"1 validation error detected: {problem}")
        known = {xform_name(name): parameters[name] for name in shape.members if parameters.get(name) is not None}
        answer: dict[str, Any] = method(**known)
        return answer

    @cached_property
    def _model(self) -> Any:
        from botocore.session import get_session

        return get_session().get_service_model("stepfunctions")


def _outside_of_enums(value: Any, shape: Any, place: str) -> Iterator[str]:
    """What botocore does not check: values that are none of those a member may have."""
    if shape.type_name == "structure":
        for name in shape.members:
            if value.get(name) is not None:
                yield from _outside_of_enums(value[name], shape.members[name], f"{place}.{name}" if place else name)
    elif shape.type_name == "list":
        for index, item in enumerate(value, 1):
            yield from _outside_of_enums(item, shape.member, f"{place}.{index}.member")
    elif getattr(shape, "enum", None) and value not in shape.enum:
        yield (
            f"Value '{value}' at '{place}' failed to satisfy constraint:"
            f" Member must satisfy enum value set: [{', '.join(shape.enum)}]"
        )


def _sendable(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _sendable(item) for name, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_sendable(item) for item in value]
    return value
