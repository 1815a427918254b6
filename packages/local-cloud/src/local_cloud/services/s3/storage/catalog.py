"""What is known about the files: a SQLite database beside them.

The files are the truth, a row only describes one. `seq` ties them: it is the file's modification time in
nanoseconds, which the store sets itself and never gives twice. So a rename publishes the content and its
description in one step, and after a kill at any moment the row that matches the file is the right one.
"""

from __future__ import annotations

import datetime
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from local_cloud.database import Database

_SCHEMA = """
CREATE TABLE IF NOT EXISTS version (
  bucket TEXT, key TEXT, seq INTEGER,
  version_id TEXT NOT NULL,
  size INTEGER,               -- NULL: a delete marker
  etag TEXT NOT NULL,
  attributes TEXT NOT NULL,
  tags TEXT NOT NULL,
  PRIMARY KEY (bucket, key, seq)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS aside (bucket TEXT, key TEXT, PRIMARY KEY (bucket, key)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS lifecycle (bucket TEXT PRIMARY KEY, configuration TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS upload (
  id TEXT PRIMARY KEY, bucket TEXT, key TEXT, initiated REAL,
  attributes TEXT NOT NULL, tags TEXT NOT NULL, checksum_algorithm TEXT, checksum_type TEXT
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS part (
  upload TEXT, number INTEGER, file TEXT, size INTEGER, etag TEXT, checksum TEXT, modified REAL,
  PRIMARY KEY (upload, number)
) WITHOUT ROWID;
"""


@dataclass(frozen=True)
class Part:
    """One part of a multipart upload, or of the object it became. `size` in bytes, `modified` in Unix seconds."""

    number: int
    size: int
    etag: str = ""
    checksum: str = ""
    file: str = ""
    modified: float = 0.0


@dataclass(frozen=True)
class Attributes:
    """What an object was stored with, beside its bytes.

    `headers` are those given back as they came (content-type, cache-control, x-amz-storage-class, …), lower case;
    `metadata` the user's own, without `x-amz-meta-`.
    """

    headers: dict[str, str] = field(default_factory=dict)
    metadata: dict[str, str] = field(default_factory=dict)
    checksum_algorithm: str = ""
    checksum: str = ""
    checksum_type: str = ""
    parts: tuple[Part, ...] = ()

    def to_json(self) -> str:
        return json.dumps({k: v for k, v in asdict(self).items() if v})

    @classmethod
    def from_json(cls, text: str) -> Attributes:
        value: dict[str, Any] = json.loads(text)
        value["parts"] = tuple(Part(**part) for part in value.get("parts", ()))
        return cls(**value)


