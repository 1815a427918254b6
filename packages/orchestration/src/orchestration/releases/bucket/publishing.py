"""Publish a release: put its bytes into the artifact bucket, and its manifest last."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import boto3
from botocore.exceptions import ClientError

from orchestration import scratch, stacks
from orchestration.environments import PROJECT_TAGS
from orchestration.errors import DeployError, NotDeployed
from orchestration.progress import Progress
from orchestration.releases.bucket import history, index
from orchestration.releases.bucket.store import Store
from orchestration.releases.building import assembly
from orchestration.releases.building.manifest import Release
from orchestration.stacks import updates


def publish(root: Path, *, development: bool, report: Progress) -> tuple[Store, Release]:
    """Build the checkout at `root` and publish it. Errors: UsageError, DeployError, PublishError."""
    with scratch.folder("build") as out:
        report("building the packages")
        release, files = assembly.assemble(root, out, development=development)
        return _publish(release, files, report=report)


def publish_built(folder: Path, *, report: Progress) -> tuple[Store, Release]:
    """Publish what `elt release build` left in a folder. Errors: UsageError, DeployError, PublishError."""
    report(f"comparing {folder} with its manifest")
    return _publish(*assembly.read_folder(folder), report=report)


def _publish(release: Release, files: Mapping[str, Path], *, report: Progress) -> tuple[Store, Release]:
    store = bring_up_to_date(report=report)
    known = not release.development and history.is_published(store, release.id)
    report("publishing")
    recorded = upload(store, release, files)
    if known:
        report(f"nothing is new: release {recorded.id} is published already, of commit {recorded.commit[:12]}")
    return store, recorded


def upload(store: Store, release: Release, files: Mapping[str, Path]) -> Release:
    """Put what the bucket does not hold yet; returns the release on record, of the first commit it was built of.

    Keys are write-once: the same bytes again are fine, others under a published version are refused. Errors:
    PublishError.
    """
    store.put_files(files)
    if not release.development:
        index.refresh(store, release)
    return history.save_release(store, release)


def bring_up_to_date(*, report: Progress) -> Store:
    """Deploy the artifact bucket's stack where the checkout's template differs; returns the bucket.

    The stack holds the roles that workflows take, so none of those may change it. Errors: DeployError.
    """
    stack = stacks.artifacts_stack()
    report(f"stack {stack.name}")
    try:
        outputs = updates.deploy(boto3.client("cloudformation"), stack, parameters={}, tags=PROJECT_TAGS, report=report)
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("AccessDenied", "AccessDeniedException"):
            raise
        raise DeployError(
            f"stack {stack.name} is not what the checkout's template says, and you may not change it: with an "
            f"administrator's profile, `elt release publish --env dev` at this commit, then do this again ({error})"
        ) from error
    return Store(boto3.client("s3"), outputs["ArtifactBucket"])


def find_artifacts() -> Store:
    """Find the artifact bucket that is deployed. Errors: NotDeployed."""
    outputs = updates.outputs(boto3.client("cloudformation"), stacks.artifacts_stack())
    if outputs is None:
        raise NotDeployed("nothing is published in this account yet; run `elt release publish` first")
    return Store(boto3.client("s3"), outputs["ArtifactBucket"])
