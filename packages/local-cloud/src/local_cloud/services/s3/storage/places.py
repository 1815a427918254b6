"""Which file holds what: an object's content, and the bytes of versions that are no longer current."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
from pathlib import Path

from local_cloud.services.s3.storage import keys
from local_cloud.services.s3.storage.catalog import Catalog, Version


class Places:
    """`<root>/<bucket>/<key>` where the file system can hold that, else a hash under `<internal>/aside`."""

    def __init__(self, root: Path, internal: Path, catalog: Catalog) -> None:
        self._root = root
        self._aside = internal / "aside"
        self._kept = internal / "versions"
        self._catalog = catalog
        for folder in (self._aside, self._kept):
            folder.mkdir(parents=True, exist_ok=True)

    def locate(self, bucket: str, key: str) -> tuple[Path, os.stat_result] | None:
        """The file that holds the current version, or None."""
        for path in self._candidates(bucket, key):
            with contextlib.suppress(FileNotFoundError, NotADirectoryError):
                status = path.stat()
                if stat.S_ISREG(status.st_mode):
                    return path, status
        return None

    def kept(self, version: Version) -> Path:
        """Where the bytes of a version lie once it is no longer current."""
        return self._kept / version.bucket / str(version.seq)

    def publish(self, bucket: str, key: str, file: Path) -> Path:
        """Rename a file to where the key's content lies: under its own name if that is free, else aside."""
        *plain, aside = self._candidates(bucket, key)
        for path in plain:
            for _ in range(10):
                try:
                    path.parent.mkdir(parents=True, exist_ok=True)
                    file.replace(path)
                except FileNotFoundError:
                    continue  # a delete pruned the folder between the two steps
                except (FileExistsError, NotADirectoryError, IsADirectoryError):
                    break  # `a` is an object and `a/b` comes, or the other way round
                return path
        self._catalog.add_aside(bucket, key)
        aside.parent.mkdir(exist_ok=True)
        file.replace(aside)
        return aside

    def unlink(self, bucket: str, key: str, path: Path) -> None:
        """Remove the content, and the folders that nothing is in any more."""
        path.unlink(missing_ok=True)
        if path.parent == self._aside / bucket:
            self._catalog.remove_aside(bucket, key)
            return
        top = self._root / bucket
        for folder in path.parents:
            if folder == top:
                return
            try:
                folder.rmdir()
            except OSError:
                return

    def forget_bucket(self, bucket: str) -> None:
        for folder in (self._root / bucket, self._aside / bucket, self._kept / bucket):
            shutil.rmtree(folder, ignore_errors=True)

    def _candidates(self, bucket: str, key: str) -> list[Path]:
        aside = self._aside / bucket / keys.aside_name(key)
        return [self._root / bucket / key, aside] if keys.is_plain(key) else [aside]
