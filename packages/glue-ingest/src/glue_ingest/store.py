"""The raw bucket: what it holds already, and an upload that shows itself only when it is whole.

S3 fixes an object's metadata when its upload begins, and the file's SHA-256 is known only when it ends. So the parts
go to a staging key under `_incoming/`, and the finished object is copied, inside S3, to its own key together with
its metadata: the key changes once, in one request.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any

from glue_ingest.log import Log
from glue_ingest.multipart import Multipart, refusals
from glue_ingest.s3 import S3Client
from glue_ingest.s3.place import find
from glue_ingest.workers import Workers

#: S3's smallest part (but for the last): https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html
PART_SIZE = 5 * 1024 * 1024
#: S3 takes as many parts: https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html
MAX_SIZE = 10_000 * PART_SIZE
CONTENT_TYPE = "application/vnd.apache.parquet"
#: S3 copies a single request's bytes slowly (1 GB was seen to take 30 s, a third of that in pieces:
#: https://github.com/distribution/distribution/pull/1906), so pieces are copied at the same time.
_PIECE_SIZE = 8 * 1024 * 1024
_PIECES_AT_ONCE = 8


def connect(connections: int, *, stop: threading.Event | None = None) -> S3Client:
    """S3 as the SDK's own settings have it; once `stop` is set, nothing is tried again. Raises StorageRefused."""
    with refusals("connecting"):
        return S3Client(find(), connections=connections, stop=stop)


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
        self._final: Multipart | None = None

    def put(self, number: int, data: bytes | bytearray) -> None:
        """Upload part `number`, from 1."""
        self._staged.put(number, data)

    def publish(self, metadata: Mapping[str, str], *, size: int) -> None:
        """Join the parts, `size` bytes in all, and put the object under its key, described by its metadata."""
        self._joined = True
        self._staged.complete()
        self._final = self._multipart(self._key, Metadata=dict(metadata))
        with Workers(_PIECES_AT_ONCE) as workers:
            for number, span in enumerate(_pieces(size), start=1):
                workers.submit(self._copy_piece, self._final, number, span)
            workers.wait()
        self._final.complete()

    def _copy_piece(self, final: Multipart, number: int, span: tuple[int, int] | None) -> None:
        final.copy(number, source=self._staged.target, span=span)

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
        if kind is not None and self._final:
            self._remove(self._final, self._final.abort)
        if kind is not None:
            self._remove(self._staged, self._staged.abort)
        if self._joined:
            self._remove(self._staged, lambda: self._bucket.client.delete_object(**self._staged.target))

    def _remove(self, upload: Multipart, remove: Callable[[], Any]) -> None:
        """The run's own outcome matters more than what stays, which the bucket's lifecycle rule removes."""
        try:
            remove()
        except Exception as failure:
            self._bucket.log.event(
                "staging_left",
                bucket=self._bucket.name,
                key=upload.target["Key"],
                upload_id=upload.upload_id,
                error=str(failure),
            )


def _pieces(size: int) -> list[tuple[int, int] | None]:
    """First and last byte of each. One piece is copied without them: S3 knows ranges only of objects above 5 MB.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPartCopy.html (x-amz-copy-source-range)
    """
    if size <= _PIECE_SIZE:
        return [None]
    return [(first, min(first + _PIECE_SIZE, size) - 1) for first in range(0, size, _PIECE_SIZE)]
