"""Whose rows the table holds after two runs of one month."""

from __future__ import annotations

import base64
import datetime
import hashlib
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from orchestration.pipelines import Month, load_monthly
from orchestration.trips.ownership import PART_SIZE, Run, checksum_of, find_overtaken

MONTH = Month.parse("2024-01")
OURS, THEIRS = "yellow-2024-01-ours", "yellow-2024-01-theirs"
HERE, THERE = "http://127.0.0.1:1/", "http://127.0.0.1:2/"
NAME = "yellow_tripdata_2024-01.parquet"
STARTED = datetime.datetime(2024, 3, 1, 12, tzinfo=datetime.UTC)
BEFORE, SINCE = (STARTED + datetime.timedelta(seconds=seconds) for seconds in (-1, 1))


def load_of(execution: str) -> str:
    return f"20240301T000000Z-{hashlib.sha256(execution.encode()).hexdigest()[:8]}"


class Bucket:
    """S3 with one manifest, or none, and the raw file that it is of, or another by now."""

    class exceptions:
        class NoSuchKey(Exception):
            pass

    def __init__(self, manifest: Mapping[str, Any] | None, raw: Mapping[str, Any]) -> None:
        self.manifest = manifest
        self.raw = raw

    def head_object(self, *, Bucket: str, Key: str, IfMatch: str, ChecksumMode: str) -> Mapping[str, Any]:
        assert (Bucket, Key, ChecksumMode) == ("raw", f"yellow/{NAME}", "ENABLED")
        if IfMatch != self.raw["ETag"]:
            raise ClientError({"ResponseMetadata": {"HTTPStatusCode": 412}}, "HeadObject")
        return self.raw

    def get_object(self, **_: str) -> dict[str, Any]:
        if self.manifest is None:
            raise self.exceptions.NoSuchKey
        return {"Body": io.BytesIO(json.dumps(self.manifest).encode())}


def manifest_of(execution: str | None, *, source: str = HERE, fetched_by: str = OURS) -> dict[str, Any]:
    return {
        "execution": execution,
        "load": {"load_id": load_of(execution or "nobody")},
        "source": {
            "url": f"s3://raw/yellow/{NAME}",
            "etag": "e",
            "metadata": {"source-url": source + NAME, "execution": fetched_by},
        },
    }


def raw_file(*, etag: str = "e", stored: datetime.datetime = SINCE, content: bytes = b"trips") -> dict[str, Any]:
    digest = hashlib.sha256(hashlib.sha256(content).digest()).digest()
    return {"ETag": etag, "LastModified": stored, "ChecksumSHA256": f"{base64.b64encode(digest).decode()}-1"}


def told(
    loads: list[str],
    manifest: Mapping[str, Any] | None,
    *,
    folder: Path | None = None,
    raw: Mapping[str, Any] | None = None,
) -> str | None:
    """What is said of our run, of a table with these loads in order and a bucket with this manifest."""
    found = find_overtaken(
        load_monthly("yellow-trips"),
        {MONTH: Run(OURS, STARTED)},
        source_url=HERE + "{dataset}_tripdata_{year}-{month}.parquet",
        folder=folder,
        s3=Bucket(manifest, raw or raw_file()),
        processed_bucket="processed",
        query=lambda sql: [("2024-01-01", load) for load in loads],
    )
    assert set(found) <= {MONTH}
    return found.get(MONTH)


@pytest.mark.parametrize(
    ("loads", "manifest"),
    [
        pytest.param([load_of(OURS)], manifest_of(OURS), id="ours"),
        pytest.param([load_of(THEIRS), load_of(OURS)], manifest_of(OURS), id="ours after theirs"),
        pytest.param([load_of(OURS)], manifest_of(OURS, fetched_by=THEIRS), id="a file of our source, fetched before"),
        pytest.param([load_of(THEIRS)], manifest_of(THEIRS), id="theirs, of the file of our source"),
        pytest.param([load_of(OURS)], manifest_of(THEIRS, source=THERE), id="ours, and theirs is on its way"),
        pytest.param(["20240301T000000Z-0"], manifest_of(None), id="a release that records no executions"),
        pytest.param([load_of(OURS)], None, id="no manifest"),
    ],
)
def test_a_run_whose_load_the_table_holds_has_nothing_to_say(
    loads: list[str], manifest: Mapping[str, Any] | None
) -> None:
    assert told(loads, manifest) is None


@pytest.mark.parametrize(
    ("loads", "manifest", "clause"),
    [
        pytest.param(
            [load_of(OURS), load_of(THEIRS)],
            manifest_of(THEIRS, source=THERE, fetched_by=THEIRS),
            f"the table holds another load of it: {THEIRS} loaded it from {THERE}{NAME} (load {load_of(THEIRS)})",
            id="theirs was loaded after ours",
        ),
        pytest.param(
            [load_of(THEIRS)],
            manifest_of(OURS),
            f"the table holds another load of it: another run loaded it (load {load_of(THEIRS)})",
            id="theirs was loaded, and its manifest is gone",
        ),
        pytest.param(
            [load_of(OURS)],
            manifest_of(OURS, source=THERE, fetched_by=THEIRS),
            f"the table holds another file of it: {THEIRS} fetched {THERE}{NAME} before this run's was read",
            id="ours was made of their file",
        ),
        pytest.param([], manifest_of(OURS), "the table holds no load of it", id="none"),
    ],
)
def test_a_run_that_was_overtaken_tells_by_whom_and_from_where(
    loads: list[str], manifest: Mapping[str, Any], clause: str
) -> None:
    assert told(loads, manifest) == clause


def test_the_same_file_at_another_address_is_the_same_month(tmp_path: Path) -> None:
    """Each command serves its folder at an address of its own."""
    (tmp_path / NAME).write_bytes(b"trips")
    manifest = manifest_of(THEIRS, source=THERE, fetched_by=THEIRS)
    assert told([load_of(THEIRS)], manifest, folder=tmp_path) is None
    assert THEIRS in str(told([load_of(THEIRS)], manifest, folder=tmp_path, raw=raw_file(etag="another")))
    (tmp_path / NAME).write_bytes(b"other trips")
    assert THEIRS in str(told([load_of(THEIRS)], manifest, folder=tmp_path))


def test_a_file_that_was_there_before_the_run_is_its_source_s_or_ingest_would_have_replaced_it() -> None:
    manifest = manifest_of(OURS, source=THERE, fetched_by=THEIRS)
    assert told([load_of(OURS)], manifest, raw=raw_file(stored=BEFORE)) is None
    assert THEIRS in str(told([load_of(OURS)], manifest, raw=raw_file(stored=SINCE)))
    assert THEIRS in str(told([load_of(OURS)], manifest, raw=raw_file(stored=BEFORE, etag="another")))
    theirs = manifest_of(THEIRS, source=THERE, fetched_by=THEIRS)
    assert THEIRS in str(told([load_of(THEIRS)], theirs, raw=raw_file(stored=BEFORE)))


def test_the_checksum_of_a_file_is_that_of_its_parts_checksums(tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes(content := b"a" * PART_SIZE + b"b")
    digests = hashlib.sha256(content[:-1]).digest() + hashlib.sha256(b"b").digest()
    assert checksum_of(tmp_path / NAME) == base64.b64encode(hashlib.sha256(digests).digest()).decode()
