"""ListObjects, ListObjectsV2 and ListObjectVersions."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote_plus

from local_cloud.services.s3.errors import S3Error
from local_cloud.services.s3.operations import pages
from local_cloud.services.s3.operations.context import OWNER, Context
from local_cloud.services.s3.requests import xmldoc
from local_cloud.services.s3.requests.request import Reply, S3Request, xml
from local_cloud.services.s3.storage.catalog import Version


def encoder(request: S3Request) -> Callable[[str], str]:
    """How names are written: as they are, or URL-encoded on demand (slashes stay)."""
    kind = request.query.get("encoding-type")
    if kind not in (None, "url"):
        raise S3Error(
            "InvalidArgument",
            "Invalid Encoding Method specified in Request",
            ArgumentName="encoding-type",
            ArgumentValue=kind,
        )
    return (lambda name: quote_plus(name, safe="/*")) if kind else (lambda name: name)


def list_objects(context: Context, request: S3Request) -> Reply:
    """Both versions of the listing."""
    query = request.query
    second = query.get("list-type") == "2"
    encode = encoder(request)
    prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
    token = query.get("continuation-token") if second else None
    if second:
        after = _decode_token(token) if token is not None else query.get("start-after", "")
    else:
        after = query.get("marker", "")
    most = request.number("max-keys", 1000)
    begin = pages.start(after, prefix=prefix, delimiter=delimiter, inside=not second)
    objects = context.store.objects(request.bucket, prefix=prefix, after=begin)
    page = pages.page(objects, prefix=prefix, delimiter=delimiter, max_keys=most, seek=objects.seek)
    owner = not second or query.get("fetch-owner", "").lower() == "true"
    content: dict[str, Any] = {
        "Name": request.bucket,
        "Prefix": encode(prefix),
        "Delimiter": encode(delimiter) if delimiter else None,
        "MaxKeys": most,
        "EncodingType": query.get("encoding-type") or None,
        "IsTruncated": page.truncated,
    }
    if second:
        content |= {
            "KeyCount": len(page.items) + len(page.prefixes),
            "ContinuationToken": token,
            "NextContinuationToken": _encode_token(page.last) if page.truncated else None,
            "StartAfter": encode(after) if after and token is None else None,
        }
    else:
        content |= {
            "Marker": encode(after),
            "NextMarker": encode(page.last) if page.truncated and delimiter else None,
        }
    content |= {
        "Contents": [_entry(version, encode=encode) | ({"Owner": OWNER} if owner else {}) for version in page.items],
        "CommonPrefixes": [{"Prefix": encode(name)} for name in page.prefixes],
    }
    return xml(xmldoc.document("ListBucketResult", content))


def list_versions(context: Context, request: S3Request) -> Reply:
    query = request.query
    encode = encoder(request)
    prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
    key_marker, id_marker = query.get("key-marker", ""), query.get("version-id-marker", "")
    if id_marker and not key_marker:
        raise S3Error(
            "InvalidArgument",
            "A version-id marker cannot be specified without a key marker.",
            ArgumentName="version-id-marker",
            ArgumentValue=id_marker,
        )
    most = request.number("max-keys", 1000)
    entries = _Versions(
        context, request.bucket, prefix=prefix, delimiter=delimiter, key_marker=key_marker, id_marker=id_marker
    )
    page = pages.page(entries, prefix=prefix, delimiter=delimiter, max_keys=most, seek=entries.seek)
    ended_on_version = page.truncated and page.items and page.items[-1][0].key == page.last
    content: dict[str, Any] = {
        "Name": request.bucket,
        "Prefix": encode(prefix),
        "Delimiter": encode(delimiter) if delimiter else None,
        "KeyMarker": encode(key_marker),
        "VersionIdMarker": id_marker,
        "NextKeyMarker": encode(page.last) if page.truncated else None,
        "NextVersionIdMarker": page.items[-1][0].version_id if ended_on_version else None,
        "MaxKeys": most,
        "EncodingType": query.get("encoding-type") or None,
        "IsTruncated": page.truncated,
    }
    # Versions and markers stand in one sequence: an element of either name each.
    body = "".join(xmldoc.element(k, v) for k, v in content.items())
    for version, latest in page.items:
        if version.is_delete_marker:
            body += xmldoc.element("DeleteMarker", _version_entry(version, latest, encode=encode))
        else:
            body += xmldoc.element("Version", _version_entry(version, latest, encode=encode) | _content_entry(version))
    body += xmldoc.element("CommonPrefixes", [{"Prefix": encode(name)} for name in page.prefixes])
    return xml(xmldoc.wrap("ListVersionsResult", body))


class _Versions:
    """(key, (version, latest)) in key order, newest first, past the markers."""

    def __init__(
        self, context: Context, bucket: str, *, prefix: str, delimiter: str, key_marker: str, id_marker: str
    ) -> None:
        self._store = context.store
        self._bucket = bucket
        self._prefix = prefix
        self._marker = (key_marker, id_marker)
        self._after = pages.start(key_marker, prefix=prefix, delimiter=delimiter, inside=True)

    def seek(self, after: str) -> None:
        self._after = after

    def __iter__(self) -> Iterator[tuple[str, tuple[Version, bool]]]:
        key, version_id = self._marker
        if version_id:
            versions = self._store.versions(self._bucket, key)
            seen = next((i for i, (v, _) in enumerate(versions) if v.version_id == version_id), len(versions))
            yield from ((key, entry) for entry in versions[seen + 1 :])
        for key in self._store.all_keys(self._bucket, prefix=self._prefix, after=self._after):
            if key > self._after and key.startswith(self._prefix):
                yield from ((key, entry) for entry in self._store.versions(self._bucket, key))


def _entry(version: Version, *, encode: Callable[[str], str]) -> dict[str, Any]:
    return {
        "Key": encode(version.key),
        "LastModified": xmldoc.timestamp(version.last_modified.timestamp()),
        **_content_entry(version),
    }


def _content_entry(version: Version) -> dict[str, Any]:
    stored = version.attributes
    return {
        "ETag": f'"{version.etag}"',
        "ChecksumAlgorithm": stored.checksum_algorithm or None,
        "ChecksumType": stored.checksum_type or None,
        "Size": version.size,
        "StorageClass": stored.headers.get("x-amz-storage-class", "STANDARD"),
    }


def _version_entry(version: Version, latest: bool, *, encode: Callable[[str], str]) -> dict[str, Any]:
    return {
        "Key": encode(version.key),
        "VersionId": version.version_id,
        "IsLatest": latest,
        "LastModified": xmldoc.timestamp(version.last_modified.timestamp()),
        "Owner": OWNER,
    }


def _encode_token(key: str) -> str:
    return base64.urlsafe_b64encode(key.encode()).decode()


def _decode_token(token: str) -> str:
    try:
        key = base64.b64decode(token, altchars=b"-_", validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        key = ""
    if not key:
        raise S3Error(
            "InvalidArgument", "The continuation token provided is incorrect", ArgumentName="continuation-token"
        )
    return key
