"""Parquet of reviews beside the columns that Spectrum reads: what is put in place as it is, converted, or refused."""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import Any

import deliveries
import duckdb
import pytest

from orchestration.errors import UsageError
from orchestration.reviews import footers
from orchestration.reviews.columns import Column, list_columns
from orchestration.reviews.conversion import Converted, convert
from orchestration.reviews.fit import Fit, fit
from orchestration.reviews.footers import NotParquet

NAME = "product_category=Toys/a.parquet"


def arrow() -> tuple[Any, Any]:
    """PyArrow and its Parquet, for files that DuckDB does not write."""
    reason = "pyarrow is not installed"
    return pytest.importorskip("pyarrow", reason=reason), pytest.importorskip("pyarrow.parquet", reason=reason)


def fit_of(file: Path) -> Fit:
    return fit(footers.read(file), "Toys")


def converted(tmp_path: Path, **changed: Any) -> tuple[Converted, Path, list[dict[str, Any]]]:
    """What became of a file, the file it became, and what was put aside."""
    file = deliveries.write(tmp_path / "given" / NAME, **changed)
    target, rejects = tmp_path / "out.parquet", tmp_path / "rejects" / "a.jsonl"
    found = fit_of(file)
    assert (found.faults, found.casts is None) == ((), False)
    done = convert(file, target, rejects, name=NAME, found=found)
    aside = [json.loads(line) for line in rejects.read_text().splitlines()] if rejects.exists() else []
    assert done.read == done.kept + len(aside)
    assert len(deliveries.rows(target)) == done.kept
    assert fit_of(target).casts is None
    return done, target, aside


def test_the_columns_are_those_of_the_external_table() -> None:
    assert {column.name for column in list_columns()} == set(deliveries.COLUMNS)
    assert list_columns()[2:4] == (Column("review_id", "VARCHAR", 32), Column("product_id", "VARCHAR", 32))
    assert [column.type for column in list_columns()[-3:]] == ["VARCHAR(65535)", "DATE", "INTEGER"]


def test_a_file_of_the_declared_columns_and_types_is_put_in_place_as_it_is(tmp_path: Path) -> None:
    assert fit_of(deliveries.write(tmp_path / "a.parquet")) == Fit((), None, {n: n for n in deliveries.COLUMNS}, ())


def test_an_empty_file_of_the_declared_columns_and_types_is_put_in_place_as_it_is(tmp_path: Path) -> None:
    assert fit_of(deliveries.write(tmp_path / "a.parquet", rows=0)).casts is None


def test_other_columns_are_named_and_not_read(tmp_path: Path) -> None:
    found = fit_of(deliveries.write(tmp_path / "a.parquet", __index_level_0__="i", images="{'url': ['x']}"))
    assert (found.casts, found.extra) == (None, ("__index_level_0__", "images"))


#: SQL of a column in another type, and the value that comes of it.
WIDER: dict[str, tuple[str, str, Any]] = {
    "an id as int64": ("customer_id", "1000 + i", "1001"),
    "a parent as uint32": ("product_parent", "CAST(77 AS UINTEGER)", "77"),
    "stars as int8": ("star_rating", "CAST(4 AS TINYINT)", 4),
    "stars as int64": ("star_rating", "CAST(4 AS BIGINT)", 4),
    "stars as float": ("star_rating", "CAST(4 AS DOUBLE)", 4),
    "stars as decimal": ("star_rating", "CAST(4 AS DECIMAL(9, 2))", 4),
    "stars as text": ("star_rating", "'4'", 4),
    "votes as uint64": ("helpful_votes", "CAST(7 AS UBIGINT)", 7),
    "votes as an int128": ("total_votes", "CAST(7 AS HUGEINT)", 7),
    "a day as text": ("review_date", "'2015-08-31'", datetime.date(2015, 8, 31)),
    "a day as timestamp": ("review_date", "TIMESTAMP '2015-08-31'", datetime.date(2015, 8, 31)),
    "a day in ns": ("review_date", "CAST('2015-08-31' AS TIMESTAMP_NS)", datetime.date(2015, 8, 31)),
    "a day in ms": ("review_date", "CAST('2015-08-31' AS TIMESTAMP_MS)", datetime.date(2015, 8, 31)),
    "a day in UTC": ("review_date", "CAST('2015-08-31 00:00:00+00' AS TIMESTAMPTZ)", datetime.date(2015, 8, 31)),
    "a year as text": ("year", "'2015'", 2015),
    "a year as int64": ("year", "CAST(2015 AS BIGINT)", 2015),
    "a year that is missing": ("year", "CAST(NULL AS INTEGER)", 2015),
}


