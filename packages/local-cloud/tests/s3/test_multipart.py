"""Multipart uploads by boto3, single calls and boto3's own transfers."""

from __future__ import annotations

import base64
import hashlib
import random
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from awscrt import checksums as crt
from boto3.s3.transfer import TransferConfig
from botocore.exceptions import ClientError

BUCKET = "multipart-test"
MIB = 1 << 20
PARTS = [random.Random(n).randbytes(size) for n, size in enumerate((5 * MIB, 5 * MIB + 7, 100))]
WHOLE = b"".join(PARTS)
ETAG = f'"{hashlib.md5(b"".join(hashlib.md5(part).digest() for part in PARTS)).hexdigest()}-3"'


@pytest.fixture(scope="module")
def s3(cloud: Any) -> Iterator[Any]:
    client = cloud.client("s3")
    client.create_bucket(Bucket=BUCKET)
    yield client


def begin(s3: Any, key: str, **arguments: Any) -> dict[str, str]:
    upload = s3.create_multipart_upload(Bucket=BUCKET, Key=key, **arguments)
    return {"Bucket": BUCKET, "Key": key, "UploadId": upload["UploadId"]}


def send(s3: Any, upload: dict[str, str], parts: list[bytes] = PARTS, **arguments: Any) -> list[dict[str, Any]]:
    sent = []
    for number, part in enumerate(parts, 1):
        answer = s3.upload_part(**upload, PartNumber=number, Body=part, **arguments)
        checksum = {k: v for k, v in answer.items() if k.startswith("Checksum")} if arguments else {}
        sent.append({"PartNumber": number, "ETag": answer["ETag"], **checksum})
    return sent


def code(call: Any, **arguments: Any) -> tuple[int, str]:
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    response = caught.value.response
    return response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Code"]


def test_parts_become_one_object(s3: Any) -> None:
    upload = begin(s3, "whole", Metadata={"a": "1"}, ContentType="x/y", Tagging="t=1")
    parts = send(s3, upload)
    assert code(s3.head_object, Bucket=BUCKET, Key="whole") == (404, "404")
    done = s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts})
    crc64 = base64.b64encode(crt.crc64nvme(WHOLE).to_bytes(8, "big")).decode()
    assert (done["ETag"], done["ChecksumCRC64NVME"], done["ChecksumType"]) == (ETAG, crc64, "FULL_OBJECT")
    got = s3.get_object(Bucket=BUCKET, Key="whole")
    assert got["Body"].read() == WHOLE
    assert (got["ETag"], got["Metadata"], got["ContentType"], got["TagCount"]) == (ETAG, {"a": "1"}, "x/y", 1)
    assert code(s3.list_parts, **upload) == (404, "NoSuchUpload")


def test_parts_can_be_read_one_by_one(s3: Any) -> None:
    upload = begin(s3, "by-part")
    s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": send(s3, upload)})
    for number, part in enumerate(PARTS, 1):
        got = s3.get_object(Bucket=BUCKET, Key="by-part", PartNumber=number)
        assert (got["Body"].read(), got["PartsCount"]) == (part, 3)
    first, last = len(PARTS[0]) + len(PARTS[1]), len(WHOLE) - 1
    head = s3.head_object(Bucket=BUCKET, Key="by-part", PartNumber=3)
    assert head["ContentRange"] == f"bytes {first}-{last}/{len(WHOLE)}"
    assert code(s3.get_object, Bucket=BUCKET, Key="by-part", PartNumber=4) == (416, "InvalidPartNumber")


