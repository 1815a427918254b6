"""What one run is asked to do: the job's arguments, read and checked."""

from __future__ import annotations

import datetime
import re
import string
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from glue_ingest.errors import UsageError

#: TLC's public address: https://www.nyc.gov/site/tlc/about/tlc-trip-record-data.page
TLC_URL = "https://d37ci6vzurychx.cloudfront.net/trip-data/{dataset}_tripdata_{year}-{month}.parquet"
DATASETS = ("yellow", "green")
FIRST_YEAR = 2009

OPTIONS = ("dataset", "year", "month", "raw_bucket", "source_url", "force", "prefix")
_REQUIRED = ("dataset", "year", "month", "raw_bucket")
_PLACEHOLDERS = ("dataset", "year", "month")
#: https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
#: Of S3's safe characters; no segment is empty, or begins with what this package's own keys begin with:
#: https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html
_PREFIX = re.compile(r"(?=.{1,200}$)[A-Za-z0-9][A-Za-z0-9_.=-]*(/[A-Za-z0-9][A-Za-z0-9_.=-]*)*")
#: Arguments that Glue itself sets or reads:
#: https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-etl-glue-arguments.html
_GLUES_OWN = re.compile(
    r"JOB_.+|WORKFLOW_.+|SECURITY_CONFIGURATION|TempDir|scriptLocation|additional-python-modules"
    r"|python-modules-installer-option|extra-(py-files|files|jars)|user-jars-first|library-set|class|conf|debug"
    r"|mode|endpoint|encryption-type|job-(language|bookmark-.+)|enable-.+|disable-.+|continuous-log-.+"
    r"|customer-(driver|executor)-env-vars|datalake-formats|executor-cores|use-postgres-driver"
    r"|spark-event-logs-path|write-shuffle-.+|auto-scale-within-microbatch"
)


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
        return f"{self._base}{self.dataset}/{self.year}/{self.month:02d}/{self.file_name}"

    @property
    def staging_prefix(self) -> str:
        """Under which the file lies until it is whole."""
        return f"{self._base}_incoming/"

    @property
    def _base(self) -> str:
        return f"{self.prefix}/" if self.prefix else ""

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
    """Read `--key value` pairs, as Glue passes them. Glue's own arguments are ignored.

    Raises UsageError for anything missing, unknown or malformed.
    """
    given = _pairs(argv)
    missing = [name for name in _REQUIRED if not given.get(name)]
    if missing:
        raise UsageError(
            f"missing {', '.join('--' + name for name in missing)}: give --dataset yellow --year 2024 --month 09 "
            "--raw_bucket BUCKET"
        )
    if given["dataset"] not in DATASETS:
        raise UsageError(f"--dataset {given['dataset']}: give one of {', '.join(DATASETS)}")
    if not _BUCKET.fullmatch(given["raw_bucket"]):
        raise UsageError(f"--raw_bucket {given['raw_bucket']}: not a bucket name; give the name alone, no s3://")
    return Request(
        dataset=given["dataset"],
        year=_number(given, "year", low=FIRST_YEAR, high=9999),
        month=_number(given, "month", low=1, high=12),
        raw_bucket=given["raw_bucket"],
        source_template=_template(given.get("source_url") or TLC_URL),
        force=_flag(given, "force"),
        prefix=_prefix(given.get("prefix", "")),
    )


def _pairs(argv: Sequence[str]) -> dict[str, str]:
    given: dict[str, str] = {}
    rest = list(argv)
    while rest:
        token = rest.pop(0)
        if not token.startswith("--"):
            raise UsageError(f"{token!r} stands where an argument name was expected: give --key value pairs")
        name, equals, value = token[2:].partition("=")
        if not equals and rest and not rest[0].startswith("--"):
            value = rest.pop(0)
        if name in OPTIONS:
            given[name] = value if value or name != "force" else "true"
        elif not _GLUES_OWN.fullmatch(name):
            raise UsageError(f"--{name}: no such argument; there are {', '.join('--' + o for o in OPTIONS)}")
    return given


def _number(given: dict[str, str], name: str, *, low: int, high: int) -> int:
    text = given[name]
    if not (text.isascii() and text.isdigit() and low <= int(text) <= high):
        raise UsageError(f"--{name} {text}: give a number from {low} to {high}")
    return int(text)


def _flag(given: dict[str, str], name: str) -> bool:
    text = given.get(name, "false").lower()
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
    except ValueError as error:
        raise UsageError(f"{where} {text}: {error}") from None
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
    """A key is taken as it stands, so it must not hold what `Request.url` would encode."""
    bucket, _, key = text[len("s3://") :].partition("/")
    if not _BUCKET.fullmatch(bucket) or not key or quote(key, safe=string.punctuation) != key:
        raise UsageError(f"--source_url {text}: give s3://bucket/key, the key in plain ASCII without spaces")
    return text
