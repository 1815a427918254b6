"""What TestState is given to stand for the rest of the world: a mocked result or error, and a context object.

Rules and words: AWS's answers, recorded in LocalStack's `test_state/*.snapshot.json`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from .errors import ValidationException
from .integrations.jobs import JOB_RESULTS
from .integrations.naming import java_name, pascal_name
from .integrations.services import ACTIVITY, SYNC, SYNC_2, TASK_TOKEN, Call, find_call
from .language.errors import StateError
from .language.json_values import Json
from .language.tree import Map, Parallel, State, Task

_WITH_MOCK = (Task, Map, Parallel)
_CONTEXT: Mapping[str, Mapping[str, tuple[type, str]]] = {
    "Execution": {
        "Id": (str, "a string"),
        "Input": (object, ""),
        "Name": (str, "a string"),
        "RedriveCount": (int, "a number"),
        "RedriveTime": (str, "a string"),
        "RoleArn": (str, "a string"),
        "StartTime": (str, "a string"),
    },
    "State": {"EnteredTime": (str, "a string"), "Name": (str, "a string"), "RetryCount": (int, "a number")},
    "StateMachine": {"Id": (str, "a string"), "Name": (str, "a string")},
    "Task": {"Token": (str, "a string")},
}
_KINDS: Mapping[str, tuple[tuple[type, ...], str]] = {
    "blob": ((str,), "a string"),
    "boolean": ((bool,), "a boolean"),
    "double": ((int, float), "a number"),
    "float": ((int, float), "a number"),
    "integer": ((int, float), "a number"),
    "list": ((list,), "an array"),
    "long": ((int, float), "a number"),
    "map": ((dict,), "an object"),
    "string": ((str,), "a string"),
    "structure": ((dict,), "an object"),
    "timestamp": ((str,), "a string"),
}


def read_mock(mock: Mapping[str, Any], state: State) -> Callable[[], Json]:
    """Make what a mock says the state's work comes to. Raises ValidationException where it does not fit the state."""
    if not isinstance(state, _WITH_MOCK):
        raise ValidationException(f"State type '{state.kind}' is not supported when a mock is specified")
    if "result" in mock and "errorOutput" in mock:
        raise ValidationException("A test mock should have only one of the following fields: [result, errorOutput].")
    if "result" not in mock:
        failure = mock.get("errorOutput", {})
        return _Failing(failure.get("error"), failure.get("cause"))
    try:
        result = json.loads(mock["result"])
    except ValueError:
        raise ValidationException("Mocked result must be valid JSON") from None
    _check_result(result, state, mock.get("fieldValidationMode", "STRICT"))
    return lambda: result


def read_context(text: str, state: State) -> dict[str, Json]:
    """Read a context object. Raises ValidationException where the state cannot have it."""
    context = _object(text)
    for name, fields in context.items():
        if name == "Map":
            raise _bad_context("'Map' field is not supported when mocking a Context object")
        if name not in _CONTEXT:
            raise _bad_context(f"Field '{name}' is not allowed")
        if not isinstance(fields, dict):
            raise _bad_context(f"{name} must be an object")
        for field, value in fields.items():
            if field not in _CONTEXT[name]:
                raise _bad_context(f"Field '{field}' is not allowed")
            kind, wanted = _CONTEXT[name][field]
            if not isinstance(value, kind):
                raise _bad_context(f"{name}.{field} must be {wanted}")
    if "Task" in context and not is_waiting(state):
        raise _bad_context(
            "Context object contains 'Task' when state is not a Task state with a '.sync' or '.waitForTaskToken'"
            " service integration pattern"
        )
    return context


def is_waiting(state: State) -> bool:
    """Whether a state calls a service and waits for more than its answer."""
    call = find_call(state.resource) if isinstance(state, Task) else None
    return call is not None and bool(call.pattern)


def is_activity(state: State) -> bool:
    return isinstance(state, Task) and bool(ACTIVITY.fullmatch(state.resource))


