"""Makes an engine. It is above the engines, which are above what they have in common."""

from __future__ import annotations

from pathlib import Path

from glue_transform.engines import Engine
from glue_transform.storage import Storage


def create(name: str, *, storage: Storage, folder: Path) -> Engine:
    """Return the engine of that name. `folder` is for its temporary files."""
    if name == "spark":
        from glue_transform.engines.spark import SparkEngine

        return SparkEngine()
    from glue_transform.engines.duckdb import DuckDBEngine

    return DuckDBEngine(storage, folder)
