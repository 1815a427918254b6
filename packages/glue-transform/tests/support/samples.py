"""A dataset's sample through a transform: no column is unknown, and what is kept is what the file says."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import duckdb

from glue_transform.datasets import load

_FOLDER = Path(__file__).resolve().parents[1] / "samples"


def check_sample(lake: Any, engine: str, dataset: str, *, year: int, month: int, rows: int) -> None:
    """Assert that each of the sample's rows is kept unchanged, or rejected by a rule."""
    raw = lake.raw(dataset, year, month)
    shutil.copy(_FOLDER / raw.name, raw)
    manifest = lake.transform(dataset, year, month, engine=engine)
    found = manifest["load"]
    assert (found["rows_read"], found["rows_kept"] + sum(manifest["rejected"].values())) == (rows, rows)
    changes = {line["change"] for line in manifest["drift"]}
    assert not changes & {"new_column", "unreadable_values"}, (
        "each column of the file is known, and each value is one of its type"
    )
    assert found["rows_kept"] > 0, "a sample of rejects alone shows nothing"
    definition = load(dataset)
    (era,) = [one for one in definition.eras if one.name == manifest["source"]["era"]]
    given = ", ".join(f'"{source}"' for source in era.columns.values())
    kept = ", ".join(era.columns)
    files = [str(file) for file in lake.kept(manifest)]
    with duckdb.connect() as connection:
        (other,) = connection.execute(
            f"SELECT count(*) FROM (SELECT {kept} FROM read_parquet(?) EXCEPT ALL SELECT {given} FROM read_parquet(?))",
            [files, str(raw)],
        ).fetchone()
    assert other == 0, "rows that are not the file's"
