"""Multipart uploads: https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html"""

from __future__ import annotations

import hashlib
import secrets
import time
import uuid
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from local_cloud.services.s3.errors import S3Error
from local_cloud.services.s3.operations import copies
from local_cloud.services.s3.operations.context import Context
from local_cloud.services.s3.operations.shared import DEFAULT_CHECKSUM, check_acl, digests, new_version_header
from local_cloud.services.s3.requests import attributes as attrs
from local_cloud.services.s3.requests import body, checksums, conditions, xmldoc
from local_cloud.services.s3.requests.request import Reply, S3Request, xml
from local_cloud.services.s3.storage.catalog import Part, Upload, Version
from local_cloud.services.s3.storage.files import copy_range
from local_cloud.services.s3.storage.store import Content

#: Every part but the last, in bytes: https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html
MIN_PART = 5 << 20
MAX_PARTS = 10_000


def create(context: Context, request: S3Request) -> Reply:
    check_acl(context, request)
    algorithm = request.headers.get("x-amz-checksum-algorithm", "").upper()
    if algorithm and algorithm not in checksums.ALGORITHMS:
        raise checksums.unsupported()
    if "x-amz-checksum-type" in request.headers and not algorithm:
        raise S3Error(
            "InvalidRequest",
            "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.",
        )
    kind = request.headers.get("x-amz-checksum-type", "").upper() or (
        checksums.default_type(algorithm) if algorithm else ""
    )
    if (kind == "FULL_OBJECT" and not checksums.can_join(algorithm)) or (
        kind == "COMPOSITE" and algorithm == "CRC64NVME"
    ):
        raise S3Error(
            "InvalidRequest",
            f"The {kind} checksum type cannot be used with the {algorithm.lower()} checksum algorithm.",
        )
    upload = Upload(
        id=secrets.token_urlsafe(48),
        bucket=request.bucket,
        key=request.key,
        initiated=time.time(),
        attributes=attrs.from_headers(request.headers, encryption=context.buckets.encryption(request.bucket)),
        tags=attrs.tags_from_header(request.headers.get("x-amz-tagging", "")),
        checksum_algorithm=algorithm,
        checksum_type=kind,
    )
    (context.store.uploads / upload.id).mkdir()
    context.store.catalog.add_upload(upload)
    content = {"Bucket": request.bucket, "Key": request.key, "UploadId": upload.id}
    headers = attrs.encryption_headers(upload.attributes)
    if algorithm:
        headers |= {"x-amz-checksum-algorithm": algorithm, "x-amz-checksum-type": kind}
    return xml(xmldoc.document("InitiateMultipartUploadResult", content), headers=headers)


def find(context: Context, request: S3Request) -> Upload:
    upload = context.store.catalog.upload(request.query["uploadId"])
    if upload is None or (upload.bucket, upload.key) != (request.bucket, request.key):
        raise S3Error("NoSuchUpload", UploadId=request.query["uploadId"])
    return upload


