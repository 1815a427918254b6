"""What was published and tried: documents in the artifact bucket. What was deployed, `records` has.

releases/<id>.json                a release's manifest, written once
smokes/<id>/<environment>.json    the last smoke run of a release in an environment

A later version of `elt` may add fields to smoke runs: what is not known is not read.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from orchestration.errors import PublishError, UsageError
from orchestration.releases import manifest, records
from orchestration.releases.manifest import Release
from orchestration.releases.store import Store


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
    """Errors: UsageError where there is none of that id; DeployError for one that cannot be read."""
    key = f"releases/{manifest.check_id(release_id)}.json"
    document = store.document(key)
    if document is None:
        raise UsageError(f"there is no release {release_id} in s3://{store.bucket}; `elt release list` names them")
    return manifest.parse(document, where=store.uri(key))


def releases(store: Store) -> list[tuple[str, datetime.datetime]]:
    """The ids of all releases and when each was made, newest first."""
    found = sorted(store.keys("releases/"), key=lambda one: one[1], reverse=True)
    names = [(key.removeprefix("releases/").removesuffix(".json"), written) for key, written in found]
    return [(name, written) for name, written in names if manifest.is_id(name)]


def needed(store: Store, environment: str) -> set[str]:
    """The releases that an environment still needs: the one it has, the one a rollback goes to, and, while a
    deployment is unfinished, those it may have parts of. Errors: DeployError.
    """
    found = records.standing(store, environment)
    live = {found.live.release} if found.live else set()
    target = records.rollback_target(store, environment)
    return (live | {*found.attempts} | ({target} if target else set())) - {records.NO_RELEASE}


def save_smoke(store: Store, smoke: Smoke) -> None:
    store.put_document(f"smokes/{smoke.release}/{smoke.environment}.json", asdict(smoke), once=False)


def smoke(store: Store, release_id: str, environment: str) -> Smoke | None:
    return records.record(Smoke, store, f"smokes/{release_id}/{environment}.json")
