"""What belongs to an environment and CloudFormation cannot hold: set by the API, again and again with the same end.

- The warehouse's usage limit: there is no resource type for it
  (https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_RedshiftServerless.html).
- How long Glue's log groups keep lines. They are the account's, not ours: Glue makes them with the first run of any
  job and lets them keep everything for ever. A Python Shell job cannot be given another group (continuous logging
  and its `--custom-logGroup-prefix` are for Spark,
  https://docs.aws.amazon.com/glue/latest/dg/monitor-continuous-logging.html). A retention somebody has chosen stays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import boto3

from orchestration.environments import Environment
from orchestration.joblogs import GROUPS
from orchestration.stacks import Change

#: Where `elt plan` shows it, beside the stacks.
NAME = "outside the stacks"
LOG_DAYS = 90
_LIMITED = "serverless-compute"


@dataclass(frozen=True)
class _Step:
    """One change and how it is made."""

    change: Change
    make: Callable[[], object]


def plan(environment: Environment, *, workgroup_arn: str | None) -> list[Change]:
    """What `apply` would change. `workgroup_arn` is None where there is no warehouse yet."""
    return [step.change for step in _steps(environment, workgroup_arn)]


def apply(environment: Environment, *, workgroup_arn: str) -> list[Change]:
    """Bring it all about; what that changed."""
    steps = list(_steps(environment, workgroup_arn))
    for step in steps:
        step.make()
    return [step.change for step in steps]


def _steps(environment: Environment, workgroup_arn: str | None) -> Iterator[_Step]:
    yield from _usage_limit(environment, workgroup_arn)
    for group in GROUPS:
        yield from _retention(group)


def _usage_limit(environment: Environment, workgroup_arn: str | None) -> Iterator[_Step]:
    redshift = boto3.client("redshift-serverless")
    wanted = {
        "amount": environment.usage_limit.rpu_hours_a_day,
        "breachAction": environment.usage_limit.when_reached,
    }
    limits = []
    if workgroup_arn is not None:
        pages = redshift.get_paginator("list_usage_limits").paginate(resourceArn=workgroup_arn, usageType=_LIMITED)
        limits = [limit for page in pages for limit in page["usageLimits"] if limit["period"] == "daily"]
    if not limits:
        given = {"resourceArn": workgroup_arn, "usageType": _LIMITED, "period": "daily", **wanted}
        yield _Step(_change("Add", "AWS::RedshiftServerless::UsageLimit"), lambda: redshift.create_usage_limit(**given))
        return
    # Redshift takes one limit of a kind and period for a workgroup.
    different = [name for name, value in wanted.items() if limits[0][name] != value]
    if different:
        identifier = limits[0]["usageLimitId"]
        yield _Step(
            _change("Modify", "AWS::RedshiftServerless::UsageLimit", *different),
            lambda: redshift.update_usage_limit(usageLimitId=identifier, **wanted),
        )


def _retention(group: str) -> Iterator[_Step]:
    logs = boto3.client("logs")
    pages = logs.get_paginator("describe_log_groups").paginate(logGroupNamePrefix=group)
    found = [one for page in pages for one in page["logGroups"] if one["logGroupName"] == group]
    if found and "retentionInDays" in found[0]:
        return

    def keep() -> None:
        if not found:
            logs.create_log_group(logGroupName=group)
        logs.put_retention_policy(logGroupName=group, retentionInDays=LOG_DAYS)

    kind, properties = "AWS::Logs::LogGroup", ["retentionInDays"] if found else []
    yield _Step(_change("Modify" if found else "Add", kind, *properties, name=group), keep)


def _change(action: str, kind: str, *properties: str, name: str = "") -> Change:
    return Change(
        stack=NAME,
        action=action,
        resource=kind.rsplit("::", 1)[-1],
        kind=kind,
        name=name,
        properties=tuple(sorted(properties)),
    )