def put_part(context: Context, request: S3Request) -> Reply:
    """UploadPart, or UploadPartCopy when a source is named."""
    upload = find(context, request)
    number = request.query.get("partNumber", "")
    if not number.isdigit() or not 1 <= int(number) <= MAX_PARTS:
        raise S3Error(
            "InvalidArgument",
            f"Part number must be an integer between 1 and {MAX_PARTS}, inclusive",
            ArgumentName="partNumber",
            ArgumentValue=number,
        )
    copied = "x-amz-copy-source" in request.headers
    algorithm = upload.checksum_algorithm or DEFAULT_CHECKSUM
    with context.store.stage() as staged:
        if copied:
            origin = copies.source(context, request)
            etag, checksum = _copy_in(context, request, origin, staged, algorithm)
            received = body.Received(staged.path.stat().st_size, etag, algorithm, {algorithm: checksum})
        else:
            received = body.receive(request.body, request.headers, staged.file, algorithms=[algorithm])
            if upload.checksum_algorithm and received.algorithm not in ("", upload.checksum_algorithm):
                raise S3Error(
                    "InvalidRequest",
                    f"Checksum Type mismatch occurred, expected checksum Type: {upload.checksum_algorithm.lower()}, "
                    f"actual checksum Type: {received.algorithm.lower()}",
                )
        part = Part(
            number=int(number),
            size=received.size,
            etag=received.md5,
            checksum=received.checksums[algorithm],
            file=uuid.uuid4().hex,
            modified=time.time(),
        )
        folder = context.store.uploads / upload.id
        before = context.store.catalog.parts(upload.id).get(part.number)
        try:
            staged.path.rename(folder / part.file)
        except FileNotFoundError:
            raise S3Error("NoSuchUpload", UploadId=upload.id) from None
        context.store.catalog.add_part(upload.id, part)
        if before:
            (folder / before.file).unlink(missing_ok=True)
    shown = received.algorithm or upload.checksum_algorithm
    if copied:
        content: dict[str, Any] = {"LastModified": xmldoc.timestamp(part.modified), "ETag": f'"{part.etag}"'}
        if upload.checksum_algorithm:
            content[f"Checksum{algorithm}"] = part.checksum
        return xml(xmldoc.document("CopyPartResult", content), headers=attrs.encryption_headers(upload.attributes))
    headers = {"ETag": f'"{part.etag}"', **attrs.encryption_headers(upload.attributes)}
    if shown:
        headers[checksums.HEADER + shown.lower()] = received.checksums[shown]
    return Reply(headers=headers)


def _copy_in(context: Context, request: S3Request, origin: Version, staged: Any, algorithm: str) -> tuple[str, str]:
    offset, length = 0, origin.size or 0
    if asked := request.headers.get("x-amz-copy-source-range"):
        offset, length = conditions.copy_range(asked, length)
    file = context.store.open(origin)
    if file is None:
        raise S3Error("NoSuchKey", Key=origin.key)
    with file:
        copy_range(file, staged.file, offset=offset, length=length)
    return digests(staged.path, algorithm)


def complete(context: Context, request: S3Request) -> Reply:
    """Join the parts named in the request into the object. Nothing changes when one is wrong.

    Idempotent: the same request again is answered as before, as long as the object is still the one that it made.
    """
    text = body.read_document(request.body, _without_checksums(request.headers), limit=xmldoc.MAX_DOCUMENT)
    current = context.store.current(request.bucket, request.key)
    if current and (done := context.completed.answer(request.query["uploadId"], text, current)):
        return done
    upload = find(context, request)
    if not text:
        raise _no_parts()
    parts = _chosen(context, upload, xmldoc.parse(text, "CompleteMultipartUpload"))
    size = sum(part.size for part in parts)
    declared = request.headers.get("x-amz-mp-object-size")
    if declared is not None and declared != str(size):
        raise S3Error(
            "InvalidRequest",
            f"The provided 'x-amz-mp-object-size' header value {declared} does not match what was computed: {size}",
        )
    wanted = request.headers.get("x-amz-checksum-type", "").upper()
    if wanted and upload.checksum_type and wanted != upload.checksum_type:
        raise S3Error(
            "InvalidRequest",
            f"The upload was created using the {upload.checksum_type} checksum mode. The complete request must use the "
            "same checksum mode.",
        )
    algorithm = upload.checksum_algorithm or DEFAULT_CHECKSUM
    kind = upload.checksum_type or "FULL_OBJECT"
    if kind == "COMPOSITE":
        checksum = checksums.composite(algorithm, [part.checksum for part in parts])
    else:
        checksum = checksums.join_crcs(algorithm, [(part.checksum, part.size) for part in parts])
    claimed = request.headers.get(checksums.HEADER + algorithm.lower())
    if claimed and claimed not in (checksum, checksum.partition("-")[0]):
        raise S3Error("BadDigest", f"The {algorithm} you specified did not match the calculated checksum.")
    joined = hashlib.md5(b"".join(bytes.fromhex(part.etag) for part in parts), usedforsecurity=False)
    stored = replace(
        upload.attributes,
        checksum_algorithm=algorithm,
        checksum=checksum,
        checksum_type=kind,
        parts=tuple(Part(number=p.number, size=p.size, checksum=p.checksum) for p in parts),
    )
    folder = context.store.uploads / upload.id
    with context.store.stage() as staged:
        try:
            for part in parts:
                with (folder / part.file).open("rb") as file:
                    copy_range(file, staged.file, offset=0, length=part.size)
        except FileNotFoundError:
            raise S3Error("NoSuchUpload", UploadId=upload.id) from None  # completed or aborted meanwhile
        version = context.store.put(
            request.bucket,
            request.key,
            staged.path,
            content=Content(f"{joined.hexdigest()}-{len(parts)}", stored, upload.tags),
            condition=lambda current: _check_condition(request, upload, current),
        )
    context.store.forget_upload(upload)
    context.notify("s3:ObjectCreated:CompleteMultipartUpload", version)
    content = {
        "Location": f"http://{request.headers.get('host', '')}/{request.bucket}/{quote(request.key)}",
        "Bucket": request.bucket,
        "Key": request.key,
        "ETag": f'"{version.etag}"',
        f"Checksum{algorithm}": checksum,
        "ChecksumType": kind,
    }
    headers = attrs.encryption_headers(stored) | context.lifecycle.expiration_header(version)
    headers |= new_version_header(version)
    reply = xml(xmldoc.document("CompleteMultipartUploadResult", content), headers=headers)
    context.completed.remember(upload.id, text, version, reply)
    return reply