@pytest.mark.parametrize(("column", "sql", "value"), WIDER.values(), ids=WIDER)
def test_wider_types_are_cast_with_no_row_lost(tmp_path: Path, column: str, sql: str, value: Any) -> None:
    done, target, _ = converted(tmp_path, rows=1, **{column: sql})
    assert done == Converted(1, {})
    assert deliveries.rows(target, column) == [(value,)]
    others = ", ".join(name for name in deliveries.COLUMNS if name != column)
    assert deliveries.rows(target, others) == deliveries.rows(tmp_path / "given" / NAME, others)


def test_the_year_of_a_file_without_one_is_that_of_the_day(tmp_path: Path) -> None:
    done, target, _ = converted(tmp_path, without=["year"], review_date="DATE '2014-12-31' + CAST(i - 1 AS INTEGER)")
    assert done == Converted(3, {})
    assert deliveries.rows(target, "year") == [(2014,), (2015,), (2015,)]


def test_names_in_other_case_are_those_columns(tmp_path: Path) -> None:
    without = ["review_id", "year"]
    done, target, _ = converted(tmp_path, without=without, Review_ID="'r' || i", YEAR="CAST(2016 AS INTEGER)")
    assert done == Converted(3, {})
    assert deliveries.rows(target, "review_id, year") == [("r1", 2016), ("r2", 2016), ("r3", 2016)]


@pytest.mark.parametrize("category", ["Toys", "Video Games"])
def test_a_category_inside_the_file_must_be_the_folders(tmp_path: Path, category: str) -> None:
    file = deliveries.write(tmp_path / "a.parquet", product_category=f"'{category}'")
    assert fit(footers.read(file), category.replace(" ", "_")).casts is None


#: SQL of a column whose second review has what cannot be, and the rule that it breaks.
BROKEN = {
    "no id": ("review_id", "CASE i WHEN 2 THEN NULL ELSE 'R' || i END", "no_review_id"),
    "more stars than an INTEGER": ("star_rating", "CASE i WHEN 2 THEN 3000000000 ELSE 5 END", "star_rating"),
    "part of a star": ("star_rating", "CASE i WHEN 2 THEN 4.5 ELSE 5 END", "star_rating"),
    "no number": ("helpful_votes", "CASE i WHEN 2 THEN 'many' ELSE '5' END", "helpful_votes"),
    "no day": ("review_date", "CASE i WHEN 2 THEN '2015-02-30' ELSE '2015-02-28' END", "review_date"),
    "a time": ("review_date", "TIMESTAMP '2015-08-31' + to_hours(CASE i WHEN 2 THEN 1 ELSE 0 END)", "review_date"),
    "no year": ("year", "CASE i WHEN 2 THEN 'MMXV' ELSE '2015' END", "year"),
    "another category": ("product_category", "CASE i WHEN 2 THEN 'Books' ELSE 'Toys' END", "product_category"),
}


@pytest.mark.parametrize(("column", "sql", "rule"), BROKEN.values(), ids=BROKEN)
def test_a_review_that_cannot_be_loaded_is_put_aside(tmp_path: Path, column: str, sql: str, rule: str) -> None:
    done, target, (aside,) = converted(tmp_path, **{column: sql})
    assert done == Converted(3, {rule: 1})
    assert deliveries.rows(target, "review_id") == [("R1",), ("R3",)]
    assert (aside["file"], aside["row"], aside["rule"]) == (NAME, 2, rule)
    assert aside["review"]["customer_id"] == "1002"
    given = deliveries.rows(tmp_path / "given" / NAME, column)[1][0]
    assert aside["review"][column] == (given if isinstance(given, str | int | None) else str(given))


