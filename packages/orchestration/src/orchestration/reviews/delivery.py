"""A delivery of reviews before it is put in place: every file looked at, and what does not fit converted or refused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from orchestration import scratch
from orchestration.errors import UsageError
from orchestration.pipelines import DailyPipeline
from orchestration.reviews import source as sources
from orchestration.reviews import tsv
from orchestration.reviews.conversion import Converted, convert
from orchestration.reviews.fit import fit
from orchestration.reviews.footers import Footer, NotParquet, read, require_duckdb
from orchestration.reviews.source import File, LocalFile, category_of

_SHOWN = 10


@dataclass(frozen=True)
class Rows:
    """Reviews in files: `all` of them, and how many at most are of the years that are loaded."""

    all: int = 0
    loaded: int = 0

    @classmethod
    def of(cls, footer: Footer, since: int) -> Rows:
        return cls(footer.rows, footer.rows_since(since))

    def __add__(self, other: Rows) -> Rows:
        return Rows(self.all + other.all, self.loaded + other.loaded)


@dataclass(frozen=True)
class Delivery:
    """Files that fit, and what became of the source on the way.

    `rows` is by category. `lines` is what a conversion from TSV made, `converted` the Parquet files that were
    converted; `rejects` are files of what was put aside, by name. `extra` are columns that are not read, `left_out`
    files that are not delivered.
    """

    files: tuple[File, ...]
    rows: Mapping[str, Rows]
    lines: tsv.Conversion | None = None
    converted: Mapping[str, Converted] = field(default_factory=dict)
    rejects: Mapping[str, Path] = field(default_factory=dict)
    extra: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()

    @property
    def bytes(self) -> int:
        return sum(file.size for file in self.files)

    @property
    def categories(self) -> tuple[str, ...]:
        return tuple(sorted(self.rows))


@contextmanager
def prepare(source: str, s3: Any, bucket: str, *, pipeline: DailyPipeline) -> Iterator[Delivery]:
    """Prepare a source as a delivery for `bucket`, which is unchanged; delete converted files.

    Errors: UsageError naming every file and column that is refused, what it is, and what it must be.
    """
    require_duckdb()
    with scratch.folder("reviews") as folder:
        if source.startswith("s3://"):
            origin, prefix = sources.split(source)
            if origin == bucket and (prefix + sources.PREFIX).startswith(sources.PREFIX):
                raise UsageError(f"{source} is where this environment's reviews are; leave --source out")
            found = sources.in_bucket(source, s3)
        else:
            found = sources.in_folder(Path(source))
        if not found.files:
            yield _from_tsv(Path(source), s3, folder, pipeline)
            return
        sources.check_names((file.name for file in found.files), pipeline.categories)
        yield _inspect(found, s3, folder, pipeline)


def _from_tsv(source: Path, s3: Any, folder: Path, pipeline: DailyPipeline) -> Delivery:
    lines = tsv.convert(tsv.files_of(source), folder)
    found = sources.in_folder(folder / sources.PREFIX)
    sources.check_names((file.name for file in found.files), pipeline.categories)
    done = _inspect(found, s3, folder, pipeline)
    rejects = {file.name: file for file in sorted((folder / "reviews_rejected").glob("*.jsonl"))}
    return replace(done, lines=lines, rejects=rejects)


def _inspect(found: sources.Found, s3: Any, folder: Path, pipeline: DailyPipeline) -> Delivery:
    """Return the delivery of what was found. Errors: UsageError."""
    footers = _footers(found.files, s3)
    fits = {name: fit(footer, category_of(name)) for name, footer in footers.items()}
    if faults := [f"{name} {fault}" for name, one in fits.items() for fault in one.faults]:
        raise _refusal(faults)
    files: list[File] = []
    converted: dict[str, Converted] = {}
    rows: dict[str, Rows] = {}
    rejects: dict[str, Path] = {}
    for file in found.files:
        placed, footer = file, footers[file.name]
        if fits[file.name].casts is not None:
            placed = LocalFile(file.name, folder / "converted" / file.name)
            aside = f"{file.name.removesuffix('.parquet')}.jsonl"
            done = convert(file.fetch(s3, folder), placed.path, folder / aside, name=file.name, found=fits[file.name])
            converted[file.name] = done
            rejects |= {aside: folder / aside} if done.rejected else {}
            footer = read(placed.path)
        files.append(placed)
        category = category_of(file.name)
        rows[category] = rows.get(category, Rows()) + Rows.of(footer, pipeline.since_year)
    _check_kept(rows, converted)
    extra = tuple(sorted({name for one in fits.values() for name in one.extra}))
    return Delivery(tuple(files), rows, converted=converted, rejects=rejects, extra=extra, left_out=found.left_out)


def _footers(files: Sequence[File], s3: Any) -> dict[str, Footer]:
    """Read the footers, by the files' names. Errors: UsageError naming what is no whole Parquet file."""

    def footer_of(file: File) -> Footer | NotParquet:
        try:
            return file.footer(s3)
        except NotParquet as error:
            return error

    with ThreadPoolExecutor(8) as pool:
        found = dict(zip((file.name for file in files), pool.map(footer_of, files), strict=True))
    if faults := [f"{name} {footer}" for name, footer in found.items() if isinstance(footer, NotParquet)]:
        raise _refusal(faults)
    return {name: footer for name, footer in found.items() if isinstance(footer, Footer)}


def _refusal(faults: Sequence[str]) -> UsageError:
    more = [f"and {len(faults) - _SHOWN:,} more"] if len(faults) > _SHOWN else []
    return UsageError("\n  ".join(["nothing was put in place, since", *faults[:_SHOWN], *more]))


def _check_kept(rows: Mapping[str, Rows], converted: Mapping[str, Converted]) -> None:
    """Raise UsageError unless something is left of what was converted."""
    for category in rows:
        rejected = Counter[str]()
        for name, one in converted.items():
            if category_of(name) == category:
                rejected.update(one.rejected)
        if rejected and not rows[category].all:
            rules = ", ".join(f"{rule} {count:,}" for rule, count in rejected.items())
            raise UsageError(f"nothing was put in place, since every review of {category} is rejected: {rules}")


def find_emptied(delivery: Delivery, held: Mapping[str, Rows], gone: Collection[str]) -> list[str]:
    """List the categories of which reviews are held, none would be loaded, and that are not `gone`."""
    return [
        category
        for category, rows in delivery.rows.items()
        if not rows.loaded and held.get(category, Rows()).loaded and category not in gone
    ]


def find_not_gone(delivery: Delivery, gone: Collection[str]) -> list[str]:
    """List the categories that are `gone`, and of which reviews are delivered."""
    return [category for category in gone if delivery.rows.get(category, Rows()).loaded]


def find_shrunk(delivery: Delivery, held: Mapping[str, Rows]) -> list[str]:
    """Categories of which far fewer reviews are delivered than are held: less than half, and a hundred less."""
    return [
        category
        for category, rows in delivery.rows.items()
        if (before := held.get(category, Rows()).all) > 2 * rows.all and before - rows.all >= 100
    ]
