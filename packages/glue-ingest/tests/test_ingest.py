"""A month that goes well: by ranges, as a stream, again, and through the job's own entry."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import glue_ingest

KEY = "yellow/2024/01/yellow_tripdata_2024-01.parquet"
PATH = "/yellow_tripdata_2024-01.parquet"
PART = 5 * 1024 * 1024
PACKAGE = Path(__file__).resolve().parents[1]


@pytest.fixture
def data(site: Any, month_file: Callable[..., bytes]) -> bytes:
    """A month of 12 MiB, so of three parts, that the site offers."""
    site.files[PATH] = month_file(12)
    return site.files[PATH]


def test_ranges_are_fetched_once_each_and_the_object_is_whole_and_described(
    run: Any, site: Any, bucket: Any, data: bytes, expected: Any
) -> None:
    assert run() == expected(data, rows=786432)
    assert bucket.holds() == {KEY: data}
    assert bucket.unfinished() == []
    ends = [PART - 1, 2 * PART - 1, len(data) - 1]
    parts = [f"bytes={start}-{end}" for start, end in zip((0, PART, 2 * PART), ends)]
    tail = f"bytes={len(data) - 65536}-{len(data) - 1}"
    assert site.gets[:2] == ["bytes=0-511", tail]
    assert sorted(site.gets[2:]) == sorted(parts)
    head = bucket.client.head_object(Bucket=bucket.name, Key=KEY, ChecksumMode="ENABLED")
    assert head["Metadata"] == {
        "source-url": site.address + PATH,
        "source-etag": '"v1"',
        "source-last-modified": "Tue, 20 Feb 2024 10:00:00 GMT",
        "rows": "786432",
    }
    assert head["ContentType"] == "application/vnd.apache.parquet"
    assert head["ChecksumSHA256"].partition("-")[0] == run().checksum


@pytest.mark.parametrize(
    "kind",
    [
        pytest.param({"ranges": False}, id="no ranges"),
        pytest.param({"ranges": False, "chunked": True}, id="length unknown"),
        pytest.param({"ranges": False, "etag": "", "last_modified": ""}, id="no validators"),
        pytest.param({"etag": "", "last_modified": ""}, id="ranges, no validators"),
    ],
)
def test_every_kind_of_server_gives_the_same_object(
    run: Any, site: Any, bucket: Any, data: bytes, kind: dict[str, Any], expected: Any
) -> None:
    for name, value in kind.items():
        setattr(site, name, value)
    assert run() == expected(data, rows=786432)
    assert (bucket.holds(), bucket.unfinished()) == ({KEY: data}, [])


@pytest.mark.parametrize("megabytes", [0.01, 5 - 0.1, 5, 10, 10.3])
@pytest.mark.parametrize("ranges", [True, False])
def test_sizes_around_a_part(
    run: Any, site: Any, bucket: Any, month_file: Callable[..., bytes], ranges: bool, megabytes: float
) -> None:
    site.ranges, site.files[PATH] = ranges, month_file(megabytes)
    assert run().size == len(site.files[PATH])
    assert (bucket.holds(), bucket.unfinished()) == ({KEY: site.files[PATH]}, [])


def test_a_file_of_exactly_two_parts_ends_with_a_whole_one(
    run: Any, site: Any, bucket: Any, month_file: Callable[..., bytes]
) -> None:
    small = month_file(0.1)
    footer = int.from_bytes(small[-8:-4], "little") + 8
    data = small[:-footer] + b"\0" * (2 * PART - len(small)) + small[-footer:]
    for site.ranges in (True, False):
        site.files[PATH] = data
        assert run(run.request(force=True)).size == 2 * PART
        assert bucket.holds() == {KEY: data}


def test_a_footer_longer_than_the_first_look(run: Any, site: Any, bucket: Any, tmp_path: Path) -> None:
    import duckdb

    file = tmp_path / "wide.parquet"
    columns = ", ".join(f"n AS a_column_with_a_long_name_{c}" for c in range(1500))
    duckdb.connect().sql(f"COPY (SELECT {columns} FROM range(10) AS t(n)) TO '{file}' (FORMAT parquet)")
    site.files[PATH] = data = file.read_bytes()
    footer = int.from_bytes(data[-8:-4], "little") + 8
    assert footer > 65536
    assert run().rows == 10
    assert f"bytes={len(data) - footer}-{len(data) - 1}" in site.gets


def test_a_redirect_is_followed(run: Any, site: Any, bucket: Any, data: bytes, expected: Any) -> None:
    site.redirects["/latest"] = PATH
    outcome = run(run.request(source_template=site.address + "/latest"))
    assert outcome == expected(data, rows=786432)
    head = bucket.client.head_object(Bucket=bucket.name, Key=KEY)
    assert head["Metadata"]["source-url"] == site.address + "/latest"


@pytest.mark.parametrize("proxy", ["http://{}", "{}", "http://user:p%40ss@{}"])
def test_a_proxy_of_the_environment_is_used(
    run: Any, site: Any, bucket: Any, data: bytes, monkeypatch: pytest.MonkeyPatch, proxy: str
) -> None:
    monkeypatch.setenv("http_proxy", proxy.format(site.address.partition("://")[2]))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    run(run.request(source_template="http://tlc.invalid" + PATH))
    assert {path for _, path, _ in site.asked} == {"http://tlc.invalid" + PATH}
    assert set(site.proxy_passwords) == ({"Basic dXNlcjpwQHNz"} if "@" in proxy else {""})
    assert bucket.holds() == {KEY: data}


@pytest.mark.parametrize(
    "validators",
    [
        {"etag": '"v1"', "last_modified": "Tue, 20 Feb 2024 10:00:00 GMT"},
        {"etag": 'W/"v1"', "last_modified": ""},
        {"etag": "", "last_modified": "Tue, 20 Feb 2024 10:00:00 GMT"},
    ],
)
def test_an_unchanged_source_is_not_fetched_again(
    run: Any, site: Any, bucket: Any, data: bytes, validators: dict[str, str], events: Any, expected: Any
) -> None:
    site.etag, site.last_modified = validators["etag"], validators["last_modified"]
    run()
    before = bucket.client.head_object(Bucket=bucket.name, Key=KEY)["LastModified"]
    site.asked.clear()
    assert run() == expected(data, rows=786432, stored=False, read=False)
    assert site.asked == [("HEAD", PATH, "")]
    assert bucket.client.head_object(Bucket=bucket.name, Key=KEY)["LastModified"] == before
    assert [event["rows"] for event in events("unchanged")] == [786432]


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda site: setattr(site, "etag", '"v2"'), id="another ETag"),
        pytest.param(
            lambda site: site.__dict__.update(etag="", last_modified="Wed, 21 Feb 2024 10:00:00 GMT"), id="a later date"
        ),
        pytest.param(lambda site: site.__dict__.update(etag="", last_modified=""), id="no validators"),
        pytest.param(lambda site: setattr(site, "head", False), id="HEAD is refused"),
        pytest.param(lambda site: setattr(site, "chunked", True), id="no length"),
    ],
)
def test_a_source_that_may_have_changed_is_read_again_and_kept_where_its_bytes_are_the_same(
    run: Any, site: Any, bucket: Any, data: bytes, expected: Any, events: Any, change: Callable[[Any], None]
) -> None:
    run()
    change(site)
    site.asked.clear()
    assert run() == expected(data, rows=786432, stored=False)
    assert site.gets
    assert (bucket.versions(), bucket.unfinished()) == (1, [])
    assert [event["sha256"] for event in events("unchanged")] == [hashlib.sha256(data).hexdigest()]


def test_a_changed_source_replaces_the_object(
    run: Any, site: Any, bucket: Any, data: bytes, month_file: Callable[..., bytes]
) -> None:
    run()
    site.files[PATH], site.etag = month_file(6), '"v2"'
    assert run().size == len(site.files[PATH])
    assert (bucket.holds(), bucket.unfinished()) == ({KEY: site.files[PATH]}, [])


def test_force_stores_also_what_is_unchanged(run: Any, bucket: Any, data: bytes) -> None:
    run()
    assert run(run.request(force=True)).stored
    assert bucket.versions() == 2


@pytest.mark.parametrize(
    "metadata",
    [{}, {"source-url": "URL"}, {"source-url": "URL", "source-etag": '"v1"', "rows": "1"}],
)
def test_an_object_that_no_finished_run_left_is_replaced(
    run: Any, site: Any, bucket: Any, data: bytes, metadata: dict[str, str]
) -> None:
    described = {name: value.replace("URL", site.address + PATH) for name, value in metadata.items()}
    bucket.client.put_object(Bucket=bucket.name, Key=KEY, Body=b"bytes", Metadata=described)
    assert run().stored
    assert bucket.holds() == {KEY: data}


@pytest.mark.parametrize("ranges", [True, False])
def test_the_same_bytes_at_another_address_are_no_new_version(
    run: Any, site: Any, bucket: Any, data: bytes, expected: Any, ranges: bool
) -> None:
    run()
    site.ranges, site.files["/copy"] = ranges, data
    assert run(run.request(source_template=site.address + "/copy")) == expected(data, rows=786432, stored=False)
    assert (bucket.versions(), bucket.unfinished()) == (1, [])
    head = bucket.client.head_object(Bucket=bucket.name, Key=KEY)
    assert head["Metadata"]["source-url"] == site.address + PATH, "it still says where its bytes came from"


@pytest.mark.parametrize("ranges", [True, False])
def test_other_bytes_at_another_address_are_a_new_version(
    run: Any, site: Any, bucket: Any, data: bytes, expected: Any, ranges: bool
) -> None:
    """Of the same length and under the same validators, as two hosts may have them."""
    run()
    site.ranges, site.files["/copy"] = ranges, data[:100] + b"?" + data[101:]
    outcome = run(run.request(source_template=site.address + "/copy"))
    assert outcome == expected(site.files["/copy"], rows=786432)
    assert (bucket.versions(), bucket.holds()) == (2, {KEY: site.files["/copy"]})


def test_of_a_stream_the_object_does_not_know_its_rows(
    run: Any, site: Any, bucket: Any, data: bytes, expected: Any, events: Any
) -> None:
    """They are known at its end, and its metadata are fixed at its beginning; the log has them."""
    site.ranges = False
    assert run() == expected(data, rows=786432)
    assert [event["rows"] for event in events("stored")] == [786432]
    assert "rows" not in bucket.client.head_object(Bucket=bucket.name, Key=KEY)["Metadata"]
    assert run() == expected(data, rows=None, stored=False, read=False)


def arguments(run: Any, *more: str) -> list[str]:
    request = run.request()
    given = {
        "dataset": request.dataset,
        "year": str(request.year),
        "month": "01",
        "raw_bucket": request.raw_bucket,
        "source_url": request.source_template,
    }
    return [part for name, value in given.items() for part in (f"--{name}", value)] + list(more)


def test_main_is_the_job(run: Any, bucket: Any, data: bytes, events: Any, expected: Any) -> None:
    assert glue_ingest.main(arguments(run)) == expected(data, rows=786432)


@pytest.mark.parametrize("ranges", [True, False])
def test_progress_is_told(
    run: Any, site: Any, data: bytes, events: Any, monkeypatch: pytest.MonkeyPatch, ranges: bool
) -> None:
    monkeypatch.setattr("glue_ingest.log._PROGRESS_EVERY", 0)
    site.ranges = ranges
    site.before_answer = lambda number: time.sleep(0.3 if number == 3 else 0)  # longer than the job looks away
    site.breaks = [0 if ranges else 6 * 1024 * 1024]
    run()
    told = events("progress")
    assert told
    assert all(0 <= line["bytes"] <= line["of"] == len(data) for line in told)
    assert [line["bytes"] for line in told] == sorted(line["bytes"] for line in told)


def test_the_glue_script_logs_json_lines(run: Any, site: Any, bucket: Any, data: bytes, expected: Any) -> None:
    script = PACKAGE / "glue" / "ingest_raw.py"
    done = subprocess.run(
        [sys.executable, str(script), *arguments(run, "--JOB_NAME", "ingest-raw")], capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")
    common = {"dataset": "yellow", "month": "2024-01", "bucket": bucket.name, "key": KEY}
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert lines[0] == {"event": "passed_over", "dataset": "yellow", "month": "2024-01", "arguments": ["--JOB_NAME"]}
    assert lines[1] == {"event": "started", **common, "url": site.address + PATH, "force": False}
    assert lines[-1].pop("seconds") > 0
    assert lines[-1] == {
        "event": "stored",
        **common,
        "rows": 786432,
        "bytes": len(data),
        "checksum": expected(data, rows=786432).checksum,
        "sha256": hashlib.sha256(data).hexdigest(),
    }


def by_hand(*argv: str) -> tuple[int, str]:
    done = subprocess.run([sys.executable, "-m", "glue_ingest", *argv], capture_output=True, text=True)
    return done.returncode, done.stderr


def test_by_hand_an_error_is_one_line_and_an_exit_code(run: Any, site: Any, data: bytes) -> None:
    assert by_hand(*arguments(run)) == (0, "")
    assert by_hand(*arguments(run, "--month", "13")) == (2, "UsageError: --month 13: give a number from 1 to 12\n")
    assert by_hand(*arguments(run, "--month", "2")) == (
        1,
        f"SourceRefused: the source has no yellow 2024-02 ({site.address}/yellow_tripdata_2024-02.parquet answered "
        "HTTP 404): correct the month or the source\n",
    )


def test_a_terminal_gets_text(run: Any, data: bytes) -> None:
    import pty

    ours, theirs = pty.openpty()
    script = PACKAGE / "glue" / "ingest_raw.py"
    subprocess.run([sys.executable, str(script), *arguments(run)], stdout=theirs, check=True)
    os.close(theirs)
    text = b""
    try:
        while chunk := os.read(ours, 4096):
            text += chunk
    except OSError:  # the far end of a closed terminal
        pass
    os.close(ours)
    lines = text.decode().splitlines()
    assert lines[0].startswith("started: url http://127.0.0.1:")
    assert lines[-1].startswith(
        f"stored: bucket {run.bucket.name}, key {KEY}, rows 786432, bytes {len(data)}, checksum "
    )


@pytest.mark.shared_data
def test_the_published_files_arrive_as_they_are(run: Any, site: Any, bucket: Any, shared_data: Path) -> None:
    rows, stored = {}, {}
    for file in sorted((shared_data / "tlc/trip-data").glob("*.parquet")):
        site.files["/" + file.name] = file.read_bytes()
        dataset, year, month = file.name[:-8].replace("_tripdata_", "-").split("-")
        request = run.request(dataset, int(year), int(month))
        rows[file.name[:-8]] = run(request).rows
        stored[request.key] = site.files["/" + file.name]
    assert rows == {
        "green_tripdata_2021-01": 76518,
        "green_tripdata_2023-01": 68211,
        "green_tripdata_2023-02": 64809,
        "green_tripdata_2024-03": 57457,
        "green_tripdata_2025-01": 48326,
        "yellow_tripdata_2015-06": 9999,
        "yellow_tripdata_2022-01": 100000,
        "yellow_tripdata_2024-01": 200,
        "yellow_tripdata_2025-01": 500,
    }
    assert (bucket.holds(), bucket.unfinished()) == (stored, [])
