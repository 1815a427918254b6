"""What was published, deployed and tried: documents in the artifact bucket.

releases/<id>.json                     a release's manifest, written once
deployments/<environment>/<time>-<id>.json    one deployment that succeeded, written once; the newest is what is live
smokes/<id>/<environment>.json         the last smoke run of a release in an environment
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from orchestration.errors import UsageError
from orchestration.releases import manifest
from orchestration.releases.manifest import Release
from orchestration.releases.store import Store


@dataclass(frozen=True)
class Deployed:
    """A deployment that succeeded. `action` is deploy, promote or rollback, `by` the ARN of who did it.

    `resources` is what AWS had after it, by resource and property: a later difference was made by somebody else.
    """

    release: str
    environment: str
    action: str
    at: str
    by: str
    resources: Mapping[str, Mapping[str, Any]] = field(repr=False)


@dataclass(frozen=True)
class Smoke:
    """The outcome of a smoke run: `passed`, else why not in `reason`."""

    release: str
    environment: str
    at: str
    passed: bool
    reason: str
    execution: str
    rows: Mapping[str, int]
    seconds: float


def now() -> str:
    """The time to the microsecond, UTC, in a form that sorts: deployments are in order of their keys."""
    return datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def save_release(store: Store, release: Release) -> None:
    """Errors: PublishError."""
    store.put_document(f"releases/{release.id}.json", release.as_json(), once=True)


def release(store: Store, release_id: str) -> Release:
    """Errors: UsageError where there is none of that id."""
    document = store.document(f"releases/{manifest.check_id(release_id)}.json")
    if document is None:
        raise UsageError(f"there is no release {release_id} in s3://{store.bucket}; `elt release list` names them")
    return manifest.parse(document)


def releases(store: Store) -> list[tuple[str, datetime.datetime]]:
    """The ids of all releases and when each was made, newest first."""
    found = sorted(store.keys("releases/"), key=lambda one: one[1], reverse=True)
    return [(key.removeprefix("releases/").removesuffix(".json"), written) for key, written in found]


def save_deployment(store: Store, deployed: Deployed) -> None:
    key = f"deployments/{deployed.environment}/{deployed.at.replace(':', '')}-{deployed.release}.json"
    store.put_document(key, asdict(deployed), once=True)


def deployments(store: Store, environment: str) -> list[Deployed]:
    """The deployments of an environment, oldest first."""
    keys = [key for key, _ in store.keys(f"deployments/{environment}/")]
    return [Deployed(**document) for document in map(store.document, keys) if document]


def live(store: Store, environment: str) -> Deployed | None:
    """The newest deployment of an environment."""
    keys = [key for key, _ in store.keys(f"deployments/{environment}/")]
    document = store.document(keys[-1]) if keys else None
    return Deployed(**document) if document else None


def previous(deployments: list[Deployed]) -> str | None:
    """The release before the one that is live, None where there is none.

    A rollback takes back what came after its target, so that rolling back once more goes one further, not forward.
    """
    releases: list[str] = []
    for one in deployments:
        if one.action == "rollback" and one.release in releases:
            del releases[len(releases) - releases[::-1].index(one.release) :]
        elif not releases or releases[-1] != one.release:
            releases.append(one.release)
    return releases[-2] if len(releases) > 1 else None


def save_smoke(store: Store, smoke: Smoke) -> None:
    store.put_document(f"smokes/{smoke.release}/{smoke.environment}.json", asdict(smoke), once=False)


def smoke(store: Store, release_id: str, environment: str) -> Smoke | None:
    document = store.document(f"smokes/{release_id}/{environment}.json")
    return Smoke(**document) if document else None
