"""The files of an UNLOAD: how DuckDB writes them, and what they are called.

`<prefix><slice>_part_<part>` with PARALLEL ON, `<prefix><number>` with PARALLEL OFF, plus `.parquet`, `.gz`,
`.bz2` or `.zst`. https://docs.aws.amazon.com/redshift/latest/dg/r_UNLOAD.html
"""

from __future__ import annotations

import bz2
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from local_cloud.services.redshift.engine.context import Context
from local_cloud.services.redshift.engine.copy.options import character, widths
from local_cloud.services.redshift.errors import SqlError
from local_cloud.services.redshift.sql.lexer import quoted
from local_cloud.services.redshift.sql.load import Unload
from local_cloud.services.redshift.sql.types import RedshiftType

#: Slices that write side by side with PARALLEL ON. A reader that copes with two copes with more.
SLICES = 2
MAX_FILE = int(6.2 * (1 << 30))
_SUFFIXES = {"GZIP": ".gz", "BZIP2": ".bz2", "ZSTD": ".zst"}
DEFAULT_PARTITION = "__HIVE_DEFAULT_PARTITION__"

#: Bytes that no text has.
_NO_DELIMITER = "\x02\x03\x02\x03"

#: Where the rows wait, numbered in the query's order.
ROWS = "temp.main.pg_unload"
NUMBER = '"#row"'


@dataclass(frozen=True)
class Written:
    """One finished file. `rows` counts a header line too, as the manifest does."""

    key: str
    path: Path
    rows: int
    size: int


