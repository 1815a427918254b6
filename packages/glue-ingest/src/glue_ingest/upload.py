"""One multipart upload, fed by many threads: the object appears in one request, whole, or not at all.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html
"""

from __future__ import annotations

import base64
import hashlib
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import Any

from glue_ingest.errors import Stopped, StorageRefused
from glue_ingest.store import RawBucket, not_s3, refusals

CONTENT_TYPE = "application/vnd.apache.parquet"
#: Seconds for parts under way when an upload is aborted.
_ABORT_WAIT = 30


class Upload:
    """Parts, in any order and from many threads, then `publish`; leaving the `with` block without it aborts.

    It begins with its first part: what `metadata` holds by then describes the object.
    """

    def __init__(self, bucket: RawBucket, key: str, *, metadata: Mapping[str, str]) -> None:
        self.metadata = dict(metadata)
        self._bucket = bucket
        self._client = bucket.client
        self._target = {"Bucket": bucket.name, "Key": key}
        self._doing = f"uploading to s3://{bucket.name}/{key}"
        self._id = ""
        self._parts: dict[int, dict[str, Any]] = {}
        self._size = 0
        self._change = threading.Condition()
        self._under_way = 0
        self._closed = False
        self._published = False

    def put(self, number: int, data: bytes | bytearray) -> None:
        """Upload part `number`, from 1, with its SHA-256, which S3 checks. Raises StorageRefused, Stopped."""
        checksum = base64.b64encode(hashlib.sha256(data).digest()).decode()
        with refusals(self._doing), self._count_part():
            answer = self._client.upload_part(
                UploadId=self._id, PartNumber=number, Body=data, ChecksumSHA256=checksum, **self._target
            )
            etag = self._require(answer, "ETag")
        with self._change:
            self._parts[number] = {"PartNumber": number, "ETag": etag, "ChecksumSHA256": checksum}
            self._size += len(data)

    @property
    def checksum(self) -> str:
        """The object's checksum as S3 has it: SHA-256 of all parts' SHA-256, in base64.

        https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html (composite)
        """
        digests = (base64.b64decode(part["ChecksumSHA256"]) for part in self._in_order())
        return base64.b64encode(hashlib.sha256(b"".join(digests)).digest()).decode()

    def is_stored(self) -> bool:
        """Whether the key holds these very bytes. Never so where S3 does not say, or has no checksum of them."""
        with suppress(StorageRefused):
            found = self._bucket.find(self._target["Key"])
            return found is not None and (found.size, found.checksum) == (self._size, self.checksum)
        return False

    def publish(self) -> None:
        """Join the parts: the object appears. Raises StorageRefused, and nothing has appeared."""
        try:
            with refusals(self._doing):
                answer = self._client.complete_multipart_upload(
                    UploadId=self._id, MultipartUpload={"Parts": self._in_order()}, **self._target
                )
                self._require(answer, "ETag")
            self._published = True
        except StorageRefused:
            # S3 may have joined them although no answer arrived; another attempt then finds no such upload.
            if not self.is_stored():
                raise

    def _in_order(self) -> list[dict[str, Any]]:
        return [self._parts[number] for number in sorted(self._parts)]

    @contextmanager
    def _count_part(self) -> Iterator[None]:
        """Count a part as under way, in an upload that has begun and is not closed."""
        with self._change:
            if self._closed:
                raise Stopped(f"stopped {self._doing}; nothing was stored")
            if not self._id:
                answer = self._client.create_multipart_upload(
                    ChecksumAlgorithm="SHA256", ContentType=CONTENT_TYPE, Metadata=self.metadata, **self._target
                )
                self._id = self._require(answer, "UploadId")
            self._under_way += 1
        try:
            yield
        finally:
            with self._change:
                self._under_way -= 1
                self._change.notify_all()

    def _require(self, answer: Mapping[str, Any], name: str) -> str:
        if name not in answer:
            raise not_s3(self._doing)
        return str(answer[name])

    def __enter__(self) -> Upload:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Abort what is not published, once no part is under way: S3 may keep these otherwise."""
        with self._change:
            self._closed = True
            self._change.wait_for(lambda: self._under_way == 0, timeout=_ABORT_WAIT)
        if self._id and not self._published:
            try:
                self._client.abort_multipart_upload(UploadId=self._id, **self._target)
            except self._client.exceptions.NoSuchUpload:
                pass  # it was joined, though no answer said so
            except Exception as failure:
                # The run's own outcome matters more than what stays, which the bucket's lifecycle rule removes.
                bucket, key = self._target["Bucket"], self._target["Key"]
                self._bucket.log.event("upload_left", bucket=bucket, key=key, upload_id=self._id, error=str(failure))
