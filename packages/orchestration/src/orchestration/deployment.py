"""Bringing an environment up to date, and finding what is in it."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import boto3

from orchestration import pipelines, stacks
from orchestration.environments import Environment
from orchestration.errors import NotDeployed
from orchestration.releases.build import Build, build_all
from orchestration.releases.publish import publish

TAGS = {"project": "elt"}


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
    """What is deployed. Errors: NotDeployed names the stack that is missing."""
    cloudformation = boto3.client("cloudformation")
    values: dict[str, str] = {}
    for stack in stacks_of(environment):
        found = stacks.outputs(cloudformation, stack)
        if found is None:
            raise NotDeployed(f"stack {stack.name} is not deployed; run `elt deploy --env {environment.name}` first")
        values |= found
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


def deploy(environment: Environment, root: Path, *, report: Callable[[str], None]) -> Deployment:
    """Build the checkout at `root`, publish it, and bring the three stacks up to date.

    `report` is told each step in a few words. Errors: DeployError, PublishError; a stack that fails is rolled
    back by CloudFormation.
    """
    cloudformation = boto3.client("cloudformation")
    artifacts_stack, data_stack, pipelines_stack = stacks_of(environment)
    with tempfile.TemporaryDirectory(prefix="elt-build-") as out:
        report("building the packages")
        builds = build_all(root, Path(out))
        report(f"stack {artifacts_stack.name}")
        artifacts = stacks.deploy(cloudformation, artifacts_stack, parameters={}, tags=TAGS)
        report("publishing")
        publish(boto3.client("s3"), artifacts["ArtifactBucket"], builds.values())
    tags = TAGS | {"environment": environment.name}
    report(f"stack {data_stack.name}")
    data = stacks.deploy(cloudformation, data_stack, parameters={"Environment": environment.name}, tags=tags)
    report(f"stack {pipelines_stack.name}")
    parameters = pipelines_parameters(environment, builds, artifacts | data)
    stacks.deploy(cloudformation, pipelines_stack, parameters=parameters, tags=tags)
    return find(environment)


def plan(environment: Environment, root: Path) -> list[stacks.Change]:
    """What `deploy` would change. Builds the checkout, but publishes and changes nothing."""
    cloudformation = boto3.client("cloudformation")
    artifacts_stack, data_stack, pipelines_stack = stacks_of(environment)
    with tempfile.TemporaryDirectory(prefix="elt-build-") as out:
        builds = build_all(root, Path(out))
    tags = TAGS | {"environment": environment.name}
    known: dict[str, str] = {}
    for stack in (artifacts_stack, data_stack):
        known |= dict.fromkeys(stack.outputs, "known-after-deploy") | (stacks.outputs(cloudformation, stack) or {})
    parameters = pipelines_parameters(environment, builds, known)
    return [
        *stacks.plan(cloudformation, artifacts_stack, parameters={}, tags=TAGS),
        *stacks.plan(cloudformation, data_stack, parameters={"Environment": environment.name}, tags=tags),
        *stacks.plan(cloudformation, pipelines_stack, parameters=parameters, tags=tags),
    ]


def destroy(environment: Environment) -> bool:
    """Delete what holds no data, the pipelines stack; False where there was none. Errors: DeployError."""
    return stacks.delete(boto3.client("cloudformation"), stacks.pipelines_stack(environment.name))


def stacks_of(environment: Environment) -> tuple[stacks.Stack, stacks.Stack, stacks.Stack]:
    """In the order they are deployed."""
    return (
        stacks.artifacts_stack(),
        stacks.data_stack(environment.name),
        stacks.pipelines_stack(environment.name),
    )


def pipelines_parameters(
    environment: Environment, builds: Mapping[str, Build], outputs: Mapping[str, str]
) -> dict[str, str]:
    """The pipelines stack's parameters. `outputs` are those of the artifacts and data stacks; it gets all it takes."""
    taken = stacks.pipelines_stack(environment.name).parameters
    return {
        "Environment": environment.name,
        "AlertEmail": environment.alert_email,
        "ScheduleState": "ENABLED" if environment.schedules else "DISABLED",
        **{name: value for name, value in outputs.items() if name in taken},
        **code_parameters(builds),
        **{name: value for one in pipelines.all_pipelines() for name, value in one.stack_parameters.items()},
    }


def code_parameters(builds: Mapping[str, Build]) -> dict[str, str]:
    """The keys in the artifact bucket that the pipelines stack points its jobs and machines at."""
    return {
        "GlueIngestWheel": builds["glue-ingest"].wheel,
        "GlueIngestScript": builds["glue-ingest"].script,
        "GlueTransformWheel": builds["glue-transform"].wheel,
        "GlueTransformScript": builds["glue-transform"].script,
        "RsQueryWheel": builds["rs-query"].wheel,
        "RsQueryScript": builds["rs-query"].script,
        "TriggerWheel": builds["trigger"].wheel,
        "Code": builds["orchestration"].prefix,
    }
