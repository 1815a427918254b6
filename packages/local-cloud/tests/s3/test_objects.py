"""S3 objects by boto3: what is put comes back, and what AWS refuses is refused in its words."""

from __future__ import annotations

import base64
import datetime
import hashlib
import json
import re
import time
import urllib.error
import urllib.request
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.handlers import validate_bucket_name

BUCKET = "objects-test"


@pytest.fixture(scope="module")
def s3(cloud: Any) -> Iterator[Any]:
    client = cloud.client("s3")
    client.create_bucket(Bucket=BUCKET)
    yield client


def refusal(call: Any, **arguments: Any) -> tuple[int, str]:
    """The HTTP status and code a call is refused with."""
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    response = caught.value.response
    return response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Code"]


def test_an_object_comes_back_with_all_it_was_stored_with(s3: Any) -> None:
    body = b"ride,fare\n1,2.50\n"
    stored = {
        "ContentType": "text/csv",
        "CacheControl": "no-store",
        "ContentDisposition": 'attachment; filename="a.csv"',
        "ContentEncoding": "identity",
        "ContentLanguage": "en",
        "Metadata": {"load_id": "abc", "rows-read": "1"},
        "StorageClass": "STANDARD_IA",
        "WebsiteRedirectLocation": "/elsewhere",
    }
    put = s3.put_object(Bucket=BUCKET, Key="all/of it.csv", Body=body, Tagging="month=2024-09&kind=raw", **stored)
    md5 = hashlib.md5(body).hexdigest()
    crc = base64.b64encode(zlib.crc32(body).to_bytes(4, "big")).decode()
    assert {k: v for k, v in put.items() if k != "ResponseMetadata"} == {
        "ETag": f'"{md5}"',
        "ChecksumCRC32": crc,
        "ChecksumType": "FULL_OBJECT",
        "ServerSideEncryption": "AES256",
    }
    expected = {
        **stored,
        "ETag": f'"{md5}"',
        "ContentLength": len(body),
        "AcceptRanges": "bytes",
        "ServerSideEncryption": "AES256",
        "TagCount": 2,
        "ChecksumCRC32": crc,
        "ChecksumType": "FULL_OBJECT",
    }
    got = s3.get_object(Bucket=BUCKET, Key="all/of it.csv")
    assert got.pop("Body").read() == body
    head = s3.head_object(Bucket=BUCKET, Key="all/of it.csv", ChecksumMode="ENABLED")
    for answer in (got, head):
        modified = answer.pop("LastModified")
        assert abs(modified - datetime.datetime.now(datetime.timezone.utc)) < datetime.timedelta(minutes=1)
        del answer["ResponseMetadata"]
        assert answer == expected


def test_a_plain_object_is_a_plain_file(cloud: Any, s3: Any) -> None:
    s3.put_object(Bucket=BUCKET, Key="yellow/2024/09/part.parquet", Body=b"PAR1")
    assert (cloud.state_dir / "s3" / BUCKET / "yellow/2024/09/part.parquet").read_bytes() == b"PAR1"
    s3.delete_object(Bucket=BUCKET, Key="yellow/2024/09/part.parquet")
    assert not (cloud.state_dir / "s3" / BUCKET / "yellow").exists()


def test_a_file_put_beside_the_api_is_an_object(cloud: Any, s3: Any) -> None:
    folder = cloud.state_dir / "s3" / BUCKET / "spark"
    folder.mkdir()
    (folder / "part-00000").write_bytes(b"one")
    etag = f'"{hashlib.md5(b"one").hexdigest()}"'
    assert s3.get_object(Bucket=BUCKET, Key="spark/part-00000")["Body"].read() == b"one"
    listed = s3.list_objects_v2(Bucket=BUCKET, Prefix="spark/")["Contents"]
    assert [(o["Key"], o["Size"], o["ETag"]) for o in listed] == [("spark/part-00000", 3, etag)]
    (folder / "part-00000").write_bytes(b"changed")
    assert s3.get_object(Bucket=BUCKET, Key="spark/part-00000")["Body"].read() == b"changed"
    (folder / "part-00000").unlink()
    assert refusal(s3.get_object, Bucket=BUCKET, Key="spark/part-00000") == (404, "NoSuchKey")


