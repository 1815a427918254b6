"""From the source to the raw bucket in bounded memory: concurrent ranges, or one stream where the server has none."""

from __future__ import annotations

import hashlib
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_EXCEPTION, Future, wait
from dataclasses import dataclass
from itertools import count
from typing import Any

from glue_ingest import proof
from glue_ingest.buffers import Buffers
from glue_ingest.log import Log
from glue_ingest.parquet import Footer
from glue_ingest.request import Request
from glue_ingest.source import Opening, Source
from glue_ingest.store import PART_SIZE, Upload
from glue_ingest.workers import Workers

#: Ranges at once; each holds one part in memory.
CONNECTIONS = 8
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
        self._buffers = Buffers(CONNECTIONS, size=PART_SIZE, while_waiting=source.check_stop)

    def run(self, opening: Opening) -> Received:
        """Bring the file into the upload and prove it whole; `publish` is the caller's."""
        proof.require_names(opening.names, self._request)
        proof.require_head(opening.head, where=self._source.url)
        workers = Workers(CONNECTIONS)
        try:
            size = opening.version.size
            if opening.ranges and size is not None:
                footer = self._by_ranges(opening, size, workers)
            else:
                stream: Future[Footer] = workers.submit(self._by_stream, opening, workers)
                self._watch([stream], size)
                footer = stream.result()
        except BaseException:
            self._stop.set()
            with self._turn:
                self._turn.notify_all()
            raise
        finally:
            workers.dismiss()
        return Received(size=self._received, sha256=self._digest.hexdigest(), footer=footer)

    def _by_ranges(self, opening: Opening, size: int, workers: Workers) -> Footer:
        """Prove the footer first, so that nothing is fetched of a file that is not worth it; then all parts."""
        tail = self._tail(min(_TAIL_SIZE, size), size)
        wanted = proof.footer_size(tail, size=size, where=self._source.url)
        footer = self._prove(tail if wanted <= len(tail) else self._tail(wanted, size), size)
        tasks = [
            workers.submit(self._range, index, start, min(start + PART_SIZE, size), opening if start == 0 else None)
            for index, start in enumerate(range(0, size, PART_SIZE))
        ]
        self._watch(tasks, size)
        return footer

    def _tail(self, length: int, size: int) -> bytearray:
        tail = bytearray(length)
        self._source.read_range(size - length, size, into=tail)
        return tail

    def _range(self, index: int, start: int, end: int, opening: Opening | None) -> None:
        with self._buffers.lend(end - start) as part:
            self._source.read_range(start, end, into=part, opening=opening)
            self._hash(index, part)
            self._upload.put(index + 1, part)

    def _hash(self, index: int, part: bytearray) -> None:
        """Add a part to the digest when its turn has come: downloads end in any order, a digest has one."""
        with self._turn:
            self._turn.wait_for(lambda: self._next == index or self._stop.is_set())
            self._source.check_stop()
            self._digest.update(part)
            self._received += len(part)
            self._next += 1
            self._turn.notify_all()

    def _by_stream(self, opening: Opening, workers: Workers) -> Footer:
        """One part after the other; the last two wait for the proof of the footer, which they hold."""
        uploads: deque[Future[None]] = deque()
        numbers = count(1)
        held: deque[bytearray] = deque()

        def upload(part: bytearray) -> None:
            while uploads and uploads[0].done():
                uploads.popleft().result()
            uploads.append(workers.submit(self._give, next(numbers), part))

        for part in self._cut(self._source.stream(opening, self._digest)):
            held.append(part)
            if len(held) > 2:
                upload(held.popleft())
        footer = self._prove(bytearray().join(held), self._received)
        for part in held:
            upload(part)
        for task in uploads:
            task.result()
        return footer

    def _cut(self, chunks: Iterable[bytes]) -> Iterator[bytearray]:
        """The same bytes as parts of PART_SIZE, the last one shorter."""
        part, at = self._buffers.take(PART_SIZE), 0
        for chunk in chunks:
            self._received += len(chunk)
            fits = min(len(chunk), PART_SIZE - at)
            part[at : at + fits] = chunk[:fits]
            at += fits
            if at == PART_SIZE:
                yield part
                part, at = self._buffers.take(PART_SIZE), len(chunk) - fits
                part[:at] = chunk[fits:]
        del part[at:]
        if part:
            yield part

    def _give(self, number: int, part: bytearray) -> None:
        self._upload.put(number, part)
        self._buffers.give_back(part)

    def _prove(self, tail: bytearray, size: int) -> Footer:
        footer = proof.require_footer(tail, size=size, where=self._source.url)
        proof.require_month(footer, self._request)
        return footer

    def _watch(self, tasks: Iterable[Future[Any]], size: int | None) -> None:
        """Wait for the tasks, tell the progress, and stop at the first failure or signal."""
        pending = set(tasks)
        while pending:
            done, pending = wait(pending, timeout=0.2, return_when=FIRST_EXCEPTION)
            for task in done:
                task.result()
            self._source.check_stop()
            self._log.progress(self._received, size)
