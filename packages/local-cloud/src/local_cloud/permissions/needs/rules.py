"""Reads `resources.toml`, and applies it to a call."""

from __future__ import annotations

import itertools
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from local_cloud.permissions.needs import further, lookups
from local_cloud.permissions.needs.call import Call, Keys, Need, pass_role

_FIELD = re.compile(r"\{([\w.|]+)(?:=([^}:]*))?(?::(\w+))?\}")

#: Whose ARNs name no region.
_GLOBAL = frozenset({"iam", "sts"})


@dataclass(frozen=True)
class Rules:
    """One service's tables, turned to be looked up by operation."""

    resources: Mapping[str, tuple[str, ...]]
    actions: Mapping[str, str]
    passes: Mapping[str, tuple[tuple[str, str], ...]]
    """By operation: the parameter that holds a role, and the service it is passed to."""
    tagging: Mapping[str, str]
    """By operation: the action that its tags need."""
    keys: Mapping[str, str]


@lru_cache(maxsize=1)
def all_rules() -> Mapping[str, Rules]:
    read = tomllib.loads((Path(__file__).parent / "resources.toml").read_text(encoding="utf-8"))
    return {service: _rules(tables) for service, tables in read.items()}


def needs_of(call: Call) -> list[Need]:
    """What a call needs, its own action first."""
    rules, tags = all_rules().get(call.service), tag_keys(call.parameters)
    if rules is None:
        return [Need(f"{call.service}:{call.operation}", None, tags)]
    keys: dict[str, tuple[str, ...]] = dict(tags)
    for name, template in rules.keys.items():
        if values := tuple(value for value in _fill(template, call) if value != "*"):
            keys[name.lower()] = values
    action = f"{call.service}:{rules.actions.get(call.operation, call.operation)}"
    templates = rules.resources.get(call.operation)
    needs = (
        [Need(action, None, keys)]
        if templates is None
        else [Need(action, arn, keys) for template in templates for arn in _arns(template, call)]
    )
    if tags and (tagging := rules.tagging.get(call.operation)):
        needs += [Need(f"{call.service}:{tagging}", need.resource, keys) for need in list(needs)]
    for parameter, service in rules.passes.get(call.operation, ()):
        needs += [pass_role(role, service, call) for role in dict.fromkeys(_values(call.parameters, parameter))]
    return needs + further.needs_of(call)


def tag_keys(parameters: Mapping[str, Any]) -> Keys:
    """`aws:RequestTag/…` and `aws:TagKeys` of tags, in every shape that services take them."""
    found = parameters.get("Tags") or parameters.get("tags") or parameters.get("TagList") or {}
    if isinstance(found, list):
        pairs = [each for each in found if isinstance(each, dict)]
        found = {
            str(each.get("Key", each.get("key", each.get("TagKey")))): str(
                each.get("Value", each.get("value", each.get("TagValue", "")))
            )
            for each in pairs
        }
    keys = {f"aws:requesttag/{name}".lower(): (str(value),) for name, value in found.items()}
    names = tuple(found) or tuple(parameters.get("TagKeys") or parameters.get("tagKeys") or ())
    return keys | ({"aws:tagkeys": names} if names else {})


def _rules(tables: Mapping[str, Any]) -> Rules:
    resources = {
        operation: tuple(part.strip() for part in template.split(" + "))
        for template, operations in tables.get("resources", {}).items()
        for operation in operations.split()
    }
    passes: dict[str, tuple[tuple[str, str], ...]] = {}
    for service, places in tables.get("pass", {}).items():
        for place in places.split():
            operation, _, parameter = place.partition(".")
            passes[operation] = (*passes.get(operation, ()), (parameter, service))
    tagging = {each: action for action, operations in tables.get("tagging", {}).items() for each in operations.split()}
    return Rules(resources, tables.get("actions", {}), passes, tagging, tables.get("keys", {}))


def _arns(template: str, call: Call) -> Iterator[str]:
    if template == "*":
        yield "*"
        return
    region = "" if call.service in _GLOBAL else call.region
    prefix = f"arn:aws:{call.service}:{region}:{call.account_id}:"
    for filled in _fill(template, call):
        yield filled if filled == "*" or filled.startswith("arn:") else prefix + filled


def _fill(template: str, call: Call) -> Iterator[str]:
    """The template with its fields filled in, once for each combination of their values."""
    fields = list(_FIELD.finditer(template))
    for values in itertools.product(*(_choices(each, call) for each in fields)):
        arn = next((value for value in values if value.startswith("arn:")), "")
        if arn:
            yield arn
            continue
        text, end = [], 0
        for found, value in zip(fields, values, strict=True):
            text += [template[end : found.start()], value]
            end = found.end()
        yield "".join([*text, template[end:]])


def _choices(found: re.Match[str], call: Call) -> list[str]:
    """The values of a field: of the first parameter that is there, else its default, else "*"."""
    names, default, lookup = found[1].split("|"), found[2], found[3]
    given = next(filter(None, (_values(call.parameters, name) for name in names)), [])
    values = given or ([] if default is None else [default])
    if not values:
        return ["*"]
    return [lookups.BY_NAME[lookup](value, call) for value in values] if lookup else values


def _values(parameters: Any, path: str) -> list[str]:
    """What a dotted path leads to; lists on the way give one value for each of their items."""
    found = [parameters]
    for name in path.split("."):
        found = [each.get(name) for each in found if isinstance(each, Mapping)]
        found = [item for each in found for item in (each if isinstance(each, list) else [each]) if item is not None]
    return [str(each) for each in found if isinstance(each, (str, int)) and each != ""]