@dataclass(frozen=True)
class Version:
    """One version of a key, or a delete marker (`size` is None). `etag` has no quotes."""

    bucket: str
    key: str
    seq: int
    version_id: str
    size: int | None
    etag: str
    attributes: Attributes = field(default_factory=Attributes)
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def is_delete_marker(self) -> bool:
        return self.size is None

    @property
    def last_modified(self) -> datetime.datetime:
        """To the second, as S3 tells it."""
        return datetime.datetime.fromtimestamp(self.seq // 1_000_000_000, datetime.timezone.utc)


@dataclass(frozen=True)
class Upload:
    """A multipart upload in the making."""

    id: str
    bucket: str
    key: str
    initiated: float
    attributes: Attributes
    tags: dict[str, str]
    checksum_algorithm: str = ""
    checksum_type: str = ""


class Catalog:
    """The database. Every method is one short statement or transaction; safe from any thread."""

    def __init__(self, file: Path) -> None:
        self._database = Database(file, _SCHEMA)
        self._rows = self._database.rows
        self.close = self._database.close
        self._lock = threading.Lock()
        self._last_seq = self._rows("SELECT coalesce(max(seq), 0) FROM version")[0][0]

    def next_seq(self) -> int:
        """A modification time nobody has, in whole microseconds (which every file system keeps)."""
        with self._lock:
            self._last_seq = max(time.time_ns() // 1000 * 1000, self._last_seq // 1000 * 1000 + 1000)
            return int(self._last_seq)

    # versions

    def add(self, version: Version) -> None:
        self._rows(
            "INSERT OR REPLACE INTO version VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            version.bucket,
            version.key,
            version.seq,
            version.version_id,
            version.size,
            version.etag,
            version.attributes.to_json(),
            json.dumps(version.tags),
        )

    def find(self, bucket: str, key: str, seq: int) -> Version | None:
        rows = self._rows("SELECT * FROM version WHERE bucket = ? AND key = ? AND seq = ?", bucket, key, seq)
        return _version(rows[0]) if rows else None

    def versions(self, bucket: str, key: str) -> list[Version]:
        """All rows of a key, newest first."""
        rows = self._rows("SELECT * FROM version WHERE bucket = ? AND key = ? ORDER BY seq DESC", bucket, key)
        return [_version(row) for row in rows]

    def keys(self, bucket: str, *, prefix: str, after: str) -> Iterator[str]:
        """Keys that have rows, in order, from `prefix` on and past `after`."""
        last = after
        while True:
            rows = self._rows(
                "SELECT DISTINCT key FROM version WHERE bucket = ? AND key > ? AND key >= ? ORDER BY key LIMIT 500",
                bucket,
                last,
                prefix,
            )
            for (last,) in rows:
                if not last.startswith(prefix):
                    return
                yield last
            if len(rows) < 500:
                return

    def set_tags(self, version: Version, tags: dict[str, str]) -> None:
        self._rows(
            "UPDATE version SET tags = ? WHERE bucket = ? AND key = ? AND seq = ?",
            json.dumps(tags),
            version.bucket,
            version.key,
            version.seq,
        )

    def remove(self, bucket: str, key: str, seq: int) -> None:
        self._rows("DELETE FROM version WHERE bucket = ? AND key = ? AND seq = ?", bucket, key, seq)

    # keys that lie aside

    def add_aside(self, bucket: str, key: str) -> None:
        self._rows("INSERT OR IGNORE INTO aside VALUES (?, ?)", bucket, key)

    def remove_aside(self, bucket: str, key: str) -> None:
        self._rows("DELETE FROM aside WHERE bucket = ? AND key = ?", bucket, key)

    def aside_keys(self, bucket: str, prefix: str) -> list[str]:
        rows = self._rows(
            "SELECT key FROM aside WHERE bucket = ? AND key >= ? AND substr(key, 1, ?) = ? ORDER BY key",
            bucket,
            prefix,
            len(prefix),
            prefix,
        )
        return [key for (key,) in rows]

    def forget_bucket(self, bucket: str) -> None:
        for table in ("version", "aside", "upload", "lifecycle"):
            self._rows(f"DELETE FROM {table} WHERE bucket = ?", bucket)  # noqa: S608 - our own table names
        self._rows("DELETE FROM part WHERE upload NOT IN (SELECT id FROM upload)")

    # lifecycle configurations

    def lifecycles(self) -> dict[str, str]:
        """Every bucket's configuration, as `set_lifecycle` was given it."""
        return dict(self._rows("SELECT bucket, configuration FROM lifecycle"))

    def set_lifecycle(self, bucket: str, configuration: str | None) -> None:
        """Keep a bucket's configuration, or delete it (None)."""
        if configuration is None:
            self._rows("DELETE FROM lifecycle WHERE bucket = ?", bucket)
        else:
            self._rows("INSERT OR REPLACE INTO lifecycle VALUES (?, ?)", bucket, configuration)

    # uploads

    def add_upload(self, upload: Upload) -> None:
        self._rows(
            "INSERT INTO upload VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            upload.id,
            upload.bucket,
            upload.key,
            upload.initiated,
            upload.attributes.to_json(),
            json.dumps(upload.tags),
            upload.checksum_algorithm,
            upload.checksum_type,
        )

    def upload(self, upload_id: str) -> Upload | None:
        rows = self._rows("SELECT * FROM upload WHERE id = ?", upload_id)
        return _upload(rows[0]) if rows else None

    def uploads(self, bucket: str) -> list[Upload]:
        rows = self._rows("SELECT * FROM upload WHERE bucket = ? ORDER BY key, initiated, id", bucket)
        return [_upload(row) for row in rows]

    def upload_ids(self) -> set[str]:
        return {upload_id for (upload_id,) in self._rows("SELECT id FROM upload")}

    def remove_upload(self, upload_id: str) -> None:
        self._rows("DELETE FROM upload WHERE id = ?", upload_id)
        self._rows("DELETE FROM part WHERE upload = ?", upload_id)

    def add_part(self, upload_id: str, part: Part) -> None:
        self._rows(
            "INSERT OR REPLACE INTO part VALUES (?, ?, ?, ?, ?, ?, ?)",
            upload_id,
            part.number,
            part.file,
            part.size,
            part.etag,
            part.checksum,
            part.modified,
        )

    def parts(self, upload_id: str) -> dict[int, Part]:
        rows = self._rows("SELECT * FROM part WHERE upload = ? ORDER BY number", upload_id)
        return {
            number: Part(number=number, file=file, size=size, etag=etag, checksum=checksum, modified=modified)
            for _, number, file, size, etag, checksum, modified in rows
        }


def _version(row: tuple[Any, ...]) -> Version:
    bucket, key, seq, version_id, size, etag, attributes, tags = row
    return Version(bucket, key, seq, version_id, size, etag, Attributes.from_json(attributes), json.loads(tags))


def _upload(row: tuple[Any, ...]) -> Upload:
    upload_id, bucket, key, initiated, attributes, tags, algorithm, kind = row
    return Upload(
        upload_id, bucket, key, initiated, Attributes.from_json(attributes), json.loads(tags), algorithm, kind
    )
