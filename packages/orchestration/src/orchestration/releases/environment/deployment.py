"""Find what is deployed to an environment, deploy a checkout to it, and destroy what holds no data."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import boto3

from orchestration import pipelines, stacks
from orchestration.environments import Environment
from orchestration.errors import NotDeployed
from orchestration.progress import Progress
from orchestration.releases.bucket import lease, publishing, records
from orchestration.releases.bucket.records import Deployed
from orchestration.releases.environment.rollout import explain_interruption, require_development, roll_out
from orchestration.stacks import operation, updates


@dataclass(frozen=True)
class Deployment:
    """What the commands need of a deployed environment.

    `machines` maps a pipeline to its `live` alias; `backfill` is the alias of the machine that runs many months.
    """

    environment: str
    artifact_bucket: str
    raw_bucket: str
    processed_bucket: str
    reports_bucket: str
    workgroup: str
    database: str
    namespace: str
    machines: dict[str, str]
    backfill: str


def find(environment: Environment) -> Deployment:
    """Find what is deployed to an environment. Errors: NotDeployed names what is missing."""
    cloudformation = boto3.client("cloudformation")
    values: dict[str, str] = {}
    for stack in stacks_of(environment):
        found = updates.outputs(cloudformation, stack)
        if found is None:
            raise NotDeployed(f"stack {stack.name} is not deployed; run `elt deploy --env {environment.name}` first")
        values |= found
    try:
        return Deployment(
            environment=environment.name,
            artifact_bucket=values["ArtifactBucket"],
            raw_bucket=values["RawBucket"],
            processed_bucket=values["ProcessedBucket"],
            reports_bucket=values["ReportsBucket"],
            workgroup=values["Workgroup"],
            database=values["Database"],
            namespace=values["Namespace"],
            machines={one.name: values[f"{pipelines.camel(one.name)}Live"] for one in pipelines.all_pipelines()},
            backfill=values["BackfillLive"],
        )
    except KeyError as missing:
        raise NotDeployed(
            f"{environment.name} has no {missing.args[0]}, so it was deployed by another version;"
            f" run `elt deploy --env {environment.name}` first"
        ) from None


def deploy(environment: Environment, root: Path, *, report: Progress) -> Deployed:
    """Deploy the checkout at `root`, as a development release: it takes no version.

    `report` receives each step in a few words. Errors: DeployError, PublishError; UsageError where an environment takes
    no development releases.
    """
    require_development(environment)
    store, release = publishing.publish(root, development=True, report=report)
    return roll_out(environment, store, release, action="deploy", report=report)


def destroy(environment: Environment, *, report: Progress) -> bool:
    """Delete what holds no data: the pipelines stack, and the marks of failures that pipelines left.

    False where there was no such stack. It is recorded, and excludes deployments, as they do each other. Errors:
    DeployError; Interrupted, which says what is unfinished.
    """
    try:
        store = publishing.find_artifacts()
    except NotDeployed:  # nor is there a record, then
        return _delete(environment, report=report)
    what = records.what(records.DESTROY, records.NO_RELEASE, environment.name)
    with lease.hold(store, environment.name, what=what, report=report) as own:
        before = records.standing(store, environment.name)
        stack = stacks.pipelines_stack(environment.name).name
        if not (before.live or before.unfinished or operation.status_of(boto3.client("cloudformation"), stack)):
            return _delete(environment, report=report)
        begun = records.begin(
            store,
            environment.name,
            records.NO_RELEASE,
            action=records.DESTROY,
            settings={},
            holder=own.terms.holder,
        )
        with explain_interruption(begun, before.live):
            deleted = _delete(environment, report=report)
            own.check()
            records.end(store, begun)
    return deleted


def _delete(environment: Environment, *, report: Progress) -> bool:
    deleted = operation.delete(
        boto3.client("cloudformation"), stacks.pipelines_stack(environment.name).name, report=report
    )
    ssm = boto3.client("ssm")
    pages = ssm.get_paginator("get_parameters_by_path").paginate(
        Path=f"/elt/{environment.name}/failing", Recursive=True
    )
    for names in [[one["Name"] for one in page["Parameters"]] for page in pages]:
        if names:  # a page has ten at most, and as many can be deleted at once
            ssm.delete_parameters(Names=names)
    return deleted


def stacks_of(environment: Environment) -> tuple[stacks.Stack, stacks.Stack, stacks.Stack]:
    """List an environment's three stacks in the order they are deployed."""
    return (
        stacks.artifacts_stack(),
        stacks.data_stack(environment.name),
        stacks.pipelines_stack(environment.name),
    )
