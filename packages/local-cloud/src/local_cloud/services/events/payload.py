"""What a target of a rule gets of an event.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

_MISSING = object()
_STEP = re.compile(r"\.([\w/-]+)|\[(\d+)\]")
_PATH = re.compile(rf"\$(?:{_STEP.pattern})*")
#: A string of a template, or a variable that stands by itself.
_PART = re.compile(r'"(?:[^"\\]|\\.)*"|<([^<>"]+)>')
_VARIABLE = re.compile(r"<([^<>\"]+)>")


def of(target: Mapping[str, Any], event: Mapping[str, Any], *, rule_name: str, rule_arn: str) -> str:
    """The text that a target gets: JSON, or lines of quoted text where its template has those."""
    if "Input" in target:
        return str(target["Input"])
    if path := target.get("InputPath"):
        value = find(path, event)
        return json.dumps(None if value is _MISSING else value)
    if transformer := target.get("InputTransformer"):
        without_detail = {name: value for name, value in event.items() if name != "detail"}
        variables = {
            **{name: find(path, event) for name, path in transformer.get("InputPathsMap", {}).items()},
            "aws.events.rule-arn": rule_arn,
            "aws.events.rule-name": rule_name,
            "aws.events.event": without_detail,
            "aws.events.event.json": event,
            "aws.events.event.ingestion-time": event["time"],
        }
        return _fill(transformer["InputTemplate"], variables)
    return json.dumps(event)


def is_path(text: str) -> bool:
    """Whether `find` understands it: names and numbers, with no wildcard."""
    return _PATH.fullmatch(text) is not None


def find(path: str, event: Any) -> Any:
    """What `$.detail.status` or `$.resources[0]` names in an event, _MISSING where it has no such part."""
    for name, index in _STEP.findall(path):
        if name and isinstance(event, Mapping) and name in event:
            event = event[name]
        elif index and isinstance(event, list) and int(index) < len(event):
            event = event[int(index)]
        else:
            return _MISSING
    return event


def _fill(template: str, variables: Mapping[str, Any]) -> str:
    """A template with its variables' values: text within a string, JSON where one stands by itself.

    Of what is not in the event nothing comes; what is no variable stays.
    """

    def within(found: re.Match[str]) -> str:
        value = variables.get(found[1], found[0])
        text = "" if value is _MISSING else value if isinstance(value, str) else json.dumps(value)
        return json.dumps(text)[1:-1]

    def alone(found: re.Match[str]) -> str:
        if found[1] is None:
            return _VARIABLE.sub(within, found[0])
        if found[1] not in variables:
            return found[0]
        value = variables[found[1]]
        return json.dumps("" if value is _MISSING else value)

    return _PART.sub(alone, template)
