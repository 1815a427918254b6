"""The job's arguments, as Glue hands them over: `--key value` pairs, its own among them."""

from __future__ import annotations

import argparse
import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from glue_transform import datasets, engines
from glue_transform.errors import UsageError

_REQUIRED = ("dataset", "year", "month", "raw_bucket", "processed_bucket", "engine")
_OURS = (*_REQUIRED, "prefix", "execution")

#: Of S3's safe characters, without empty segments (S3's guide, "Naming Amazon S3 objects").
_PREFIX = re.compile(r"(?=.{1,200}$)[A-Za-z0-9][A-Za-z0-9_.=-]*(/[A-Za-z0-9][A-Za-z0-9_.=-]*)*")


@dataclass(frozen=True)
class Request:
    """One month to transform. `prefix` stands before every key, without a slash at either end; empty for none.

    `execution` is the one that this run is part of, to be kept in the manifest; empty for none. `passed_over` are the
    names of arguments that are not this job's.
    """

    dataset: str
    year: int
    month: int
    raw_bucket: str
    processed_bucket: str
    engine: str
    prefix: str = ""
    execution: str = ""
    passed_over: tuple[str, ...] = field(default=(), compare=False)

    @property
    def first_day(self) -> dt.date:
        return dt.date(self.year, self.month, 1)


def parse(argv: Sequence[str]) -> Request:
    """Read the arguments, and pass over what is not this job's: Glue's own, old and new.

    An empty value may come as a bare name. Raises UsageError with one line about the first thing that is wrong.
    """
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    for name in _OURS:
        parser.add_argument(f"--{name}", nargs="?", default="", const="")
    known, rest = parser.parse_known_args(list(argv))
    given: dict[str, str] = vars(known)
    for name in _REQUIRED:
        if not given[name]:
            raise UsageError(f"--{name} is missing; the arguments are {', '.join(f'--{key}' for key in _OURS)}")
    for name, allowed in (("dataset", datasets.names()), ("engine", engines.NAMES)):
        if given[name] not in allowed:
            raise UsageError(f"--{name} {given[name]}: choose one of {', '.join(allowed)}")
    year, month = (given[name] for name in ("year", "month"))
    if not (year.isascii() and year.isdigit() and 2009 <= int(year) <= 9998):
        raise UsageError(f"--year {year}: give a year from 2009 on, such as 2024")
    if not (month.isascii() and month.isdigit() and 1 <= int(month) <= 12):
        raise UsageError(f"--month {month}: give a month from 01 to 12")
    prefix = given["prefix"]
    if prefix and not _PREFIX.fullmatch(prefix):
        raise UsageError(f"--prefix {prefix}: give a path such as smoke/1a2b, with no slash at either end")
    return Request(
        dataset=given["dataset"],
        year=int(year),
        month=int(month),
        raw_bucket=given["raw_bucket"],
        processed_bucket=given["processed_bucket"],
        engine=given["engine"],
        prefix=prefix,
        execution=given["execution"],
        passed_over=tuple(word.partition("=")[0] for word in rest if word.startswith("--")),
    )
