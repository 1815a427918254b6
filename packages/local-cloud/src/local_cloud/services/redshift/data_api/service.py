"""The operations of the Data API, without HTTP."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
import time
import uuid
from collections.abc import Sequence
from typing import Any

from local_cloud.permissions.callers import Caller
from local_cloud.services.redshift.data_api import parameters, requests
from local_cloud.services.redshift.data_api.errors import Invalid, NotFound, TooManyStatements
from local_cloud.services.redshift.data_api.requests import Target, Targets
from local_cloud.services.redshift.data_api.results import read_page
from local_cloud.services.redshift.data_api.runner import Runner
from local_cloud.services.redshift.data_api.sessions import KeptSession, Sessions
from local_cloud.services.redshift.data_api.statements import Part, Statement, StatementStore

Record = dict[str, Any]


class DataApi:
    """Statements in, descriptions and results out. `user` is the caller's database user throughout."""

    def __init__(self, store: StatementStore, sessions: Sessions, runner: Runner, targets: Targets) -> None:
        self.store = store
        self.sessions = sessions
        self.runner = runner
        self.targets = targets
        self._submitting = threading.Lock()

    def owner_of(self, identifier: str) -> str:
        """The `aws:userid` of who submitted a statement, "" where there is none."""
        statement = self.store.get(identifier.partition(":")[0])
        return statement.owner if statement else ""

    # Starting statements.

    def execute(self, given: Record, user: str, caller: Caller) -> Record:
        return self._start(given, [given.get("Sql") or ""], user, caller, batch=False)

    def batch_execute(self, given: Record, user: str, caller: Caller) -> Record:
        return self._start(given, list(given.get("Sqls") or []), user, caller, batch=True)

    def _start(self, given: Record, texts: list[str], user: str, caller: Caller, *, batch: bool) -> Record:
        requests.check_sql(texts)
        values = requests.check_parameters(given.get("Parameters"))
        parameters.check(texts, values)
        wait = requests.check_seconds(given, "WaitTimeSeconds", least=1, most=30)
        keep_alive = requests.check_seconds(given, "SessionKeepAliveSeconds", least=0, most=86_400)
        fingerprint = _fingerprint(given)
        with self._submitting:
            token = given.get("ClientToken") or ""
            earlier = self.store.by_token(token) if token else None
            if earlier is not None and earlier.fingerprint != fingerprint:
                raise Invalid("ClientToken was used before with other parameters.")
            statement = earlier or self._submit(
                given, texts, user, caller, fingerprint, batch=batch, keep_alive=keep_alive
            )
        if wait:
            self.store.wait(statement, wait)
        return self._started(statement, waited=bool(wait))

    def _submit(
        self,
        given: Record,
        texts: list[str],
        user: str,
        caller: Caller,
        fingerprint: str,
        *,
        batch: bool,
        keep_alive: int | None,
    ) -> Statement:
        session: KeptSession | None = None
        if given.get("SessionId"):
            for other in ("WorkgroupName", "ClusterIdentifier", "Database", "DbUser", "SecretArn"):
                if given.get(other):
                    raise Invalid(f"{other} can't be provided with SessionId.")
            session = self.sessions.take(given["SessionId"], keep_alive=keep_alive)
            target = Target(session.namespace, session.workgroup, session.database, session.user, session.secret_arn)
        else:
            target = self.targets.of(given, user)
        try:
            self._check_room(target.workgroup)
        except TooManyStatements:
            if session is not None:
                self.sessions.give_back(session)
            raise
        if session is None and keep_alive is not None:
            session = self.sessions.create(
                database=target.database,
                user=target.user,
                namespace=target.namespace,
                workgroup=target.workgroup,
                secret_arn=target.secret_arn,
                keep_alive=keep_alive,
            )
        now = time.time()
        statement = Statement(
            id=str(uuid.uuid4()),
            parts=[Part(text, created=now, updated=now) for text in texts],
            batch=batch,
            database=target.database,
            user=target.user,
            namespace=target.namespace if target.login else "",
            workgroup=target.workgroup,
            mode=given.get("ExecutionMode") or "TRANSACTION",
            parameters=given.get("Parameters") or [],
            secret_arn=target.secret_arn,
            name=given.get("StatementName") or "",
            token=given.get("ClientToken") or "",
            fingerprint=fingerprint,
            session_id=session.id if session else "",
            as_csv=given.get("ResultFormat") == "CSV",
            with_event=bool(given.get("WithEvent")),
            principal=caller.identity,
            owner=caller.user_id,
        )
        self.runner.submit(statement, session)
        return statement

    def _check_room(self, workgroup: str) -> None:
        if self.store.active(workgroup) >= requests.MAX_ACTIVE:
            raise TooManyStatements(
                f"Number of active statements exceeds the limit of {requests.MAX_ACTIVE} for workgroup {workgroup}."
            )

    def _started(self, statement: Statement, *, waited: bool) -> Record:
        answer = {
            "Id": statement.id,
            "CreatedAt": statement.created,
            "Database": statement.database,
            "DbGroups": None,
            "WorkgroupName": statement.workgroup,
            "SecretArn": statement.secret_arn or None,
            "DbUser": None if statement.secret_arn else statement.user,
            "SessionId": statement.session_id or None,
        }
        if waited:
            answer |= {
                "Status": statement.status,
                "RedshiftPid": statement.pid,
                "HasResultSet": statement.ended and statement.has_result,
            }
        return answer

    # Looking at them.

    def _find(self, identifier: str) -> tuple[Statement, int | None]:
        head, number = requests.split_id(identifier)
        statement = self.store.get(head)
        inside = number is None or (statement is not None and statement.batch and 1 <= number <= len(statement.parts))
        if statement is None or not inside:
            # As AWS words it, see the tests of ballerina-platform/module-ballerinax-aws.redshiftdata.
            raise NotFound("Query does not exist.", identifier)
        return statement, number

    def _wait(self, statement: Statement, given: Record) -> None:
        seconds = requests.check_seconds(given, "WaitTimeSeconds", least=1, most=30)
        if seconds:
            self.store.wait(statement, seconds)

    def describe(self, given: Record) -> Record:
        statement, number = self._find(given["Id"])
        self._wait(statement, given)
        common = {
            "SecretArn": statement.secret_arn or None,
            "DbUser": None if statement.secret_arn else statement.user,
            "Database": statement.database,
            "WorkgroupName": statement.workgroup,
            "RedshiftPid": statement.pid,
            "ResultFormat": "CSV" if statement.as_csv else "JSON",
            "SessionId": statement.session_id or None,
            "QueryParameters": statement.parameters or None,
        }
        if number is not None:
            return common | _described(f"{statement.id}:{number}", statement.parts[number - 1])
        if not statement.batch:
            part = statement.parts[0]
            described = _described(statement.id, part) | {
                "Status": statement.status,
                "CreatedAt": statement.created,
                "UpdatedAt": statement.updated,
                "Duration": statement.duration if statement.ended else -1,
                "Error": statement.error or None,
                "HasResultSet": statement.ended and part.has_result,
            }
            return common | described
        finished = [part for part in statement.parts if part.status == "FINISHED"]
        return common | {
            "Id": statement.id,
            "Status": statement.status,
            "CreatedAt": statement.created,
            "UpdatedAt": statement.updated,
            "Duration": statement.duration if statement.ended else -1,
            "Error": statement.error or None,
            "HasResultSet": statement.has_result,
            "RedshiftQueryId": 0,
            "ResultRows": sum(part.rows for part in finished) if statement.ended else -1,
            "ResultSize": sum(part.size for part in finished) if statement.ended else -1,
            "ExecutionMode": statement.mode,
            "SubStatements": [
                _described(f"{statement.id}:{number}", part) for number, part in enumerate(statement.parts, 1)
            ],
        }

    def result(self, given: Record, *, as_csv: bool) -> str:
        """The JSON of one page of a result."""
        statement, number = self._find(given["Id"])
        self._wait(statement, given)
        if statement.as_csv != as_csv:
            wanted = "GetStatementResultV2" if statement.as_csv else "GetStatementResult"
            raise Invalid(f"The ResultFormat of the statement does not fit this operation. Use {wanted}.")
        part = statement.parts[(number or 1) - 1]
        if (statement.batch and number is None) or part.columns is None or part.status != "FINISHED":
            # As AWS words it, same place.
            raise NotFound("Query does not have result. Please check query status with DescribeStatement.", given["Id"])
        page = _decode(given.get("NextToken"))
        if not 0 <= page < len(part.pages):
            raise Invalid("Invalid pagination token.")
        try:
            records = read_page(self.store.result_file(statement, (number or 1) - 1), part.pages[page])
        except FileNotFoundError:
            raise NotFound("The result of the query is no longer available.", given["Id"]) from None
        if as_csv:
            records = '[{"CSVRecords":' + records.rstrip("\n") + "}]"
        rest: Record = {"ColumnMetadata": part.columns, "TotalNumRows": part.rows}
        if as_csv:
            rest["ResultFormat"] = "CSV"
        if page + 1 < len(part.pages):
            rest["NextToken"] = _encode(page + 1)
        return '{"Records":' + records.rstrip("\n") + "," + json.dumps(rest)[1:]

    def cancel(self, given: Record) -> Record:
        statement, _ = self._find(given["Id"])
        if statement.ended:
            # As AWS words it, see grafana/redshift-datasource, pkg/redshift/api.
            raise Invalid(
                f"Could not cancel a query that is already in {statement.status} state with ID: {statement.id}"
            )
        self.runner.cancel(statement)
        return {"Status": statement.status == "ABORTED"}

    def list_statements(self, given: Record) -> Record:
        if given.get("ClusterIdentifier") and given.get("WorkgroupName"):
            raise Invalid("ClusterIdentifier and WorkgroupName can't be provided together.")
        status = given.get("Status") or "FINISHED"
        prefix = given.get("StatementName") or ""
        found = [
            statement
            for statement in self.store.all()
            if status in ("ALL", statement.status)
            and statement.name.startswith(prefix)
            and given.get("Database") in (None, statement.database)
            and given.get("WorkgroupName") in (None, statement.workgroup)
            and not given.get("ClusterIdentifier")
        ]
        shown, token = page_of(found, given, default=100)
        return {"Statements": [_listed(statement) for statement in shown], "NextToken": token}

    def list_sessions(self, given: Record) -> Record:
        wanted = given.get("SessionId")
        found = [
            session
            for session in self.sessions.all()
            if wanted in (None, session.id)
            and (wanted or session.status == (given.get("Status") or session.status))
            and (wanted or given.get("Status") or session.status != "CLOSED")
            and given.get("Database") in (None, session.database)
            and given.get("WorkgroupName") in (None, session.workgroup)
        ]
        if wanted and not found:
            raise NotFound(f"Session with Id: {wanted} is invalid", wanted)
        shown, token = page_of(found, given, default=100)
        return {"Sessions": [_listed_session(session) for session in shown], "NextToken": token}


