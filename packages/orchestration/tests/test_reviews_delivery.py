"""A delivery of reviews into the raw bucket: what is looked at first, what is refused, and what is put in place."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import deliveries
import pytest
from moto import mock_aws

from orchestration import pipelines
from orchestration.errors import UsageError
from orchestration.reviews import delivery, footers, placing, source, tsv
from orchestration.reviews.conversion import Converted
from orchestration.reviews.delivery import Delivery, Rows

PIPELINE = pipelines.load_daily("reviews")
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


def deliver(given: str | Path, s3: Any) -> Delivery:
    with delivery.prepare(str(given), s3, "raw", pipeline=PIPELINE) as done:
        placing.place(done, s3, "raw")
    return done


def keys(s3: Any, bucket: str = "raw") -> dict[str, bytes]:
    found = s3.list_objects_v2(Bucket=bucket).get("Contents", [])
    return {item["Key"]: s3.get_object(Bucket=bucket, Key=item["Key"])["Body"].read() for item in found}


def put(s3: Any, bucket: str) -> None:
    """What was delivered before: two files of books, one of toys, and something else."""
    for key in (f"reviews/{BOOKS}old.parquet", f"reviews/{BOOKS}a.parquet", f"reviews/{TOYS}a.parquet", "yellow/x"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"old")


def folder(tmp_path: Path, *names: str, **changed: Any) -> Path:
    """A source: reviews in what is Parquet by its name, text in the rest."""
    for name in names:
        file = tmp_path / "source" / name
        if name.endswith(".parquet"):
            deliveries.write(file, **changed)
        else:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(name)
    return tmp_path / "source"


def in_bucket(s3: Any, given: Path, prefix: str = "") -> None:
    for file in given.rglob("*"):
        if file.is_file():
            s3.put_object(Bucket="mine", Key=prefix + file.relative_to(given).as_posix(), Body=file.read_bytes())


def review(category: str) -> str:
    return f"US\t1\tR1\tB1\t1\tA title\t{category}\t5\t0\t0\tN\tY\tYes\tGood.\t2015-08-31"


def test_a_folder_takes_the_place_of_its_categories(s3: Any, tmp_path: Path) -> None:
    put(s3, "raw")
    names = (f"{BOOKS}a.parquet", f"{BOOKS}more/b.parquet")
    given = folder(
        tmp_path, *names, f"{BOOKS}notes.txt", f"{BOOKS}_SUCCESS", f"{BOOKS}.a.crc", "README.md", "c.parquet"
    )
    done = deliver(given, s3)
    assert ([file.name for file in done.files], done.rows) == ([*names], {"Books": Rows(6, 6)})
    assert (done.lines, done.converted, done.extra) == (None, {}, ())
    assert done.left_out == ("c.parquet", f"{BOOKS}notes.txt")
    assert done.bytes == sum((given / name).stat().st_size for name in names)
    assert keys(s3) == {
        **{f"reviews/{name}": (given / name).read_bytes() for name in names},
        f"reviews/{TOYS}a.parquet": b"old",
        "yellow/x": b"old",
    }


@pytest.mark.parametrize("uri", ["s3://mine/amazon/parquet", "s3://mine/amazon/parquet/"])
def test_from_bucket_to_bucket(s3: Any, tmp_path: Path, uri: str) -> None:
    put(s3, "raw")
    given = folder(tmp_path, f"{BOOKS}b.parquet", f"{TOYS}a.parquet", "_SUCCESS", f"{TOYS}a.crc", "elsewhere/c.parquet")
    in_bucket(s3, given, "amazon/parquet/")
    before = keys(s3, "mine")
    done = deliver(uri, s3)
    assert done.rows == {"Books": Rows(3, 3), "Toys": Rows(3, 3)}
    assert done.left_out == ("elsewhere/c.parquet", f"{TOYS}a.crc")
    assert keys(s3) == {
        **{f"reviews/{name}": (given / name).read_bytes() for name in (f"{BOOKS}b.parquet", f"{TOYS}a.parquet")},
        "yellow/x": b"old",
    }
    assert keys(s3, "mine") == before


def test_a_whole_bucket(s3: Any, tmp_path: Path) -> None:
    in_bucket(s3, folder(tmp_path, f"{TOYS}a.parquet"))
    deliver("s3://mine", s3)
    assert list(keys(s3)) == [f"reviews/{TOYS}a.parquet"]


def test_a_footer_in_s3_is_read_without_the_rest_of_the_object(s3: Any, tmp_path: Path) -> None:
    """Also one that is longer than what is fetched at first."""
    wide = {f"a_rather_long_name_of_column_{number}": f"'{number:0100}' || i" for number in range(300)}
    given = folder(tmp_path, f"{TOYS}a.parquet", rows=5_000, **wide)
    in_bucket(s3, given)
    file = given / TOYS / "a.parquet"
    asked: list[int] = []

    class Counting:
        def get_object(self, **given: Any) -> Any:
            answer = s3.get_object(**given)
            asked.append(answer["ContentLength"])
            return answer

    size = file.stat().st_size
    found = footers.fetch(Counting(), "mine", f"{TOYS}a.parquet", size=size, folder=tmp_path)
    assert found == footers.read(file)
    assert len(asked) == 3
    assert sum(asked) < size / 2


def test_what_is_converted_on_the_way_from_s3_is_counted_and_its_rejects_are_kept(s3: Any, tmp_path: Path) -> None:
    deliveries.write(tmp_path / "source" / TOYS / "a.parquet", customer_id="i")
    deliveries.write(tmp_path / "source" / TOYS / "b.parquet", star_rating="CASE i WHEN 1 THEN 4.5 ELSE 5 END")
    deliveries.write(tmp_path / "source" / TOYS / "c.parquet", images="i")
    in_bucket(s3, tmp_path / "source", "x/")
    done = deliver("s3://mine/x", s3)
    assert done.converted == {
        f"{TOYS}a.parquet": Converted(3, {}),
        f"{TOYS}b.parquet": Converted(3, {"star_rating": 1}),
    }
    assert (done.rows, done.extra) == ({"Toys": Rows(8, 8)}, ("images",))
    found = keys(s3)
    (aside,) = found.pop(f"reviews_rejected/{TOYS}b.jsonl").decode().splitlines()
    assert json.loads(aside)["review"]["review_id"] == "R1"
    assert sorted(found) == [f"reviews/{TOYS}{name}.parquet" for name in "abc"]


def test_tsv_files_with_what_they_reject(s3: Any, tmp_path: Path) -> None:
    given = tmp_path / "tsv"
    given.mkdir()
    (given / "amazon_reviews_us_Books_v1_00.tsv").write_text(
        "\t".join(tsv.COLUMNS) + f"\n{review('Books')}\nno review\n"
    )
    done = deliver(given, s3)
    assert done.lines == tsv.Conversion(2, 1, {"not_15_fields": 1}, {"Books": 1})
    assert (done.rows, done.converted) == ({"Books": Rows(1, 1)}, {})
    parquet, rejected = sorted(keys(s3))
    assert parquet == f"reviews/{BOOKS}amazon_reviews_us_Books_v1_00.parquet"
    assert rejected == "reviews_rejected/amazon_reviews_us_Books_v1_00.jsonl"


def refused(s3: Any, given: str | Path) -> str:
    """Why a source is refused, for which nothing is changed."""
    before = keys(s3)
    with pytest.raises(UsageError) as caught:
        deliver(given, s3)
    assert keys(s3) == before
    return str(caught.value)


@pytest.mark.parametrize("kind", ["folder", "s3"])
def test_one_bad_file_refuses_the_whole_delivery_and_names_all_that_is_wrong(
    s3: Any, tmp_path: Path, kind: str
) -> None:
    put(s3, "raw")
    given = folder(tmp_path, f"{BOOKS}a.parquet", f"{TOYS}a.parquet")
    deliveries.write(given / TOYS / "b.parquet", without=["vine"], review_id="i")
    in_bucket(s3, given)
    assert refused(s3, given if kind == "folder" else "s3://mine").splitlines() == [
        "nothing was put in place, since",
        f"  {TOYS}b.parquet has review_id as BIGINT; it must be VARCHAR(32)",
        f"  {TOYS}b.parquet has no column vine; it must have one, VARCHAR(8)",
    ]


@pytest.mark.parametrize("kind", ["folder", "s3"])
def test_files_that_are_no_parquet_refuse_the_whole_delivery(s3: Any, tmp_path: Path, kind: str) -> None:
    put(s3, "raw")
    given = folder(tmp_path, f"{BOOKS}a.parquet", f"{BOOKS}b.parquet")
    (given / TOYS).mkdir()
    (given / TOYS / "empty.parquet").write_bytes(b"")
    (given / TOYS / "page.parquet").write_text("<html>503 Slow Down</html>")
    (given / BOOKS / "b.parquet").write_bytes((given / BOOKS / "a.parquet").read_bytes()[:1000])
    in_bucket(s3, given)
    assert refused(s3, given if kind == "folder" else "s3://mine").splitlines() == [
        "nothing was put in place, since",
        f"  {BOOKS}b.parquet is a Parquet file that was cut short, at 1,000 bytes",
        f"  {TOYS}empty.parquet is empty",
        f"  {TOYS}page.parquet is no Parquet file: it begins with b'<htm'",
    ]


def test_of_many_faults_ten_are_told(s3: Any, tmp_path: Path) -> None:
    given = folder(tmp_path, *(f"{TOYS}{number:02}.parquet" for number in range(12)), without=["vine"])
    told = refused(s3, given).splitlines()
    assert (len(told), told[-1]) == (12, "  and 2 more")


def test_a_category_whose_reviews_are_all_rejected_is_refused(s3: Any, tmp_path: Path) -> None:
    """Books in the folder of toys."""
    put(s3, "raw")
    given = folder(tmp_path, f"{TOYS}a.parquet", product_category="'Books'")
    folder(tmp_path, f"{BOOKS}a.parquet", product_category="'Books'")
    told = "nothing was put in place, since every review of Toys is rejected: product_category 3"
    assert refused(s3, given) == told


def hidden(name: str, part: str) -> str:
    return f"{name} would not be read by Spectrum, since {part} is hidden; rename or remove it"


def other(category: str, meant: str) -> str:
    return f"the folder product_category={category} would not be loaded; rename it product_category={meant}"


def none(category: str) -> str:
    return f"the folder product_category={category} names no category; write it such as product_category=Video_Games"


#: A name in the source, and why it is refused.
NAMES = {
    f"{TOYS}_a.parquet": hidden(f"{TOYS}_a.parquet", "_a.parquet"),
    f"{TOYS}._a.parquet": hidden(f"{TOYS}._a.parquet", "._a.parquet"),
    f"{TOYS}_temporary/a.parquet": hidden(f"{TOYS}_temporary/a.parquet", "_temporary"),
    "product_category=toys/a.parquet": other("toys", "Toys"),
    "product_category=Video Games/a.parquet": other("Video Games", "Video_Games"),
    "product_category=Video%20Games/a.parquet": other("Video%20Games", "Video_Games"),
    "product_category=/a.parquet": none(""),
    "product_category=__HIVE_DEFAULT_PARTITION__/a.parquet": none("__HIVE_DEFAULT_PARTITION__"),
    f"{TOYS}{source.UNDER_WAY}": f"the source holds {TOYS}{source.UNDER_WAY}: it is itself being replaced; wait for its"
    " end",
}


@pytest.mark.parametrize("kind", ["folder", "s3"])
@pytest.mark.parametrize(("name", "told"), NAMES.items())
def test_names_whose_reviews_would_not_be_loaded_are_refused(
    s3: Any, tmp_path: Path, name: str, told: str, kind: str
) -> None:
    put(s3, "raw")
    given = folder(tmp_path, f"{BOOKS}a.parquet", name)
    in_bucket(s3, given)
    assert refused(s3, given if kind == "folder" else "s3://mine") == told


@pytest.mark.parametrize("kind", ["folder", "tsv"])
def test_a_delivery_of_no_category_that_is_loaded_is_refused(s3: Any, tmp_path: Path, kind: str) -> None:
    put(s3, "raw")
    given = folder(tmp_path, "product_category=Wine/a.parquet" if kind == "folder" else "a.tsv")
    if kind == "tsv":
        (given / "a.tsv").write_text("\t".join(tsv.COLUMNS) + f"\n{review('Wine')}\n")
    assert refused(s3, given) == (
        "none of the categories delivered is loaded: Wine; pipelines/reviews/pipeline.toml lists "
        f"{', '.join(PIPELINE.categories)}"
    )


def test_where_the_reviews_are_already(s3: Any) -> None:
    put(s3, "raw")
    for uri in ("s3://raw/reviews", "s3://raw/reviews/"):
        assert refused(s3, uri) == f"{uri} is where this environment's reviews are; leave --source out"


def test_nothing_to_copy(s3: Any) -> None:
    put(s3, "raw")
    assert refused(s3, "s3://mine/x") == "s3://mine/x holds no product_category=…/*.parquet"


def test_without_duckdb_a_delivery_says_what_to_install(
    s3: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(footers, "find_spec", lambda name: None)
    told = "reviews are read and converted by DuckDB, of orchestration[local]: pip install duckdb"
    assert refused(s3, folder(tmp_path, f"{TOYS}a.parquet")) == told


def test_whether_there_are_reviews(s3: Any) -> None:
    with pytest.raises(UsageError, match=r"^s3://raw/reviews/ is empty: give reviews a --source"):
        placing.check_delivered(s3, "raw")
    put(s3, "raw")
    placing.check_delivered(s3, "raw")


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


@pytest.mark.parametrize("kind", ["folder", "s3", "tsv", "converted"])
def test_a_delivery_that_is_cut_short_is_read_by_nobody_and_ends_right_when_it_is_given_again(
    s3: Any, tmp_path: Path, kind: str
) -> None:
    """Wherever it ends: the folders are as they were, or whole, or hold what no reader of Parquet passes."""
    names = [f"{BOOKS}b.parquet", f"{BOOKS}c.parquet", f"{TOYS}a.parquet"]
    if kind == "tsv":
        given = folder(tmp_path, "one.tsv", "two.tsv.gz")
        for name, text in (("one.tsv", [review("Books"), review("Toys")]), ("two.tsv.gz", [review("Books")])):
            data = "\n".join(["\t".join(tsv.COLUMNS), *text]).encode()
            (given / name).write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
        names = [f"{BOOKS}one.parquet", f"{BOOKS}two.parquet", f"{TOYS}one.parquet"]
    else:
        given = folder(tmp_path, *names, star_rating="5.0" if kind == "converted" else "CAST(4 AS INTEGER)")
        in_bucket(s3, given)
    put(s3, "raw")
    before = keys(s3)
    with delivery.prepare("s3://mine" if kind == "s3" else str(given), s3, "raw", pipeline=PIPELINE) as prepared:
        for changes in range(100):
            try:
                placing.place(prepared, CutShort(s3, changes), "raw")
            except Cut:
                now = keys(s3)
                touched = {key.split("/")[1] for key in now.keys() ^ before.keys() if key.startswith("reviews/")}
                touched |= {key.split("/")[1] for key in now.keys() & before.keys() if now[key] != before[key]}
                guarded = {key.split("/")[1] for key in now if key.endswith(f"/{source.UNDER_WAY}")}
                assert touched - guarded == set(), f"after {changes} changes"
                if guarded:
                    with pytest.raises(UsageError, match=r"^a delivery is under way or was cut short: s3://raw/revi"):
                        placing.check_delivered(s3, "raw")
                    untold = {folder.partition("=")[2] for folder in guarded}
                    assert untold & placing.count_held(s3, "raw", ["Books", "Toys"], since=2015).keys() == set()
                continue
            break
    assert changes > 5
    placing.check_delivered(s3, "raw")
    assert sorted(key.removeprefix("reviews/") for key in keys(s3) if key.startswith("reviews/")) == names
    held = placing.count_held(s3, "raw", ["Books", "Toys"], since=2015)
    assert held == ({"Books": Rows(2, 2), "Toys": Rows(1, 1)} if kind == "tsv" else prepared.rows)


def test_a_source_in_s3_that_changes_while_it_is_delivered_is_not_delivered(s3: Any, tmp_path: Path) -> None:
    in_bucket(s3, folder(tmp_path, f"{TOYS}a.parquet"))
    with delivery.prepare("s3://mine", s3, "raw", pipeline=PIPELINE) as prepared:
        s3.put_object(Bucket="mine", Key=f"{TOYS}a.parquet", Body=b"something else")
        with pytest.raises(
            UsageError, match=rf"^{TOYS}a\.parquet changed while it was delivered, and the delivery is c"
        ):
            placing.place(prepared, s3, "raw")
    with pytest.raises(UsageError, match=r"^a delivery is under way or was cut short"):
        placing.check_delivered(s3, "raw")


def test_what_is_held_is_told_by_category_and_not_where_a_file_is_broken(s3: Any, tmp_path: Path) -> None:
    given = folder(tmp_path, f"{BOOKS}a.parquet", f"{BOOKS}b.parquet", year="CAST(2013 + i AS INTEGER)")
    deliver(folder(tmp_path, f"{TOYS}a.parquet"), s3)
    assert placing.count_held(s3, "raw", ["Books", "Toys", "Music"], since=2017) == {
        "Books": Rows(6, 0),
        "Toys": Rows(3, 0),
        "Music": Rows(0, 0),
    }
    s3.put_object(Bucket="raw", Key=f"reviews/{BOOKS}b.parquet", Body=(given / BOOKS / "b.parquet").read_bytes()[:99])
    assert list(placing.count_held(s3, "raw", ["Books", "Toys"], since=2015)) == ["Toys"]


def test_categories_that_are_not_listed_are_told(s3: Any) -> None:
    put(s3, "raw")
    s3.put_object(Bucket="raw", Key="reviews/product_category=Wine/a.parquet", Body=b"")
    assert placing.find_unlisted(s3, "raw", PIPELINE) == ["Wine"]


def test_a_category_that_would_be_left_without_reviews_must_be_said_to_be_gone() -> None:
    held = {"Books": Rows(500, 500), "Music": Rows(3, 3), "Shoes": Rows(9, 0), "Home": Rows(2, 2)}
    rows = {name: Rows(500, 0) for name in ("Books", "Music", "Shoes", "Toys")} | {"Home": Rows(2, 2)}
    given = Delivery((), rows)
    assert delivery.find_emptied(given, held, ()) == ["Books", "Music"]
    assert delivery.find_emptied(given, held, ("Books",)) == ["Music"]
    assert delivery.find_not_gone(given, ("Books", "Home", "Wine")) == ["Home"]


@pytest.mark.parametrize(
    ("before", "after", "fewer"), [(200, 99, True), (200, 100, False), (150, 60, False), (0, 5, False)]
)
def test_far_fewer_is_less_than_half_and_a_hundred_less(before: int, after: int, fewer: bool) -> None:
    given = Delivery((), {"Books": Rows(after, after), "Toys": Rows(9, 9)})
    assert delivery.find_shrunk(given, {"Books": Rows(before, before)}) == (["Books"] if fewer else [])


def test_folders_that_are_sources(tmp_path: Path) -> None:
    source.check(str(folder(tmp_path / "a", f"{BOOKS}a.parquet")))
    source.check(str(folder(tmp_path / "b", "x.tsv")))
    source.check(str(folder(tmp_path / "c", "x.tsv.gz")))
    with pytest.raises(UsageError, match="holds neither"):
        source.check(str(folder(tmp_path / "d", "a.parquet", f"{BOOKS}readme")))
    with pytest.raises(UsageError, match="deliver one or the other"):
        source.check(str(folder(tmp_path / "e", "x.tsv", f"{BOOKS}a.parquet")))