@pytest.mark.parametrize(
    ("asked", "status", "body", "content_range"),
    [
        ("bytes=0-3", 206, b"0123", "bytes 0-3/10"),
        ("bytes=4-", 206, b"456789", "bytes 4-9/10"),
        ("bytes=-3", 206, b"789", "bytes 7-9/10"),
        ("bytes=-99", 206, b"0123456789", "bytes 0-9/10"),
        ("bytes=8-99", 206, b"89", "bytes 8-9/10"),
        ("bytes=9-9", 206, b"9", "bytes 9-9/10"),
        ("bytes=5-2", 200, b"0123456789", None),
        ("bytes=0-1,4-5", 200, b"0123456789", None),
        ("lines=0-1", 200, b"0123456789", None),
    ],
)
def test_a_range_gives_its_bytes_or_416(
    s3: Any, asked: str, status: int, body: bytes, content_range: str | None
) -> None:
    s3.put_object(Bucket=BUCKET, Key="range", Body=b"0123456789")
    got = s3.get_object(Bucket=BUCKET, Key="range", Range=asked)
    assert (got["ResponseMetadata"]["HTTPStatusCode"], got["Body"].read(), got.get("ContentRange")) == (
        status,
        body,
        content_range,
    )


@pytest.mark.parametrize("asked", ["bytes=10-", "bytes=99-100", "bytes=-0"])
def test_ranges_outside_the_object(s3: Any, asked: str) -> None:
    s3.put_object(Bucket=BUCKET, Key="range", Body=b"0123456789")
    assert refusal(s3.get_object, Bucket=BUCKET, Key="range", Range=asked) == (416, "InvalidRange")


def test_an_empty_object(s3: Any) -> None:
    s3.put_object(Bucket=BUCKET, Key="empty", Body=b"")
    assert s3.get_object(Bucket=BUCKET, Key="empty")["Body"].read() == b""
    assert refusal(s3.get_object, Bucket=BUCKET, Key="empty", Range="bytes=0-") == (416, "InvalidRange")


