"""The warehouse as tests drive it: the engine inside this process, or a cloud with a workgroup."""

from __future__ import annotations

import datetime
import json
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import pytest
from botocore.exceptions import ClientError

from local_cloud.objects import ObjectInfo
from local_cloud.services.redshift.engine.executor import Executor
from local_cloud.services.redshift.engine.services import CloudServices
from local_cloud.services.redshift.engine.session import Session
from local_cloud.services.redshift.engine.statement import Rows
from local_cloud.services.redshift.engine.warehouse import Warehouse
from local_cloud.services.redshift.errors import SqlError

ROLE = "arn:aws:iam::123456789012:role/copier"


@dataclass
class Folder:
    """Buckets as folders. `denied` holds what the role may not touch."""

    root: Path
    denied: set[str] = field(default_factory=set)

    def path(self, bucket: str, key: str) -> Path:
        self._check(bucket)
        if key in self.denied:
            raise PermissionError(key)
        file = self.root / bucket / key
        if not file.is_file():
            raise KeyError(key)
        return file

    def read(self, bucket: str, key: str) -> bytes:
        return self.path(bucket, key).read_bytes()

    def list(self, bucket: str, prefix: str = "") -> list[ObjectInfo]:
        self._check(bucket)
        now = datetime.datetime.now(datetime.timezone.utc)
        found = []
        for file in sorted((self.root / bucket).rglob("*")):
            key = file.relative_to(self.root / bucket).as_posix()
            if file.is_file() and key.startswith(prefix):
                found.append(ObjectInfo(key=key, size=file.stat().st_size, etag="", last_modified=now))
        return found

    def put(self, bucket: str, key: str, body: bytes, *, content_type: str = "") -> None:
        self._check(bucket)
        file = self.root / bucket / key
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(body)

    def put_file(self, bucket: str, key: str, file: Path, *, content_type: str = "") -> None:
        self.put(bucket, key, b"")
        shutil.move(file, self.root / bucket / key)

    def delete(self, bucket: str, key: str) -> None:
        (self.root / bucket / key).unlink()

    def _check(self, bucket: str) -> None:
        if not (self.root / bucket).is_dir():
            raise KeyError(bucket)

    # For tests.

    def keys(self, prefix: str = "") -> list[str]:
        return [item.key for item in self.list("b", prefix)]

    def parquet(self, key: str, query: str) -> Path:
        """Write a query of DuckDB's as a Parquet file of bucket `b`."""
        file = self.root / "b" / key
        file.parent.mkdir(parents=True, exist_ok=True)
        duckdb.connect().execute(f"COPY ({query}) TO '{file}' (FORMAT parquet)")
        return file

    def manifest(self, key: str, *keys: str, **extra: Any) -> None:
        """A manifest of objects of bucket `b`, as glue-transform writes it."""
        entries = [
            {
                "url": f"s3://b/{each}",
                "mandatory": True,
                "meta": {"content_length": self.path("b", each).stat().st_size, **extra},
            }
            for each in keys
        ]
        self.put("b", key, json.dumps({"entries": entries}).encode())


@dataclass
class Connection:
    """A session that gives results as plain lists."""

    session: Session
    count: int = 0
    columns: list[Any] = field(default_factory=list)

    def run(self, sql: str) -> list[tuple[Any, ...]]:
        """The rows of a statement. SqlError when it fails. `count` is the number of rows it touched."""
        rows = Rows(1000)
        self.count = Executor(self.session).execute(sql, query_id=77, sink=rows)
        self.columns = rows.columns
        return rows.rows

    def script(self, *statements: str) -> list[tuple[Any, ...]]:
        """The rows of the last of several statements."""
        rows: list[tuple[Any, ...]] = []
        for sql in statements:
            rows = self.run(sql)
        return rows

    def error(self, *statements: str) -> str:
        """The error of the last of several statements."""
        self.script(*statements[:-1])
        with pytest.raises(SqlError) as raised:
            self.run(statements[-1])
        return str(raised.value)

    def value(self, expression: str) -> Any:
        return self.run(f"select {expression}")[0][0]

    def later(self, *statements: str) -> Later:
        """Run statements in a thread."""
        return Later(self, statements)


class Later:
    """Statements on their way in another thread."""

    def __init__(self, connection: Connection, statements: Sequence[str]) -> None:
        self.error = ""
        self.rows: list[tuple[Any, ...]] = []
        self._connection, self._statements = connection, statements
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self.rows = self._connection.script(*self._statements)
        except SqlError as error:
            self.error = str(error)

    @property
    def waits(self) -> bool:
        """It is still on its way after a moment."""
        self._thread.join(0.15)
        return self._thread.is_alive()

    def result(self) -> list[tuple[Any, ...]] | str:
        """Rows, or the error's text."""
        self._thread.join(60)
        assert not self._thread.is_alive(), f"still running: {self._statements}"
        return self.error or self.rows


