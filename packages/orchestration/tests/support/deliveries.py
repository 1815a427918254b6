"""Parquet files of reviews as people have them: the declared columns, and what a test changes of them."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

import duckdb

#: SQL by column, of the review `i`, in the types that schema.sql declares.
COLUMNS = {
    "marketplace": "'US'",
    "customer_id": "CAST(1000 + i AS VARCHAR)",
    "review_id": "'R' || i",
    "product_id": "'B' || i",
    "product_parent": "'77'",
    "product_title": "'A title'",
    "star_rating": "CAST(5 AS INTEGER)",
    "helpful_votes": "CAST(0 AS INTEGER)",
    "total_votes": "CAST(2 AS INTEGER)",
    "vine": "'N'",
    "verified_purchase": "'Y'",
    "review_headline": "'Good'",
    "review_body": "'A text'",
    "review_date": "DATE '2015-08-31'",
    "year": "CAST(2015 AS INTEGER)",
}


def write(file: Path, *, rows: int = 3, without: Collection[str] = (), **changed: str) -> Path:
    """Write `rows` reviews, `i` counting from 1. `changed` is SQL by column, also of columns that are not declared."""
    columns = {name: sql for name, sql in (COLUMNS | changed).items() if name not in without}
    selected = ", ".join(f'{sql} AS "{name}"' for name, sql in columns.items())
    file.parent.mkdir(parents=True, exist_ok=True)
    with duckdb.connect() as connection:
        connection.execute(f"COPY (SELECT {selected} FROM range(1, {rows + 1}) AS r(i)) TO '{file}' (FORMAT parquet)")
    return file


def rows(file: Path, columns: str = "*") -> list[tuple[Any, ...]]:
    with duckdb.connect() as connection:
        return connection.execute(f"SELECT {columns} FROM read_parquet('{file}', hive_partitioning = false)").fetchall()
