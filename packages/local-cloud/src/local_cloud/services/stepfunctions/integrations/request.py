"""A Task's parameters as the arguments of a boto call."""

from __future__ import annotations

import json
from typing import Any

from ..journal import Start
from ..language.json_values import compact
from .naming import java_name, pascal_name
from .services import Call


class BadParameters(Exception):
    """The parameters do not fit the API; `str()` is the cause AWS gives."""

    def __init__(self, parameters: Any, problems: list[str]) -> None:
        shown = json.dumps(parameters, separators=(",", ":"), default=str)
        super().__init__(f"The Parameters '{shown}' could not be used to start the Task: [{', '.join(problems)}]")


def to_request(call: Call, parameters: Any) -> dict[str, Any]:
    """Arguments for `client.<call.method>`. Null parameters are left out; see `find_null` for those that must be there.

    Raises BadParameters, which names every field that is unknown, missing or of the wrong type.
    """
    if not isinstance(parameters, dict):
        raise BadParameters(parameters, ["The Parameters must be a JSON object"])
    problems: list[str] = []
    given = {name: _prepare(call, name, value) for name, value in parameters.items() if value is not None}
    request = _structure(given, call.input_shape, problems, call)
    problems += [
        f"The field '{name}' is required but was missing"
        for name in sorted(call.required)
        if call.parameters[name] not in request and name not in parameters
    ]
    if problems:
        raise BadParameters(parameters, problems)
    if (call.client, call.operation) == ("s3", "PutObject"):
        request.setdefault("ContentType", "text/plain; charset=UTF-8")  # the Java SDK's, for a text (recorded)
    return request


def add_resources(call: Call, request: dict[str, Any], start: Start) -> dict[str, Any]:
    """Name the machine and the execution as resources of the events that it sends (recorded)."""
    if call.resource_type != "events":
        return request
    own = [start.machine_arn, start.arn]
    entries = [entry | {"Resources": [*entry.get("Resources", ()), *own]} for entry in request["Entries"]]
    return request | {"Entries": entries}


def find_null(call: Call, parameters: dict[str, Any]) -> str:
    """The API's name of a parameter that must be there and is null; empty where there is none."""
    return next((call.parameters[name] for name in sorted(call.required) if parameters.get(name, "") is None), "")


def _prepare(call: Call, name: str, value: Any) -> Any:
    """What single integrations turn into JSON text themselves (their pages under `integrate-optimized`)."""
    match (call.resource_type, name):
        case ("lambda", "Payload"):
            return value.encode() if isinstance(value, str) and _is_json(value) else json.dumps(value).encode()
        case ("sns", "Message") | ("sqs", "MessageBody") | ("states", "Input"):
            return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
        case ("events", "Entries") if isinstance(value, list):
            return [
                {
                    key: json.dumps(each) if key == "Detail" and isinstance(each, dict) else each
                    for key, each in e.items()
                }
                for e in value
                if isinstance(e, dict)
            ]
    return value


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _structure(value: dict[str, Any], shape: Any, problems: list[str], call: Call) -> dict[str, Any]:
    members = {} if shape is None else shape.members
    names = {spell(name): name for name in members for spell in (java_name, pascal_name)}
    request = {}
    for key, item in value.items():
        if key not in names:
            problems.append(f'The field "{key}" is not supported by Step Functions')
        elif item is not None:
            request[names[key]] = _value(item, members[names[key]], key, problems, call)
    return request


_TYPES: dict[str, tuple[tuple[type, ...], str]] = {
    "boolean": ((bool,), "a BOOLEAN"),
    "integer": ((int,), "an INTEGER"),
    "long": ((int,), "an INTEGER"),
    "float": ((int, float), "a NUMBER"),
    "double": ((int, float), "a NUMBER"),
    "string": ((str,), "a STRING"),
    "list": ((list,), "an ARRAY"),
    "map": ((dict,), "an OBJECT"),
    "structure": ((dict,), "an OBJECT"),
}


def _value(value: Any, shape: Any, name: str, problems: list[str], call: Call) -> Any:
    kind = shape.type_name
    if kind == "blob":  # a text is written as JSON too (recorded: s3:putObject)
        return value if isinstance(value, bytes) else compact(value).encode()
    if kind == "string" and isinstance(value, (dict, list)) and call.optimised is None:
        return compact(value)
    if kind in ("integer", "long") and isinstance(value, float) and value.is_integer():
        return int(value)
    types, wanted = _TYPES.get(kind, ((), ""))
    if types and (not isinstance(value, types) or (isinstance(value, bool) and bool not in types)):
        problems.append(f"The value for the field '{name}' must be {wanted}")
        return value
    return _inside(value, shape, name, problems, call)


def _inside(value: Any, shape: Any, name: str, problems: list[str], call: Call) -> Any:
    match shape.type_name:
        case "structure":
            return _structure(value, shape, problems, call)
        case "list":
            return [_value(item, shape.member, name, problems, call) for item in value]
        case "map":
            return {key: _value(item, shape.value, key, problems, call) for key, item in value.items()}
    return value
