"""The analysts' page: the top-reviews report as one HTML file that needs no server and no network."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orchestration.dashboard import data, page


@dataclass(frozen=True)
class Page:
    """A page that was written. `written` is when its report was, in UTC and ISO 8601; `run` the run that did."""

    path: Path
    reviews: int
    products: int
    written: str
    run: str


def write(s3: Any, bucket: str, folder: str, path: Path, *, environment: str) -> Page:
    """Write the page of the report in a folder of the reports bucket. Errors: ReportError; then nothing is written."""
    report = data.read(s3, bucket, folder, environment=environment)
    facts = {"environment": environment, "manifest": report.manifest, "written": report.written.isoformat()}
    page.write(path, report.reviews, report.run | facts)
    return Page(
        path=path,
        reviews=len(report.reviews.product),
        products=len(report.reviews.title),
        written=report.written.isoformat(),
        run=report.run["run_id"],
    )