class TestConditions:
    LONG_AGO = datetime.datetime(2020, 1, 1, tzinfo=datetime.timezone.utc)
    FAR_OFF = datetime.datetime(2099, 1, 1, tzinfo=datetime.timezone.utc)

    def test_a_read_is_answered_by_its_conditions(self, s3: Any) -> None:
        etag = s3.put_object(Bucket=BUCKET, Key="read", Body=b"x")["ETag"]
        cases: list[tuple[dict[str, Any], int]] = [
            ({"IfMatch": etag}, 200),
            ({"IfMatch": '"other"'}, 412),
            ({"IfNoneMatch": '"other"'}, 200),
            ({"IfNoneMatch": etag}, 304),
            ({"IfModifiedSince": self.LONG_AGO}, 200),
            ({"IfModifiedSince": self.FAR_OFF}, 200),  # RFC 9110, 13.1.3: the future says nothing
            ({"IfUnmodifiedSince": self.LONG_AGO}, 412),
            ({"IfUnmodifiedSince": self.FAR_OFF}, 200),
            # RFC 9110, 13.2.2: If-Match outweighs If-Unmodified-Since, If-None-Match If-Modified-Since
            ({"IfMatch": etag, "IfUnmodifiedSince": self.LONG_AGO}, 200),
            ({"IfNoneMatch": '"other"', "IfModifiedSince": self.FAR_OFF}, 200),
        ]
        for condition, expected in cases:
            for call in (s3.get_object, s3.head_object):
                try:
                    status = call(Bucket=BUCKET, Key="read", **condition)["ResponseMetadata"]["HTTPStatusCode"]
                except ClientError as error:
                    status = error.response["ResponseMetadata"]["HTTPStatusCode"]
                assert status == expected, condition

    def test_a_key_is_written_once_under_if_none_match(self, s3: Any) -> None:
        s3.put_object(Bucket=BUCKET, Key="once", Body=b"first", IfNoneMatch="*")
        again = {"Bucket": BUCKET, "Key": "once", "Body": b"second", "IfNoneMatch": "*"}
        assert refusal(s3.put_object, **again) == (412, "PreconditionFailed")
        assert s3.get_object(Bucket=BUCKET, Key="once")["Body"].read() == b"first"
        assert refusal(s3.put_object, **{**again, "IfNoneMatch": '"abc"'}) == (501, "NotImplemented")

    def test_compare_and_swap(self, s3: Any) -> None:
        etag = s3.put_object(Bucket=BUCKET, Key="cas", Body=b"1")["ETag"]
        s3.put_object(Bucket=BUCKET, Key="cas", Body=b"2", IfMatch=etag)
        stale = {"Bucket": BUCKET, "Key": "cas", "Body": b"3", "IfMatch": etag}
        assert refusal(s3.put_object, **stale) == (412, "PreconditionFailed")
        assert refusal(s3.put_object, **{**stale, "Key": "cas-absent"}) == (404, "NoSuchKey")
        assert refusal(s3.delete_object, Bucket=BUCKET, Key="cas", IfMatch=etag) == (412, "PreconditionFailed")
        s3.delete_object(Bucket=BUCKET, Key="cas", IfMatch=s3.head_object(Bucket=BUCKET, Key="cas")["ETag"])
        assert refusal(s3.head_object, Bucket=BUCKET, Key="cas") == (404, "404")

    def test_one_of_many_writers_wins(self, s3: Any, cloud: Any) -> None:
        def write(number: int) -> int:
            try:
                s3.put_object(Bucket=BUCKET, Key="race", Body=str(number).encode(), IfNoneMatch="*")
            except ClientError:
                return 0
            return 1

        with ThreadPoolExecutor(8) as pool:
            assert sum(pool.map(write, range(16))) == 1


class TestChecksums:
    ALGORITHMS = ("CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256", "SHA512", "XXHASH64", "XXHASH3", "XXHASH128")

    @pytest.mark.parametrize("algorithm", ALGORITHMS)
    def test_every_algorithm_that_botocore_computes_is_verified_and_given_back(self, s3: Any, algorithm: str) -> None:
        put = s3.put_object(Bucket=BUCKET, Key=f"sum/{algorithm}", Body=b"hello" * 1000, ChecksumAlgorithm=algorithm)
        name = f"Checksum{algorithm}"
        got = s3.get_object(Bucket=BUCKET, Key=f"sum/{algorithm}", ChecksumMode="ENABLED")
        assert put[name] == got[name]
        assert got["Body"].read() == b"hello" * 1000  # botocore verifies it while it reads
        wrong = base64.b64encode(bytes(len(base64.b64decode(put[name])))).decode()
        bad = {"Bucket": BUCKET, "Key": "sum/bad", "Body": b"hello", name: wrong}
        assert refusal(s3.put_object, **bad) == (400, "BadDigest")
        assert refusal(s3.head_object, Bucket=BUCKET, Key="sum/bad") == (404, "404")

    def test_without_one_s3_computes_crc64nvme(self, cloud: Any) -> None:
        plain = cloud.client("s3", config=Config(request_checksum_calculation="when_required"))
        put = plain.put_object(Bucket=BUCKET, Key="sum/none", Body=b"123456789")
        assert put["ChecksumCRC64NVME"] == base64.b64encode(0xAE8B14860A799888.to_bytes(8, "big")).decode()

    def test_a_body_that_is_not_its_md5_is_refused(self, s3: Any) -> None:
        right = base64.b64encode(hashlib.md5(b"abc").digest()).decode()
        s3.put_object(Bucket=BUCKET, Key="md5", Body=b"abc", ContentMD5=right)
        put = {"Bucket": BUCKET, "Key": "md5", "Body": b"abd"}
        assert refusal(s3.put_object, **put, ContentMD5=right) == (400, "BadDigest")
        assert refusal(s3.put_object, **put, ContentMD5="not base64") == (400, "InvalidDigest")

    def test_ranges_carry_no_checksum_of_the_whole(self, s3: Any) -> None:
        s3.put_object(Bucket=BUCKET, Key="sum/range", Body=b"hello")
        assert "ChecksumCRC32" not in s3.get_object(Bucket=BUCKET, Key="sum/range", Range="bytes=0-1")


