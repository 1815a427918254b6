"""The original TSV files of the review dataset as Parquet by category, with no row lost.

A file is a header and a line a review: 15 fields with tabs between, and nothing else has a meaning, so a `"` in a text
is a `"` and nothing opens or ends there. Texts are kept as published, `<br />` and entities such as `&#34;` too: what
was an entity and what was not is unknown once they are decoded, so who shows a text decodes it.

A line that is no review (see `fault`) is put aside with its rule: read = kept + rejected, and kept is what the Parquet
files hold, counted when all are written. An empty line holds nothing and is not read.
"""

from __future__ import annotations

import csv
import datetime
import gzip
import json
import re
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, cast

from orchestration.errors import EltError, UsageError
from orchestration.reviews import footers

#: The header, and the most bytes of UTF-8 that a text may have: the length of its column in schema.sql. Spectrum would
#: cut what is longer without a word.
COLUMNS: Mapping[str, int] = {
    "marketplace": 16,
    "customer_id": 32,
    "review_id": 32,
    "product_id": 32,
    "product_parent": 32,
    "product_title": 4096,
    "product_category": 64,
    "star_rating": 16,
    "helpful_votes": 16,
    "total_votes": 16,
    "vine": 8,
    "verified_purchase": 8,
    "review_headline": 4096,
    "review_body": 65535,
    "review_date": 16,
}
#: Types other than text, and the column that the Parquet files have beside those of the TSV files.
_TYPES = {"star_rating": "INTEGER", "helpful_votes": "INTEGER", "total_votes": "INTEGER", "review_date": "DATE"}
_YEAR = {"year": "INTEGER"}
_LONGEST_LINE = 4 * sum(COLUMNS.values())
_NAMES = tuple(COLUMNS)
CATEGORY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_&,'-]*")
_NUMBER = re.compile(r"[0-9]{1,9}")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@dataclass(frozen=True)
class Conversion:
    """What became of the lines. `rejected` counts by rule, `categories` the kept ones by category."""

    read: int
    kept: int
    rejected: Mapping[str, int]
    categories: Mapping[str, int]


@dataclass
class _Tally:
    read: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    categories: Counter[str] = field(default_factory=Counter)


def files_of(folder: Path) -> list[Path]:
    """List the TSV files in a folder, compressed or not, by name."""
    return sorted(file for file in folder.iterdir() if file.name.endswith((".tsv", ".tsv.gz")) and file.is_file())


def convert(files: Sequence[Path], out: Path) -> Conversion:
    """Write the reviews of TSV files as `out/reviews/product_category=…/FILE.parquet`.

    What is rejected goes to `out/reviews_rejected/FILE.jsonl`, an object a line: file, line, rule and text. Memory is
    bounded by the longest line. Errors: UsageError for a file that is none of these or can't be read, and for names
    whose reviews would be lost or doubled; EltError where the Parquet files do not hold what was kept.
    """
    footers.require_duckdb()
    _check_names(files)
    tally = _Tally()
    for file in files:
        try:
            _convert_file(file, out, tally)
        except (OSError, EOFError, zlib.error) as error:
            raise UsageError(f"{file} can't be converted: {error}") from error
    _check_counts(out, tally.categories)
    return Conversion(
        read=tally.read,
        kept=tally.categories.total(),
        rejected=dict(sorted(tally.rejected.items())),
        categories=dict(sorted(tally.categories.items())),
    )


def _check_names(files: Sequence[Path]) -> None:
    """Spectrum reads no file whose name begins with `.`, `_` or `#`, so what came of one would be lost.

    https://docs.aws.amazon.com/redshift/latest/dg/c-spectrum-external-tables.html
    """
    seen: dict[str, Path] = {}
    for file in files:
        if file.name.startswith((".", "_", "#")):
            raise UsageError(f"{file} would not be read by Spectrum; give it a name that begins with a letter")
        if (twin := seen.setdefault(_stem(file), file)) is not file:
            raise UsageError(f"{twin} and {file.name} seem to be the same reviews; leave one, or rename it")


def _stem(file: Path) -> str:
    return file.name.removesuffix(".gz").removesuffix(".tsv")


def fault(line: bytes) -> tuple[str | None, list[str]]:
    """Return the rule that a line breaks, or None, and its fields."""
    try:
        fields = line.decode("utf-8").split("\t")
    except UnicodeDecodeError:
        return "not_utf8", []
    if len(fields) != len(_NAMES):
        return "not_15_fields", fields
    return next(_find_broken_rules(line, dict(zip(_NAMES, fields, strict=True))), None), fields


