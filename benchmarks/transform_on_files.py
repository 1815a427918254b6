"""The transform of a month with folders in place of buckets: `transform_on_files.py ROOT DATASET YEAR MONTH`.

`s3://bucket/key` is `ROOT/bucket/key`. For measuring the job beside others that work on local files; what moving the
bytes costs is measured with the job as it is.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from glue_transform.arguments import Request
from glue_transform.engines.duckdb import DuckDBEngine
from glue_transform.job import transform
from glue_transform.storage import ObjectInfo


class Folder:
    """`glue_transform.storage.Storage` on a file system, with links and renames for transfers."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def path(self, url: str) -> Path:
        path = self.root / url[len("s3://") :]
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def info(self, url: str) -> ObjectInfo:
        return ObjectInfo(self.path(url).stat().st_size, "", {})

    def download(self, url: str, file: Path) -> None:
        os.link(self.path(url), file)

    def upload(self, file: Path, url: str) -> None:
        os.link(file, self.path(url))

    def read(self, url: str) -> bytes | None:
        return self.path(url).read_bytes() if self.path(url).exists() else None

    def write(self, url: str, content: bytes) -> None:
        self.path(url).write_bytes(content)

    def list(self, prefix: str) -> Sequence[str]:
        folder = self.path(prefix)
        found = folder.rglob("*") if folder.is_dir() else []
        return [f"s3://{file.relative_to(self.root)}" for file in sorted(found) if file.is_file()]

    def delete(self, urls: Sequence[str]) -> None:
        for url in urls:
            self.path(url).unlink()


def main() -> None:
    root, dataset, year, month = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    work = root / "work"
    work.mkdir(exist_ok=True)
    (work / "raw.parquet").unlink(missing_ok=True)
    storage = Folder(root)
    request = Request(dataset, year, month, "raw", "processed", "duckdb")
    transform(request, storage=storage, engine=DuckDBEngine(storage, work))


if __name__ == "__main__":
    main()
