"""Settings that CloudFormation has no resource type for: applied through the API, idempotently.

- The warehouse's usage limit: there is no resource type for it
  (https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_RedshiftServerless.html).
- What database users may do (grants.py), and the columns of the datasets' tables (tables.py). A question to the
  warehouse would wake it, and be billed for a minute: what has been applied is a tag of the workgroup.
- How long Glue's log groups keep lines. They are the account's: Glue makes them with the first run of any
  job and lets them keep everything for ever. A Python Shell job cannot be given another group (continuous logging
  and its `--custom-logGroup-prefix` are for Spark,
  https://docs.aws.amazon.com/glue/latest/dg/monitor-continuous-logging.html). A retention somebody has chosen stays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import boto3

from orchestration import objects, pipelines, warehouse
from orchestration.environments import Environment
from orchestration.errors import DeployError
from orchestration.joblogs import GROUPS
from orchestration.progress import Progress
from orchestration.stacks import Change, grants, tables
from orchestration.stacks.tables import Alteration, Table

#: Where `elt plan` shows it, beside the stacks.
NAME = "outside the stacks"
LOG_DAYS = 90
#: The tag of a workgroup that names the grants made in it.
GRANTS = "elt-grants"
#: The tag that identifies what datasets said of their tables when these were last brought to it.
TABLES = "elt-tables"
_LIMITED = "serverless-compute"


@dataclass(frozen=True)
class Wanted:
    """What a release says of the warehouse: its datasets' tables. `going_back` is for one that was there before."""

    tables: Sequence[Table] = ()
    going_back: bool = False


@dataclass(frozen=True)
class _Step:
    """One change and how it is made; None for what is no change to a person."""

    change: Change | None
    make: Callable[[], object]


@dataclass(frozen=True)
class _Warehouse:
    workgroup: str
    database: str
    namespace: str


def plan(environment: Environment, *, data: Mapping[str, str], wanted: Wanted) -> list[Change]:
    """List what `apply` would change. `data` are the outputs of the data stack, none where it is not there yet.

    Errors: DeployError for a table that cannot be brought to its dataset.
    """
    return [step.change for step in _steps(environment, data, wanted, report=_report_nothing) if step.change]


def apply(environment: Environment, *, data: Mapping[str, str], wanted: Wanted, report: Progress) -> list[Change]:
    """Apply every setting that differs; returns what that changed. Errors: DeployError."""
    made = []
    # One by one: a limit that is reached is raised before the warehouse is asked.
    for step in _steps(environment, data, wanted, report=report):
        step.make()
        if step.change:
            made.append(step.change)
    return made


def require_tables(environment: Environment, *, data: Mapping[str, str], wanted: Wanted) -> None:
    """Raise DeployError for a table that `apply` could not bring to its dataset."""
    for _ in _tables(environment, data, wanted, report=_report_nothing):
        pass


def _report_nothing(_: str) -> None:
    pass


def _steps(environment: Environment, data: Mapping[str, str], wanted: Wanted, *, report: Progress) -> Iterator[_Step]:
    yield from _usage_limit(environment, data.get("WorkgroupArn"))
    yield from _grants(environment, data)
    yield from _tables(environment, data, wanted, report=report)
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
    before, wanted = _tag(data, GRANTS), grants.digest(environment, data["Database"])
    if before == wanted:
        return

    def grant() -> None:
        grants.apply(environment, data["Database"], _query(data))
        _set_tag(data, GRANTS, wanted)

    yield _Step(_change("Modify" if before else "Add", kind, name=name), grant)


def _tables(environment: Environment, data: Mapping[str, str], wanted: Wanted, *, report: Progress) -> Iterator[_Step]:
    """Yield a step for each table that is altered, unless the workgroup's tag is that of these tables.

    A dataset of which no month is transformed can have no table. One that has no table yet is looked for again by the
    next deployment: a load that is under way may make it as an earlier release has it.
    """
    if "WorkgroupArn" not in data:
        return
    s3, bucket = boto3.client("s3"), data["ProcessedBucket"]
    begun = [one for one in wanted.tables if any(objects.list_under(s3, bucket, f"{one.dataset}/"))]
    if not begun or _tag(data, TABLES) == tables.digest(begun):
        return
    query = _query(data)
    found = tables.read(begun, query)
    there = [one for one in begun if one.name in found]
    steps = [(one, tables.alterations(one, found[one.name], going_back=wanted.going_back)) for one in there]

    def alter(table: Table, altered: Sequence[Alteration]) -> None:
        for one in altered:
            query(one.sql)
        ((first, last),) = query(f"SELECT MIN(source_month), MAX(source_month) FROM {table.full_name}")  # noqa: S608
        for pipeline in pipelines.all_pipelines():
            if pipeline.table == table.full_name and first:
                columns, months = [one.column for one in altered], (str(first)[:7], str(last)[:7])
                report(tables.reload_hint(table, columns, pipeline.name, months, environment.name))

    for table, altered in steps:
        if altered:
            change = _change("Modify", "AWS::Redshift::Table", *(one.column for one in altered), name=table.full_name)
            yield _Step(change, partial(alter, table, altered))
    yield _Step(None, lambda: _set_tag(data, TABLES, tables.digest(there)))


def _tag(data: Mapping[str, str], key: str) -> str | None:
    """Read the value of a tag of the workgroup; None where it has none."""
    answer = boto3.client("redshift-serverless").list_tags_for_resource(resourceArn=data["WorkgroupArn"])
    return next((str(tag["value"]) for tag in answer["tags"] if tag["key"] == key), None)


def _set_tag(data: Mapping[str, str], key: str, value: str) -> None:
    redshift = boto3.client("redshift-serverless")
    redshift.tag_resource(resourceArn=data["WorkgroupArn"], tags=[{"key": key, "value": value}])


def _query(data: Mapping[str, str]) -> grants.Query:
    return partial(_ask, _Warehouse(data["Workgroup"], data["Database"], data["Namespace"]))


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
