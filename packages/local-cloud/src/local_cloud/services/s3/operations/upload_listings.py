"""ListParts and ListMultipartUploads."""

from __future__ import annotations

from local_cloud.services.s3.errors import invalid_argument
from local_cloud.services.s3.operations import pages
from local_cloud.services.s3.operations.context import OWNER, Context
from local_cloud.services.s3.operations.listings import encoder
from local_cloud.services.s3.operations.uploads import MAX_PARTS, find
from local_cloud.services.s3.requests import xmldoc
from local_cloud.services.s3.requests.request import Reply, S3Request, xml

#: S3 names who began an upload, and no longer who owns it.
_INITIATOR = OWNER | {"DisplayName": "local-cloud"}


def list_parts(context: Context, request: S3Request) -> Reply:
    upload = find(context, request)
    most = request.number("max-parts", 1000)
    marker = request.number("part-number-marker", 0, most=MAX_PARTS)
    rest = [part for part in context.store.catalog.parts(upload.id).values() if part.number > marker]
    shown = rest[:most]
    algorithm = upload.checksum_algorithm
    content = {
        "Bucket": upload.bucket,
        "Key": upload.key,
        "UploadId": upload.id,
        "PartNumberMarker": marker,
        "NextPartNumberMarker": shown[-1].number if shown else 0,
        "MaxParts": most,
        "IsTruncated": len(rest) > len(shown),
        "Initiator": _INITIATOR,
        "Owner": OWNER,
        "StorageClass": upload.attributes.headers.get("x-amz-storage-class", "STANDARD"),
        "ChecksumAlgorithm": algorithm or None,
        "ChecksumType": upload.checksum_type or None,
        "Part": [
            {
                "PartNumber": part.number,
                "LastModified": xmldoc.timestamp(part.modified),
                "ETag": f'"{part.etag}"',
                "Size": part.size,
                **({f"Checksum{algorithm}": part.checksum} if algorithm else {}),
            }
            for part in shown
        ],
    }
    return xml(xmldoc.document("ListPartsResult", content))


def list_uploads(context: Context, request: S3Request) -> Reply:
    query = request.query
    encode = encoder(request)
    prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
    key_marker, id_marker = query.get("key-marker", ""), query.get("upload-id-marker", "")
    most = request.number("max-uploads", 1000)
    uploads = [u for u in context.store.catalog.uploads(request.bucket) if u.key.startswith(prefix)]
    if id_marker and key_marker:  # without a key S3 passes over the id
        seen = next((i for i, u in enumerate(uploads) if u.id == id_marker), None)
        if seen is not None and uploads[seen].key != key_marker:
            raise invalid_argument("Invalid uploadId marker", name="upload-id-marker", value=id_marker)
        # One that was aborted since: from the next key on.
        rest = [u for u in uploads if u.key > key_marker] if seen is None else uploads[seen + 1 :]
    else:
        after = pages.start(key_marker, prefix=prefix, delimiter=delimiter, inside=True)
        rest = [u for u in uploads if u.key > after]
    page = pages.page(((u.key, u) for u in rest), prefix=prefix, delimiter=delimiter, max_keys=most)
    ended_on_upload = bool(page.items) and page.items[-1].key == page.last
    content = {
        "Bucket": request.bucket,
        "KeyMarker": encode(key_marker),
        "UploadIdMarker": id_marker,
        "NextKeyMarker": encode(page.last) if page.truncated or ended_on_upload else "",
        "NextUploadIdMarker": page.items[-1].id if ended_on_upload else "",
        "Prefix": encode(prefix) if prefix else None,
        "Delimiter": encode(delimiter) if delimiter else None,
        "EncodingType": query.get("encoding-type") or None,
        "MaxUploads": most,
        "IsTruncated": page.truncated,
        "Upload": [
            {
                "Key": encode(u.key),
                "UploadId": u.id,
                "Initiator": _INITIATOR,
                "Owner": OWNER,
                "StorageClass": u.attributes.headers.get("x-amz-storage-class", "STANDARD"),
                "Initiated": xmldoc.timestamp(u.initiated),
                "ChecksumAlgorithm": u.checksum_algorithm or None,
                "ChecksumType": u.checksum_type or None,
            }
            for u in page.items
        ],
        "CommonPrefixes": [{"Prefix": encode(name)} for name in page.prefixes],
    }
    return xml(xmldoc.document("ListMultipartUploadsResult", content))