@pytest.mark.parametrize(
    ("algorithm", "kind"),
    [
        ("CRC32", "COMPOSITE"),
        ("CRC32", "FULL_OBJECT"),
        ("CRC32C", "FULL_OBJECT"),
        ("CRC64NVME", "FULL_OBJECT"),
        ("SHA256", "COMPOSITE"),
    ],
)
def test_checksums_of_parts_and_whole(s3: Any, algorithm: str, kind: str) -> None:
    upload = begin(s3, f"sum-{algorithm}-{kind}", ChecksumAlgorithm=algorithm, ChecksumType=kind)
    parts = send(s3, upload, ChecksumAlgorithm=algorithm)
    listed = s3.list_parts(**upload)
    name = f"Checksum{algorithm}"
    assert (listed["ChecksumAlgorithm"], listed["ChecksumType"]) == (algorithm, kind)
    assert [p[name] for p in listed["Parts"]] == [p[name] for p in parts]
    wrong = [parts[0], {**parts[1], name: parts[0][name]}, parts[2]]
    assert code(s3.complete_multipart_upload, **upload, MultipartUpload={"Parts": wrong}) == (400, "InvalidPart")
    done = s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts}, ChecksumType=kind)

    def digest(data: bytes) -> bytes:
        whole = {
            "CRC32": lambda: zlib.crc32(data).to_bytes(4, "big"),
            "CRC32C": lambda: crt.crc32c(data).to_bytes(4, "big"),
            "CRC64NVME": lambda: crt.crc64nvme(data).to_bytes(8, "big"),
            "SHA256": lambda: hashlib.sha256(data).digest(),
        }
        return whole[algorithm]()

    if kind == "COMPOSITE":
        expected = base64.b64encode(digest(b"".join(digest(part) for part in PARTS))).decode() + "-3"
    else:
        expected = base64.b64encode(digest(WHOLE)).decode()
    assert (done[name], done["ChecksumType"]) == (expected, kind)
    got = s3.get_object(Bucket=BUCKET, Key=upload["Key"], ChecksumMode="ENABLED")
    assert got[name] == expected
    assert got["Body"].read() == WHOLE
    wanted = ["ObjectParts", "Checksum"]
    attributes = s3.get_object_attributes(Bucket=BUCKET, Key=upload["Key"], ObjectAttributes=wanted)
    assert attributes["ObjectParts"]["TotalPartsCount"] == 3
    assert len(attributes["ObjectParts"].get("Parts", [])) == (3 if kind == "COMPOSITE" else 0)


@pytest.mark.parametrize(("algorithm", "kind"), [("SHA256", "FULL_OBJECT"), ("CRC64NVME", "COMPOSITE")])
def test_checksum_types_that_do_not_go_together(s3: Any, algorithm: str, kind: str) -> None:
    arguments = {"Bucket": BUCKET, "Key": "k", "ChecksumAlgorithm": algorithm, "ChecksumType": kind}
    assert code(s3.create_multipart_upload, **arguments) == (400, "InvalidRequest")


def test_a_part_of_another_algorithm(s3: Any) -> None:
    upload = begin(s3, "mixed", ChecksumAlgorithm="SHA256")
    part = {**upload, "PartNumber": 1, "Body": b"x", "ChecksumAlgorithm": "CRC32"}
    assert code(s3.upload_part, **part) == (400, "InvalidRequest")


def test_refused_completions_leave_the_upload(s3: Any) -> None:
    upload = begin(s3, "refused")
    parts = send(s3, upload)
    cases: list[tuple[list[dict[str, Any]], str]] = [
        ([parts[1], parts[0]], "InvalidPartOrder"),
        ([parts[0], {**parts[1], "PartNumber": 9}], "InvalidPart"),
        ([{**parts[0], "ETag": '"0"'}], "InvalidPart"),
        ([parts[2], {**parts[2], "PartNumber": 4}], "InvalidPart"),
    ]
    for chosen, expected in cases:
        call = s3.complete_multipart_upload
        assert code(call, **upload, MultipartUpload={"Parts": chosen}) == (400, expected)
    small = begin(s3, "small")
    tiny = send(s3, small, [b"tiny", b"last"])
    assert code(s3.complete_multipart_upload, **small, MultipartUpload={"Parts": tiny}) == (400, "EntityTooSmall")
    wrong_size = {"MultipartUpload": {"Parts": parts}, "MpuObjectSize": 1}
    assert code(s3.complete_multipart_upload, **upload, **wrong_size) == (400, "InvalidRequest")
    s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts}, MpuObjectSize=len(WHOLE))


def test_a_part_sent_twice_counts_once(s3: Any) -> None:
    upload = begin(s3, "twice")
    s3.upload_part(**upload, PartNumber=1, Body=b"old")
    part = s3.upload_part(**upload, PartNumber=1, Body=b"new")
    parts = [{"PartNumber": 1, "ETag": part["ETag"]}]
    s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts})
    assert s3.get_object(Bucket=BUCKET, Key="twice")["Body"].read() == b"new"


