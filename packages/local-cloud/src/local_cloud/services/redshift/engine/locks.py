"""Table locks and write conflicts: who waits for whom, and whose snapshot is too old.

Reads take ACCESS SHARE, writes WRITE, LOCK and DDL ACCESS EXCLUSIVE; all are held to the end of the transaction.
Readers and writers do not wait for each other, two writers do, and nobody passes an exclusive lock.
https://docs.aws.amazon.com/redshift/latest/dg/r_LOCK.html
https://docs.aws.amazon.com/redshift/latest/dg/c_serial_isolation.html
"""

from __future__ import annotations

import datetime
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import IntEnum

from local_cloud.services.redshift.errors import SqlError, TransactionConflict

#: Database, schema and table.
Key = tuple[str, str, str]


class Mode(IntEnum):
    READ = 1
    WRITE = 2
    EXCLUSIVE = 3


_NAMES = {Mode.READ: "AccessShareLock", Mode.WRITE: "ShareRowExclusiveLock", Mode.EXCLUSIVE: "AccessExclusiveLock"}


def _conflict(one: Mode, other: Mode) -> bool:
    return Mode.EXCLUSIVE in (one, other) or (one is Mode.WRITE and other is Mode.WRITE)


@dataclass(eq=False)
class Transaction:
    """`snapshot` is the number of the last commit that the transaction sees; None before it has looked."""

    number: int
    process: int
    user: str
    started: datetime.datetime
    snapshot: int | None = None
    serializable: bool = False
    held: dict[Key, Mode] = field(default_factory=dict)
    read: set[Key] = field(default_factory=set)
    written: set[Key] = field(default_factory=set)


@dataclass(frozen=True)
class _Committed:
    number: int
    sequence: int
    read: frozenset[Key]
    written: frozenset[Key]


