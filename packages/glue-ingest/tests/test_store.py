"""S3's side: what it is given, and what becomes of a run that it refuses."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from itertools import count
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.config import Config

from glue_ingest import errors
from glue_ingest.log import Log
from glue_ingest.store import PART_SIZE, RawBucket, connect

KEY = "yellow/2024/01/yellow_tripdata_2024-01.parquet"
PATH = "/yellow_tripdata_2024-01.parquet"
OBJECTS = (
    "allow the role s3:GetObject, s3:PutObject, s3:DeleteObject and s3:AbortMultipartUpload on the bucket's objects"
)
FAILED = "InternalError We encountered an internal error. Please try again."


@pytest.fixture(autouse=True)
def data(site: Any, month_file: Callable[..., bytes]) -> bytes:
    site.files[PATH] = month_file(12)
    return site.files[PATH]


class Body:
    def __init__(self, text: bytes) -> None:
        self.text = text

    def stream(self, **_: Any) -> list[bytes]:
        return [self.text]


@pytest.fixture
def refusing(s3_endpoint: str) -> Callable[..., Any]:
    """A client to whom S3 answers one operation with an error, as S3 words it: `times` times, after `after` calls."""

    def make(operation: str, status: int, error: str, *, times: int = 1000, after: int = 0) -> Any:
        client = boto3.client("s3", config=Config(retries={"mode": "standard", "total_max_attempts": 2}))
        code, _, message = error.partition(" ")
        calls = count()

        def refuse(request: Any, **_: Any) -> Any:
            if not after <= next(calls) < after + times:
                return None
            text = "" if request.method == "HEAD" else f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
            return AWSResponse(request.url, status, {}, Body(text.encode()))

        client.meta.events.register(f"before-send.s3.{operation}", refuse)
        return client

    return make


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
    run: Any, site: Any, bucket: Any, refusing: Any, operation: str, status: int, error: str, advice: str, ranges: bool
) -> None:
    site.ranges = ranges
    with pytest.raises(errors.StorageRefused) as refused:
        run(client=refusing(operation, status, error))
    assert str(refused.value) == f"S3 refused uploading to s3://{bucket.name}/{KEY}: {error}: {advice}"
    assert (bucket.holds(), bucket.unfinished()) == ({}, [])


def test_a_copy_that_cannot_be_completed_leaves_nothing(run: Any, bucket: Any, refusing: Any) -> None:
    with pytest.raises(errors.StorageRefused, match="InternalError"):
        run(client=refusing("CompleteMultipartUpload", 500, FAILED, after=1))
    assert (bucket.holds(), bucket.unfinished()) == ({}, [])


def test_a_missing_bucket(run: Any) -> None:
    with pytest.raises(errors.StorageRefused, match=r"NoSuchBucket .*: create the bucket or correct --raw_bucket"):
        run(run.request(raw_bucket="not-there"))


def test_a_passing_failure_of_s3_is_borne(run: Any, bucket: Any, refusing: Any, data: bytes) -> None:
    assert run(client=refusing("UploadPart", 503, "SlowDown Please reduce your request rate.", times=1)).stored
    assert bucket.holds() == {KEY: data}


def test_a_head_that_is_forbidden_may_only_mean_that_nothing_is_there(
    run: Any, bucket: Any, refusing: Any, data: bytes
) -> None:
    assert run(client=refusing("HeadObject", 403, "403 Forbidden", times=1)).stored
    assert bucket.holds() == {KEY: data}


def test_a_head_that_fails_is_a_refusal(run: Any, refusing: Any) -> None:
    with pytest.raises(errors.StorageRefused, match=r"S3 refused looking for s3://raw-.*/yellow/2024/01/.*: 500 "):
        run(client=refusing("HeadObject", 500, FAILED))


def test_no_s3_at_all(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    client = boto3.client("s3", endpoint_url="http://127.0.0.1:9", config=Config(retries={"total_max_attempts": 1}))
    with pytest.raises(errors.StorageRefused) as refused:
        run(client=client)
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


def test_what_can_not_be_removed_is_told(run: Any, bucket: Any, refusing: Any, data: bytes, events: Any) -> None:
    assert run(client=refusing("DeleteObject", 403, "AccessDenied Access Denied")).stored
    left = set(bucket.holds()) - {KEY}
    assert [event["key"] for event in events("staging_left")] == list(left)
    assert all(key.startswith("_incoming/") for key in left)


def test_s3_checks_every_part_by_its_sha256(bucket: Any, data: bytes) -> None:
    sent = {}
    bucket.client.meta.events.register(
        "before-send.s3.UploadPart", lambda request, **_: sent.update({request.url[-1]: dict(request.headers)})
    )
    with RawBucket(bucket.client, bucket.name, log=Log()).upload(KEY, staging="_incoming/") as upload:
        upload.put(2, data[PART_SIZE:])
        upload.put(1, data[:PART_SIZE])
        upload.publish({"sha256": "x"}, size=len(data))
    parts = {"1": data[:PART_SIZE], "2": data[PART_SIZE:]}
    assert {number: headers["x-amz-checksum-sha256"] for number, headers in sent.items()} == {
        number: base64.b64encode(hashlib.sha256(part).digest()) for number, part in parts.items()
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
