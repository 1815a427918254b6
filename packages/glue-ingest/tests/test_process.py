"""The job as a process: how it ends when it fails or is told to end, and how much memory it takes."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

KEY = "yellow/2024/01/yellow_tripdata_2024-01.parquet"
PATH = "/yellow_tripdata_2024-01.parquet"
SCRIPT = Path(__file__).resolve().parents[1] / "glue" / "ingest_raw.py"
#: The kernel's own high-water mark of resident memory, in kB, once the given code has run.
MEASURED = """
import re, sys
{code}
with open("/proc/self/status") as status:
    print("peak", re.search(r"VmHWM:\\s+(\\d+)", status.read()).group(1))
"""
JOB = "from glue_ingest import main; main(sys.argv[1:])"
START = "from glue_ingest.store import connect; connect()"


def arguments(run: Any) -> list[str]:
    request = run.request()
    month = ["--dataset", "yellow", "--year", "2024", "--month", "01", "--force", "true"]
    return [*month, "--raw_bucket", request.raw_bucket, "--source_url", request.source_template]


def wait_until(true: Callable[[], Any]) -> None:
    deadline = time.monotonic() + 30
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@contextmanager
def stuck_in_mid_upload(run: Any, site: Any, month: bytes, *, ranges: bool) -> Iterator[subprocess.Popen[str]]:
    """Runs the job against a source that falls silent once some of its bytes are uploaded."""
    site.files[PATH], site.ranges = month, ranges
    silence = threading.Event()
    if ranges:
        site.before_answer = lambda answer: silence.wait(60) if answer > 3 else None
    else:
        site.pause_at, site.pause = 20 * 1024 * 1024, silence
    process = subprocess.Popen(
        [sys.executable, str(SCRIPT), *arguments(run)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        wait_until(lambda: uploaded_parts(run.bucket))
        yield process
    finally:
        silence.set()
        process.kill()
        process.wait()
        site.before_answer, site.pause_at = (lambda answer: None), 0


@pytest.mark.parametrize("ranges", [True, False])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_in_mid_upload_leaves_nothing(
    run: Any, site: Any, bucket: Any, month_file: Callable[..., bytes], number: int, ranges: bool
) -> None:
    with stuck_in_mid_upload(run, site, month_file(24), ranges=ranges) as process:
        process.send_signal(number)
        _, said = process.communicate(timeout=15)  # the source's silence would last longer
    assert process.returncode == 1
    assert re.fullmatch(
        rf"glue_ingest\.errors\.Stopped: stopped (while reading {site.address}{PATH}|uploading to "
        rf"s3://{bucket.name}/{KEY}); nothing was stored",
        said.splitlines()[-1],
    )
    assert (bucket.holds(), bucket.unfinished()) == ({}, [])


@pytest.mark.parametrize("ranges", [True, False])
def test_a_kill_in_mid_upload_leaves_no_object_and_the_next_run_stores_it(
    run: Any, site: Any, bucket: Any, month_file: Callable[..., bytes], ranges: bool
) -> None:
    """What it leaves is an unfinished upload, which the bucket's lifecycle rule aborts."""
    with stuck_in_mid_upload(run, site, month_file(24), ranges=ranges) as process:
        process.kill()
    assert (bucket.holds(), bucket.unfinished()) == ({}, [KEY])
    assert run().stored
    assert bucket.holds() == {KEY: site.files[PATH]}


def uploaded_parts(bucket: Any) -> list[Any]:
    uploads = bucket.client.list_multipart_uploads(Bucket=bucket.name).get("Uploads", [])
    return [
        part
        for upload in uploads
        for part in bucket.client.list_parts(Bucket=bucket.name, Key=upload["Key"], UploadId=upload["UploadId"]).get(
            "Parts", []
        )
    ]


def peak(code: str, *args: str) -> float:
    """Peak resident memory of a process that runs `code`, in MB."""
    done = subprocess.run(
        [sys.executable, "-c", MEASURED.format(code=code), *args],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"BOTO_DISABLE_CRT": "true"},  # Glue has no awscrt, which copies what it signs
    )
    return int(done.stdout.split()[-1]) / 1000


@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="needs Linux's /proc")  # noqa: PTH110
@pytest.mark.parametrize("ranges", [True, False])
def test_memory_does_not_grow_with_the_file(
    run: Any, site: Any, month_file: Callable[..., bytes], ranges: bool
) -> None:
    site.files[PATH], site.ranges = month_file(100), ranges
    assert peak(JOB, *arguments(run)) - peak(START) < 64
