"""The DuckDB instance behind every namespace: one file a database, one memory limit for all of them."""

from __future__ import annotations

import contextlib
import datetime
import re
import threading
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from local_cloud.commits import Commits
from local_cloud.errors import StateNotSaved, StateUnusable
from local_cloud.inventory import holds
from local_cloud.services.redshift.engine.locks import LockManager
from local_cloud.services.redshift.engine.macros import MACROS
from local_cloud.services.redshift.engine.memory import Memory
from local_cloud.services.redshift.errors import ConnectionRefused, SqlError
from local_cloud.services.redshift.sql.lexer import quoted

#: A month of 3.6 million trips loads at full speed in this much; the process stays under half a gigabyte.
MEMORY_LIMIT = "512MB"

#: For how long load errors are kept: https://docs.aws.amazon.com/redshift/latest/dg/c_intro_STL_tables.html
HISTORY = datetime.timedelta(days=7)

#: Rows of counted commits that an opened database may hold before the old ones are deleted.
MOST_COUNTED = 1000

#: Tables in which a database keeps what DuckDB has no place for. Hidden from every catalog view.
INTERNAL = "pg_internal"
_INTERNAL_TABLES = (
    "settings(name VARCHAR PRIMARY KEY, value VARCHAR)",
    "external_schemas(name VARCHAR PRIMARY KEY, database VARCHAR, role VARCHAR)",
    "users(name VARCHAR PRIMARY KEY, superuser BOOLEAN)",
    "database_privileges(user_name VARCHAR, privilege VARCHAR, PRIMARY KEY (user_name, privilege))",
    "roles(name VARCHAR PRIMARY KEY)",
    "role_members(role_name VARCHAR, user_name VARCHAR, PRIMARY KEY (role_name, user_name))",
    "views(schema VARCHAR, name VARCHAR, columns VARCHAR[], definition VARCHAR, PRIMARY KEY (schema, name))",
    "procedures(schema VARCHAR, name VARCHAR, definition VARCHAR, PRIMARY KEY (schema, name))",
    "commits(number BIGINT)",
    """load_errors(user_id INTEGER, query_id BIGINT, transaction_id BIGINT, session_id INTEGER,
        database_name VARCHAR, table_id INTEGER, start_time TIMESTAMP, file_name VARCHAR, line_number BIGINT,
        column_name VARCHAR, column_type VARCHAR, column_length VARCHAR, position INTEGER, error_code INTEGER,
        error_message VARCHAR)""",
)


#: What an ATTACH says of a disk rather than of the file: DuckDB passes the system's words on.
_NO_DAMAGE = re.compile(r"No space left on device|Permission denied|Read-only file system|Disk quota exceeded")

#: What DuckDB says when a commit is done and the disk does not take the checkpoint that follows it, and afterwards.
_DURABLE, _INVALID, _DETACHED = "COMMIT succeeded and is durable", "has been invalidated", "Detached database"

_NAME = re.compile(r"[a-z_][a-z0-9_$]{0,126}")


@dataclass(frozen=True)
class Database:
    """One attached database. `catalog` is its name inside DuckDB."""

    namespace: str
    name: str

    @property
    def catalog(self) -> str:
        return f"{self.namespace}/{self.name}"


@dataclass
class _Counted:
    """The commits of an open database. The lock makes the counter's order that of the commits."""

    commits: Commits
    number: int
    lock: threading.Lock = field(default_factory=threading.Lock)


