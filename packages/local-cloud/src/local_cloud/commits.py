"""How many commits a database has acknowledged, in a small file beside it.

A database whose log was cut off opens without a word, as it was before: what is missing looks like what a kill left
unfinished. So each commit carries a number, which the file beside it gets once the commit is done. A database that
holds less than that has lost something.
"""

from __future__ import annotations

import datetime
import os
from functools import partial
from pathlib import Path

from local_cloud.errors import CommitsLost, StateUnusable


def was_made(database: Path) -> bool:
    """True for a database that is there, or was: its counter is left."""
    return database.exists() or Commits(database).file.exists()


class Commits:
    """The counter of one database file, in `<file>.commits`: a number, and how the file looked when it was closed.

    Its owner orders the calls.
    """

    def __init__(self, database: Path) -> None:
        self.database = database
        self.file = database.with_name(f"{database.name}.commits")
        self._descriptor = -1

    def open(self, found: int) -> None:
        """Begin to count, from the number that the database holds. CommitsLost when that is less than acknowledged."""
        known = int(self._lines()[0])
        if found < known:
            last = datetime.datetime.fromtimestamp(self.file.stat().st_mtime, datetime.timezone.utc)
            raise CommitsLost(
                f"{self.database} has lost its last {known - found} commits, the newest of "
                f"{last:%Y-%m-%d %H:%M:%S} UTC: its log was cut off, or an older file put in its place",
                "Put the right file back, or go on without them: `recover`.",
                accept=partial(self.acknowledge, found),
            )
        self.acknowledge(found)

    def acknowledge(self, number: int) -> None:
        """The commit is done, and may be reported."""
        text = b"%020d\n" % number
        if self._descriptor < 0:
            self._descriptor = os.open(self.file, os.O_WRONLY | os.O_CREAT, 0o600)
            os.pwrite(self._descriptor, text, 0)
            os.ftruncate(self._descriptor, len(text))
        else:
            os.pwrite(self._descriptor, text, 0)

    def close(self) -> None:
        """Count no more. The database is closed, too: how its file looks now is how it must look at the next start."""
        if self._descriptor >= 0:
            os.pwrite(self._descriptor, self._look(), 21)
            os.close(self._descriptor)
            self._descriptor = -1

    def is_untouched(self) -> bool:
        """True when the database was closed in good order and nobody has written to it since."""
        return self.file.exists() and self._lines()[1].encode() + b"\n" == self._look()

    def _look(self) -> bytes:
        """Size and time of the file, and of its log where it has one."""
        files = [self.database.with_name(self.database.name + suffix) for suffix in ("", ".wal", "-wal")]
        looks = [file.stat() for file in files if file.exists()]
        return b" ".join(b"%d %d" % (look.st_size, look.st_mtime_ns) for look in looks) + b"\n"

    def _lines(self) -> tuple[str, str]:
        """The number, "0" without one, and the look, "" without one. StateUnusable for a file that holds no number."""
        if not self.file.exists():
            return "0", ""
        number, _, look = self.file.read_bytes().decode("latin-1").partition("\n")
        if number and not number.isdigit():
            problem = f"{self.file} is damaged; it held the number of commits of {self.database.name}"
            raise StateUnusable(problem, "Delete it: the count begins again.")
        return number or "0", look.removesuffix("\n")
