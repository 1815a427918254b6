"""One statement on its way through the engine, and where its result goes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from local_cloud.services.redshift.errors import SqlError
from local_cloud.services.redshift.sql.lexer import Kind, tokenize
from local_cloud.services.redshift.sql.types import RedshiftType


@dataclass(frozen=True)
class ResultColumn:
    """A column of a result. `schema` and `table` name its origin where it is a plain column."""

    name: str
    type: RedshiftType
    schema: str = ""
    table: str = ""
    nullable: bool = True


class Sink(Protocol):
    """Takes a result while its statement still runs."""

    def begin(self, columns: Sequence[ResultColumn]) -> None: ...

    def add(self, rows: Sequence[tuple[Any, ...]]) -> None: ...


class Rows:
    """A sink that keeps the first `limit` rows in memory."""

    def __init__(self, limit: int) -> None:
        self.columns: list[ResultColumn] = []
        self.rows: list[tuple[Any, ...]] = []
        self.limit = limit

    def begin(self, columns: Sequence[ResultColumn]) -> None:
        self.columns, self.rows = list(columns), []

    def add(self, rows: Sequence[tuple[Any, ...]]) -> None:
        self.rows.extend(rows[: self.limit - len(self.rows)])


@dataclass
class RunningStatement:
    """`sql` as it was sent; `relations` as it names them, once they are known.

    `run` runs another statement as a part of this one, as a procedure does, and gives the number of its rows.
    """

    sql: str
    query_id: int
    sink: Sink
    run: Callable[[str, Sink], int]
    relations: tuple[str, ...] = field(default=())

    def place(self, name: str) -> int:
        """Where the statement writes a name, 1-based; 0 when it does not."""
        wanted = name.rpartition(".")[2].lower()
        try:
            tokens = tokenize(self.sql)
        except SqlError:
            return 0
        return next((t.start + 1 for t in tokens if t.kind in (Kind.WORD, Kind.QUOTED) and t.value == wanted), 0)

    def written(self, name: str) -> str:
        """A relation as the statement wrote it (`public.t`), for one that DuckDB names its own way."""
        wanted = name.rpartition(".")[2].strip('"').lower()
        return next((r for r in self.relations if r.rpartition(".")[2] == wanted), wanted)