class Warehouse:
    """Databases as `<folder>/<namespace>/<database>.duckdb`. DuckDB is imported when the first one is opened."""

    def __init__(self, folder: Path, *, temp_dir: Path) -> None:
        self.folder = folder
        self.temp_dir = temp_dir
        self.locks = LockManager()
        self.memory = Memory(lambda: self._root, MEMORY_LIMIT)
        self._guard = threading.RLock()
        self._root: Any = None
        self._attached: set[Database] = set()
        self._connections: Counter[Database] = Counter()
        self._commits: dict[Database, _Counted] = {}

    def _path(self, database: Database) -> Path:
        return self.folder / database.namespace / f"{database.name}.duckdb"

    def databases(self, namespace: str, *, first: str) -> list[str]:
        """Names in a namespace; `first` is the one it was created with, which is there from the beginning."""
        files = sorted((self.folder / namespace).glob("*.duckdb"))
        return sorted({first, *(file.stem for file in files)})

    def connect(self, namespace: str, name: str, *, first: str) -> tuple[Database, Any]:
        """A database and a DuckDB connection into it. ConnectionRefused when there is no such database."""
        database = Database(namespace, name)
        with self._guard:
            if not _NAME.fullmatch(name) or (name != first and not self._path(database).is_file()):
                raise ConnectionRefused(f'database "{name}" does not exist')
            self._open(database)
            self._check_valid(database)
            cursor = self._cursor(database)
            self._connections[database] += 1
            return database, cursor

    def disconnect(self, database: Database, cursor: Any) -> None:
        """Give a connection back."""
        with self._guard:
            self._connections[database] -= 1
            cursor.close()

    def commit(self, database: Database, cursor: Any) -> None:
        """Commit what a cursor's transaction has written, and count it."""
        counted = self._commits[database]
        with counted.lock:
            number = counted.number + 1
            cursor.execute(f"INSERT INTO {quoted(database.catalog)}.{INTERNAL}.commits VALUES ({number})")
            self._commit(cursor)
            counted.number = number
            counted.commits.acknowledge(number)

    def _commit(self, cursor: Any) -> None:
        import duckdb

        try:
            cursor.execute("COMMIT")
        except duckdb.Error as error:
            # What is in the log stays there; the next connection reads it back.
            if _DURABLE not in str(error):
                raise

    def files(self) -> list[Path]:
        """All databases that are there, or were: their counters are left."""
        there = {*self.folder.glob("*/*.duckdb")}
        return sorted(there | {file.with_suffix("") for file in self.folder.glob("*/*.duckdb.commits")})

    def check(self, file: Path) -> None:
        """Open a database file and close it again. StateUnusable where it is damaged or has lost commits."""
        if not Commits(file).is_untouched():
            with self._guard:
                database = Database(file.parent.name, file.stem)
                self._open(database)
                self._detach(database)

    def check_all(self) -> None:
        """Open what a kill may have left unfinished, or somebody else has changed. StateUnusable as `check`."""
        for file in self.files():
            self.check(file)

    def create_database(self, namespace: str, name: str, *, first: str, serializable: bool) -> None:
        database = Database(namespace, name)
        with self._guard:
            if not _NAME.fullmatch(name):
                raise SqlError(f'database name "{name}" is invalid')
            if name == first or self._path(database).is_file():
                raise SqlError(f'database "{name}" already exists')
            self._open(database)
            self.set_isolation(database, serializable=serializable)

    def drop_database(self, namespace: str, name: str, *, first: str) -> None:
        database = Database(namespace, name)
        with self._guard:
            if name == first:
                raise SqlError(f'cannot drop the default database "{name}"')
            if not _NAME.fullmatch(name) or not self._path(database).is_file():
                raise SqlError(f'database "{name}" does not exist')
            if self._connections[database]:
                raise SqlError(f'database "{name}" is being accessed by other users')
            self._detach(database)
            path = self._path(database)
            for file in (path, path.with_suffix(".duckdb.wal"), path.with_suffix(".duckdb.commits")):
                file.unlink(missing_ok=True)

    def drop_namespace(self, namespace: str) -> None:
        """Forget a deleted namespace, its files with it. Its connections are closed."""
        with self._guard:
            for database in [d for d in self._attached if d.namespace == namespace]:
                self._detach(database)
            folder = self.folder / namespace
            for file in folder.glob("*.duckdb*"):
                file.unlink()
            if folder.is_dir():
                folder.rmdir()

    def set_isolation(self, database: Database, *, serializable: bool) -> None:
        cursor = self._cursor(database)
        level = "SERIALIZABLE" if serializable else "SNAPSHOT"
        cursor.execute(f"INSERT OR REPLACE INTO {INTERNAL}.settings VALUES ('isolation', ?)", [level])
        cursor.close()

    def close(self) -> None:
        """Checkpoint and close every file. Statements have ended or are lost."""
        self.memory.close()
        with self._guard:
            if self._root is not None:
                # A statement that does not let itself be interrupted keeps its connection; its work is lost, as
                # with a kill.
                with contextlib.suppress(Exception):
                    self._root.close()
                self._root = None
                self._attached.clear()
                for counted in self._commits.values():
                    counted.commits.close()
                self._commits.clear()

    def _open(self, database: Database) -> None:
        if database in self._attached:
            return
        root = self._instance()
        path = self._path(database)
        path.parent.mkdir(parents=True, exist_ok=True)
        catalog = quoted(database.catalog)
        import duckdb

        try:
            root.execute(f"ATTACH '{str(path).replace(chr(39), chr(39) * 2)}' AS {catalog}")
        except duckdb.Error as error:
            if (cause := _NO_DAMAGE.search(str(error))) is not None:
                raise StateNotSaved(f"{cause[0]} ({path})") from error
            reason = str(error).splitlines()[0]
            raise StateUnusable(f"{path} cannot be read: {reason}; it held {holds(path)}") from error
        self._attached.add(database)
        try:
            for schema in ("public", INTERNAL):
                root.execute(f"CREATE SCHEMA IF NOT EXISTS {catalog}.{schema}")
            for table in _INTERNAL_TABLES:
                root.execute(f"CREATE TABLE IF NOT EXISTS {catalog}.{INTERNAL}.{table}")
            oldest = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None) - HISTORY
            root.execute(f"DELETE FROM {catalog}.{INTERNAL}.load_errors WHERE start_time < ?", [oldest])
            self._count(database)
        except BaseException:
            self._detach(database)
            raise

    def _check_valid(self, database: Database) -> None:
        """Open a database again that a full disk has closed to everybody: DuckDB wants it detached and attached."""
        import duckdb

        try:
            self._instance().execute(f"SELECT 1 FROM {quoted(database.catalog)}.{INTERNAL}.settings LIMIT 1")
        except duckdb.Error as error:
            if _INVALID not in str(error):
                raise
            self._detach(database)
            self._open(database)

    def _count(self, database: Database) -> None:
        table, commits = f"{quoted(database.catalog)}.{INTERNAL}.commits", Commits(self._path(database))
        number = int(self._instance().execute(f"SELECT coalesce(max(number), 0) FROM {table}").fetchone()[0])
        commits.open(number)
        if self._instance().execute(f"SELECT count(*) FROM {table}").fetchone()[0] > MOST_COUNTED:
            self._instance().execute(f"DELETE FROM {table} WHERE number < {number}")
        self._commits[database] = _Counted(commits, number)

    def _detach(self, database: Database) -> None:
        import duckdb

        if database in self._attached:
            self._attached.discard(database)
            try:
                self._instance().execute(f"DETACH {quoted(database.catalog)}")
            except duckdb.Error as error:
                if _DETACHED not in str(error):  # what its log holds stays there
                    raise
        if counted := self._commits.pop(database, None):
            counted.commits.close()

    def _instance(self) -> Any:
        if self._root is None:
            import duckdb

            self.temp_dir.mkdir(parents=True, exist_ok=True)
            self._root = duckdb.connect(
                ":memory:",
                config={
                    "memory_limit": MEMORY_LIMIT,
                    "temp_directory": str(self.temp_dir),
                    # COPY and SELECT without ORDER BY promise no order; keeping one costs memory and time.
                    "preserve_insertion_order": "false",
                    "default_null_order": "NULLS_LAST_ON_ASC_FIRST_ON_DESC",
                    "autoinstall_known_extensions": "false",
                    "autoload_known_extensions": "false",
                },
            )
            self._root.execute("SET GLOBAL TimeZone = 'UTC'")
            for macro in MACROS:
                self._root.execute(f"CREATE MACRO memory.main.{macro}")
        return self._root

    def _cursor(self, database: Database) -> Any:
        cursor = self._instance().cursor()
        cursor.execute(f"SET search_path = '{search_path(database, ('public',))}'")
        cursor.execute("SET integer_division = true")
        cursor.execute("SET ieee_floating_point_ops = false")
        return cursor


def search_path(database: Database, schemas: tuple[str, ...]) -> str:
    """DuckDB's search path: the schemas of the database, then the warehouse's macros."""
    names = [f"{quoted(database.catalog)}.{quoted(schema)}" for schema in schemas]
    return ",".join([*names, "memory.main"]).replace("'", "''")