class _Failing:
    """An error in place of a result."""

    def __init__(self, error: str | None, cause: str | None) -> None:
        self._error = error
        self._cause = cause

    def __call__(self) -> Json:
        raise StateError(self._error, self._cause)


def _object(text: str) -> dict[str, Json]:
    try:
        context = json.loads(text)
    except ValueError:
        raise _bad_context("it must be valid JSON") from None
    if not isinstance(context, dict):
        raise _bad_context("it must be a JSON object")
    return context


def _bad_context(reason: str) -> ValidationException:
    return ValidationException(f"Invalid Context object provided: {reason}")


def _check_result(result: Json, state: State, mode: str) -> None:
    if isinstance(state, Map) and state.writer and state.writer.target:
        if not isinstance(result, dict):
            raise ValidationException("Mocked result must be a JSON object.")
    elif isinstance(state, (Map, Parallel)) and not isinstance(result, list):
        raise ValidationException("Mocked result must be an array.")
    if isinstance(state, Parallel) and len(result) != len(state.branches):
        raise ValidationException("Mocked result must contain the same number of items as number of Parallel branches.")
    call = find_call(state.resource) if isinstance(state, Task) else None
    if call and mode != "NONE" and call.pattern != TASK_TOKEN:  # what comes back with a token is of any form
        _Check(call, is_strict=mode == "STRICT").value(result, _result_shape(call), "")


def _result_shape(call: Call) -> Any:
    if call.pattern not in (SYNC, SYNC_2):
        return call.output_shape
    described = find_call(JOB_RESULTS[call.client])
    assert described
    shape = described.output_shape
    return shape.members["JobRun"] if call.client == "glue" else shape


class _Check:
    """A mocked result against the response that the service has, in Step Functions' spelling."""

    def __init__(self, call: Call, *, is_strict: bool) -> None:
        self._spell = pascal_name if call.optimised else java_name
        self._is_strict = is_strict
        #: Parsed JSON, of any form.
        self._any = {"Input", "Output"} if call.pattern == SYNC_2 else set()

    def value(self, value: Json, shape: Any, name: str) -> None:
        """Raises ValidationException."""
        types, wanted = _KINDS[shape.type_name]
        is_right = isinstance(value, types) and (not isinstance(value, bool) or shape.type_name == "boolean")
        if not is_right:
            raise self._wrong(f"Field '{name}' must be {wanted}" if name else f"The result must be {wanted}")
        match shape.type_name:
            case "structure":
                self._structure(value, shape)
            case "list":
                for item in value:
                    self.value(item, shape.member, name)
            case "map":
                for item in value.values():
                    self.value(item, shape.value, name)
        if getattr(shape, "enum", None) and value not in shape.enum:
            raise self._wrong(f"Field '{name}' is not an expected value")
        self._range(value, shape.metadata, name)

    def _structure(self, value: dict[str, Json], shape: Any) -> None:
        members = {self._spell(name): member for name, member in shape.members.items()}
        missing = [self._spell(name) for name in shape.required_members if self._spell(name) not in value]
        if missing and self._is_strict:
            raise self._wrong(f"Required field '{missing[0]}' is missing")
        for name, item in value.items():
            if name in members and name not in self._any:
                self.value(item, members[name], name)

    def _range(self, value: Json, limits: Mapping[str, Any], name: str) -> None:
        is_number = isinstance(value, (int, float))
        size = value if is_number else len(value)
        if size < limits.get("min", size):
            reason = "is less than the minimum value" if is_number else "is smaller than the minimum length"
        elif size > limits.get("max", size):
            reason = "exceeds the maximum value" if is_number else "exceeds the maximum length"
        else:
            return
        raise self._wrong(f"Field '{name}' {reason}")

    def _wrong(self, reason: str) -> ValidationException:
        return ValidationException(f"Mock result schema validation error: {reason}")