class TestCopy:
    def test_copy_keeps_metadata_and_tags(self, s3: Any) -> None:
        s3.put_object(
            Bucket=BUCKET, Key="from/ä b", Body=b"data", Metadata={"a": "1"}, ContentType="x/y", Tagging="t=1"
        )
        copied = s3.copy_object(Bucket=BUCKET, Key="to", CopySource={"Bucket": BUCKET, "Key": "from/ä b"})
        assert copied["CopyObjectResult"]["ETag"] == f'"{hashlib.md5(b"data").hexdigest()}"'
        got = s3.get_object(Bucket=BUCKET, Key="to")
        assert (got["Body"].read(), got["Metadata"], got["ContentType"]) == (b"data", {"a": "1"}, "x/y")
        assert s3.get_object_tagging(Bucket=BUCKET, Key="to")["TagSet"] == [{"Key": "t", "Value": "1"}]

    def test_copy_with_replacement(self, s3: Any) -> None:
        s3.put_object(Bucket=BUCKET, Key="self", Body=b"data", Metadata={"a": "1"}, Tagging="t=1")
        source = {"Bucket": BUCKET, "Key": "self"}
        assert refusal(s3.copy_object, Bucket=BUCKET, Key="self", CopySource=source) == (400, "InvalidRequest")
        s3.copy_object(
            Bucket=BUCKET,
            Key="self",
            CopySource=source,
            MetadataDirective="REPLACE",
            Metadata={"b": "2"},
            TaggingDirective="REPLACE",
            Tagging="u=2",
        )
        assert s3.head_object(Bucket=BUCKET, Key="self")["Metadata"] == {"b": "2"}
        assert s3.get_object_tagging(Bucket=BUCKET, Key="self")["TagSet"] == [{"Key": "u", "Value": "2"}]

    def test_a_copy_of_what_is_not_there_or_has_changed_is_refused(self, s3: Any) -> None:
        etag = s3.put_object(Bucket=BUCKET, Key="source", Body=b"data")["ETag"]
        target = {"Bucket": BUCKET, "Key": "target"}
        source = {"Bucket": BUCKET, "Key": "source"}
        absent = {"Bucket": BUCKET, "Key": "absent"}
        assert refusal(s3.copy_object, **target, CopySource=absent) == (404, "NoSuchKey")
        nowhere = {"Bucket": "no-such-bucket-here", "Key": "a"}
        assert refusal(s3.copy_object, **target, CopySource=nowhere) == (404, "NoSuchBucket")
        assert refusal(s3.copy_object, **target, CopySource=source, CopySourceIfNoneMatch=etag) == (
            412,
            "PreconditionFailed",
        )
        s3.copy_object(**target, CopySource=source, IfNoneMatch="*")
        assert refusal(s3.copy_object, **target, CopySource=source, IfNoneMatch="*") == (412, "PreconditionFailed")


def test_tags_are_put_read_and_deleted(s3: Any) -> None:
    s3.put_object(Bucket=BUCKET, Key="tagged", Body=b"")
    tags = [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "c: d/e@f"}]
    s3.put_object_tagging(Bucket=BUCKET, Key="tagged", Tagging={"TagSet": tags})
    assert s3.get_object_tagging(Bucket=BUCKET, Key="tagged")["TagSet"] == tags
    s3.delete_object_tagging(Bucket=BUCKET, Key="tagged")
    assert s3.get_object_tagging(Bucket=BUCKET, Key="tagged")["TagSet"] == []
    many = [{"Key": str(n), "Value": ""} for n in range(11)]
    put = s3.put_object_tagging
    assert refusal(put, Bucket=BUCKET, Key="tagged", Tagging={"TagSet": many}) == (400, "InvalidTag")
    for wrong in (
        tags[:1] * 2,
        [{"Key": "a,b", "Value": ""}],
        [{"Key": "a", "Value": "<&>"}],
        [{"Key": "aws:a", "Value": ""}],
    ):
        assert refusal(put, Bucket=BUCKET, Key="tagged", Tagging={"TagSet": wrong}) == (400, "InvalidTag")
    assert refusal(s3.put_object, Bucket=BUCKET, Key="tagged", Body=b"", Tagging="a=1,b=2") == (400, "InvalidArgument")


