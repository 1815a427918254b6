"""What is tried again, what is not, and that nothing is ever submitted twice."""

from __future__ import annotations

import itertools
import socket
from typing import Any

import pytest
from scripted_data_api import Fault, Reply, ScriptedDataApi

import rs_query
from rs_query import ConflictError, ConnectionLostError, ServiceError, StatementError, ThrottledError
from rs_query.deadline import Deadline
from rs_query.retries import retrying

WHERE = {"workgroup": "elt", "database": "dev"}
SERIALIZABLE = "ERROR: 1023\n  DETAIL: Serializable isolation violation on table - 1, transactions forming the cycle"
CONCURRENT = "ERROR: could not complete because of conflict with concurrent transaction"


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("random.uniform", lambda low, high: 0.0)


FAULTS = {
    "throttling": [Fault(code="ThrottlingException")] * 7,
    "too many requests": [Fault(code="TooManyRequestsException", status=429)],
    "too many active statements": [Fault(code="ActiveStatementsExceededException")] * 3,
    "too many sessions": [Fault(code="ActiveSessionsExceededException")] * 7,
    "the service's own error": [Fault(code="InternalServerException", status=500)] * 4,
    "the service's own error after the call": [Fault(code="InternalServerException", status=500, after=True)] * 2,
    "an error of its surroundings": [Fault(code="ExecuteStatementException", status=500)],
    "connection lost before the call": [Fault(drop=True)],
    "connection lost after the call": [Fault(drop=True, after=True)] * 3,
    "a gateway's error": [Fault(code="ServiceUnavailable", status=503)],
    "a gateway's error after the call": [Fault(code="GatewayTimeout", status=504, after=True)],
    "one after the other": [Fault(code="ThrottlingException"), Fault(drop=True, after=True)],
}


@pytest.mark.parametrize("faults", FAULTS.values(), ids=FAULTS)
@pytest.mark.parametrize("transaction", [False, True])
def test_submits_again_with_the_same_token(api: ScriptedDataApi, faults: list[Fault], *, transaction: bool) -> None:
    operation = "BatchExecuteStatement" if transaction else "ExecuteStatement"
    sql = "DELETE FROM t; DELETE FROM u" if transaction else "DELETE FROM t"
    api.faults[operation] = list(faults)
    events: list[dict[str, Any]] = []
    rs_query.run(sql, **WHERE, transaction=transaction, log=events.append)
    assert len(api.made(operation)) == len(faults) + 1
    assert len({request["ClientToken"] for request in api.made(operation)}) == 1
    assert api.sqls() == sql.split("; "), "submitted once, however often asked"
    assert [event["attempt"] for event in events if event["event"] == "retry"] == list(range(1, len(faults) + 1))


@pytest.mark.parametrize("faults", FAULTS.values(), ids=FAULTS)
def test_submits_nothing_twice_in_a_session(api: ScriptedDataApi, faults: list[Fault]) -> None:
    """The call that opens the session is answered late, or one in it."""
    script = ["CREATE TEMP TABLE t (a INT)", "INSERT INTO t VALUES (1)", "INSERT INTO u SELECT a FROM t"]
    for before in (0, 1):
        api.statements.clear()
        api.faults["ExecuteStatement"] = [*[Fault()] * before, *faults]
        rs_query.run(";".join(script), **WHERE)
        assert api.sqls() == script
        assert len({statement.session for statement in api.statements.values()}) == 1


@pytest.mark.parametrize("faults", FAULTS.values(), ids=FAULTS)
@pytest.mark.parametrize("operation", ["DescribeStatement", "GetStatementResult"])
def test_a_read_that_failed_is_made_again(api: ScriptedDataApi, operation: str, faults: list[Fault]) -> None:
    api.script = lambda sql: Reply(columns=(("n", "int4"),), records=([{"longValue": 1}],))
    api.faults[operation] = list(faults)
    (result,) = rs_query.run("SELECT 1", **WHERE).results
    assert result.fetch() == [(1,)]
    assert len(api.statements) == 1


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("ValidationException", 400),
        ("AccessDeniedException", 403),
        ("ResourceNotFoundException", 400),
    ],
)
def test_fails_at_once_for_everything_else(api: ScriptedDataApi, code: str, status: int) -> None:
    api.faults["ExecuteStatement"] = [Fault(code=code, status=status)]
    with pytest.raises(ServiceError) as caught:
        rs_query.run("SELECT 1", **WHERE)
    assert str(caught.value) == f"ExecuteStatement: {code}: scripted {code}"
    assert caught.value.code == code
    assert len(api.calls) == 1


