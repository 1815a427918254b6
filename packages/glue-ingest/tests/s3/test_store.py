"""S3's side: what it is given, and what becomes of a run that it refuses."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from typing import Any

import pytest

from glue_ingest import errors
from glue_ingest.connection import Patience
from glue_ingest.log import Log
from glue_ingest.s3 import S3Client
from glue_ingest.s3.place import find
from glue_ingest.store import PART_SIZE, RawBucket, connect

KEY = "yellow/2024/01/yellow_tripdata_2024-01.parquet"
PATH = "/yellow_tripdata_2024-01.parquet"
OBJECTS = (
    "allow the role s3:GetObject, s3:PutObject, s3:DeleteObject and s3:AbortMultipartUpload on the bucket's objects"
)
IMPATIENT = Patience(attempts=2, first_wait=0.001, longest_wait=0.002)
FAILED = "InternalError We encountered an internal error. Please try again."


@pytest.fixture(autouse=True)
def data(site: Any, month_file: Callable[..., bytes]) -> bytes:
    site.files[PATH] = month_file(12)
    return site.files[PATH]


@pytest.mark.parametrize("ranges", [True, False])
@pytest.mark.parametrize(
    ("operation", "status", "error", "advice"),
    [
        ("CreateMultipartUpload", 403, "AccessDenied Access Denied", OBJECTS),
        (
            "CreateMultipartUpload",
            404,
            "NoSuchBucket The bucket does not exist",
            "create the bucket or correct --raw_bucket",
        ),
        ("UploadPart", 403, "AccessDenied Access Denied", OBJECTS),
        (
            "UploadPart",
            400,
            "BadDigest The SHA256 did not match",
            "try again; if it stays, look at the bucket and the role",
        ),
        ("UploadPart", 500, FAILED, "try again; if it stays, look at the bucket and the role"),
        ("CompleteMultipartUpload", 500, FAILED, "try again; if it stays, look at the bucket and the role"),
        ("UploadPartCopy", 403, "AccessDenied Access Denied", OBJECTS),
    ],
)
def test_a_refusal_is_one_line_and_leaves_nothing(
    run: Any,
    site: Any,
    bucket: Any,
    front: Any,
    client: Any,
    operation: str,
    status: int,
    error: str,
    advice: str,
    ranges: bool,
) -> None:
    site.ranges = ranges
    front.refuse(operation, status, error)
    with pytest.raises(errors.StorageRefused) as refused:
        run(client=client)
    assert str(refused.value) == f"S3 refused uploading to s3://{bucket.name}/{KEY}: {error}: {advice}"
    assert (bucket.holds(), bucket.unfinished()) == ({}, [])


def test_a_copy_that_cannot_be_completed_leaves_nothing(run: Any, bucket: Any, front: Any, client: Any) -> None:
    front.refuse("CompleteMultipartUpload", 500, FAILED, after=1)
    with pytest.raises(errors.StorageRefused, match="InternalError"):
        run(client=client)
    assert (bucket.holds(), bucket.unfinished()) == ({}, [])


def test_a_page_in_s3_s_place_is_no_success(run: Any, bucket: Any, front: Any, client: Any) -> None:
    front.answer = lambda seen: (200, {}, b"<html>Log in") if seen.operation == "CompleteMultipartUpload" else None
    with pytest.raises(errors.StorageRefused):
        run(client=client)
    assert (bucket.holds(), bucket.unfinished()) == ({}, [])


def test_what_can_not_be_aborted_is_told_and_hides_nothing(
    run: Any, bucket: Any, front: Any, client: Any, events: Any
) -> None:
    front.refuse("UploadPartCopy", 400, "InvalidRequest No copies today")
    front.refuse("AbortMultipartUpload", 403, "AccessDenied Access Denied")
    with pytest.raises(errors.StorageRefused, match="InvalidRequest No copies today"):
        run(client=client)
    assert bucket.holds() == {}
    assert bucket.unfinished() == [event["key"] for event in events("staging_left") if event["key"] == KEY] == [KEY]


def test_a_file_of_one_piece_is_copied_whole(
    run: Any, site: Any, bucket: Any, front: Any, client: Any, month_file: Callable[..., bytes]
) -> None:
    """S3 documents ranges only for objects above 5 MB."""
    site.files[PATH] = month_file(1)
    run(client=client)
    (copied,) = [seen for seen in front.seen if seen.operation == "UploadPartCopy"]
    assert "x-amz-copy-source-range" not in copied.headers
    assert bucket.holds() == {KEY: site.files[PATH]}


def test_a_missing_bucket(run: Any) -> None:
    with pytest.raises(errors.StorageRefused, match=r"NoSuchBucket .*: create the bucket or correct --raw_bucket"):
        run(run.request(raw_bucket="not-there"))


def test_a_passing_failure_of_s3_is_borne(run: Any, bucket: Any, front: Any, client: Any, data: bytes) -> None:
    front.refuse("UploadPart", 503, "SlowDown Please reduce your request rate.", times=1)
    assert run(client=client).stored
    assert bucket.holds() == {KEY: data}


def test_a_head_that_is_forbidden_may_only_mean_that_nothing_is_there(
    run: Any, bucket: Any, front: Any, client: Any, data: bytes
) -> None:
    front.refuse("HeadObject", 403, "403 Forbidden", times=1)
    assert run(client=client).stored
    assert bucket.holds() == {KEY: data}


def test_a_head_that_fails_is_a_refusal(run: Any, front: Any, client: Any) -> None:
    front.refuse("HeadObject", 500, FAILED)
    with pytest.raises(errors.StorageRefused, match=r"S3 refused looking for s3://raw-.*/yellow/2024/01/.*: 500 "):
        run(client=client)


def test_no_s3_at_all(run: Any, s3_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(errors.StorageRefused) as refused:
        run(client=S3Client(find(), connections=1, patience=IMPATIENT))
    assert str(refused.value) == (
        f"S3 could not be used looking for s3://{run.bucket.name}/{KEY}: Could not connect to the endpoint URL: "
        f'"http://127.0.0.1:9/{run.bucket.name}/{KEY}": check endpoint, region and keys'
    )


def test_no_keys(run: Any, s3_endpoint: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with pytest.raises(errors.StorageRefused, match="Unable to locate credentials: check endpoint, region and keys"):
        run(client=connect(1))


def test_what_can_not_be_removed_is_told(run: Any, bucket: Any, front: Any, client: Any, events: Any) -> None:
    front.refuse("DeleteObject", 403, "AccessDenied Access Denied")
    assert run(client=client).stored
    left = set(bucket.holds()) - {KEY}
    assert [event["key"] for event in events("staging_left")] == list(left)
    assert all(key.startswith("_incoming/") for key in left)


def test_s3_checks_every_part_by_its_sha256(bucket: Any, front: Any, client: Any, data: bytes) -> None:
    with RawBucket(client, bucket.name, log=Log()).upload(KEY, staging="_incoming/") as upload:
        upload.put(2, data[PART_SIZE:])
        upload.put(1, data[:PART_SIZE])
        upload.publish({"sha256": "x"}, size=len(data))
    sent = [seen for seen in front.seen if seen.operation == "UploadPart"]
    assert {seen.query["partNumber"]: seen.headers["x-amz-checksum-sha256"] for seen in sent} == {
        number: base64.b64encode(hashlib.sha256(part).digest()).decode()
        for number, part in {"1": data[:PART_SIZE], "2": data[PART_SIZE:]}.items()
    }
    assert bucket.holds() == {KEY: data}


def test_a_closed_upload_takes_no_more(bucket: Any, data: bytes) -> None:
    with (
        pytest.raises(ValueError),
        RawBucket(bucket.client, bucket.name, log=Log()).upload(KEY, staging="_incoming/") as upload,
    ):
        upload.put(1, data)
        raise ValueError
    with pytest.raises(errors.Stopped):
        upload.put(2, data)
    assert (bucket.holds(), bucket.unfinished()) == ({}, [])
