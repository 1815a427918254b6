"""The published file over HTTP: its version, its bytes by range or in a row, resumed where a connection broke."""

from __future__ import annotations

import datetime
import hashlib
import random
import re
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import urllib3

from glue_ingest import proof
from glue_ingest.errors import NotParquet, NotPublished, SourceChanged, SourceRefused, Stopped, Unreachable
from glue_ingest.log import Log
from glue_ingest.request import Request

_CHUNK = 256 * 1024
_HEAD = 512
_CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)")
_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
#: TLC publishes about two months after a month's end, at times later; until then its server answers 403.
_PUBLICATION_DELAY = datetime.timedelta(days=180)


@dataclass(frozen=True)
class Patience:
    """How long to bear with a failing server. Seconds; attempts without a single new byte in between."""

    attempts: int = 6
    first_wait: float = 0.5
    longest_wait: float = 15.0
    connect_timeout: float = 10.0
    read_timeout: float = 30.0

    def wait(self, failures: int) -> float:
        """Before the next attempt: doubling, with up to a quarter less so that many clients spread."""
        full: float = min(self.first_wait * 2 ** (failures - 1), self.longest_wait)
        return full * random.uniform(0.75, 1)  # noqa: S311 - no secret hangs on it


PATIENCE = Patience()


@dataclass(frozen=True)
class Version:
    """What a server tells of one version of a file. Empty where it does not; `size` in bytes."""

    etag: str
    last_modified: str
    size: int | None

    def confirms(self, other: Version) -> bool:
        """Whether both surely are the same bytes: by ETag, else by Last-Modified, and by size."""
        if self.size is None or self.size != other.size:
            return False
        if self.etag and other.etag:
            return self.etag == other.etag
        return bool(self.last_modified) and self.last_modified == other.last_modified

    def refutes(self, other: Version) -> bool:
        """Whether both surely are not the same bytes."""
        if None not in (self.size, other.size) and self.size != other.size:
            return True
        if self.etag and other.etag:
            return self.etag != other.etag
        return bool(self.last_modified and other.last_modified and self.last_modified != other.last_modified)


@dataclass(frozen=True)
class Opening:
    """The first answer: which version is there, by which names, and whether the server gives ranges."""

    version: Version
    ranges: bool
    names: tuple[str, ...]
    head: bytes
    """The first bytes, up to 512; `response` brings those after them."""
    response: Any = field(repr=False)


class _Broken(Exception):
    """This attempt failed; another may succeed. `wait` is what the server asked for, in seconds."""

    def __init__(self, reason: str, wait: float = 0.0) -> None:
        super().__init__(reason)
        self.wait = wait


