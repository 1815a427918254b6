"""S3's side: what it is given, what becomes of a run that it refuses, and whose settings hold."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from glue_ingest import errors
from glue_ingest.log import Log
from glue_ingest.store import PART_SIZE, RawBucket, connect
from glue_ingest.upload import Upload

KEY = "yellow/2024/01/yellow_tripdata_2024-01.parquet"
PATH = "/yellow_tripdata_2024-01.parquet"
OBJECTS = "allow the role s3:GetObject, s3:PutObject and s3:AbortMultipartUpload on the bucket's objects"
AGAIN = "try again; if it stays, look at the bucket and the role"
FAILED = "InternalError We encountered an internal error. Please try again."
PAGE = b"<html><p>Log in</p></html>"


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
        ("UploadPart", 400, "BadDigest The SHA256 did not match", AGAIN),
        ("UploadPart", 500, FAILED, AGAIN),
        ("CompleteMultipartUpload", 500, FAILED, AGAIN),
        ("CompleteMultipartUpload", 200, FAILED, AGAIN),
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


@pytest.mark.parametrize("page", [PAGE, b"<html>Log in", b"", b"<CompleteMultipartUploadResult/>"])
@pytest.mark.parametrize("operation", ["CreateMultipartUpload", "CompleteMultipartUpload"])
def test_a_page_in_s3_s_place_is_no_success(
    run: Any, bucket: Any, front: Any, client: Any, operation: str, page: bytes
) -> None:
    front.answer = lambda seen: (200, {}, page) if seen.operation == operation else None
    with pytest.raises(errors.StorageRefused) as refused:
        run(client=client)
    assert "\n" not in str(refused.value)
    assert (bucket.holds(), bucket.unfinished()) == ({}, [])


def test_a_part_that_s3_does_not_confirm_is_none(run: Any, bucket: Any, front: Any, client: Any) -> None:
    front.answer = lambda seen: (200, {}, PAGE) if seen.operation == "UploadPart" else None
    with pytest.raises(errors.StorageRefused) as refused:
        run(client=client)
    assert str(refused.value) == (
        f"S3 could not be used uploading to s3://{bucket.name}/{KEY}: what answered is not S3: check endpoint and proxy"
    )
    assert (bucket.holds(), bucket.unfinished()) == ({}, [])


@pytest.mark.parametrize("attempts", [1, 2])
def test_an_object_that_appeared_although_no_answer_did_is_stored(
    run: Any, bucket: Any, front: Any, data: bytes, monkeypatch: pytest.MonkeyPatch, attempts: int
) -> None:
    """Of a second attempt, S3 says that it knows no such upload."""
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", str(attempts))
    lost = (500, {}, f"<Error><Code>{FAILED.split(maxsplit=1)[0]}</Code></Error>".encode())
    front.change = lambda seen, reply: lost if seen.operation == "CompleteMultipartUpload" else reply
    assert run(client=connect()).stored
    assert len(front.asked("CompleteMultipartUpload")) == attempts
    assert (bucket.holds(), bucket.versions(), bucket.unfinished()) == ({KEY: data}, 1, [])


def test_without_s3_s_checksum_no_object_is_taken_for_the_same(
    run: Any, site: Any, bucket: Any, front: Any, client: Any
) -> None:
    def without_checksum(seen: Any, reply: Any) -> Any:
        status, headers, text = reply
        return status, {name: value for name, value in headers.items() if "checksum" not in name.lower()}, text

    front.change = without_checksum
    run(client=client)
    site.etag = '"v2"'
    assert run(client=client).stored
    assert bucket.versions() == 2


def test_an_upload_that_can_not_be_aborted_is_logged_and_hides_nothing(
    run: Any, bucket: Any, front: Any, client: Any, events: Any
) -> None:
    front.refuse("CompleteMultipartUpload", 400, "InvalidRequest Not today")
    front.refuse("AbortMultipartUpload", 403, "AccessDenied Access Denied")
    with pytest.raises(errors.StorageRefused, match="InvalidRequest Not today"):
        run(client=client)
    assert bucket.holds() == {}
    assert bucket.unfinished() == [event["key"] for event in events("upload_left")] == [KEY]


def test_a_missing_bucket(run: Any) -> None:
    with pytest.raises(errors.StorageRefused, match=r"NoSuchBucket .*: create the bucket or correct --raw_bucket"):
        run(run.request(raw_bucket="not-there"))


def test_a_passing_failure_of_s3_is_tried_again_as_the_sdk_is_set(
    run: Any, bucket: Any, front: Any, data: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    front.refuse("CreateMultipartUpload", 503, "SlowDown Please reduce your request rate.", times=1)
    assert run(client=connect()).stored
    assert bucket.holds() == {KEY: data}
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    front.refuse("CreateMultipartUpload", 503, "SlowDown Please reduce your request rate.", times=1)
    with pytest.raises(errors.StorageRefused, match="SlowDown"):
        run(run.request(force=True), client=connect())


def test_a_head_that_is_forbidden_may_only_mean_that_nothing_is_there_and_is_logged(
    run: Any, bucket: Any, front: Any, client: Any, data: bytes, events: Any
) -> None:
    front.refuse("HeadObject", 403, "403 Forbidden", times=1)
    assert run(client=client).stored
    assert bucket.holds() == {KEY: data}
    assert [(event["key"], event["error"]) for event in events("not_compared")] == [
        (KEY, "S3 does not say what is there (403): allow the role s3:GetObject and s3:ListBucket")
    ]


def test_a_head_that_fails_is_a_refusal(run: Any, front: Any, client: Any) -> None:
    front.refuse("HeadObject", 500, FAILED)
    with pytest.raises(errors.StorageRefused, match=r"S3 refused looking for s3://raw-.*/yellow/2024/01/.*: 500 "):
        run(client=client)


def test_no_s3_at_all(run: Any, s3_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with pytest.raises(errors.StorageRefused) as refused:
        run(client=connect())
    assert str(refused.value) == (
        f"S3 could not be used looking for s3://{run.bucket.name}/{KEY}: Could not connect to the endpoint URL: "
        f'"http://127.0.0.1:9/{run.bucket.name}/{KEY}": check endpoint, region and keys'
    )


def test_without_keys_the_storage_is_refused_with_what_to_check(
    run: Any, s3_endpoint: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with pytest.raises(errors.StorageRefused, match="Unable to locate credentials: check endpoint, region and keys"):
        run(client=connect())


def test_s3_checks_every_part_by_its_sha256(bucket: Any, front: Any, client: Any, data: bytes) -> None:
    with Upload(RawBucket(client, bucket.name, log=Log()), KEY, metadata={}) as upload:
        upload.put(2, data[PART_SIZE:])
        upload.put(1, data[:PART_SIZE])
        upload.publish()
    assert {seen.query["partNumber"]: seen.headers["x-amz-checksum-sha256"] for seen in front.asked("UploadPart")} == {
        number: base64.b64encode(hashlib.sha256(part).digest()).decode()
        for number, part in {"1": data[:PART_SIZE], "2": data[PART_SIZE:]}.items()
    }
    assert bucket.holds() == {KEY: data}


def test_a_closed_upload_takes_no_more(bucket: Any, data: bytes) -> None:
    raw = RawBucket(bucket.client, bucket.name, log=Log())
    with pytest.raises(ValueError), Upload(raw, KEY, metadata={}) as upload:
        upload.put(1, data)
        raise ValueError
    with pytest.raises(errors.Stopped):
        upload.put(2, data)
    assert (bucket.holds(), bucket.unfinished()) == ({}, [])


CONFIG = """
[default]
region = eu-west-1
s3 =
  addressing_style = virtual
  use_accelerate_endpoint = false
