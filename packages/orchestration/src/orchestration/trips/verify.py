"""Does the warehouse hold what the manifests say, month by month?"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from orchestration.pipelines import Month, Pipeline

#: Runs one query on the warehouse and returns its rows.
Query = Callable[[str], Iterable[tuple[Any, ...]]]


@dataclass(frozen=True)
class MonthCheck:
    """One month. `read`, `kept` and `rejected` (by rule) are the manifest's; None and {} where there is none.

    `loaded` is counted in the table by `source_month`. The month was loaded `before` these columns of the table were
    added, and has NULL there. `drift` is the manifest's: how its file differed from what the dataset knows.
    """

    month: str
    read: int | None
    kept: int | None
    rejected: Mapping[str, int]
    loaded: int
    before: Sequence[str] = ()
    drift: Sequence[Mapping[str, Any]] = ()

    @property
    def agrees(self) -> bool:
        """Whether no row was lost on the way: read = kept + rejected, and the table holds what was kept."""
        if self.read is None or self.kept is None:
            return False
        return self.read == self.kept + sum(self.rejected.values()) and self.kept == self.loaded

    def as_json(self) -> dict[str, Any]:
        return {
            "month": self.month,
            "read": self.read,
            "kept": self.kept,
            "rejected": dict(self.rejected),
            "loaded": self.loaded,
            "before": list(self.before),
            "drift": [dict(line) for line in self.drift],
            "agrees": self.agrees,
        }


def read_manifest(s3: Any, bucket: str, dataset: str, month: Month) -> dict[str, Any] | None:
    """Return the manifest of a month; None where no transform has published one."""
    try:
        answer = s3.get_object(Bucket=bucket, Key=f"{dataset}/{month.path}/manifest.json")
    except s3.exceptions.NoSuchKey:
        return None
    manifest: dict[str, Any] = json.loads(answer["Body"].read())
    return manifest


def manifest_months(s3: Any, bucket: str, dataset: str) -> list[Month]:
    """List the months that have a manifest, in order."""
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"{dataset}/")
    keys = (item["Key"] for page in pages for item in page.get("Contents", []))
    return sorted(Month.parse("-".join(key.split("/")[1:3])) for key in keys if key.endswith("/manifest.json"))


def count_loaded(query: Query, table: str) -> dict[str, int]:
    """Rows in the table by `YYYY-MM` of `source_month`; nothing where the table is not there yet."""
    schema, name = table.split(".")
    exists = f"SELECT 1 FROM svv_tables WHERE table_schema = '{schema}' AND table_name = '{name}'"  # noqa: S608
    if not list(query(exists)):
        return {}
    counted = query(f"SELECT source_month, COUNT(*) FROM {table} GROUP BY source_month")  # noqa: S608
    return {str(month)[:7]: int(rows) for month, rows in counted}


def list_columns(query: Query, table: str) -> list[str]:
    """List the columns of a table; none where the table is not there yet."""
    schema, name = table.split(".")
    listed = f"SELECT column_name FROM svv_columns WHERE table_schema = '{schema}' AND table_name = '{name}'"  # noqa: S608
    return [str(column) for (column,) in query(listed)]


def check_months(pipeline: Pipeline, s3: Any, processed_bucket: str, query: Query) -> list[MonthCheck]:
    """List every month that has a manifest or rows, in order."""
    loaded, columns = count_loaded(query, pipeline.table), list_columns(query, pipeline.table)
    months = {str(month) for month in manifest_months(s3, processed_bucket, pipeline.dataset)} | set(loaded)
    found = {one: read_manifest(s3, processed_bucket, pipeline.dataset, Month.parse(one)) for one in sorted(months)}
    return [_check_month(month, manifest, loaded.get(month, 0), columns) for month, manifest in found.items()]


def _check_month(month: str, manifest: Mapping[str, Any] | None, rows: int, columns: Sequence[str]) -> MonthCheck:
    if manifest is None:
        return MonthCheck(month, None, None, {}, rows)
    load = manifest["load"]
    written = manifest.get("columns", columns)  # of a load from before manifests had them, nothing is known
    before = [column for column in columns if column not in written]
    return MonthCheck(
        month,
        load["rows_read"],
        load["rows_kept"],
        manifest["rejected"],
        rows,
        before,
        drift=manifest.get("drift", ()),
    )
