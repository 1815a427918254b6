"""Bringing an environment up to date, and finding what is in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import boto3
from botocore.exceptions import ClientError

from orchestration import pipelines, scratch, stacks
from orchestration.environments import Environment
from orchestration.errors import DeployError, NotDeployed
from orchestration.releases import history, lease, records
from orchestration.releases.manifest import Release
from orchestration.releases.publish import prepare, read, upload
from orchestration.releases.records import Deployed
from orchestration.releases.rollout import (
    TAGS,
    Report,
    data_parameters,
    pipelines_parameters,
    require_development,
    roll_out,
    tags_of,
    unfinished_by,
)
from orchestration.releases.store import Store
from orchestration.stacks import operation, outside


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
    """What is deployed. Errors: NotDeployed names what is missing."""
    cloudformation = boto3.client("cloudformation")
    values: dict[str, str] = {}
    for stack in stacks_of(environment):
        found = stacks.outputs(cloudformation, stack)
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


def deploy(environment: Environment, root: Path, *, report: Report) -> Deployed:
    """Deploy the checkout at `root`, as a development release: no version is taken by it.

    `report` receives each step in a few words. Errors: DeployError, PublishError; UsageError where an environment takes
    no development releases.
    """
    require_development(environment)
    with scratch.folder("build") as out:
        report("building the packages")
        release, files = prepare(root, out, development=True)
        store = artifacts(report=report)
        report("publishing")
        release = upload(store, release, files)
    return roll_out(environment, store, release, action="deploy", report=report)


def publish(root: Path, *, report: Report) -> tuple[Store, Release]:
    """Publish the checkout at `root` as a release. Errors: UsageError, DeployError, PublishError."""
    with scratch.folder("build") as out:
        report("building the packages")
        return _publish(*prepare(root, out, development=False), report=report)


def publish_built(folder: Path, *, report: Report) -> tuple[Store, Release]:
    """Publish what `elt release build` left in a folder. Errors: UsageError, DeployError, PublishError."""
    report(f"comparing {folder} with its manifest")
    return _publish(*read(folder), report=report)


def _publish(release: Release, files: Mapping[str, Path], *, report: Report) -> tuple[Store, Release]:
    store = artifacts(report=report)
    known = history.is_published(store, release.id)
    report("publishing")
    recorded = upload(store, release, files)
    if known:
        report(f"nothing is new: release {recorded.id} is published already, of commit {recorded.commit[:12]}")
    return store, recorded


def artifacts(*, report: Report) -> Store:
    """The artifact bucket, whose stack is brought up to date first. Errors: DeployError.

    The stack holds the roles that workflows take, so none of those may change it.
    """
    stack = stacks.artifacts_stack()
    report(f"stack {stack.name}")
    try:
        outputs = stacks.deploy(boto3.client("cloudformation"), stack, parameters={}, tags=TAGS, report=report)
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("AccessDenied", "AccessDeniedException"):
            raise
        raise DeployError(
            f"stack {stack.name} is not what the checkout's template says, and you may not change it: with an "
            f"administrator's profile, `elt release publish --env dev` at this commit, then do this again ({error})"
        ) from error
    return Store(boto3.client("s3"), outputs["ArtifactBucket"])


def find_artifacts() -> Store:
    """The artifact bucket that is there. Errors: NotDeployed."""
    outputs = stacks.outputs(boto3.client("cloudformation"), stacks.artifacts_stack())
    if outputs is None:
        raise NotDeployed("nothing is published in this account yet; run `elt release publish` first")
    return Store(boto3.client("s3"), outputs["ArtifactBucket"])


def plan(environment: Environment, root: Path) -> list[stacks.Change]:
    """What `deploy` would change. Changes nothing; of the checkout's build only a template is put into the bucket.

    Where there is no bucket yet, the template of the pipelines stack is too large to ask CloudFormation about.
    """
    cloudformation = boto3.client("cloudformation")
    artifacts_stack, data_stack, pipelines_stack = stacks_of(environment)
    there = (stacks.outputs(cloudformation, artifacts_stack) or {}) | (stacks.outputs(cloudformation, data_stack) or {})
    data = stacks.declared(cloudformation, data_stack)
    tags = tags_of(environment)
    return [
        *stacks.plan(cloudformation, artifacts_stack, parameters={}, tags=TAGS),
        *stacks.plan(cloudformation, data_stack, parameters=data_parameters(environment, taken=data), tags=tags),
        *(
            _plan_pipelines(environment, root, Store(boto3.client("s3"), there["ArtifactBucket"]), there)
            if "ArtifactBucket" in there
            else stacks.additions(pipelines_stack)
        ),
        *outside.plan(environment, data=there),
    ]


def _plan_pipelines(
    environment: Environment, root: Path, store: Store, there: Mapping[str, str]
) -> list[stacks.Change]:
    """`there` are the other stacks' outputs, as far as they are deployed."""
    cloudformation = boto3.client("cloudformation")
    with scratch.folder("build") as out:
        release, files = prepare(root, out, development=True)
        key = release.template("pipelines")
        store.put_files({key: files[key]})
    stack = stacks.pipelines_stack(environment.name, url=store.url(key))
    taken = stacks.declared(cloudformation, stack)
    known = dict.fromkeys(stacks.data_stack(environment.name).outputs, "known-after-deploy") | dict(there)
    parameters = pipelines_parameters(environment, release, known, taken=taken)
    return stacks.plan(cloudformation, stack, parameters=parameters, tags=tags_of(environment))


def destroy(environment: Environment, *, report: Report) -> bool:
    """Delete what holds no data: the pipelines stack, and the marks of failures that pipelines left.

    False where there was no such stack. It is recorded, and excludes deployments, as they do each other. Errors:
    DeployError; Interrupted, which says what is unfinished.
    """
    try:
        store = find_artifacts()
    except NotDeployed:  # nor is there a record, then
        return _delete(environment, report=report)
    what = records.what(records.DESTROY, records.NO_RELEASE, environment.name)
    with lease.held(store, environment.name, what=what, report=report) as own:
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
        with unfinished_by(begun, before.live):
            deleted = _delete(environment, report=report)
            own.check()
            records.end(store, begun)
    return deleted


def _delete(environment: Environment, *, report: Report) -> bool:
    deleted = stacks.delete(boto3.client("cloudformation"), stacks.pipelines_stack(environment.name), report=report)
    ssm = boto3.client("ssm")
    pages = ssm.get_paginator("get_parameters_by_path").paginate(
        Path=f"/elt/{environment.name}/failing", Recursive=True
    )
    for names in [[one["Name"] for one in page["Parameters"]] for page in pages]:
        if names:  # a page has ten at most, and as many can be deleted at once
            ssm.delete_parameters(Names=names)
    return deleted


def stacks_of(environment: Environment) -> tuple[stacks.Stack, stacks.Stack, stacks.Stack]:
    """In the order they are deployed."""
    return (
        stacks.artifacts_stack(),
        stacks.data_stack(environment.name),
        stacks.pipelines_stack(environment.name),
    )
