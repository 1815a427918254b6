"""Bringing an environment up to date, and finding what is in it."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
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
    """What the commands need of a deployed environment. `machines` maps a pipeline to its `live` alias."""

    environment: str
    artifact_bucket: str
    raw_bucket: str
    processed_bucket: str
    workgroup: str
    database: str
    namespace: str
    machines: dict[str, str]


def find(environment: Environment) -> Deployment:
    """What is deployed. Errors: NotDeployed names the stack that is missing."""
    cloudformation = boto3.client("cloudformation")
    values: dict[str, str] = {}
    for stack in (
        stacks.artifacts_stack(),
        stacks.data_stack(environment.name),
        stacks.pipelines_stack(environment.name),
    ):
        found = stacks.outputs(cloudformation, stack)
        if found is None:
            raise NotDeployed(f"stack {stack.name} is not deployed; run `elt deploy --env {environment.name}` first")
        values |= found
    return Deployment(
        environment=environment.name,
        artifact_bucket=values["ArtifactBucket"],
        raw_bucket=values["RawBucket"],
        processed_bucket=values["ProcessedBucket"],
        workgroup=values["Workgroup"],
        database=values["Database"],
        namespace=values["Namespace"],
        machines={pipeline.name: values[f"{_camel(pipeline.name)}Live"] for pipeline in pipelines.all_pipelines()},
    )


def deploy(environment: Environment, root: Path, *, report: Callable[[str], None]) -> Deployment:
    """Build the checkout at `root`, publish it, and bring the three stacks up to date.

    `report` is told each step in a few words. Errors: DeployError, PublishError; a stack that fails is rolled
    back by CloudFormation.
    """
    cloudformation = boto3.client("cloudformation")
    tags = TAGS | {"environment": environment.name}
    with tempfile.TemporaryDirectory(prefix="elt-build-") as out:
        report("building the packages")
        builds = build_all(root, Path(out))
        report("stack elt-artifacts")
        artifacts = stacks.deploy(cloudformation, stacks.artifacts_stack(), parameters={}, tags=TAGS)
        report("publishing")
        bucket = artifacts["ArtifactBucket"]
        publish(boto3.client("s3"), bucket, builds.values())
    data_stack, pipelines_stack = (
        stacks.data_stack(environment.name),
        stacks.pipelines_stack(environment.name),
    )
    report(f"stack {data_stack.name}")
    data = stacks.deploy(cloudformation, data_stack, parameters={"Environment": environment.name}, tags=tags)
    report(f"stack {pipelines_stack.name}")
    stacks.deploy(
        cloudformation,
        pipelines_stack,
        parameters={
            "Environment": environment.name,
            "AlertEmail": environment.alert_email,
            **{key: artifacts[key] for key in ("ArtifactBucket",)},
            **{key: data[key] for key in ("RawBucket", "ProcessedBucket", "Workgroup", "WorkgroupArn", "Database")},
            **code_parameters(builds),
        },
        tags=tags,
    )
    return find(environment)


def code_parameters(builds: dict[str, Build]) -> dict[str, str]:
    """The keys in the artifact bucket that the pipelines stack points its jobs and machines at."""
    orchestration = builds["orchestration"]
    parameters = {
        "GlueIngestWheel": builds["glue-ingest"].wheel,
        "GlueIngestScript": builds["glue-ingest"].script,
        "GlueTransformWheel": builds["glue-transform"].wheel,
        "GlueTransformScript": builds["glue-transform"].script,
        "RsQueryWheel": builds["rs-query"].wheel,
        "RsQueryScript": builds["rs-query"].script,
        "TriggerWheel": builds["trigger"].wheel,
    }
    for pipeline in pipelines.all_pipelines():
        folder, name = f"pipelines/{pipeline.folder.name}", _camel(pipeline.name)
        parameters[f"{name}Definition"] = orchestration.key(f"{folder}/{pipeline.definition.name}")
        parameters[f"{name}LoadSql"] = orchestration.key(f"{folder}/sql/load_month.sql")
        parameters[f"{name}SourceUrl"] = pipeline.source_url
    return parameters


def _camel(name: str) -> str:
    return "".join(word.capitalize() for word in name.split("-"))
