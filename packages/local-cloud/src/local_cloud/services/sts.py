"""STS: moto's, with the sessions of roles in a database of their own.

A job, a function, a machine or a stack takes a session each time it runs. Each is a row, found by its access key, and
gone some time after it has expired.
"""

from __future__ import annotations

import pickle
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from local_cloud.cloud import Cloud
from local_cloud.database import Database

if TYPE_CHECKING:
    from moto.sts.models import AssumedRole

_SCHEMA = """
CREATE TABLE IF NOT EXISTS session (access_key TEXT PRIMARY KEY, expires REAL NOT NULL, role BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS sessions_by_end ON session (expires);
"""


#: How long a session is kept that has expired, so that who uses its key learns that it has, in seconds.
TOLD_FOR = 24 * 3600.0


class Sessions:
    """The sessions of roles; what moto takes for its list of them."""

    def __init__(self, file: Path) -> None:
        self._database = Database(file, _SCHEMA)
        self.close = self._database.close

    def append(self, role: AssumedRole) -> None:
        """Keep a session, durably, and drop those that expired long ago."""
        self.extend([role])

    def extend(self, roles: Iterable[AssumedRole]) -> None:
        from moto.core.utils import unix_time, utcnow

        self._database.insert_all(
            "INSERT OR REPLACE INTO session VALUES (?, ?, ?)",
            [(role.access_key_id, unix_time(role.expiration), pickle.dumps(role)) for role in roles],
        )
        self._database.rows("DELETE FROM session WHERE expires < ?", unix_time(utcnow()) - TOLD_FOR)

    def find(self, access_key: str) -> AssumedRole | None:
        """The session of an access key, None where there is none."""
        rows = self._database.rows("SELECT role FROM session WHERE access_key = ?", access_key)
        return pickle.loads(rows[0][0]) if rows else None  # noqa: S301 - our own state folder

    def __iter__(self) -> Iterator[AssumedRole]:
        for (role,) in self._database.rows("SELECT role FROM session"):
            yield pickle.loads(role)  # noqa: S301 - our own state folder


def install(cloud: Cloud) -> None:
    from moto.iam.models import AccessKey, IAMBackend
    from moto.sts.models import STSBackend

    sessions = Sessions(cloud.persistence.folder / "sessions.sqlite")

    def temporary_key(self: Any) -> AccessKey:
        """A key that the session holds; moto would keep it among the users' for good as well."""
        return AccessKey(user_name=None, prefix="ASIA", account_id=self.account_id)

    def adopt(backends: Iterable[Any]) -> None:
        """Take over the sessions that an earlier version kept in the saved state."""
        for backend in backends:
            sessions.extend(vars(backend).pop("assumed_roles", ()))
        cloud.persistence.changed("sts")

    def forget_temporary_keys(backends: Iterable[Any]) -> None:
        """Drop the keys of sessions that an earlier version kept among the users'."""
        for backend in backends:
            for key in [key for key in backend.access_keys if key.startswith("ASIA")]:
                del backend.access_keys[key]

    IAMBackend.create_temp_access_key = temporary_key
    STSBackend.assumed_roles = property(lambda self: sessions, lambda self, value: None)  # moto's constructor sets []
    STSBackend.get_assumed_role_from_access_key = lambda self, access_key: sessions.find(access_key)
    cloud.persistence.register_moto("sts", not_after=["AssumeRole", "AssumeRoleWithSAML", "AssumeRoleWithWebIdentity"])
    cloud.persistence.after_restore("sts", adopt)
    cloud.persistence.after_restore("iam", forget_temporary_keys)
    cloud.on_stop(sessions.close)
