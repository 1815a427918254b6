"""What the operations on objects share."""

from __future__ import annotations

import hashlib
from email.utils import format_datetime
from pathlib import Path

from local_cloud.services.s3.errors import S3Error, invalid_argument
from local_cloud.services.s3.operations.context import Context
from local_cloud.services.s3.requests import attributes as attrs
from local_cloud.services.s3.requests import body, checksums
from local_cloud.services.s3.requests.request import S3Request
from local_cloud.services.s3.storage.catalog import Version
from local_cloud.services.s3.storage.store import NULL, is_version_id

#: Storage classes whose objects have to be restored before they are read.
ARCHIVED = ("GLACIER", "DEEP_ARCHIVE")

#: What S3 computes for an object that comes without a checksum.
DEFAULT_CHECKSUM = "CRC64NVME"


def find(context: Context, request: S3Request, *, a_marker_is_there: bool = False) -> Version:
    """The version a request names. S3Error with S3's words for missing ones and delete markers.

    A delete marker that hides the object is NoSuchKey, or MethodNotAllowed with `a_marker_is_there`.
    """
    version_id = request.query.get("versionId", "")
    store = context.store
    if version_id:
        version = store.version(request.bucket, request.key, version_id)
        if version is None:
            check_version_id(context, request.bucket, version_id)
            raise S3Error("NoSuchVersion", VersionId=version_id)
    else:
        version = store.head(request.bucket, request.key)
        if version is None:
            raise S3Error("NoSuchKey")
    if version.is_delete_marker:
        headers = {"x-amz-delete-marker": "true", "x-amz-version-id": version.version_id}
        if version_id or a_marker_is_there:
            headers |= {"Allow": "DELETE", "Last-Modified": format_datetime(version.last_modified, usegmt=True)}
            raise S3Error("MethodNotAllowed", headers=headers, Method=request.method, ResourceType="DeleteMarker")
        raise S3Error("NoSuchKey", headers=headers)
    return version


def check_version_id(context: Context, bucket: str, version_id: str) -> None:
    """Refuse an id that no version in the bucket can have had, with S3Error InvalidArgument."""
    if version_id != NULL and not (context.versioned(bucket) and is_version_id(version_id)):
        raise invalid_argument("Invalid version id specified", name="versionId", value=version_id)


def check_readable(version: Version) -> None:
    """Refuse the bytes of an archived object, which S3 gives only once it is restored."""
    storage = version.attributes.headers.get("x-amz-storage-class", "STANDARD")
    if storage in ARCHIVED:
        raise S3Error("InvalidObjectState", StorageClass=storage)


def check_acl(context: Context, request: S3Request) -> None:
    """Buckets own their objects: only the ACL that changes nothing is taken (BucketOwnerEnforced)."""
    wanted = request.headers.get("x-amz-acl", "bucket-owner-full-control")
    grants = any(name.startswith("x-amz-grant-") for name in request.headers)
    if (wanted != "bucket-owner-full-control" or grants) and not context.buckets.allows_acls(request.bucket):
        raise S3Error("AccessControlListNotSupported")


def version_header(context: Context, version: Version) -> dict[str, str]:
    return {"x-amz-version-id": version.version_id} if context.versioned(version.bucket) else {}


def new_version_header(version: Version) -> dict[str, str]:
    """What an answer says of a version that has just been made: nothing where it has no id of its own."""
    return {"x-amz-version-id": version.version_id} if version.version_id != NULL else {}


def stored_headers(context: Context, version: Version) -> dict[str, str]:
    """What an answer says of an object that has just been stored."""
    headers = attrs.checksum_headers(version.attributes) | attrs.encryption_headers(version.attributes)
    return headers | new_version_header(version) | context.lifecycle.expiration_header(version)


def digests(path: Path, algorithm: str) -> tuple[str, str]:
    """(MD5 in hex, checksum in base64) of a file."""
    md5, running = hashlib.md5(usedforsecurity=False), checksums.new(algorithm)
    with path.open("rb") as file:
        while block := file.read(body.BLOCK):
            md5.update(block)
            running.update(block)
    return md5.hexdigest(), checksums.encode(running.digest())
