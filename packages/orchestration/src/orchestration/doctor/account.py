"""The account: who asks, where, whether Redshift finds a network, and how much may run at once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
from botocore.exceptions import ClientError

from orchestration import stacks
from orchestration.doctor.finding import FAILURE, OK, WARNING, Finding
from orchestration.environments import Environment, destination
from orchestration.stacks import updates

#: A workgroup's network: three subnets in three availability zones, with three free addresses each.
#: https://docs.aws.amazon.com/redshift/latest/mgmt/serverless-usage-considerations.html
_SUBNETS, _ADDRESSES = 3, 3
#: Runs of a job at once, as the templates have it; and functions at once, of which a pipeline takes one.
_RUNS, _FUNCTIONS = 8, 10
#: Quotas by service and code: what each is called, and what less would make slower.
#: https://docs.aws.amazon.com/general/latest/gr/glue.html, …/gr/lambda-service.html
_QUOTAS = (
    ("glue", "L-5E4153CA", "Glue job runs at once", _RUNS),
    ("lambda", "L-B99A9384", "Lambda functions at once", _FUNCTIONS),
)


def identity(environment: Environment) -> Iterator[Finding]:
    caller = boto3.client("sts").get_caller_identity()
    if caller["Arn"].endswith(":root") and not environment.is_on_this_machine:
        yield Finding(
            "identity", WARNING, f"{caller['Arn']}: the account's root", "sign in as a role or user that may administer"
        )
    else:
        yield Finding("identity", OK, caller["Arn"])


def region(environment: Environment) -> Iterator[Finding]:
    found = destination.find(environment)
    yield Finding("region", OK, found.region)
    if not found.is_aws and not environment.is_on_this_machine:
        yield Finding("endpoint", WARNING, f"{found.endpoint}, which is not AWS", 'eval "$(elt local env --unset)"')


def network(environment: Environment) -> Iterator[Finding]:
    """Find whether Redshift finds subnets; not asked where the workgroup is there already, which has found its own."""
    if updates.outputs(boto3.client("cloudformation"), stacks.data_stack(environment.name)):
        yield Finding("network", OK, "the workgroup is deployed")
        return
    pages = (
        boto3.client("ec2")
        .get_paginator("describe_subnets")
        .paginate(Filters=[{"Name": "default-for-az", "Values": ["true"]}])
    )
    subnets = [subnet for page in pages for subnet in page["Subnets"]]
    zones = {one["AvailabilityZone"] for one in subnets if one["AvailableIpAddressCount"] >= _ADDRESSES}
    if not subnets:
        yield Finding("network", FAILURE, "there is no default VPC", "aws ec2 create-default-vpc")
    elif len(zones) < _SUBNETS:
        yield Finding(
            "network",
            FAILURE,
            f"the default VPC has {len(zones)} availability zones with {_ADDRESSES} free addresses in a subnet, and "
            f"Redshift Serverless asks for {_SUBNETS}",
            "aws ec2 create-default-subnet --availability-zone ZONE",
        )
    else:
        yield Finding("network", OK, f"the default VPC has subnets in {len(zones)} availability zones")


def quotas(environment: Environment) -> Iterator[Finding]:
    client = boto3.client("service-quotas")
    for service, code, name, wanted in _QUOTAS:
        value = _quota(client, service, code)
        request = (
            f"aws service-quotas request-service-quota-increase --service-code {service} --quota-code {code} "
            f"--desired-value {wanted}"
        )
        if value is None:
            yield Finding("quotas", WARNING, f"{name}: the account has no such quota")
        elif value < wanted:
            yield Finding("quotas", WARNING, f"{name}: {value:g}, of {wanted} that a backfill uses: slower", request)
        else:
            yield Finding("quotas", OK, f"{name}: {value:g}")


def _quota(client: Any, service: str, code: str) -> float | None:
    try:
        return float(client.get_service_quota(ServiceCode=service, QuotaCode=code)["Quota"]["Value"])
    except ClientError as error:
        if error.response["Error"]["Code"] == "NoSuchResourceException":
            return None
        raise


def stacks_of_environment(environment: Environment) -> Iterator[Finding]:
    """Yield where each stack is. One that CloudFormation has given up on needs a person."""
    client = boto3.client("cloudformation")
    for stack in (
        stacks.artifacts_stack(),
        stacks.data_stack(environment.name),
        stacks.pipelines_stack(environment.name),
    ):
        try:
            status = client.describe_stacks(StackName=stack.name)["Stacks"][0]["StackStatus"]
        except ClientError as error:
            if "does not exist" not in str(error):
                raise
            yield Finding("stacks", WARNING, f"{stack.name} is not deployed", f"elt deploy --env {environment.name}")
            continue
        if status in ("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"):
            yield Finding("stacks", OK, f"{stack.name} {status}")
        elif status.endswith("_IN_PROGRESS"):
            yield Finding("stacks", WARNING, f"{stack.name} {status}: somebody is deploying")
        else:
            yield Finding(
                "stacks",
                FAILURE,
                f"{stack.name} {status}",
                f"aws cloudformation continue-update-rollback --stack-name {stack.name}"
                if status == "UPDATE_ROLLBACK_FAILED"
                else f"aws cloudformation describe-stack-events --stack-name {stack.name}",
            )
