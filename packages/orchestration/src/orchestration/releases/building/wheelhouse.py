"""The wheels that Glue jobs install beside ours: pinned with hashes in requirements/glue.txt, kept on this disk."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from orchestration import scratch
from orchestration.errors import EltError, PublishError
from orchestration.project import root
from orchestration.releases.building.wheels import Wheel

LOCK = Path("requirements/glue.txt")
#: Seconds after which wheels that no checkout has asked for are superseded: other checkouts share the cache.
_UNUSED_S = 30 * 24 * 3600.0

#: What Glue's Python Shell takes: CPython 3.9 on Amazon Linux 2, whose C library is 2.26.
_PYTHON = ("--implementation", "cp", "--python-version", "3.9")
_PLATFORMS = tuple(f"--platform={name}_x86_64" for name in ("manylinux_2_26", "manylinux_2_17", "manylinux2014"))


def fetch(checkout: Path) -> dict[str, Wheel]:
    """Return the wheels pinned by the checkout, by name. Errors: PublishError.

    They are downloaded once for each state of the lock file, by pip, into the user's cache (XDG_CACHE_HOME), and
    what is found there is held against the lock's hashes.
    """
    lock = (checkout / LOCK).read_text(encoding="utf-8")
    folder = _folder(lock)
    wheels = _wheels(folder)
    if wheels:
        os.utime(folder)
    if not wheels or any(f"sha256:{wheel.sha256}" not in lock for wheel in wheels):
        shutil.rmtree(folder, ignore_errors=True)
        _download(checkout / LOCK, folder)
        wheels = _wheels(folder)
    return {wheel.name: wheel for wheel in wheels}


def find_superseded(checkout: Path | None) -> list[Path]:
    """List the cached folders of other lock files than the checkout's that nobody has used for 30 days."""
    current = _folder((checkout / LOCK).read_text(encoding="utf-8")) if checkout else None
    oldest = time.time() - _UNUSED_S
    found = sorted(_cache().iterdir()) if _cache().is_dir() else []
    return [folder for folder in found if folder != current and folder.stat().st_mtime < oldest]


def _folder(lock: str) -> Path:
    return _cache() / hashlib.sha256(lock.encode()).hexdigest()[:16]


def _wheels(folder: Path) -> list[Wheel]:
    return [Wheel(path) for path in sorted(folder.glob("*.whl"))]


def _download(lock: Path, folder: Path) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    with scratch.folder("wheels", parent=folder.parent) as part:
        command = [
            *(sys.executable, "-m", "pip", "download", "--quiet", "--no-input", "--disable-pip-version-check"),
            *("--require-hashes", "--no-deps", "--only-binary", ":all:", *_PYTHON, *_PLATFORMS),
            *("--dest", f"{part}/wheels", "--requirement", str(lock)),
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            reason = next((line for line in reversed(done.stderr.splitlines()) if line.strip()), "no reason given")
            raise PublishError(f"the wheels of {LOCK} could not be downloaded: {reason.strip()}")
        try:
            (part / "wheels").rename(folder)
        except OSError:
            if not folder.exists():  # else another process was faster, with the same wheels
                raise


def _cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "elt" / "wheelhouse"


def main() -> None:
    """`python -m orchestration.releases.building.wheelhouse`: fetch them now, for a time without the network."""
    try:
        fetch(root())
    except EltError as error:
        sys.exit(f"elt: {error}")


if __name__ == "__main__":
    main()
