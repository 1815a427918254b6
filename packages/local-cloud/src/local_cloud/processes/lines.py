"""A child's output, line by line, in bounded memory."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import IO

#: CloudWatch Logs takes 1 MiB an event; a longer line goes on in the next one.
#: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html
LONGEST_LINE = 1024 * 1024 - 1024

_READ = 64 * 1024


def pump(stream: IO[bytes], write: Callable[[list[str]], None]) -> None:
    """Hand whole lines to `write` as they come, until the stream ends.

    The writer sets the pace: a child that writes faster than its log takes waits in its own `write`.
    """
    rest = b""
    while chunk := os.read(stream.fileno(), _READ):
        *whole, rest = (rest + chunk).split(b"\n")
        events = [_text(piece) for line in whole for piece in _pieces(line)]
        while len(rest) > LONGEST_LINE:
            events.append(_text(rest[:LONGEST_LINE]))
            rest = rest[LONGEST_LINE:]
        if events:
            write(events)
    if rest:
        write([_text(rest)])


def _pieces(line: bytes) -> list[bytes]:
    return [line[at : at + LONGEST_LINE] for at in range(0, len(line) or 1, LONGEST_LINE)]


def _text(line: bytes) -> str:
    return line.decode("utf-8", "replace").rstrip("\r")
