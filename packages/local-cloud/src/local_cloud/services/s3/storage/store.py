"""Objects as plain files: `<root>/<bucket>/<key>`, versions and unfinished uploads under `<root>/.local-cloud`.

A write is staged in a file of its own and published by one rename, so an object appears whole or not at all,
also when the process is killed. Files that somebody else puts into a bucket's folder (Spark writes there) are
objects too: they are learnt when first seen. In a versioned bucket such a file takes the place of the current
version, whose bytes are then gone.
"""

from __future__ import annotations

import contextlib
import hashlib
import heapq
import os
import secrets
import shutil
import threading
import uuid
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from local_cloud.services.s3.storage import keys
from local_cloud.services.s3.storage.catalog import Attributes, Catalog, Upload, Version
from local_cloud.services.s3.storage.places import Places
from local_cloud.services.s3.storage.walk import Walk

#: The version id of everything stored while a bucket's versioning is not on.
NULL = "null"

Condition = Callable[[Version | None], None]


@dataclass
class Staged:
    """A file being written. Flushed, it becomes an object by `Store.put`, or vanishes."""

    path: Path
    file: BinaryIO


@dataclass(frozen=True)
class Content:
    """What a put stores beside the bytes. `etag` without quotes."""

    etag: str
    attributes: Attributes
    tags: dict[str, str]


@dataclass(frozen=True)
class Deleted:
    """What a delete did: a marker made or removed, and the version id it concerns ("" in unversioned buckets)."""

    marker: bool = False
    version_id: str = ""


def new_version_id() -> str:
    """Return 32 characters, the last of which are a checksum of the others."""
    body = secrets.token_urlsafe(18)
    return body + _check(body)


def is_version_id(text: str) -> bool:
    """Return whether an id is one that a bucket has given."""
    return len(text) == 32 and _check(text[:24]) == text[24:]


def _check(body: str) -> str:
    return f"{zlib.crc32(body.encode()):08x}"