class LockManager:
    """All locks of the warehouse. Thread-safe."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._held: dict[Key, dict[Transaction, Mode]] = {}
        self._waiting: dict[Transaction, tuple[Key, Mode]] = {}
        self._open: set[Transaction] = set()
        self._numbers = 1000
        self._sequence = 0
        self._last_write: dict[Key, int] = {}
        self._committed: list[_Committed] = []

    def begin(self, *, process: int, user: str, serializable: bool) -> Transaction:
        with self._changed:
            self._numbers += 1
            now = datetime.datetime.now(datetime.timezone.utc)
            transaction = Transaction(self._numbers, process, user, now, serializable=serializable)
            self._open.add(transaction)
            return transaction

    def look(self, transaction: Transaction) -> None:
        """Called just before the transaction's first query reads the database.

        The number is taken before DuckDB takes its snapshot, and counted up after DuckDB has committed: a
        snapshot can only be newer than its number says, never older, so no conflict is missed.
        """
        with self._changed:
            if transaction.snapshot is None:
                transaction.snapshot = self._sequence

    def acquire(
        self, transaction: Transaction, wanted: Iterable[tuple[Key, Mode]], *, check: Callable[[], None]
    ) -> None:
        """Take all the locks, in the order of their names, waiting as long as it takes.

        SqlError "deadlock detected" when two would wait for each other. `check` is called whenever the locks
        change or `wake` is called, and raises to give up.
        """
        for key, mode in sorted(wanted):
            with self._changed:
                try:
                    while blockers := self._blockers(transaction, key, mode):
                        self._waiting[transaction] = (key, mode)
                        self._detect_deadlock(transaction, blockers)
                        check()
                        self._changed.wait()
                finally:
                    self._waiting.pop(transaction, None)
                held = self._held.setdefault(key, {})
                held[transaction] = max(mode, held.get(transaction, mode))
                transaction.held[key] = held[transaction]

    def locks(self) -> list[tuple[Transaction, Key, str, bool]]:
        """Every lock that is held, and after those the ones waited for: whose, of which table, its mode, if granted."""
        with self._changed:
            held = [(one, key, mode, True) for key, holders in self._held.items() for one, mode in holders.items()]
            waiting = [(one, key, mode, False) for one, (key, mode) in self._waiting.items()]
            return [(one, key, _NAMES[mode], granted) for one, key, mode, granted in (*held, *waiting)]

    def wake(self) -> None:
        """Make every waiting statement ask whether it was cancelled."""
        with self._changed:
            self._changed.notify_all()

    def _blockers(self, transaction: Transaction, key: Key, mode: Mode) -> list[Transaction]:
        held = self._held.get(key, {})
        if held.get(transaction, 0) >= mode:
            return []
        return [other for other, has in held.items() if other is not transaction and _conflict(mode, has)]

    def _detect_deadlock(self, transaction: Transaction, blockers: list[Transaction]) -> None:
        seen: set[Transaction] = set()
        trail = list(blockers)
        while trail:
            other = trail.pop()
            if other is transaction:
                key, mode = self._waiting[transaction]
                raise SqlError(
                    "deadlock detected",
                    detail=f"Process {transaction.process} waits for {_NAMES[mode]} on relation {'.'.join(key[1:])}; "
                    f"blocked by process {blockers[0].process}.",
                )
            if other not in seen and other in self._waiting:
                seen.add(other)
                trail.extend(self._blockers(other, *self._waiting[other]))

    def check_fresh(self, transaction: Transaction, key: Key) -> None:
        """Refuse UPDATE, DELETE and MERGE of a table that somebody changed after the transaction's snapshot.

        Redshift at SNAPSHOT isolation looks at rows: it would let pass a delete that misses the rows another
        transaction has just loaded, and the same rows would then be loaded twice. Here the table counts, so that
        such a transaction fails before it does harm.
        """
        with self._changed:
            if transaction.snapshot is not None and self._last_write.get(key, 0) > transaction.snapshot:
                raise self._violation(transaction, key)

    def check_serializable(self, transaction: Transaction) -> None:
        """At SERIALIZABLE, refuse a commit that closes a cycle with a transaction that ran at the same time."""
        if not transaction.serializable or transaction.snapshot is None:
            return
        with self._changed:
            for other in self._committed:
                if other.sequence <= transaction.snapshot:
                    continue
                before = transaction.read & other.written
                after = other.read & transaction.written
                if before and after:
                    raise self._violation(transaction, min(before), other.number)

    def _violation(self, transaction: Transaction, key: Key, other: int = 0) -> TransactionConflict:
        if not transaction.serializable:
            return TransactionConflict("could not complete because of conflict with concurrent transaction")
        number = other or next((c.number for c in reversed(self._committed) if key in c.written), 0)
        return TransactionConflict(
            "1023",
            detail=f"Serializable isolation violation on table - {table_id(key)}, transactions forming the cycle "
            f"are: {transaction.number}, {number} (pid:{transaction.process})",
        )

    def finish(self, transaction: Transaction, *, committed: bool) -> None:
        """Release the locks. Called after DuckDB has committed or rolled back."""
        with self._changed:
            self._open.discard(transaction)
            if committed and (transaction.written or transaction.serializable):
                self._sequence += 1
                for key in transaction.written:
                    self._last_write[key] = self._sequence
                self._committed.append(
                    _Committed(
                        transaction.number,
                        self._sequence,
                        frozenset(transaction.read),
                        frozenset(transaction.written),
                    )
                )
            oldest = min((t.snapshot for t in self._open if t.snapshot is not None), default=self._sequence)
            self._committed = [c for c in self._committed if c.sequence > oldest]
            for key in transaction.held:
                held = self._held[key]
                del held[transaction]
                if not held:
                    del self._held[key]
            transaction.held = {}
            self._changed.notify_all()


def table_id(key: Key) -> int:
    """A stable number for a table, like Redshift's table ids."""
    import zlib

    return 100_000 + zlib.crc32(".".join(key).encode()) % 900_000
