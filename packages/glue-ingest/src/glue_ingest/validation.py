"""Is this the file that was asked for? Decided from its bytes, its names and its footer, never guessed."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable

from glue_ingest import parquet
from glue_ingest.arguments import Request
from glue_ingest.errors import Encrypted, NotParquet, WrongMonth
from glue_ingest.parquet import Column, Footer

_TLC_NAME = re.compile(r"(yellow|green|fhv|fhvhv)_tripdata_(\d{4}-\d{2})")
#: The pickup column through the years: Trip_Pickup_DateTime, pickup_datetime, tpep_…, lpep_….
_PICKUP = re.compile(r"\s*(trip_|tpep_|lpep_)?pickup_datetime\s*", re.IGNORECASE)
_INT64, _BYTE_ARRAY = 2, 6
_PER_SECOND = {"ms": 10**3, "us": 10**6, "ns": 10**9}
_EPOCH = datetime.datetime(1970, 1, 1)  # noqa: DTZ001 - TLC's timestamps are local time without a zone
_KNOWN_INTRUDERS = (
    (re.compile(rb"\s*<(!doctype html|html)", re.IGNORECASE), "an HTML page"),
    (re.compile(rb"\s*(<\?xml[^>]*>\s*)?<Error>.*?<Code>(?P<code>\w+)", re.DOTALL), "an S3 error document"),
    (re.compile(rb"version https://git-lfs"), "a Git LFS pointer"),
    (re.compile(rb"\x1f\x8b"), "gzip"),
    (re.compile(rb"PK\x03\x04"), "a zip archive"),
)


def require_head(head: bytes, *, where: str) -> None:
    """Raise NotParquet, with the first bytes, unless a file begins with Parquet's magic; Encrypted."""
    if head[:4] == parquet.MAGIC:
        return
    if head[:4] == parquet.ENCRYPTED_MAGIC:
        raise _encryption_error("its footer is encrypted", where=where)
    if not head:
        raise NotParquet(f"{where} is empty: try again later, or correct --source_url")
    raise NotParquet(f"{where} is not a Parquet file but {describe(head)}: correct --source_url, or try again later")


def describe(head: bytes) -> str:
    """Return what the first bytes look like, and the bytes themselves."""
    shown = repr(bytes(head[:48]))[2:-1]
    for pattern, name in _KNOWN_INTRUDERS:
        found = pattern.match(head)
        if found:
            code = found.groupdict().get("code")
            return f"{name}{f' ({code.decode()})' if code else ''}, which begins with “{shown}”"
    return f"something that begins with “{shown}”"


def footer_size(tail: bytes | bytearray, *, size: int, where: str) -> int:
    """Bytes at the end of the file that hold its footer and trailer. `size` is the whole file's."""
    try:
        wanted = parquet.footer_length(bytes(tail[-parquet.TRAILER_SIZE :])) + parquet.TRAILER_SIZE
        if wanted > size - len(parquet.MAGIC):
            raise parquet.Malformed("its footer is said to be longer than the file")
    except parquet.Malformed as error:
        raise _not_whole(error, size=size, where=where) from None
    except parquet.NeedsKey as error:
        raise _encryption_error(str(error), where=where) from None
    return wanted


def require_footer(tail: bytes | bytearray, *, size: int, where: str) -> Footer:
    """Read the footer from a tail that holds all of it. Raises NotParquet when the file is not whole, and Encrypted."""
    wanted = footer_size(tail, size=size, where=where)
    try:
        if wanted > len(tail):
            raise parquet.Malformed(f"its footer of {wanted:,} bytes is more than a server without ranges can prove")
        footer = parquet.parse_footer(bytes(tail[-wanted : -parquet.TRAILER_SIZE]))
        if footer.data_end > size - wanted:
            raise parquet.Malformed(f"its footer places data up to byte {footer.data_end:,}")
    except parquet.Malformed as error:
        raise _not_whole(error, size=size, where=where) from None
    except parquet.NeedsKey as error:
        raise _encryption_error(str(error), where=where) from None
    return footer


def _encryption_error(how: str, *, where: str) -> Encrypted:
    return Encrypted(f"{where} is an encrypted Parquet file ({how}), and there is no key: publish it unencrypted")


def _not_whole(error: parquet.Malformed, *, size: int, where: str) -> NotParquet:
    return NotParquet(
        f"{where} ({size:,} bytes) is not a whole Parquet file, {error}: try again later, or correct --source_url"
    )


def require_names(names: Iterable[str], request: Request) -> None:
    """Refuse a file that goes by another month's (or dataset's) TLC name. Other names say nothing."""
    asked = (request.dataset, f"{request.year}-{request.month:02d}")
    for name in names:
        found = _TLC_NAME.search(name)
        if found and found.groups() != asked:
            raise WrongMonth(
                f"{request.url} gave {found.group()}.parquet instead of {request.file_name}: correct --source_url"
            )


def require_month(footer: Footer, request: Request) -> None:
    """Refuse a file of which the statistics prove that no trip began in the month.

    Every published month holds stray pickups, so a file is refused only when no row group's range of pickup times
    touches the month, a day to either side included. Where a range is not recorded, nothing is decided.
    """
    ranges = []
    for group in footer.row_groups:
        pickup = next((column for column in group if _PICKUP.fullmatch(column.name)), None)
        days = _days(pickup) if pickup else None
        if days is None:
            return
        ranges.append(days)
    day = datetime.timedelta(days=1)
    first, last = request.first_day - day, request.last_day + day
    if ranges and not any(low <= last and high >= first for low, high in ranges):
        low, high = min(r[0] for r in ranges), max(r[1] for r in ranges)
        raise WrongMonth(f"{request.url} holds trips of {low} to {high}, none of {request.label}: correct --source_url")


def _days(column: Column) -> tuple[datetime.date, datetime.date] | None:
    """First and last day between which all values lie; None when that is unknown."""
    if column.minimum is None or column.maximum is None:
        return None
    low, high = _day(column, column.minimum), _day(column, column.maximum)
    return None if low is None or high is None else (low, high)


def _day(column: Column, bound: bytes) -> datetime.date | None:
    try:
        if column.physical_type == _INT64 and column.unit and len(bound) == 8:
            seconds = int.from_bytes(bound, "little", signed=True) / _PER_SECOND[column.unit]
            return (_EPOCH + datetime.timedelta(seconds=seconds)).date()
        if column.physical_type == _BYTE_ARRAY:
            return datetime.date.fromisoformat(bound[:10].decode("ascii"))
    except (ValueError, OverflowError):
        pass
    return None
