"""What AWS has of an environment now: read, held against what it should be, and restored where it was changed by hand.

CloudFormation compares a template with the one before it, not with what is there: what somebody changes by hand stays
until the template changes the same resource. So every deployment notes what it left, and the next one, like
`elt diff`, compares. What a deployment that was cut short has changed since is no hand's work: CloudFormation knows
when it last changed each resource.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import boto3
from botocore.exceptions import ClientError

from orchestration.errors import DeployError
from orchestration.releases import functions, jobs, roles
from orchestration.stacks import Stack, outputs

#: As Glue, IAM, Lambda and Scheduler, and Step Functions say it.
_NOT_THERE = (
    "EntityNotFoundException",
    "NoSuchEntity",
    "ResourceNotFoundException",
    "ResourceNotFound",
    "StateMachineDoesNotExist",
)

Properties = Mapping[str, Any]
#: Resource (`AWS::Glue::Job elt-dev-ingest-raw`) to its properties; None for one that the stack has and AWS has not.
State = Mapping[str, Properties | None]


@dataclass(frozen=True)
class Reading:
    """What there was at one time. `touched` is when CloudFormation last changed each resource, by its own clock."""

    state: State = field(default_factory=dict)
    touched: Mapping[str, str] = field(default_factory=dict)


NOTHING = Reading()


@dataclass(frozen=True)
class Difference:
    """A property that is not what it should be; `wanted` or `found` is None for what is not to be, or not there."""

    resource: str
    property: str
    wanted: Any
    found: Any


@dataclass(frozen=True)
class _Kind:
    """How resources of one type are read, and written whole. A resource is known by its physical ID."""

    read: Callable[[str], Properties]
    write: Callable[[str, Properties], None]


def read(stack: Stack) -> Reading:
    """The jobs, functions, state machines, aliases, schedules and roles of a stack; none where there is no stack."""
    cloudformation = boto3.client("cloudformation")
    if outputs(cloudformation, stack) is None:
        return NOTHING
    pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack.name)
    kinds = _kinds({})
    found = {
        (one["ResourceType"], one["PhysicalResourceId"]): one["LastUpdatedTimestamp"].astimezone(datetime.UTC)
        for page in pages
        for one in page["StackResourceSummaries"]
        if one["ResourceType"] in kinds and one.get("PhysicalResourceId")  # one that could not be made has none
        if not one["ResourceStatus"].startswith("DELETE")
    }
    with ThreadPoolExecutor(8) as pool:
        states = pool.map(lambda one: _read_if_there(kinds[one[0]], one[1]), found)
        read = {f"{kind} {name}": state for (kind, name), state in zip(found, states, strict=True)}
    state: State = json.loads(json.dumps(read, default=str))  # as a deployment's record has it, times as text
    return Reading(state, {f"{kind} {name}": at.isoformat() for (kind, name), at in found.items()})


def differences(wanted: State, found: State) -> list[Difference]:
    """Every property that differs, by resource; a whole resource is the property ""."""
    different: list[Difference] = []
    for resource in sorted({*wanted, *found}):
        one, other = wanted.get(resource), found.get(resource)
        if one is None or other is None:
            if (one is None) != (other is None):
                there = [None if state is None else "there" for state in (one, other)]
                different.append(Difference(resource, "", *there))
            continue
        different += [Difference(resource, *of_property) for of_property in _compare("", one, other)]
    return different


def by_hand(recorded: Reading, found: Reading, *, unfinished: bool) -> list[Difference]:
    """What differs from a deployment's record and no deployment explains.

    While one is `unfinished`, it explains what CloudFormation has made, changed or removed since the record.
    """
    return [
        one
        for one in differences(recorded.state, found.state)
        if not unfinished or found.touched.get(one.resource, "") == recorded.touched.get(one.resource)
    ]


def require_present(changed: list[Difference], found: Reading) -> None:
    """DeployError where something is gone that the stack still has: CloudFormation would not make it again."""
    gone = [one.resource for one in changed if one.resource in found.state and found.state[one.resource] is None]
    if gone:
        raise DeployError(
            f"{', '.join(dict.fromkeys(gone))} was deleted by hand, which CloudFormation does not notice: "
            "delete the stack with `elt destroy`, which keeps all data, and deploy again"
        )


def put_right(
    changed: list[Difference], recorded: Reading, found: Reading, *, archives: Mapping[str, Mapping[str, str]]
) -> Iterator[str]:
    """Write every resource that was changed as it was recorded; those written, one by one.

    What only one of the two has is for CloudFormation to make or delete. `archives` maps the CodeSha256 of functions
    to the S3Bucket and S3Key of their code.
    """
    kinds = _kinds(archives)
    for resource in dict.fromkeys(one.resource for one in changed):
        properties = recorded.state.get(resource)
        if properties is not None and found.state.get(resource) is not None:
            kind, name = resource.split(" ", 1)
            kinds[kind].write(name, properties)
            yield resource


def _compare(path: str, wanted: Any, found: Any) -> Iterator[tuple[str, Any, Any]]:
    if isinstance(wanted, Mapping) and isinstance(found, Mapping):
        for name in sorted({*wanted, *found}):
            yield from _compare(f"{path}.{name}" if path else name, wanted.get(name), found.get(name))
    elif wanted != found:
        yield path, wanted, found


def _read_if_there(kind: _Kind, name: str) -> Properties | None:
    try:
        return kind.read(name)
    except ClientError as error:
        if error.response["Error"]["Code"] in _NOT_THERE:
            return None
        raise


def _kinds(archives: Mapping[str, Mapping[str, str]]) -> dict[str, _Kind]:
    states, scheduler = boto3.client("stepfunctions"), boto3.client("scheduler")
    glue, iam, lambdas = boto3.client("glue"), boto3.client("iam"), boto3.client("lambda")
    return {
        "AWS::Glue::Job": _Kind(partial(jobs.read, glue), partial(jobs.write, glue)),
        "AWS::IAM::Role": _Kind(partial(roles.read, iam), partial(roles.write, iam)),
        "AWS::Lambda::Function": _Kind(partial(functions.read, lambdas), partial(functions.write, lambdas, archives)),
        "AWS::StepFunctions::StateMachine": _Kind(partial(_machine, states), partial(_write_machine, states)),
        "AWS::StepFunctions::StateMachineAlias": _Kind(partial(_alias, states), partial(_write_alias, states)),
        "AWS::Scheduler::Schedule": _Kind(partial(_schedule, scheduler), partial(_write_schedule, scheduler)),
    }


def _machine(states: Any, arn: str) -> Properties:
    machine = states.describe_state_machine(stateMachineArn=arn)
    return {name: machine[name] for name in ("definition", "roleArn")}


def _write_machine(states: Any, arn: str, wanted: Properties) -> None:
    """The machine as it is edited; the alias keeps to its published version either way."""
    states.update_state_machine(stateMachineArn=arn, **wanted)


def _alias(states: Any, arn: str) -> Properties:
    """Its routes, and what runs by them: a version never changes."""
    routes = states.describe_state_machine_alias(stateMachineAliasArn=arn)["routingConfiguration"]
    return {"routes": {route["stateMachineVersionArn"]: route["weight"] for route in routes}}


def _write_alias(states: Any, arn: str, wanted: Properties) -> None:
    routes = [{"stateMachineVersionArn": version, "weight": weight} for version, weight in wanted["routes"].items()]
    states.update_state_machine_alias(stateMachineAliasArn=arn, routingConfiguration=routes)


def _schedule(scheduler: Any, name: str) -> Properties:
    schedule = scheduler.get_schedule(Name=name)
    settable = scheduler.meta.service_model.shape_for("UpdateScheduleInput").members
    return {key: value for key, value in schedule.items() if key in settable and key != "Name"}


def _write_schedule(scheduler: Any, name: str, wanted: Properties) -> None:
    """UpdateSchedule replaces the whole schedule."""
    scheduler.update_schedule(Name=name, **wanted)
