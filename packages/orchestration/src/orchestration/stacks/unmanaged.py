"""Settings that CloudFormation has no resource type for: applied through the API, idempotently.

- The warehouse's usage limit: there is no resource type for it
  (https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_RedshiftServerless.html).
- What database users may do (grants.py). A question to the warehouse would wake it, and be billed for a minute: which
  grants have been made is a tag of the workgroup.
- How long Glue's log groups keep lines. They are the account's: Glue makes them with the first run of any
  job and lets them keep everything for ever. A Python Shell job cannot be given another group (continuous logging
  and its `--custom-logGroup-prefix` are for Spark,
  https://docs.aws.amazon.com/glue/latest/dg/monitor-continuous-logging.html). A retention somebody has chosen stays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import boto3

from orchestration import warehouse
from orchestration.environments import Environment
from orchestration.errors import DeployError
from orchestration.joblogs import GROUPS
from orchestration.stacks import Change, grants

#: Where `elt plan` shows it, beside the stacks.
NAME = "outside the stacks"
LOG_DAYS = 90
#: The tag of a workgroup that names the grants made in it.
GRANTS = "elt-grants"
_LIMITED = "serverless-compute"


@dataclass(frozen=True)
class _Step:
    """One change and how it is made."""

    change: Change
    make: Callable[[], object]


@dataclass(frozen=True)
class _Warehouse:
    workgroup: str
    database: str
    namespace: str


def plan(environment: Environment, *, data: Mapping[str, str]) -> list[Change]:
    """List what `apply` would change. `data` are the outputs of the data stack, none where it is not there yet."""
    return [step.change for step in _steps(environment, data)]


def apply(environment: Environment, *, data: Mapping[str, str]) -> list[Change]:
    """Apply every setting that differs; returns what that changed."""
    made = []
    # One by one: a limit that is reached is raised before the warehouse is asked.
    for step in _steps(environment, data):
        step.make()
        made.append(step.change)
    return made


def _steps(environment: Environment, data: Mapping[str, str]) -> Iterator[_Step]:
    yield from _usage_limit(environment, data.get("WorkgroupArn"))
    yield from _grants(environment, data)
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


def _grants(environment: Environment, data: Mapping[str, str]) -> Iterator[_Step]:
    """Yield all grants in one step, unless the workgroup's tag says that these have been made."""
    users = [grants.jobs_user(environment), *sorted(grants.readers(environment))]
    kind, name = "AWS::Redshift::DatabasePrivilege", ", ".join(users)
    if "WorkgroupArn" not in data:
        yield _Step(_change("Add", kind, name=name), lambda: None)
        return
    redshift, arn = boto3.client("redshift-serverless"), data["WorkgroupArn"]
    tags = {tag["key"]: tag["value"] for tag in redshift.list_tags_for_resource(resourceArn=arn)["tags"]}
    wanted = grants.digest(environment, data["Database"])
    if tags.get(GRANTS) == wanted:
        return
    place = _Warehouse(data["Workgroup"], data["Database"], data["Namespace"])

    def grant() -> None:
        grants.apply(environment, place.database, lambda sql: _ask(place, sql))
        redshift.tag_resource(resourceArn=arn, tags=[{"key": GRANTS, "value": wanted}])

    yield _Step(_change("Modify" if GRANTS in tags else "Add", kind, name=name), grant)


def _ask(place: _Warehouse, sql: str) -> list[tuple[Any, ...]]:
    from rs_query import RsQueryError

    try:
        return warehouse.query(place, sql)
    except RsQueryError as error:
        raise DeployError(f"the warehouse {place.workgroup} refused its administrator: {error}") from error


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