def test_delete_objects_reports_each_key(s3: Any) -> None:
    for key in ("d/1", "d/2 &"):
        s3.put_object(Bucket=BUCKET, Key=key, Body=b"x")
    wanted = [{"Key": "d/1"}, {"Key": "d/2 &"}, {"Key": "d/absent"}, {"Key": "k" * 1025}]
    answer = s3.delete_objects(Bucket=BUCKET, Delete={"Objects": wanted})
    assert answer["Deleted"] == wanted[:3]
    assert [(e["Key"], e["Code"]) for e in answer["Errors"]] == [("k" * 1025, "KeyTooLongError")]
    assert "Contents" not in s3.list_objects_v2(Bucket=BUCKET, Prefix="d/")
    quiet = s3.delete_objects(Bucket=BUCKET, Delete={"Objects": wanted[:1], "Quiet": True})
    assert "Deleted" not in quiet
    too_many = [{"Key": str(n)} for n in range(1001)]
    assert refusal(s3.delete_objects, Bucket=BUCKET, Delete={"Objects": too_many}) == (400, "MalformedXML")


def test_attributes_are_those_that_were_asked_for(s3: Any) -> None:
    put = s3.put_object(Bucket=BUCKET, Key="attributes", Body=b"12345")
    wanted = ["ETag", "Checksum", "ObjectParts", "StorageClass", "ObjectSize"]
    got = s3.get_object_attributes(Bucket=BUCKET, Key="attributes", ObjectAttributes=wanted)
    assert {k: got.get(k) for k in wanted} == {
        "ETag": put["ETag"].strip('"'),
        "Checksum": {"ChecksumCRC32": put["ChecksumCRC32"], "ChecksumType": "FULL_OBJECT"},
        "ObjectParts": None,
        "StorageClass": "STANDARD",
        "ObjectSize": 5,
    }


def test_the_owner_has_full_control_and_no_other_acl_is_supported(s3: Any) -> None:
    s3.put_object(Bucket=BUCKET, Key="acl", Body=b"", ACL="bucket-owner-full-control")
    grants = s3.get_object_acl(Bucket=BUCKET, Key="acl")["Grants"]
    assert [(g["Grantee"]["Type"], g["Permission"]) for g in grants] == [("CanonicalUser", "FULL_CONTROL")]
    refused = (400, "AccessControlListNotSupported")
    assert refusal(s3.put_object, Bucket=BUCKET, Key="acl", Body=b"", ACL="public-read") == refused
    assert refusal(s3.put_object_acl, Bucket=BUCKET, Key="acl", ACL="public-read") == refused


def test_what_is_missing(s3: Any) -> None:
    assert refusal(s3.get_object, Bucket=BUCKET, Key="absent") == (404, "NoSuchKey")
    assert refusal(s3.head_object, Bucket=BUCKET, Key="absent") == (404, "404")
    assert refusal(s3.get_object, Bucket="absent-bucket", Key="a") == (404, "NoSuchBucket")
    assert refusal(s3.put_object, Bucket="absent-bucket", Key="a", Body=b"") == (404, "NoSuchBucket")
    assert refusal(s3.list_objects_v2, Bucket="absent-bucket") == (404, "NoSuchBucket")
    assert refusal(s3.get_object, Bucket=BUCKET, Key="absent", VersionId="abc") == (400, "InvalidArgument")
    assert s3.delete_object(Bucket=BUCKET, Key="absent")["ResponseMetadata"]["HTTPStatusCode"] == 204


