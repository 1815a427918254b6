"""Where a load's files lie, and how many there are."""

from __future__ import annotations

import datetime as dt
import hashlib
import math
import secrets
from collections.abc import Iterable
from dataclasses import dataclass

#: Slices of the smallest Redshift Serverless workgroup (8 RPU): one per RPU, as measured in "Amazon Redshift
#: Serverless" of the Redshift Observatory, 2023. Larger workgroups are multiples of it.
SLICES = 8

#: A Parquet file under 128 MB is read by one slice alone; the best size is 1 to 125 MB, and the number of files a
#: multiple of the slices (Redshift's guide, "Loading data files"). Below 16 MB a file's own cost shows.
LARGEST_FILE = 125_000_000
SMALLEST_FILE = 16_000_000

_LOAD_ID_TIME = "%Y%m%dT%H%M%SZ"
_ABANDONED_AFTER = dt.timedelta(days=1)


@dataclass(frozen=True)
class Layout:
    """The URLs of one load of one month. Prefixes end with a slash, but for `prefix`, which stands before every key."""

    dataset: str
    year: int
    month: int
    raw_bucket: str
    processed_bucket: str
    file_name: str
    load_id: str
    prefix: str = ""

    @property
    def _base(self) -> str:
        return f"{self.prefix}/" if self.prefix else ""

    @property
    def _month(self) -> str:
        return f"{self.year}/{self.month:02}"

    @property
    def raw(self) -> str:
        return f"s3://{self.raw_bucket}/{self._base}{self.dataset}/{self._month}/{self.file_name}"

    @property
    def month_prefix(self) -> str:
        return f"s3://{self.processed_bucket}/{self._base}{self.dataset}/{self._month}/"

    @property
    def rejected_month_prefix(self) -> str:
        return f"s3://{self.processed_bucket}/{self._base}{self.dataset}_rejected/{self._month}/"

    @property
    def kept(self) -> str:
        return f"{self.month_prefix}{self.load_id}/"

    @property
    def rejected(self) -> str:
        return f"{self.rejected_month_prefix}{self.load_id}/"

    @property
    def sample(self) -> str:
        """Where an engine that cannot write elsewhere measures; what a killed run leaves goes with its load."""
        return f"{self.month_prefix}{self.load_id}-sample/"

    @property
    def manifest(self) -> str:
        return f"{self.month_prefix}manifest.json"


def new_load_id(now: dt.datetime, *, execution: str = "") -> str:
    """Return a name for a load that no other has, in the order of time: `20241103T060211Z-9f2c81d4`.

    Of an execution, its end is the beginning of the SHA-256 of the execution's name: so the table's audit, which has
    the load's name alone, tells whose load it is. An execution's attempts do not begin in one second.
    """
    token = hashlib.sha256(execution.encode()).hexdigest()[:8] if execution else secrets.token_hex(4)
    return f"{now.astimezone(dt.timezone.utc):{_LOAD_ID_TIME}}-{token}"


def part_files(rows: int, *, bytes_per_row: float) -> int:
    """Return the number of part files for so many rows.

    A multiple of the slices, of files as large as one slice reads; where the month is too small for that, the
    largest divisor of the slices whose files are no smaller than the smallest; at least one.
    """
    size = rows * bytes_per_row
    if size >= SLICES * SMALLEST_FILE:
        return SLICES * math.ceil(size / (SLICES * LARGEST_FILE))
    return max((n for n in range(1, SLICES) if SLICES % n == 0 and n * SMALLEST_FILE <= size), default=1)


def find_superseded(load_ids: Iterable[str], *, current: str, replaced: str | None) -> list[str]:
    """List which loads' files can go once `current` is published.

    The load whose manifest was replaced, and what a killed run left: anything a day older than the current load. A
    younger one may be a run that is still writing.
    """
    horizon = dt.datetime.strptime(current[:16], _LOAD_ID_TIME) - _ABANDONED_AFTER  # noqa: DTZ007 (both in UTC)
    return sorted(
        load_id
        for load_id in set(load_ids) - {current}
        if load_id == replaced or load_id[:16] < f"{horizon:{_LOAD_ID_TIME}}"
    )