def test_write_once_holds_for_completions(s3: Any) -> None:
    s3.put_object(Bucket=BUCKET, Key="exists", Body=b"first")
    upload = begin(s3, "exists")
    part = s3.upload_part(**upload, PartNumber=1, Body=b"second")
    done = {"MultipartUpload": {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}, "IfNoneMatch": "*"}
    assert code(s3.complete_multipart_upload, **upload, **done) == (412, "PreconditionFailed")
    assert s3.get_object(Bucket=BUCKET, Key="exists")["Body"].read() == b"first"


def test_parts_copied_from_objects(s3: Any) -> None:
    s3.put_object(Bucket=BUCKET, Key="source", Body=WHOLE)
    upload = begin(s3, "copied")
    source = {"Bucket": BUCKET, "Key": "source"}
    split = len(PARTS[0])
    ranges = [f"bytes=0-{split - 1}", f"bytes={split}-{len(WHOLE) - 1}"]
    parts = []
    for number, asked in enumerate(ranges, 1):
        copied = s3.upload_part_copy(**upload, PartNumber=number, CopySource=source, CopySourceRange=asked)
        parts.append({"PartNumber": number, "ETag": copied["CopyPartResult"]["ETag"]})
    s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts})
    assert s3.get_object(Bucket=BUCKET, Key="copied")["Body"].read() == WHOLE
    again = begin(s3, "copied-badly")
    for bad in ("bytes=0-", f"bytes=0-{len(WHOLE)}", "0-1"):
        call = {**again, "PartNumber": 1, "CopySource": source, "CopySourceRange": bad}
        assert code(s3.upload_part_copy, **call) == (400, "InvalidArgument")
    s3.put_object(Bucket=BUCKET, Key="small", Body=b"0123456789")
    small = {**again, "PartNumber": 1, "CopySource": {"Bucket": BUCKET, "Key": "small"}}
    copied = s3.upload_part_copy(**small, CopySourceRange="bytes=2-4")
    assert copied["CopyPartResult"]["ETag"] == f'"{hashlib.md5(b"234").hexdigest()}"'


def test_abort_and_what_is_unknown(s3: Any, cloud: Any) -> None:
    upload = begin(s3, "aborted")
    s3.upload_part(**upload, PartNumber=1, Body=b"x")
    s3.abort_multipart_upload(**upload)
    assert not (cloud.state_dir / "s3/.local-cloud/uploads" / upload["UploadId"]).exists()
    unknown = (404, "NoSuchUpload")
    assert code(s3.abort_multipart_upload, **upload) == unknown
    assert code(s3.upload_part, **upload, PartNumber=1, Body=b"x") == unknown
    assert code(s3.upload_part, **begin(s3, "n"), PartNumber=10_001, Body=b"x") == (400, "InvalidArgument")
    other_key = {**begin(s3, "one"), "Key": "another"}
    assert code(s3.list_parts, **other_key) == unknown


def test_lists_of_parts_and_uploads(s3: Any) -> None:
    s3.create_bucket(Bucket="uploads-test")
    ids: dict[str, list[str]] = {}
    for key in ("a/1", "a/1", "a/2", "b"):
        answer = s3.create_multipart_upload(Bucket="uploads-test", Key=key)
        ids.setdefault(key, []).append(answer["UploadId"])
    pages = s3.get_paginator("list_multipart_uploads").paginate(Bucket="uploads-test", PaginationConfig={"PageSize": 1})
    seen = [(u["Key"], u["UploadId"]) for page in pages for u in page.get("Uploads", [])]
    assert seen == [(key, upload) for key in ids for upload in ids[key]]
    folded = s3.list_multipart_uploads(Bucket="uploads-test", Delimiter="/")
    assert [u["Key"] for u in folded["Uploads"]] == ["b"]
    assert folded["CommonPrefixes"] == [{"Prefix": "a/"}]
    upload = {"Bucket": "uploads-test", "Key": "b", "UploadId": ids["b"][0]}
    for number in (3, 1, 7):
        s3.upload_part(**upload, PartNumber=number, Body=b"x" * number)
    pages = s3.get_paginator("list_parts").paginate(**upload, PaginationConfig={"PageSize": 1})
    assert [(p["PartNumber"], p["Size"]) for page in pages for p in page["Parts"]] == [(1, 1), (3, 3), (7, 7)]
    s3.delete_bucket(Bucket="uploads-test")  # unfinished uploads do not keep a bucket


