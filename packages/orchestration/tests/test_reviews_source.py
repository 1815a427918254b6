"""Reviews into the raw bucket, and the table beside its source."""

from __future__ import annotations

import gzip
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


def review(category: str) -> str:
    return f"US\t1\tR1\tB1\t1\tA title\t{category}\t5\t0\t0\tN\tY\tYes\tGood.\t2015-08-31"


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
    given = tmp_path / "tsv"
    given.mkdir()
    (given / "amazon_reviews_us_Books_v1_00.tsv").write_text(
        "\t".join(tsv.COLUMNS) + f"\n{review('Books')}\nno review\n"
    )
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
    with pytest.raises(UsageError, match=r"^s3://raw/reviews/ is empty: give reviews a --source"):
        source.check_delivered(s3, "raw")
    put(s3, "raw")
    source.check_delivered(s3, "raw")


class Cut(Exception):
    pass


class CutShort:
    """An S3 client that is gone after so many changes, as a process is that was killed."""

    CHANGES = ("put_object", "upload_file", "copy", "delete_objects")

    def __init__(self, s3: Any, changes: int) -> None:
        self.s3, self.left = s3, changes

    def __getattr__(self, name: str) -> Any:
        if name in self.CHANGES:
            self.left -= 1
            if self.left < 0:
                raise Cut
        return getattr(self.s3, name)


@pytest.mark.parametrize("kind", ["folder", "s3", "tsv"])
def test_a_delivery_that_is_cut_short_is_read_by_nobody(s3: Any, tmp_path: Path, kind: str) -> None:
    """Wherever it ends: the folders are as they were, or whole, or hold what no reader of Parquet passes."""
    names = [f"{BOOKS}b.parquet", f"{BOOKS}c.parquet", f"{TOYS}a.parquet"]
    given = str(folder(tmp_path, *names)) if kind == "folder" else "s3://mine"
    for name in names:
        s3.put_object(Bucket="mine", Key=name, Body=b"new")
    if kind == "tsv":
        given = str(folder(tmp_path, "one.tsv", "two.tsv.gz"))
        for name, text in (("one.tsv", [review("Books"), review("Toys")]), ("two.tsv.gz", [review("Books")])):
            data = "\n".join(["\t".join(tsv.COLUMNS), *text]).encode()
            (Path(given) / name).write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    put(s3, "raw")
    before = keys(s3)
    for changes in range(100):
        try:
            source.deliver(given, CutShort(s3, changes), "raw")
        except Cut:
            now = keys(s3)
            touched = {key.split("/")[1] for key in now.keys() ^ before.keys() if key.startswith("reviews/")}
            touched |= {key.split("/")[1] for key in now.keys() & before.keys() if now[key] != before[key]}
            guarded = {key.split("/")[1] for key in now if key.endswith(f"/{source.UNDER_WAY}")}
            assert touched - guarded == set(), f"after {changes} changes"
            if guarded:
                with pytest.raises(UsageError, match=r"^a delivery is under way or was cut short: s3://raw/reviews/"):
                    source.check_delivered(s3, "raw")
            continue
        break
    assert changes > 5
    source.check_delivered(s3, "raw")
    left = sorted(key.removeprefix("reviews/") for key in keys(s3) if key.startswith("reviews/"))
    assert left == (names if kind != "tsv" else [f"{BOOKS}one.parquet", f"{BOOKS}two.parquet", f"{TOYS}one.parquet"])


def test_from_a_bucket_that_is_being_replaced(s3: Any) -> None:
    for name in (f"{TOYS}a.parquet", f"{BOOKS}b.parquet", f"{BOOKS}{source.UNDER_WAY}"):
        s3.put_object(Bucket="mine", Key=name, Body=b"mine")
    put(s3, "raw")
    before = keys(s3)
    with pytest.raises(UsageError, match=f"^the source holds {BOOKS}{source.UNDER_WAY}: it is itself being replaced"):
        source.deliver("s3://mine", s3, "raw")
    assert keys(s3) == before


def test_folders_that_are_sources(tmp_path: Path) -> None:
    source.check(str(folder(tmp_path / "a", f"{BOOKS}a.parquet")))
    source.check(str(folder(tmp_path / "b", "x.tsv")))
    source.check(str(folder(tmp_path / "c", "x.tsv.gz")))
    with pytest.raises(UsageError, match="holds neither"):
        source.check(str(folder(tmp_path / "d", "a.parquet", f"{BOOKS}readme")))
    with pytest.raises(UsageError, match="deliver one or the other"):
        source.check(str(folder(tmp_path / "e", "x.tsv", f"{BOOKS}a.parquet")))


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
