"""Files as COPY reads them, written out as plain CSV with the number of the line before each record."""

from __future__ import annotations

import contextlib
import csv
import dataclasses
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from local_cloud.services.redshift.engine.copy.job import LoadJob
from local_cloud.services.redshift.engine.copy.records import Fault, Record
from local_cloud.services.redshift.errors import LoadErrorDetail

#: Stands for NULL in the files: no text of Redshift's has it.
NULL = "\0"


@contextlib.contextmanager
def rewritten(
    job: LoadJob, read: Callable[[Path], Iterator[Record]]
) -> Iterator[tuple[LoadJob, list[LoadErrorDetail]]]:
    """The job over the rewritten files, and what of them could not be read. The files last as long as the context."""
    job.context.services.scratch.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="copy-", dir=job.context.services.scratch))
    try:
        files, faults = [], []
        for index, file in enumerate(job.files):
            path = folder / f"{index:06d}.csv"
            with path.open("w", encoding="utf-8", newline="") as stream:
                writer = csv.writer(stream, quoting=csv.QUOTE_ALL, lineterminator="\n")
                for number, (line, fields) in enumerate(read(file.path)):
                    if number % 10_000 == 0:
                        job.context.check()
                    if isinstance(fields, list) and any(field is not None and NULL in field for field in fields):
                        fields = Fault(1220, "String contains invalid or unsupported UTF8 codepoints")  # noqa: PLW2901
                    if isinstance(fields, Fault):
                        faults.append(LoadErrorDetail(file.url, fields.code, fields.reason, line_number=line))
                    else:
                        writer.writerow([str(line), *[NULL if field is None else field for field in fields]])
            files.append(dataclasses.replace(file, path=path, size=path.stat().st_size))
        kept = {
            name: value
            for name, value in job.statement.options.items()
            if name not in ("BZIP2", "DELIMITER", "GZIP", "IGNOREHEADER", "NULL", "QUOTE", "ZSTD")
        }
        statement = dataclasses.replace(
            job.statement, format="CSV", format_argument="", options={**kept, "NULL": "\\0"}
        )
        yield dataclasses.replace(job, statement=statement, files=files, numbered=True), faults
    finally:
        shutil.rmtree(folder, ignore_errors=True)
