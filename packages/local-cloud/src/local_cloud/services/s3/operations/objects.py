"""GetObject, HeadObject, PutObject, DeleteObject and DeleteObjects."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from local_cloud.httpd import FileSlice
from local_cloud.permissions.errors import AccessDenied
from local_cloud.services.s3.errors import S3Error, invalid_argument
from local_cloud.services.s3.operations.context import Context
from local_cloud.services.s3.operations.shared import (
    DEFAULT_CHECKSUM,
    check_acl,
    check_readable,
    check_version_id,
    find,
    stored_headers,
)
from local_cloud.services.s3.requests import attributes as attrs
from local_cloud.services.s3.requests import body, conditions, xmldoc
from local_cloud.services.s3.requests.request import Reply, S3Request, xml
from local_cloud.services.s3.storage import keys
from local_cloud.services.s3.storage.catalog import Version
from local_cloud.services.s3.storage.store import Content

_OVERRIDES = ("cache-control", "content-disposition", "content-encoding", "content-language", "content-type", "expires")


def get(context: Context, request: S3Request) -> Reply:
    """GetObject and HeadObject."""
    attrs.refuse(request.headers)
    while True:
        version = find(context, request)
        conditions.check_read(request.headers, version)
        if request.method == "GET":
            check_readable(version)
        file = context.store.open(version)
        if file:
            break  # else it was replaced since: look again
    try:
        offset, length, status, extra = _part_or_range(request, version)
        headers = attrs.to_headers(
            version,
            versioned=context.versioned(request.bucket),
            checksum=length == version.size and request.headers.get("x-amz-checksum-mode", "").upper() == "ENABLED",
        )
        if "versionId" not in request.query:
            headers |= context.lifecycle.expiration_header(version)
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
    """PutObject."""
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


def delete(context: Context, request: S3Request) -> Reply:
    """DeleteObject."""
    _refuse_bypass(request)

    def condition(current: Version | None) -> None:
        conditions.check_delete(request.headers, current)

    headers = _delete(context, request.bucket, request.key, request.query.get("versionId", ""), condition)
    return Reply(204, headers)


def _delete(context: Context, bucket: str, key: str, version_id: str, condition: Any = None) -> dict[str, str]:
    if version_id:
        if context.store.version(bucket, key, version_id) is None:
            check_version_id(context, bucket, version_id)
        done = context.store.delete_version(bucket, key, version_id, condition=condition)
    else:
        done = context.store.delete(bucket, key, condition=condition)
    marked = done.marker and not version_id
    event = "s3:ObjectRemoved:DeleteMarkerCreated" if marked else "s3:ObjectRemoved:Delete"
    context.notify(event, Version(bucket, key, seq=0, version_id=done.version_id, size=0, etag=""))
    headers = {"x-amz-version-id": done.version_id} if done.version_id else {}
    return headers | ({"x-amz-delete-marker": "true"} if done.marker else {})


def _refuse_bypass(request: S3Request) -> None:
    name = "x-amz-bypass-governance-retention"
    if name in request.headers:
        raise invalid_argument(f"{name} is only applicable to Object Lock enabled buckets.", name=name)


def delete_many(context: Context, request: S3Request) -> Reply:
    """DeleteObjects: each key on its own; one that cannot be deleted does not stop the rest."""
    _refuse_bypass(request)
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
            action = "s3:DeleteObjectVersion" if version_id else "s3:DeleteObject"
            request.access.check(action, f"arn:aws:s3:::{request.bucket}/{key}")
            headers = _delete(
                context,
                request.bucket,
                key,
                version_id,
                lambda current, conditioned=conditioned: conditions.check_delete(conditioned, current),
            )
        except AccessDenied as error:
            failed.append({**named, "Code": "AccessDenied", "Message": str(error)})
            continue
        except S3Error as error:
            if error.code == "InvalidArgument":  # an id that no version has had
                error = S3Error("NoSuchVersion")
            failed.append({**named, "Code": error.code, "Message": error.message})
            continue
        if "x-amz-delete-marker" in headers:
            named |= {"DeleteMarker": True, "DeleteMarkerVersionId": headers["x-amz-version-id"]}
        deleted.append(named)
    return xml(xmldoc.document("DeleteResult", {"Deleted": [] if quiet else deleted, "Error": failed}))
