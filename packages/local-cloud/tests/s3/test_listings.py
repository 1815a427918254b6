"""Listings by boto3, checked against what the definition of prefix, delimiter and pages gives on the same keys."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

BUCKET = "listings-test"

#: Plain paths, and what no file system holds under its own name.
KEYS = sorted(
    {
        "a",
        "a.txt",
        "a/",
        "a/b",
        "a/b/c",
        "a/b.txt",
        "a//b",
        "b/1",
        "b/2",
        "b-1",
        "/leading",
        "dots/../up",
        "dots/./here",
        "..",
        "Ünïcode/ключ/😀",
        "space and + plus/%41&<>\"'",
        "x" * 300,
        "z/" + "y/" * 100,
    }
)


@pytest.fixture(scope="module")
def s3(cloud: Any) -> Iterator[Any]:
    client = cloud.client("s3")
    client.create_bucket(Bucket=BUCKET)
    for key in reversed(KEYS):
        client.put_object(Bucket=BUCKET, Key=key, Body=key.encode())
    yield client


def expected(prefix: str, delimiter: str, after: str = "") -> tuple[list[str], list[str]]:
    """Keys and common prefixes, straight from the definition of ListObjects."""
    found: list[str] = []
    prefixes: list[str] = []
    for key in KEYS:
        if not key.startswith(prefix):
            continue
        rest = key[len(prefix) :]
        if delimiter and delimiter in rest:
            common = prefix + rest[: rest.index(delimiter) + len(delimiter)]
            if key > after != common and common not in prefixes:
                prefixes.append(common)
        elif key > after:
            found.append(key)
    return found, prefixes


def gather(pages: Any) -> tuple[list[str], list[str]]:
    found: list[str] = []
    prefixes: list[str] = []
    for page in pages:
        found += [o["Key"] for o in page.get("Contents", [])]
        prefixes += [p["Prefix"] for p in page.get("CommonPrefixes", [])]
    return found, prefixes


def test_every_key_holds_its_own_content(s3: Any, cloud: Any) -> None:
    for key in KEYS:
        assert s3.get_object(Bucket=BUCKET, Key=key)["Body"].read() == key.encode(), key
    outside = {p.name for p in (cloud.state_dir / "s3").iterdir()}
    assert outside == {BUCKET, ".local-cloud"}
    assert not (cloud.state_dir / "up").exists()


@pytest.mark.parametrize("operation", ["list_objects", "list_objects_v2"])
@pytest.mark.parametrize("prefix", ["", "a", "a/", "a/b", "b/", "dots/", "Ünïcode/", "space and", "none", "x", "/"])
@pytest.mark.parametrize("delimiter", ["", "/", "b", "//"])
@pytest.mark.parametrize("page_size", [1, 2, 1000])
def test_pages_of_any_size_make_up_the_whole_listing(
    s3: Any, operation: str, prefix: str, delimiter: str, page_size: int
) -> None:
    pages = s3.get_paginator(operation).paginate(
        Bucket=BUCKET, Prefix=prefix, Delimiter=delimiter, PaginationConfig={"PageSize": page_size}
    )
    seen = list(pages)
    assert gather(seen) == expected(prefix, delimiter)
    for page in seen:
        assert len(page.get("Contents", [])) + len(page.get("CommonPrefixes", [])) <= page_size


@pytest.mark.parametrize("after", ["", "a", "a/b", "a/z", "b", "m", "zzz", "Ü"])
@pytest.mark.parametrize("delimiter", ["", "/"])
def test_start_after_and_marker(s3: Any, after: str, delimiter: str) -> None:
    second = s3.list_objects_v2(Bucket=BUCKET, Delimiter=delimiter, StartAfter=after)
    first = s3.list_objects(Bucket=BUCKET, Delimiter=delimiter, Marker=after)
    assert gather([second]) == expected("", delimiter, after)
    # A marker from under a common prefix hides the rest of it; StartAfter does not.
    keys, prefixes = expected("", delimiter, after)
    assert gather([first]) == (keys, [each for each in prefixes if not after.startswith(each)])


def test_the_answers_of_version_two(s3: Any) -> None:
    page = s3.list_objects_v2(Bucket=BUCKET, Prefix="a", Delimiter="/", MaxKeys=2, FetchOwner=True)
    assert page["KeyCount"] == 2
    assert page["IsTruncated"] is True
    assert (page["Name"], page["Prefix"], page["Delimiter"], page["MaxKeys"]) == (BUCKET, "a", "/", 2)
    entry = page["Contents"][0]
    assert (entry["Key"], entry["Size"], entry["StorageClass"]) == ("a", 1, "STANDARD")
    assert entry["ETag"] == '"0cc175b9c0f1b6a831c399e269772661"'
    assert entry["ChecksumAlgorithm"] == ["CRC32"]
    assert set(entry["Owner"]) == {"ID"}
    assert "Owner" not in s3.list_objects_v2(Bucket=BUCKET, MaxKeys=1)["Contents"][0]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [({"ContinuationToken": "?"}, "InvalidArgument"), ({"ContinuationToken": ""}, "InvalidArgument")],
)
def test_a_token_that_s3_never_gave_is_refused(s3: Any, arguments: dict[str, str], code: str) -> None:
    with pytest.raises(ClientError) as caught:
        s3.list_objects_v2(Bucket=BUCKET, **arguments)
    assert caught.value.response["Error"]["Code"] == code


def test_no_keys_at_all(s3: Any) -> None:
    page = s3.list_objects_v2(Bucket=BUCKET, MaxKeys=0)
    assert (page["KeyCount"], page["IsTruncated"]) == (0, False)


def test_a_key_and_its_folder_can_come_and_go_in_any_order(s3: Any) -> None:
    bucket = "conflicts-test"
    s3.create_bucket(Bucket=bucket)

    def keys() -> list[str]:
        return [o["Key"] for o in s3.list_objects_v2(Bucket=bucket).get("Contents", [])]

    for first, second in (("p", "p/q"), ("p/q", "p"), ("p/q/r", "p/q"), ("p/q", "p/q/r")):
        for key in (first, second, second, first):
            s3.put_object(Bucket=bucket, Key=key, Body=key.encode())
        assert keys() == sorted([first, second])
        s3.delete_object(Bucket=bucket, Key=first)
        assert keys() == [second]
        s3.put_object(Bucket=bucket, Key=second, Body=b"again")  # may move to its own name now
        assert s3.get_object(Bucket=bucket, Key=second)["Body"].read() == b"again"
        assert keys() == [second]
        s3.delete_object(Bucket=bucket, Key=second)
        assert keys() == []
    s3.delete_bucket(Bucket=bucket)


def test_control_characters_survive_the_listing(s3: Any) -> None:
    bucket = "control-test"
    s3.create_bucket(Bucket=bucket)
    key = "line\nfeed\ttab\x01\x7f"
    s3.put_object(Bucket=bucket, Key=key, Body=b"")
    assert gather([s3.list_objects_v2(Bucket=bucket)]) == ([key], [])
