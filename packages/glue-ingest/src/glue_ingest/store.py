"""The raw bucket: what it holds already, and an upload that shows itself only when it is whole.

S3 fixes an object's metadata when its upload begins, and the file's SHA-256 is known only when it ends. So the parts
go to a staging key under `_incoming/`, and the finished object is copied, inside S3, to its own key together with
its metadata: the key changes once, in one request.
"""

from __future__ import annotations

import base64
import hashlib
import os
import threading
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import Any

from glue_ingest.errors import Stopped, StorageRefused
from glue_ingest.log import Log

#: S3's smallest part (but for the last): https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html
PART_SIZE = 5 * 1024 * 1024
CONTENT_TYPE = "application/vnd.apache.parquet"
STAGING_PREFIX = "_incoming/"
#: S3 copies at about the speed of one connection per request: larger objects go in pieces at the same time.
_COPY_SIZE = 32 * 1024 * 1024


def connect(connections: int) -> Any:
    """An S3 client found by the SDK's own environment. Raises StorageRefused when there is no region, say."""
    # botocore's signer in C, used where awscrt is installed, copies every part: twice the memory.
    os.environ.setdefault("BOTO_DISABLE_CRT", "true")
    from boto3.session import Session
    from botocore.config import Config

    config = Config(
        max_pool_connections=connections,
        retries={"mode": "standard", "total_max_attempts": 5},
        connect_timeout=10,
        # A part's SHA-256 travels in a signed header already; signing the payload would hash it once more.
        s3={"payload_signing_enabled": False},
    )
    with _refusals("connecting"):
        return Session().client("s3", config=config)


class RawBucket:
    """One bucket, by a boto3 S3 client."""

    def __init__(self, client: Any, name: str, *, log: Log) -> None:
        self.client = client
        self.name = name
        self.log = log

    def recorded(self, key: str) -> Mapping[str, str]:
        """The metadata of an object that an earlier run finished, plus its `size`; empty when there is none."""
        from botocore.exceptions import ClientError

        with _refusals(f"looking for s3://{self.name}/{key}"):
            try:
                head = self.client.head_object(Bucket=self.name, Key=key)
            except ClientError as error:
                # Without s3:ListBucket, S3 says 403 for a missing key too. A real refusal shows at the upload.
                if error.response["ResponseMetadata"]["HTTPStatusCode"] in (403, 404):
                    return {}
                raise
        return {**head["Metadata"], "size": str(head["ContentLength"])}

    def upload(self, key: str) -> Upload:
        """An upload to `key`; use it in a `with` block."""
        return Upload(self, key)


class Upload:
    """Parts, in any order, from many threads; then `publish`. Leaving the block unpublished removes every trace."""

    def __init__(self, bucket: RawBucket, key: str) -> None:
        self.bucket = bucket
        self.key = key
        self.staged = f"{STAGING_PREFIX}{uuid.uuid4().hex}/{key.rpartition('/')[2]}"
        self._client = bucket.client
        self._where = f"uploading to s3://{bucket.name}/{key}"
        self._id = ""
        self._parts: dict[int, dict[str, Any]] = {}
        self._idle = threading.Condition()
        self._active = 0
        self._closed = False
        self._joined = False

    def put(self, number: int, data: bytes | bytearray) -> None:
        """Upload part `number`, from 1, with its SHA-256, which S3 checks."""
        with self._idle:
            if self._closed:
                raise Stopped(f"stopped {self._where}; nothing was stored")
            self._begin()
            self._active += 1
        try:
            checksum = base64.b64encode(hashlib.sha256(data).digest()).decode()
            with _refusals(self._where):
                answer = self._client.upload_part(
                    **self._target, UploadId=self._id, PartNumber=number, Body=data, ChecksumSHA256=checksum
                )
            self._parts[number] = {"PartNumber": number, "ETag": answer["ETag"], "ChecksumSHA256": checksum}
        finally:
            with self._idle:
                self._active -= 1
                self._idle.notify_all()

    def publish(self, metadata: Mapping[str, str]) -> None:
        """Join the parts and put the object, with its metadata, under its key."""
        from boto3.s3.transfer import TransferConfig

        with _refusals(self._where):
            parts = [self._parts[number] for number in sorted(self._parts)]
            self._joined = True
            self._client.complete_multipart_upload(**self._target, UploadId=self._id, MultipartUpload={"Parts": parts})
            self._client.copy(
                self._target,
                self.bucket.name,
                self.key,
                ExtraArgs={
                    "MetadataDirective": "REPLACE",
                    "Metadata": dict(metadata),
                    "ContentType": CONTENT_TYPE,
                    "ChecksumAlgorithm": "SHA256",
                },
                Config=TransferConfig(multipart_threshold=_COPY_SIZE, multipart_chunksize=_COPY_SIZE),
            )

    def __enter__(self) -> Upload:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Remove what is staged. Waits for parts under way: S3 may store those after an abort."""
        with self._idle:
            self._closed = True
            self._idle.wait_for(lambda: self._active == 0, timeout=30)
        if not self._id:
            return
        try:
            if kind is not None:
                with suppress(self._client.exceptions.NoSuchUpload):
                    self._client.abort_multipart_upload(**self._target, UploadId=self._id)
            if self._joined:
                self._client.delete_object(**self._target)
        except Exception as failure:
            # The run's own outcome matters more; the bucket's lifecycle rule removes what stays.
            self.bucket.log.event(
                "staging_left", bucket=self.bucket.name, key=self.staged, upload_id=self._id, error=str(failure)
            )

    @property
    def _target(self) -> dict[str, str]:
        return {"Bucket": self.bucket.name, "Key": self.staged}

    def _begin(self) -> None:
        if not self._id:
            with _refusals(self._where):
                answer = self._client.create_multipart_upload(
                    **self._target, ContentType=CONTENT_TYPE, ChecksumAlgorithm="SHA256"
                )
            self._id = answer["UploadId"]


@contextmanager
def _refusals(doing: str) -> Iterator[None]:
    """Turn what the SDK raises into one line that says what to do."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except ClientError as error:
        code = error.response["Error"].get("Code", "")
        said = error.response["Error"].get("Message", "")
        raise StorageRefused(f"S3 refused {doing}: {code} {said}: {_advice(code)}") from None
    except BotoCoreError as error:
        raise StorageRefused(f"S3 could not be used {doing}: {error}: check endpoint, region and keys") from None


def _advice(code: str) -> str:
    if code == "NoSuchBucket":
        return "create the bucket or correct --raw_bucket"
    if code in ("AccessDenied", "403", "AllAccessDisabled"):
        return (
            "allow the role s3:GetObject, s3:PutObject, s3:DeleteObject and s3:AbortMultipartUpload on the bucket's "
            "objects"
        )
    return "try again; if it stays, look at the bucket and the role"
