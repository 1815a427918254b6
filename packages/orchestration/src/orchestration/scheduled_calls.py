"""What came of a schedule that was fired: what the function it called has logged."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from typing import Any

#: A function that has not ended by then is left alone, in seconds; the first call makes its environment.
PATIENCE = 60.0


def read_next_call(logs: Any, function_arn: str, *, since: float) -> list[dict[str, Any]] | None:
    """List the JSON lines of the first call of a function that began after `since` (seconds since 1970).

    Waits for the call to end; None if it does not within PATIENCE.
    """
    group = f"/aws/lambda/{function_arn.rsplit(':', 1)[-1]}"
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        lines = _lines(logs, group, since=since)
        calls = [line.split()[2] for line in lines if line.startswith("START RequestId: ")]
        if calls and any(line.startswith(f"END RequestId: {calls[0]}") for line in lines):
            return _json_lines(lines, calls[0])
        time.sleep(0.2)
    return None


def _lines(logs: Any, group: str, *, since: float) -> list[str]:
    pages = logs.get_paginator("filter_log_events").paginate(logGroupName=group, startTime=int(since * 1000))
    try:
        return [event["message"].rstrip("\n") for page in pages for event in page["events"]]
    except logs.exceptions.ResourceNotFoundException:
        return []


def _json_lines(lines: Sequence[str], call: str) -> list[dict[str, Any]]:
    """List those between a call's first and last line; what is no JSON becomes `{"message": …}`."""
    first, last = (
        next(at for at, line in enumerate(lines) if line.startswith(f"{word} RequestId: {call}"))
        for word in ("START", "END")
    )
    return [_parse_line(line) for line in lines[first + 1 : last]]


def _parse_line(line: str) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except ValueError:
        return {"message": line}
    return found if isinstance(found, dict) else {"message": line}
