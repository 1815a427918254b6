"""Versioned buckets: https://docs.aws.amazon.com/AmazonS3/latest/userguide/versioning-workflows.html"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError


@pytest.fixture
def bucket(cloud: Any, request: pytest.FixtureRequest) -> Iterator[str]:
    name = request.node.name.replace("_", "-").replace("[", "-").replace("]", "")[:60].strip("-")
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket=name)
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    yield name


@pytest.fixture
def s3(cloud: Any) -> Any:
    return cloud.client("s3")


def history(s3: Any, bucket: str, **arguments: Any) -> list[tuple[str, str, str, bool]]:
    """(key, kind, version id, latest) of everything, versions before markers as boto3 parts them."""
    page = s3.list_object_versions(Bucket=bucket, **arguments)
    versions = [(v["Key"], "version", v["VersionId"], v["IsLatest"]) for v in page.get("Versions", [])]
    markers = [(m["Key"], "marker", m["VersionId"], m["IsLatest"]) for m in page.get("DeleteMarkers", [])]
    return versions + markers


def suspend(s3: Any, bucket: str) -> None:
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Suspended"})


def body(s3: Any, bucket: str, key: str = "k", **arguments: Any) -> bytes:
    return bytes(s3.get_object(Bucket=bucket, Key=key, **arguments)["Body"].read())


def code(call: Any, **arguments: Any) -> tuple[int, str]:
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    response = caught.value.response
    return response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Code"]


def test_each_put_is_a_version(s3: Any, bucket: str) -> None:
    ids = [s3.put_object(Bucket=bucket, Key="k", Body=text)["VersionId"] for text in (b"1", b"2", b"3")]
    assert len(set(ids)) == 3
    assert body(s3, bucket) == b"3"
    assert [body(s3, bucket, VersionId=version) for version in ids] == [b"1", b"2", b"3"]
    assert history(s3, bucket) == [("k", "version", v, v == ids[2]) for v in reversed(ids)]
    assert s3.head_object(Bucket=bucket, Key="k")["VersionId"] == ids[2]
    assert s3.head_object(Bucket=bucket, Key="k", VersionId=ids[0])["ContentLength"] == 1


def test_a_delete_is_a_marker(s3: Any, bucket: str) -> None:
    version = s3.put_object(Bucket=bucket, Key="k", Body=b"1")["VersionId"]
    deleted = s3.delete_object(Bucket=bucket, Key="k")
    marker = deleted["VersionId"]
    assert deleted["DeleteMarker"] is True
    assert history(s3, bucket) == [("k", "version", version, False), ("k", "marker", marker, True)]
    with pytest.raises(ClientError) as caught:
        s3.get_object(Bucket=bucket, Key="k")
    assert caught.value.response["Error"]["Code"] == "NoSuchKey"
    assert caught.value.response["ResponseMetadata"]["HTTPHeaders"]["x-amz-delete-marker"] == "true"
    assert code(s3.get_object, Bucket=bucket, Key="k", VersionId=marker) == (405, "MethodNotAllowed")
    assert body(s3, bucket, VersionId=version) == b"1"
    assert "Contents" not in s3.list_objects_v2(Bucket=bucket)
    assert code(s3.delete_bucket, Bucket=bucket) == (409, "BucketNotEmpty")
    # Without the marker the object is back.
    undone = s3.delete_object(Bucket=bucket, Key="k", VersionId=marker)
    assert (undone["DeleteMarker"], undone["VersionId"]) == (True, marker)
    assert body(s3, bucket) == b"1"
    assert history(s3, bucket) == [("k", "version", version, True)]


def test_deleting_versions_for_good(s3: Any, bucket: str, cloud: Any) -> None:
    ids = [s3.put_object(Bucket=bucket, Key="k", Body=text)["VersionId"] for text in (b"1", b"2", b"3")]
    s3.delete_object(Bucket=bucket, Key="k", VersionId=ids[1])
    assert body(s3, bucket) == b"3"
    s3.delete_object(Bucket=bucket, Key="k", VersionId=ids[2])
    assert body(s3, bucket) == b"1"
    assert (cloud.state_dir / "s3" / bucket / "k").read_bytes() == b"1"
    assert history(s3, bucket) == [("k", "version", ids[0], True)]
    assert code(s3.get_object, Bucket=bucket, Key="k", VersionId=ids[2]) == (404, "NoSuchVersion")
    s3.delete_object(Bucket=bucket, Key="k", VersionId=ids[0])
    assert history(s3, bucket) == []
    s3.delete_bucket(Bucket=bucket)


def test_a_marker_for_what_never_was(s3: Any, bucket: str) -> None:
    marker = s3.delete_object(Bucket=bucket, Key="never")["VersionId"]
    assert history(s3, bucket) == [("never", "marker", marker, True)]


def test_objects_from_before_versioning_have_the_null_version(s3: Any, bucket: str) -> None:
    plain = f"{bucket[:50]}-plain"
    s3.create_bucket(Bucket=plain)
    assert "VersionId" not in s3.put_object(Bucket=plain, Key="k", Body=b"old")
    s3.put_bucket_versioning(Bucket=plain, VersioningConfiguration={"Status": "Enabled"})
    new = s3.put_object(Bucket=plain, Key="k", Body=b"new")["VersionId"]
    assert history(s3, plain) == [("k", "version", new, True), ("k", "version", "null", False)]
    assert body(s3, plain, VersionId="null") == b"old"


def test_suspended_buckets_overwrite_the_null_version_only(s3: Any, bucket: str) -> None:
    first = s3.put_object(Bucket=bucket, Key="k", Body=b"1")["VersionId"]
    suspend(s3, bucket)
    assert "VersionId" not in s3.put_object(Bucket=bucket, Key="k", Body=b"2")
    copied = s3.copy_object(Bucket=bucket, Key="k", CopySource=f"{bucket}/k", MetadataDirective="REPLACE")
    assert (copied["VersionId"], "CopySourceVersionId" in copied) == ("null", False)
    s3.put_object(Bucket=bucket, Key="k", Body=b"3")
    assert history(s3, bucket) == [("k", "version", "null", True), ("k", "version", first, False)]
    assert body(s3, bucket) == b"3"
    assert s3.delete_object(Bucket=bucket, Key="k")["VersionId"] == "null"
    assert history(s3, bucket) == [("k", "version", first, False), ("k", "marker", "null", True)]
    s3.put_object(Bucket=bucket, Key="k", Body=b"4")
    assert history(s3, bucket) == [("k", "version", "null", True), ("k", "version", first, False)]


def test_pages_of_versions(s3: Any, bucket: str) -> None:
    expected = []
    for key in ("a", "b/1", "b/2", "c"):
        ids = [s3.put_object(Bucket=bucket, Key=key, Body=b"x")["VersionId"] for _ in range(3)]
        expected += [(key, version) for version in reversed(ids)]
    pages = s3.get_paginator("list_object_versions").paginate(Bucket=bucket, PaginationConfig={"PageSize": 2})
    assert [(v["Key"], v["VersionId"]) for page in pages for v in page["Versions"]] == expected
    page = s3.list_object_versions(Bucket=bucket, Delimiter="/", MaxKeys=4)
    assert [v["Key"] for v in page["Versions"]] == ["a"] * 3
    assert (page["CommonPrefixes"], page["NextKeyMarker"]) == ([{"Prefix": "b/"}], "b/")
    rest = s3.list_object_versions(Bucket=bucket, Delimiter="/", KeyMarker=page["NextKeyMarker"])
    assert [v["Key"] for v in rest["Versions"]] == ["c"] * 3


def test_copies_and_tags_of_a_version(s3: Any, bucket: str) -> None:
    first = s3.put_object(Bucket=bucket, Key="k", Body=b"1", Tagging="n=1")["VersionId"]
    s3.put_object(Bucket=bucket, Key="k", Body=b"2", Tagging="n=2")
    source = {"Bucket": bucket, "Key": "k", "VersionId": first}
    copied = s3.copy_object(Bucket=bucket, Key="copy", CopySource=source)
    assert copied["CopySourceVersionId"] == first
    assert body(s3, bucket, "copy") == b"1"
    tags = s3.get_object_tagging(Bucket=bucket, Key="k", VersionId=first)
    assert (tags["VersionId"], tags["TagSet"]) == (first, [{"Key": "n", "Value": "1"}])
    s3.put_object_tagging(Bucket=bucket, Key="k", VersionId=first, Tagging={"TagSet": []})
    assert s3.get_object_tagging(Bucket=bucket, Key="k")["TagSet"] == [{"Key": "n", "Value": "2"}]


def test_delete_objects_with_and_without_versions(s3: Any, bucket: str) -> None:
    version = s3.put_object(Bucket=bucket, Key="a", Body=b"")["VersionId"]
    s3.put_object(Bucket=bucket, Key="b", Body=b"")
    wanted = [{"Key": "a", "VersionId": version}, {"Key": "b"}]
    deleted = s3.delete_objects(Bucket=bucket, Delete={"Objects": wanted})["Deleted"]
    assert deleted[0] == {"Key": "a", "VersionId": version}
    assert (deleted[1]["Key"], deleted[1]["DeleteMarker"]) == ("b", True)
    assert history(s3, bucket)[-1] == ("b", "marker", deleted[1]["DeleteMarkerVersionId"], True)


def test_multipart_uploads_make_versions(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"single")
    upload = s3.create_multipart_upload(Bucket=bucket, Key="k")["UploadId"]
    part = s3.upload_part(Bucket=bucket, Key="k", UploadId=upload, PartNumber=1, Body=b"parts")
    done = s3.complete_multipart_upload(
        Bucket=bucket,
        Key="k",
        UploadId=upload,
        MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]},
    )
    assert [v for _, _, v, latest in history(s3, bucket) if latest] == [done["VersionId"]]
    assert len(history(s3, bucket)) == 2


def test_versions_of_keys_that_lie_aside(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="a", Body=b"file")
    ids = [s3.put_object(Bucket=bucket, Key="a/b", Body=text)["VersionId"] for text in (b"1", b"2")]
    assert [body(s3, bucket, "a/b", VersionId=version) for version in ids] == [b"1", b"2"]
    s3.delete_object(Bucket=bucket, Key="a/b", VersionId=ids[1])
    assert body(s3, bucket, "a/b") == b"1"
    s3.delete_object(Bucket=bucket, Key="a/b")
    assert [v[:2] for v in history(s3, bucket, Prefix="a/")] == [("a/b", "version"), ("a/b", "marker")]


def test_a_file_changed_behind_the_api_takes_the_current_versions_place(s3: Any, bucket: str, cloud: Any) -> None:
    ids = [s3.put_object(Bucket=bucket, Key="k", Body=text)["VersionId"] for text in (b"1", b"2")]
    (cloud.state_dir / "s3" / bucket / "k").write_bytes(b"from outside")
    assert body(s3, bucket) == b"from outside"
    found = history(s3, bucket)
    assert [latest for *_, latest in found] == [True, False]
    assert found[1][2] == ids[0]
    assert found[0][2] not in ids
    assert body(s3, bucket, VersionId=ids[0]) == b"1"


def test_an_id_that_no_version_has_had_is_refused_and_one_that_is_gone_is_not(s3: Any, bucket: str) -> None:
    gone = s3.put_object(Bucket=bucket, Key="k", Body=b"1")["VersionId"]
    for _ in range(2):
        s3.delete_object(Bucket=bucket, Key="k", VersionId=gone)
    with pytest.raises(ClientError, match=r"InvalidArgument.*Invalid version id specified"):
        s3.delete_object(Bucket=bucket, Key="k", VersionId="a" * 32)
    with pytest.raises(ClientError, match="NoSuchVersion"):
        s3.get_object(Bucket=bucket, Key="k", VersionId=gone)
    objects = [{"Key": "k", "VersionId": gone}, {"Key": "k", "VersionId": "a" * 32}]
    answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": objects})
    assert answer["Deleted"] == objects[:1]
    assert [(each["Code"], each["VersionId"]) for each in answer["Errors"]] == [("NoSuchVersion", "a" * 32)]


def test_tags_of_a_delete_marker(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"1")
    s3.delete_object(Bucket=bucket, Key="k")
    with pytest.raises(ClientError, match="MethodNotAllowed"):
        s3.get_object_tagging(Bucket=bucket, Key="k")
