"""The raw bucket: what it holds already, and an upload that shows itself only when it is whole.

S3 fixes an object's metadata when its upload begins, and the file's SHA-256 is known only when it ends. So the parts
go to a staging key under `_incoming/`, and the finished object is copied, inside S3, to its own key together with
its metadata: the key changes once, in one request.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any

from glue_ingest.log import Log
from glue_ingest.multipart import Multipart, refusals
from glue_ingest.workers import Workers

if TYPE_CHECKING:
    from glue_ingest.s3 import S3Client

#: S3's smallest part (but for the last): https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html
PART_SIZE = 5 * 1024 * 1024
CONTENT_TYPE = "application/vnd.apache.parquet"
#: S3 copies a single request's bytes slowly (1 GB was seen to take 30 s, a third of that in pieces:
#: https://github.com/distribution/distribution/pull/1906), so pieces are copied at the same time.
_PIECE_SIZE = 8 * 1024 * 1024
_PIECES_AT_ONCE = 8


def connect(connections: int) -> S3Client:
    """S3 as the SDK's own environment has it. Raises StorageRefused when there is no region, say."""
    # botocore asks at its import whether awscrt is there, and then imports it, for 0.05 s and nothing.
    os.environ.setdefault("BOTO_DISABLE_CRT", "true")
    from glue_ingest.s3 import S3Client
    from glue_ingest.s3.place import find

    with refusals("connecting"):
        return S3Client(find(), connections=connections)


class RawBucket:
    """One bucket. `client` is an S3Client, or the SDK's."""

    def __init__(self, client: Any, name: str, *, log: Log) -> None:
        self.client = client
        self.name = name
        self.log = log

    def recorded(self, key: str) -> Mapping[str, str]:
        """The metadata of an object that an earlier run finished, plus its `size`; empty when there is none."""
        from botocore.exceptions import ClientError

        with refusals(f"looking for s3://{self.name}/{key}"):
            try:
                head = self.client.head_object(Bucket=self.name, Key=key)
            except ClientError as error:
                # Without s3:ListBucket, S3 says 403 for a missing key too. A real refusal shows at the upload.
                if error.response["ResponseMetadata"]["HTTPStatusCode"] in (403, 404):
                    return {}
                raise
        return {**head["Metadata"], "size": str(head["ContentLength"])}

    def upload(self, key: str, *, staging: str) -> Upload:
        """An upload to `key`, by way of the prefix `staging`; use it in a `with` block."""
        return Upload(self, key, staging=staging)


class Upload:
    """Parts, in any order, from many threads; then `publish`. Leaving the block removes what is staged."""

    def __init__(self, bucket: RawBucket, key: str, *, staging: str) -> None:
        self._bucket = bucket
        self._doing = f"uploading to s3://{bucket.name}/{key}"
        self._key = key
        self._staged = self._multipart(f"{staging}{uuid.uuid4().hex}/{key.rpartition('/')[2]}")
        self._joined = False

    def put(self, number: int, data: bytes | bytearray) -> None:
        """Upload part `number`, from 1."""
        self._staged.put(number, data)

    def publish(self, metadata: Mapping[str, str], *, size: int) -> None:
        """Join the parts, `size` bytes in all, and put the object under its key, described by its metadata."""
        self._joined = True
        self._staged.complete()
        final = self._multipart(self._key, Metadata=dict(metadata))
        try:
            with Workers(_PIECES_AT_ONCE) as workers:
                for number, first in enumerate(range(0, size, _PIECE_SIZE), start=1):
                    workers.submit(self._copy_piece, final, number, first, min(first + _PIECE_SIZE, size) - 1)
                workers.wait()
            final.complete()
        except BaseException:
            final.abort()
            raise

    def _copy_piece(self, final: Multipart, number: int, first: int, last: int) -> None:
        final.copy(number, source=self._staged.target, first=first, last=last)

    def _multipart(self, key: str, **properties: Any) -> Multipart:
        return Multipart(
            self._bucket.client,
            bucket=self._bucket.name,
            key=key,
            doing=self._doing,
            ContentType=CONTENT_TYPE,
            **properties,
        )

    def __enter__(self) -> Upload:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        staged = self._staged
        try:
            if kind is not None:
                staged.abort()
            if self._joined:
                self._bucket.client.delete_object(**staged.target)
        except Exception as failure:
            # The run's own outcome matters more; the bucket's lifecycle rule removes what stays.
            self._bucket.log.event(
                "staging_left",
                bucket=self._bucket.name,
                key=staged.target["Key"],
                upload_id=staged.upload_id,
                error=str(failure),
            )