@dataclass(frozen=True)
class UnloadJob:
    """One UNLOAD whose rows are in ROWS, with a NUMBER when the query has an order.

    `folder` is an empty one of its own.
    """

    context: Context
    statement: Unload
    columns: Sequence[tuple[str, RedshiftType]]
    prefix: str
    folder: Path
    total: int
    ordered: bool

    def write(self) -> list[Written]:
        """All files, in the order of their names."""
        statement = self.statement
        for name in statement.partition_by:
            if name not in [column for column, _ in self.columns]:
                raise SqlError(f'Partition column "{name}" is not in the query result')
        if not self.kept:
            raise SqlError("At least one column must not be a partition column")
        if not self.total and statement.format in ("JSON", "PARQUET"):
            return []
        serial = statement.options.get("PARALLEL") == "off"
        slices = 1 if serial else min(SLICES, max(1, self.total))
        written: list[Written] = []
        for condition, path in self._partitions():
            for number in range(slices):
                if serial:
                    written += self._slice(condition, f"{self.prefix}{path}", digits=3)
                else:
                    mine = f"{condition} AND {self.number} % {slices} = {number}"
                    written += self._slice(mine, f"{self.prefix}{path}{number:04d}_part_", digits=2)
        return written

    @property
    def number(self) -> str:
        return NUMBER if self.ordered else "rowid"

    @property
    def kept(self) -> list[tuple[str, RedshiftType]]:
        """The columns that go into the files."""
        return [c for c in self.columns if self.statement.include or c[0] not in self.statement.partition_by]

    def _partitions(self) -> list[tuple[str, str]]:
        """A condition and a folder for each combination of partition values."""
        if not self.statement.partition_by:
            return [("true", "")]
        names = ", ".join(f"CAST({quoted(name)} AS VARCHAR)" for name in self.statement.partition_by)
        rows = self.context.query(f"SELECT DISTINCT {names} FROM {ROWS} ORDER BY ALL").fetchall()
        found = []
        for row in rows:
            conditions, folders = [], []
            for name, value in zip(self.statement.partition_by, row, strict=True):
                text = "NULL" if value is None else _literal(value)
                conditions.append(f"CAST({quoted(name)} AS VARCHAR) IS NOT DISTINCT FROM {text}")
                folders.append(f"{name}={DEFAULT_PARTITION if value is None else value}/")
            found.append((" AND ".join(conditions), "".join(folders)))
        return found

    def _slice(self, condition: str, stem: str, *, digits: int) -> list[Written]:
        """One slice's rows, in the query's order, cut into parts of at most MAXFILESIZE."""
        count = int(self.context.query(f"SELECT count(*) FROM {ROWS} WHERE {condition}").fetchone()[0])
        if self.statement.partition_by and not count:
            return []
        output = self.folder / f"{len(list(self.folder.iterdir())):06d}"
        output.mkdir()
        order = f" ORDER BY {NUMBER}" if self.ordered else ""
        self.context.query(
            f"COPY (SELECT {self._select()} FROM {ROWS} WHERE {condition}{order}) TO {_literal(str(output))}"
            f" ({self._settings()}, FILE_SIZE_BYTES {self.statement.size or MAX_FILE}, FILENAME_PATTERN 'part_{{i}}')"
        )
        files = sorted(output.iterdir(), key=lambda file: int(file.name.split(".")[0].removeprefix("part_")))
        header = int("HEADER" in self.statement.options)
        rows = [count + header] if len(files) == 1 else [self._count(file) for file in files]
        if "BZIP2" in self.statement.options:
            files = [_bzipped(file) for file in files]
        return [
            Written(f"{stem}{number:0{digits}d}{self._suffix()}", file, rows[number], file.stat().st_size)
            for number, file in enumerate(files)
        ]

    def _count(self, file: Path) -> int:
        """Rows of one part of several, a header among them."""
        path = _literal(str(file))
        if self.statement.format == "PARQUET":
            source = f"SELECT num_rows FROM parquet_file_metadata({path})"
        elif self.statement.format == "JSON":
            source = f"SELECT count(*) FROM read_json_objects({path})"
        else:
            fields = 1 if self.widths else len(self.kept)
            kinds = ", ".join(f"'c{index}': 'VARCHAR'" for index in range(fields))
            delimiter, quote = self._punctuation
            source = (
                f"SELECT count(*) FROM read_csv({path}, columns = {{{kinds}}}, auto_detect = false, header = false,"
                f" delim = {_literal(delimiter)}, quote = '{quote}', escape = '{quote}', null_padding = true)"
            )
        return int(self.context.query(source).fetchone()[0])

    @property
    def _punctuation(self) -> tuple[str, str]:
        """Delimiter, and the quote or nothing."""
        if self.widths:
            return _NO_DELIMITER, ""
        csv = self.statement.format == "CSV"
        delimiter = character(self.statement.options.get("DELIMITER", "," if csv else "|"))
        return delimiter, '"' if csv or "ADDQUOTES" in self.statement.options else ""

    @property
    def _compression(self) -> str:
        return next((name.lower() for name in ("GZIP", "ZSTD") if name in self.statement.options), "none")

    def _suffix(self) -> str:
        if "EXTENSION" in self.statement.options:
            return "." + self.statement.options["EXTENSION"].lstrip(".")
        if self.statement.format == "PARQUET":
            return ".parquet"
        return next((suffix for name, suffix in _SUFFIXES.items() if name in self.statement.options), "")

    def _settings(self) -> str:
        if self.statement.format == "PARQUET":
            return "FORMAT parquet, COMPRESSION snappy"
        if self.statement.format == "JSON":
            return f"FORMAT json, COMPRESSION {self._compression}"
        delimiter, quote = self._punctuation
        settings = [
            "FORMAT csv",
            f"COMPRESSION {self._compression}",
            f"DELIMITER {_literal(delimiter)}",
            f"NULLSTR {_literal(self.statement.options.get('NULL', ''))}",
            f"HEADER {str('HEADER' in self.statement.options).lower()}",
            f"QUOTE '{quote}'",
            f"ESCAPE '{quote}'",
        ]
        if "ADDQUOTES" in self.statement.options:
            settings.append("FORCE_QUOTE *")
        return ", ".join(settings)

    def _select(self) -> str:
        """The columns as their format writes them."""
        if self.widths:
            return f"{' || '.join(self._padded())} AS line"
        values = []
        for name, kind in self.kept:
            value = quoted(name)
            if self.statement.format == "PARQUET":
                if kind.name == "timestamp with time zone":
                    value = f"CAST({value} AS TIMESTAMP)"
            elif self.statement.format == "JSON":
                if kind.name == "boolean":
                    value = f"CASE {value} WHEN true THEN 't' WHEN false THEN 'f' END"
            else:
                value = self._as_text(value, kind)
            values.append(f"{value} AS {quoted(name)}")
        return ", ".join(values)

    @property
    def widths(self) -> list[int]:
        """The widths of FIXEDWIDTH's columns; none without it."""
        return widths(self.statement.options["FIXEDWIDTH"]) if "FIXEDWIDTH" in self.statement.options else []

    def _padded(self) -> list[str]:
        """The fields of FIXEDWIDTH. What is wider than its field is refused: "FIXEDWIDTH doesn't truncate data"."""
        if len(self.widths) != len(self.kept):
            raise SqlError(f"FIXEDWIDTH names {len(self.widths)} columns, the query has {len(self.kept)}")
        null, fields = _literal(self.statement.options.get("NULL", "")), []
        for (name, kind), width in zip(self.kept, self.widths, strict=True):
            value = f"coalesce({self._as_text(quoted(name), kind)}, {null})"
            longest = self.context.query(f"SELECT max(length({value})) FROM {ROWS}").fetchone()[0] or 0
            if longest > width:
                raise SqlError(f"Column {name} has a value of {longest} characters, FIXEDWIDTH gives it {width}")
            fields.append(f"rpad({value}, {width}, ' ')")
        return fields

    def _as_text(self, value: str, kind: RedshiftType) -> str:
        if kind.name == "boolean":
            return f"CASE {value} WHEN true THEN 't' WHEN false THEN 'f' END"
        text = f"CAST({value} AS VARCHAR)"
        if kind.name in ("real", "double precision"):
            # Whole numbers are written without their ".0".
            whole = f"CAST(CAST({value} AS BIGINT) AS VARCHAR)"
            return f"CASE WHEN abs({value}) < 1e15 AND {value} = trunc({value}) THEN {whole} ELSE {text} END"
        if "ESCAPE" in self.statement.options and kind.is_string:
            for special in ("\\", "\n", "\r", self._punctuation[0]):
                text = f"replace({text}, {_literal(special)}, {_literal(chr(92) + special)})"
        return text


def _bzipped(file: Path) -> Path:
    """A file in place of one, compressed as DuckDB cannot."""
    target = file.with_name(f"{file.name}.bz2")
    with file.open("rb") as plain, bz2.open(target, "wb") as packed:
        shutil.copyfileobj(plain, packed)
    file.unlink()
    return target


def _literal(value: str) -> str:
    """A DuckDB string literal."""
    return "'" + value.replace("'", "''") + "'"
