"""Read what AWS has of an environment's resources, and write it: one table of how each type is read and written.

CloudFormation compares a template with the one before it, not with what is there, so that what somebody changes by
hand stays until the template changes the same resource. So every deployment records what is read here, and the next
one, like `elt diff`, compares (drift.py).
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

import boto3
from botocore.exceptions import ClientError

from orchestration.releases.bucket.records import NOTHING, Properties, Reading, State
from orchestration.stacks import Stack
from orchestration.stacks.updates import outputs

#: As Glue, IAM, Lambda and Scheduler, and Step Functions say it.
_NOT_THERE = (
    "EntityNotFoundException",
    "NoSuchEntity",
    "ResourceNotFoundException",
    "ResourceNotFound",
    "StateMachineDoesNotExist",
)
_FUNCTION_SETTINGS = (
    *("Description", "Environment", "Handler", "LoggingConfig"),
    *("MemorySize", "Role", "Runtime", "Timeout"),
)
#: How UpdateFunctionConfiguration takes a function's dead-letter queue away; GetFunctionConfiguration leaves it out.
_NO_TARGET = {"TargetArn": ""}


@dataclass(frozen=True)
class Kind:
    """How resources of one type are read, and written whole. A resource is known by its physical ID."""

    read: Callable[[str], Properties]
    write: Callable[[str, Properties], None]


def kinds(archives: Mapping[str, Mapping[str, str]]) -> dict[str, Kind]:
    """Return how each type is read and written; `archives` maps a function's CodeSha256 to its S3Bucket and S3Key."""
    states, scheduler = boto3.client("stepfunctions"), boto3.client("scheduler")
    glue, iam, lambdas = boto3.client("glue"), boto3.client("iam"), boto3.client("lambda")
    return {
        "AWS::Glue::Job": Kind(partial(read_job, glue), partial(write_job, glue)),
        "AWS::IAM::Role": Kind(partial(read_role, iam), partial(write_role, iam)),
        "AWS::Lambda::Function": Kind(
            partial(read_function, lambdas), partial(write_function, lambdas, archives=archives)
        ),
        "AWS::StepFunctions::StateMachine": Kind(partial(_read_machine, states), partial(_write_machine, states)),
        "AWS::StepFunctions::StateMachineAlias": Kind(partial(_read_alias, states), partial(_write_alias, states)),
        "AWS::Scheduler::Schedule": Kind(partial(_read_schedule, scheduler), partial(_write_schedule, scheduler)),
    }


def read(stack: Stack) -> Reading:
    """Read the jobs, functions, machines, aliases, schedules and roles of a stack; NOTHING where there is no stack."""
    cloudformation = boto3.client("cloudformation")
    if outputs(cloudformation, stack) is None:
        return NOTHING
    pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack.name)
    kinds_by_type = kinds({})
    found = {
        (one["ResourceType"], one["PhysicalResourceId"]): one["LastUpdatedTimestamp"].astimezone(datetime.UTC)
        for page in pages
        for one in page["StackResourceSummaries"]
        if one["ResourceType"] in kinds_by_type and one.get("PhysicalResourceId")  # one that could not be made has none
        if not one["ResourceStatus"].startswith("DELETE")
    }
    with ThreadPoolExecutor(8) as pool:
        states = pool.map(lambda one: _read_if_there(kinds_by_type[one[0]], one[1]), found)
        read = {f"{kind} {name}": state for (kind, name), state in zip(found, states, strict=True)}
    state: State = json.loads(json.dumps(read, default=str))  # as a deployment's record has it, times as text
    return Reading(state, {f"{kind} {name}": at.isoformat() for (kind, name), at in found.items()})


def _read_if_there(kind: Kind, name: str) -> Properties | None:
    try:
        return kind.read(name)
    except ClientError as error:
        if error.response["Error"]["Code"] in _NOT_THERE:
            return None
        raise


def read_job(glue: Any, name: str) -> dict[str, Any]:
    """Read all that can be set of a Glue job, as UpdateJob takes it."""
    settable = glue.meta.service_model.shape_for("JobUpdate").members
    return _drop_conflicting(
        {key: value for key, value in glue.get_job(JobName=name)["Job"].items() if key in settable}
    )


def write_job(glue: Any, name: str, definition: Properties) -> None:
    """Make a job what `definition`, from `read_job`, says, whole: UpdateJob sets what is left out to its default.

    https://docs.aws.amazon.com/glue/latest/webapi/API_UpdateJob.html
    """
    glue.update_job(JobName=name, JobUpdate=_drop_conflicting(definition))


def _drop_conflicting(definition: Properties) -> dict[str, Any]:
    """Leave out what GetJob returns and UpdateJob refuses beside the rest.

    AllocatedCapacity is MaxCapacity's old name, and MaxCapacity is only returned where workers are set. CloudFormation,
    too, sets one or the other. https://docs.aws.amazon.com/glue/latest/webapi/API_JobUpdate.html
    """
    dropped = {"AllocatedCapacity"}
    if definition.get("WorkerType") or definition.get("NumberOfWorkers"):
        dropped.add("MaxCapacity")
    return {key: value for key, value in definition.items() if key not in dropped}


