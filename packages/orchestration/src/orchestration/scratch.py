"""Folders for what a command makes on its way, also for one that is killed: the next deletes what it left."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def folder(kind: str, *, parent: Path | None = None) -> Iterator[Path]:
    """Make a folder `elt-<kind>-…` under the system's temporary one, or `parent`; delete it at the end of the block.

    Until then it is where this process has its temporary files, those of libraries too. The process holds a lock on it,
    which ends with the process: a folder of this kind without one is nobody's any more, and is deleted first.
    """
    before = tempfile.gettempdir()
    parent = parent or Path(before)
    for left in parent.glob(f"elt-{kind}-*"):
        _delete_if_nobodys(left)
    # Locked before it has its name, so that no other command finds it unlocked.
    made = Path(tempfile.mkdtemp(prefix=f".elt-{kind}-", dir=parent))
    named = made.with_name(made.name.removeprefix("."))
    lock = os.open(made, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        made.rename(named)
        tempfile.tempdir = str(named)
        yield named
    finally:
        tempfile.tempdir = before
        shutil.rmtree(named, ignore_errors=True)
        os.close(lock)


def _delete_if_nobodys(folder: Path) -> None:
    """Leave it where it is held, another user's, or gone by now."""
    with suppress(OSError):
        lock = os.open(folder, os.O_RDONLY)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder)
        finally:
            os.close(lock)
