"""What the operations on objects share."""

from __future__ import annotations

import hashlib
from email.utils import format_datetime
from pathlib import Path

from local_cloud.services.s3.errors import S3Error
from local_cloud.services.s3.operations.context import Context
from local_cloud.services.s3.requests import attributes as attrs
from local_cloud.services.s3.requests import body, checksums
from local_cloud.services.s3.requests.request import S3Request
from local_cloud.services.s3.storage.catalog import Version

#: What S3 computes for an object that comes without a checksum.
DEFAULT_CHECKSUM = "CRC64NVME"


def find(context: Context, request: S3Request) -> Version:
    """The version a request names. S3Error with S3's words for missing ones and delete markers."""
    version_id = request.query.get("versionId", "")
    store = context.store
    if version_id:
        version = store.version(request.bucket, request.key, version_id)
        if version is None:
            raise S3Error("NoSuchVersion", VersionId=version_id)
    else:
        version = store.head(request.bucket, request.key)
        if version is None:
            raise S3Error("NoSuchKey")
    if version.is_delete_marker:
        headers = {"x-amz-delete-marker": "true", "x-amz-version-id": version.version_id}
        if version_id:
            headers |= {"Allow": "DELETE", "Last-Modified": format_datetime(version.last_modified, usegmt=True)}
            raise S3Error("MethodNotAllowed", headers=headers, Method=request.method, ResourceType="DeleteMarker")
        raise S3Error("NoSuchKey", headers=headers)
    return version


def check_acl(context: Context, request: S3Request) -> None:
    """Buckets own their objects: only the ACL that changes nothing is taken (BucketOwnerEnforced)."""
    wanted = request.headers.get("x-amz-acl", "bucket-owner-full-control")
    grants = any(name.startswith("x-amz-grant-") for name in request.headers)
    if (wanted != "bucket-owner-full-control" or grants) and not context.buckets.allows_acls(request.bucket):
        raise S3Error("AccessControlListNotSupported")


def version_header(context: Context, version: Version) -> dict[str, str]:
    return {"x-amz-version-id": version.version_id} if context.versioned(version.bucket) else {}


def stored_headers(context: Context, version: Version) -> dict[str, str]:
    """What an answer says of an object that has just been stored."""
    headers = attrs.checksum_headers(version.attributes) | attrs.encryption_headers(version.attributes)
    return headers | version_header(context, version) | context.lifecycle.expiration_header(version)


def digests(path: Path, algorithm: str) -> tuple[str, str]:
    """(MD5 in hex, checksum in base64) of a file."""
    md5, running = hashlib.md5(usedforsecurity=False), checksums.new(algorithm)
    with path.open("rb") as file:
        while block := file.read(body.BLOCK):
            md5.update(block)
            running.update(block)
    return md5.hexdigest(), checksums.encode(running.digest())