class Source:
    """One file on one server. Threads may read different ranges at the same time."""

    def __init__(
        self,
        request: Request,
        *,
        stop: threading.Event,
        log: Log,
        connections: int,
        patience: Patience = PATIENCE,
    ) -> None:
        self.url = request.url
        self._request = request
        self._stop = stop
        self._log = log
        self._patience = patience
        self._version: Version | None = None
        self._pool = _pool(self.url, connections=connections)

    def version(self) -> Version | None:
        """What a HEAD request tells; None where the server does not answer one."""
        try:
            response = self._send("HEAD", {})
        except _Broken:
            return None
        with response:
            return _version(response) if response.status == 200 else None

    def open(self, first: int) -> Opening:
        """Ask for the first `first` bytes. A server without ranges answers with the whole file instead."""
        failures = 0
        while True:
            try:
                response = self._ask(0, first)
                head = b"".join(self._body(response, _HEAD))
                break
            except _Broken as broken:
                failures += 1
                self._bear(broken, failures=failures, position=0)
        self._version = _version(response)
        return Opening(
            version=self._version,
            ranges=response.status == 206,
            names=_names(response),
            head=head,
            response=response,
        )

    def read_range(self, start: int, end: int, *, opening: Opening | None = None) -> bytearray:
        """Bytes `start` to `end` (exclusive), whole. `opening` has them under way already."""
        data = bytearray(end - start)
        at = 0
        for chunk in self._chunks(start, end, opening=opening):
            data[at : at + len(chunk)] = chunk
            at += len(chunk)
        return data

    def stream(self, opening: Opening, digest: hashlib._Hash) -> Iterator[bytes]:
        """The whole file in a row, from an opening without ranges. `digest` takes up every byte.

        A server that can't continue where it broke is read again from the start, and what was read before must then
        have the same digest.
        """
        return self._chunks(0, opening.version.size, opening=opening, digest=digest)

    def _chunks(
        self,
        start: int,
        end: int | None,
        *,
        opening: Opening | None = None,
        digest: hashlib._Hash | None = None,
    ) -> Iterator[bytes]:
        position = start
        failures = 0
        response, head = (opening.response, opening.head) if opening else (None, b"")
        while end is None or position < end:
            try:
                if response is None:
                    response = self._ask(position, end)
                    if response.status == 200 and position:
                        self._skip(response, position, digest)
                for chunk in chain([head], self._body(response, None if end is None else end - position - len(head))):
                    if digest:
                        digest.update(chunk)
                    position += len(chunk)
                    failures = 0
                    yield chunk
                if end is None:
                    return
                if position < end:
                    raise _Broken(f"the connection ended after {position - start:,} of {end - start:,} bytes")
            except _Broken as broken:  # noqa: PERF203 - each attempt may fail
                failures += 1
                self._bear(broken, failures=failures, position=position)
            finally:
                if response is not None:
                    response.close() if end is None or position < end else response.release_conn()
                response, head = None, b""

    def _skip(self, response: Any, position: int, digest: hashlib._Hash | None) -> None:
        """Read up to `position` again, from a server that began anew, and see that it brings the same bytes."""
        if digest is None:
            raise SourceChanged(f"{self.url} stopped giving ranges while it was read: run again")
        again = hashlib.sha256()
        left = position
        for chunk in self._body(response, position):
            again.update(chunk)
            left -= len(chunk)
        if left:
            raise _Broken(f"the connection ended {left:,} bytes before byte {position:,}")
        if again.digest() != digest.digest():
            raise SourceChanged(f"{self.url} changed while it was read: run again")

    def _body(self, response: Any, size: int | None) -> Iterator[bytes]:
        left = size
        while left is None or left > 0:
            if self._stop.is_set():
                raise Stopped(f"stopped while reading {self.url}; nothing was stored")
            try:
                chunk = response.read(_CHUNK if left is None else min(_CHUNK, left), decode_content=False)
            except (urllib3.exceptions.HTTPError, OSError) as error:
                raise _Broken(_reason(error)) from None
            if not chunk:
                return
            if left is not None:
                left -= len(chunk)
            yield chunk

    def _ask(self, start: int, end: int | None) -> Any:
        """One GET of a range. Gives an answer whose body is that range (206) or the whole file (200)."""
        response = self._send("GET", {"Range": f"bytes={start}-{'' if end is None else end - 1}"})
        if response.status in (200, 206):
            if response.status == 206 and not _is_range(response, start):
                response.close()
                raise _Broken(f"asked for bytes from {start:,}, got {response.headers.get('Content-Range')!r}")
            if self._version and _version(response).refutes(self._version):
                response.close()
                raise SourceChanged(f"{self.url} changed while it was read: run again")
            return response
        try:
            head = response.read(_HEAD, decode_content=False)
        except (urllib3.exceptions.HTTPError, OSError):
            head = b""
        response.close()
        if response.status in _PASSING:
            raise _Broken(f"HTTP {response.status}", _retry_after(response))
        raise self._refusal(response.status, head)

    def _send(self, method: str, headers: dict[str, str]) -> Any:
        patience = self._patience
        try:
            return self._pool.request(
                method,
                self.url,
                headers={"Accept-Encoding": "identity", "User-Agent": "glue-ingest", **headers},
                preload_content=False,
                timeout=urllib3.Timeout(connect=patience.connect_timeout, read=patience.read_timeout),
                retries=urllib3.Retry(total=None, connect=0, read=0, status=0, other=0, redirect=5),
            )
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise _Broken(_reason(error)) from None

    def _refusal(self, status: int, head: bytes) -> Exception:
        said = f"{self.url} answered HTTP {status}"
        today = datetime.datetime.now(datetime.timezone.utc).date()
        if status in (403, 404) and self._request.last_day + _PUBLICATION_DELAY > today:
            return NotPublished(
                f"{self._request.label} is not published yet ({said}): TLC publishes about two months later, try then"
            )
        if status in (403, 404, 410):
            return SourceRefused(
                f"the source has no {self._request.label} ({said}): correct --year, --month or --source_url"
            )
        if status == 416:
            return NotParquet(f"{self.url} is empty: try again later, or correct --source_url")
        return SourceRefused(f"{said} with {proof.describe(head)}: correct --source_url")

    def _bear(self, broken: _Broken, *, failures: int, position: int) -> None:
        """Wait before the next attempt, or give up."""
        if failures >= self._patience.attempts:
            raise Unreachable(
                f"{self.url} failed {failures} times at byte {position:,}, last: {broken}: see whether the source is "
                "up, then run again"
            ) from None
        wait = max(self._patience.wait(failures), min(broken.wait, self._patience.longest_wait))
        self._log.event("retry", error=str(broken), byte=position, attempt=failures + 1, wait_seconds=round(wait, 3))
        if self._stop.wait(wait):
            raise Stopped(f"stopped while reading {self.url}; nothing was stored")


def _pool(url: str, *, connections: int) -> urllib3.PoolManager:
    """Connections to the source, through the environment's proxy where it names one."""
    parts = urlsplit(url)
    settings: dict[str, Any] = {"maxsize": connections, "block": False}
    if parts.scheme == "https":
        settings["ssl_context"] = ssl.create_default_context()
    proxy = getproxies().get(parts.scheme)
    if proxy and not proxy_bypass(parts.netloc):
        return urllib3.ProxyManager(proxy, **settings)
    return urllib3.PoolManager(**settings)


def _version(response: Any) -> Version:
    headers = response.headers
    whole = _CONTENT_RANGE.fullmatch(headers.get("Content-Range", "")) if response.status == 206 else None
    length = whole.group(3) if whole else headers.get("Content-Length", "")
    etag = headers.get("ETag", "")
    return Version(
        etag=etag if etag.isascii() else "",
        last_modified=headers.get("Last-Modified", ""),
        size=int(length) if length.isdigit() else None,
    )


def _is_range(response: Any, start: int) -> bool:
    found = _CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", ""))
    return bool(found and int(found.group(1)) == start)


def _names(response: Any) -> tuple[str, ...]:
    """What the file goes by: the last address after redirects, and the name to save it under."""
    final = urlsplit(response.geturl() or "").path.rpartition("/")[2]
    return (final, response.headers.get("Content-Disposition", ""))


def _retry_after(response: Any) -> float:
    text = response.headers.get("Retry-After", "")
    return float(text) if text.isdigit() else 0.0


def _reason(error: BaseException) -> str:
    """The innermost cause: what urllib3 wraps it in says nothing more."""
    inner: Any = error
    while getattr(inner, "reason", None) and isinstance(inner.reason, BaseException):
        inner = inner.reason
    return f"{type(inner).__name__}: {inner}"
