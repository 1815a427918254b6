"""State that survives a restart, under `<state>/control-plane/`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any


class Persistence:
    """Saves what services register, and gives it back at the next start.

    `save()` returns something picklable that holds no lock, thread or open file; `restore(value)` gets the same
    thing back before the port opens.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.parts: dict[str, tuple[Callable[[], Any], Callable[[Any], None]]] = {}

    def register(self, name: str, *, save: Callable[[], Any], restore: Callable[[Any], None]) -> None:
        """Keep one part of the state under `name` (a file name)."""
        self.parts[name] = (save, restore)

    def register_moto(self, service: str) -> None:
        """Keep the whole state of a moto backend, e.g. "iam"."""

    def changed(self, name: str) -> None:
        """Tell that a part changed outside an API request (a job ended, a statement finished)."""
