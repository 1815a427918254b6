"""Structured log lines on stdout: JSON for machines, text where stdout is a terminal."""

from __future__ import annotations

import json
import sys
import threading
import time
from typing import Any

_PROGRESS_EVERY = 5.0


class Log:
    """Writes one line per event. Safe to share between threads."""

    def __init__(self, **common: Any) -> None:
        self._common = common
        self._lock = threading.Lock()
        self._started = time.monotonic()
        self._next_progress = self._started + _PROGRESS_EVERY

    def event(self, name: str, **fields: Any) -> None:
        """Log one event with its fields."""
        if sys.stdout.isatty():
            line = f"{name}: " + ", ".join(f"{key} {value}" for key, value in fields.items())
        else:
            line = json.dumps({"event": name, **self._common, **fields}, ensure_ascii=False)
        with self._lock:
            print(line, flush=True)

    def progress(self, received: int, total: int | None) -> None:
        """Tell how far a transfer is, every few seconds at most. Bytes; `total` None when unknown."""
        now = time.monotonic()
        if now >= self._next_progress:
            self._next_progress = now + _PROGRESS_EVERY
            self.event("progress", bytes=received, of=total, seconds=self.seconds)

    @property
    def seconds(self) -> float:
        """Since the log was opened."""
        return round(time.monotonic() - self._started, 3)
