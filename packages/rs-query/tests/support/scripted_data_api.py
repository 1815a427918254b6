"""A Redshift Data API of known behaviour on a loopback port: the far side of faults and of the waiting benchmark.

Every answer is checked against botocore's own model of the service before it is sent, so that it can not
answer what AWS never would. It also serves S3 objects (path style) that a test puts into `objects`.
"""

from __future__ import annotations

import functools
import itertools
import json
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import botocore.session
from botocore.validate import ParamValidator

Cells = list[dict[str, Any]]


@dataclass(frozen=True)
class Reply:
    """What a statement does: how long it takes, and what comes of it. `rows` is -1 where the server doesn't say.

    A column is (name, type), and perhaps precision and scale.
    """

    seconds: float = 0.0
    error: str = ""
    rows: int = -1
    columns: tuple[tuple[Any, ...], ...] = ()
    records: tuple[Cells, ...] = ()
    page: int = 1000
    query_id: int = 0


@dataclass(frozen=True)
class Fault:
    """What happens to one call: an error or a closed connection instead of its answer, or `seconds` of delay.

    `after` faults come once the call has taken effect.
    """

    code: str = ""
    status: int = 400
    drop: bool = False
    after: bool = False
    seconds: float = 0.0


@dataclass
class _Running:
    id: str
    sqls: list[str]
    replies: list[Reply]
    began: float
    batch: bool
    session: str = ""
    cancelled_at: float | None = None

    def parts(self) -> Iterator[tuple[str, Reply, float]]:
        """(status, reply, end) of each statement, as of now."""
        now = time.monotonic()
        at = self.began
        over = ""
        for reply in self.replies:
            at += reply.seconds
            if over:
                yield "ABORTED", reply, at
            elif self.cancelled_at is not None and self.cancelled_at < at:
                over = "ABORTED"
                yield over, reply, self.cancelled_at
            elif now < at:
                yield "STARTED", reply, at
            elif reply.error:
                over = "FAILED"
                yield over, reply, at
            else:
                yield "FINISHED", reply, at

    def status(self) -> str:
        states = [state for state, _, _ in self.parts()]
        return next((s for s in ("STARTED", "FAILED", "ABORTED") if s in states), "FINISHED")

    def ends(self) -> float:
        return self.began + sum(reply.seconds for reply in self.replies)


