"""Whose rows the table holds after two runs of one month."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from orchestration.pipelines import Month, load_monthly
from orchestration.trips.ownership import overtaken

MONTH = Month.parse("2024-01")
OURS, THEIRS = "yellow-2024-01-ours", "yellow-2024-01-theirs"
HERE, THERE = "http://127.0.0.1:1/", "http://127.0.0.1:2/"
NAME = "yellow_tripdata_2024-01.parquet"


def load_of(execution: str) -> str:
    return f"20240301T000000Z-{hashlib.sha256(execution.encode()).hexdigest()[:8]}"


class Bucket:
    """S3 with one manifest, or none."""

    class exceptions:
        class NoSuchKey(Exception):
            pass

    def __init__(self, manifest: Mapping[str, Any] | None) -> None:
        self.manifest = manifest

    def get_object(self, **_: str) -> dict[str, Any]:
        if self.manifest is None:
            raise self.exceptions.NoSuchKey
        return {"Body": io.BytesIO(json.dumps(self.manifest).encode())}


def manifest_of(execution: str | None, *, source: str = HERE, fetched_by: str = OURS) -> dict[str, Any]:
    return {
        "execution": execution,
        "load": {"load_id": load_of(execution or "nobody")},
        "source": {"url": "s3://raw/x", "metadata": {"source-url": source + NAME, "execution": fetched_by}},
    }


def told(loads: list[str], manifest: Mapping[str, Any] | None, *, folder: Path | None = None) -> str | None:
    """What is said of our run, of a table with these loads in order and a bucket with this manifest."""
    found = overtaken(
        load_monthly("yellow-trips"),
        {MONTH: OURS},
        source_url=HERE + "{dataset}_tripdata_{year}-{month}.parquet",
        folder=folder,
        s3=Bucket(manifest),
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
    manifest["source"]["metadata"]["sha256"] = hashlib.sha256(b"trips").hexdigest()
    assert told([load_of(THEIRS)], manifest, folder=tmp_path) is None
    (tmp_path / NAME).write_bytes(b"other trips")
    assert THEIRS in str(told([load_of(THEIRS)], manifest, folder=tmp_path))
