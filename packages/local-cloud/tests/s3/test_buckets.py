"""Buckets: their pages, what a new one has, and which documents of their configuration are refused."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

BUCKET = "configured"


@pytest.fixture(scope="module")
def s3(cloud: Any) -> Iterator[Any]:
    client = cloud.client("s3")
    for name in (BUCKET, "pages-a", "pages-b", "pages-c"):
        client.create_bucket(Bucket=name)
    yield client


def refusal(call: Any, **arguments: Any) -> tuple[int, str]:
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    response = caught.value.response
    return response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Code"]


def test_buckets_come_in_pages(s3: Any) -> None:
    first = s3.list_buckets(Prefix="pages-", MaxBuckets=2)
    second = s3.list_buckets(Prefix="pages-", MaxBuckets=2, ContinuationToken=first["ContinuationToken"])
    assert [each["Name"] for each in first["Buckets"]] == ["pages-a", "pages-b"]
    assert [each["Name"] for each in second["Buckets"]] == ["pages-c"]
    assert "ContinuationToken" not in second
    assert {(each["BucketRegion"], each["BucketArn"]) for each in second["Buckets"]} == {
        ("us-east-1", "arn:aws:s3:::pages-c")
    }
    assert s3.list_buckets(BucketRegion="eu-west-1")["Buckets"] == []
    assert refusal(s3.list_buckets, BucketRegion="eu-nowhere-1") == (400, "InvalidArgument")
    assert [each["Name"] for each in s3.list_buckets()["Buckets"]] == [BUCKET, "pages-a", "pages-b", "pages-c"]


def test_a_bucket_says_where_it_is(s3: Any) -> None:
    found = s3.head_bucket(Bucket=BUCKET)
    assert (found["BucketRegion"], found["BucketArn"]) == ("us-east-1", f"arn:aws:s3:::{BUCKET}")
    assert refusal(s3.head_bucket, Bucket="absent-bucket") == (404, "404")


def test_what_a_new_bucket_has(s3: Any) -> None:
    encryption = s3.get_bucket_encryption(Bucket=BUCKET)["ServerSideEncryptionConfiguration"]["Rules"][0]
    assert encryption == {
        "ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"},
        "BucketKeyEnabled": False,
    }
    owned = s3.get_bucket_ownership_controls(Bucket=BUCKET)["OwnershipControls"]["Rules"]
    assert owned == [{"ObjectOwnership": "BucketOwnerEnforced"}]
    blocked = s3.get_public_access_block(Bucket=BUCKET)["PublicAccessBlockConfiguration"]
    assert blocked == dict.fromkeys(
        ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True
    )


def tagging(*tags: tuple[str, str]) -> dict[str, Any]:
    return {"Tagging": {"TagSet": [{"Key": key, "Value": value} for key, value in tags]}}


def encryption(*rules: dict[str, Any]) -> dict[str, Any]:
    return {"ServerSideEncryptionConfiguration": {"Rules": list(rules)}}


def notification(name: str) -> dict[str, Any]:
    target = {
        "QueueArn": "arn:aws:sqs:us-east-1:123456789012:q",
        "Events": ["s3:ObjectCreated:*"],
        "Filter": {"Key": {"FilterRules": [{"Name": name, "Value": "x"}]}},
    }
    return {"NotificationConfiguration": {"QueueConfigurations": [target]}}


AES = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
AES_WITH_KEY = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256", "KMSMasterKeyID": "key"}}


@pytest.mark.parametrize(
    ("operation", "arguments", "code"),
    [
        ("put_bucket_versioning", {"VersioningConfiguration": {"Status": "enabled"}}, "MalformedXML"),
        ("put_bucket_versioning", {"VersioningConfiguration": {}}, "IllegalVersioningConfigurationException"),
        ("put_bucket_encryption", encryption(), "MalformedXML"),
        ("put_bucket_encryption", encryption(AES, AES), "MalformedXML"),
        ("put_bucket_encryption", encryption(AES_WITH_KEY), "InvalidArgument"),
        ("put_bucket_tagging", tagging(("a", "1"), ("a", "2")), "InvalidTag"),
        ("put_bucket_tagging", tagging(("a,b", "1")), "InvalidTag"),
        ("put_bucket_tagging", tagging(("aws:a", "1")), "InvalidTag"),
        ("put_bucket_notification_configuration", notification("infix"), "InvalidArgument"),
        ("put_bucket_policy", {"Policy": "text"}, "MalformedPolicy"),
        ("put_bucket_policy", {"Policy": "{}"}, "MalformedPolicy"),
        ("get_bucket_policy", {"ExpectedBucketOwner": "0000"}, "InvalidBucketOwnerAWSAccountID"),
    ],
)
def test_documents_that_are_refused(s3: Any, operation: str, arguments: dict[str, Any], code: str) -> None:
    assert refusal(getattr(s3, operation), Bucket=BUCKET, **arguments) == (400, code)


def test_a_bucket_of_another_account(s3: Any) -> None:
    other = "210987654321"
    assert refusal(s3.get_bucket_policy, Bucket=BUCKET, ExpectedBucketOwner=other) == (403, "AccessDenied")
