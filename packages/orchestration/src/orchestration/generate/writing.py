"""How a generated month is written: by SQL on uniform numbers, and only whole files appear."""

from __future__ import annotations

import calendar
import hashlib
import os
from pathlib import Path
from typing import Any

from orchestration.pipelines import Month


def write_month(folder: Path, sql: str, *, dataset: str, month: Month, rows: int, seed: int, **values: Any) -> Path:
    """Run a COPY statement for one month and return its file, which has TLC's own name.

    `sql` is a template. `{u1}` to `{u6}` are expressions of `i` that give independent uniforms in (0, 1), the same for
    the same dataset, month and seed; `{rows}`, `{days}`, `{month_start}`, `{month_end}` and `{target}` are what they
    say, and `values` what else it names.
    """
    import duckdb

    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{dataset}_tripdata_{month}.parquet"
    partial = file.with_suffix(f".{os.getpid()}.partial")
    days = calendar.monthrange(month.year, month.number)[1]
    start = f"TIMESTAMP '{month.first_day}'"
    base = int.from_bytes(hashlib.sha256(f"{seed}/{month}".encode()).digest()[:8], "big") >> 2
    uniforms = {f"u{n}": f"((hash(i * 8 + {base + n}) >> 11)::DOUBLE + 0.5) / 9007199254740992" for n in range(1, 7)}
    statement = sql.format(
        **uniforms,
        rows=rows,
        days=days,
        month_start=start,
        month_end=f"({start} + to_days({days}))",
        target=str(partial).replace("'", "''"),
        **values,
    )
    try:
        with duckdb.connect() as connection:
            connection.execute("SET threads = 2")
            connection.execute("SET memory_limit = '700MB'")
            connection.execute(statement)
        partial.replace(file)
    finally:
        partial.unlink(missing_ok=True)
    return file
