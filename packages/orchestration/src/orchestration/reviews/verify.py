"""Does the warehouse hold what the source has, category by category?"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from orchestration.pipelines import DailyPipeline

#: Runs one query on the warehouse and returns its rows.
Query = Callable[[str], Iterable[tuple[Any, ...]]]


@dataclass(frozen=True)
class CategoryCheck:
    """Reviews of the years that are loaded, and those without a year: in the source now, and in the table."""

    category: str
    source: int
    loaded: int

    @property
    def agrees(self) -> bool:
        return self.source == self.loaded

    @property
    def missing_from(self) -> list[str]:
        """Where the category has no reviews at all: `source`, `table`, both or neither."""
        return [place for place, reviews in (("source", self.source), ("table", self.loaded)) if not reviews]

    def as_json(self) -> dict[str, Any]:
        return {
            "category": self.category,
            "source": self.source,
            "loaded": self.loaded,
            "agrees": self.agrees,
            "missing_from": self.missing_from,
        }


def check_categories(pipeline: DailyPipeline, query: Query) -> list[CategoryCheck]:
    """List every category of the pipeline, and any other with reviews in the table, in order; none before the first
    run.
    """
    there = query("SELECT 1 FROM svv_external_tables WHERE schemaname = 'amzreviews' AND tablename = 'reviews'")
    if not list(there):
        return []
    years = f"year >= {int(pipeline.since_year)} OR year IS NULL"
    source = _by_category(query, f"amzreviews.reviews WHERE {years}")
    loaded = _by_category(query, pipeline.table)
    names = sorted({*pipeline.categories, *source, *loaded})
    return [CategoryCheck(name, source.get(name, 0), loaded.get(name, 0)) for name in names]


def _by_category(query: Query, rows: str) -> dict[str, int]:
    counted = query(f"SELECT product_category, COUNT(*) FROM {rows} GROUP BY product_category")  # noqa: S608
    return {str(category): int(count) for category, count in counted}
