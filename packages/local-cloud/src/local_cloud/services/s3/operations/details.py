"""Tags, ACLs and attributes of an object."""

from __future__ import annotations

from email.utils import format_datetime
from typing import Any

from local_cloud.services.s3.errors import S3Error
from local_cloud.services.s3.operations.context import OWNER, Context
from local_cloud.services.s3.operations.shared import check_acl, find, version_header
from local_cloud.services.s3.requests import attributes as attrs
from local_cloud.services.s3.requests import body, xmldoc
from local_cloud.services.s3.requests.request import Reply, S3Request, xml
from local_cloud.services.s3.storage.catalog import Attributes


def get_tagging(context: Context, request: S3Request) -> Reply:
    version = find(context, request, a_marker_is_there=True)
    tags = [{"Key": name, "Value": value} for name, value in version.tags.items()]
    return xml(xmldoc.document("Tagging", {"TagSet": {"Tag": tags}}), headers=version_header(context, version))


def put_tagging(context: Context, request: S3Request) -> Reply:
    version = find(context, request, a_marker_is_there=True)
    document = xmldoc.parse(body.read_document(request.body, request.headers, limit=1 << 20), "Tagging")
    tags = attrs.tags_from_document(document)
    if reserved := [name for name in tags if name.startswith("aws:")]:
        raise S3Error("InvalidTag", "Your TagKey cannot be prefixed with aws:", TagKey=reserved[0])
    context.store.set_tags(version, attrs.check_tags(tags))
    context.notify("s3:ObjectTagging:Put", version)
    return Reply(200, version_header(context, version))


def delete_tagging(context: Context, request: S3Request) -> Reply:
    version = find(context, request, a_marker_is_there=True)
    context.store.set_tags(version, {})
    context.notify("s3:ObjectTagging:Delete", version)
    return Reply(204, version_header(context, version))


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
    return xml(document, headers=version_header(context, version))


def put_acl(context: Context, request: S3Request) -> Reply:
    version = find(context, request, a_marker_is_there=True)
    check_acl(context, request)
    return Reply(200, version_header(context, version))


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
        **version_header(context, version),
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
