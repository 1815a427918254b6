"""The job: one raw month becomes part files, rejects and a manifest."""

from __future__ import annotations

import contextlib
import datetime as dt
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from glue_transform import arguments, datasets, manifest, queries
from glue_transform.arguments import Request
from glue_transform.datasets import Dataset
from glue_transform.drift import drift_of, unreadable
from glue_transform.engines import Engine, Output, Written, factory
from glue_transform.errors import NothingKept, RowsLost, TransformError
from glue_transform.layout import Layout, find_superseded, new_load_id, part_files
from glue_transform.log import Log
from glue_transform.manifest import Part
from glue_transform.mapping import map_file
from glue_transform.queries import Queries
from glue_transform.source import SourceFile
from glue_transform.storage import S3, Storage

#: The share of a raw file on which the size of a row is measured: of a month, some 50,000 rows.
_SAMPLE_OF = 64


def main(argv: Sequence[str]) -> None:
    """Run the Glue job. Raises a TransformError, whose name and message become the run's ErrorMessage."""
    request = arguments.parse(argv)
    storage = S3()
    with tempfile.TemporaryDirectory(prefix="transform-") as folder:
        transform(request, storage=storage, engine=factory.create(request.engine, storage=storage, folder=Path(folder)))


def transform(request: Request, *, storage: Storage, engine: Engine) -> str:
    """Transform one month and publish its manifest, whose URL is returned.

    Until the manifest is out, an earlier load of the month stays as it was; a transform that fails removes what it
    wrote.
    """
    started = time.monotonic()
    dataset = datasets.load(request.dataset)
    layout = Layout(
        dataset=dataset.name,
        year=request.year,
        month=request.month,
        raw_bucket=request.raw_bucket,
        processed_bucket=request.processed_bucket,
        file_name=dataset.file_name(year=request.year, month=request.month),
        load_id=new_load_id(dt.datetime.now(dt.timezone.utc), execution=request.execution),
        prefix=request.prefix,
    )
    log = Log({"dataset": dataset.name, "month": f"{request.first_day:%Y-%m}", "load_id": layout.load_id})
    if request.passed_over:
        log.event("passed_over", arguments=request.passed_over)
    log.event("started", engine=request.engine, source=layout.raw)
    try:
        document = _write(dataset, layout, request=request, storage=storage, engine=engine, log=log)
        replaced = manifest.load_id_of(storage.read(layout.manifest))
    except BaseException:
        _remove(layout, storage, log)
        raise
    _publish(document, layout, storage, log)
    log.event("published", manifest=layout.manifest, seconds=round(time.monotonic() - started, 2))
    _remove_superseded(layout, replaced=replaced, storage=storage, log=log)
    return layout.manifest


def _write(dataset: Dataset, layout: Layout, *, request: Request, storage: Storage, engine: Engine, log: Log) -> bytes:
    """Write the load's files and make its manifest."""
    month = request.first_day
    raw = storage.info(layout.raw)
    source = engine.open(layout.raw, zone=dataset.zone)
    mapping = map_file(source, dataset)
    log.event("opened", bytes=raw.bytes, rows=source.rows, era=mapping.era)
    losses = queries.losses_of(dataset, mapping)
    counted = dict(zip(losses.conditions, engine.counts(losses.query))) if losses.query else {}
    drift = drift_of(source, mapping, losses=counted, zone=dataset.zone)
    for line in drift:
        log.event("drift", level="warning", **line)
    sql = queries.build(dataset, mapping, source=source.columns, month=month, losses=losses, counted=counted)
    writing = _Writing(layout, engine, source, log)
    rejects = writing.write_rejects(sql)
    rejected = {rule: rejects.tally.get(rule, 0) for rule in sql.rules}
    if source.rows == rejects.rows:
        why = "; ".join([_by_rule(rejected) or "it has none", *unreadable(drift)])
        raise NothingKept(
            f"{layout.raw}: none of its {source.rows} rows is kept ({why}); the month is left as it was: look at the "
            "file, and at the rules of the dataset"
        )
    kept = writing.write_kept(sql, rows=source.rows - rejects.rows, raw_bytes=raw.bytes)
    log.event("judged", rows=source.rows, kept=kept.rows, rejected=rejected)
    if source.rows != kept.rows + sum(rejected.values()) or rejects.rows != sum(rejected.values()):
        raise RowsLost(
            f"{layout.raw}: of its {source.rows} rows {kept.rows} were kept and {rejects.rows} rejected "
            f"({_by_rule(rejected)}); nothing is published: run the transform again"
        )
    return manifest.build(
        kept.parts,
        execution=request.execution or None,
        load={
            "load_id": layout.load_id,
            "dataset": dataset.name,
            "source_month": str(month),
            "rows_read": source.rows,
            "rows_kept": kept.rows,
            "rows_rejected": rejects.rows,
            "manifest": layout.manifest,
        },
        columns=[column.name for column in dataset.columns],
        rejected=rejected,
        source={"url": layout.raw, "bytes": raw.bytes, "etag": raw.etag, "era": mapping.era, "metadata": raw.metadata},
        drift=drift,
    )


