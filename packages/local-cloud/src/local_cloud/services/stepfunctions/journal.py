"""An execution's journal: one file of JSON lines, appended as things happen.

A journal is all that is kept of an execution but its line in the lists, so an execution costs no memory once it
has ended, and one that a kill -9 interrupts keeps its history up to the last event. The lines::

    {"start": {...}}             once, first: who runs what with which input (`Start`)
    {"event": {...}, "at": [..]} an event of the history; "at" is the scope it happened in (see `progress`)
    {"done": [...], "output": …} a branch or iteration came to its end
    {"end": {...}}               how it ended (`End`); with a redrive, events follow and another end
"""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from local_cloud.files import write_whole

from .model import Revision

Line = dict[str, Any]

_encode = json.JSONEncoder(separators=(",", ":"), default=str).encode


@dataclass(frozen=True)
class Start:
    """What StartExecution fixed. `input` is the JSON text as it was given; `started` in seconds since 1970."""

    arn: str
    name: str
    machine_arn: str
    machine_name: str
    type: str
    input: str
    started: float
    revision: Revision
    version_arn: str = ""
    alias_arn: str = ""
    trace_header: str = ""


@dataclass(frozen=True)
class End:
    """How an execution ended: its status, and output (JSON text) or error and cause."""

    status: str
    stopped: float
    output: str | None = None
    error: str | None = None
    cause: str | None = None
    redrives: int = 0
    redriven: float | None = None
    map_runs: list[dict[str, Any]] = field(default_factory=list)


class Journal:
    """The writing side, held open while the execution runs. Every line is in the kernel's hands when `add` returns.

    A line that the disk does not take raises OSError and leaves nothing of itself, so that it can be tried again.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self._file = os.open(path, os.O_CREAT | os.O_RDWR | os.O_APPEND | os.O_CLOEXEC, 0o600)
        _drop_torn_line(self._file)
        self._size = os.fstat(self._file).st_size

    def add(self, line: Line) -> None:
        text = _text(line)
        left = memoryview(text)
        try:
            while left:
                left = left[os.write(self._file, left) :]
        except OSError:
            os.ftruncate(self._file, self._size)
            raise
        self._size += len(text)

    def end(self, end: End) -> None:
        """Write the last line and close the file."""
        self.add({"end": dataclasses.asdict(end)})
        self.close()

    def close(self) -> None:
        os.close(self._file)


def _text(line: Line) -> bytes:
    return _encode(line).encode() + b"\n"


def read_lines(path: Path) -> Iterator[Line]:
    """All whole lines, oldest first; half a line at the end, left by a kill, is not one."""
    with path.open("rb") as file:
        for line in file:
            if line.endswith(b"\n"):
                yield json.loads(line)


def begin(path: Path, start: Start) -> None:
    """Make a journal. It is there with its first line or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, _text({"start": dataclasses.asdict(start)}))


def read_start(path: Path) -> Start:
    """Raises ValueError, KeyError or TypeError where the file is damaged."""
    for line in read_lines(path):
        fields = line["start"]
        return Start(**(fields | {"revision": Revision(**fields["revision"])}))
    raise ValueError("it is empty")


def read_end(path: Path) -> End | None:
    """The last line, where it is an end; None for an execution that runs or was interrupted."""
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        block, tail = 1 << 14, b""
        while len(tail) < size and tail.count(b"\n") < 2:
            take = min(block, size - len(tail))
            file.seek(size - len(tail) - take)
            tail = file.read(take) + tail
            block *= 4
    line = tail.rstrip(b"\n").rpartition(b"\n")[2]
    if not tail.endswith(b"\n") or not line.startswith(b'{"end":'):
        return None
    return End(**json.loads(line)["end"])


def read_events(path: Path) -> list[dict[str, Any]]:
    return [line["event"] for line in read_lines(path) if "event" in line]


def _drop_torn_line(file: int) -> None:
    size = os.fstat(file).st_size
    end, block = size, 1 << 14
    while end > 0:
        begin = max(0, end - block)
        found = os.pread(file, end - begin, begin).rfind(b"\n")
        if found >= 0:
            end = begin + found + 1
            break
        end = begin
    if end < size:
        os.ftruncate(file, end)
