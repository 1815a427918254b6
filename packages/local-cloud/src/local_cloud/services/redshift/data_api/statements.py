"""Statements and what became of them, one small file each, for 24 hours.

https://docs.aws.amazon.com/redshift-data/latest/APIReference/API_DescribeStatement.html
"""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from local_cloud.errors import StateNotSaved
from local_cloud.files import write_whole
from local_cloud.saving import Saving

#: Seconds for which a statement and its result can be asked for.
RETENTION = 24 * 3600
#: Seconds for which a client token stands for the statement it came with.
TOKEN_LIFETIME = 8 * 3600

WAITING = ("SUBMITTED", "PICKED", "STARTED")
FINISHED = "FINISHED"


@dataclass
class Part:
    """One SQL text of a statement: the whole of it, or one of a batch. Times in epoch seconds, Duration in ns."""

    sql: str
    status: str = "SUBMITTED"
    created: float = 0.0
    updated: float = 0.0
    duration: int = -1
    error: str = ""
    rows: int = -1
    size: int = -1
    query_id: int = 0
    query_uuid: str = ""
    columns: list[dict[str, Any]] | None = None
    pages: list[int] = field(default_factory=list)

    @property
    def has_result(self) -> bool:
        return self.columns is not None


@dataclass
class Statement:
    """What ExecuteStatement or BatchExecuteStatement started."""

    id: str
    parts: list[Part]
    batch: bool
    database: str
    user: str
    namespace: str
    workgroup: str
    status: str = "SUBMITTED"
    created: float = field(default_factory=time.time)
    updated: float = field(default_factory=time.time)
    duration: int = -1
    error: str = ""
    pid: int = 0
    mode: str = "TRANSACTION"
    parameters: list[dict[str, str]] = field(default_factory=list)
    secret_arn: str = ""
    name: str = ""
    token: str = ""
    fingerprint: str = ""
    session_id: str = ""
    as_csv: bool = False
    with_event: bool = False
    principal: str = ""
    owner: str = ""
    """The `aws:userid` of who submitted it."""

    @property
    def ended(self) -> bool:
        return self.status not in WAITING

    @property
    def has_result(self) -> bool:
        return any(part.has_result for part in self.parts)


class StatementStore:
    """All statements of the last day, in memory and on disk. Thread-safe."""

    def __init__(self, folder: Path, results: Path, saving: Saving) -> None:
        self.folder = folder
        self.results = results
        self._saving = saving
        self._statements: dict[str, Statement] = {}
        self._changed = threading.Condition()
        self._query_ids = 0
        self._purged = 0.0

    def load(self, unreadable: Callable[[Path, str], None]) -> None:
        """Read what an earlier process left. What it had not finished will never finish.

        `unreadable(file, why)` is called with records that are damaged.
        """
        for file in self.folder.glob("*.json"):
            try:
                fields = json.loads(file.read_text())
                statement = Statement(**{**fields, "parts": [Part(**part) for part in fields["parts"]]})
            except (ValueError, TypeError, KeyError) as error:
                unreadable(file, str(error))
                continue
            self._statements[statement.id] = statement
            self._query_ids = max(self._query_ids, *(part.query_id for part in statement.parts))
            if not statement.ended:
                self._interrupted(statement)
        self.purge()

    def _interrupted(self, statement: Statement) -> None:
        error = "The server ended while the statement ran: it was rolled back, unless its commit came first."
        for part in statement.parts:
            if part.status in WAITING:
                part.status, part.error, part.updated = "ABORTED", error, time.time()
        statement.error, statement.updated, statement.status = error, time.time(), "FAILED"
        self._write(statement)

    def add(self, statement: Statement) -> None:
        self._write(statement)
        with self._changed:
            self._statements[statement.id] = statement
        self.purge()

    def get(self, identifier: str) -> Statement | None:
        return self._statements.get(identifier)

    def all(self) -> Iterator[Statement]:
        """Newest first."""
        with self._changed:
            found = list(self._statements.values())
        yield from sorted(found, key=lambda statement: statement.created, reverse=True)

    def next_query_id(self) -> int:
        with self._changed:
            self._query_ids += 1
            return self._query_ids

    def enter(self, statement: Statement, status: str) -> None:
        """Give a statement its new status, and tell who waits for it. Only an end is written.

        Nobody learns that it has FINISHED before that is on disk. After a kill, what was not written has failed.
        """
        updated = max(statement.created, time.time())  # the clock may have been set back
        ended = replace(statement, status=status, updated=updated)
        if status == FINISHED:
            self._see_through(ended)
        with self._changed:
            statement.status, statement.updated = status, updated
            self._changed.notify_all()
        if statement.ended and status != FINISHED:
            self._see_through(ended)

    def _see_through(self, statement: Statement) -> None:
        with contextlib.suppress(StateNotSaved):  # the cloud stops
            self._saving.until_done(f"statement {statement.id}", lambda: self._write(statement))

    def wait(self, statement: Statement, seconds: float) -> None:
        """Return when the statement has ended, or after `seconds`."""
        with self._changed:
            self._changed.wait_for(lambda: statement.ended, seconds)

    def by_token(self, token: str) -> Statement | None:
        oldest = time.time() - TOKEN_LIFETIME
        with self._changed:
            found = [s for s in self._statements.values() if s.token == token and s.created > oldest]
        return max(found, key=lambda statement: statement.created, default=None)

    def active(self, workgroup: str) -> int:
        with self._changed:
            return sum(s.workgroup == workgroup and not s.ended for s in self._statements.values())

    def result_file(self, statement: Statement, number: int) -> Path:
        return self.results / f"{statement.id}-{number}.rows"

    def purge(self) -> None:
        """Forget what is older than a day, at most once in ten minutes."""
        if self._purged and time.monotonic() - self._purged < 600:
            return
        now, self._purged = time.time(), time.monotonic()
        with self._changed:
            old = [s for s in self._statements.values() if s.ended and now - s.created > RETENTION]
            for statement in old:
                del self._statements[statement.id]
        for statement in old:
            (self.folder / f"{statement.id}.json").unlink(missing_ok=True)
            for number in range(len(statement.parts)):
                self.result_file(statement, number).unlink(missing_ok=True)

    def _write(self, statement: Statement) -> None:
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_whole(self.folder / f"{statement.id}.json", json.dumps(asdict(statement)).encode())