def test_what_is_not_served_says_so(s3: Any) -> None:
    put = {"Bucket": BUCKET, "Key": "a", "Body": b""}
    key = base64.b64encode(bytes(32)).decode()
    assert refusal(s3.get_object_torrent, Bucket=BUCKET, Key="a") == (501, "NotImplemented")
    assert refusal(s3.put_object, **put, SSECustomerAlgorithm="AES256", SSECustomerKey=key) == (501, "NotImplemented")
    assert refusal(s3.put_object, **put, ObjectLockLegalHoldStatus="ON") == (501, "NotImplemented")
    assert refusal(s3.list_bucket_analytics_configurations, Bucket=BUCKET) == (501, "NotImplemented")
    assert refusal(s3.get_object_lock_configuration, Bucket=BUCKET) == (501, "NotImplemented")
    locked = {"Bucket": "locked-bucket", "ObjectLockEnabledForBucket": True}
    assert refusal(s3.create_bucket, **locked) == (501, "NotImplemented")


def test_keys_and_metadata_that_are_too_long_are_refused(s3: Any) -> None:
    put = {"Bucket": BUCKET, "Body": b""}
    s3.put_object(**put, Key="k" * 1024)
    assert refusal(s3.put_object, **put, Key="k" * 1025) == (400, "KeyTooLongError")
    assert refusal(s3.put_object, **put, Key="m", Metadata={"a": "x" * 2048}) == (400, "MetadataTooLarge")


def test_the_expected_owner(s3: Any) -> None:
    s3.put_object(Bucket=BUCKET, Key="owned", Body=b"", ExpectedBucketOwner="123456789012")
    assert refusal(s3.get_object, Bucket=BUCKET, Key="owned", ExpectedBucketOwner="210987654321") == (
        403,
        "AccessDenied",
    )


def test_encryption_follows_the_bucket(s3: Any) -> None:
    s3.create_bucket(Bucket="encrypted-test")
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "arn:key"}}
    s3.put_bucket_encryption(Bucket="encrypted-test", ServerSideEncryptionConfiguration={"Rules": [rule]})
    put = s3.put_object(Bucket="encrypted-test", Key="a", Body=b"")
    assert (put["ServerSideEncryption"], put["SSEKMSKeyId"]) == ("aws:kms", "arn:key")


class TestPresigned:
    def test_get_put_and_head(self, s3: Any) -> None:
        put = s3.generate_presigned_url("put_object", Params={"Bucket": BUCKET, "Key": "signed/ü+ x"})
        urllib.request.urlopen(urllib.request.Request(put, data=b"by url", method="PUT")).read()
        get = s3.generate_presigned_url(
            "get_object",
            Params={"Bucket": BUCKET, "Key": "signed/ü+ x", "ResponseContentType": "text/plain"},
        )
        with urllib.request.urlopen(get) as answer:
            assert (answer.read(), answer.headers["Content-Type"]) == (b"by url", "text/plain")

    @pytest.mark.parametrize(
        ("version", "fresh", "stale"),
        [("s3v4", r"X-Amz-Date=\d{8}", "X-Amz-Date=20200101"), ("s3", r"Expires=\d+", "Expires=1577836800")],
    )
    def test_a_presigned_url_expires(self, cloud: Any, s3: Any, version: str, fresh: str, stale: str) -> None:
        s3.put_object(Bucket=BUCKET, Key="short", Body=b"x")
        client = cloud.client("s3", config=Config(signature_version=version))
        url = client.generate_presigned_url("get_object", Params={"Bucket": BUCKET, "Key": "short"}, ExpiresIn=60)
        assert urllib.request.urlopen(url).read() == b"x"
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(re.sub(fresh, stale, url))
        assert caught.value.code == 403
        assert b"<Code>AccessDenied</Code><Message>Request has expired</Message>" in caught.value.read()


