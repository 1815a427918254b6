"""Rows kept on disk, a page in memory."""

from __future__ import annotations

import pickle
import tempfile
from collections.abc import Iterator
from typing import Any

Row = tuple[Any, ...]
PAGE = 1000


class Spool:
    """Takes rows one by one and gives them back page by page; holds one page of them.

    The file has no name and belongs to this process alone, which is why unpickling it is safe. `append`,
    `clear` and `len` are what redshift_connector uses of the deque that it collects its rows in.
    """

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Forget all rows."""
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as the rows
        self._last: list[Row] = []
        self._count = 0

    def append(self, row: list[Any]) -> None:
        """Keep a row."""
        self._last.append(tuple(row))
        self._count += 1
        if len(self._last) == PAGE:
            pickle.dump(self._last, self._file)
            self._last = []

    def __len__(self) -> int:
        return self._count

    def pages(self) -> Iterator[list[Row]]:
        """Yield all rows in order, PAGE at a time, as often as asked for; one empty page if there are none."""
        position = 0
        for _ in range(self._count // PAGE):
            self._file.seek(position)
            page: list[Row] = pickle.load(self._file)  # noqa: S301 - see above
            position = self._file.tell()
            yield page
        self._file.seek(0, 2)
        if self._last or not self._count:
            yield self._last
