"""Unroll Fn::ForEach, which a template has with `Transform: AWS::LanguageExtensions`.

A loop stands in Conditions, Resources and Outputs, in their properties too, and in another loop. `${Name}` becomes the
item in every text, `&{Name}` its letters and digits in keys alone (in values AWS leaves it as it stands,
https://github.com/aws-cloudformation/cfn-language-discussion/issues/162), and `Ref: Name` the item itself:
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference-foreach.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from local_cloud.services.cloudformation.errors import ValidationError
from local_cloud.services.cloudformation.templates.references import SUB_VARIABLE
from local_cloud.services.cloudformation.templates.values import scalar_text

PREFIX = "Fn::ForEach::"
_SECTIONS = ("Conditions", "Resources", "Outputs")


def unroll(document: dict[str, Any], read_list: Callable[[str], list[str]]) -> dict[str, Any]:
    """Return the template with its loops written out. `read_list(parameter)` gives the items of a list parameter.

    Errors: ValidationError for a loop that AWS refuses.
    """
    sections = {name: document[name] for name in _SECTIONS if isinstance(document.get(name), dict)}
    names = list(_loop_names(sections))
    logical_ids = sections.get("Resources", {}).keys()
    for name in names:
        if not re.fullmatch(r"[A-Za-z0-9]+", name):
            raise _failed(f"the loop name {name!r} is non alphanumeric")
        if names.count(name) > 1 or name in logical_ids:
            raise _failed(f"the loop name {name} is not unique within the template")
    loops = _Loops(document.get("Mappings", {}), document.get("Parameters", {}), read_list)
    return document | {name: loops.walk(value, {}) for name, value in sections.items()}


def _loop_names(value: Any) -> Iterator[str]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        if isinstance(key, str) and key.startswith(PREFIX):
            yield key.removeprefix(PREFIX)
        yield from _loop_names(item)


class _Loops:
    def __init__(self, mappings: Any, parameters: Any, read_list: Callable[[str], list[str]]) -> None:
        self.mappings = mappings
        self.parameters = parameters
        self.read_list = read_list

    def walk(self, value: Any, items: Mapping[str, str]) -> Any:
        """Return `value` with its loops written out, and with the items of the loops around it."""
        if isinstance(value, str):
            return _in_text(value, items)
        if isinstance(value, list):
            return [self.walk(each, items) for each in value]
        if not isinstance(value, dict):
            return value
        if items and len(value) == 1:
            ((name, argument),) = value.items()
            if name == "Ref" and isinstance(argument, str) and argument in items:
                return items[argument]
            if name == "Fn::Sub":
                return self._sub(argument, items)
        result: dict[str, Any] = {}
        for key, item in value.items():
            if isinstance(key, str) and key.startswith(PREFIX):
                written = self._loop(key, item, items)
            else:
                written = {_in_key(key, items): self.walk(item, items)}
            if twice := sorted(written.keys() & result.keys()):
                raise _failed(f"duplicate key {twice[0]}")
            result |= written
        return result

    def _sub(self, argument: Any, items: Mapping[str, str]) -> Any:
        """A text without further variables is plain, so that `Ref: !Sub Topic${X}` names a resource."""
        if not isinstance(argument, str):
            return {"Fn::Sub": self.walk(argument, items)}
        text = _in_text(argument, items)
        return {"Fn::Sub": text} if SUB_VARIABLE.search(text) else text

    def _loop(self, key: str, argument: Any, items: Mapping[str, str]) -> dict[str, Any]:
        if not isinstance(argument, list) or len(argument) != 3:
            raise _failed(f"{key} requires a list of three elements: identifier, collection and fragment")
        identifier, collection, fragment = argument
        if not isinstance(identifier, str) or not re.fullmatch(r"[A-Za-z0-9]+", identifier):
            raise _failed(f"{key}: the identifier must be an alphanumeric string")
        if identifier in items or identifier in self.parameters:
            raise _failed(f"{key}: the identifier {identifier} is the name of a parameter or of a loop around it")
        if not isinstance(fragment, dict) or not fragment:
            raise _failed(f"{key}: the fragment must be a map")
        for name in fragment:
            if not name.startswith(PREFIX) and not re.search(rf"[$&]{{{identifier}}}", name):
                raise _failed(f"{key}: the key {name} must contain ${{{identifier}}} or &{{{identifier}}}")
        result: dict[str, Any] = {}
        for item in self._collection(key, collection, items):
            written = self.walk(fragment, {**items, identifier: item})
            if twice := sorted(written.keys() & result.keys()):
                raise _failed(f"{key}: duplicate key {twice[0]}")
            result |= written
        return result

    def _collection(self, key: str, collection: Any, items: Mapping[str, str]) -> list[str]:
        if isinstance(collection, dict):
            collection = self._resolved(key, self.walk(collection, items))
        if not isinstance(collection, list):
            raise _failed(f"{key}: the collection must be a list, or a Ref to a list parameter")
        values = [
            self._resolved(key, self.walk(each, items)) if isinstance(each, dict) else each for each in collection
        ]
        if any(isinstance(each, (dict, list)) for each in values):
            raise _failed(f"{key}: every item of the collection must be a string")
        return [scalar_text(each) for each in values]

    def _resolved(self, key: str, value: Any) -> Any:
        """The value of a function that is known before anything is made: a parameter's, or a mapping's."""
        if not isinstance(value, dict) or len(value) != 1:
            return value
        ((name, argument),) = value.items()
        if name == "Ref" and isinstance(argument, str) and argument in self.parameters:
            return self.read_list(argument)
        if name == "Fn::FindInMap" and isinstance(argument, list) and all(isinstance(each, str) for each in argument):
            try:
                return self.mappings[argument[0]][argument[1]][argument[2]]
            except (KeyError, IndexError, TypeError):
                raise _failed(f"{key}: unable to get mapping for {'::'.join(argument)}") from None
        raise _failed(f"{key}: {name} cannot be resolved in a collection")


def _in_text(text: str, items: Mapping[str, str]) -> str:
    for name, item in items.items():
        text = text.replace(f"${{{name}}}", item)
    return text


def _in_key(key: Any, items: Mapping[str, str]) -> Any:
    if isinstance(key, str):
        for name, item in items.items():
            key = key.replace(f"&{{{name}}}", re.sub(r"[^A-Za-z0-9]", "", item))
        return _in_text(key, items)
    return key


def _failed(reason: str) -> ValidationError:
    return ValidationError(f"Transform AWS::LanguageExtensions failed with: {reason}.")