def test_a_bucket_goes_only_when_empty(cloud: Any, s3: Any) -> None:
    s3.create_bucket(Bucket="short-lived")
    assert (cloud.state_dir / "s3/short-lived").is_dir()
    s3.put_object(Bucket="short-lived", Key="a/b", Body=b"")
    assert refusal(s3.delete_bucket, Bucket="short-lived") == (409, "BucketNotEmpty")
    s3.delete_object(Bucket="short-lived", Key="a/b")
    s3.delete_bucket(Bucket="short-lived")
    assert not (cloud.state_dir / "s3/short-lived").exists()
    assert refusal(s3.head_bucket, Bucket="short-lived") == (404, "404")


def test_a_bucket_name_against_the_rules_is_refused(cloud: Any) -> None:
    client = cloud.client("s3")
    client.meta.events.unregister("before-parameter-build.s3", validate_bucket_name)
    for name in ("Upper", "ab", "has_underscore", "two..dots", "192.168.0.1", "-dash", "xn--a", "x" * 64):
        assert refusal(client.create_bucket, Bucket=name) == (400, "InvalidBucketName"), name
        assert not (cloud.state_dir / "s3" / name).exists()


def test_notifications_reach_a_queue(cloud: Any, s3: Any) -> None:
    sqs = cloud.client("sqs")
    queue = sqs.create_queue(QueueName="s3-events")["QueueUrl"]
    s3.create_bucket(Bucket="notifying-test")
    s3.put_bucket_notification_configuration(
        Bucket="notifying-test",
        NotificationConfiguration={
            "QueueConfigurations": [
                {
                    "QueueArn": "arn:aws:sqs:us-east-1:123456789012:s3-events",
                    "Events": ["s3:ObjectCreated:*", "s3:ObjectRemoved:*"],
                }
            ]
        },
    )
    s3.put_object(Bucket="notifying-test", Key="a b", Body=b"xyz")
    s3.delete_object(Bucket="notifying-test", Key="a b")
    seen: set[tuple[str, str]] = set()
    deadline = time.monotonic() + 30
    while len(seen) < 2 and time.monotonic() < deadline:
        for message in sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=1).get("Messages", []):
            for record in json.loads(message["Body"]).get("Records", []):
                seen.add((record["eventName"], record["s3"]["object"]["key"]))
    assert seen == {("ObjectCreated:Put", "a+b"), ("ObjectRemoved:Delete", "a+b")}


def test_bucket_configuration_is_kept(s3: Any) -> None:
    bucket = {"Bucket": "configured-test"}
    s3.create_bucket(**bucket)
    policy = json.dumps({"Version": "2012-10-17", "Statement": []})
    rule = {"ID": "old", "Status": "Enabled", "Filter": {"Prefix": "tmp/"}, "Expiration": {"Days": 1}}
    s3.put_bucket_policy(**bucket, Policy=policy)
    s3.put_bucket_lifecycle_configuration(**bucket, LifecycleConfiguration={"Rules": [rule]})
    s3.put_bucket_ownership_controls(
        **bucket, OwnershipControls={"Rules": [{"ObjectOwnership": "BucketOwnerPreferred"}]}
    )
    assert s3.get_bucket_policy(**bucket)["Policy"] == policy
    assert s3.get_bucket_lifecycle_configuration(**bucket)["Rules"][0]["Expiration"] == {"Days": 1}
    s3.put_object(**bucket, Key="acl", Body=b"", ACL="private")  # ACLs are allowed by now
    assert refusal(s3.get_bucket_cors, **bucket) == (404, "NoSuchCORSConfiguration")


def test_motos_other_services_find_and_leave_objects(cloud: Any, s3: Any) -> None:
    """Firehose delivers to a bucket inside the process."""
    firehose = cloud.client("firehose")
    s3.create_bucket(Bucket="delivered-test")
    destination = {"RoleARN": "arn:aws:iam::123456789012:role/r", "BucketARN": "arn:aws:s3:::delivered-test"}
    firehose.create_delivery_stream(DeliveryStreamName="d", ExtendedS3DestinationConfiguration=destination)
    firehose.put_record(DeliveryStreamName="d", Record={"Data": b"one line"})
    delivered = s3.list_objects_v2(Bucket="delivered-test")["Contents"]
    bodies = [s3.get_object(Bucket="delivered-test", Key=entry["Key"])["Body"].read() for entry in delivered]
    assert bodies == [b"one line"]


