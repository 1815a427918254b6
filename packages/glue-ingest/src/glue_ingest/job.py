"""The job: one month from the source to the raw bucket, unless it is there already."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from glue_ingest import arguments
from glue_ingest.address import address_of
from glue_ingest.arguments import Request
from glue_ingest.connection import PATIENCE, Patience
from glue_ingest.errors import SourceChanged
from glue_ingest.log import Log
from glue_ingest.source import Source
from glue_ingest.store import RawBucket, connect
from glue_ingest.transfer import CONNECTIONS, Received, Transfer
from glue_ingest.version import Version


@dataclass(frozen=True)
class Outcome:
    """What the raw bucket holds after a run. `stored` is False where the source was unchanged."""

    bucket: str
    key: str
    stored: bool
    rows: int
    size: int
    sha256: str


def main(argv: Sequence[str]) -> Outcome:
    """Run the job with Glue's arguments, e.g. `["--dataset", "yellow", "--year", "2024", …]`.

    Raises IngestError, of which the class and the one-line message tell what happened.
    """
    request = arguments.parse(argv)
    log = Log(dataset=request.dataset, month=f"{request.year}-{request.month:02d}")
    if request.passed_over:
        log.event("passed_over", arguments=request.passed_over)
    stop = threading.Event()
    with _stopped_by_signals(stop):
        return ingest(request, client=connect(CONNECTIONS, stop=stop), log=log, stop=stop)


def ingest(
    request: Request,
    *,
    client: Any,
    log: Log,
    stop: threading.Event | None = None,
    patience: Patience = PATIENCE,
) -> Outcome:
    """Bring one month into the raw bucket. `client` is an S3Client or the SDK's client; setting `stop` ends the run.

    The object appears whole, proven and described, or not at all. Raises IngestError.
    """
    stop = stop or threading.Event()
    bucket = RawBucket(client, request.raw_bucket, log=log)
    address = address_of(request.url, client)
    source = partial(Source, request, address=address, stop=stop, log=log, connections=CONNECTIONS, patience=patience)
    first = source()
    log.event("started", url=request.url, bucket=bucket.name, key=request.key, force=request.force)

    recorded = {} if request.force else bucket.recorded(request.key)
    if recorded and _unchanged(recorded, first):
        outcome = _outcome(request, recorded, stored=False)
    else:
        try:
            metadata = _fetch(request, first, bucket=bucket, log=log)
        except SourceChanged as changed:
            # The new version is as good as the old one would have been; one that changes again is another matter.
            log.event("restart", error=str(changed))
            metadata = _fetch(request, source(), bucket=bucket, log=log)
        outcome = _outcome(request, metadata, stored=True)
    log.event(
        "stored" if outcome.stored else "unchanged",
        bucket=outcome.bucket,
        key=outcome.key,
        rows=outcome.rows,
        bytes=outcome.size,
        sha256=outcome.sha256,
        seconds=log.seconds,
    )
    return outcome


def _fetch(request: Request, source: Source, *, bucket: RawBucket, log: Log) -> dict[str, str]:
    """Bring the file into the bucket and give the metadata that describe it."""
    with bucket.upload(request.key, staging=request.staging_prefix) as upload:
        opening = source.open()
        received = Transfer(request, source=source, upload=upload, log=log).run(opening)
        metadata = _metadata(request, opening.version, received)
        upload.publish(metadata, size=received.size)
    return metadata


def _metadata(request: Request, version: Version, received: Received) -> dict[str, str]:
    described = {
        "source-url": request.url,
        "source-etag": version.etag,
        "source-last-modified": version.last_modified,
        "bytes": str(received.size),
        "sha256": received.sha256,
        "rows": str(received.footer.rows),
        "execution": request.execution,
    }
    return {key: value for key, value in described.items() if value}


def _unchanged(recorded: Mapping[str, str], source: Source) -> bool:
    """Whether the object is what this address still gives: same ETag, or same Last-Modified, and same length."""
    if not {"rows", "sha256"} <= recorded.keys() or recorded.get("bytes") != recorded["size"]:
        return False
    if recorded.get("source-url") != source.url:
        return False
    now = source.version()
    if now is None or now.size != int(recorded["bytes"]):
        return False
    before = Version(recorded.get("source-etag", ""), recorded.get("source-last-modified", ""), now.size)
    return now.confirms(before)


def _outcome(request: Request, metadata: Mapping[str, str], *, stored: bool) -> Outcome:
    return Outcome(
        bucket=request.raw_bucket,
        key=request.key,
        stored=stored,
        rows=int(metadata["rows"]),
        size=int(metadata["bytes"]),
        sha256=metadata["sha256"],
    )


@contextmanager
def _stopped_by_signals(stop: threading.Event) -> Iterator[None]:
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
