"""Put builds into the artifact bucket, each object once and for all."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from orchestration.errors import PublishError
from orchestration.releases.build import Build


def publish(s3: Any, bucket: str, builds: Iterable[Build]) -> list[str]:
    """Upload what the bucket does not hold yet; returns the keys that were new.

    Keys are write-once (`If-None-Match: *`). The same bytes again are fine; other bytes under a published key
    are refused with PublishError.
    """
    return [
        build.key(name)
        for build in builds
        for name, file in build.files.items()
        if _put_once(s3, bucket, build.key(name), file)
    ]


def _put_once(s3: Any, bucket: str, key: str, file: Path) -> bool:
    body = file.read_bytes()
    checksum = base64.b64encode(hashlib.sha256(body).digest()).decode()
    try:
        s3.put_object(Bucket=bucket, Key=key, Body=body, ChecksumSHA256=checksum, IfNoneMatch="*")
    except ClientError as error:
        if error.response["Error"]["Code"] != "PreconditionFailed":
            raise PublishError(f"s3://{bucket}/{key} could not be written: {error}") from error
        head = s3.head_object(Bucket=bucket, Key=key, ChecksumMode="ENABLED")
        if head.get("ChecksumSHA256") != checksum:
            raise PublishError(
                f"s3://{bucket}/{key} is published with other bytes; raise the package's version"
            ) from error
        return False
    return True
