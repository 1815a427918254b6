"""Which months of a range are to be loaded: those that the warehouse does not hold as their manifests say."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from orchestration.errors import UsageError
from orchestration.pipelines import Month, MonthlyPipeline
from orchestration.trips import verify
from orchestration.trips.verify import Query

#: TLC publishes with about two months' delay (https://www.nyc.gov/site/tlc/about/tlc-trip-record-data.page).
PUBLISHED_AFTER = 2

MISSING = "missing"
LOADED = "loaded"
UNPUBLISHED = "unpublished"


@dataclass(frozen=True)
class PlannedMonth:
    """One month. `decision` is MISSING, LOADED or UNPUBLISHED; `rows` is what the table holds of it if LOADED."""

    month: Month
    decision: str
    rows: int | None = None

    def as_json(self) -> dict[str, Any]:
        return {"month": str(self.month), "decision": self.decision, "rows": self.rows}


@dataclass(frozen=True)
class Plan:
    """All months of a range, in order. With `force`, those that are loaded are run again."""

    months: tuple[PlannedMonth, ...]
    force: bool

    @property
    def to_run(self) -> list[Month]:
        wanted = (MISSING, LOADED) if self.force else (MISSING,)
        return [one.month for one in self.months if one.decision in wanted]

    def count(self, decision: str) -> int:
        return sum(one.decision == decision for one in self.months)


def months_between(first: Month, last: Month) -> list[Month]:
    """Both ends included; none where `last` is before `first`."""
    numbers = range(first.year * 12 + first.number - 1, last.year * 12 + last.number)
    return [Month(number // 12, number % 12 + 1) for number in numbers]


def newest_published(today: datetime.date) -> Month:
    """Return the month whose file can be expected to be there."""
    number = today.year * 12 + today.month - 1 - PUBLISHED_AFTER
    return Month(number // 12, number % 12 + 1)


def check_range(pipeline: MonthlyPipeline, first: Month, last: Month) -> None:
    """Raise UsageError where the range is none, or begins before there is anything."""
    if last < first:
        raise UsageError(f"--from {first} is after --to {last}")
    beginning = Month.parse(pipeline.first_month)
    if first < beginning:
        raise UsageError(f"{pipeline.name} begins with {beginning}; --from {first} is before that")


def plan(first: Month, last: Month, *, loaded: Mapping[Month, int], today: datetime.date, force: bool) -> Plan:
    """Decide what to do with each month of the range. `loaded` has the rows of the months that are right."""
    newest = newest_published(today)

    def decide(month: Month) -> PlannedMonth:
        if month in loaded:
            return PlannedMonth(month, LOADED, loaded[month])
        return PlannedMonth(month, UNPUBLISHED if month > newest else MISSING)

    return Plan(tuple(map(decide, months_between(first, last))), force)


def find_loaded_months(
    pipeline: MonthlyPipeline, months: Iterable[Month], *, s3: Any, processed_bucket: str, query: Query
) -> dict[Month, int]:
    """Find those of `months` whose newest transform is what the table holds, with their rows.

    That is so where the audit has the load that the manifest is of, and the table as many rows as the manifest kept.
    """
    rows = verify.count_loaded(query, pipeline.table)
    held = [month for month in months if str(month) in rows]
    if not held:
        return {}
    loads = _read_audit(query, pipeline)
    found: dict[Month, int] = {}
    for month in held:
        manifest = verify.read_manifest(s3, processed_bucket, pipeline.dataset, month)
        load = manifest["load"] if manifest else {}
        count = rows[str(month)]
        if load.get("rows_kept") == count and (str(month), load.get("load_id")) in loads:
            found[month] = count
    return found


def _read_audit(query: Query, pipeline: MonthlyPipeline) -> set[tuple[str, str]]:
    """Month and id of every load that was committed. The query is made of constant names, not of a user's text."""
    audit = f"{pipeline.table.split('.')[0]}.load_audit"
    found = query(f"SELECT source_month, load_id FROM {audit} WHERE dataset = '{pipeline.dataset}'")  # noqa: S608
    return {(str(month)[:7], str(load_id)) for month, load_id in found}
