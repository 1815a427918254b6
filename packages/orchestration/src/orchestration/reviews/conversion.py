"""Parquet of reviews whose types are other than Spectrum's, as Parquet that it reads, with no row lost.

Values are cast only where nothing of them is lost: whole numbers of any width, days with a time of midnight (in UTC),
digits, `YYYY-MM-DD`. A year that is missing is that of review_date, as in what comes of the TSV files. A row with a
value that can't be cast, or that the load could not take, is put aside with its rule: read = kept + rejected.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from orchestration.errors import EltError, UsageError
from orchestration.reviews import footers
from orchestration.reviews.columns import list_columns
from orchestration.reviews.fit import CATEGORY, Fit, fit, quote
from orchestration.reviews.source import category_of


@dataclass(frozen=True)
class Converted:
    """Rows of one file. `rejected` counts by rule."""

    read: int
    rejected: Mapping[str, int]

    @property
    def kept(self) -> int:
        return self.read - sum(self.rejected.values())


def convert(file: Path, target: Path, rejects: Path, *, name: str, found: Fit) -> Converted:
    """Write the reviews of `file` to `target`, and what is rejected to `rejects`, an object a line.

    `name` is the file's own, below the source, `found` how it fits. Errors: UsageError where the file can't be read,
    EltError where the target does not hold what was kept.
    """
    import duckdb

    category = category_of(name)
    target.parent.mkdir(parents=True, exist_ok=True)
    reader = f"read_parquet({_text(file)}, hive_partitioning = false, binary_as_string = true, file_row_number = true)"
    rows = f"SELECT *, {_rule(found, category)} AS broken_rule FROM (SELECT {_columns(found)} FROM {reader})"  # noqa: S608
    kept = ", ".join(column.name for column in list_columns())
    try:
        with footers.connect() as connection:
            whole = f"SELECT {kept} FROM ({rows}) WHERE broken_rule IS NULL"  # noqa: S608
            connection.execute(f"COPY ({whole}) TO {_text(target)} (FORMAT parquet, COMPRESSION snappy)")
            broken = connection.execute(f"FROM ({rows}) WHERE broken_rule IS NOT NULL")
            rejected = _write(_rejects(broken, name, found), rejects)
            (read,) = connection.execute(f"SELECT count(*) FROM {reader}").fetchone()  # noqa: S608
    except duckdb.Error as error:
        raise UsageError(f"{name} can't be read: {' '.join(str(error).split())}") from error
    done = Converted(read, rejected)
    written = footers.read(target)
    if written.rows != done.kept or fit(written, category).casts is not None:
        raise EltError(f"{name}: what was written is not the {done.kept:,} rows kept; nothing was put in place")
    return done


def _columns(found: Fit) -> str:
    """Write the declared columns, cast, beside the file's (`given_…`) and the number of the row.

    `own_year` is the file's own year, cast; `year` is that, or the one of review_date.
    """
    casts = dict(found.casts or {})
    columns = [f"{cast} AS {'own_year' if name == 'year' else name}" for name, cast in casts.items()]
    columns.append(f"coalesce({casts['year']}, CAST(year({casts['review_date']}) AS INTEGER)) AS year")
    columns += [f"{quote(own)} AS given_{name}" for name, own in found.given.items()]
    return ", ".join([*columns, "file_row_number + 1 AS row_number"])


def _rule(found: Fit, category: str) -> str:
    """SQL for the first rule that a row breaks, over what `_columns` gives; NULL where it breaks none."""
    rules = {"no_review_id": "review_id IS NULL"}
    for column in list_columns():
        if column.name in found.given:
            cast = "own_year" if column.name == "year" else column.name
            rules[column.name] = f"{cast} IS NULL AND given_{column.name} IS NOT NULL"
    rules["no_year"] = "year IS NULL"
    if CATEGORY in found.given:
        rules[CATEGORY] = f"replace(given_{CATEGORY}, ' ', '_') <> {_text(category)}"
    texts = [column for column in list_columns() if column.most_bytes]
    rules["too_long"] = " OR ".join(f"strlen({column.name}) > {column.most_bytes}" for column in texts)
    cases = " ".join(f"WHEN {broken} THEN '{rule}'" for rule, broken in rules.items())
    return f"CASE {cases} END"


def _rejects(broken: Any, name: str, found: Fit) -> Iterator[dict[str, Any]]:
    names = [column[0] for column in broken.description]
    while batch := broken.fetchmany(1000):
        for values in batch:
            row = dict(zip(names, values, strict=True))
            review = {own: row[f"given_{known}"] for known, own in found.given.items()}
            yield {"file": name, "row": row["row_number"], "rule": row["broken_rule"], "review": review}


def _write(rejected: Iterator[dict[str, Any]], target: Path) -> Mapping[str, int]:
    """Write what is rejected, if anything is, and count it by rule."""
    counted: Counter[str] = Counter()
    if first := next(rejected, None):
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("w", encoding="utf-8") as out:
            for one in chain([first], rejected):
                counted[one["rule"]] += 1
                print(json.dumps(one, default=str), file=out)
    return dict(sorted(counted.items()))


def _text(text: object) -> str:
    return "'" + str(text).replace("'", "''") + "'"
