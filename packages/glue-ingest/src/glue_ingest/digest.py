"""The SHA-256 of a file whose parts come in any order."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable


class OrderedDigest:
    """Takes parts as they come and hashes them in the file's order, without keeping their bringers waiting.

    Whoever brings the part that is next also hashes those after it that are there already.
    """

    def __init__(self) -> None:
        self._digest = hashlib.sha256()
        self._lock = threading.Lock()
        self._waiting: dict[int, tuple[bytearray, Callable[[], None]]] = {}
        self._next = 0
        self._busy = False

    def add(self, index: int, part: bytearray, *, done: Callable[[], None]) -> None:
        """Part `index`, from 0; `done` is called when it has been hashed and may be overwritten."""
        with self._lock:
            self._waiting[index] = (part, done)
            if self._busy:
                return
            self._busy = True
        while True:
            with self._lock:
                if self._next not in self._waiting:
                    self._busy = False
                    return
                part, done = self._waiting.pop(self._next)
                self._next += 1
            self._digest.update(part)
            done()

    def hexdigest(self) -> str:
        """Of all parts, once every one has been added and every `add` has returned."""
        return self._digest.hexdigest()
