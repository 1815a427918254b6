"""Files that appear whole or not at all, readable by their owner alone."""

from __future__ import annotations

import contextlib
import datetime
import io
import os
import pwd
import stat
from pathlib import Path

from local_cloud.errors import StateUnusable
from local_cloud.saving import cause_of

#: What a process that writes into a state folder sets with os.umask, and what everything it starts inherits.
UMASK = 0o077

#: Bytes that a start needs: SQLite's shared memory, 32 KiB for each of its files, and the process's own record.
ROOM = 256 << 10


def write_whole(file: Path, *blocks: bytes) -> None:
    """Write beside the file and rename over it. An OSError leaves the old file as it is, and nothing beside it."""
    temporary = file.with_suffix(".new")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with io.FileIO(descriptor, "w") as out:
            for block in blocks:
                view = memoryview(block)
                while view:
                    view = view[out.write(view) :]
        temporary.replace(file)
    except OSError:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise


def set_aside(state: Path, path: Path) -> Path:
    """Move a folder, or a file with those that belong to it, to `<state>/set-aside/<time>/`. Returns where it is."""
    now = datetime.datetime.now(datetime.timezone.utc)
    place = state / "set-aside" / f"{now:%Y%m%dT%H%M%S.%fZ}" / path.relative_to(state)
    place.parent.mkdir(mode=0o700, parents=True)
    for suffix in ("", "-wal", "-shm", ".wal", ".commits"):
        with contextlib.suppress(FileNotFoundError):
            path.with_name(path.name + suffix).rename(place.with_name(place.name + suffix))
    return place


def make_private(folder: Path, *, marker: Path) -> None:
    """Make a folder that only its owner can read, and tighten, once, one that was there before with all that is in it.

    `marker` is a file in it that is private when that has been done. StateUnusable for a folder of somebody else.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    check_owner(folder)
    done = stat.S_IMODE(marker.stat().st_mode) & UMASK == 0 if marker.exists() else not any(folder.iterdir())
    _tighten(folder)
    if not done:
        for parent, folders, files in os.walk(folder):  # not into linked folders
            for name in (*folders, *files):
                _tighten(Path(parent, name))
    marker.touch(mode=0o600)
    marker.chmod(0o600)  # last: a kill before this leaves it to the next start


def check_owner(folder: Path) -> None:
    """StateUnusable for a folder of somebody else."""
    owner = folder.stat().st_uid
    if owner != os.geteuid():
        raise StateUnusable(
            f"{folder} belongs to {_user(owner)}, and this process to {_user(os.geteuid())}",
            "Run it as that user, or choose another state folder with LOCAL_CLOUD_STATE.",
        )


def check_room(folder: Path) -> None:
    """Raises the system's own OSError where a folder takes no few blocks more: SQLite has no word for a full disk when
    it opens a file."""
    probe = folder / "local-cloud.probe"
    try:
        probe.write_bytes(bytes(ROOM))
    finally:
        probe.unlink(missing_ok=True)


def unwritable(folder: Path, error: Exception) -> StateUnusable:
    """The disk is full, or the folder lacks a permission."""
    return StateUnusable(
        f"The local cloud cannot work in {folder}: {cause_of(error)}",
        "Free some space there, or give it the permission it lacks; then `up`.",
    )


def _tighten(path: Path) -> None:
    with contextlib.suppress(FileNotFoundError):
        mode = path.lstat().st_mode
        if not stat.S_ISLNK(mode) and mode & UMASK:
            path.chmod(stat.S_IMODE(mode) & ~UMASK)


def _user(number: int) -> str:
    with contextlib.suppress(KeyError):
        return f"{pwd.getpwuid(number).pw_name} (uid {number})"
    return f"uid {number}"