class Store:
    """`versioning(bucket)` tells "Enabled", "Suspended" or "" (never on)."""

    def __init__(self, root: Path, *, versioning: Callable[[str], str]) -> None:
        self.root = root
        self._versioning = versioning
        internal = root / ".local-cloud"
        self._staging = internal / "staging"
        self.uploads = internal / "uploads"
        shutil.rmtree(self._staging, ignore_errors=True)
        for folder in (self._staging, self.uploads):
            folder.mkdir(parents=True, exist_ok=True)
        self.catalog = Catalog(internal / "catalog.sqlite")
        self.places = Places(root, internal, self.catalog)
        known = self.catalog.upload_ids()
        for folder in self.uploads.iterdir():
            if folder.name not in known:
                shutil.rmtree(folder, ignore_errors=True)
        self._locks = [threading.RLock() for _ in range(64)]

    # buckets

    def create_bucket(self, bucket: str) -> None:
        (self.root / bucket).mkdir(exist_ok=True)

    def is_empty(self, bucket: str) -> bool:
        """True without any object, version or delete marker."""
        return next(self.all_keys(bucket), None) is None

    def forget_bucket(self, bucket: str) -> None:
        """Remove an empty bucket's folders and uploads."""
        for upload in self.catalog.uploads(bucket):
            self.forget_upload(upload)
        self.catalog.forget_bucket(bucket)
        self.places.forget_bucket(bucket)

    def forget_upload(self, upload: Upload) -> None:
        """Drop an unfinished multipart upload, or what is left of a finished one."""
        self.catalog.remove_upload(upload.id)
        shutil.rmtree(self.uploads / upload.id, ignore_errors=True)

    # reading

    def described(self, bucket: str, key: str, status: os.stat_result) -> Version | None:
        """The row of exactly this file, None when it is not known (any more)."""
        version = self.catalog.find(bucket, key, status.st_mtime_ns)
        return version if version and version.size == status.st_size else None

    def head(self, bucket: str, key: str) -> Version | None:
        """The newest version: an object, a delete marker, or None."""
        place = self.places.locate(bucket, key)
        if place and (version := self.described(bucket, key, place[1])):
            return version
        # Nothing there, somebody else's file, or one that was replaced since we looked.
        with self._lock(bucket, key):
            place = self.places.locate(bucket, key)
            if place is None:
                return self._newest_without_file(bucket, key)
            return self.described(bucket, key, place[1]) or self._learn(bucket, key, *place)

    def current(self, bucket: str, key: str) -> Version | None:
        """The object under `key`, None when there is none or a delete marker hides it."""
        version = self.head(bucket, key)
        return None if version is None or version.is_delete_marker else version

    def open(self, version: Version) -> BinaryIO | None:
        """The bytes of one version, None when they are gone by now."""
        place = self.places.locate(version.bucket, version.key)
        for path in ([place[0]] if place else []) + [self.places.kept(version)]:
            with contextlib.suppress(FileNotFoundError):
                file = path.open("rb")
                status = os.fstat(file.fileno())
                if (status.st_mtime_ns, status.st_size) == (version.seq, version.size):
                    return file
                file.close()
        return None

    def versions(self, bucket: str, key: str) -> list[tuple[Version, bool]]:
        """All versions and delete markers of a key, newest first, each with whether it is the latest."""
        place = self.places.locate(bucket, key)
        current = self.head(bucket, key) if place else None
        found: list[tuple[Version, bool]] = []
        for version in self.catalog.versions(bucket, key):
            if current and version.seq > current.seq:
                continue  # a change that a kill cut short before it was published
            latest = version.seq == current.seq if current else not found and version.is_delete_marker
            if latest or version.is_delete_marker or self.places.kept(version).exists():
                found.append((version, latest))
        return found

    def version(self, bucket: str, key: str, version_id: str) -> Version | None:
        return next((v for v, _ in self.versions(bucket, key) if v.version_id == version_id), None)

    def objects(self, bucket: str, *, prefix: str = "", after: str = "") -> Objects:
        """Current objects in key order."""
        return Objects(self, bucket, prefix=prefix, after=after)

    def all_keys(self, bucket: str, *, prefix: str = "", after: str = "") -> Iterator[str]:
        """Keys that have an object, a version or a delete marker, in order."""
        present = (key for key, _ in self.objects(bucket, prefix=prefix, after=after))
        last = None
        for key in heapq.merge(present, self.catalog.keys(bucket, prefix=prefix, after=after)):
            if key != last and self.versions(bucket, key):
                yield key
            last = key

    # writing

    @contextlib.contextmanager
    def stage(self) -> Iterator[Staged]:
        """A new file to fill. It is removed unless `put` has taken it."""
        path = self._staging / uuid.uuid4().hex
        with path.open("xb") as file:
            try:
                yield Staged(path, file)
            finally:
                path.unlink(missing_ok=True)

    def put(
        self, bucket: str, key: str, staged: Path, *, content: Content, condition: Condition | None = None
    ) -> Version:
        """Publish a finished file as the key's newest version.

        `condition` sees the object it would replace (None without one) and raises to refuse.
        """
        keys.check_key(key)
        with self._lock(bucket, key):
            place, old = self.places.locate(bucket, key), self.head(bucket, key)
            if condition:
                condition(None if old is None or old.is_delete_marker else old)
            seq = self.catalog.next_seq()
            os.utime(staged, ns=(seq, seq))
            new = Version(
                bucket=bucket,
                key=key,
                seq=seq,
                version_id=self._new_version_id(bucket),
                size=staged.stat().st_size,
                etag=content.etag,
                attributes=content.attributes,
                tags=content.tags,
            )
            self.catalog.add(new)
            if place and old:
                self._keep(place[0], old, replaced_by=new)
            target = self.places.publish(bucket, key, staged)
            if place and place[0] != target:
                self.places.unlink(bucket, key, place[0])
            self._drop_replaced(new)
            return new

    def delete(self, bucket: str, key: str, *, condition: Condition | None = None) -> Deleted:
        """Delete the object; in a bucket whose versioning is or was on, hide it behind a delete marker."""
        with self._lock(bucket, key):
            place, old = self.places.locate(bucket, key), self.head(bucket, key)
            if condition:
                condition(None if old is None or old.is_delete_marker else old)
            if not self._versioning(bucket):
                if place:
                    self.places.unlink(bucket, key, place[0])
                for version in self.catalog.versions(bucket, key):
                    self._drop(version)
                return Deleted()
            marker = Version(bucket, key, self.catalog.next_seq(), self._new_version_id(bucket), size=None, etag="")
            self.catalog.add(marker)
            if place and old:
                self._keep(place[0], old, replaced_by=marker)
                self.places.unlink(bucket, key, place[0])
            self._drop_replaced(marker)
            return Deleted(marker=True, version_id=marker.version_id)

    def delete_version(self, bucket: str, key: str, version_id: str, *, condition: Condition | None = None) -> Deleted:
        """Delete one version for good; the one below it becomes the current. Unknown ids are no error."""
        with self._lock(bucket, key):
            versions = self.versions(bucket, key)
            chosen = next(((v, latest) for v, latest in versions if v.version_id == version_id), None)
            if condition:
                condition(chosen[0] if chosen else None)
            if chosen is None:
                return Deleted(version_id=version_id)
            version, latest = chosen
            below = versions[1][0] if latest and len(versions) > 1 else None
            place = self.places.locate(bucket, key)
            if below and not below.is_delete_marker:
                if place:
                    self.places.kept(below).replace(place[0])
                else:
                    self.places.publish(bucket, key, self.places.kept(below))
            elif latest and place:
                self.places.unlink(bucket, key, place[0])
            self._drop(version)
            return Deleted(marker=version.is_delete_marker, version_id=version_id)

    def set_tags(self, version: Version, tags: dict[str, str]) -> None:
        self.catalog.set_tags(version, tags)

    def _keep(self, path: Path, old: Version, *, replaced_by: Version) -> None:
        """Hold the bytes of a version that is no longer current, unless the new one replaces it for good."""
        if old.version_id == NULL and replaced_by.version_id == NULL:
            return
        kept = self.places.kept(old)
        kept.parent.mkdir(exist_ok=True)
        with contextlib.suppress(FileExistsError):
            os.link(path, kept)

    def _drop(self, version: Version) -> None:
        # In this order a kill between the two leaves a row without bytes, which is ignored, and not the reverse.
        self.places.kept(version).unlink(missing_ok=True)
        self.catalog.remove(version.bucket, version.key, version.seq)

    def _drop_replaced(self, new: Version) -> None:
        """Forget what `new` replaces for good: the null version if it is one, and rows without bytes."""
        for version in self.catalog.versions(new.bucket, new.key):
            if version.seq == new.seq:
                continue
            lost = not version.is_delete_marker and not self.places.kept(version).exists()
            if lost or (version.version_id == NULL and new.version_id == NULL):
                self._drop(version)

    # rows

    def _newest_without_file(self, bucket: str, key: str) -> Version | None:
        for version in self.catalog.versions(bucket, key):
            if version.is_delete_marker:
                return version
            if self.places.kept(version).exists():
                return None
        return None

    def _learn(self, bucket: str, key: str, path: Path, status: os.stat_result) -> Version:
        """Describe a file that did not come through the API."""
        rows = self.catalog.versions(bucket, key)
        if rows and rows[0].seq >= status.st_mtime_ns:
            seq = self.catalog.next_seq()  # moved here with an old date: it is the newest all the same
            os.utime(path, ns=(seq, seq))
            status = path.stat()
        with path.open("rb") as file:
            etag = hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
        version = Version(
            bucket=bucket,
            key=key,
            seq=status.st_mtime_ns,
            version_id=self._new_version_id(bucket),
            size=status.st_size,
            etag=etag,
            attributes=Attributes(headers={"content-type": "binary/octet-stream"}),
        )
        self.catalog.add(version)
        self._drop_replaced(version)
        return version

    def _new_version_id(self, bucket: str) -> str:
        return new_version_id() if self._versioning(bucket) == "Enabled" else NULL

    @contextlib.contextmanager
    def _lock(self, bucket: str, key: str) -> Iterator[None]:
        with self._locks[hash((bucket, key)) % len(self._locks)]:
            yield


class Objects:
    """Current objects of a bucket as (key, version), in key order; `seek` skips ahead while iterating."""

    def __init__(self, store: Store, bucket: str, *, prefix: str, after: str) -> None:
        self._store = store
        self._bucket = bucket
        self._prefix = prefix
        self._walk = Walk(store.root / bucket, prefix=prefix, after=after)

    def seek(self, after: str) -> None:
        self._walk.after = after

    def __iter__(self) -> Iterator[tuple[str, Version]]:
        aside = ((key, None) for key in self._store.catalog.aside_keys(self._bucket, self._prefix))
        last = None
        for key, status in heapq.merge(self._walk, aside, key=lambda pair: pair[0]):
            if key == last or key <= self._walk.after:
                continue
            last = key
            version = status and self._store.described(self._bucket, key, status)
            if version := version or self._store.current(self._bucket, key):
                yield key, version
