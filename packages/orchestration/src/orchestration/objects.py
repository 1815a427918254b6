"""Objects of a bucket by prefix: listed, and deleted.

DeleteObjects answers 200 also for what it did not delete, for want of a permission too, and lists that in its answer
(https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html); boto3's collections pass over it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from orchestration.errors import EltError

#: As many as one request takes.
_BATCH = 1000


def list_under(s3: Any, bucket: str, prefix: str) -> Iterable[dict[str, Any]]:
    """List the objects under a prefix, as ListObjectsV2 gives them."""
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    return (item for page in pages for item in page.get("Contents", []))


def delete(s3: Any, bucket: str, objects: Sequence[Mapping[str, str]]) -> None:
    """Delete objects in order, each a Key and, for one version of it, a VersionId.

    Errors: EltError, which names the first that S3 refused to delete, and why.
    """
    for start in range(0, len(objects), _BATCH):
        batch = objects[start : start + _BATCH]
        answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": batch, "Quiet": True})
        for refused in answer.get("Errors", []):
            reason = f"{refused['Code']}: {refused.get('Message', '')}"
            raise EltError(f"s3://{bucket}/{refused['Key']} could not be deleted: {reason}")


def delete_under(s3: Any, bucket: str, prefix: str = "") -> None:
    """Delete all objects under a prefix. Errors: EltError."""
    delete(s3, bucket, [{"Key": item["Key"]} for item in list_under(s3, bucket, prefix)])
