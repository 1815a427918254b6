"""ListParts and ListMultipartUploads."""

from __future__ import annotations

from local_cloud.services.s3.operations import pages
from local_cloud.services.s3.operations.context import OWNER, Context
from local_cloud.services.s3.operations.listings import encoder
from local_cloud.services.s3.operations.uploads import MAX_PARTS, find
from local_cloud.services.s3.requests import xmldoc
from local_cloud.services.s3.requests.request import Reply, S3Request, xml


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
        "Initiator": OWNER,
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
    if id_marker:
        seen = next((i for i, u in enumerate(uploads) if (u.key, u.id) == (key_marker, id_marker)), -1)
        rest = [u for i, u in enumerate(uploads) if u.key > key_marker or (u.key == key_marker and i > seen >= 0)]
    else:
        after = pages.start(key_marker, prefix=prefix, delimiter=delimiter)
        rest = [u for u in uploads if u.key > after]
    page = pages.page(((u.key, u) for u in rest), prefix=prefix, delimiter=delimiter, max_keys=most)
    ended_on_upload = page.truncated and page.items and page.items[-1].key == page.last
    content = {
        "Bucket": request.bucket,
        "KeyMarker": encode(key_marker),
        "UploadIdMarker": id_marker,
        "NextKeyMarker": encode(page.last) if page.truncated else None,
        "NextUploadIdMarker": page.items[-1].id if ended_on_upload else None,
        "Prefix": encode(prefix),
        "Delimiter": encode(delimiter) if delimiter else None,
        "EncodingType": query.get("encoding-type") or None,
        "MaxUploads": most,
        "IsTruncated": page.truncated,
        "Upload": [
            {
                "Key": encode(u.key),
                "UploadId": u.id,
                "Initiator": OWNER,
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
