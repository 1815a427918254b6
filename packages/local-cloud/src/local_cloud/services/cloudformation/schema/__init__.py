"""What properties a resource type has: names, types, which are required, which need a replacement.

The `.json` files beside this module hold one object a type, from CloudFormation's resource type registry
(https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/resource-type-schemas.html)::

    properties    name → type. `Name!` is required. A type is "string", "integer", "number", "boolean",
                  "json" (anything), [type] (a list), {name: type} (an object) or {"*": type} (any keys)
    replacement   properties whose change makes a new resource (`TableInput/Name`: one inside another)
    attributes    what Fn::GetAtt gives
    unsupported   properties of AWS's type that have no meaning on this cloud: refused by name
    write_only    properties that nobody can read back, so that Fn::GetAtt does not give them either
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from dataclasses import dataclass
from importlib import resources
from typing import Any

from local_cloud.services.cloudformation.templates.values import UNKNOWN, scalar_text

JSON_NAMES = {dict: "JSONObject", list: "JSONArray", str: "String", bool: "Boolean", int: "Number", float: "Number"}


@dataclass(frozen=True)
class Schema:
    """One resource type's properties."""

    type: str
    properties: dict[str, Any]
    replacement: frozenset[str]
    attributes: frozenset[str]
    unsupported: frozenset[str]
    write_only: frozenset[str] = frozenset()

    @property
    def tags_are_a_map(self) -> bool:
        return not isinstance(self.properties["Tags"], list)

    def has_attribute(self, name: str) -> bool:
        """Return whether Fn::GetAtt gives it: an attribute, or a property (`A.B`: one inside another) to be read."""
        if name in self.attributes:
            return True
        kind: Any = self.properties
        for part in name.split("."):
            kind = kind.get(part, kind.get(f"{part}!", kind.get("*"))) if isinstance(kind, dict) else None
        return kind is not None and name.split(".", 1)[0] not in self.write_only

    def coerce(self, properties: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
        """The properties with every scalar in its type, and what is wrong with them, in AWS's words.

        CloudFormation takes "5" where a number is due and 5 where a string is. UNKNOWN passes everywhere.
        """
        problems: list[str] = []
        known = {name: value for name, value in properties.items() if name not in self.unsupported}
        result = _coerce_object(self.properties, known, "#", problems)
        problems += [
            f"#: key [{name}] is not supported by this local cloud"
            for name in sorted(self.unsupported & properties.keys())
        ]
        return result, problems


@functools.cache
def schema_of(type_name: str) -> Schema | None:
    """The schema of `AWS::Service::Thing`, or None for a type this cloud does not have."""
    parts = type_name.split("::")
    if len(parts) != 3 or not parts[1].isalnum():
        return None
    entry = _service(parts[1].lower()).get(type_name)
    if entry is None:
        return None
    return Schema(
        type=type_name,
        properties=entry["properties"],
        replacement=frozenset(entry["replacement"]),
        attributes=frozenset(entry["attributes"]),
        unsupported=frozenset(entry.get("unsupported", ())),
        write_only=frozenset(entry.get("write_only", ())),
    )


def type_names() -> list[str]:
    """Every type there is a schema for, in order."""
    files = (entry.name for entry in resources.files(__name__).iterdir() if entry.name.endswith(".json"))
    return sorted(name for file in files for name in _service(file.removesuffix(".json")))


@functools.cache
def _service(name: str) -> dict[str, Any]:
    file = resources.files(__name__) / f"{name}.json"
    return dict(json.loads(file.read_text())) if file.is_file() else {}


def _coerce(kind: Any, value: Any, path: str, problems: list[str]) -> Any:
    if value is UNKNOWN or kind == "json":
        return value
    if isinstance(kind, str):
        return _coerce_scalar(kind, value, path, problems)
    if not isinstance(value, type(kind)):
        return _mismatch("JSONArray" if isinstance(kind, list) else "JSONObject", value, path, problems)
    if isinstance(kind, list):
        return [_coerce(kind[0], item, f"{path}/{index}", problems) for index, item in enumerate(value)]
    if "*" in kind:
        return {name: _coerce(kind["*"], item, f"{path}/{name}", problems) for name, item in value.items()}
    return _coerce_object(kind, value, path, problems)


def _coerce_object(kind: dict[str, Any], value: dict[str, Any], path: str, problems: list[str]) -> dict[str, Any]:
    result = {}
    for name, item in value.items():
        inner = kind.get(name, kind.get(f"{name}!"))
        if inner is None:
            problems.append(f"{path}: extraneous key [{name}] is not permitted")
        else:
            result[name] = _coerce(inner, item, f"{path}/{name}", problems)
    required = [name[:-1] for name in kind if name.endswith("!")]
    problems += [f"{path}: required key [{name}] not found" for name in required if name not in value]
    return result


def _coerce_scalar(kind: str, value: Any, path: str, problems: list[str]) -> Any:
    result: Any = None
    if not isinstance(value, (dict, list)):
        result = _SCALARS[kind](value)
    return _mismatch(kind.capitalize(), value, path, problems) if result is None else result


def _boolean(value: Any) -> bool | None:
    return {"true": True, "false": False}.get(scalar_text(value).lower())


def _number(value: Any) -> float | int | None:
    if isinstance(value, bool):
        return None
    try:
        number = float(value)
    except ValueError:
        return None
    return int(number) if number.is_integer() else number


def _integer(value: Any) -> int | None:
    number = _number(value)
    return number if isinstance(number, int) else None


_SCALARS: dict[str, Callable[[Any], Any]] = {
    "string": scalar_text,
    "boolean": _boolean,
    "number": _number,
    "integer": _integer,
}


def _mismatch(expected: str, value: Any, path: str, problems: list[str]) -> Any:
    problems.append(f"{path}: expected type: {expected}, found: {JSON_NAMES.get(type(value), 'Null')}")
    return value
