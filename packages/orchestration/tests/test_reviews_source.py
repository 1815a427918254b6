"""Reviews into the raw bucket, and the table beside its source."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from orchestration import pipelines
from orchestration.errors import UsageError
from orchestration.reviews import source, tsv
from orchestration.reviews.check import CategoryCheck, check

BOOKS, TOYS = "product_category=Books/", "product_category=Toys/"


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name, value in (("ACCESS_KEY_ID", "x"), ("SECRET_ACCESS_KEY", "x"), ("DEFAULT_REGION", "us-east-1")):
        monkeypatch.setenv(f"AWS_{name}", value)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        client = boto3.client("s3")
        for bucket in ("raw", "mine"):
            client.create_bucket(Bucket=bucket)
        yield client


def keys(s3: Any, bucket: str = "raw") -> dict[str, bytes]:
    found = s3.list_objects_v2(Bucket=bucket).get("Contents", [])
    return {item["Key"]: s3.get_object(Bucket=bucket, Key=item["Key"])["Body"].read() for item in found}


def put(s3: Any, bucket: str) -> None:
    """What was delivered before: two files of books, one of toys, and something else."""
    for key in (f"reviews/{BOOKS}old.parquet", f"reviews/{BOOKS}a.parquet", f"reviews/{TOYS}a.parquet", "yellow/x"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"old")


def folder(tmp_path: Path, *names: str) -> Path:
    for name in names:
        file = tmp_path / "source" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"new " + name.encode())
    return tmp_path / "source"


def test_a_folder_takes_the_place_of_its_categories(s3: Any, tmp_path: Path) -> None:
    put(s3, "raw")
    given = folder(tmp_path, f"{BOOKS}a.parquet", f"{BOOKS}more/b.parquet", f"{BOOKS}notes.txt", "README.md")
    done = source.deliver(str(given), s3, "raw")
    assert (done.objects, done.categories, done.conversion) == (2, ("Books",), None)
    assert done.bytes == sum(file.stat().st_size for file in given.rglob("*.parquet"))
    assert keys(s3) == {
        f"reviews/{BOOKS}a.parquet": b"new " + BOOKS.encode() + b"a.parquet",
        f"reviews/{BOOKS}more/b.parquet": b"new " + BOOKS.encode() + b"more/b.parquet",
        f"reviews/{TOYS}a.parquet": b"old",
        "yellow/x": b"old",
    }


@pytest.mark.parametrize("uri", ["s3://mine/amazon/parquet", "s3://mine/amazon/parquet/"])
def test_from_bucket_to_bucket(s3: Any, uri: str) -> None:
    put(s3, "raw")
    for name in (f"{BOOKS}b.parquet", f"{TOYS}a.parquet", "_SUCCESS", f"{TOYS}a.crc", "elsewhere/c.parquet"):
        s3.put_object(Bucket="mine", Key=f"amazon/parquet/{name}", Body=b"mine")
    before = keys(s3, "mine")
    done = source.deliver(uri, s3, "raw")
    assert (done.objects, done.bytes, done.categories) == (2, 8, ("Books", "Toys"))
    assert keys(s3) == {f"reviews/{BOOKS}b.parquet": b"mine", f"reviews/{TOYS}a.parquet": b"mine", "yellow/x": b"old"}
    assert keys(s3, "mine") == before


def test_a_whole_bucket(s3: Any) -> None:
    s3.put_object(Bucket="mine", Key=f"{TOYS}a.parquet", Body=b"mine")
    source.deliver("s3://mine", s3, "raw")
    assert keys(s3) == {f"reviews/{TOYS}a.parquet": b"mine"}


def test_tsv_files_with_what_they_reject(s3: Any, tmp_path: Path) -> None:
    good = "US\t1\tR1\tB1\t1\tA title\tBooks\t5\t0\t0\tN\tY\tYes\tGood.\t2015-08-31"
    given = tmp_path / "tsv"
    given.mkdir()
    (given / "amazon_reviews_us_Books_v1_00.tsv").write_text("\t".join(tsv.COLUMNS) + f"\n{good}\nno review\n")
    done = source.deliver(str(given), s3, "raw")
    assert done.conversion == tsv.Conversion(2, 1, {"not_15_fields": 1}, {"Books": 1})
    assert (done.objects, done.categories) == (1, ("Books",))
    parquet, rejected = sorted(keys(s3))
    assert parquet == f"reviews/{BOOKS}amazon_reviews_us_Books_v1_00.parquet"
    assert rejected == "reviews_rejected/amazon_reviews_us_Books_v1_00.jsonl"


def test_where_the_reviews_are_already(s3: Any) -> None:
    put(s3, "raw")
    for uri in ("s3://raw/reviews", "s3://raw/reviews/"):
        with pytest.raises(UsageError) as caught:
            source.deliver(uri, s3, "raw")
        assert str(caught.value) == f"{uri} is where this environment's reviews are; leave --source out"


def test_nothing_to_copy(s3: Any) -> None:
    put(s3, "raw")
    before = keys(s3)
    with pytest.raises(UsageError, match=r"^s3://mine/x holds no product_category=…/\*\.parquet$"):
        source.deliver("s3://mine/x", s3, "raw")
    assert keys(s3) == before


def test_whether_there_are_reviews(s3: Any) -> None:
    assert not source.is_there(s3, "raw")
    put(s3, "raw")
    assert source.is_there(s3, "raw")


def test_folders_that_are_sources(tmp_path: Path) -> None:
    source.check(str(folder(tmp_path / "a", f"{BOOKS}a.parquet")))
    source.check(str(folder(tmp_path / "b", "x.tsv")))
    source.check(str(folder(tmp_path / "c", "x.tsv.gz")))
    with pytest.raises(UsageError, match="holds neither"):
        source.check(str(folder(tmp_path / "d", "a.parquet", f"{BOOKS}readme")))


def test_the_table_beside_its_source() -> None:
    answers = {
        "svv_external_tables": [(1,)],
        "amzreviews.reviews WHERE year >= 2015": [("Books", 3), ("Toys", 2)],
        "public.reviews": [("Books", 3), ("Music", 1)],
    }

    def query(sql: str) -> list[tuple[Any, ...]]:
        return next(rows for words, rows in answers.items() if words in sql)

    pipeline = pipelines.load_daily("reviews")
    found = check(pipeline, query)
    assert found == [CategoryCheck("Books", 3, 3), CategoryCheck("Music", 0, 1), CategoryCheck("Toys", 2, 0)]
    assert [one.agrees for one in found] == [True, False, False]
    answers["svv_external_tables"] = []
    assert check(pipeline, query) == []
