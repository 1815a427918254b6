"""The functions a template's values may use: Ref, Fn::GetAtt, Fn::Sub and the rest."""

from __future__ import annotations

import base64
import ipaddress
import itertools
import json
import re
from collections.abc import Callable
from typing import Any

from local_cloud.services.cloudformation.errors import ValidationError
from local_cloud.services.cloudformation.templates.references import SUB_VARIABLE, get_att_parts, sub_parts
from local_cloud.services.cloudformation.templates.scope import Scope
from local_cloud.services.cloudformation.templates.values import NO_VALUE, UNKNOWN, contains_unknown, pair, scalar_text


def _ref(scope: Scope, argument: Any) -> Any:
    if not isinstance(argument, str):
        raise ValidationError("Template error: every Ref object must have a single String value.")
    return scope.ref(argument)


def _get_att(scope: Scope, argument: Any) -> Any:
    name, attribute = get_att_parts(argument)
    return scope.resources.attribute(name, scope.evaluate(attribute))


def _sub(scope: Scope, argument: Any) -> Any:
    text, variables = sub_parts(argument)
    local = {name: scope.evaluate(value) for name, value in variables.items()}
    unknown = False

    def replace(match: re.Match[str]) -> str:
        nonlocal unknown
        literal, name = match[1], match[2].strip()
        if literal:
            return f"${{{match[2]}}}"
        head, dot, attribute = name.partition(".")
        named = scope.resources.attribute if dot else lambda head, _: scope.ref(head)
        value = local[name] if name in local else named(head, attribute)
        if value is UNKNOWN:
            unknown = True
            return ""
        if isinstance(value, (dict, list)) or value is NO_VALUE:
            raise ValidationError(f"Template error: variable {name} in Fn::Sub expression does not resolve to a string")
        return scalar_text(value)

    result = SUB_VARIABLE.sub(replace, text)
    return UNKNOWN if unknown else result


def _if(scope: Scope, argument: Any) -> Any:
    if not isinstance(argument, list) or len(argument) != 3:
        raise ValidationError("Template error: Fn::If requires a list argument with three elements")
    return scope.evaluate(argument[1] if scope.condition(argument[0]) else argument[2])


def _known(function: Callable[[Scope, Any], Any]) -> Callable[[Scope, Any], Any]:
    """Apply to the evaluated argument; UNKNOWN as soon as some part of it is."""

    def applied(scope: Scope, argument: Any) -> Any:
        value = scope.evaluate(argument)
        return UNKNOWN if contains_unknown(value) else function(scope, value)

    return applied


@_known
def _join(scope: Scope, argument: Any) -> str:
    complaint = (
        "every Fn::Join object requires two parameters, (1) a string delimiter and (2) a list of strings to be joined "
        "or a function that returns a list of strings (such as Fn::GetAZs) to be joined."
    )
    delimiter, items = pair(argument, complaint)
    if not isinstance(delimiter, str) or not isinstance(items, list):
        raise ValidationError(f"Template error: {complaint}")
    if any(isinstance(item, (dict, list)) for item in items):
        raise ValidationError(f"Template error: {complaint}")
    return delimiter.join(map(scalar_text, items))


def _select(scope: Scope, argument: Any) -> Any:
    complaint = "Fn::Select requires a list argument with two elements: an integer index and a list"
    index, items = pair(scope.evaluate(argument), complaint)
    if index is UNKNOWN or items is UNKNOWN:
        return UNKNOWN
    if not isinstance(items, list) or not re.fullmatch(r"\d+", scalar_text(index)):
        raise ValidationError(f"Template error: {complaint}")
    if int(index) >= len(items):
        raise ValidationError(f"Template error: Fn::Select cannot select nonexistent value at index {index}")
    return items[int(index)]


@_known
def _split(scope: Scope, argument: Any) -> list[str]:
    complaint = "every Fn::Split object requires two parameters, (1) a string delimiter and (2) a string to be split"
    delimiter, text = pair(argument, complaint)
    if not isinstance(delimiter, str) or not delimiter or not isinstance(text, str):
        raise ValidationError(f"Template error: {complaint}")
    return text.split(delimiter)


