"""An environment beside a release: what is unfinished, what was changed by hand, what a deployment would change."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from typing import Any

import boto3

from orchestration import stacks
from orchestration.environments import Environment
from orchestration.releases.bucket import history, lease
from orchestration.releases.bucket.records import NO_RELEASE, NOTHING, Standing
from orchestration.releases.bucket.store import Store
from orchestration.releases.building.manifest import Release
from orchestration.releases.environment import drift, resources
from orchestration.releases.environment.drift import Difference
from orchestration.releases.environment.plan import plan_release
from orchestration.stacks import operation


@dataclass(frozen=True)
class Unfinished:
    """A deployment that has begun and not ended.

    `said` is what, by whom and since when, and whether it is under way or was cut short. `stack` is the status of the
    pipelines stack, and `stands_at` the release that it has by its template and parameters, "" for none that is known,
    and while it changes.
    """

    action: str
    release: str
    said: str
    stack: str
    stands_at: str


@dataclass(frozen=True)
class Comparison:
    """How an environment differs from a release.

    `by_hand` is what is not as the last deployment, of release `live` ("" for none), left it; `objects` are those of
    `release` in S3 with other bytes, or none; `packages` maps a package to what is live of it and what is in `release`;
    `changes` is what CloudFormation would do for `release`, not asked while a stack changes.
    """

    environment: str
    live: str
    release: str
    unfinished: Unfinished | None
    by_hand: list[Difference]
    objects: list[Difference]
    packages: dict[str, tuple[str, str]]
    changes: list[stacks.Change]

    @property
    def differs(self) -> bool:
        return self.live != self.release or bool(self.unfinished or self.by_hand or self.objects or self.changes)

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "differs": self.differs}


def compare(environment: Environment, store: Store, standing: Standing, release: Release) -> Comparison:
    """Reads both; changes nothing."""
    cloudformation = boto3.client("cloudformation")
    names = [stacks.data_stack(environment.name).name, stacks.pipelines_stack(environment.name).name]
    is_busy = any(operation.is_busy(operation.status_of(cloudformation, name)) for name in names)
    found = NOTHING if is_busy else resources.read(stacks.pipelines_stack(environment.name))
    before = history.release(store, standing.live.release) if standing.live else None
    packages = {
        name: (before.packages[name].folder, package.folder)
        for name, package in release.packages.items()
        if before and name in before.packages and before.packages[name].prefix != package.prefix
    }
    recorded = standing.live.reading if standing.live and not is_busy else NOTHING
    return Comparison(
        environment=environment.name,
        live=before.id if before else "",
        release=release.id,
        unfinished=_read_unfinished(environment, store, standing) if standing.unfinished else None,
        by_hand=drift.by_hand(recorded, found, unfinished=standing.unfinished is not None),
        objects=list(drift.objects(release, store)),
        packages=packages,
        changes=[] if is_busy else plan_release(environment, store, release),
    )


def _read_unfinished(environment: Environment, store: Store, standing: Standing) -> Unfinished:
    assert standing.unfinished
    holder = lease.holder(store, environment.name)
    stack = stacks.pipelines_stack(environment.name).name
    description = operation.describe(boto3.client("cloudformation"), stack)
    status = description["StackStatus"] if description else ""
    known = {*standing.attempts, *([standing.live.release] if standing.live else [])} - {NO_RELEASE}
    at = []
    if description and not operation.is_busy(status):
        at = [one for one in sorted(known) if _stands_at(history.release(store, one), store, description)]
    return Unfinished(
        action=standing.unfinished.action,
        release=standing.unfinished.release,
        said=str(holder) if holder else standing.unfinished_in_words,
        stack=status,
        stands_at=at[0] if len(at) == 1 else "",
    )


def _stands_at(release: Release, store: Store, description: dict[str, Any]) -> bool:
    """Whether a stack has a release's template, and its parameters as far as the template takes them."""
    name = description["StackName"]
    body = boto3.client("cloudformation").get_template(StackName=name, TemplateStage="Original")["TemplateBody"]
    parameters = {one["ParameterKey"]: one["ParameterValue"] for one in description.get("Parameters", [])}
    wanted = release.parameters(store.bucket)
    return hashlib.sha256(body.encode()).hexdigest() == release.packages["orchestration"].files[
        "stacks/pipelines.yaml"
    ] and all(value == wanted[key] for key, value in parameters.items() if key in wanted)
