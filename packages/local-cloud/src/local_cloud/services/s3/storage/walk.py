"""Walks a bucket's files in the order of their keys."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

#: Sorts after every key that begins with what stands before it.
LAST = "\U0010ffff"


class Walk:
    """The plain files under `folder` as (key, status), keys in S3's order (by code point), lazily.

    `after` may be moved forward while iterating: everything up to it, whole folders too, is then passed over
    without being looked at.
    """

    def __init__(self, folder: Path, *, prefix: str = "", after: str = "") -> None:
        self.folder = folder
        self.prefix = prefix
        self.after = after

    def __iter__(self) -> Iterator[tuple[str, os.stat_result]]:
        inside = self.prefix.rpartition("/")[0]
        if any(part in ("", ".", "..") for part in inside.split("/")) and inside:
            return iter(())
        return self._scan(str(self.folder / inside), f"{inside}/" if inside else "")

    def _scan(self, folder: str, above: str) -> Iterator[tuple[str, os.stat_result]]:
        try:
            with os.scandir(folder) as entries:
                # A folder's keys all begin with `name/`: sorted so, the whole walk comes out in key order.
                names = sorted((_name(entry), entry.path) for entry in entries)
        except OSError:
            return
        for name, path in names:
            key = above + name
            if not _utf8(key):
                continue  # not a name S3 could give back
            if name.endswith("/"):
                related = key.startswith(self.prefix) or self.prefix.startswith(key)
                if related and (key + LAST > self.after):
                    yield from self._scan(path, key)
            elif key > self.after and key.startswith(self.prefix):
                try:
                    status = os.stat(path)  # noqa: PTH116 - a Path for each would double the time
                except OSError:
                    continue
                if stat.S_ISREG(status.st_mode):
                    yield key, status


def _name(entry: os.DirEntry[str]) -> str:
    return entry.name + "/" if entry.is_dir() else entry.name


def _utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