def read_function(lambdas: Any, name: str) -> dict[str, Any]:
    """Read a function's code, as its sha256 (base64, as Lambda has it), and its configuration."""
    configuration = lambdas.get_function_configuration(FunctionName=name)
    settings = {key: configuration[key] for key in _FUNCTION_SETTINGS if key in configuration}
    layers = [layer["Arn"] for layer in configuration.get("Layers", [])]
    dead_letters = configuration.get("DeadLetterConfig", _NO_TARGET)
    return {"CodeSha256": configuration["CodeSha256"], **settings, "DeadLetterConfig": dead_letters, "Layers": layers}


def write_function(lambdas: Any, name: str, wanted: Properties, *, archives: Mapping[str, Mapping[str, str]]) -> None:
    """Make a function what `wanted`, from `read_function`, says.

    `archives` has its code, by CodeSha256. Lambda takes one change at a time, so each is waited for.
    """
    updated = lambdas.get_waiter("function_updated_v2")
    code = wanted["CodeSha256"]
    if lambdas.get_function_configuration(FunctionName=name)["CodeSha256"] != code:
        lambdas.update_function_code(FunctionName=name, **archives[code])
        updated.wait(FunctionName=name)
    settings = {key: value for key, value in wanted.items() if key != "CodeSha256"}
    lambdas.update_function_configuration(FunctionName=name, **settings)
    updated.wait(FunctionName=name)


def read_role(iam: Any, name: str) -> dict[str, Any]:
    """Read who may take a role, its own policies by name, and the ARNs of those attached to it."""
    names = _list_all(iam, "list_role_policies", "PolicyNames", name)
    attached = _list_all(iam, "list_attached_role_policies", "AttachedPolicies", name)
    return {
        "AssumeRolePolicyDocument": iam.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"],
        "Policies": {one: iam.get_role_policy(RoleName=name, PolicyName=one)["PolicyDocument"] for one in names},
        "AttachedPolicies": sorted(one["PolicyArn"] for one in attached),
    }


def write_role(iam: Any, name: str, wanted: Properties) -> None:
    """Make a role what `wanted`, from `read_role`, says; no policy is attached, since the stack's roles have none."""
    found = read_role(iam, name)
    if found["AssumeRolePolicyDocument"] != wanted["AssumeRolePolicyDocument"]:
        trust = json.dumps(wanted["AssumeRolePolicyDocument"])
        iam.update_assume_role_policy(RoleName=name, PolicyDocument=trust)
    for policy, document in wanted["Policies"].items():
        if found["Policies"].get(policy) != document:
            iam.put_role_policy(RoleName=name, PolicyName=policy, PolicyDocument=json.dumps(document))
    for policy in found["Policies"].keys() - wanted["Policies"].keys():
        iam.delete_role_policy(RoleName=name, PolicyName=policy)
    for arn in set(found["AttachedPolicies"]) - set(wanted["AttachedPolicies"]):
        iam.detach_role_policy(RoleName=name, PolicyArn=arn)


def _list_all(iam: Any, operation: str, key: str, name: str) -> list[Any]:
    pages = iam.get_paginator(operation).paginate(RoleName=name)
    return [one for page in pages for one in page[key]]


def _read_machine(states: Any, arn: str) -> Properties:
    machine = states.describe_state_machine(stateMachineArn=arn)
    return {name: machine[name] for name in ("definition", "roleArn")}


def _write_machine(states: Any, arn: str, wanted: Properties) -> None:
    """Write the machine that people edit; the alias keeps to its published version either way."""
    states.update_state_machine(stateMachineArn=arn, **wanted)


def _read_alias(states: Any, arn: str) -> Properties:
    """Read an alias's routes, by which is known what runs: a version never changes."""
    routes = states.describe_state_machine_alias(stateMachineAliasArn=arn)["routingConfiguration"]
    return {"routes": {route["stateMachineVersionArn"]: route["weight"] for route in routes}}


def _write_alias(states: Any, arn: str, wanted: Properties) -> None:
    routes = [{"stateMachineVersionArn": version, "weight": weight} for version, weight in wanted["routes"].items()]
    states.update_state_machine_alias(stateMachineAliasArn=arn, routingConfiguration=routes)


def _read_schedule(scheduler: Any, name: str) -> Properties:
    schedule = scheduler.get_schedule(Name=name)
    settable = scheduler.meta.service_model.shape_for("UpdateScheduleInput").members
    return {key: value for key, value in schedule.items() if key in settable and key != "Name"}


def _write_schedule(scheduler: Any, name: str, wanted: Properties) -> None:
    """Replace a schedule: UpdateSchedule takes all of it."""
    scheduler.update_schedule(Name=name, **wanted)
