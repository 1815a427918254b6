"""The job: one month from the source to the raw bucket, unless it is there already."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from glue_ingest import arguments
from glue_ingest.address import address_of
from glue_ingest.arguments import Request
from glue_ingest.connection import RETRY_POLICY, RetryPolicy
from glue_ingest.errors import SourceChanged
from glue_ingest.log import Log
from glue_ingest.source import Source
from glue_ingest.store import RawBucket, Stored, connect
from glue_ingest.transfer import CONNECTIONS, Transfer
from glue_ingest.upload import Upload
from glue_ingest.version import Version


@dataclass(frozen=True)
class Outcome:
    """What the raw bucket holds after a run; `size` in bytes, `sha256` of the whole file in hex.

    `stored` is False where it held that already. Of a file that did not have to be read, `sha256` is None, and so is
    `rows` where an earlier run took it as a stream. `checksum` is S3's, of the parts; "" where S3 has none.
    """

    bucket: str
    key: str
    stored: bool
    rows: int | None
    size: int
    checksum: str
    sha256: str | None


def main(argv: Sequence[str]) -> Outcome:
    """Run the job with Glue's arguments, e.g. `["--dataset", "yellow", "--year", "2024", …]`.

    Raises IngestError, of which the class and the one-line message tell what happened.
    """
    request = arguments.parse(argv)
    log = Log(dataset=request.dataset, month=f"{request.year}-{request.month:02d}")
    if request.passed_over:
        log.event("passed_over", arguments=request.passed_over)
    stop = threading.Event()
    with _stop_on_signals(stop):
        return ingest(request, client=connect(), log=log, stop=stop)


def ingest(
    request: Request,
    *,
    client: Any,
    log: Log,
    stop: threading.Event | None = None,
    retry_policy: RetryPolicy = RETRY_POLICY,
) -> Outcome:
    """Bring one month into the raw bucket. `client` is an S3 client of the SDK; setting `stop` ends the run.

    The object appears whole, proven and described, or not at all. Raises IngestError.
    """
    stop = stop or threading.Event()
    bucket = RawBucket(client, request.raw_bucket, log=log)
    address = address_of(request.url, client)
    new_source = partial(
        Source, request, address=address, stop=stop, log=log, connections=CONNECTIONS, retry_policy=retry_policy
    )
    source = new_source()
    log.event("started", url=request.url, bucket=bucket.name, key=request.key, force=request.force)
    earlier = None if request.force else bucket.find(request.key)
    if earlier and _is_unchanged(earlier, source):
        rows = earlier.metadata.get("rows", "")
        outcome = Outcome(
            bucket=bucket.name,
            key=request.key,
            stored=False,
            rows=int(rows) if rows.isdigit() else None,
            size=earlier.size,
            checksum=earlier.checksum,
            sha256=None,
        )
    else:
        try:
            outcome = _fetch(request, source, bucket=bucket, log=log)
        except SourceChanged as changed:
            # The new version is as good as the old one would have been; one that changes again is another matter.
            log.event("restart", error=str(changed))
            outcome = _fetch(request, new_source(), bucket=bucket, log=log)
    log.event(
        "stored" if outcome.stored else "unchanged",
        bucket=outcome.bucket,
        key=outcome.key,
        rows=outcome.rows,
        bytes=outcome.size,
        checksum=outcome.checksum,
        sha256=outcome.sha256,
        seconds=log.seconds,
    )
    return outcome


def _fetch(request: Request, source: Source, *, bucket: RawBucket, log: Log) -> Outcome:
    """Bring the file into the bucket, unless that holds the same bytes by then."""
    opening = source.open()
    with Upload(bucket, request.key, metadata=_metadata(request, opening.version)) as upload:
        received = Transfer(request, source=source, upload=upload, log=log).run(opening)
        has_changed = request.force or not upload.is_stored()
        if has_changed:
            upload.publish()
    return Outcome(
        bucket=bucket.name,
        key=request.key,
        stored=has_changed,
        rows=received.footer.rows,
        size=received.size,
        checksum=upload.checksum,
        sha256=received.sha256,
    )


def _metadata(request: Request, version: Version) -> dict[str, str]:
    """Return what describes the object before its bytes are there. S3 takes ASCII alone."""
    described = {
        "source-url": request.url,
        "source-etag": version.etag,
        "source-last-modified": version.last_modified,
        "execution": request.execution,
    }
    return {key: value for key, value in described.items() if value}


def _is_unchanged(earlier: Stored, source: Source) -> bool:
    """Whether the object is what this address still gives: same ETag, or same Last-Modified, and same length."""
    if earlier.metadata["source-url"] != source.url:
        return False
    etag, last_modified = (earlier.metadata.get(name, "") for name in ("source-etag", "source-last-modified"))
    now = source.version()
    return now is not None and now.confirms(Version(etag, last_modified, earlier.size))


@contextmanager
def _stop_on_signals(stop: threading.Event) -> Iterator[None]:
    """Let SIGTERM and Ctrl-C set `stop`: the run then ends at its next step and cleans up behind it."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, lambda *_: stop.set()) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