def test_transfers_of_boto3(s3: Any, tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(WHOLE * 2)
    config = TransferConfig(multipart_threshold=5 * MIB, multipart_chunksize=5 * MIB)
    s3.upload_file(str(source), BUCKET, "transfer", Config=config, ExtraArgs={"Metadata": {"m": "1"}})
    s3.download_file(BUCKET, "transfer", str(target), Config=config)
    assert target.read_bytes() == WHOLE * 2
    s3.copy({"Bucket": BUCKET, "Key": "transfer"}, BUCKET, "transferred", Config=config)
    head = s3.head_object(Bucket=BUCKET, Key="transferred")
    assert (head["ContentLength"], head["Metadata"]) == (2 * len(WHOLE), {"m": "1"})
    assert head["ETag"].endswith('-5"')


def test_a_completion_is_idempotent_until_the_object_is_another(s3: Any) -> None:
    upload = begin(s3, "twice")
    done = {"MultipartUpload": {"Parts": [{"PartNumber": 1, "ETag": send(s3, upload, [b"x"])[0]["ETag"]}]}}
    first = s3.complete_multipart_upload(**upload, **done)
    assert s3.complete_multipart_upload(**upload, **done)["ETag"] == first["ETag"]
    s3.put_object(Bucket=BUCKET, Key="twice", Body=b"another")
    assert code(s3.complete_multipart_upload, **upload, **done) == (404, "NoSuchUpload")


def test_a_composite_checksum_wants_that_of_each_part(s3: Any) -> None:
    upload = begin(s3, "composite", ChecksumAlgorithm="SHA256")
    part = s3.upload_part(**upload, PartNumber=1, Body=b"x", ChecksumAlgorithm="SHA256")
    bare = {"PartNumber": 1, "ETag": part["ETag"]}
    assert code(s3.complete_multipart_upload, **upload, MultipartUpload={"Parts": [bare]}) == (400, "InvalidRequest")
    for nothing in ({"MultipartUpload": {"Parts": []}}, {}):
        assert code(s3.complete_multipart_upload, **upload, **nothing) == (400, "InvalidRequest")
    whole = bare | {"ChecksumSHA256": part["ChecksumSHA256"]}
    other = {"MultipartUpload": {"Parts": [whole]}, "ChecksumType": "FULL_OBJECT"}
    assert code(s3.complete_multipart_upload, **upload, **other) == (400, "InvalidRequest")
    s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": [whole]})


def test_a_condition_on_what_was_written_since_the_upload_began_conflicts(s3: Any) -> None:
    before = s3.put_object(Bucket=BUCKET, Key="raced", Body=b"1")["ETag"]
    upload = begin(s3, "raced")
    done = {"MultipartUpload": {"Parts": [{"PartNumber": 1, "ETag": send(s3, upload, [b"x"])[0]["ETag"]}]}}
    since = s3.put_object(Bucket=BUCKET, Key="raced", Body=b"2")["ETag"]
    assert code(s3.complete_multipart_upload, **upload, **done, IfMatch=before) == (412, "PreconditionFailed")
    assert code(s3.complete_multipart_upload, **upload, **done, IfMatch=since) == (409, "ConditionalRequestConflict")
    again = begin(s3, "raced")
    done = {"MultipartUpload": {"Parts": [{"PartNumber": 1, "ETag": send(s3, again, [b"x"])[0]["ETag"]}]}}
    s3.complete_multipart_upload(**again, **done, IfMatch=since)


def test_the_marker_of_an_upload_belongs_to_its_key(s3: Any) -> None:
    first, second = begin(s3, "marked/a"), begin(s3, "marked/b")
    page = s3.list_multipart_uploads(Bucket=BUCKET, Prefix="marked/", MaxUploads=1)
    assert (page["NextKeyMarker"], page["NextUploadIdMarker"]) == ("marked/a", first["UploadId"])
    after = {"KeyMarker": page["NextKeyMarker"], "UploadIdMarker": page["NextUploadIdMarker"]}
    rest = s3.list_multipart_uploads(Bucket=BUCKET, Prefix="marked/", **after)
    assert [each["UploadId"] for each in rest["Uploads"]] == [second["UploadId"]]
    wrong = after | {"KeyMarker": "marked/b"}
    assert code(s3.list_multipart_uploads, Bucket=BUCKET, Prefix="marked/", **wrong) == (400, "InvalidArgument")