@dataclass
class Engine:
    """One warehouse with the namespace `ns`, and bucket `b` beside it."""

    warehouse: Warehouse
    s3: Folder
    scratch: Path
    roles: tuple[str, ...] = (ROLE,)
    default_role: str = ROLE
    glue: Callable[[], Any] = lambda: None
    processes: int = 100

    def connect(self, database: str = "dev", user: str = "admin", **fields: Any) -> Connection:
        services = CloudServices(
            **{
                "objects": lambda role: self.s3,
                "glue": self.glue,
                "first_database": "dev",
                "scratch": self.scratch,
                "roles": self.roles,
                "default_role": self.default_role,
            }
            | fields
        )
        self.processes += 1
        return Connection(
            Session(
                self.warehouse,
                namespace="ns",
                database=database,
                user=user,
                services=services,
                process=self.processes,
            )
        )


def _engine(folder: Path) -> Iterator[Engine]:
    warehouse = Warehouse(folder / "warehouse", temp_dir=folder / "temp")
    (folder / "s3" / "b").mkdir(parents=True)
    yield Engine(warehouse, Folder(folder / "s3"), folder / "scratch")
    warehouse.close()


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    yield from _engine(tmp_path_factory.mktemp("engine"))


@pytest.fixture
def fresh_engine(tmp_path: Path) -> Iterator[Engine]:
    yield from _engine(tmp_path)


@pytest.fixture
def db(engine: Engine, request: pytest.FixtureRequest) -> Iterator[Connection]:
    """A connection to an empty schema of its own in the module's warehouse."""
    connection = engine.connect()
    schema = f"s{abs(hash(request.node.nodeid))}"
    connection.script(f"create schema {schema}", f"set search_path to {schema}")
    yield connection
    connection.session.close()


@dataclass
class DataApi:
    """A cloud's workgroup `etl` as boto3 reaches it."""

    cloud: Any
    clients: dict[str, Any] = field(default_factory=dict)

    def client(self, service: str) -> Any:
        if service not in self.clients:
            self.clients[service] = self.cloud.client(service)
        return self.clients[service]

    @property
    def api(self) -> Any:
        return self.client("redshift-data")

    @property
    def serverless(self) -> Any:
        return self.client("redshift-serverless")

    def start(self, sql: str, **request: Any) -> str:
        """Hand a statement in; its id."""
        return str(self.api.execute_statement(Sql=sql, **self.target(request))["Id"])

    def batch(self, *sqls: str, **request: Any) -> dict[str, Any]:
        """Run a batch to its end; its description."""
        return self.wait(self.api.batch_execute_statement(Sqls=list(sqls), **self.target(request))["Id"])

    @staticmethod
    def target(request: dict[str, Any]) -> dict[str, Any]:
        return request if "SessionId" in request else {"WorkgroupName": "etl", "Database": "dev"} | request

    def wait(self, statement: str) -> dict[str, Any]:
        """The description of a statement that has ended."""
        return self.until(statement, "FINISHED", "FAILED", "ABORTED")

    def until(self, statement: str, *states: str) -> dict[str, Any]:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            described: dict[str, Any] = self.api.describe_statement(Id=statement)
            if described["Status"] in states:
                return described
            time.sleep(0.005)
        raise AssertionError(f"still {described}")

    def run(self, sql: str, **request: Any) -> dict[str, Any]:
        """Run a statement to its end; its description."""
        return self.wait(self.start(sql, **request))

    def done(self, sql: str, **request: Any) -> dict[str, Any]:
        described = self.run(sql, **request)
        assert described["Status"] == "FINISHED", described.get("Error")
        return described

    def rows(self, sql: str, **request: Any) -> list[list[Any]]:
        """A query's rows as Python values."""
        described = self.done(sql, **request)
        pages = self.api.get_paginator("get_statement_result").paginate(Id=described["Id"])
        return [
            [None if "isNull" in value else next(iter(value.values())) for value in record]
            for page in pages
            for record in page["Records"]
        ]

    def refused(self, operation: str, *, service: str = "redshift-data", **request: Any) -> tuple[str, str]:
        """Code and message of the error an operation answers with."""
        with pytest.raises(ClientError) as raised:
            getattr(self.client(service), operation)(**request)
        error = raised.value.response["Error"]
        return error["Code"], error["Message"]


def _make_workgroup(data_api: DataApi, name: str = "etl", namespace: str = "analytics") -> None:
    """A namespace with a default role, and a workgroup for it."""
    arn = data_api.cloud.role("copier")
    data_api.serverless.create_namespace(
        namespaceName=namespace, dbName="dev", manageAdminPassword=True, iamRoles=[arn], defaultIamRoleArn=arn
    )
    data_api.serverless.create_workgroup(workgroupName=name, namespaceName=namespace)
    found = data_api.serverless.get_namespace(namespaceName=namespace)["namespace"]
    data_api.done(
        "GRANT CREATE ON DATABASE dev TO PUBLIC", WorkgroupName=name, SecretArn=found["adminPasswordSecretArn"]
    )


@pytest.fixture(scope="session")
def make_workgroup() -> Callable[..., None]:
    return _make_workgroup


@pytest.fixture(scope="session")
def data_api_of() -> type[DataApi]:
    """Makes the driver of a cloud."""
    return DataApi


@pytest.fixture(scope="module")
def redshift(cloud: Any) -> DataApi:
    """The module's cloud with workgroup `etl` of namespace `analytics`, and bucket `lake`."""
    data_api = DataApi(cloud)
    _make_workgroup(data_api)
    data_api.client("s3").create_bucket(Bucket="lake")
    return data_api
