"""The published file over HTTP: its version, its bytes by range or in a row, resumed where a connection broke."""

from __future__ import annotations

import datetime
import hashlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from glue_ingest import validation
from glue_ingest.address import Address
from glue_ingest.arguments import Request
from glue_ingest.connection import RETRY_POLICY, ConnectionFailed, Connections, Refused, RetryPolicy, body
from glue_ingest.errors import NotParquet, NotPublished, SourceChanged, SourceRefused, Stopped, Unreachable
from glue_ingest.log import Log
from glue_ingest.store import MAX_SIZE
from glue_ingest.version import Version, size_problem, starts_at

_HEAD_SIZE = 512
_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
#: TLC publishes about two months after a month's end, at times later; until then its server answers 403.
_PUBLICATION_DELAY = datetime.timedelta(days=180)


@dataclass(frozen=True)
class Opening:
    """The first answer: which version is there, by which names, and whether the server gives ranges."""

    version: Version
    ranges: bool
    names: tuple[str, ...]
    head: bytes
    """The first bytes, up to 512."""
    rest: Any = field(repr=False)
    """Without ranges, the answer that brings the bytes after `head`; with them, one that has ended."""


class Source:
    """One version of one file on one server. Threads may read different ranges at the same time; setting `stop` ends
    them, and so does `abandon`.
    """

    def __init__(
        self,
        request: Request,
        *,
        address: Address,
        stop: threading.Event,
        log: Log,
        connections: int,
        retry_policy: RetryPolicy = RETRY_POLICY,
    ) -> None:
        self.url = request.url
        self._request = request
        self._stop = stop
        self._abandoned = threading.Event()
        self._log = log
        self._patience = retry_policy
        self._version: Version | None = None
        self._connections = Connections(address, count=connections, retry_policy=retry_policy)

    def version(self) -> Version | None:
        """Return what a HEAD request tells; None where the server does not answer one."""
        try:
            response = self._connections.send("HEAD")
        except (ConnectionFailed, Refused):
            return None
        response.close()
        return Version.of(response) if response.status == 200 else None

    def open(self) -> Opening:
        """Ask for the first bytes. A server without ranges answers with the whole file instead.

        Where neither ETag nor Last-Modified tells versions apart, ranges could mix two of them: then the whole file
        is asked for in one answer.
        """
        failures = 0
        while True:
            try:
                response = self._ask(0, _HEAD_SIZE)
                ranges = response.status == 206
                if ranges and not Version.of(response).validated:
                    response.close()
                    response, ranges = self._ask(0, None), False
                version, head = Version.of(response), b"".join(body(response, _HEAD_SIZE))
                if version.size is not None and len(head) < min(_HEAD_SIZE, version.size):
                    raise ConnectionFailed(f"the connection ended at byte {len(head)}")
                break
            except ConnectionFailed as failure:
                failures += 1
                self._wait_or_give_up(failure, failures=failures, position=0)
        self._version = version
        return Opening(version=version, ranges=ranges, names=_names(response), head=head, rest=response)

    def read_range(self, start: int, *, into: bytearray) -> None:
        """Fill `into` with the bytes from `start` on."""
        at = 0
        for chunk in self._chunks(start, start + len(into), opening=None):
            into[at : at + len(chunk)] = chunk
            at += len(chunk)

    def stream(self, opening: Opening, digest: hashlib._Hash) -> Iterator[bytes]:
        """Yield the whole file in a row, from an opening without ranges. `digest` takes up every byte.

        A server that can't continue where it broke is read again from the start, and what was read before must then
        have the same digest.
        """
        for chunk in self._chunks(0, opening.version.size, opening=opening, digest=digest):
            digest.update(chunk)
            yield chunk

    def _chunks(
        self, start: int, end: int | None, *, opening: Opening | None, digest: hashlib._Hash | None = None
    ) -> Iterator[bytes]:
        """Bytes `start` to `end`, in as many attempts as it takes. The consumer adds each chunk to `digest`."""
        position = start
        failures = 0
        while end is None or position < end:
            try:
                for chunk in self._attempt(position, end, opening=opening, digest=digest):
                    self.check_stop()
                    position += len(chunk)
                    failures = 0
                    yield chunk
                if end is None:
                    return
                if position < end:
                    raise ConnectionFailed(f"the connection ended at byte {position:,} of {end:,}")
            except ConnectionFailed as failure:
                failures += 1
                self._wait_or_give_up(failure, failures=failures, position=position)
            opening = None

    def _attempt(
        self, position: int, end: int | None, *, opening: Opening | None, digest: hashlib._Hash | None
    ) -> Iterator[bytes]:
        if opening:
            head, response, start = opening.head, opening.rest, 0
        else:
            start = position if self._version and self._version.validated else 0
            head, response = b"", self._ask(start, end)
        try:
            if position and (response.status == 200 or start == 0):
                self._skip(response, position, digest)
            if head:
                yield head
            yield from body(response, None if end is None else end - position - len(head))
        finally:
            response.close()  # a connection whose answer was read to the end is back in the pool already

    def _skip(self, response: Any, position: int, digest: hashlib._Hash | None) -> None:
        """Read up to `position` again, from a server that restarted, and check that it brings the same bytes."""
        if digest is None:
            raise SourceChanged(f"{self.url} stopped giving ranges while it was read: run again")
        again = hashlib.sha256()
        left = position
        for chunk in body(response, position):
            self.check_stop()
            again.update(chunk)
            left -= len(chunk)
        if left:
            raise ConnectionFailed(f"the connection ended at byte {position - left:,}")
        if again.digest() != digest.digest():
            raise SourceChanged(f"{self.url} changed while it was read: run again")

    def _ask(self, start: int, end: int | None) -> Any:
        """Return one GET of a range. Gives an answer whose body is that range (206) or the whole file (200)."""
        try:
            response = self._connections.send("GET", Range=f"bytes={start}-{'' if end is None else end - 1}")
        except Refused as refused:
            raise SourceRefused(f"{self.url} {refused}: correct --source_url") from None
        try:
            self._accept(response, start)
        except BaseException:
            response.close()
            raise
        return response

    def _accept(self, response: Any, start: int) -> None:
        if response.status in _PASSING:
            after = response.headers.get("Retry-After", "")
            raise ConnectionFailed(f"HTTP {response.status}", float(after) if after.isdigit() else 0.0)
        if response.status not in (200, 206):
            raise self._refusal(response.status, b"".join(body(response, _HEAD_SIZE)))
        if problem := size_problem(response, most=MAX_SIZE):
            raise SourceRefused(f"{self.url} {problem}: correct --source_url")
        if response.status == 206 and not starts_at(response, start):
            raise ConnectionFailed(f"asked for bytes from {start:,}, got {response.headers.get('Content-Range')!r}")
        if self._version and Version.of(response).refutes(self._version):
            raise SourceChanged(f"{self.url} changed while it was read: run again")

    def _refusal(self, status: int, head: bytes) -> Exception:
        said = f"{self.url} answered HTTP {status}"
        if self.url.startswith("s3://") and status == 403:
            return SourceRefused(
                f"{said}: allow the job's role s3:GetObject on it, and s3:ListBucket, without which S3 says the same "
                "of a key that is not there"
            )
        if 300 <= status < 400 or b"<Code>NoSuchBucket</Code>" in head:
            lacks = ", there is no such bucket" if b"<Code>" in head else " without an address to go on to"
            return SourceRefused(f"{said}{lacks}: correct --source_url")
        today = datetime.datetime.now(datetime.timezone.utc).date()
        if status in (403, 404) and self._request.last_day + _PUBLICATION_DELAY > today:
            return NotPublished(
                f"{self._request.label} is not published yet ({said}): TLC publishes about two months later, try "
                "then, or correct --source_url"
            )
        if status in (403, 404, 410):
            return SourceRefused(f"the source has no {self._request.label} ({said}): correct the month or the source")
        if status == 416:
            return NotParquet(f"{self.url} is empty: try again later, or correct --source_url")
        return SourceRefused(f"{said} with {validation.describe(head)}: correct --source_url")

    def _wait_or_give_up(self, failure: ConnectionFailed, *, failures: int, position: int) -> None:
        """Wait before the next attempt, or give up."""
        if failures >= self._patience.attempts:
            raise Unreachable(
                f"{self.url} failed {failures} times at byte {position:,}, last: {failure}: see whether the source is "
                "up, then run again"
            ) from None
        wait = self._patience.wait(failures, asked=failure.wait)
        self._log.event("retry", error=str(failure), byte=position, attempt=failures + 1, wait_seconds=round(wait, 3))
        self._stop.wait(wait)
        self.check_stop()

    def abandon(self) -> None:
        """Let every reading thread end at its next step."""
        self._abandoned.set()

    def check_stop(self) -> None:
        """Raise Stopped when a signal has ended the run, or nobody wants this source any more."""
        if self._stop.is_set() or self._abandoned.is_set():
            raise Stopped(f"stopped while reading {self.url}; nothing was stored")


def _names(response: Any) -> tuple[str, ...]:
    """Return what the file goes by: the last address after redirects, and the name to save it under."""
    final = urlsplit(response.geturl() or "").path.rpartition("/")[2]
    return (final, response.headers.get("Content-Disposition", ""))
