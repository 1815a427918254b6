"""Events as lines: JSON for machines, text for a terminal."""

from __future__ import annotations

import json
from typing import Any, TextIO

from rs_query.retries import Log


def log_to(stream: TextIO) -> Log:
    """Return a log that writes a line an event to `stream`: JSON, or readable text if it is a terminal."""
    line = _readable if stream.isatty() else json.dumps

    def log(event: dict[str, Any]) -> None:
        print(line(event), file=stream, flush=True)

    return log


def _readable(event: dict[str, Any]) -> str:
    details = "  ".join(f"{key} {value}" for key, value in event.items() if key != "event" and value is not None)
    return f"{event['event']}: {details}"
