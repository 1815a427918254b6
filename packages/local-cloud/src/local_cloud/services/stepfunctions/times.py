"""Times as the context object and outputs write them."""

from __future__ import annotations

import datetime


def iso(seconds: float) -> str:
    """Seconds since 1970 as `2019-03-26T20:14:13.192Z`."""
    moment = datetime.datetime.fromtimestamp(seconds, tz=datetime.UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
