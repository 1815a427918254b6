"""S3 as a transform needs it. URLs are `s3://bucket/key`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from glue_transform.errors import RawFileMissing, StorageError

#: Ranges of 8 MiB, eight at a time: one connection to S3 brings well under 100 MB/s. They pass to the disk in few large
#: pieces, which takes half the CPU time of the default, and as few may wait for the disk.
_PART = 8 << 20
_CONNECTIONS = 8
_PIECE = 4 << 20
_PIECES_WAITING = 8


@dataclass(frozen=True)
class ObjectInfo:
    """An object's size in bytes, its ETag without quotes, and its user metadata."""

    bytes: int
    etag: str
    metadata: Mapping[str, str]


class Storage(Protocol):
    """The one seam to S3. Every method raises StorageError when S3 refuses or does not answer."""

    def info(self, url: str) -> ObjectInfo:
        """Raises RawFileMissing when there is none."""

    def download(self, url: str, file: Path) -> None: ...

    def upload(self, file: Path, url: str) -> None: ...

    def read(self, url: str) -> bytes | None:
        """Return the object's content, or None when there is none."""

    def write(self, url: str, content: bytes) -> None:
        """Put the object in one request: readers see the old or the new, never a part."""

    def list(self, prefix: str) -> Sequence[str]:
        """Return the URLs of all objects under a prefix, in key order."""

    def delete(self, urls: Sequence[str]) -> None:
        """Remove objects of one bucket."""


class S3:
    """S3 by boto3, found by the SDK's own environment."""

    def __init__(self) -> None:
        import boto3
        from boto3.s3.transfer import TransferConfig
        from botocore.config import Config

        retries = {"mode": "standard", "total_max_attempts": 5}
        self._client: Any = boto3.client("s3", config=Config(retries=retries, max_pool_connections=2 * _CONNECTIONS))
        self._transfer = TransferConfig(
            multipart_threshold=4 * _PART,
            multipart_chunksize=_PART,
            max_concurrency=_CONNECTIONS,
            io_chunksize=_PIECE,
            max_io_queue=_PIECES_WAITING,
        )

    def info(self, url: str) -> ObjectInfo:
        bucket, key = _split(url)
        with _errors("look at", url, missing=f"{url} is not there: ingest the month first"):
            found = self._client.head_object(Bucket=bucket, Key=key)
        return ObjectInfo(found["ContentLength"], found["ETag"].strip('"'), found["Metadata"])

    def download(self, url: str, file: Path) -> None:
        with _errors("read", url, missing=f"{url} is not there any more: ingest the month again"):
            self._client.download_file(*_split(url), str(file), Config=self._transfer)

    def upload(self, file: Path, url: str) -> None:
        with _errors("write", url):
            self._client.upload_file(str(file), *_split(url), Config=self._transfer)

    def read(self, url: str) -> bytes | None:
        bucket, key = _split(url)
        try:
            with _errors("read", url, missing=f"{url} is not there"):
                content: bytes = self._client.get_object(Bucket=bucket, Key=key)["Body"].read()
        except RawFileMissing:
            return None
        return content

    def write(self, url: str, content: bytes) -> None:
        bucket, key = _split(url)
        with _errors("write", url):
            self._client.put_object(Bucket=bucket, Key=key, Body=content, ContentType="application/json")

    def list(self, prefix: str) -> list[str]:
        bucket, key = _split(prefix)
        with _errors("list", prefix):
            pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=key)
            return [f"s3://{bucket}/{entry['Key']}" for page in pages for entry in page.get("Contents", [])]

    def delete(self, urls: Sequence[str]) -> None:
        for first in range(0, len(urls), 1000):  # as many as one request takes
            batch = urls[first : first + 1000]
            bucket = _split(batch[0])[0]
            keys = [{"Key": _split(url)[1]} for url in batch]
            with _errors("delete", batch[0]):
                done = self._client.delete_objects(Bucket=bucket, Delete={"Objects": keys, "Quiet": True})
            for error in done.get("Errors", []):
                raise StorageError(f"cannot delete s3://{bucket}/{error['Key']}: {error['Code']}: {error['Message']}")


def _split(url: str) -> tuple[str, str]:
    bucket, _, key = url[len("s3://") :].partition("/")
    return bucket, key


@contextmanager
def _errors(doing: str, url: str, *, missing: str | None = None) -> Iterator[None]:
    """Turn what boto3 raises into this package's errors: what was tried, where, what S3 said."""
    from boto3.exceptions import Boto3Error
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except (BotoCoreError, Boto3Error, ClientError, OSError) as error:
        # boto3's transfers wrap what S3 said in a sentence about temporary files.
        said = error.__context__ if isinstance(error.__context__, ClientError) else error
        if not isinstance(said, ClientError):
            line = " ".join(str(said).split())
            raise StorageError(f"cannot {doing} {url}: {line}; run the transform again when S3 answers") from None
        code, message = (said.response["Error"].get(key, "") for key in ("Code", "Message"))
        if code == "403":  # S3 answers HEAD without words
            message = (
                "Forbidden: the role lacks s3:GetObject on it, or it is not there and the role lacks s3:ListBucket"
            )
        if missing and code in {"404", "NoSuchKey"}:
            raise RawFileMissing(missing) from None
        raise StorageError(
            f"cannot {doing} {url}: {code}: {message}; check the bucket and the permissions of the job's role"
        ) from None
