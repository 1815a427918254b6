"""An environment beside a release: what was changed by hand, and what a deployment would change."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from orchestration import stacks
from orchestration.environments import Environment
from orchestration.releases import check, history, live, rollout
from orchestration.releases.history import Deployed
from orchestration.releases.live import Difference
from orchestration.releases.manifest import Release
from orchestration.releases.store import Store


@dataclass(frozen=True)
class Comparison:
    """How an environment differs from a release.

    `by_hand` is what is not as the last deployment, of release `live`, left it; `objects` are those of `release` in S3
    with other bytes, or none; `packages` maps a package to what is live of it and what is in `release`; `changes` is
    what CloudFormation would do for `release`.
    """

    environment: str
    live: str
    release: str
    by_hand: list[Difference]
    objects: list[Difference]
    packages: dict[str, tuple[str, str]]
    changes: list[stacks.Change]

    @property
    def differs(self) -> bool:
        return self.live != self.release or bool(self.by_hand or self.objects or self.changes)

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "differs": self.differs}


def compare(environment: Environment, store: Store, deployed: Deployed, release: Release) -> Comparison:
    """Reads both; changes nothing."""
    state = live.read(stacks.pipelines_stack(environment.name))
    before = history.release(store, deployed.release)
    packages = {
        name: (before.packages[name].folder, package.folder)
        for name, package in release.packages.items()
        if name in before.packages and before.packages[name].prefix != package.prefix
    }
    return Comparison(
        environment=environment.name,
        live=deployed.release,
        release=release.id,
        by_hand=live.differences(deployed.resources, state),
        objects=list(check.objects(release, store)),
        packages=packages,
        changes=rollout.plan(environment, store, release),
    )
