"""The original TSV files into Parquet: what counts as a review, what is put aside, and that nothing is lost."""

from __future__ import annotations

import gzip
import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import duckdb
import pytest

from orchestration import pipelines
from orchestration.errors import EltError, UsageError
from orchestration.reviews import footers, tsv

SHARED = Path(__file__).resolve().parents[4] / "shared" / "data" / "amazon"
HEADER = "\t".join(tsv.COLUMNS)


def line(**changed: str) -> str:
    review = {
        "marketplace": "US", "customer_id": "24371595", "review_id": "R1", "product_id": "B004LLIL5A",
        "product_parent": "346014806", "product_title": "A title", "product_category": "Books", "star_rating": "5",
        "helpful_votes": "0", "total_votes": "2", "vine": "N", "verified_purchase": "Y",
        "review_headline": "Five Stars", "review_body": "Good.", "review_date": "2015-08-31",
    }  # fmt: skip
    return "\t".join((review | changed).values())


def converted(tmp_path: Path, text: str | bytes, name: str = "reviews.tsv") -> tsv.Conversion:
    data = text.encode() if isinstance(text, str) else text
    file = tmp_path / name
    file.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    return tsv.convert([file], tmp_path / "out")


def rows(tmp_path: Path, columns: str) -> list[tuple[Any, ...]]:
    files = f"read_parquet('{tmp_path}/out/reviews/*/*.parquet', hive_partitioning = true)"
    return duckdb.connect().execute(f"SELECT {columns} FROM {files} ORDER BY review_id").fetchall()


TEXTS = [
    'an "unescaped quote, and a comma',
    '"quoted" from the start',
    '"never closed',
    "'",
    "back\\slash \\t \\n \\",
    "<br />a line<br /><br />and &#34;entities&#34; &amp; more",
    "carriage\rreturn",
    "☕🎉 山田 é",
    "  spaces  ",
    "NULL",
    "\\N",
    "",
    "#, ;, |, \x1f, \x7f",
]


@pytest.mark.parametrize("name", ["reviews.tsv", "reviews.tsv.gz"])
@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["LF", "CRLF"])
def test_texts_are_kept_as_published(tmp_path: Path, name: str, end: str) -> None:
    lines = [line(review_id=f"R{n:03}", product_title=text, review_body=text[::-1]) for n, text in enumerate(TEXTS)]
    done = converted(tmp_path, end.join([HEADER, *lines]), name)
    assert done == tsv.Conversion(len(TEXTS), len(TEXTS), {}, {"Books": len(TEXTS)})
    assert rows(tmp_path, "product_title, review_body") == [(text, text[::-1]) for text in TEXTS]


def test_types_and_layout(tmp_path: Path) -> None:
    converted(tmp_path, f"{HEADER}\n{line()}\n{line(review_id='R2', product_category='Video Games')}\n")
    (books, games) = sorted((tmp_path / "out").rglob("*.*"))
    assert books.relative_to(tmp_path / "out").as_posix() == "reviews/product_category=Books/reviews.parquet"
    assert games.relative_to(tmp_path / "out").as_posix() == "reviews/product_category=Video_Games/reviews.parquet"
    described = duckdb.connect().execute(f"DESCRIBE FROM read_parquet('{books}', hive_partitioning = false)").fetchall()
    whole = dict.fromkeys(("star_rating", "helpful_votes", "total_votes"), "INTEGER")
    kinds = {name: whole.get(name, "VARCHAR") for name in tsv.COLUMNS if name != "product_category"}
    assert {row[0]: row[1] for row in described} == kinds | {"review_date": "DATE", "year": "INTEGER"}
    assert rows(tmp_path, "star_rating, total_votes, CAST(review_date AS VARCHAR), year")[0] == (
        5,
        2,
        "2015-08-31",
        2015,
    )


REJECTED = {
    "a field too few": (line().rpartition("\t")[0], "not_15_fields"),
    "a field too many": (line(product_title="a\ttab"), "not_15_fields"),
    "a sentence": ("and the rest of a text", "not_15_fields"),
    "no id": (line(review_id=""), "no_review_id"),
    "no category": (line(product_category=""), "product_category"),
    "a category that is no folder": (line(product_category="../x"), "product_category"),
    "six stars": (line(star_rating="6"), "star_rating"),
    "no stars": (line(star_rating=""), "star_rating"),
    "part of a star": (line(star_rating="4.5"), "star_rating"),
    "negative votes": (line(helpful_votes="-1"), "votes"),
    "votes that are no number": (line(total_votes="many"), "votes"),
    "too many votes": (line(total_votes="99999999999"), "votes"),
    "no date": (line(review_date=""), "review_date"),
    "no such day": (line(review_date="2015-02-30"), "review_date"),
    "another form of date": (line(review_date="08/31/2015"), "review_date"),
    "a NUL": (line(review_body="a\0b"), "nul_character"),
    "a long title": (line(product_title="é" * 2049), "too_long"),
    "a long text": (line(review_body="x" * 65536), "too_long"),
    "an endless text": (line(review_body="x" * 2_000_000), "too_long"),
}


