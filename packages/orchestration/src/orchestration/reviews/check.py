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
    """Reviews of the years that are loaded: in the source now, and in the table."""

    category: str
    source: int
    loaded: int

    @property
    def agrees(self) -> bool:
        return self.source == self.loaded

    def as_json(self) -> dict[str, Any]:
        return {"category": self.category, "source": self.source, "loaded": self.loaded, "agrees": self.agrees}


def check(pipeline: DailyPipeline, query: Query) -> list[CategoryCheck]:
    """Every category that has reviews in the source or in the table, in order; none before the first run."""
    there = query("SELECT 1 FROM svv_external_tables WHERE schemaname = 'amzreviews' AND tablename = 'reviews'")
    if not list(there):
        return []
    source = _by_category(query, f"amzreviews.reviews WHERE year >= {int(pipeline.since_year)}")
    loaded = _by_category(query, pipeline.table)
    return [CategoryCheck(name, source.get(name, 0), loaded.get(name, 0)) for name in sorted(source.keys() | loaded)]


def _by_category(query: Query, rows: str) -> dict[str, int]:
    counted = query(f"SELECT product_category, COUNT(*) FROM {rows} GROUP BY product_category")  # noqa: S608
    return {str(category): int(count) for category, count in counted}