@dataclass
class _Writing:
    """Writes what is rejected, then what is kept, and logs each part."""

    layout: Layout
    engine: Engine
    source: SourceFile
    log: Log
    done: int = 0

    def write_rejects(self, sql: Queries) -> Written:
        names = [*queries.names_in_rejects(self.source.columns), queries.REJECTED_BY]
        output = Output(sql.rejected, self.layout.rejected, 1, names=names, tally=queries.REJECTED_BY)
        return self.engine.write(output, on_part=self._on_part)

    def write_kept(self, sql: Queries, *, rows: int, raw_bytes: int) -> Written:
        """Write `rows` in as many files as their size asks for, by a small part of the raw file."""
        sample = self.source.rows // _SAMPLE_OF
        measured = self.engine.bytes_per_row(sql.kept, of=sample, prefix=self.layout.sample) if sample else 0
        files = part_files(rows, bytes_per_row=measured or raw_bytes / self.source.rows)
        return self.engine.write(Output(sql.kept, self.layout.kept, files), on_part=self._on_part)

    def _on_part(self, part: Part) -> None:
        self.done += part.rows
        done = round(self.done / self.source.rows, 3)
        self.log.event("part", url=part.url, rows=part.rows, bytes=part.bytes, done=done)


def _by_rule(rejected: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {rows}" for name, rows in rejected.items() if rows)


def _publish(document: bytes, layout: Layout, storage: Storage, log: Log) -> None:
    try:
        storage.write(layout.manifest, document)
    except BaseException:
        # The request may have arrived although its answer did not: what a published manifest names has to stay.
        with _best_effort(log):
            if manifest.load_id_of(storage.read(layout.manifest)) != layout.load_id:
                _remove(layout, storage, log)
        raise


def _remove(layout: Layout, storage: Storage, log: Log) -> None:
    """Remove what a failed run wrote."""
    with _best_effort(log):
        storage.delete([url for prefix in (layout.kept, layout.rejected) for url in storage.list(prefix)])


def _remove_superseded(layout: Layout, *, replaced: str | None, storage: Storage, log: Log) -> None:
    """Remove the files of the load that was replaced, and of runs that were killed long ago."""
    with _best_effort(log):
        for prefix in (layout.month_prefix, layout.rejected_month_prefix):
            files = [(url[len(prefix) :].partition("/"), url) for url in storage.list(prefix)]
            loads = [load_id for (load_id, slash, _), _url in files if slash]
            gone = find_superseded(loads, current=layout.load_id, replaced=replaced)
            storage.delete([url for (load_id, slash, _), url in files if slash and load_id in gone])
            if gone:
                log.event("removed", prefix=prefix, loads=gone)


@contextlib.contextmanager
def _best_effort(log: Log) -> Iterator[None]:
    """Log what cannot be removed, with what S3 said of it. The run's own outcome stands, and a later run removes it."""
    try:
        yield
    except TransformError as error:
        log.event("not_removed", level="warning", error=str(error))
