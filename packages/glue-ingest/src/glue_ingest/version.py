"""Which version of a file a server speaks of, read from its answer's headers."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

_CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)")


@dataclass(frozen=True)
class Version:
    """What a server tells of one version of a file. Empty where it does not; `size` in bytes."""

    etag: str
    last_modified: str
    size: int | None

    @classmethod
    def of(cls, response: Any) -> Version:
        """Read a version from an answer to HEAD or GET, whole or a range."""
        headers = response.headers
        whole = _CONTENT_RANGE.fullmatch(headers.get("Content-Range", "")) if response.status == 206 else None
        length = whole.group(3) if whole else headers.get("Content-Length", "")
        etag, last_modified = headers.get("ETag", ""), headers.get("Last-Modified", "")
        return cls(
            etag=etag if etag.isascii() else "",  # S3's metadata take nothing else
            last_modified=last_modified if last_modified.isascii() else "",
            size=int(length) if length.isascii() and length.isdigit() else None,
        )

    @property
    def validated(self) -> bool:
        """Whether two answers can be distinguished at all."""
        return bool(self.etag or self.last_modified)

    def confirms(self, other: Version) -> bool:
        """Whether both surely are the same bytes: by ETag, else by Last-Modified, and by size."""
        if self.size is None or self.size != other.size:
            return False
        if self.etag and other.etag:
            return self.etag == other.etag
        return bool(self.last_modified) and self.last_modified == other.last_modified

    def refutes(self, other: Version) -> bool:
        """Whether both surely are not the same bytes."""
        if None not in (self.size, other.size) and self.size != other.size:
            return True
        if self.etag and other.etag:
            return self.etag != other.etag
        return bool(self.last_modified and other.last_modified and self.last_modified != other.last_modified)


def size_problem(response: Any, *, most: int) -> str:
    """Return what is wrong with the Content-Length of an answer, "" where nothing is. `most` bytes can be stored."""
    length = response.headers.get("Content-Length")
    if length is None:
        return ""
    if not (length.isascii() and length.isdigit()):
        return "gave a Content-Length that is no number of bytes"
    size = Version.of(response).size
    if size is not None and size > most:
        return f"is larger than can be stored ({most:,} bytes at most)"
    return ""


def starts_at(response: Any, start: int) -> bool:
    """Whether a 206 answer is one range, of known total, from byte `start`."""
    found = _CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", ""))
    return bool(found and int(found.group(1)) == start)
