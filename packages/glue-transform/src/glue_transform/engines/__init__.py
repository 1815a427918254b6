"""The engines that run a transform's queries, each behind the same few methods."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from glue_transform.errors import Encrypted, NotParquet
from glue_transform.manifest import Part
from glue_transform.source import SourceFile

NAMES = ("duckdb", "spark")

#: Called with each part file as soon as it is written.
OnPart = Callable[[Part], None]


@dataclass(frozen=True)
class Output:
    """What to write: a query, the prefix for its files (`…/`), and how many files of nearly equal size.

    `names` are what the query's columns are called in the files, any text but none; None is as the query calls them.
    `tally` names a column of the files whose values are to be counted.
    """

    query: str
    prefix: str
    files: int
    names: Sequence[str] | None = None
    tally: str | None = None


@dataclass(frozen=True)
class Written:
    """The part files of an output, in order of name and none of them empty, and its tally: rows by value."""

    parts: Sequence[Part]
    tally: Mapping[str, int]

    @property
    def rows(self) -> int:
        return sum(part.rows for part in self.parts)


class Engine(Protocol):
    """Runs queries on one raw file, as the view `source`, in SQL that both engines read alike."""

    def open(self, url: str, *, zone: str) -> SourceFile:
        """Make the file the view `source`: columns by `reference`, times with a zone as clocks of `zone`.

        Raises NotParquet, Encrypted, AmbiguousColumns and UncastableColumn.
        """

    def counts(self, query: str) -> Sequence[int]:
        """Return the one row of integers that the query gives."""

    def bytes_per_row(self, query: str, *, of: int, prefix: str) -> float:
        """Measure the bytes of a row of Parquet that `write` would write, on the file's first `of` rows.

        0 where the query gives none of these. `prefix` is for what has to lie in S3 meanwhile.
        """

    def write(self, output: Output, *, on_part: OnPart) -> Written:
        """Write an output as Parquet: snappy, version 1 pages, every column nullable."""


def check_parquet(url: str, *, head: bytes, tail: bytes) -> None:
    """Raise NotParquet unless a file begins and ends with Parquet's magic number. `head` is shown, up to 60 bytes.

    Raise Encrypted for the one of encrypted footers (https://github.com/apache/parquet-format/blob/master/Encryption.md).
    """
    if b"PARE" in (head[:4], tail[-4:]):
        raise encryption_error(url)
    if head[:4] != b"PAR1":
        raise NotParquet(
            f"{url} is not a Parquet file: it begins with {head[:60]!r}; ingest the month again when its source has it"
        )
    if tail[-4:] != b"PAR1":
        raise NotParquet(f"{url} is cut short: it ends without a Parquet footer; ingest the month again")


def encryption_error(url: str) -> Encrypted:
    """Return the error for a file of which the footer, or a column, cannot be read without a key."""
    return Encrypted(f"{url} is an encrypted Parquet file, and this job has no key; publish the month unencrypted")
