"""From the source to the raw bucket in bounded memory: concurrent ranges, or one stream where the server has none."""

from __future__ import annotations

import hashlib
import threading
from collections import deque
from collections.abc import Iterable
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from itertools import count
from typing import Any

from glue_ingest import proof
from glue_ingest.errors import Stopped
from glue_ingest.log import Log
from glue_ingest.parquet import Footer
from glue_ingest.request import Request
from glue_ingest.source import Opening, Source
from glue_ingest.store import PART_SIZE, Upload

#: Ranges at once; each holds one part in memory.
CONNECTIONS = 8
#: Parts of a stream that may wait for S3; reading pauses there.
_PARTS_AHEAD = 4
_TAIL_SIZE = 64 * 1024


@dataclass(frozen=True)
class Received:
    """What came: bytes, SHA-256 in hex, and the footer that proves it whole."""

    size: int
    sha256: str
    footer: Footer


class Transfer:
    """One file's way into one upload."""

    def __init__(self, request: Request, *, source: Source, upload: Upload, stop: threading.Event, log: Log) -> None:
        self._request = request
        self._source = source
        self._upload = upload
        self._stop = stop
        self._log = log
        self._digest = hashlib.sha256()
        self._turn = threading.Condition()
        self._next = 0
        self._received = 0

    def run(self, opening: Opening) -> Received:
        """Bring the file into the upload and prove it whole; `publish` is the caller's."""
        proof.require_names(opening.names, self._request)
        proof.require_head(opening.head, where=self._source.url)
        pool = ThreadPoolExecutor(CONNECTIONS, thread_name_prefix="ingest")
        try:
            size = opening.version.size
            if opening.ranges and size is not None:
                footer = self._by_ranges(opening, size, pool)
            else:
                task = pool.submit(self._by_stream, opening, pool)
                self._watch([task], size)
                footer = task.result()
        except BaseException:
            self._stop.set()
            with self._turn:
                self._turn.notify_all()
            raise
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
        return Received(size=self._received, sha256=self._digest.hexdigest(), footer=footer)

    def _by_ranges(self, opening: Opening, size: int, pool: ThreadPoolExecutor) -> Footer:
        """Prove the footer first, so that nothing is fetched of a file that is not worth it; then all parts."""
        tail = self._source.read_range(max(0, size - _TAIL_SIZE), size)
        wanted = proof.footer_size(tail, size=size, where=self._source.url)
        if wanted > len(tail):
            tail = self._source.read_range(size - wanted, size)
        footer = self._prove(tail, size)
        tasks = [
            pool.submit(self._range, index, start, min(start + PART_SIZE, size), opening if start == 0 else None)
            for index, start in enumerate(range(0, size, PART_SIZE))
        ]
        self._watch(tasks, size)
        return footer

    def _range(self, index: int, start: int, end: int, opening: Opening | None) -> None:
        self._part(index, self._source.read_range(start, end, opening=opening))

    def _by_stream(self, opening: Opening, pool: ThreadPoolExecutor) -> Footer:
        """One part after the other; the last waits for the proof of the footer."""
        uploads: deque[Future[None]] = deque()

        def upload(part: bytearray) -> None:
            if len(uploads) == _PARTS_AHEAD:
                uploads.popleft().result()
            uploads.append(pool.submit(self._upload.put, next(numbers), part))

        numbers = count(1)
        held, part = bytearray(), bytearray()
        for chunk in self._source.stream(opening, self._digest):
            self._received += len(chunk)
            part += chunk
            if len(part) >= PART_SIZE:
                if held:
                    upload(held)
                held, part = part, bytearray()
        footer = self._prove(held + part, self._received)
        for last in filter(None, (held, part)):
            upload(last)
        for task in uploads:
            task.result()
        return footer

    def _watch(self, tasks: Iterable[Future[Any]], size: int | None) -> None:
        """Wait for the tasks, tell the progress, and stop at the first failure or signal."""
        pending = set(tasks)
        while pending:
            done, pending = wait(pending, timeout=0.2, return_when=FIRST_EXCEPTION)
            for task in done:
                task.result()
            if self._stop.is_set():
                raise Stopped(f"stopped while reading {self._source.url}; nothing was stored")
            self._log.progress(self._received, size)

    def _prove(self, tail: bytearray, size: int) -> Footer:
        footer = proof.require_footer(tail, size=size, where=self._source.url)
        proof.require_month(footer, self._request)
        return footer

    def _part(self, index: int, data: bytes | bytearray) -> None:
        """Hash a part in the file's order, then upload it in any order."""
        with self._turn:
            self._turn.wait_for(lambda: self._next == index or self._stop.is_set())
            if self._stop.is_set():
                raise Stopped(f"stopped while reading {self._source.url}; nothing was stored")
            self._digest.update(data)
            self._received += len(data)
            self._next += 1
            self._turn.notify_all()
        self._upload.put(index + 1, data)
