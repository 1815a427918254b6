"""Amazon product reviews that look like the published ones, and are the same for the same seed.

Layout and types are those of the published Parquet files: a folder `product_category=…` a category, whose name is in
the folder alone, and in the files the other 14 columns of the TSV files and `year`. What is seen there is here too: a
few products have most of the reviews, most reviews have no votes and a few have thousands, ratings are 5 or else 1;
texts hold commas, quotes, line breaks, `<br />`, entities and emoji.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

_MAKERS = (
    "Acme",
    "Northwind",
    "Müller & Söhne",
    "Café Lune",
    "O'Reilly's",
    "Zenith",
    "Blue Heron",
    "山田",
    "Tall Pine",
)
_THINGS = ("Lamp", "Backpack", "Kettle", "Notebook", "Speaker", "Sneakers", "Puzzle", "Tripod", "Album", "Coffee")
_FORMS = (  # how a title ends, by product; the hard ones are a share that a small set of reviews has too
    "",
    ", Black, Pack of 3",
    ' 12" x 8"',
    ' "The Original"',
    " (Large), 2nd Edition",
    " &amp; Charger",
    "\nwith Case",
    " ☕🎉",
    " <br />New Version",
    " | 100% Cotton; washable",
)
_HEADLINES = (
    "Five Stars",
    "Great value, would buy again",
    'It says "leather"; it isn\'t',
    "Meh…",
    "Broke after a week 😡",
    "Love it!",
    "Not what I expected, but good",
    "Three Stars",
)
_SENTENCES = (
    "Arrived on time and well packed.",
    'My daughter says it is "awesome", and uses it every day.',
    "The instructions are in five languages, none of them mine.<br /><br />I got it working anyway.",
    "It&#34;s smaller than in the picture, about 5&#34; across.",
    "Would buy it again, and have: one for home, one for the office.",
    "After three weeks the hinge broke; the seller sent another one at once.",
    "\\ o / works with a backslash, too",
    "Très bien, je recommande ☕.",
    "Good, cheap, quick: pick two.",
    "I have had many of these since 1998.\nThis is the best one so far.",
)

_SQL = """
COPY (
  WITH
  uniform AS (
    SELECT i, {uniforms} FROM range({rows}) AS rows(i)
  ),
  drawn AS (  -- the logarithm of a product's rank is uniform: the first ones have most of the reviews
    SELECT i, {names},
      CASE WHEN i < {category_count} THEN i ELSE CAST(floor(exp(u1 * ln({products}))) AS BIGINT) - 1 END AS product
    FROM uniform
  ),
  products AS (
    SELECT p, CAST(hash(p * 16 + {base}) >> 2 AS BIGINT) AS h FROM range({products}) AS products(p)
  ),
  described AS (
    SELECT p,
      {categories}[1 + CASE WHEN p < {category_count} THEN p ELSE (h >> 3) % {category_count} END] AS product_category,
      'B' || upper(to_base(CAST(p * 7919 + 36 ** 7 AS BIGINT), 36, 9)) AS product_id,
      CAST(100000000 + (h >> 7) % 900000000 AS VARCHAR) AS product_parent,
      {makers}[1 + (h >> 11) % {maker_count}] || ' ' || {things}[1 + (h >> 17) % {thing_count}]
        || ' ' || (1 + p) || {forms}[1 + p % {form_count}] AS product_title
    FROM products
  ),
  dated AS (
    SELECT *,
      CASE WHEN u2 < 0.12 THEN 2013 WHEN u2 < 0.34 THEN 2014 WHEN u2 < 0.72 THEN 2015 ELSE 2016 END AS year,
      CAST(least(floor(0.7 * (u3 ** -0.85 - 1)), 47524) AS INTEGER) AS helpful_votes
    FROM drawn
  )
  SELECT
    CASE WHEN u4 < 0.7 THEN 'US' WHEN u4 < 0.82 THEN 'UK' WHEN u4 < 0.9 THEN 'DE' WHEN u4 < 0.95 THEN 'FR' ELSE 'JP' END
      AS marketplace,
    CAST(10000000 + CAST(floor(u5 * u5 * {customers}) AS BIGINT) AS VARCHAR) AS customer_id,
    'R' || upper(to_base((i * 2654435761 + {base}) % 1099511627776, 36, 8)) AS review_id,
    product_id,
    product_parent,
    product_title,
    CASE WHEN u6 < 0.59 THEN 5 WHEN u6 < 0.76 THEN 4 WHEN u6 < 0.85 THEN 3 WHEN u6 < 0.9 THEN 2 ELSE 1 END
      AS star_rating,
    helpful_votes,
    CAST(helpful_votes + floor((helpful_votes + 1.5) * u7 * 0.6) AS INTEGER) AS total_votes,
    CASE WHEN u7 > 0.995 THEN 'Y' ELSE 'N' END AS vine,
    CASE WHEN u7 < 0.88 THEN 'Y' ELSE 'N' END AS verified_purchase,
    {headlines}[1 + CAST(floor(u8 * {headline_count}) AS INTEGER)] AS review_headline,
    {sentences}[1 + CAST(floor(u8 * 997 * {sentence_count}) AS BIGINT) % {sentence_count}]
      || CASE WHEN u8 < 0.7 THEN ' ' || {sentences}[1 + CAST(floor(u7 * {sentence_count}) AS BIGINT)] ELSE '' END
      || CASE WHEN u8 < 0.3 THEN ' This is my ' || (2 + i % 97) || 'th ' || product_title || '. '
        || {sentences}[1 + CAST(floor(u6 * {sentence_count}) AS BIGINT)] ELSE '' END
      AS review_body,
    make_date(year, 1, 1) + CAST(floor(u5 * 365) AS INTEGER) AS review_date,
    year,
    product_category
  FROM dated JOIN described ON p = product
) TO '{target}' (
  FORMAT parquet, COMPRESSION snappy, ROW_GROUP_SIZE 122880,
  PARTITION_BY (product_category), FILENAME_PATTERN 'part-{{i}}'
)
"""


def reviews(folder: Path, *, categories: Sequence[str], rows: int, seed: int = 0) -> Path:
    """Write `rows` reviews of 2013 to 2016 as Parquet under `folder` and return it.

    What was there before is replaced, at once and when all is written. With at least a row a category, every category
    has reviews. The same categories, rows and seed give the same rows.
    """
    import duckdb

    partial = folder.with_name(f"{folder.name}.{os.getpid()}.partial")
    base = int.from_bytes(hashlib.sha256(f"{seed}/reviews".encode()).digest()[:4], "big")
    names = [f"u{n}" for n in range(1, 9)]
    uniforms = (f"((hash(i * 16 + {base + n}) >> 11)::DOUBLE + 0.5) / 9007199254740992 AS u{n}" for n in range(1, 9))
    lists = {
        "categories": (categories, "category_count"),
        "makers": (_MAKERS, "maker_count"),
        "things": (_THINGS, "thing_count"),
        "forms": (_FORMS, "form_count"),
        "headlines": (_HEADLINES, "headline_count"),
        "sentences": (_SENTENCES, "sentence_count"),
    }
    sql = _SQL.format(
        uniforms=", ".join(uniforms),
        names=", ".join(names),
        rows=rows,
        base=base,
        products=max(rows // 40, 2 * len(categories)),
        customers=max(rows // 3, 1),
        target=_quote(str(partial)),
        **{name: f"[{', '.join(_literal(text) for text in texts)}]" for name, (texts, _) in lists.items()},
        **{count: len(texts) for texts, count in lists.values()},
    )
    partial.parent.mkdir(parents=True, exist_ok=True)
    try:
        with duckdb.connect() as connection:
            connection.execute("SET threads = 2")
            connection.execute("SET memory_limit = '700MB'")
            connection.execute(sql)
        if folder.exists():
            shutil.rmtree(folder)
        partial.replace(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return folder


def _quote(text: str) -> str:
    return text.replace("'", "''")


def _literal(text: str) -> str:
    return f"'{_quote(text)}'"
