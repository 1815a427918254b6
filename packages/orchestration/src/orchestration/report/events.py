"""What jobs say in their logs: one JSON object a line, with its `event`; whatever else stands there is text."""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from orchestration.joblogs import LogLine

#: The same in every line of a job; the page has them once, in its head.
_EVERYWHERE = ("event", "level", "dataset", "month", "load_id")


@dataclass(frozen=True)
class Event:
    """`name` is "" for a line of text, which is then all there is in `fields`. `level` is info, warning or error."""

    state: str
    at: datetime.datetime
    name: str
    level: str
    fields: Mapping[str, Any]

    @classmethod
    def of(cls, line: LogLine) -> Event:
        at = datetime.datetime.fromtimestamp(line.milliseconds / 1000, datetime.UTC)
        try:
            record = json.loads(line.text)
            name = record["event"]
        except (ValueError, TypeError, KeyError):
            return cls(line.state, at, "", "info", {"text": line.text})
        level = "error" if record.get("status") == "failed" else str(record.get("level", "info"))
        fields = {key: value for key, value in record.items() if key not in _EVERYWHERE}
        return cls(line.state, at, str(name), level, fields)
