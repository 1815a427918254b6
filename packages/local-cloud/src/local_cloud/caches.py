"""What a cloud keeps on disk, by kind, and which parts of its cache nothing needs any more.

The cache holds job environments, and wheels and functions as downloaded and unpacked, each under a name that its
content or its requirements make. A job or function that is deployed again leaves the old ones behind.
"""

from __future__ import annotations

import http.client
import itertools
import json
import os
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local_cloud.errors import NotRunning
from local_cloud.settings import HOST, Settings

#: Where the server takes the request to prune.
PATH = "/_local-cloud/prune"
#: Seconds for which an entry is left alone, needed or not: somebody may be making it.
FRESH = 3600.0

ENVIRONMENTS, PACKAGES = "job environments", "wheels and functions"

#: Kinds as people know them, and where they lie in the state folder. What lies inside another is not counted twice.
_KINDS = {
    "objects": "s3",
    "old object versions and uploads": "s3/.local-cloud",
    "tables": "warehouse",
    "mails": "mail",
    "definitions, logs and histories": "control-plane",
    ENVIRONMENTS: "cache/environments",
    PACKAGES: "cache/packages",
    "other cache": "cache",
    "set aside": "set-aside",
}


class Busy(Exception):
    """Something runs out of the cache: nothing of it can go now."""


#: Gives the names of the entries that a service needs. Raises Busy.
Needs = Callable[[], Iterable[str]]


@dataclass(frozen=True)
class Entry:
    """One thing in the cache: the files that are it, and the name it is needed by."""

    kind: str
    name: str
    paths: tuple[Path, ...]

    @property
    def size(self) -> int:
        return sum(size_of(path) for path in self.paths)

    def delete(self) -> None:
        for path in self.paths:
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)


def sizes(settings: Settings) -> dict[str, int]:
    """The bytes on disk of each kind that there is."""
    found = {kind: size_of(settings.state_dir / folder) for kind, folder in _KINDS.items()}
    for kind, folder in _KINDS.items():
        inner = (found[other] for other, where in _KINDS.items() if where.startswith(f"{folder}/"))
        found[kind] -= sum(inner)
    return {kind: size for kind, size in found.items() if size}


def size_of(path: Path) -> int:
    """What a file or folder takes on disk, in bytes; links are not followed."""
    try:
        status = path.lstat()
    except FileNotFoundError:
        return 0
    total = status.st_blocks * 512
    if path.is_dir() and not path.is_symlink():
        for folder, folders, files in os.walk(path):
            for name in (*folders, *files):
                try:
                    total += os.lstat(f"{folder}/{name}").st_blocks * 512
                except FileNotFoundError:
                    continue
    return total


def prune(settings: Settings, *, dry_run: bool) -> dict[str, int]:
    """Delete what nothing needs of the cache of the cloud that runs; bytes freed (or to be freed) by kind.

    Raises NotRunning without a cloud, as only that knows what is deployed, and while its jobs run out of the cache.
    """
    from local_cloud import control

    running = control.status(settings)
    if not running.running:
        raise NotRunning(f"No local cloud runs on {settings.state_dir}. Start it: {settings.typed.command('up')}")
    connection = http.client.HTTPConnection(HOST, running.port)
    try:
        body = json.dumps({"dry_run": dry_run})
        connection.request("POST", PATH, body, {"Content-Type": "application/json"})
        response = connection.getresponse()
        answer: dict[str, Any] = json.load(response)
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise NotRunning(f"The local cloud at {running.endpoint} does not answer: {error}") from None
    finally:
        connection.close()
    if response.status != 200:
        raise NotRunning(str(answer["error"]))
    return answer


def respond(cache: Path, users: Iterable[Needs], body: bytes) -> tuple[int, dict[str, Any]]:
    """The server's side of `prune`."""
    try:
        needed = {name for needs in users for name in needs()}
    except Busy as error:
        return 409, {"error": str(error)}
    freed = {ENVIRONMENTS: 0, PACKAGES: 0}
    for entry in unneeded(cache, needed):
        freed[entry.kind] += entry.size
        if not json.loads(body)["dry_run"]:
            entry.delete()
    return 200, freed


def unneeded(cache: Path, needed: set[str]) -> Iterator[Entry]:
    """The entries whose name is not among the needed, and that are not fresh.

    A folder of the cache that is a link itself is shared with other clouds, who need what this one does not.
    """
    oldest = time.time() - FRESH
    kinds = {"environments": _environments, "packages": _packages}
    own = (entries(cache / name) for name, entries in kinds.items() if not (cache / name).is_symlink())
    for entry in itertools.chain.from_iterable(own):
        if entry.name not in needed and all(path.lstat().st_mtime < oldest for path in entry.paths):
            yield entry


def _environments(folder: Path) -> Iterator[Entry]:
    """An environment is a link, the folder it points to, and a lock; a folder that no link points to was cut short."""
    names = sorted({"-".join(path.name.removesuffix(".lock").split("-")[:2]) for path in _inside(folder)})
    for name in names:
        yield Entry(ENVIRONMENTS, name, tuple(path for path in _inside(folder) if path.name.startswith(name)))


def _packages(folder: Path) -> Iterator[Entry]:
    """What is downloaded and what is unpacked of it have the same name."""
    for name in sorted({path.name for part in ("files", "unpacked") for path in _inside(folder / part)}):
        paths = (folder / "files" / name, folder / "unpacked" / name)
        yield Entry(PACKAGES, name, tuple(path for path in paths if os.path.lexists(path)))


def _inside(folder: Path) -> list[Path]:
    return list(folder.iterdir()) if folder.is_dir() else []
