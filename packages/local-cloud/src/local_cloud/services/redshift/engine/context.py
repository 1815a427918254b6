"""What the handlers of statements use of the connection that they run on. `session.Session` is the one there is.

Handlers know this and not the session, which is above them: `executor` brings the two together.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from local_cloud.services.redshift.engine.locks import Key, Mode
from local_cloud.services.redshift.engine.services import CloudServices
from local_cloud.services.redshift.engine.warehouse import Database, Warehouse
from local_cloud.services.redshift.sql.moment import Moment
from local_cloud.services.redshift.sql.tables import Name


@dataclass
class Settings:
    """What SET changes. `parameters` are kept to be shown; only some have an effect here."""

    search_path: tuple[str, ...] = ("public",)
    statement_timeout: int = 0
    parameters: dict[str, str] = field(default_factory=dict)


class Context(Protocol):
    """A statement's connection: its database, its user, and the transaction that the statement is part of."""

    database: Database
    user: str
    process: int
    query_id: int
    settings: Settings
    services: CloudServices
    warehouse: Warehouse
    notices: list[str]
    #: Names of temporary tables.
    temporary: set[str]
    #: The last COPY's query, and how many rows it loaded.
    last_copy: tuple[int, int]
    last_unload_count: int

    def query(self, sql: str, parameters: Sequence[Any] | None = None) -> Any:
        """Run DuckDB SQL inside the transaction, starting DuckDB's where it has not begun."""

    def lookup(self, sql: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
        """Ask the catalog without beginning DuckDB's transaction."""

    def apart(self) -> Any:
        """DuckDB's cursor, for a `with`, beside the transaction. It names databases; what it writes stays."""

    def key(self, name: Name) -> Key:
        """The table that a name means. SqlError for another database."""

    def is_temporary(self, name: Name) -> bool: ...

    def lock(self, wanted: Iterable[tuple[Name, Mode]]) -> None:
        """Take table locks, waiting for whoever holds them."""

    def check_fresh(self, name: Name) -> None:
        """Refuse to change rows of a table that changed after this transaction's snapshot."""

    def outside_transaction(self, command: str) -> None:
        """Refuse what Redshift refuses inside BEGIN … COMMIT."""

    def check(self) -> None:
        """Raise when the statement was cancelled."""

    def moment(self) -> Moment:
        """What functions of time and of the session give in this statement."""

    @property
    def transaction_number(self) -> int:
        """0 where none has begun."""


class ControlContext(Context, Protocol):
    """With what the few statements need that begin and end transactions, or change the connection itself."""

    #: How many procedures are being called, one by the other.
    call_depth: int

    @property
    def in_transaction(self) -> bool:
        """True between BEGIN and its end."""

    def begin(self) -> None: ...

    def commit(self) -> None: ...

    def rollback(self) -> None: ...

    def lock_only(self, names: Iterable[Name]) -> None:
        """LOCK: exclusive, but not yet a write."""

    def set_search_path(self, schemas: tuple[str, ...]) -> None: ...
