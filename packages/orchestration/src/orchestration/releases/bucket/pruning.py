"""Development releases that nothing needs any more, and what was uploaded for them, leave the artifact bucket.

Published releases stay, all of them: what was made for good may be deployed at any time.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Collection, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from orchestration import objects
from orchestration.releases.bucket import history
from orchestration.releases.bucket.store import Store
from orchestration.releases.building.build import PACKAGES
from orchestration.releases.building.manifest import WHEELHOUSE

#: What is younger stays: a deployment uploads first, and only then writes which release it is.
FRESH = datetime.timedelta(hours=1)

#: Where the packages of development releases lie: their folders end in a digest (`manifest.make`).
_DEVELOPMENT = re.compile(rf"({'|'.join(PACKAGES)})/[^/]+-[0-9a-f]{{12}}/.+|{WHEELHOUSE}/.+")


@dataclass(frozen=True)
class Version:
    """One version of an object in the bucket, or a delete marker (0 bytes)."""

    key: str
    id: str
    size: int
    written: datetime.datetime


@dataclass(frozen=True)
class Superseded:
    """What nothing needs: ids of releases, and the versions of objects that go with them."""

    releases: tuple[str, ...]
    versions: tuple[Version, ...]

    @property
    def size(self) -> int:
        """In bytes."""
        return sum(version.size for version in self.versions)


def find_superseded(store: Store, environments: Iterable[str]) -> Superseded:
    """Return the development releases that no environment has, may be rolled back to, or is deploying.

    Errors: DeployError for a manifest or record that cannot be read: what is needed is not known then.
    """
    needed = {one for environment in environments for one in history.find_needed(store, environment)}
    now = datetime.datetime.now(datetime.UTC)
    kept: set[str] = set()
    gone: list[str] = []
    for release_id, written in history.releases(store):
        if release_id.startswith("dev-") and release_id not in needed and now - written > FRESH:
            gone.append(release_id)
        else:
            kept.update(history.release(store, release_id).objects)
    manifests = {f"releases/{release_id}.json" for release_id in gone}
    smokes = tuple(f"smokes/{release_id}/" for release_id in gone)
    versions = [
        version
        for version in _versions(store, [f"{name}/" for name in (*PACKAGES, WHEELHOUSE, "releases", "smokes")])
        if version.key in manifests
        or version.key.startswith(smokes)
        or (_DEVELOPMENT.fullmatch(version.key) and version.key not in kept and now - version.written > FRESH)
    ]
    return Superseded(tuple(gone), tuple(versions))


def delete(store: Store, found: Superseded) -> None:
    """Delete it for good, manifests first: a release that is listed is whole. Errors: EltError."""
    ordered = sorted(found.versions, key=lambda version: not version.key.startswith("releases/"))
    objects.delete(store.s3, store.bucket, [{"Key": version.key, "VersionId": version.id} for version in ordered])


def _versions(store: Store, prefixes: Collection[str]) -> list[Version]:
    def of(prefix: str) -> list[Version]:
        pages = store.s3.get_paginator("list_object_versions").paginate(Bucket=store.bucket, Prefix=prefix)
        return [
            Version(item["Key"], item["VersionId"], item.get("Size", 0), item["LastModified"])
            for page in pages
            for item in (*page.get("Versions", []), *page.get("DeleteMarkers", []))
        ]

    with ThreadPoolExecutor(8) as pool:
        return [version for found in pool.map(of, prefixes) for version in found]