[profile own]
region = eu-west-3
services = near
[services near]
s3 =
  endpoint_url = http://near.example:7002
"""


@pytest.mark.parametrize(
    ("settings", "host"),
    [
        ({}, "https://raw-bucket.s3.eu-west-1.amazonaws.com"),
        ({"AWS_ENDPOINT_URL": "http://near.example:1"}, "http://raw-bucket.near.example:1"),
        ({"AWS_PROFILE": "own"}, "http://near.example:7002/raw-bucket"),
        ({"AWS_USE_DUALSTACK_ENDPOINT": "true"}, "https://raw-bucket.s3.dualstack.eu-west-1.amazonaws.com"),
    ],
)
def test_s3_is_where_the_sdk_s_settings_have_it(
    monkeypatch: pytest.MonkeyPatch, s3_endpoint: str, tmp_path: Path, settings: dict[str, str], host: str
) -> None:
    for name in ("AWS_ENDPOINT_URL", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name)
    (tmp_path / "config").write_text(CONFIG)
    for name, value in {"AWS_CONFIG_FILE": str(tmp_path / "config"), **settings}.items():
        monkeypatch.setenv(name, value)
    url = connect().generate_presigned_url("get_object", Params={"Bucket": "raw-bucket", "Key": "k"})
    assert url.startswith(f"{host}/k?X-Amz-Algorithm=AWS4-HMAC-SHA256&")


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"AWS_ENDPOINT_URL": "localhost:4566"}, "Invalid endpoint: localhost:4566: check endpoint, region and keys"),
        ({"AWS_ENDPOINT_URL": "http://[x"}, "Invalid IPv6 URL: check endpoint, region and keys"),
        ({"AWS_PROFILE": "nobody"}, "The config profile (nobody) could not be found: check endpoint, region and keys"),
        (
            {"AWS_CA_BUNDLE": "/nowhere"},
            "there is no /nowhere: correct AWS_CA_BUNDLE, REQUESTS_CA_BUNDLE or ca_bundle",
        ),
        (
            {"REQUESTS_CA_BUNDLE": "/nowhere"},
            "there is no /nowhere: correct AWS_CA_BUNDLE, REQUESTS_CA_BUNDLE or ca_bundle",
        ),
    ],
)
def test_settings_that_make_no_client_are_named(
    monkeypatch: pytest.MonkeyPatch, s3_endpoint: str, settings: dict[str, str], said: str
) -> None:
    monkeypatch.delenv("AWS_CA_BUNDLE", raising=False)
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(errors.StorageRefused) as refused:
        connect()
    assert str(refused.value) == f"S3 could not be used connecting: {said}"


def test_an_authority_that_is_not_trusted_gets_no_bytes(
    run: Any, site: Any, new_certificate: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    site.serve_tls(new_certificate("127.0.0.1"))
    for name in ("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ENDPOINT_URL", site.address)
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with pytest.raises(errors.StorageRefused, match=r"SSL validation failed for https://127\.0\.0\.1:"):
        run(client=connect())
    assert site.asked == []


def test_metadata_that_s3_does_not_take_are_one_line(run: Any, bucket: Any) -> None:
    with pytest.raises(errors.StorageRefused, match="Non ascii characters found in S3 metadata") as refused:
        run(run.request(execution="é"))
    assert "\n" not in str(refused.value)
    assert (bucket.holds(), bucket.unfinished()) == ({}, [])
