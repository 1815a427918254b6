"""One line per event on standard output: JSON for machines, text where it is a terminal."""

from __future__ import annotations

import json
import sys
import threading
from dataclasses import dataclass, field
from typing import Any, TextIO


@dataclass
class Log:
    """Writes events, each with the fields that name the run (`load_id`, `month`, …)."""

    fields: dict[str, Any]
    stream: TextIO = field(default_factory=lambda: sys.stdout)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def event(self, name: str, **fields: Any) -> None:
        """Write one event. Sizes in bytes, times in seconds."""
        if self.stream.isatty():
            line = f"{name:<16} " + " ".join(f"{key}={value}" for key, value in fields.items())
        else:
            line = json.dumps({"event": name, **self.fields, **fields}, ensure_ascii=False)
        with self._lock:
            print(line, file=self.stream, flush=True)
