"""DuckDB in this process: the raw file comes to a local folder, part files go up as soon as they are written."""

from __future__ import annotations

import secrets
import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from glue_transform import capacity
from glue_transform.engines import OnPart, Output, Written, check_parquet, encryption_error
from glue_transform.errors import EngineFailed, EngineMissing, NotParquet
from glue_transform.manifest import Part
from glue_transform.schema import Element, columns
from glue_transform.source import UTC, SourceColumn, SourceFile
from glue_transform.storage import Storage

#: Megabytes that DuckDB takes for each thread, of which every one may be writing a part; two keep the whole job under
#: 300 MB whatever the month's size. What this does not suffice for is tried again with the most of the machine's.
MEMORY = 95
_MOST_OF_MEMORY = 0.8

_SETTINGS = {
    "preserve_insertion_order": False,
    # The raw file is read once, so what DuckDB would keep of it only fills the memory.
    "enable_external_file_cache": False,
    # DuckDB 2.0 marks a Parquet column REQUIRED where the source's statistics show no NULL: a schema that changes
    # from month to month. Without the statistics it writes OPTIONAL, as 1.x does.
    "disabled_optimizers": "statistics_propagation",
    "autoinstall_known_extensions": False,
}

#: COPY's page and Spectrum's name snappy and version 1 of the format, and no bloom filters. A dictionary is given up at
#: a tenth of a group's rows, not at a fifth: TLC's amounts and places have half as many values, times have more than
#: either, and trying longer was 5 % of the work.
_FORMAT = (
    "FORMAT parquet, COMPRESSION snappy, PARQUET_VERSION v1, ROW_GROUP_SIZE 122880, DICTIONARY_SIZE_LIMIT 12288, "
    "WRITE_BLOOM_FILTER false"
)

#: What Spark makes of unsigned numbers.
_SIGNED = {"UINTEGER": "BIGINT", "UBIGINT": "DECIMAL(20, 0)"}

#: The column that DuckDB adds, by the option of the same name.
_ROW_NUMBER = "file_row_number"


