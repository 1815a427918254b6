"""S3's objects as the other services see them, without HTTP."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True)
class ObjectInfo:
    """One object of a listing. `size` in bytes, `etag` without quotes."""

    key: str
    size: int
    etag: str
    last_modified: datetime.datetime


class Objects(Protocol):
    """What COPY, UNLOAD, a job's script or a function's code need of S3. Missing things raise KeyError."""

    def path(self, bucket: str, key: str) -> Path:
        """The plain file that holds the object. Read it, never write it."""

    def read(self, bucket: str, key: str) -> bytes: ...

    def list(self, bucket: str, prefix: str = "") -> list[ObjectInfo]:
        """All objects under a prefix, in key order."""

    def put(self, bucket: str, key: str, body: bytes, *, content_type: str = "") -> None: ...

    def put_file(self, bucket: str, key: str, file: Path, *, content_type: str = "") -> None:
        """Move a finished file into the bucket in one rename; the object appears whole or not at all."""

    def delete(self, bucket: str, key: str) -> None: ...
