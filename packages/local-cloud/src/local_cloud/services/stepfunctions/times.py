"""Times as Step Functions writes and reads them."""

from __future__ import annotations

import datetime
import re
from typing import Any

_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")


def iso(seconds: float) -> str:
    """Seconds since 1970 as `2019-03-26T20:14:13.192Z`."""
    moment = datetime.datetime.fromtimestamp(seconds, tz=datetime.UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse_timestamp(text: Any) -> datetime.datetime | None:
    """RFC 3339 with a capital T and an offset or Z (https://states-language.net/#timestamps); None for other text."""
    if not isinstance(text, str) or not _TIMESTAMP.fullmatch(text):
        return None
    try:
        return datetime.datetime.fromisoformat(text)
    except ValueError:
        return None