def test_a_review_with_neither_year_nor_day_is_put_aside(tmp_path: Path) -> None:
    day = "CASE i WHEN 2 THEN NULL ELSE DATE '2015-08-31' END"
    done, target, (aside,) = converted(tmp_path, without=["year"], review_date=day)
    assert done == Converted(3, {"no_year": 1})
    assert (aside["row"], aside["review"]["review_date"]) == (2, None)
    assert deliveries.rows(target, "year") == [(2015,), (2015,)]


def test_a_text_that_spectrum_would_cut_is_put_aside_from_what_is_converted(tmp_path: Path) -> None:
    done, _, (aside,) = converted(tmp_path, vine="CASE i WHEN 2 THEN repeat('é', 5) ELSE 'N' END", star_rating="5.0")
    assert done == Converted(3, {"too_long": 1})
    assert aside["review"]["vine"] == "ééééé"


#: What is changed of a file, and the fault that is found.
FAULTS: dict[str, tuple[dict[str, Any], str]] = {
    "a missing column": ({"without": ["vine"]}, "has no column vine; it must have one, VARCHAR(8)"),
    "neither day nor year": (
        {"without": ["review_date", "year"]},
        "has no column review_date; it must have one, DATE",
    ),
    "an id as number": ({"review_id": "i"}, "has review_id as BIGINT; it must be VARCHAR(32)"),
    "an ISBN as number": ({"product_id": "i"}, "has product_id as BIGINT; it must be VARCHAR(32)"),
    "an id as float": ({"customer_id": "1.5"}, "has customer_id as DECIMAL(2,1); it must be VARCHAR(32)"),
    "a yes as boolean": ({"vine": "true"}, "has vine as BOOLEAN; it must be VARCHAR(8)"),
    "stars as list": ({"star_rating": "[5]"}, "has star_rating as INTEGER[]; it must be INTEGER"),
    "a day as number": ({"review_date": "20150831"}, "has review_date as INTEGER; it must be DATE"),
    "a column twice": (
        {"Star_Rating": "4"},
        "has more than one column star_rating; it must have one, INTEGER",
    ),
    "the category as number": (
        {"product_category": "7"},
        "has product_category as INTEGER; it must be left out, or name the folder's category as VARCHAR",
    ),
}


@pytest.mark.parametrize(("changed", "fault"), FAULTS.values(), ids=FAULTS)
def test_a_column_that_cannot_be_is_named_with_what_it_must_be(
    tmp_path: Path, changed: dict[str, Any], fault: str
) -> None:
    # DuckDB takes names in other case for the same column; those of a file come from another writer.
    if "Star_Rating" in changed:
        pyarrow, parquet = arrow()
        table = parquet.read_table(deliveries.write(tmp_path / "b.parquet"))
        doubled = table.append_column("Star_Rating", pyarrow.array([4, 4, 4]))
        parquet.write_table(doubled, tmp_path / "a.parquet")
    else:
        deliveries.write(tmp_path / "a.parquet", **changed)
    assert fault in fit_of(tmp_path / "a.parquet").faults


def test_what_pandas_and_polars_write_is_read(tmp_path: Path) -> None:
    """Large and dictionary strings, columns of nothing but missing values, and no statistics."""
    pyarrow, parquet = arrow()
    table = parquet.read_table(deliveries.write(tmp_path / "b.parquet"))
    for name, made in (
        ("review_body", table["review_body"].cast(pyarrow.large_string())),
        ("marketplace", table["marketplace"].dictionary_encode()),
        ("vine", pyarrow.nulls(3)),
    ):
        table = table.set_column(table.schema.get_field_index(name), name, made)
    file = tmp_path / NAME
    file.parent.mkdir()
    parquet.write_table(table, file, compression="zstd", write_statistics=False)
    found = fit_of(file)
    assert (found.faults, found.casts is None) == ((), False)
    done = convert(file, tmp_path / "out.parquet", tmp_path / "r.jsonl", name=NAME, found=found)
    assert done == Converted(3, {})
    assert deliveries.rows(tmp_path / "out.parquet", "marketplace, vine, review_body") == [("US", None, "A text")] * 3


