"""What the footer of a Parquet file says: its columns, and how many rows it holds of which years.

Read by DuckDB, which looks at nothing else of the file: an object in S3 is read as a sparse file of its size, with only
its last bytes fetched.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from orchestration.errors import EltError, UsageError

_MAGIC = b"PAR1"
#: The length of the footer, and the magic behind it: https://parquet.apache.org/docs/file-format/
_TAIL = 8
#: Most footers are smaller, so that one request fetches them.
_FETCHED = 64 * 1024


class NotParquet(EltError):
    """A file is no whole Parquet file; `str()` says what it is instead."""


@dataclass(frozen=True)
class Field:
    """A top-level column. `kind` is its type in DuckDB's words.

    `nulls` is None where the footer does not count them; so are `least` and `greatest`, which may be cut.
    """

    name: str
    physical: str
    kind: str
    nulls: int | None
    least: str | None
    greatest: str | None


@dataclass(frozen=True)
class Footer:
    """`groups` are the row groups: rows, and the greatest year among them, None where the footer does not say."""

    rows: int
    fields: tuple[Field, ...]
    groups: tuple[tuple[int, int | None], ...]

    def rows_since(self, year: int) -> int:
        """Return how many rows at most are of `year` and later."""
        return sum(rows for rows, last in self.groups if last is None or last >= year)


def require_duckdb() -> None:
    """Raise UsageError where DuckDB is not installed; it comes with what the local cloud needs."""
    if not find_spec("duckdb"):
        raise UsageError("reviews are read and converted by DuckDB, of orchestration[local]: pip install duckdb")


def connect() -> Any:
    """DuckDB, as it reads and writes reviews: within 700 MB, times in UTC."""
    import duckdb

    connection = duckdb.connect()
    for setting in ("threads = 2", "memory_limit = '700MB'", "TimeZone = 'UTC'"):
        connection.execute(f"SET {setting}")
    return connection


def read(file: Path) -> Footer:
    """Return the footer of a file on this machine. Errors: NotParquet."""
    import duckdb

    with file.open("rb") as opened:
        head = opened.read(4)
        size = opened.seek(0, 2)
        opened.seek(max(0, size - 4))
        _check_magic(head, opened.read(4), size)
    try:
        with connect() as connection:
            return _read(connection, str(file))
    except duckdb.Error as error:
        raise NotParquet(f"has a footer that can't be read: {' '.join(str(error).split())}") from error


def fetch(s3: Any, bucket: str, key: str, *, size: int, folder: Path) -> Footer:
    """Return the footer of an object of `size` bytes; `folder` takes the sparse file. Errors: NotParquet."""

    def part(first: int, last: int) -> bytes:
        body: bytes = s3.get_object(Bucket=bucket, Key=key, Range=f"bytes={first}-{last}")["Body"].read()
        return body

    if not size:
        raise NotParquet("is empty")
    end = part(max(0, size - _FETCHED), size - 1)
    head = end[:4] if len(end) == size else part(0, 3)
    _check_magic(head, end[-4:], size)
    wanted = min(int.from_bytes(end[-_TAIL:-4], "little") + _TAIL, size)
    if wanted > len(end):
        end = part(size - wanted, size - 1)
    sparse = folder / "footer.parquet"
    with sparse.open("wb") as out:
        out.truncate(size)
        out.write(head)
        out.seek(size - len(end))
        out.write(end)
    try:
        return read(sparse)
    finally:
        sparse.unlink()


def _check_magic(head: bytes, tail: bytes, size: int) -> None:
    if not size:
        raise NotParquet("is empty")
    if b"PARE" in (head, tail):
        raise NotParquet("is encrypted Parquet")
    if head != _MAGIC:
        raise NotParquet(f"is no Parquet file: it begins with {head!r}")
    if tail != _MAGIC or size < 12:
        raise NotParquet(f"is a Parquet file that was cut short, at {size:,} bytes")


def _read(connection: Any, file: str) -> Footer:
    schema = connection.execute(
        "SELECT name, type, num_children, duckdb_type, repetition_type FROM parquet_schema(?)", [file]
    ).fetchall()
    counted = connection.execute(
        """SELECT path_in_schema, CASE WHEN count(stats_null_count) = count(*) THEN sum(stats_null_count) END,
             min(stats_min_value), max(stats_max_value)
           FROM parquet_metadata(?) GROUP BY path_in_schema""",
        [file],
    ).fetchall()
    (rows,) = connection.execute("SELECT num_rows FROM parquet_file_metadata(?)", [file]).fetchone()
    groups = connection.execute(
        """SELECT any_value(row_group_num_rows),
             max(TRY_CAST(stats_max_value AS INTEGER)) FILTER (path_in_schema = 'year')
           FROM parquet_metadata(?) GROUP BY row_group_id ORDER BY row_group_id""",
        [file],
    ).fetchall()
    statistics = {path: rest for path, *rest in counted}
    fields = []
    for name, physical, _, kind, repetition in _top_level(schema):
        nulls, least, greatest = statistics.get(name, (None, None, None))
        known = 0 if repetition == "REQUIRED" or not rows else nulls
        # Text that is not marked as such, which older writers leave: to Spectrum, it is text.
        meant = "VARCHAR" if kind == "BLOB" and physical == "BYTE_ARRAY" else str(kind)
        fields.append(Field(name, physical or "", meant, None if known is None else int(known), least, greatest))
    return Footer(int(rows), tuple(fields), tuple((int(count), last) for count, last in groups))


def _top_level(schema: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """List the root's children. A schema is a tree, written depth first, each node with the number of its children."""
    found, position = [], 1
    while position < len(schema):
        found.append(schema[position])
        pending = 1
        while pending:
            pending += (schema[position][2] or 0) - 1
            position += 1
    return found


def find_doubled(footer: Footer) -> list[str]:
    """Names, in lower case, that more than one column has: who reads by name can't tell them apart."""
    return [name for name, times in Counter(field.name.lower() for field in footer.fields).items() if times > 1]