def _find_broken_rules(line: bytes, review: Mapping[str, str]) -> Iterator[str]:
    if not review["review_id"]:
        yield "no_review_id"
    if not CATEGORY.fullmatch(folder_name(review["product_category"])):
        yield "product_category"
    if review["star_rating"] not in ("1", "2", "3", "4", "5"):
        yield "star_rating"
    if not (_NUMBER.fullmatch(review["helpful_votes"]) and _NUMBER.fullmatch(review["total_votes"])):
        yield "votes"
    if not _is_date(review["review_date"]):
        yield "review_date"
    if b"\0" in line:
        yield "nul_character"
    if any(len(text) * 4 > COLUMNS[name] and len(text.encode()) > COLUMNS[name] for name, text in review.items()):
        yield "too_long"


def folder_name(category: str) -> str:
    """Return a category as the published Parquet folders have it: `Video Games` is Video_Games."""
    return category.replace(" ", "_")


def _is_date(text: str) -> bool:
    if not _DATE.fullmatch(text):
        return False
    try:
        datetime.date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _convert_file(file: Path, out: Path, tally: _Tally) -> None:
    """Convert by way of a CSV file for each category, whose quoting is beyond doubt: DuckDB reads it."""
    stem = _stem(file)
    category_at, date_at = _NAMES.index("product_category"), _NAMES.index("review_date")
    written: Counter[str] = Counter()
    with ExitStack() as stack:
        source = stack.enter_context(_open(file))
        writers: dict[str, Any] = {}
        rejects: IO[str] | None = None
        _check_header(file, source)
        for number, line in enumerate(_lines(source), start=2):
            if not line:
                continue
            tally.read += 1
            rule, fields = fault(line) if len(line) < _LONGEST_LINE else ("too_long", [])
            if rule:
                tally.rejected[rule] += 1
                rejects = rejects or stack.enter_context(_create(out / "reviews_rejected" / f"{stem}.jsonl"))
                text = line.decode("utf-8", "backslashreplace")
                print(json.dumps({"file": file.name, "line": number, "rule": rule, "text": text}), file=rejects)
                continue
            category = folder_name(fields.pop(category_at))
            if category not in writers:
                target = stack.enter_context(_create(_folder(out, category) / f"{stem}.csv"))
                writers[category] = csv.writer(target, quoting=csv.QUOTE_ALL, lineterminator="\n")
            writers[category].writerow([*fields, fields[date_at - 1][:4]])
            written[category] += 1
    for category in written:
        _to_parquet(_folder(out, category) / f"{stem}.csv")
    tally.categories.update(written)


def _open(file: Path) -> IO[bytes]:
    return cast(IO[bytes], gzip.open(file)) if file.suffix == ".gz" else file.open("rb")


def _folder(out: Path, category: str) -> Path:
    return out / "reviews" / f"product_category={category}"


def _create(file: Path) -> IO[str]:
    file.parent.mkdir(parents=True, exist_ok=True)
    return file.open("w", encoding="utf-8", newline="")


def _check_header(file: Path, source: IO[bytes]) -> None:
    header = source.readline(4096)
    names = header.removeprefix(b"\xef\xbb\xbf").rstrip(b"\r\n").decode("utf-8", "replace").split("\t")
    if tuple(names) != _NAMES:
        raise UsageError(f"{file} is no review file: its first line does not name the 15 columns, {_NAMES[0]} first")


def _lines(source: IO[bytes]) -> Iterator[bytes]:
    """Yield the lines without their ends; one that is far too long is cut, and the rest of it skipped."""
    while line := source.readline(_LONGEST_LINE):
        rest = line
        while rest and not rest.endswith(b"\n"):
            rest = source.readline(_LONGEST_LINE)
        yield line.removesuffix(b"\n").removesuffix(b"\r")


def _to_parquet(file: Path) -> None:
    target = file.with_suffix(".parquet")
    kinds = {name: _TYPES.get(name, "VARCHAR") for name in _NAMES if name != "product_category"} | _YEAR
    columns = ", ".join(f"'{name}': '{kind}'" for name, kind in kinds.items())
    rows_of = f"""read_csv({_literal(file)}, columns = {{{columns}}}, auto_detect = false, header = false,
        delim = ',', quote = '"', escape = '"', allow_quoted_nulls = false, new_line = '\\n',
        hive_partitioning = false)"""
    with footers.connect() as connection:
        connection.execute(f"COPY (FROM {rows_of}) TO {_literal(target)} (FORMAT parquet, COMPRESSION snappy)")
    file.unlink()


def _check_counts(out: Path, kept: Counter[str]) -> None:
    found = Counter[str]()
    with footers.connect() as connection:
        for file in (out / "reviews").glob("product_category=*/*.parquet"):
            (rows,) = connection.execute("SELECT count(*) FROM read_parquet(?)", [str(file)]).fetchone() or (0,)
            found[file.parent.name.removeprefix("product_category=")] += rows
    if found != kept:
        raise EltError(f"the Parquet files hold {dict(found)}, but {dict(kept)} were kept; nothing was put in place")


def _literal(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"
