"""The job's arguments, as Glue hands them over: `--key value` pairs, its own among them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from glue_transform import datasets, engines
from glue_transform.errors import UsageError

_REQUIRED = ("dataset", "year", "month", "raw_bucket", "processed_bucket", "engine")
_OURS = (*_REQUIRED, "prefix")

#: Of S3's safe characters, without empty segments (S3's guide, "Naming Amazon S3 objects").
_PREFIX = re.compile(r"(?=.{1,200}$)[A-Za-z0-9][A-Za-z0-9_.=-]*(/[A-Za-z0-9][A-Za-z0-9_.=-]*)*")

#: What Glue and its runtimes read themselves and hand over all the same (AWS Glue guide, "Using job parameters in
#: AWS Glue jobs").
_GLUE = {
    "SECURITY_CONFIGURATION", "RedshiftTempDir", "TempDir", "scriptLocation",
    "class", "conf", "library-set", "job-language", "encryption-type", "executor-cores", "datalake-formats",
    "spark-event-logs-path", "user-jars-first", "use-postgres-driver", "additional-python-modules", "debug", "mode",
    "python-modules-installer-option", "auto-scale-within-microbatch", "write-shuffle-files-to-s3",
    "write-shuffle-spills-to-s3", "disable-proxy-v2",
}  # fmt: skip
_GLUE_PREFIXES = (
    "JOB_",
    "enable-",
    "extra-",
    "job-bookmark-",
    "continuous-log-",
    "customer-",
    "custom-log",
    "WORKFLOW_",
)


@dataclass(frozen=True)
class Request:
    """One month to transform. `prefix` stands before every key, without a slash at either end; empty for none."""

    dataset: str
    year: int
    month: int
    raw_bucket: str
    processed_bucket: str
    engine: str
    prefix: str = ""


def parse(argv: Sequence[str]) -> Request:
    """Read the arguments. Raises UsageError with one line about the first thing that is wrong."""
    given = _pairs(argv)
    for name in _REQUIRED:
        if not given.get(name):
            raise UsageError(f"--{name} is missing; the arguments are {', '.join(f'--{key}' for key in _OURS)}")
    for name, allowed in (("dataset", datasets.names()), ("engine", engines.NAMES)):
        if given[name] not in allowed:
            raise UsageError(f"--{name} {given[name]}: choose one of {', '.join(allowed)}")
    year, month = (given[name] for name in ("year", "month"))
    if not (year.isascii() and year.isdigit() and 2009 <= int(year) <= 9998):
        raise UsageError(f"--year {year}: give a year from 2009 on, such as 2024")
    if not (month.isascii() and month.isdigit() and 1 <= int(month) <= 12):
        raise UsageError(f"--month {month}: give a month from 01 to 12")
    prefix = given.get("prefix", "")
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
    )


def _pairs(argv: Sequence[str]) -> dict[str, str]:
    """The arguments that are ours, by name without dashes. No value of ours begins with dashes."""
    found: dict[str, str] = {}
    rest = list(argv)
    while rest:
        word = rest.pop(0)
        name, equals, value = word[2:].partition("=")
        if not word.startswith("--") or not (name in _OURS or _is_glues(name)):
            raise UsageError(f"unknown argument {word}; the arguments are {', '.join(f'--{key}' for key in _OURS)}")
        if not equals:
            value = rest.pop(0) if rest and not rest[0].startswith("--") else ""
        if name in _OURS:
            if name in found:
                raise UsageError(f"--{name} is given twice")
            found[name] = value
    return found


def _is_glues(name: str) -> bool:
    return name in _GLUE or name.startswith(_GLUE_PREFIXES)
