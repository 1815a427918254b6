"""`cloud.objects`: S3's objects for the services inside, without HTTP."""

from __future__ import annotations

import errno
import shutil
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from local_cloud.objects import ObjectInfo
from local_cloud.services.s3.errors import S3Error
from local_cloud.services.s3.operations.context import Context
from local_cloud.services.s3.operations.shared import DEFAULT_CHECKSUM, digests
from local_cloud.services.s3.storage.catalog import Attributes, Version
from local_cloud.services.s3.storage.store import Content


class PlainObjects:
    """`local_cloud.objects.Objects` over the store."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._store = context.store

    def path(self, bucket: str, key: str) -> Path:
        self._check(bucket)
        place = self._store.places.locate(bucket, key)
        if place is None:
            raise KeyError(f"s3://{bucket}/{key}")
        return place[0]

    def read(self, bucket: str, key: str) -> bytes:
        self._check(bucket)
        while version := self._store.current(bucket, key):
            if file := self._store.open(version):
                with file:
                    return file.read()
        raise KeyError(f"s3://{bucket}/{key}")

    def list(self, bucket: str, prefix: str = "") -> list[ObjectInfo]:
        self._check(bucket)
        return [
            ObjectInfo(key=key, size=version.size or 0, etag=version.etag, last_modified=version.last_modified)
            for key, version in self._store.objects(bucket, prefix=prefix)
        ]

    def put(self, bucket: str, key: str, body: bytes, *, content_type: str = "") -> None:
        self._check(bucket)
        with self._store.stage() as staged:
            staged.file.write(body)
            staged.file.flush()
            self._put(bucket, key, staged.path, content_type)

    def put_file(self, bucket: str, key: str, file: Path, *, content_type: str = "") -> None:
        self._check(bucket)
        with self._store.stage() as staged:
            try:
                file.rename(staged.path)
            except OSError as error:
                if error.errno != errno.EXDEV:
                    raise
                _copy(file, staged.file)
                file.unlink()
            self._put(bucket, key, staged.path, content_type)

    def delete(self, bucket: str, key: str) -> None:
        self._check(bucket)
        done = self._store.delete(bucket, key)
        event = "s3:ObjectRemoved:DeleteMarkerCreated" if done.marker else "s3:ObjectRemoved:Delete"
        self._context.notify(event, Version(bucket, key, seq=0, version_id=done.version_id, size=0, etag=""))

    def _put(self, bucket: str, key: str, path: Path, content_type: str) -> None:
        etag, checksum = digests(path, DEFAULT_CHECKSUM)
        headers = {"content-type": content_type or "binary/octet-stream"}
        stored = replace(
            Attributes(headers=headers | self._context.buckets.encryption(bucket)),
            checksum_algorithm=DEFAULT_CHECKSUM,
            checksum=checksum,
            checksum_type="FULL_OBJECT",
        )
        version = self._store.put(bucket, key, path, content=Content(etag, stored, {}))
        self._context.notify("s3:ObjectCreated:Put", version)

    def _check(self, bucket: str) -> None:
        try:
            self._context.buckets.get(bucket)
        except S3Error as error:
            raise KeyError(f"s3://{bucket}") from error


def _copy(source: Path, target: BinaryIO) -> None:
    with source.open("rb") as file:
        shutil.copyfileobj(file, target, 1 << 20)
    target.flush()
