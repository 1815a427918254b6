"""Sessions of the Data API: a connection kept between statements, with its transaction and temporary tables.

https://docs.aws.amazon.com/redshift/latest/mgmt/data-api.html#data-api-calling-considerations-sessions
"""

from __future__ import annotations

import contextlib
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

from local_cloud.services.redshift.data_api.errors import Invalid, TooManySessions
from local_cloud.services.redshift.engine.session import Session

MAX_SESSIONS = 500
MAX_LIFETIME = 24 * 3600


@dataclass
class KeptSession:
    """`connection` is None before the first statement runs and after the session is closed.

    `ends` is by the monotonic clock, which is the one that is waited by; `created` and `updated` are what is shown.
    """

    id: str
    database: str
    user: str
    namespace: str
    workgroup: str
    secret_arn: str
    keep_alive: int
    connection: Session | None = None
    status: str = "BUSY"
    created: float = field(default_factory=time.time)
    updated: float = field(default_factory=time.time)
    ends: float = 0.0
    began: float = field(default_factory=time.monotonic)
    statement_id: str = ""

    @property
    def expires(self) -> float:
        """When it ends if nobody uses it, in seconds since 1970; 0 before its first statement has ended."""
        return time.time() + self.ends - time.monotonic() if self.ends else 0.0


class Sessions:
    """All sessions, closed ones for a day. A timer closes those that nobody used in time."""

    def __init__(self) -> None:
        self._sessions: dict[str, KeptSession] = {}
        self._guard = threading.Condition()
        self._closer: threading.Thread | None = None
        self._stopped = False

    def create(
        self, *, database: str, user: str, namespace: str, workgroup: str, secret_arn: str, keep_alive: int
    ) -> KeptSession:
        """A session that is taken by the statement it comes with."""
        with self._guard:
            if sum(s.workgroup == workgroup and s.status != "CLOSED" for s in self._sessions.values()) >= MAX_SESSIONS:
                raise TooManySessions(f"The maximum number of active sessions, {MAX_SESSIONS}, is exceeded.")
            session = KeptSession(str(uuid.uuid4()), database, user, namespace, workgroup, secret_arn, keep_alive)
            self._sessions[session.id] = session
            return session

    def take(self, identifier: str, *, keep_alive: int | None) -> KeptSession:
        """Reserve a session for one statement. Only one runs at a time."""
        with self._guard:
            session = self._sessions.get(identifier)
            if session is None:
                raise Invalid(f"Session with Id: {identifier} is invalid")
            if session.status != "AVAILABLE":
                raise Invalid("Session is not available")
            session.status, session.updated = "BUSY", time.time()
            if keep_alive is not None:
                session.keep_alive = keep_alive
            return session

    def give_back(self, session: KeptSession) -> None:
        """A statement has ended: the time to live restarts."""
        with self._guard:
            session.status, session.updated, session.statement_id = "AVAILABLE", time.time(), ""
            session.ends = min(time.monotonic() + session.keep_alive, session.began + MAX_LIFETIME)
            if session.connection is None:
                session.status = "CLOSED"
            if self._closer is None and not self._stopped:
                self._closer = threading.Thread(target=self._close_expired, name="redshift-sessions", daemon=True)
                self._closer.start()
            self._guard.notify_all()

    def all(self) -> list[KeptSession]:
        with self._guard:
            return sorted(self._sessions.values(), key=lambda session: session.created, reverse=True)

    def stop(self) -> None:
        with self._guard:
            self._stopped = True
            self._guard.notify_all()
            for session in self._sessions.values():
                self._close(session)

    def close_all(self, namespace: str) -> None:
        """Close what a deleted namespace leaves open. Its statements have ended."""
        with self._guard:
            for session in self._sessions.values():
                if session.namespace == namespace and session.status == "AVAILABLE":
                    self._close(session)

    def _close_expired(self) -> None:
        with self._guard:
            while not self._stopped:
                now = time.monotonic()
                for session in list(self._sessions.values()):
                    if session.status == "AVAILABLE" and session.ends <= now:
                        self._close(session)
                    if session.status == "CLOSED" and session.ends < now - MAX_LIFETIME:
                        del self._sessions[session.id]
                waiting = [s.ends for s in self._sessions.values() if s.status == "AVAILABLE"]
                self._guard.wait(max(0.01, min(waiting) - now) if waiting else None)

    def _close(self, session: KeptSession) -> None:
        connection, session.connection = session.connection, None
        session.status, session.updated = "CLOSED", time.time()
        if connection is not None:
            with contextlib.suppress(Exception):
                connection.close()


Connect = Callable[[KeptSession], Session]
