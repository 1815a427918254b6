"""What a request says of the object it stores, and what an answer says of the object it gives."""

from __future__ import annotations

import re
from collections.abc import Mapping
from email.utils import format_datetime
from urllib.parse import parse_qsl
from xml.etree.ElementTree import Element

from local_cloud.services.s3.errors import S3Error, invalid_argument, not_implemented
from local_cloud.services.s3.requests import checksums
from local_cloud.services.s3.storage.catalog import Attributes, Version

#: https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html: names and values together, in bytes.
MAX_METADATA = 2048

_KEPT = (
    "cache-control",
    "content-disposition",
    "content-language",
    "content-type",
    "expires",
    "x-amz-website-redirect-location",
    "x-amz-server-side-encryption",
    "x-amz-server-side-encryption-aws-kms-key-id",
    "x-amz-server-side-encryption-bucket-key-enabled",
)

#: Classes that a request may store an object in.
#: https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html#API_PutObject_RequestSyntax
_CLASSES = frozenset(
    {
        *("STANDARD", "REDUCED_REDUNDANCY", "STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING"),
        *("GLACIER", "DEEP_ARCHIVE", "GLACIER_IR", "EXPRESS_ONEZONE"),
    }
)

#: Letters, digits and blanks of any language, and these.
#: https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html
_TAG = re.compile(r"[\w\s.:/=+\-@]*")

#: Headers that ask for what this S3 has not. Ignoring them would promise it.
_REFUSED = {
    "x-amz-server-side-encryption-customer-algorithm": "encryption with customer keys (SSE-C)",
    "x-amz-copy-source-server-side-encryption-customer-algorithm": "encryption with customer keys (SSE-C)",
    "x-amz-object-lock-mode": "Object Lock",
    "x-amz-object-lock-legal-hold": "Object Lock",
    "x-amz-write-offset-bytes": "appending to objects",
}


def from_headers(headers: Mapping[str, str], *, encryption: Mapping[str, str]) -> Attributes:
    """Attributes of a PutObject, CopyObject (REPLACE) or CreateMultipartUpload. `encryption`: the bucket's."""
    refuse(headers)
    kept = dict(encryption) if "x-amz-server-side-encryption" not in headers else {}
    kept |= {name: headers[name] for name in _KEPT if name in headers}
    kept.setdefault("content-type", "binary/octet-stream")
    codings = [c.strip() for c in headers.get("content-encoding", "").split(",")]
    if coding := ",".join(c for c in codings if c and c != "aws-chunked"):
        kept["content-encoding"] = coding
    if (storage := headers.get("x-amz-storage-class", "STANDARD")) not in _CLASSES:
        raise S3Error("InvalidStorageClass", StorageClassRequested=storage)
    if storage != "STANDARD":
        kept["x-amz-storage-class"] = storage
    metadata = {k[len("x-amz-meta-") :]: v for k, v in headers.items() if k.startswith("x-amz-meta-")}
    size = sum(len(k.encode()) + len(v.encode()) for k, v in metadata.items())
    if size > MAX_METADATA:
        raise S3Error("MetadataTooLarge", Size=str(size), MaxSizeAllowed=str(MAX_METADATA))
    return Attributes(headers=kept, metadata=metadata)


def refuse(headers: Mapping[str, str]) -> None:
    for name, what in _REFUSED.items():
        if name in headers:
            raise not_implemented(what)


def to_headers(version: Version, *, versioned: bool, checksum: bool) -> dict[str, str]:
    """The headers of a GetObject or HeadObject answer, without those of ranges."""
    headers = {
        "Last-Modified": format_datetime(version.last_modified, usegmt=True),
        "ETag": f'"{version.etag}"',
        "Accept-Ranges": "bytes",
        **version.attributes.headers,
        **{f"x-amz-meta-{name}": value for name, value in version.attributes.metadata.items()},
    }
    if versioned:
        headers["x-amz-version-id"] = version.version_id
    if version.tags:
        headers["x-amz-tagging-count"] = str(len(version.tags))
    if checksum:
        headers |= checksum_headers(version.attributes)
    return headers


def checksum_headers(attributes: Attributes) -> dict[str, str]:
    if not attributes.checksum:
        return {}
    return {
        checksums.HEADER + attributes.checksum_algorithm.lower(): attributes.checksum,
        "x-amz-checksum-type": attributes.checksum_type,
    }


def encryption_headers(attributes: Attributes) -> dict[str, str]:
    return {k: v for k, v in attributes.headers.items() if k.startswith("x-amz-server-side-encryption")}


def tags_from_header(header: str) -> dict[str, str]:
    """`x-amz-tagging`: URL query encoding. S3Error InvalidArgument, InvalidTag."""
    pairs = parse_qsl(header, keep_blank_values=True)
    if len({k for k, _ in pairs}) < len(pairs) or not all(_TAG.fullmatch(text) for pair in pairs for text in pair):
        raise invalid_argument(
            "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag "
            "name duplicates.",
            name="x-amz-tagging",
            value=header,
        )
    return check_tags(dict(pairs))


def tags_from_document(document: Element) -> dict[str, str]:
    """The tags of a `Tagging` document. S3Error MalformedXML, InvalidTag."""
    tags: dict[str, str] = {}
    for node in document.iter("Tag"):
        name, value = node.findtext("Key"), node.findtext("Value")
        if name is None or value is None:
            raise S3Error("MalformedXML")
        if name in tags:
            raise S3Error("InvalidTag", "Cannot provide multiple Tags with the same key", TagKey=name)
        tags[name] = value
    return tags


def check_tags(tags: dict[str, str], *, most: int = 10) -> dict[str, str]:
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html"""
    if len(tags) > most:
        what = "Object" if most == 10 else "Bucket"
        raise S3Error("InvalidTag", f"{what} tags cannot be greater than {most}")
    for name, value in tags.items():
        if not 1 <= len(name) <= 128 or not _TAG.fullmatch(name):
            raise S3Error("InvalidTag", "The TagKey you have provided is invalid", TagKey=name)
        if len(value) > 256 or not _TAG.fullmatch(value):
            raise S3Error("InvalidTag", "The TagValue you have provided is invalid", TagKey=name, TagValue=value)
    return tags
