"""From the source to the raw bucket in bounded memory: concurrent ranges, or one stream where the server has none."""

from __future__ import annotations

import hashlib
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import count

from glue_ingest import validation
from glue_ingest.arguments import Request
from glue_ingest.buffers import Buffers
from glue_ingest.log import Log
from glue_ingest.parquet import Footer
from glue_ingest.source import Opening, Source
from glue_ingest.store import PART_SIZE
from glue_ingest.upload import Upload
from glue_ingest.workers import Workers

#: Ranges at once, and parts in memory.
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

    def __init__(self, request: Request, *, source: Source, upload: Upload, log: Log) -> None:
        self._request = request
        self._source = source
        self._upload = upload
        self._log = log
        self._buffers = Buffers(CONNECTIONS, size=PART_SIZE)
        self._turn = threading.Condition()
        self._digest = hashlib.sha256()
        self._hashed = 0
        self._received = 0
        self._total: int | None = None

    def run(self, opening: Opening) -> Received:
        """Bring the file into the upload and prove it whole, but leave `publish` to the caller."""
        validation.require_names(opening.names, self._request)
        validation.require_head(opening.head, where=self._source.url)
        self._total = opening.version.size
        with Workers(CONNECTIONS) as workers:
            try:
                if opening.ranges and self._total is not None:
                    return self._by_ranges(self._total, workers)
                return self._by_stream(opening, workers)
            except BaseException:
                self._source.abandon()  # the workers' reads end at their next step
                raise

    def _by_ranges(self, size: int, workers: Workers) -> Received:
        """Prove the footer first, so that nothing is fetched of a file that is not worth it; then all parts."""
        tail = self._tail(min(_TAIL_SIZE, size), size)
        wanted = validation.footer_size(tail, size=size, where=self._source.url)
        footer = self._prove(tail if wanted <= len(tail) else self._tail(wanted, size), size)
        self._upload.metadata["rows"] = str(footer.rows)

        def check_and_report() -> None:
            workers.check()
            self._check_and_report()

        for index, start in enumerate(range(0, size, PART_SIZE)):
            # Taken here and not by the worker: given out in the file's order, the part that others wait for to be
            # hashed always has a buffer.
            part = self._buffers.take(min(PART_SIZE, size - start), while_waiting=check_and_report)
            workers.submit(self._range, index, part)
        workers.wait(self._check_and_report)
        return Received(size=size, sha256=self._digest.hexdigest(), footer=footer)

    def _tail(self, length: int, size: int) -> bytearray:
        tail = bytearray(length)
        self._source.read_range(size - length, into=tail)
        return tail

    def _range(self, index: int, part: bytearray) -> None:
        self._source.read_range(index * PART_SIZE, into=part)
        with self._turn:
            self._received += len(part)
        self._upload.put(index + 1, part)
        with self._turn:
            while self._hashed != index:
                self._source.check_stop()
                self._turn.wait(0.2)
            self._digest.update(part)
            self._hashed += 1
            self._turn.notify_all()
        self._buffers.give_back(part)

    def _by_stream(self, opening: Opening, workers: Workers) -> Received:
        footers: list[Footer] = []
        workers.submit(self._read, self._source.stream(opening, self._digest), workers, footers.append)
        workers.wait(self._check_and_report)
        return Received(size=self._received, sha256=self._digest.hexdigest(), footer=footers[0])

    def _read(self, chunks: Iterable[bytes], workers: Workers, proven: Callable[[Footer], None]) -> None:
        """Submit one part after the other; the last two wait for the proof of the footer, which they hold."""
        numbers = count(1)
        held: deque[bytearray] = deque()
        for part in self._cut(chunks):
            held.append(part)
            if len(held) > 2:
                workers.submit(self._give, next(numbers), held.popleft())
        proven(self._prove(bytearray().join(held), self._received))
        for number, part in zip(numbers, held):
            workers.submit(self._give, number, part)

    def _cut(self, chunks: Iterable[bytes]) -> Iterator[bytearray]:
        """Yield the same bytes as parts of PART_SIZE, the last one shorter."""
        part, at = self._buffers.take(PART_SIZE, while_waiting=self._source.check_stop), 0
        for chunk in chunks:
            self._received += len(chunk)
            fits = min(len(chunk), PART_SIZE - at)
            part[at : at + fits] = chunk[:fits]
            at += fits
            if at == PART_SIZE:
                yield part
                part, at = self._buffers.take(PART_SIZE, while_waiting=self._source.check_stop), len(chunk) - fits
                part[:at] = chunk[fits:]
        del part[at:]
        if part:
            yield part

    def _give(self, number: int, part: bytearray) -> None:
        self._upload.put(number, part)
        self._buffers.give_back(part)

    def _prove(self, tail: bytearray, size: int) -> Footer:
        footer = validation.require_footer(tail, size=size, where=self._source.url)
        validation.require_month(footer, self._request)
        return footer

    def _check_and_report(self) -> None:
        self._source.check_stop()
        self._log.progress(self._received, self._total)