@pytest.mark.parametrize(("wrong", "rule"), REJECTED.values(), ids=REJECTED)
def test_what_is_no_review_is_put_aside(tmp_path: Path, wrong: str, rule: str) -> None:
    done = converted(tmp_path, f"{HEADER}\n{line()}\n{wrong}\n\n{line(review_id='R2')}")
    assert done == tsv.Conversion(3, 2, {rule: 1}, {"Books": 2})
    assert rows(tmp_path, "review_id") == [("R1",), ("R2",)]
    (aside,) = (tmp_path / "out" / "reviews_rejected" / "reviews.jsonl").read_text().splitlines()
    told = json.loads(aside)
    assert (told["file"], told["line"], told["rule"]) == ("reviews.tsv", 3, rule)
    assert wrong.startswith(told["text"])
    assert len(told["text"]) >= min(len(wrong), 70_000)


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    done = converted(tmp_path, f"{HEADER}\n{line()}\n".encode() + line(review_body="caf\xe9").encode("latin-1"))
    assert (done.read, done.kept, done.rejected) == (2, 1, {"not_utf8": 1})
    assert "caf\\xe9" in json.loads((tmp_path / "out/reviews_rejected/reviews.jsonl").read_text())["text"]


def test_a_byte_order_mark_is_no_part_of_the_header(tmp_path: Path) -> None:
    assert converted(tmp_path, f"\ufeff{HEADER}\n{line()}").kept == 1


NO_REVIEWS = {
    "nothing": b"",
    "a page": b"<html>\n<body>not found</body>",
    "no header": line().encode(),
    "another header": HEADER.replace("vine", "wine").encode(),
    "binary": bytes(range(256)) * 100,
}


@pytest.mark.parametrize("data", NO_REVIEWS.values(), ids=NO_REVIEWS)
def test_files_that_hold_no_reviews(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(UsageError) as caught:
        converted(tmp_path, data)
    told = "is no review file: its first line does not name the 15 columns, marketplace first"
    assert str(caught.value) == f"{tmp_path}/reviews.tsv {told}"


@pytest.mark.parametrize("share", [0.01, 0.9])
def test_a_file_that_is_cut_short(tmp_path: Path, share: float) -> None:
    text = "\n".join([HEADER, *(line(review_id=f"R{n}", review_body=f"{n * n * 7919:x}") for n in range(5_000))])
    whole = gzip.compress(text.encode())
    (tmp_path / "cut.tsv.gz").write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(UsageError, match=r"cut\.tsv\.gz can't be converted: .*end-of-stream"):
        tsv.convert([tmp_path / "cut.tsv.gz"], tmp_path / "out")


def test_the_same_reviews_twice(tmp_path: Path) -> None:
    """Unpacked beside the packed file: both would go by one name, and one would replace the other."""
    for name in ("a.tsv", "a.tsv.gz"):
        data = f"{HEADER}\n{line()}".encode()
        (tmp_path / name).write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    with pytest.raises(UsageError) as caught:
        tsv.convert(tsv.files_of(tmp_path), tmp_path / "out")
    told = "seem to be the same reviews; leave one, or rename it"
    assert str(caught.value) == f"{tmp_path}/a.tsv and a.tsv.gz {told}"
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", [".tsv", ".a.tsv", "_a.tsv.gz", "#a.tsv"])
def test_names_that_spectrum_does_not_read(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match=r"would not be read by Spectrum; give it a name that begins with a letter$"):
        converted(tmp_path, f"{HEADER}\n{line()}", name)


def test_what_the_files_hold_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two files of one category, where the second takes the first one's place."""
    write = tsv._to_parquet
    monkeypatch.setattr(tsv, "_to_parquet", lambda file: write(file.rename(file.with_name("same.csv"))))
    for name in ("a.tsv", "b.tsv"):
        (tmp_path / name).write_text(f"{HEADER}\n{line()}")
    with pytest.raises(EltError) as caught:
        tsv.convert(tsv.files_of(tmp_path), tmp_path / "out")
    told = "the Parquet files hold {'Books': 1}, but {'Books': 2} were kept; nothing was put in place"
    assert str(caught.value) == told


def test_without_duckdb_a_conversion_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(footers, "find_spec", lambda name: None)
    said = "reviews are read and converted by DuckDB, of orchestration[local]: pip install duckdb"
    with pytest.raises(UsageError, match=f"^{re.escape(said)}$"):
        converted(tmp_path, HEADER)


def test_texts_are_as_long_as_their_columns_may_be() -> None:
    schema = (pipelines.load("reviews").folder / "sql" / "schema.sql").read_text(encoding="utf-8")
    lengths = re.findall(r"^ +(\w+) +VARCHAR\((\d+)\)", schema, re.MULTILINE)
    reviews = [(name, int(length)) for name, length in lengths if name in tsv.COLUMNS]
    texts = {name: most for name, most in tsv.COLUMNS.items() if name not in tsv._TYPES}
    assert Counter(reviews) == Counter([*texts.items(), *texts.items()]) - Counter([("product_category", 64)])


@pytest.mark.shared_data
@pytest.mark.parametrize(("folder", "read", "categories"), [(SHARED, 1_452, 1), (SHARED / "heads", 437, 22)])
def test_the_published_files_are_converted_without_a_reject(
    tmp_path: Path, folder: Path, read: int, categories: int
) -> None:
    if not folder.is_dir():
        pytest.skip("the real review files are not beside this checkout (../shared/data)")
    done = tsv.convert(tsv.files_of(folder), tmp_path / "out")
    assert (done.read, done.kept, done.rejected, len(done.categories)) == (read, read, {}, categories)
    published = {}
    for file in tsv.files_of(folder):
        _, *lines = file.read_bytes().decode("utf-8").split("\n")
        published |= {fields[2]: tuple(fields) for fields in (line.split("\t") for line in lines if line)}
    columns = ", ".join(tsv.COLUMNS)
    found = {row[2]: tuple(map(str, row)) for row in rows(tmp_path, columns)}
    assert found == {key: (*row[:6], row[6].replace(" ", "_"), *row[7:]) for key, row in published.items()}
