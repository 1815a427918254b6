"""The generated reviews: the published layout, its skew and its texts, and the same rows for the same seed."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from orchestration import pipelines
from orchestration.generate import reviews

CATEGORIES = pipelines.load_daily("reviews").categories
COLUMNS = [
    ("marketplace", "VARCHAR"),
    ("customer_id", "VARCHAR"),
    ("review_id", "VARCHAR"),
    ("product_id", "VARCHAR"),
    ("product_parent", "VARCHAR"),
    ("product_title", "VARCHAR"),
    ("star_rating", "INTEGER"),
    ("helpful_votes", "INTEGER"),
    ("total_votes", "INTEGER"),
    ("vine", "VARCHAR"),
    ("verified_purchase", "VARCHAR"),
    ("review_headline", "VARCHAR"),
    ("review_body", "VARCHAR"),
    ("review_date", "DATE"),
    ("year", "INTEGER"),
]


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return reviews(tmp_path_factory.mktemp("reviews") / "generated", categories=CATEGORIES, rows=100_000)


def rows(folder: Path) -> str:
    return f"read_parquet('{folder}/*/*.parquet', hive_partitioning = true)"


def test_generated_reviews_lie_by_category_with_the_tables_columns(generated: Path) -> None:
    assert sorted(folder.name for folder in generated.iterdir()) == [f"product_category={name}" for name in CATEGORIES]
    for file in generated.rglob("*.parquet"):
        found = duckdb.connect().sql(f"DESCRIBE FROM read_parquet('{file}', hive_partitioning = false)").fetchall()
        assert [row[:2] for row in found] == COLUMNS


def test_generated_rows_have_an_id_each_and_dates_of_all_years(generated: Path) -> None:
    ((count, ids, nulls, first, last, years),) = (
        duckdb.connect()
        .sql(f"""
        SELECT count(*), count(DISTINCT review_id), count(*) - count(review_date), min(review_date), max(review_date),
          list_sort(list(DISTINCT year))
        FROM {rows(generated)}
    """)
        .fetchall()
    )
    assert (count, ids, nulls, years) == (100_000, 100_000, 0, [2013, 2014, 2015, 2016])
    assert (str(first)[:4], str(last)[:4]) == ("2013", "2016")
    assert duckdb.connect().sql(f"FROM {rows(generated)} WHERE year <> year(review_date)").fetchall() == []
    assert duckdb.connect().sql(f"FROM {rows(generated)} WHERE helpful_votes > total_votes").fetchall() == []
    # A product has one title, parent and category.
    one = "count(DISTINCT (product_title, product_parent, product_category)) = 1"
    assert (
        duckdb.connect().sql(f"SELECT 1 FROM {rows(generated)} GROUP BY product_id HAVING NOT {one}").fetchall() == []
    )


def test_few_products_have_most_of_the_reviews(generated: Path) -> None:
    ((products, top, no_votes, most, five, one),) = (
        duckdb.connect()
        .sql(f"""
        WITH ranked AS (SELECT count(*) AS n FROM {rows(generated)} GROUP BY product_id ORDER BY n DESC)
        SELECT count(*), (SELECT sum(n) FROM (FROM ranked LIMIT 25)), any_value(v.none), any_value(v.most),
          any_value(v.five), any_value(v.one)
        FROM ranked, (SELECT avg((helpful_votes = 0)::INT) AS none, max(helpful_votes) AS most,
          avg((star_rating = 5)::INT) AS five, avg((star_rating = 1)::INT) AS one FROM {rows(generated)}) AS v
    """)
        .fetchall()
    )
    assert products > 2_000
    assert top / 100_000 > 0.35, "one product in a hundred has more than a third of the reviews"
    assert 0.55 < no_votes < 0.75
    assert most > 1_000
    assert 0.55 < five < 0.63
    assert 0.08 < one < 0.12


@pytest.mark.parametrize("text", [",", '"', "\n", "<br />", "&#34;", "&amp;", "☕", "'", "\\", "é"])
def test_generated_texts_have_every_character_that_breaks_a_csv(generated: Path, text: str) -> None:
    for column in ("product_title", "review_body") if text in ',"\n' else ("product_title || review_body",):
        counted = f"SELECT count(*) FROM {rows(generated)} WHERE contains({column}, ?)"
        ((found,),) = duckdb.connect().execute(counted, [text]).fetchall()
        assert found > 1_000


def test_the_same_again_and_another_seed(tmp_path: Path) -> None:
    def made(name: str, seed: int) -> list[tuple[object, ...]]:
        folder = reviews(tmp_path / name, categories=CATEGORIES, rows=3_000, seed=seed)
        return duckdb.connect().sql(f"FROM {rows(folder)} ORDER BY ALL").fetchall()

    first = made("a", 1)
    assert made("b", 1) == first
    other = made("c", 2)
    assert len(other) == 3_000
    assert other != first


def test_what_was_there_is_replaced_whole(tmp_path: Path) -> None:
    folder = tmp_path / "reviews"
    (folder / "product_category=Old").mkdir(parents=True)
    (folder / "product_category=Old" / "x.parquet").write_text("old")
    reviews(folder, categories=["Books", "Toys"], rows=20)
    assert sorted(one.name for one in folder.iterdir()) == ["product_category=Books", "product_category=Toys"]
    assert [one.name for one in tmp_path.iterdir()] == ["reviews"]