class DuckDBEngine:
    """See `Engine`. Each part is a range of the raw file's rows, so parts are equal whatever its row groups are."""

    def __init__(self, storage: Storage, folder: Path) -> None:
        self._capacity = capacity.measure()
        self._storage = storage
        self._folder = folder
        self._raw = folder / "raw.parquet"
        self._url = ""
        self._rows = 0
        self._shown: list[str] = []
        self._connection: Any = None

    def open(self, url: str, *, zone: str) -> SourceFile:
        self._url = url
        with ThreadPoolExecutor(1) as background:
            download = background.submit(self._storage.download, url, self._raw)
            self._connection = self._connect()  # takes as long as a good part of the download
            download.result()
        with self._raw.open("rb") as file:
            head = file.read(64)
            file.seek(max(0, self._raw.stat().st_size - 4))
            check_parquet(url, head=head, tail=file.read())
        try:
            found = columns(url, self._elements())
            (self._rows,) = self._ask("SELECT COUNT(*) FROM read_parquet(?)")[0]
            types = [type_ for _name, type_, *_ in self._ask("DESCRIBE SELECT * FROM read_parquet(?)")]
        except self._error as error:
            raise NotParquet(f"{url}: its Parquet footer cannot be read: {_line(error)}; ingest it again") from None
        if self._is_encrypted():
            raise encryption_error(url)
        self._shown = [_read_expression(column, str(type_), zone) for column, type_ in zip(found, types)]
        if any(column.name.lower() == _ROW_NUMBER for column in found):
            self._renumber()
        return SourceFile(url, self._rows, found)

    def _ask(self, query: str) -> list[tuple[Any, ...]]:
        """List a query's rows, with the raw file as its one parameter."""
        rows: list[tuple[Any, ...]] = self._connection.execute(query, [str(self._raw)]).fetchall()
        return rows

    def _elements(self) -> list[Element]:
        fields = "name, num_children, type, converted_type, logical_type, repetition_type, precision, scale"
        rows = self._ask(f"SELECT {fields} FROM parquet_schema(?) OFFSET 1")  # noqa: S608 (ours)
        return [Element(name, children or 0, *rest) for name, children, *rest in rows]

    def _is_encrypted(self) -> bool:
        """Whether the footer, in plain text, tells of encrypted columns."""
        try:
            ((algorithm,),) = self._ask("SELECT encryption_algorithm FROM parquet_file_metadata(?)")
        except self._error:  # it shows metadata of keys as text, which they need not be; the rest was read already
            return True
        return algorithm is not None

    def _renumber(self) -> None:
        """Go on with a copy without the file's names: DuckDB numbers no rows of a file with a column of that name."""
        with self._failing():
            copy = self._folder / "renamed.parquet"
            rows = f"SELECT {', '.join(self._shown)} FROM {self._table()}"  # noqa: S608 (references and literals)
            self._copy(self._connection, rows, copy)
            self._raw.unlink()
            self._raw, self._shown = copy, [f"source_{i}" for i in range(len(self._shown))]

    def _table(self, *more: str) -> str:
        """Return the raw file as SQL reads it: its columns by reference, and `more` that an option adds."""
        options = "".join(f", {name} = true" for name in more)
        names = [*(f"source_{i}" for i in range(len(self._shown))), *more]
        return f"read_parquet({_literal(self._raw)}, hive_partitioning = false{options}) AS raw({', '.join(names)})"

    def counts(self, query: str) -> Sequence[int]:
        with self._source() as cursor:
            (row,) = cursor.execute(query).fetchall()
        return [int(value) for value in row]

    def bytes_per_row(self, query: str, *, of: int, prefix: str) -> float:
        file = self._folder / "sample.parquet"
        with self._source(0, of) as cursor:
            rows = self._copy(cursor, query, file)
        size = file.stat().st_size
        file.unlink()
        return size / rows if rows else 0

    def write(self, output: Output, *, on_part: OnPart) -> Written:
        """Write one output. A single file has all threads, of several each has one, so that none is idle."""
        parallel = min(self._capacity.threads, output.files)
        with self._failing():
            self._connection.execute(f"SET threads = {self._capacity.threads // parallel}")  # per query from here on
        lock = threading.Lock()

        def write_part(number: int) -> tuple[Part, dict[str, int]]:
            part, tally = self._write_part(output, number)
            if part.rows:
                with lock:
                    on_part(part)
            return part, tally

        with ThreadPoolExecutor(parallel) as workers:
            running = [workers.submit(write_part, number) for number in range(output.files)]
            try:
                return _sum_parts([future.result() for future in running])
            except BaseException:
                workers.shutdown(cancel_futures=True)
                raise

    def _write_part(self, output: Output, number: int) -> tuple[Part, dict[str, int]]:
        url = f"{output.prefix}part-{number:05}.parquet"
        file = self._folder / f"{secrets.token_hex(8)}.parquet"  # DuckDB remembers footers by their file's name
        first, end = (self._rows * i // output.files for i in (number, number + 1))
        tally = {}
        with self._source(first, end) as cursor:
            rows = self._copy(cursor, _name_columns(output), file)
            if output.tally:
                counted = f"SELECT {output.tally}, COUNT(*) FROM read_parquet(?) GROUP BY ALL"  # noqa: S608 (ours)
                tally = dict(cursor.execute(counted, [str(file)]).fetchall())
        if rows:
            self._storage.upload(file, url)
        part = Part(url, file.stat().st_size, rows)
        file.unlink()
        return part, tally

    def _copy(self, cursor: Any, query: str, file: Path) -> int:
        """Write the query's rows to a file and count them.

        Memory depends on the raw file's pages, which a writer may make as large as it likes: what does not fit is
        tried again with what memory the machine has.
        """
        copy = f"COPY ({query}) TO {_literal(file)} ({_FORMAT})"
        try:
            (rows,) = cursor.execute(copy).fetchone()
        except self._out_of_memory:
            cursor.execute(f"SET memory_limit = '{int(self._capacity.memory * _MOST_OF_MEMORY)}B'")
            (rows,) = cursor.execute(copy).fetchone()
        return int(rows)

    def _connect(self) -> Any:
        try:
            import duckdb
        except ImportError:
            raise EngineMissing(
                "the engine duckdb needs the package duckdb: add it to --additional-python-modules"
            ) from None
        self._error, self._out_of_memory = duckdb.Error, duckdb.OutOfMemoryException
        threads = self._capacity.threads
        memory = min(MEMORY * max(threads, 2) * 10**6, int(self._capacity.memory * _MOST_OF_MEMORY))
        settings = {**_SETTINGS, "threads": threads, "memory_limit": f"{memory}B", "temp_directory": str(self._folder)}
        connection: Any = duckdb.connect(config=settings)
        # Spark's name for what DuckDB calls strlen: the bytes of a text.
        connection.execute("CREATE MACRO octet_length(text) AS strlen(text)")
        connection.execute("SET TimeZone = 'UTC'")
        # Every query asks for the raw file's footer: read once, a month takes 12 ms less.
        connection.execute("SET parquet_metadata_cache = true")
        return connection

    @contextmanager
    def _source(self, first: int = 0, end: int | None = None) -> Iterator[Any]:
        """Open a connection whose `source` is the rows from `first` up to `end` of the raw file."""
        end = self._rows if end is None else end
        with self._failing(), self._connection.cursor() as cursor:
            cursor.execute("SET TimeZone = 'UTC'")
            cursor.execute("SET enable_progress_bar = false")  # it would draw between the log's lines
            cursor.execute(
                f"CREATE OR REPLACE TEMP VIEW source AS SELECT {', '.join(self._shown)} "  # noqa: S608 (references)
                f"FROM {self._table(_ROW_NUMBER)} WHERE {_ROW_NUMBER} >= {first} AND {_ROW_NUMBER} < {end}"
            )
            yield cursor

    @contextmanager
    def _failing(self) -> Iterator[None]:
        try:
            yield
        except self._error as error:
            raise EngineFailed(f"{self._url}: DuckDB stopped: {_line(error)}") from None


def _sum_parts(done: Sequence[tuple[Part, Mapping[str, int]]]) -> Written:
    tally: Counter[str] = Counter()
    for _part, counted in done:
        tally.update(counted)
    return Written([part for part, _tally in done if part.rows], tally)


def _read_expression(column: SourceColumn, type_: str, zone: str) -> str:
    """Return the column as `source` shows it: what both engines can read and write."""
    name = shown = column.reference
    if column.kind == "timestamp":
        # DuckDB 1.4 cuts nanoseconds off where 2.0 rounds; counting back to the last microsecond is neither's choice.
        nanos = f"epoch_ns({name})"
        micros = f"make_timestamp(({nanos} - (({nanos} % 1000) + 1000) % 1000) // 1000)"
        shown = micros if type_.endswith("_NS") else f"CAST({name} AS TIMESTAMP)" if type_ != "TIMESTAMP" else name
        if column.zone == UTC != zone:
            shown = f"timezone('{zone}', timezone('UTC', {shown}))"
    elif column.kind == "null":
        shown = f"CAST({name} AS INTEGER)"
    elif type_ in _SIGNED:
        shown = f"CAST({name} AS {_SIGNED[type_]})"
    return name if shown == name else f"{shown} AS {name}"


def _name_columns(output: Output) -> str:
    """Return the query with the names of the output."""
    if output.names is None:
        return output.query
    names = ", ".join('"' + name.replace('"', '""') + '"' for name in output.names)
    return f"SELECT * FROM ({output.query}) AS named({names})"  # noqa: S608 (quoted names)


def _literal(file: Path) -> str:
    return "'" + str(file).replace("'", "''") + "'"


def _line(error: Exception) -> str:
    return str(error).strip().split("\n", maxsplit=1)[0]
