"""One multipart upload to S3, fed by many threads: all of it, or none."""

from __future__ import annotations

import base64
import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from glue_ingest.errors import Stopped, StorageRefused


class Multipart:
    """Parts, in any order, then `complete` or `abort`. Begins with its first part.

    `properties` are what the object will be described by, as CreateMultipartUpload takes them; `doing` says what for,
    in the words of an error.
    """

    def __init__(self, client: Any, *, bucket: str, key: str, doing: str, **properties: Any) -> None:
        self.target = {"Bucket": bucket, "Key": key}
        self.upload_id = ""
        self._client = client
        self._doing = doing
        self._properties = properties
        self._parts: dict[int, dict[str, Any]] = {}
        self._change = threading.Condition()
        self._under_way = 0
        self._aborted = False

    def put(self, number: int, data: bytes | bytearray) -> None:
        """Upload part `number`, from 1, with its SHA-256, which S3 checks."""
        checksum = base64.b64encode(hashlib.sha256(data).digest()).decode()
        with self._part(number) as part:
            part.update(self._client.upload_part(Body=data, ChecksumSHA256=checksum, **self._request(number)))

    def copy(self, number: int, *, source: dict[str, str], span: tuple[int, int] | None) -> None:
        """Make part `number` of another object inside S3, or of its bytes from one to another, both included."""
        given = {"CopySourceRange": "bytes={}-{}".format(*span)} if span else {}
        with self._part(number) as part:
            answer = self._client.upload_part_copy(CopySource=source, **given, **self._request(number))
            part.update(answer["CopyPartResult"])

    def complete(self) -> None:
        """Join the parts: the object appears."""
        parts = [self._parts[number] for number in sorted(self._parts)]
        with refusals(self._doing):
            self._client.complete_multipart_upload(
                UploadId=self.upload_id, MultipartUpload={"Parts": parts}, **self.target
            )

    def abort(self) -> None:
        """Take no more parts, and remove those there are. Waits for parts under way: S3 may keep these otherwise."""
        with self._change:
            self._aborted = True
            self._change.wait_for(lambda: self._under_way == 0, timeout=30)
        if self.upload_id:
            from botocore.exceptions import ClientError

            try:
                self._client.abort_multipart_upload(UploadId=self.upload_id, **self.target)
            except ClientError as error:
                if error.response["Error"]["Code"] != "NoSuchUpload":
                    raise

    def _request(self, number: int) -> dict[str, Any]:
        return {"UploadId": self.upload_id, "PartNumber": number, **self.target}

    @contextmanager
    def _part(self, number: int) -> Iterator[dict[str, Any]]:
        """Takes S3's answer about a part, and keeps of it what `complete` has to repeat."""
        with refusals(self._doing):
            with self._change:
                if self._aborted:
                    raise Stopped(f"stopped {self._doing}; nothing was stored")
                self._begin()
                self._under_way += 1
            answer: dict[str, Any] = {}
            try:
                yield answer
            finally:
                with self._change:
                    self._under_way -= 1
                    self._change.notify_all()
        told: dict[str, Any] = {name: answer[name] for name in ("ETag", "ChecksumSHA256") if name in answer}
        self._parts[number] = {"PartNumber": number, **told}

    def _begin(self) -> None:
        if not self.upload_id:
            answer = self._client.create_multipart_upload(ChecksumAlgorithm="SHA256", **self._properties, **self.target)
            self.upload_id = answer["UploadId"]


@contextmanager
def refusals(doing: str) -> Iterator[None]:
    """Turn what the SDK raises into a StorageRefused: one line that says what to do."""
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