def test_a_file_whose_footer_does_not_count_missing_years_is_read_to_its_end(tmp_path: Path) -> None:
    _, parquet = arrow()
    nullable = "CASE WHEN i > 0 THEN CAST(2015 AS INTEGER) END"
    table = parquet.read_table(deliveries.write(tmp_path / "b.parquet", year=nullable))
    parquet.write_table(table, tmp_path / "a.parquet", write_statistics=["review_id"])
    assert fit_of(tmp_path / "a.parquet").casts is not None
    parquet.write_table(table, tmp_path / "a.parquet", write_statistics=["review_id", "year"])
    assert fit_of(tmp_path / "a.parquet").casts is None


def no_parquet(tmp_path: Path, kind: str) -> bytes:
    whole = deliveries.write(tmp_path / "whole.parquet").read_bytes()
    return {
        "nothing": b"",
        "a page": b"<html>503 Slow Down</html>",
        "cut short": whole[: len(whole) // 2],
        "encrypted": b"PARE" + whole[4:-4] + b"PARE",
        "a footer of nothing": b"PAR1" + b"\0" * 100 + (50).to_bytes(4, "little") + b"PAR1",
        "a footer longer than the file": b"PAR1" + whole[4:-8] + (2**31).to_bytes(4, "little") + b"PAR1",
    }[kind]


NO_PARQUET = {
    "nothing": "is empty",
    "a page": "is no Parquet file: it begins with b'<htm'",
    "cut short": "is a Parquet file that was cut short, at ",
    "encrypted": "is encrypted Parquet",
    "a footer of nothing": "has a footer that can't be read: ",
    "a footer longer than the file": "has a footer that can't be read: ",
}


@pytest.mark.parametrize(("kind", "told"), NO_PARQUET.items(), ids=NO_PARQUET)
def test_a_file_that_is_no_whole_parquet_file_is_called_what_it_is(tmp_path: Path, kind: str, told: str) -> None:
    file = tmp_path / "a.parquet"
    file.write_bytes(no_parquet(tmp_path, kind))
    with pytest.raises(NotParquet) as caught:
        footers.read(file)
    assert str(caught.value).startswith(told)
    assert "\n" not in str(caught.value)


def test_pages_that_are_broken_under_a_sound_footer_refuse_the_file(tmp_path: Path) -> None:
    file = deliveries.write(tmp_path / NAME, rows=1000, star_rating="i")
    data = bytearray(file.read_bytes())
    data[4:200] = bytes(196)
    file.write_bytes(data)
    with pytest.raises(UsageError, match=rf"^{NAME} can't be read: "):
        convert(file, tmp_path / "out.parquet", tmp_path / "r.jsonl", name=NAME, found=fit_of(file))


def test_rows_are_counted_by_the_years_of_their_row_groups(tmp_path: Path) -> None:
    year = "CAST(CASE WHEN i <= 10240 THEN 2013 ELSE 2015 END AS INTEGER)"
    deliveries.write(tmp_path / "a.parquet", rows=20_480, year=year)
    source = f"read_parquet('{tmp_path}/a.parquet')"
    duckdb.connect().execute(f"COPY (FROM {source}) TO '{tmp_path}/b.parquet' (FORMAT parquet, ROW_GROUP_SIZE 10240)")
    footer = footers.read(tmp_path / "b.parquet")
    assert footer.rows == 20_480
    assert [footer.rows_since(year) for year in (2013, 2014, 2015, 2016)] == [20_480, 10_240, 10_240, 0]
