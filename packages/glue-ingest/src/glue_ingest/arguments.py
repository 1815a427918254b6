"""What one run is asked to do: the job's arguments, read and checked."""

from __future__ import annotations

import argparse
import datetime
import re
import string
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import quote, urlsplit

from glue_ingest.errors import UsageError

#: TLC's public address: https://www.nyc.gov/site/tlc/about/tlc-trip-record-data.page
TLC_URL = "https://d37ci6vzurychx.cloudfront.net/trip-data/{dataset}_tripdata_{year}-{month}.parquet"
_DATASET = re.compile(r"[a-z]+")
FIRST_YEAR = 2009

OPTIONS = ("dataset", "year", "month", "raw_bucket", "source_url", "force", "prefix", "execution")
_REQUIRED = ("dataset", "year", "month", "raw_bucket")
_PLACEHOLDERS = ("dataset", "year", "month")
#: https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
#: Of S3's safe characters; no segment is empty, or begins with a punctuation mark:
#: https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html
_PREFIX = re.compile(r"(?=.{1,200}$)[A-Za-z0-9][A-Za-z0-9_.=-]*(/[A-Za-z0-9][A-Za-z0-9_.=-]*)*")


@dataclass(frozen=True)
class Request:
    """One month of one dataset, where it comes from and which bucket it goes to."""

    dataset: str
    year: int
    month: int
    raw_bucket: str
    source_template: str = TLC_URL
    force: bool = False
    prefix: str = ""
    """Before every key, without a slash at either end; empty for none."""
    execution: str = ""
    """The execution that this run is part of, to be kept with the file; empty for none."""
    passed_over: tuple[str, ...] = field(default=(), compare=False)
    """Names of arguments that are not this job's."""

    @property
    def label(self) -> str:
        """For people: `yellow 2024-09`."""
        return f"{self.dataset} {self.year}-{self.month:02d}"

    @property
    def file_name(self) -> str:
        """TLC's own name of the file."""
        return f"{self.dataset}_tripdata_{self.year}-{self.month:02d}.parquet"

    @property
    def key(self) -> str:
        """Where the file goes in the raw bucket."""
        base = f"{self.prefix}/" if self.prefix else ""
        return f"{base}{self.dataset}/{self.year}/{self.month:02d}/{self.file_name}"

    @property
    def url(self) -> str:
        """The template filled in, percent-encoded to plain ASCII."""
        filled = self.source_template.format(dataset=self.dataset, year=f"{self.year}", month=f"{self.month:02d}")
        return quote(filled, safe=string.punctuation)

    @property
    def first_day(self) -> datetime.date:
        return datetime.date(self.year, self.month, 1)

    @property
    def last_day(self) -> datetime.date:
        return (self.first_day + datetime.timedelta(days=31)).replace(day=1) - datetime.timedelta(days=1)


def parse(argv: Sequence[str]) -> Request:
    """Read `--key value` pairs, as Glue passes them, and pass over what is not this job's: Glue's own, old and new.

    An empty value may come as a bare name. Raises UsageError for anything missing or malformed.
    """
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    for name in OPTIONS:
        parser.add_argument(f"--{name}", nargs="?", default="", const="true" if name == "force" else "")
    known, rest = parser.parse_known_args(list(argv))
    given: dict[str, str] = vars(known)
    missing = [name for name in _REQUIRED if not given.get(name)]
    if missing:
        raise UsageError(
            f"missing {', '.join('--' + name for name in missing)}: give --dataset yellow --year 2024 --month 09 "
            "--raw_bucket BUCKET"
        )
    if not _DATASET.fullmatch(given["dataset"]):
        raise UsageError(f"--dataset {given['dataset']}: not a dataset; give lower-case letters, such as yellow")
    if not _BUCKET.fullmatch(given["raw_bucket"]):
        raise UsageError(f"--raw_bucket {given['raw_bucket']}: not a bucket name; give the name alone, no s3://")
    return Request(
        dataset=given["dataset"],
        year=_number(given, "year", low=FIRST_YEAR, high=9999),
        month=_number(given, "month", low=1, high=12),
        raw_bucket=given["raw_bucket"],
        source_template=_template(given["source_url"] or TLC_URL),
        force=_flag(given, "force"),
        prefix=_prefix(given["prefix"]),
        execution=given["execution"],
        passed_over=tuple(word.partition("=")[0] for word in rest if word.startswith("--")),
    )


def _number(given: dict[str, str], name: str, *, low: int, high: int) -> int:
    text = given[name]
    if not (text.isascii() and text.isdigit() and low <= int(text) <= high):
        raise UsageError(f"--{name} {text}: give a number from {low} to {high}")
    return int(text)


def _flag(given: dict[str, str], name: str) -> bool:
    text = (given[name] or "false").lower()
    if text not in ("true", "false"):
        raise UsageError(f"--{name} {text}: give true or false")
    return text == "true"


def _prefix(text: str) -> str:
    if text and not _PREFIX.fullmatch(text):
        raise UsageError(f"--prefix {text}: give a path such as smoke/1a2b, with no slash at either end")
    return text


def _template(text: str) -> str:
    where = "--source_url"
    try:
        fields = [field for _, field, _, _ in string.Formatter().parse(text) if field is not None]
        parts = urlsplit(text)
        no_port = parts.scheme in ("http", "https") and parts.port == 0  # any other that is none is a ValueError
    except ValueError as error:
        raise UsageError(f"{where} {text}: {error}") from None
    if no_port:
        raise UsageError(f"{where} {text}: port 0 is none, give one from 1 to 65535")
    unknown = [field for field in fields if field not in _PLACEHOLDERS]
    if unknown:
        known = ", ".join("{" + name + "}" for name in _PLACEHOLDERS)
        raise UsageError(f"{where} {text}: no placeholder {{{unknown[0]}}}; there are {known}")
    if parts.scheme == "s3":
        return _s3_template(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UsageError(f"{where} {text}: give an http://, https:// or s3:// address")
    if "@" in parts.netloc:
        raise UsageError(f"{where}: an address must not hold a user or password, arguments are logged")
    return text


def _s3_template(text: str) -> str:
    """Check a key, which is taken as it stands: it must not hold what `Request.url` would encode."""
    bucket, _, key = text[len("s3://") :].partition("/")
    if not _BUCKET.fullmatch(bucket) or not key or quote(key, safe=string.punctuation) != key:
        raise UsageError(f"--source_url {text}: give s3://bucket/key, the key in plain ASCII without spaces")
    return text