def _described(identifier: str, part: Part) -> Record:
    return {
        "Id": identifier,
        "QueryString": part.sql,
        "Status": part.status,
        "CreatedAt": part.created,
        "UpdatedAt": part.updated,
        "Duration": part.duration,
        "Error": part.error or None,
        "HasResultSet": part.has_result,
        "RedshiftQueryId": part.query_id,
        "RedshiftQueryUuid": part.query_uuid or None,
        "ResultRows": part.rows,
        "ResultSize": part.size,
    }


def _listed(statement: Statement) -> Record:
    texts = [part.sql for part in statement.parts]
    return {
        "Id": statement.id,
        "QueryString": None if statement.batch else texts[0],
        "QueryStrings": texts if statement.batch else None,
        "IsBatchStatement": statement.batch,
        "SecretArn": statement.secret_arn or None,
        "Status": statement.status,
        "StatementName": statement.name or None,
        "CreatedAt": statement.created,
        "UpdatedAt": statement.updated,
        "QueryParameters": statement.parameters or None,
        "ResultFormat": "CSV" if statement.as_csv else "JSON",
        "SessionId": statement.session_id or None,
    }


def _listed_session(session: KeptSession) -> Record:
    return {
        "SessionId": session.id,
        "Status": session.status,
        "CreatedAt": session.created,
        "UpdatedAt": session.updated,
        "Database": session.database,
        "DbUser": session.user,
        "WorkgroupName": session.workgroup,
        "SessionAliveSeconds": session.keep_alive,
        "SessionTtl": session.expires or None,
        "CurrentStatementId": session.statement_id or None if session.status == "BUSY" else None,
    }


def _fingerprint(given: Record) -> str:
    """What has to be the same when a client token comes again."""
    kept = {key: value for key, value in given.items() if key not in ("ClientToken", "WaitTimeSeconds")}
    return hashlib.sha256(json.dumps(kept, sort_keys=True, default=str).encode()).hexdigest()


def _encode(number: int) -> str:
    return base64.urlsafe_b64encode(f"page:{number}".encode()).decode()


def _decode(token: str | None) -> int:
    if not token:
        return 0
    try:
        return int(base64.urlsafe_b64decode(token).decode().removeprefix("page:"))
    except ValueError:
        raise Invalid("Invalid pagination token.") from None


def page_of(items: Sequence[Any], given: Record, *, default: int) -> tuple[Sequence[Any], str | None]:
    """One page of a list by MaxResults and NextToken, and the token of the next page."""
    start, size = _decode(given.get("NextToken")), given.get("MaxResults") or default
    end = start + size
    return items[start:end], _encode(end) if end < len(items) else None
