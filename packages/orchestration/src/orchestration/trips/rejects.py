"""The rows that the transform of a month rejected, as they came, with the rule that each broke."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestration import scratch
from orchestration.errors import EltError, UsageError
from orchestration.pipelines import Month, MonthlyPipeline
from orchestration.trips.verify import read_manifest

if TYPE_CHECKING:
    from rs_query import Page

_PAGE = 1000


@dataclass(frozen=True)
class Rejects:
    """How many rows of a month were read, and how many were rejected by which rule; `folder` is where they lie.

    `again` is the command that makes them again.
    """

    rows_read: int
    rejected: Mapping[str, int]
    bucket: str
    folder: str
    again: str

    @property
    def rules(self) -> dict[str, int]:
        """The rules that rows broke, most rows first."""
        broken = {rule: rows for rule, rows in self.rejected.items() if rows}
        return dict(sorted(broken.items(), key=lambda one: -one[1]))


def find(s3: Any, bucket: str, pipeline: MonthlyPipeline, month: Month) -> Rejects:
    """Find what the newest load of a month rejected. Errors: UsageError where the month has not been transformed."""
    manifest = read_manifest(s3, bucket, pipeline.dataset, month)
    if manifest is None:
        raise UsageError(
            f"{month} of {pipeline.name} is not there; `elt verify {pipeline.name}` lists the months that are"
        )
    load = manifest["load"]
    folder = f"{pipeline.dataset}_rejected/{month.path}/{load['load_id']}/"
    again = f"elt run {pipeline.name} --month {month} --force"
    return Rejects(load["rows_read"], manifest["rejected"], bucket, folder, again)


def read(s3: Any, rejects: Rejects, *, rule: str | None, limit: int | None) -> Iterator[Page]:
    """Yield the rows, in the order of the file, `rejected_by` first; of one rule or of all.

    Errors: UsageError for a rule that the dataset has not, EltError where the files are gone.
    """
    import duckdb

    from rs_query import Column, Page

    if rule is not None and rule not in rejects.rejected:
        raise UsageError(f"there is no rule {rule!r}; there are {', '.join(rejects.rejected)}")
    with scratch.folder("rejects") as folder, duckdb.connect() as database:
        files = _download(s3, rejects, folder)
        found = database.execute(
            "SELECT rejected_by, * EXCLUDE rejected_by FROM read_parquet($files) "
            "WHERE rejected_by = $rule OR $rule IS NULL LIMIT $limit",
            {"files": files, "rule": rule, "limit": limit},
        )
        columns = tuple(Column(name, _type(kind)) for name, kind, *_ in found.description or ())
        while True:
            rows = found.fetchmany(_PAGE)
            yield Page(columns, rows)
            if not rows:
                return


def _download(s3: Any, rejects: Rejects, folder: Path) -> list[str]:
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=rejects.bucket, Prefix=rejects.folder)
    files = []
    for number, item in enumerate(item for page in pages for item in page.get("Contents", [])):
        files.append(str(folder / f"{number}.parquet"))
        s3.download_file(rejects.bucket, item["Key"], files[-1])
    if not files:
        raise EltError(f"s3://{rejects.bucket}/{rejects.folder} is empty; `{rejects.again}` makes it again")
    return files


def _type(kind: Any) -> str:
    """Return a type as the warehouse calls it, as far as it decides on which side a column is aligned."""
    name = str(kind).partition("(")[0]
    return (
        "numeric" if name in {"DECIMAL", "DOUBLE", "FLOAT"} or name.endswith("INT") or name == "INTEGER" else "varchar"
    )