@dataclass
class ScriptedDataApi:
    """`script` gives each SQL text its reply; `calls` records (operation, request) in order."""

    script: Callable[[str], Reply] = lambda sql: Reply()
    latency: float = 0.0
    objects: dict[str, bytes] = field(default_factory=dict)
    faults: dict[str, list[Fault]] = field(default_factory=dict)
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    authorizations: list[str] = field(default_factory=list)
    statements: dict[str, _Running] = field(default_factory=dict)
    tokens: dict[str, dict[str, Any]] = field(default_factory=dict)
    sessions: set[str] = field(default_factory=set)
    port: int = 0

    def __post_init__(self) -> None:
        self.changed = threading.Condition()
        self.shapes = _shapes()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """By which the SDK finds this server and nothing else."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def made(self, operation: str) -> list[dict[str, Any]]:
        """The requests of one operation."""
        return [request for name, request in self.calls if name == operation]

    def sqls(self) -> list[str]:
        """Every SQL text that was started, in order."""
        return [sql for statement in self.statements.values() for sql in statement.sqls]

    def still_running(self) -> list[str]:
        """What would be running behind somebody's back."""
        return [sql for s in self.statements.values() if s.status() == "STARTED" for sql in s.sqls]

    def answer(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        """The answer to a call, valid by the model; raises _Refused."""
        shape = self.shapes[operation]
        problems = ParamValidator().validate(request, shape.input_shape)
        if problems.has_errors():
            raise _Refused("ValidationException", problems.generate_report())
        response = getattr(self, f"_{operation}")(request)
        problems = ParamValidator().validate(response, shape.output_shape)
        assert not problems.has_errors(), problems.generate_report()
        return response

    def _ExecuteStatement(self, request: dict[str, Any]) -> dict[str, Any]:
        return self._start(request, [request["Sql"]], batch=False)

    def _BatchExecuteStatement(self, request: dict[str, Any]) -> dict[str, Any]:
        return self._start(request, request["Sqls"], batch=True)

    def _start(self, request: dict[str, Any], sqls: list[str], *, batch: bool) -> dict[str, Any]:
        if request["ClientToken"] in self.tokens:
            return self.tokens[request["ClientToken"]]
        session = request.get("SessionId", "")
        if session and (session not in self.sessions or "Database" in request):
            raise _Refused("ValidationException", "Session is not available.")
        if not session and ("WorkgroupName" in request) == ("ClusterIdentifier" in request):
            raise _Refused("ValidationException", "Exactly one of WorkgroupName and ClusterIdentifier is required.")
        for parameter in request.get("Parameters", []):
            if not any(f":{parameter['name']}" in sql for sql in sqls):
                raise _Refused("ValidationException", f"Parameter {parameter['name']} is not used.")
        if "SessionKeepAliveSeconds" in request and not session:
            session = str(uuid.uuid4())
            self.sessions.add(session)
        replies = [self.script(sql) for sql in sqls]
        started = _Running(str(uuid.uuid4()), list(sqls), replies, time.monotonic(), batch, session)
        self.statements[started.id] = started
        answer = {"Id": started.id} | ({"SessionId": session} if session else {})
        self.tokens[request["ClientToken"]] = answer
        return answer

    def _DescribeStatement(self, request: dict[str, Any]) -> dict[str, Any]:
        statement_id, _, part_number = request["Id"].partition(":")
        running = self._known(statement_id)
        until = time.monotonic() + request.get("WaitTimeSeconds", 0)
        with self.changed:
            while running.status() == "STARTED" and time.monotonic() < until:
                self.changed.wait(max(0.0, min(until, running.ends()) - time.monotonic()))
        status = running.status()
        parts = []
        for number, (sql, (state, reply, end)) in enumerate(zip(running.sqls, running.parts()), 1):
            part: dict[str, Any] = {
                "Id": f"{running.id}:{number}" if running.batch else running.id,
                "Status": state,
                "QueryString": sql,
                "Duration": int(reply.seconds * 1e9) if end else 0,
                "RedshiftQueryId": reply.query_id,
                "HasResultSet": state == "FINISHED" and bool(reply.columns),
                "ResultRows": (len(reply.records) if reply.columns else reply.rows) if state == "FINISHED" else -1,
            }
            if state == "FAILED":
                part["Error"] = reply.error
            parts.append(part)
        if not running.batch or part_number:
            return parts[int(part_number or 1) - 1]
        errors = [part["Error"] for part in parts if "Error" in part]
        return {"Id": running.id, "Status": status, "SubStatements": parts} | ({"Error": errors[0]} if errors else {})

    def _CancelStatement(self, request: dict[str, Any]) -> dict[str, Any]:
        running = self._known(request["Id"])
        if running.status() != "STARTED":
            raise _Refused(
                "ValidationException", f"Could not cancel a query that is already in {running.status()} state."
            )
        with self.changed:
            running.cancelled_at = time.monotonic()
            self.changed.notify_all()
        return {"Status": True}

    def _GetStatementResult(self, request: dict[str, Any]) -> dict[str, Any]:
        statement_id, _, number = request["Id"].partition(":")
        reply = self._known(statement_id).replies[int(number or 1) - 1]
        begin = int(request.get("NextToken", 0))
        end = begin + reply.page
        answer: dict[str, Any] = {
            "Records": list(reply.records[begin:end]),
            "ColumnMetadata": [
                {"label": column[0], **dict(zip(("name", "typeName", "precision", "scale"), column))}
                for column in reply.columns
            ],
            "TotalNumRows": len(reply.records),
        }
        return answer | ({"NextToken": str(end)} if end < len(reply.records) else {})

    def _known(self, statement_id: str) -> _Running:
        if statement_id not in self.statements:
            raise _Refused("ResourceNotFoundException", f"Query {statement_id} does not exist.")
        return self.statements[statement_id]

    @contextmanager
    def serving(self) -> Iterator[ScriptedDataApi]:
        """Serve on a free port within the block."""
        server = ThreadingHTTPServer(("127.0.0.1", self.port), _handler(self))
        server.daemon_threads = True
        self.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            server.shutdown()
            server.server_close()
            thread.join()


@functools.cache
def _shapes() -> dict[str, Any]:
    model = botocore.session.Session().get_service_model("redshift-data")
    return {name: model.operation_model(name) for name in model.operation_names}


def batches_take_parameters() -> bool:
    """Whether this SDK's do; before botocore 1.42.90 they did not, and values go as literals."""
    return "Parameters" in _shapes()["BatchExecuteStatement"].input_shape.members


class _Refused(Exception):
    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def _handler(api: ScriptedDataApi) -> type[BaseHTTPRequestHandler]:
    request_ids = (f"request-{n}" for n in itertools.count(1))

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def log_message(self, *args: Any) -> None:
            pass

        def do_GET(self) -> None:
            body = api.objects.get(self.path.lstrip("/"))
            api.calls.append(("GetObject", {"path": self.path}))
            missing = b"<Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message></Error>"
            self._send(200 if body is not None else 404, body if body is not None else missing)

        def do_POST(self) -> None:
            operation = self.headers["X-Amz-Target"].partition(".")[2]
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            api.calls.append((operation, request))
            api.authorizations.append(self.headers.get("Authorization", ""))
            time.sleep(api.latency)
            fault = api.faults[operation].pop(0) if api.faults.get(operation) else Fault()
            if not fault.after and self._failed(fault):
                return
            try:
                status, answer = 200, api.answer(operation, request)
            except _Refused as refused:
                status, answer = 400, {"__type": refused.code, "Message": str(refused)}
            if not (fault.after and self._failed(fault)):
                self._send(status, _json(answer))

        def _failed(self, fault: Fault) -> bool:
            time.sleep(fault.seconds)
            if fault.drop:
                self.close_connection = True
            elif fault.code:
                self._send(fault.status, _json({"__type": fault.code, "Message": f"scripted {fault.code}"}))
            return fault.drop or bool(fault.code)

        def _send(self, status: int, body: bytes) -> None:
            try:
                self.send_response(status)
                self.send_header("Content-Type", "application/x-amz-json-1.1")
                self.send_header("x-amzn-RequestId", next(request_ids))
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
            except OSError:
                pass  # the client was stopped while it waited

    return Handler


def _json(document: dict[str, Any]) -> bytes:
    return json.dumps(document).encode()