def _check_condition(request: S3Request, upload: Upload, current: Version | None) -> None:
    """Check a completion's preconditions. What was written since the upload began is a conflict, if it fits them."""
    conditions.check_write(request.headers, current)
    if "if-match" in request.headers and current and current.seq > upload.initiated * 1e9:
        raise S3Error("ConditionalRequestConflict", Condition="If-Match", Key=request.key)


def _chosen(context: Context, upload: Upload, document: Any) -> list[Part]:
    """The parts a request names, checked: order, ETags, checksums, sizes."""
    known = context.store.catalog.parts(upload.id)
    chosen: list[Part] = []
    for node in xmldoc.children(document, "Part"):
        number = xmldoc.text(node, "PartNumber") or ""
        etag = (xmldoc.text(node, "ETag") or "").strip('"')
        part = known.get(int(number)) if number.isdigit() else None
        if chosen and number.isdigit() and int(number) <= chosen[-1].number:
            raise S3Error("InvalidPartOrder", UploadId=upload.id)
        claimed = xmldoc.text(node, f"Checksum{upload.checksum_algorithm}") if upload.checksum_algorithm else None
        if part is None or part.etag != etag or claimed not in (None, part.checksum):
            raise S3Error("InvalidPart", UploadId=upload.id, PartNumber=number, ETag=etag)
        if claimed is None and upload.checksum_type == "COMPOSITE":
            raise S3Error(
                "InvalidRequest",
                f"The upload was created using a {upload.checksum_algorithm.lower()} checksum. The complete request "
                f"must include the checksum for each part. It was missing for part {number} in the request.",
            )
        chosen.append(part)
    if not chosen:
        raise _no_parts()
    for part in chosen[:-1]:
        if part.size < MIN_PART:
            raise S3Error(
                "EntityTooSmall",
                ETag=part.etag,
                PartNumber=str(part.number),
                MinSizeAllowed=str(MIN_PART),
                ProposedSize=str(part.size),
            )
    return chosen


def _no_parts() -> S3Error:
    return S3Error("InvalidRequest", "You must specify at least one part")


def _without_checksums(headers: Any) -> dict[str, str]:
    """On a completion, checksum headers speak of the object, not of the request's body."""
    return {k: v for k, v in headers.items() if not k.startswith(checksums.HEADER)}


def abort(context: Context, request: S3Request) -> Reply:
    context.store.forget_upload(find(context, request))
    return Reply(204)
