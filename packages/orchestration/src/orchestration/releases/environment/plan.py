"""Plan a deployment: what it would change of an environment, by its stacks' change sets."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import boto3

from orchestration import scratch, stacks
from orchestration.environments import PROJECT_TAGS, Environment
from orchestration.releases.bucket.store import Store
from orchestration.releases.building import assembly
from orchestration.releases.building.manifest import Release
from orchestration.releases.environment import parameters
from orchestration.stacks import Change, Stack, change_sets, unmanaged, updates


def plan_release(environment: Environment, store: Store, release: Release) -> list[Change]:
    """List what deploying a release that is in the artifact bucket would change. Changes nothing."""
    data, pipelines = parameters.stacks_of(environment, store, release).values()
    outputs = updates.outputs(boto3.client("cloudformation"), data) or {}
    return [
        *_plan_data(environment, data),
        *_plan_pipelines(environment, pipelines, release, {**outputs, "ArtifactBucket": store.bucket}),
        *unmanaged.plan(environment, data=outputs, wanted=parameters.for_tables(environment, store, release)),
    ]


def plan_checkout(environment: Environment, root: Path) -> list[Change]:
    """List what `elt deploy` of the checkout at `root` would change.

    It changes nothing; of the checkout's build only a template is put into the bucket. Where there is no bucket yet,
    the template of the pipelines stack is too large to ask CloudFormation about.
    """
    cloudformation = boto3.client("cloudformation")
    artifacts, data = stacks.artifacts_stack(), stacks.data_stack(environment.name)
    outputs = (updates.outputs(cloudformation, artifacts) or {}) | (updates.outputs(cloudformation, data) or {})
    changes = [
        *updates.plan(cloudformation, artifacts, parameters={}, tags=PROJECT_TAGS),
        *_plan_data(environment, data),
    ]
    if "ArtifactBucket" in outputs:
        store = Store(boto3.client("s3"), outputs["ArtifactBucket"])
        release, pipelines, wheel = _upload_template(environment, root, store)
        changes += _plan_pipelines(environment, pipelines, release, outputs)
        wanted = parameters.for_tables(environment, store, release, wheel=wheel)
    else:
        changes += updates.additions(stacks.pipelines_stack(environment.name))
        wanted = unmanaged.Wanted()
    return [*changes, *unmanaged.plan(environment, data=outputs, wanted=wanted)]


def _upload_template(environment: Environment, root: Path, store: Store) -> tuple[Release, Stack, bytes]:
    """Build the checkout, and put the pipelines stack's template into the bucket; gives glue-transform's wheel too."""
    with scratch.folder("build") as out:
        release, files = assembly.assemble(root, out, development=True)
        key = release.template("pipelines")
        store.put_files({key: files[key]})
        wheel = files[release.packages["glue-transform"].wheel].read_bytes()
    return release, stacks.pipelines_stack(environment.name, url=store.url(key)), wheel


def _plan_data(environment: Environment, stack: Stack) -> list[Change]:
    cloudformation = boto3.client("cloudformation")
    given = parameters.for_data(environment, taken=change_sets.list_parameters(cloudformation, stack))
    return updates.plan(cloudformation, stack, parameters=given, tags=environment.tags)


def _plan_pipelines(
    environment: Environment, stack: Stack, release: Release, outputs: Mapping[str, str]
) -> list[Change]:
    """`outputs` are those of the other stacks, as far as they are deployed."""
    cloudformation = boto3.client("cloudformation")
    known = dict.fromkeys(stacks.data_stack(environment.name).outputs, "known-after-deploy") | dict(outputs)
    given = parameters.for_pipelines(
        environment, release, known, taken=change_sets.list_parameters(cloudformation, stack)
    )
    return updates.plan(cloudformation, stack, parameters=given, tags=environment.tags)
