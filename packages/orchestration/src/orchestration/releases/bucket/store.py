"""The artifact bucket: objects that are written once, and JSON documents."""

from __future__ import annotations

import base64
import datetime
import hashlib
import json
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from orchestration.errors import DeployError, PublishError

_THREADS = 8
_ATTEMPTS = 5


@dataclass(frozen=True)
class Store:
    """One artifact bucket."""

    s3: Any
    bucket: str

    def put_files(self, files: Mapping[str, Path]) -> list[str]:
        """Put each file under its key, once and for all; the keys that were new. Errors: PublishError."""
        with ThreadPoolExecutor(_THREADS) as pool:
            new = pool.map(lambda item: self.put_once(item[0], item[1].read_bytes()), files.items())
            return [key for key, is_new in zip(files, new, strict=True) if is_new]

    def put_once(self, key: str, body: bytes) -> bool:
        """Write an object unless it is there; False where it was. PublishError where it is there with other bytes.

        `If-None-Match: *` decides between two that write at once:
        https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
        """
        digest = hashlib.sha256(body).digest()
        checksum = base64.b64encode(digest).decode()
        for attempt in range(_ATTEMPTS):
            time.sleep(attempt * 0.2)
            published = self.checksum(key)
            if published is not None:
                if published != digest.hex():
                    raise PublishError(f"{self.uri(key)} is published with other bytes; raise the package's version")
                return False
            try:
                self.s3.put_object(Bucket=self.bucket, Key=key, Body=body, ChecksumSHA256=checksum, IfNoneMatch="*")
            except ClientError as error:
                # 412: somebody has written it. 409: somebody is about to, and may yet fail. So look again.
                if error.response["Error"]["Code"] not in ("PreconditionFailed", "ConditionalRequestConflict"):
                    raise PublishError(f"{self.uri(key)} could not be written: {error}") from error
            else:
                return True
        raise PublishError(f"{self.uri(key)} is being written by somebody else; do this again")

    def checksum(self, key: str) -> str | None:
        """Return the sha256 that S3 has of an object, as hexadecimal digits; None where there is no such object."""
        try:
            head = self.s3.head_object(Bucket=self.bucket, Key=key, ChecksumMode="ENABLED")
        except ClientError as error:
            if error.response["Error"]["Code"] in ("404", "NoSuchKey"):
                return None
            raise
        return base64.b64decode(head.get("ChecksumSHA256", "")).hex()

    def checksums(self, keys: Iterator[str] | list[str]) -> dict[str, str | None]:
        """`checksum` of each key."""
        keys = list(keys)
        with ThreadPoolExecutor(_THREADS) as pool:
            return dict(zip(keys, pool.map(self.checksum, keys), strict=True))

    def put_document(self, key: str, document: Mapping[str, Any], *, once: bool) -> None:
        """Raise PublishError where it is to be written `once`, and is there with other bytes."""
        body = (json.dumps(document, indent=2) + "\n").encode()
        if once:
            self.put_once(key, body)
        else:
            self.s3.put_object(Bucket=self.bucket, Key=key, Body=body, ContentType="application/json")

    def body(self, key: str) -> bytes:
        """Read the bytes of an object that is there."""
        body: bytes = self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read()
        return body

    def document(self, key: str) -> dict[str, Any] | None:
        """Return a JSON document; None where there is none. Errors: DeployError for what is no JSON object."""
        try:
            answer = self.s3.get_object(Bucket=self.bucket, Key=key)
        except self.s3.exceptions.NoSuchKey:
            return None
        try:
            document = json.loads(answer["Body"].read())
        except ValueError:
            document = None
        if not isinstance(document, dict):
            raise DeployError(f"{self.uri(key)} is no JSON object: find out who wrote it, and delete it")
        return document

    def keys(self, prefix: str) -> list[tuple[str, datetime.datetime]]:
        """List the objects under a prefix in the order of their keys, and when each was written."""
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix)
        return [(item["Key"], item["LastModified"]) for page in pages for item in page.get("Contents", [])]

    def uri(self, key: str) -> str:
        return f"s3://{self.bucket}/{key}"

    def url(self, key: str) -> str:
        """Return the object's address by HTTP, as CloudFormation takes a template's. Keys here need no quoting."""
        return f"{self.s3.meta.endpoint_url}/{self.bucket}/{key}"
