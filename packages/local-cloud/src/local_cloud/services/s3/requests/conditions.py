"""Preconditions and ranges of requests, as S3 judges them.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-requests.html and RFC 9110, sections 13 and 14.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

from local_cloud.services.s3.errors import S3Error
from local_cloud.services.s3.storage.catalog import Version

_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


def check_read(headers: Mapping[str, str], version: Version, *, prefix: str = "") -> None:
    """S3Error PreconditionFailed or NotModified when the object does not meet the request's conditions.

    `prefix` is `x-amz-copy-source-` for the source of a copy, where "not modified" is a failure too.
    """
    match, none_match = headers.get(prefix + "if-match"), headers.get(prefix + "if-none-match")
    since, unmodified = (_date(headers.get(prefix + f"if-{x}-since")) for x in ("modified", "unmodified"))
    if since is not None and since > datetime.datetime.now(datetime.timezone.utc):
        since = None  # RFC 9110, 13.1.3: a date of the future says nothing
    if match is not None:
        if not _names(match, version):
            raise _failed(prefix + "If-Match")
    elif unmodified is not None and version.last_modified > unmodified:
        raise _failed(prefix + "If-Unmodified-Since")
    if none_match is not None:
        unchanged = _names(none_match, version)
    else:
        unchanged = since is not None and version.last_modified <= since
    if unchanged:
        if prefix:
            raise _failed(prefix + ("If-None-Match" if none_match else "If-Modified-Since"))
        raise S3Error("NotModified", headers={"ETag": f'"{version.etag}"'})


def check_write(headers: Mapping[str, str], current: Version | None) -> None:
    """Conditional writes: `If-None-Match: *` wants no object there, `If-Match: <etag>` wants that one."""
    none_match, match = headers.get("if-none-match"), headers.get("if-match")
    if none_match is not None and match is not None:
        raise _unsupported("If-Match,If-None-Match", "Multiple conditional request headers present in the request")
    if match is not None and match.strip() == "*":
        raise _unsupported("If-Match", "We don't accept the provided value of If-Match header for this API")
    if none_match is not None:
        if none_match.strip() != "*":
            raise _unsupported(
                "If-None-Match", "We don't accept the provided value of If-None-Match header for this API"
            )
        if current:
            raise _failed("If-None-Match")
    if match is not None:
        if current is None:
            raise S3Error("NoSuchKey")
        if not _names(match, current):
            raise _failed("If-Match")


def check_delete(headers: Mapping[str, str], current: Version | None) -> None:
    """`If-Match` of a delete. A missing object meets no condition: NoSuchKey is what S3 answers."""
    if (match := headers.get("if-match")) is None:
        return
    if current is None:
        raise S3Error("NoSuchKey")
    if not _names(match, current):
        raise _failed("If-Match")


def byte_range(header: str | None, size: int) -> tuple[int, int] | None:
    """(offset, length) in bytes of the one range asked for, None for the whole object.

    What is no single byte range is ignored, as S3 does; S3Error InvalidRange outside the object.
    """
    match = _RANGE.fullmatch((header or "").replace(" ", ""))
    if not match or match[0] == "bytes=-":
        return None
    first, last = match[1], match[2]
    if not first:
        length = min(int(last), size)
        offset = size - length
        if not length:
            raise _bad_range(match[0], size)
        return offset, length
    offset = int(first)
    if last and int(last) < offset:
        return None
    if offset >= size:
        raise _bad_range(match[0], size)
    return offset, min(int(last), size - 1) - offset + 1 if last else size - offset


def copy_range(header: str, size: int) -> tuple[int, int]:
    """The range of an UploadPartCopy: strictly `bytes=first-last` inside the source, of whatever size.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPartCopy.html (x-amz-copy-source-range, special errors)
    """
    match = _RANGE.fullmatch(header)
    if not match or not match[1] or not match[2] or int(match[2]) < int(match[1]):
        raise S3Error(
            "InvalidArgument",
            "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are "
            "the zero-based offsets of the first and last bytes to copy",
            ArgumentName="x-amz-copy-source-range",
            ArgumentValue=header,
        )
    first, last = int(match[1]), int(match[2])
    if last >= size:
        raise S3Error(
            "InvalidArgument",
            f"Range specified is not valid for source object of size: {size}",
            ArgumentName="x-amz-copy-source-range",
            ArgumentValue=header,
        )
    return first, last - first + 1


def _names(tags: str, version: Version) -> bool:
    return any(tag.strip().removeprefix("W/").strip('"') in ("*", version.etag) for tag in tags.split(","))


def _date(value: str | None) -> datetime.datetime | None:
    try:
        date = parsedate_to_datetime(value) if value else None
    except ValueError:
        return None  # not a date: the condition is ignored (RFC 9110, 13.1.3)
    return date.replace(tzinfo=datetime.timezone.utc) if date and date.tzinfo is None else date


def _failed(condition: str) -> S3Error:
    return S3Error("PreconditionFailed", Condition=condition)


def _unsupported(header: str, why: str) -> S3Error:
    """S3's own refusal: it takes no other conditions on a write."""
    message = "A header you provided implies functionality that is not implemented"
    return S3Error("NotImplemented", message, Header=header, additionalMessage=why)


def _bad_range(asked: str, size: int) -> S3Error:
    return S3Error("InvalidRange", RangeRequested=asked, ActualObjectSize=str(size))