def _find_in_map(scope: Scope, argument: Any) -> Any:
    default: Any = NO_VALUE
    if isinstance(argument, list) and len(argument) == 4 and scope.language_extensions:
        default = scope.evaluate(argument[3].get("DefaultValue"))
        argument = argument[:3]
    if not isinstance(argument, list) or len(argument) != 3:
        raise ValidationError(
            "Template error: every Fn::FindInMap object requires three parameters, the map name, map key and the "
            "attribute for return value"
        )
    name, key, attribute = map(scalar_text, (scope.evaluate(item) for item in argument))
    if name not in scope.mappings:
        if default is not NO_VALUE:
            return default
        raise ValidationError(
            f"Template error: Mapping named '{name}' is not present in the 'Mappings' section of template."
        )
    try:
        return scope.mappings[name][key][attribute]
    except KeyError:
        if default is not NO_VALUE:
            return default
        raise ValidationError(f"Template error: Unable to get mapping for {name}::{key}::{attribute}") from None


def _import_value(scope: Scope, argument: Any) -> Any:
    name = scope.evaluate(argument)
    if not isinstance(name, str):
        raise ValidationError("Template error: the attribute in Fn::ImportValue must not depend on any resources")
    return scope.import_value(name)


@_known
def _base64(scope: Scope, argument: Any) -> str:
    if not isinstance(argument, str):
        raise ValidationError("Template error: every Fn::Base64 object must have a String-typed value.")
    return base64.b64encode(argument.encode()).decode()


@_known
def _cidr(scope: Scope, argument: Any) -> list[str]:
    complaint = (
        "Template error: every Fn::Cidr object requires an IP block, a count of 1 to 256 and, optionally, cidrBits"
    )
    if not isinstance(argument, list) or len(argument) not in (2, 3):
        raise ValidationError(complaint)
    try:
        block = ipaddress.ip_network(argument[0], strict=False)
        count = int(argument[1])
        bits = int(argument[2]) if len(argument) == 3 else 8
        subnets = list(itertools.islice(block.subnets(new_prefix=block.max_prefixlen - bits), count))
    except ValueError:
        raise ValidationError(complaint) from None
    if not 1 <= count <= 256 or len(subnets) < count:
        raise ValidationError(complaint)
    return [str(subnet) for subnet in subnets]


@_known
def _get_azs(scope: Scope, argument: Any) -> list[str]:
    return [f"{argument or scope.names['AWS::Region']}{zone}" for zone in "abc"]


def _extension(function: Callable[[Scope, Any], Any], name: str) -> Callable[[Scope, Any], Any]:
    """A function that a template has only with `Transform: AWS::LanguageExtensions`."""

    def applied(scope: Scope, argument: Any) -> Any:
        if not scope.language_extensions:
            raise ValidationError(f"Template error: {name} requires the transform AWS::LanguageExtensions")
        return function(scope, argument)

    return applied


@_known
def _length(scope: Scope, argument: Any) -> int:
    if not isinstance(argument, list):
        raise ValidationError("Template error: Fn::Length requires a list")
    return len(argument)


@_known
def _to_json_string(scope: Scope, argument: Any) -> str:
    if not isinstance(argument, (dict, list)):
        raise ValidationError("Template error: Fn::ToJsonString requires an object or a list")
    return json.dumps(argument, separators=(",", ":"))


FUNCTIONS: dict[str, Callable[[Scope, Any], Any]] = {
    "Ref": _ref,
    "Fn::Base64": _base64,
    "Fn::Cidr": _cidr,
    "Fn::FindInMap": _find_in_map,
    "Fn::GetAZs": _get_azs,
    "Fn::GetAtt": _get_att,
    "Fn::If": _if,
    "Fn::ImportValue": _import_value,
    "Fn::Join": _join,
    "Fn::Length": _extension(_length, "Fn::Length"),
    "Fn::Select": _select,
    "Fn::Split": _split,
    "Fn::Sub": _sub,
    "Fn::ToJsonString": _extension(_to_json_string, "Fn::ToJsonString"),
}
