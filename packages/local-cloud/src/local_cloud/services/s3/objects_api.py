"""Operations on one object."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from email.utils import format_datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote

from local_cloud.httpd import FileSlice
from local_cloud.services.s3 import attributes as attrs
from local_cloud.services.s3 import body, checksums, conditions, keys, xmldoc
from local_cloud.services.s3.catalog import Attributes, Version
from local_cloud.services.s3.context import OWNER, Context
from local_cloud.services.s3.errors import S3Error, not_implemented
from local_cloud.services.s3.files import copy_range
from local_cloud.services.s3.request import Reply, S3Request, xml
from local_cloud.services.s3.store import Content

#: What S3 computes for an object that comes without a checksum.
DEFAULT_CHECKSUM = "CRC64NVME"

_OVERRIDES = ("cache-control", "content-disposition", "content-encoding", "content-language", "content-type", "expires")


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


def get(context: Context, request: S3Request) -> Reply:
    """GetObject and HeadObject."""
    attrs.refuse(request.headers)
    while True:
        version = find(context, request)
        conditions.check_read(request.headers, version)
        file = context.store.open(version)
        if file:
            break  # else it was replaced since: look again
    try:
        offset, length, status, extra = _part_or_range(request, version)
        headers = attrs.to_headers(
            version,
            versioned=context.versioned(request.bucket),
            checksum=status == 200 and request.headers.get("x-amz-checksum-mode", "").upper() == "ENABLED",
        )
        headers |= {
            name: request.query[f"response-{name}"] for name in _OVERRIDES if f"response-{name}" in request.query
        }
        headers |= extra
        headers["Content-Length"] = str(length)
        if request.method == "HEAD":
            file.close()
            return Reply(status, headers)
        return Reply(status, headers, FileSlice(file, offset=offset, length=length))
    except BaseException:
        file.close()
        raise


def _part_or_range(request: S3Request, version: Version) -> tuple[int, int, int, dict[str, str]]:
    """(offset, length, status, headers) of what is asked of the object."""
    size = version.size or 0
    parts = version.attributes.parts
    if "partNumber" in request.query:
        number = request.number("partNumber", 1, most=10_000)
        if "range" in request.headers:
            raise S3Error("InvalidRequest", "Cannot specify both Range header and partNumber query parameter")
        if not 1 <= number <= max(len(parts), 1):
            raise S3Error("InvalidPartNumber", PartNumberRequested=str(number), ActualPartCount=str(max(len(parts), 1)))
        offset = sum(part.size for part in parts[: number - 1])
        length = parts[number - 1].size if parts else size
        extra = {"x-amz-mp-parts-count": str(len(parts))} if parts else {}
        if size:
            extra["Content-Range"] = f"bytes {offset}-{offset + length - 1}/{size}"
        return offset, length, 206, extra
    found = conditions.byte_range(request.headers.get("range"), size)
    if found is None:
        return 0, size, 200, {}
    offset, length = found
    return offset, length, 206, {"Content-Range": f"bytes {offset}-{offset + length - 1}/{size}"}


def put(context: Context, request: S3Request) -> Reply:
    """PutObject, or CopyObject when a source is named."""
    if "x-amz-copy-source" in request.headers:
        return copy(context, request)
    check_acl(context, request)
    stored = attrs.from_headers(request.headers, encryption=context.buckets.encryption(request.bucket))
    tags = attrs.tags_from_header(request.headers.get("x-amz-tagging", ""))
    if "content-length" not in request.headers and "transfer-encoding" not in request.headers:
        raise S3Error("MissingContentLength", "You must provide the Content-Length HTTP header.")

    def condition(current: Version | None) -> None:
        conditions.check_write(request.headers, current)

    if "if-match" in request.headers or "if-none-match" in request.headers:
        condition(context.store.current(request.bucket, request.key))  # before the body is sent
    with context.store.stage() as staged:
        chosen = body.Claims(request.headers).algorithm or DEFAULT_CHECKSUM
        received = body.receive(request.body, request.headers, staged.file, algorithms=[chosen])
        stored = replace(
            stored,
            checksum_algorithm=chosen,
            checksum=received.checksums[chosen],
            checksum_type="FULL_OBJECT",
        )
        version = context.store.put(
            request.bucket,
            request.key,
            staged.path,
            content=Content(received.md5, stored, tags),
            condition=condition,
        )
    context.notify("s3:ObjectCreated:Put", version)
    return Reply(headers={**stored_headers(context, version), "ETag": f'"{version.etag}"'})


def stored_headers(context: Context, version: Version) -> dict[str, str]:
    headers = attrs.checksum_headers(version.attributes) | attrs.encryption_headers(version.attributes)
    if context.versioned(version.bucket):
        headers["x-amz-version-id"] = version.version_id
    return headers


def source(context: Context, request: S3Request) -> Version:
    """The version `x-amz-copy-source` names (`[/]bucket/key[?versionId=…]`, URL-encoded), conditions checked."""
    raw = request.headers["x-amz-copy-source"]
    path, _, query = raw.partition("?")
    if raw.startswith("arn:"):
        raise not_implemented("access points")
    bucket, _, key = unquote(path.removeprefix("/")).partition("/")
    if not bucket or not key:
        raise S3Error(
            "InvalidArgument",
            "Copy Source must mention the source bucket and key: sourcebucket/sourcekey",
            ArgumentName="x-amz-copy-source",
            ArgumentValue=raw,
        )
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
    conditions.check_read(request.headers, version, prefix="x-amz-copy-source-")
    return version


def copy(context: Context, request: S3Request) -> Reply:
    """CopyObject. The copy is one whole object, whatever parts its source had."""
    check_acl(context, request)
    attrs.refuse(request.headers)
    origin = source(context, request)
    directive = request.headers.get("x-amz-metadata-directive", "COPY").upper()
    itself = (origin.bucket, origin.key) == (request.bucket, request.key)
    changes = directive == "REPLACE" or any(
        name in request.headers
        for name in ("x-amz-storage-class", "x-amz-server-side-encryption", "x-amz-website-redirect-location")
    )
    if itself and not changes and "versionId=" not in request.headers["x-amz-copy-source"]:
        raise S3Error(
            "InvalidRequest",
            "This copy request is illegal because it is trying to copy an object to itself without changing the "
            "object's metadata, storage class, website redirect location or encryption attributes.",
        )
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
        raise S3Error("InvalidRequest", "Checksum algorithm provided is unsupported.")
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
    headers = attrs.encryption_headers(stored)
    if context.versioned(request.bucket):
        headers["x-amz-version-id"] = version.version_id
    if context.versioned(origin.bucket):
        headers["x-amz-copy-source-version-id"] = origin.version_id
    content = {
        "LastModified": iso(version),
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


def digests(path: Path, algorithm: str) -> tuple[str, str]:
    """(MD5 in hex, checksum in base64) of a file."""
    md5, running = hashlib.md5(usedforsecurity=False), checksums.new(algorithm)
    with path.open("rb") as file:
        while block := file.read(body.BLOCK):
            md5.update(block)
            running.update(block)
    return md5.hexdigest(), checksums.encode(running.digest())


def delete(context: Context, request: S3Request) -> Reply:
    """DeleteObject."""

    def condition(current: Version | None) -> None:
        conditions.check_delete(request.headers, current)

    headers = _delete(context, request.bucket, request.key, request.query.get("versionId", ""), condition)
    return Reply(204, headers)


def _delete(context: Context, bucket: str, key: str, version_id: str, condition: Any = None) -> dict[str, str]:
    if version_id:
        done = context.store.delete_version(bucket, key, version_id, condition=condition)
    else:
        done = context.store.delete(bucket, key, condition=condition)
    marked = done.marker and not version_id
    event = "s3:ObjectRemoved:DeleteMarkerCreated" if marked else "s3:ObjectRemoved:Delete"
    context.notify(event, Version(bucket, key, seq=0, version_id=done.version_id, size=0, etag=""))
    headers = {"x-amz-version-id": done.version_id} if done.version_id else {}
    return headers | ({"x-amz-delete-marker": "true"} if done.marker else {})


def delete_many(context: Context, request: S3Request) -> Reply:
    """DeleteObjects: each key on its own; one that cannot be deleted does not stop the rest."""
    if not any(
        name == "content-md5" or name.startswith("x-amz-checksum-") or name == "x-amz-trailer"
        for name in request.headers
    ):
        raise S3Error("InvalidRequest", "Missing required header for this request: Content-MD5 OR x-amz-checksum-*")
    document = xmldoc.parse(body.read_document(request.body, request.headers, limit=xmldoc.MAX_DOCUMENT), "Delete")
    wanted = [
        (xmldoc.text(node, "Key") or "", xmldoc.text(node, "VersionId") or "", xmldoc.text(node, "ETag"))
        for node in xmldoc.children(document, "Object")
    ]
    if not 1 <= len(wanted) <= 1000 or not all(key for key, _, _ in wanted):
        raise S3Error("MalformedXML")
    quiet = (xmldoc.text(document, "Quiet") or "").lower() == "true"
    deleted: list[dict[str, Any]] = []
    failed: list[dict[str, Any]] = []
    for key, version_id, etag in wanted:
        named: dict[str, Any] = {"Key": key, "VersionId": version_id or None}
        conditioned = {"if-match": etag} if etag is not None else {}
        try:
            keys.check_key(key)
            headers = _delete(
                context,
                request.bucket,
                key,
                version_id,
                lambda current, conditioned=conditioned: conditions.check_delete(conditioned, current),
            )
        except S3Error as error:
            failed.append({**named, "Code": error.code, "Message": error.message})
            continue
        if "x-amz-delete-marker" in headers:
            named |= {"DeleteMarker": True, "DeleteMarkerVersionId": headers["x-amz-version-id"]}
        deleted.append(named)
    return xml(xmldoc.document("DeleteResult", {"Deleted": [] if quiet else deleted, "Error": failed}))


def get_tagging(context: Context, request: S3Request) -> Reply:
    version = find(context, request)
    tags = [{"Key": name, "Value": value} for name, value in version.tags.items()]
    return xml(xmldoc.document("Tagging", {"TagSet": {"Tag": tags}}), headers=_version_header(context, version))


def put_tagging(context: Context, request: S3Request) -> Reply:
    version = find(context, request)
    document = xmldoc.parse(body.read_document(request.body, request.headers, limit=1 << 20), "Tagging")
    pairs = [(xmldoc.text(t, "Key") or "", xmldoc.text(t, "Value") or "") for t in document.iter("Tag")]
    if len(dict(pairs)) < len(pairs):
        raise S3Error("InvalidTag", "Cannot provide multiple Tags with the same key")
    context.store.set_tags(version, attrs.check_tags(dict(pairs)))
    context.notify("s3:ObjectTagging:Put", version)
    return Reply(200, _version_header(context, version))


def delete_tagging(context: Context, request: S3Request) -> Reply:
    version = find(context, request)
    context.store.set_tags(version, {})
    context.notify("s3:ObjectTagging:Delete", version)
    return Reply(204, _version_header(context, version))


def get_acl(context: Context, request: S3Request) -> Reply:
    version = find(context, request)
    owner = f"<ID>{OWNER['ID']}</ID>"
    grant = (
        '<Grant><Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="CanonicalUser">'
        f"{owner}</Grantee><Permission>FULL_CONTROL</Permission></Grant>"
    )
    document = xmldoc.wrap(
        "AccessControlPolicy", f"<Owner>{owner}</Owner><AccessControlList>{grant}</AccessControlList>"
    )
    return xml(document, headers=_version_header(context, version))


def put_acl(context: Context, request: S3Request) -> Reply:
    version = find(context, request)
    check_acl(context, request)
    return Reply(200, _version_header(context, version))


def check_acl(context: Context, request: S3Request) -> None:
    """Buckets own their objects: only the ACL that changes nothing is taken (BucketOwnerEnforced)."""
    wanted = request.headers.get("x-amz-acl", "bucket-owner-full-control")
    grants = any(name.startswith("x-amz-grant-") for name in request.headers)
    if (wanted != "bucket-owner-full-control" or grants) and not context.buckets.allows_acls(request.bucket):
        raise S3Error("AccessControlListNotSupported")


def get_attributes(context: Context, request: S3Request) -> Reply:
    """GetObjectAttributes."""
    version = find(context, request)
    wanted = {name.strip() for name in request.headers.get("x-amz-object-attributes", "").split(",")}
    if not wanted - {""}:
        raise S3Error(
            "InvalidArgument",
            "The x-amz-object-attributes header specifying the attributes to be retrieved is either missing or empty",
        )
    stored = version.attributes
    checksum = {f"Checksum{stored.checksum_algorithm}": stored.checksum, "ChecksumType": stored.checksum_type}
    content: dict[str, Any] = {
        "ETag": version.etag,
        "Checksum": checksum if stored.checksum else None,
        "ObjectParts": _object_parts(request, stored) if stored.parts else None,
        "StorageClass": stored.headers.get("x-amz-storage-class", "STANDARD"),
        "ObjectSize": version.size,
    }
    headers = {
        "Last-Modified": format_datetime(version.last_modified, usegmt=True),
        **_version_header(context, version),
    }
    document = xmldoc.document("GetObjectAttributesResponse", {k: v for k, v in content.items() if k in wanted})
    return xml(document, headers=headers)


def _object_parts(request: S3Request, stored: Attributes) -> dict[str, Any]:
    content: dict[str, Any] = {"PartsCount": len(stored.parts)}
    if stored.checksum_type != "COMPOSITE":
        return content  # S3 lists the parts only where they have checksums of their own
    marker = int(request.headers.get("x-amz-part-number-marker") or 0)
    most = int(request.headers.get("x-amz-max-parts") or 1000)
    rest = [part for part in stored.parts if part.number > marker]
    shown = rest[:most]
    return content | {
        "PartNumberMarker": marker,
        "NextPartNumberMarker": shown[-1].number if shown else 0,
        "MaxParts": most,
        "IsTruncated": len(rest) > len(shown),
        "Part": [
            {"PartNumber": p.number, "Size": p.size, f"Checksum{stored.checksum_algorithm}": p.checksum} for p in shown
        ],
    }


def iso(version: Version) -> str:
    return version.last_modified.strftime("%Y-%m-%dT%H:%M:%S.000Z")


def _version_header(context: Context, version: Version) -> dict[str, str]:
    return {"x-amz-version-id": version.version_id} if context.versioned(version.bucket) else {}
