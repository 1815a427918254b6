"""S3 as a folder: `s3://bucket/key` is `<root>/bucket/key`. What Spark sees through its mount table, too."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Sequence
from pathlib import Path

from glue_transform.errors import RawFileMissing
from glue_transform.storage import ObjectInfo


class FolderStorage:
    """The Storage protocol on plain files, with a journal of writes and deletes."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.journal: list[tuple[str, str]] = []

    def path(self, url: str) -> Path:
        return self.root / url[len("s3://") :]

    def info(self, url: str) -> ObjectInfo:
        if not self.path(url).exists():
            raise RawFileMissing(f"{url} is not there: ingest the month first")
        content = self.path(url).read_bytes()
        return ObjectInfo(len(content), hashlib.md5(content).hexdigest(), {})

    def download(self, url: str, file: Path) -> None:
        shutil.copyfile(self.path(url), file)

    def upload(self, file: Path, url: str) -> None:
        self.write(url, file.read_bytes())

    def read(self, url: str) -> bytes | None:
        return self.path(url).read_bytes() if self.path(url).exists() else None

    def write(self, url: str, content: bytes) -> None:
        self.journal.append(("write", url))
        self.path(url).parent.mkdir(parents=True, exist_ok=True)
        self.path(url).write_bytes(content)

    def list(self, prefix: str) -> list[str]:
        files = (path for path in self.root.rglob("*") if path.is_file())
        urls = (f"s3://{path.relative_to(self.root).as_posix()}" for path in files)
        return sorted(url for url in urls if url.startswith(prefix))

    def delete(self, urls: Sequence[str]) -> None:
        for url in urls:
            self.journal.append(("delete", url))
            self.path(url).unlink()
