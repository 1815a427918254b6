"""CopyObject, and the sources of copies."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs, unquote_plus

from local_cloud.services.s3.errors import S3Error, invalid_argument, not_implemented
from local_cloud.services.s3.operations.context import Context
from local_cloud.services.s3.operations.shared import (
    DEFAULT_CHECKSUM,
    check_acl,
    check_readable,
    digests,
    find,
    version_header,
)
from local_cloud.services.s3.requests import attributes as attrs
from local_cloud.services.s3.requests import checksums, conditions, xmldoc
from local_cloud.services.s3.requests.request import Reply, S3Request, xml
from local_cloud.services.s3.storage.catalog import Attributes, Version
from local_cloud.services.s3.storage.files import copy_range
from local_cloud.services.s3.storage.store import NULL, Content


def source(context: Context, request: S3Request) -> Version:
    """The version `x-amz-copy-source` names (`[/]bucket/key[?versionId=…]`, URL-encoded), conditions checked."""
    raw = request.headers["x-amz-copy-source"]
    path, _, query = raw.partition("?")
    if raw.startswith("arn:"):
        raise not_implemented("access points")
    bucket, _, key = unquote_plus(path.removeprefix("/")).partition("/")
    if not bucket or not key:
        name = "x-amz-copy-source"
        raise invalid_argument("Invalid copy source object key", name=name, value=name)
    context.buckets.get(bucket)
    version_id = parse_qs(query).get("versionId", [""])[0]
    wanted = replace(request, method="GET", bucket=bucket, key=key, query={"versionId": version_id})
    try:
        version = find(context, wanted)
    except S3Error as error:
        error.details["Key"] = key
        if error.code == "MethodNotAllowed":
            raise S3Error(
                "InvalidRequest",
                "The source of a copy request may not specifically refer to a delete marker by version id.",
            ) from None
        raise
    check_readable(version)
    conditions.check_read(request.headers, version, prefix="x-amz-copy-source-")
    return version


def copy(context: Context, request: S3Request) -> Reply:
    """CopyObject. The copy is one whole object, whatever parts its source had."""
    attrs.refuse(request.headers)
    origin = source(context, request)
    directive = request.headers.get("x-amz-metadata-directive", "COPY").upper()
    itself = (origin.bucket, origin.key) == (request.bucket, request.key)
    changes = directive == "REPLACE" or any(
        name in request.headers
        for name in ("x-amz-storage-class", "x-amz-server-side-encryption", "x-amz-website-redirect-location")
    )
    # Encryption changes also by what the bucket says, and from a key to S3's own where nothing is said.
    encrypted = origin.attributes.headers.get("x-amz-server-side-encryption", "AES256") != "AES256"
    changes = changes or encrypted or context.buckets.has_encryption(request.bucket)
    if itself and not changes and "versionId=" not in request.headers["x-amz-copy-source"]:
        raise S3Error(
            "InvalidRequest",
            "This copy request is illegal because it is trying to copy an object to itself without changing the "
            "object's metadata, storage class, website redirect location or encryption attributes.",
        )
    check_acl(context, request)
    stored = _copied_attributes(context, request, origin, replaced=directive == "REPLACE")
    replace_tags = request.headers.get("x-amz-tagging-directive", "COPY").upper() == "REPLACE"
    tags = attrs.tags_from_header(request.headers.get("x-amz-tagging", "")) if replace_tags else origin.tags
    file = context.store.open(origin)
    if file is None:
        raise S3Error("NoSuchKey", Key=origin.key)
    algorithm = (
        request.headers.get("x-amz-checksum-algorithm", "").upper()
        or origin.attributes.checksum_algorithm
        or DEFAULT_CHECKSUM
    )
    if algorithm not in checksums.ALGORITHMS:
        raise checksums.unsupported()
    with file, context.store.stage() as staged:
        copy_range(file, staged.file, offset=0, length=origin.size or 0)
        etag, checksum = _copied_digests(origin, staged.path, algorithm)
        stored = replace(stored, checksum_algorithm=algorithm, checksum=checksum, checksum_type="FULL_OBJECT")
        version = context.store.put(
            request.bucket,
            request.key,
            staged.path,
            content=Content(etag, stored, dict(tags)),
            condition=lambda current: conditions.check_write(request.headers, current),
        )
    context.notify("s3:ObjectCreated:Copy", version)
    headers = attrs.encryption_headers(stored) | version_header(context, version)
    headers |= context.lifecycle.expiration_header(version)
    if origin.version_id != NULL:
        headers["x-amz-copy-source-version-id"] = origin.version_id
    content = {
        "LastModified": xmldoc.timestamp(version.last_modified.timestamp()),
        "ETag": f'"{version.etag}"',
        f"Checksum{algorithm}": checksum,
        "ChecksumType": "FULL_OBJECT",
    }
    return xml(xmldoc.document("CopyObjectResult", content), headers=headers)


def _copied_digests(origin: Version, path: Path, algorithm: str) -> tuple[str, str]:
    """ETag and checksum of a copy: those of a source that was put whole are still right."""
    stored = origin.attributes
    if not stored.parts and stored.checksum_algorithm == algorithm:
        return origin.etag, stored.checksum
    return digests(path, algorithm)


def _copied_attributes(context: Context, request: S3Request, origin: Version, *, replaced: bool) -> Attributes:
    """The copy's own: encryption, storage class and redirect are never taken over from the source."""
    own = attrs.from_headers(request.headers, encryption=context.buckets.encryption(request.bucket))
    if replaced:
        return own
    kept = {k: v for k, v in origin.attributes.headers.items() if not k.startswith("x-amz-")}
    kept |= {k: v for k, v in own.headers.items() if k.startswith("x-amz-")}
    return Attributes(headers=kept, metadata=origin.attributes.metadata)