def test_unsigned_requests_read_what_the_bucket_gives_to_everybody(cloud: Any, s3: Any) -> None:
    policy = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{BUCKET}/open"}
    s3.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps({"Version": "2012-10-17", "Statement": [policy]}))
    for key in ("open", "closed"):
        s3.put_object(Bucket=BUCKET, Key=key, Body=b"x")
    assert urllib.request.urlopen(f"{cloud.endpoint}/{BUCKET}/open").read() == b"x"
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(f"{cloud.endpoint}/{BUCKET}/closed")
    assert (caught.value.code, b"<Code>AccessDenied</Code>" in caught.value.read()) == (403, True)
    s3.delete_bucket_policy(Bucket=BUCKET)


def test_sessions_without_any_configuration(cloud: Any, s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Unmodified boto3 needs nothing but the environment."""
    for name, value in cloud.env.items():
        if name.startswith("AWS_"):
            monkeypatch.setenv(name, value)
    s3.put_object(Bucket=BUCKET, Key="environment", Body=b"x")
    assert boto3.session.Session().client("s3").head_object(Bucket=BUCKET, Key="environment")["ContentLength"] == 1


def test_a_plus_in_a_copy_source_is_a_blank(s3: Any, cloud: Any) -> None:
    client = cloud.client("s3")

    def unquoted(params: dict[str, Any], **_: Any) -> None:
        params["headers"]["x-amz-copy-source"] = f"{BUCKET}/a+b%2Bc"

    client.meta.events.register("before-call.s3.CopyObject", unquoted)
    s3.put_object(Bucket=BUCKET, Key="a b+c", Body=b"x")
    client.copy_object(Bucket=BUCKET, Key="plus", CopySource=f"{BUCKET}/replaced")
    assert s3.get_object(Bucket=BUCKET, Key="plus")["Body"].read() == b"x"


def test_an_object_may_be_copied_onto_itself_where_its_encryption_changes(s3: Any) -> None:
    itself = {"Bucket": BUCKET, "Key": "itself", "CopySource": f"{BUCKET}/itself"}
    s3.put_object(Bucket=BUCKET, Key="itself", Body=b"x", ServerSideEncryption="aws:kms")
    assert s3.copy_object(**itself)["ServerSideEncryption"] == "AES256"
    assert refusal(s3.copy_object, **itself) == (400, "InvalidRequest")


def test_an_archived_object_is_not_read(s3: Any) -> None:
    s3.put_object(Bucket=BUCKET, Key="cold", Body=b"x", StorageClass="GLACIER")
    assert s3.head_object(Bucket=BUCKET, Key="cold")["StorageClass"] == "GLACIER"
    assert refusal(s3.get_object, Bucket=BUCKET, Key="cold") == (403, "InvalidObjectState")
    wrong = {"Bucket": BUCKET, "Key": "cold", "Body": b"", "StorageClass": "OUTPOSTS"}
    assert refusal(s3.put_object, **wrong) == (400, "InvalidStorageClass")


def test_write_conditions_that_s3_does_not_take(s3: Any) -> None:
    put = {"Bucket": BUCKET, "Key": "conditions", "Body": b""}
    for condition in ({"IfMatch": "*"}, {"IfMatch": "a", "IfNoneMatch": "*"}):
        assert refusal(s3.put_object, **put, **condition) == (501, "NotImplemented")


def test_a_checksum_of_another_length_is_no_checksum(s3: Any) -> None:
    put = {"Bucket": BUCKET, "Key": "checksum", "Body": b"x", "ChecksumSHA256": "short"}
    assert refusal(s3.put_object, **put) == (400, "InvalidRequest")
