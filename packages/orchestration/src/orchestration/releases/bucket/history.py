"""What was published, tried and ever deployed: documents in the artifact bucket. `records` has the deployments.

releases/<id>.json                a release's manifest, written once
smokes/<id>/<environment>.json    the last smoke run of a release in an environment

A later version of `elt` may add fields to smoke runs: what is not known is not read.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from orchestration.errors import PublishError, UsageError
from orchestration.releases.bucket import records
from orchestration.releases.bucket.store import Store
from orchestration.releases.building import manifest
from orchestration.releases.building.manifest import Release


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


def save_release(store: Store, release: Release) -> Release:
    """Write a release's manifest, unless it is there; the release on record, whose commit may be an earlier one.

    Errors: PublishError.
    """
    key = f"releases/{release.id}.json"
    try:
        store.put_document(key, release.as_json(), once=True)
    except PublishError:
        document = store.document(key)
        found = manifest.parse(document, where=store.uri(key)) if document else None
        if found is None or found.content_id != release.content_id:
            raise
        return found
    return release


def is_published(store: Store, release_id: str) -> bool:
    return store.checksum(f"releases/{release_id}.json") is not None


def release(store: Store, release_id: str) -> Release:
    """Raise UsageError where there is none of that id; DeployError for one that cannot be read."""
    key = f"releases/{manifest.check_id(release_id)}.json"
    document = store.document(key)
    if document is None:
        raise UsageError(f"there is no release {release_id} in s3://{store.bucket}; `elt release list` names them")
    return manifest.parse(document, where=store.uri(key))


def releases(store: Store) -> list[tuple[str, datetime.datetime]]:
    """List the ids of all releases and when each was made, newest first."""
    found = sorted(store.keys("releases/"), key=lambda one: one[1], reverse=True)
    names = [(key.removeprefix("releases/").removesuffix(".json"), written) for key, written in found]
    return [(name, written) for name, written in names if manifest.is_id(name)]


def find_needed(store: Store, environment: str) -> set[str]:
    """Find the releases that an environment still needs.

    These are the one it has, the one a rollback goes to, and, while a deployment is unfinished, those it may have parts
    of. Errors: DeployError.
    """
    found = records.standing(store, environment)
    live = {found.live.release} if found.live else set()
    target = rollback_target(store, environment)
    return (live | {*found.attempts} | ({target} if target else set())) - {records.NO_RELEASE}


def ever_deployed(store: Store, environment: str) -> list[str]:
    """List the releases that an environment has or had, the last one first. Errors: DeployError."""
    latest_first = reversed(records.deployments(store, environment))
    return list(dict.fromkeys(release for action, release in latest_first if action != records.DESTROY))


def rollback_target(store: Store, environment: str) -> str | None:
    """Find the release that a rollback goes to, None where there is none.

    That is the one before what is live. While a deployment is unfinished, a rollback undoes that; an unfinished
    rollback goes on.
    """
    found = records.standing(store, environment)
    if found.unfinished is None:
        return previous(records.deployments(store, environment))
    if found.unfinished.action == "rollback":
        return found.unfinished.release
    return found.live.release if found.live else None


def previous(deployments: list[tuple[str, str]]) -> str | None:
    """Find the release before the one that is live, None where there is none.

    A rollback takes back what came after its target, so that rolling back once more goes one further, not forward.
    """
    releases: list[str] = []
    for action, release_id in deployments:
        if action == records.DESTROY:
            releases.clear()
        elif action == "rollback" and release_id in releases:
            del releases[len(releases) - releases[::-1].index(release_id) :]
        elif not releases or releases[-1] != release_id:
            releases.append(release_id)
    return releases[-2] if len(releases) > 1 else None


def save_smoke(store: Store, smoke: Smoke) -> None:
    store.put_document(f"smokes/{smoke.release}/{smoke.environment}.json", asdict(smoke), once=False)


def smoke(store: Store, release_id: str, environment: str) -> Smoke | None:
    return records.record(Smoke, store, f"smokes/{release_id}/{environment}.json")