def test_gives_up_on_a_connection_after_five_attempts(api: ScriptedDataApi, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{nobody.getsockname()[1]}")
        events: list[dict[str, Any]] = []
        with pytest.raises(ConnectionLostError, match="Could not connect to the endpoint URL"):
            rs_query.run("SELECT 1", **WHERE, log=events.append)
    assert [event["event"] for event in events] == ["retry"] * 4 + ["run"]


def test_does_not_leave_running_what_it_got_no_answer_about(api: ScriptedDataApi) -> None:
    """Five answers lost, then one to the same token: it names the statement, which is cancelled."""
    api.script = lambda sql: Reply(seconds=60)
    api.faults["ExecuteStatement"] = [Fault(drop=True, after=True)] * 5
    with pytest.raises(ConnectionLostError, match="Connection was closed"):
        rs_query.run("DELETE FROM t", **WHERE)
    assert len(api.made("CancelStatement")) == 1
    assert api.still_running() == []


def test_says_so_when_it_never_gets_an_answer(api: ScriptedDataApi) -> None:
    api.faults["ExecuteStatement"] = [Fault(drop=True)] * 9
    with pytest.raises(ConnectionLostError, match="Connection was closed"):
        rs_query.run("SELECT 1", **WHERE)
    assert len(api.made("ExecuteStatement")) == 6
    assert api.statements == {}


class _Clock(Deadline):
    """A deadline whose time passes only by sleeping."""

    def __init__(self, seconds: float) -> None:
        super().__init__(None)
        self.slept: list[float] = []
        self.whole = seconds

    def remaining(self) -> float:
        return self.whole - sum(self.slept)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


@pytest.mark.parametrize(
    ("error", "pauses"),
    [
        (ThrottledError("slow down"), [0.5, 1, 2, 4, 8, 16, 20, 20, 20]),
        (ConnectionLostError("gone"), [0.5, 1, 2, 4]),
        (ServiceError("no"), []),
    ],
)
def test_pauses_grow_and_end_with_attempts_or_time(
    error: Exception, pauses: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("random.uniform", lambda low, high: high)
    clock = _Clock(100)

    def fail() -> None:
        raise error

    with pytest.raises(type(error)):
        retrying(fail, on=(ThrottledError, ConnectionLostError), deadline=clock, log=lambda event: None)
    assert clock.slept == pauses


@pytest.mark.parametrize("message", [SERIALIZABLE, CONCURRENT])
@pytest.mark.parametrize("others", [1, 50], ids=["batch", "session"])
def test_runs_a_whole_transaction_again_after_a_conflict(api: ScriptedDataApi, message: str, others: int) -> None:
    errors = itertools.chain([message, message], itertools.repeat(""))
    api.script = lambda sql: Reply(error=next(errors) if sql == "DELETE FROM u" else "", rows=1)
    events: list[dict[str, Any]] = []
    statements = [*(f"INSERT INTO t VALUES ({n})" for n in range(others)), "DELETE FROM u"]
    done = rs_query.run(";".join(statements), **WHERE, transaction=True, log=events.append)
    again = statements if others == 1 else ["BEGIN", *statements, "ROLLBACK"]
    last = statements if others == 1 else ["BEGIN", *statements, "COMMIT"]
    assert api.sqls() == again * 2 + last
    assert [result.rows for result in done.results] == [1] * (others + 1)
    retries = [event for event in events if event["event"] == "retry"]
    assert [event["attempt"] for event in retries] == [1, 2]
    assert all(event["reason"].startswith("ConflictError: <sql>:1:") for event in retries)


def test_runs_a_scripts_own_transaction_again_after_a_conflict(api: ScriptedDataApi) -> None:
    """From its BEGIN on, in the same session; what stands before and after runs once."""
    errors = itertools.chain([SERIALIZABLE, CONCURRENT], itertools.repeat(""))
    api.script = lambda sql: Reply(error=next(errors) if sql == "DELETE FROM u" else "", rows=1)
    events: list[dict[str, Any]] = []
    own = ["BEGIN", "INSERT INTO t VALUES (1)", "DELETE FROM u"]
    script = ["CREATE TABLE t (a INT)", *own, "COMMIT", "SELECT 1"]
    done = rs_query.run(";".join(script), **WHERE, log=events.append)
    assert api.sqls() == [script[0], *[*own, "ROLLBACK"] * 2, *own, "COMMIT", "SELECT 1"]
    assert [result.statement.text for result in done.results] == script
    assert [event["attempt"] for event in events if event["event"] == "retry"] == [1, 2]


def test_a_transaction_left_open_is_no_reason_to_run_what_stands_before_it_again(api: ScriptedDataApi) -> None:
    api.script = lambda sql: Reply(error=SERIALIZABLE if sql == "DELETE FROM u" else "")
    with pytest.raises(ConflictError):
        rs_query.run("INSERT INTO t VALUES (1); BEGIN; DELETE FROM u", **WHERE)
    assert api.sqls().count("INSERT INTO t VALUES (1)") == 1
    assert api.sqls().count("BEGIN") == 5


def test_gives_up_on_conflicts_after_five_attempts(api: ScriptedDataApi) -> None:
    api.script = lambda sql: Reply(error=SERIALIZABLE)
    with pytest.raises(ConflictError) as caught:
        rs_query.run("DELETE FROM t; DELETE FROM u", **WHERE, transaction=True)
    assert len(api.made("BatchExecuteStatement")) == 5
    assert isinstance(caught.value, rs_query.TransientError)
    assert (caught.value.index, caught.value.line) == (1, 1)


@pytest.mark.parametrize("message", [SERIALIZABLE, CONCURRENT])
def test_runs_a_statement_outside_a_transaction_again_after_a_conflict(api: ScriptedDataApi, message: str) -> None:
    """The server has undone it; what stands before it is committed and stays."""
    errors = itertools.chain([message, message], itertools.repeat(""))
    api.script = lambda sql: Reply(error=next(errors) if sql == "DELETE FROM u" else "", rows=1)
    script = ["CREATE TABLE IF NOT EXISTS t (a INT)", "DELETE FROM u", "SELECT 1"]
    done = rs_query.run(";".join(script), **WHERE)
    assert api.sqls() == [script[0], *["DELETE FROM u"] * 3, script[2]]
    assert [result.statement.text for result in done.results] == script
    submitted = [request["ClientToken"] for request in api.made("ExecuteStatement")]
    assert len(set(submitted)) == len(submitted) == 5, "the same token would give the failed statement again"


def test_gives_up_on_a_statement_after_five_conflicts(api: ScriptedDataApi) -> None:
    api.script = lambda sql: Reply(error=SERIALIZABLE)
    with pytest.raises(ConflictError):
        rs_query.run("DELETE FROM t", **WHERE)
    assert api.sqls() == ["DELETE FROM t"] * 5


@pytest.mark.parametrize("sql", ["CALL p()", "UNLOAD ('SELECT 1') TO 's3://b/u_' IAM_ROLE default"])
def test_what_may_have_left_something_done_is_not_run_again(api: ScriptedDataApi, sql: str) -> None:
    api.script = lambda sql: Reply(error=SERIALIZABLE)
    with pytest.raises(ConflictError):
        rs_query.run(sql, **WHERE)
    assert api.sqls() == [sql]


@pytest.mark.parametrize("reason", ['ERROR: value "1023" is out of range', "ERROR: syntax error", "ERROR: 1018"])
def test_no_other_failure_of_a_transaction_is_run_again(api: ScriptedDataApi, reason: str) -> None:
    api.script = lambda sql: Reply(error=reason)
    with pytest.raises(StatementError):
        rs_query.run("DELETE FROM t; DELETE FROM u", **WHERE, transaction=True)
    assert len(api.made("BatchExecuteStatement")) == 1
