"""Runs through the Data API: what is called, what comes back, what is refused before anything runs."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from scripted_data_api import Fault, Reply, ScriptedDataApi, batches_take_parameters

import rs_query
from rs_query import Column, PlanError, StatementError, data_api_calls

WHERE = {"workgroup": "elt", "database": "dev"}


def run(sql: str, **options: Any) -> rs_query.Run:
    return rs_query.run(sql, **(WHERE | options))


def test_one_statement_is_one_call(api: ScriptedDataApi) -> None:
    api.script = lambda sql: Reply(rows=3)
    events: list[dict[str, Any]] = []
    done = run("DELETE FROM t WHERE a = :a", params={"a": "x"}, log=events.append)
    (request,) = api.made("ExecuteStatement")
    token = request.pop("ClientToken")
    assert len(token) == 32
    assert request == {
        "Sql": "DELETE FROM t WHERE a = :a",
        "WorkgroupName": "elt",
        "Database": "dev",
        "Parameters": [{"name": "a", "value": "x"}],
    }
    (result,) = done.results
    assert (result.rows, result.has_result_set, result.fetch(), result.columns()) == (3, False, [], ())
    assert result.statement.text == "DELETE FROM t WHERE a = :a"
    assert [operation for operation, _ in api.calls] == ["ExecuteStatement", "DescribeStatement"]
    (statement_id,) = api.statements
    for event in events:
        assert event.pop("seconds") >= 0
    assert events == [
        {"event": "statement", "status": "finished", "index": 1, "line": 1, "id": statement_id, "rows": 3},
        {"event": "run", "status": "finished", "statements": 1, "finished": 1, "rows": 3},
    ]


def test_a_script_is_one_session_so_that_temporary_tables_live(api: ScriptedDataApi) -> None:
    run("CREATE TEMP TABLE #t (a int); INSERT INTO #t VALUES (1); SELECT * FROM #t", secret_arn="arn:s")
    first, second, third = api.made("ExecuteStatement")
    assert (first["SecretArn"], first["SessionKeepAliveSeconds"], "SessionId" in first) == ("arn:s", 60, False)
    (session,) = api.sessions
    for request in (second, third):
        assert (request["SessionId"], "Database" in request, "SecretArn" in request) == (session, False, False)
    assert len({request["ClientToken"] for request in (first, second, third)}) == 3


def test_a_transaction_is_one_batch(api: ScriptedDataApi) -> None:
    api.script = lambda sql: Reply(rows=2) if sql.startswith("DELETE") else Reply()
    done = run(
        "LOCK t; DELETE FROM t WHERE m = :m; COPY t FROM :u IAM_ROLE default;",
        params={"m": "2024-09", "u": "s3://b/m"},
        transaction=True,
    )
    (request,) = api.made("BatchExecuteStatement")
    bound = batches_take_parameters()
    month = ":m" if bound else "'2024-09'"
    assert request["Sqls"] == ["LOCK t", f"DELETE FROM t WHERE m = {month}", "COPY t FROM 's3://b/m' IAM_ROLE default"]
    assert request.get("Parameters", []) == [{"name": "m", "value": "2024-09"}] * bound
    assert "ExecutionMode" not in request, "the default, TRANSACTION, which older SDKs don't know by name"
    (statement_id,) = api.statements
    assert [(r.statement_id, r.rows) for r in done.results] == [
        (f"{statement_id}:1", None),
        (f"{statement_id}:2", 2),
        (f"{statement_id}:3", None),
    ]
    assert not api.sessions


def test_forty_statements_are_a_batch_and_forty_one_a_session(api: ScriptedDataApi) -> None:
    run(";".join(f"DELETE FROM t{n}" for n in range(40)), transaction=True)
    assert len(api.made("BatchExecuteStatement")) == 1
    done = run(";".join(f"DELETE FROM t{n}" for n in range(41)), transaction=True)
    assert len(api.made("BatchExecuteStatement")) == 1
    sqls = [request["Sql"] for request in api.made("ExecuteStatement")]
    assert sqls == ["BEGIN", *(f"DELETE FROM t{n}" for n in range(41)), "COMMIT"]
    assert len(done.results) == 41
    assert len(api.sessions) == 1


def test_a_failure_in_a_long_transaction_rolls_back(api: ScriptedDataApi) -> None:
    api.script = lambda sql: Reply(error="ERROR: no" if sql == "DELETE FROM t7" else "")
    with pytest.raises(StatementError, match=r"statement 8 \(DELETE FROM t7\): ERROR: no"):
        run(";".join(f"DELETE FROM t{n}" for n in range(50)), transaction=True)
    assert api.sqls()[-2:] == ["DELETE FROM t7", "ROLLBACK"]


def test_a_failure_in_a_session_rolls_back_what_the_script_began(api: ScriptedDataApi) -> None:
    api.script = lambda sql: Reply(error="ERROR: no" if sql == "bad" else "")
    with pytest.raises(StatementError):
        run("BEGIN; DELETE FROM t; bad; COMMIT")
    assert api.sqls() == ["BEGIN", "DELETE FROM t", "bad", "ROLLBACK"]


@pytest.mark.parametrize("transaction", [False, True])
def test_a_failure_names_everything(api: ScriptedDataApi, *, transaction: bool) -> None:
    api.script = lambda sql: Reply(error='ERROR: relation "u"\n does not exist' if "u" in sql else "", rows=1)
    script = rs_query.Script("DELETE FROM t;\n\n  DELETE FROM u\n WHERE s = 'secret'; DELETE FROM v", "load.sql")
    events: list[dict[str, Any]] = []
    with pytest.raises(StatementError) as caught:
        rs_query.run(script, **WHERE, transaction=transaction, log=events.append)
    statement_id = list(api.statements)[0 if transaction else 1] + (":2" if transaction else "")
    error = caught.value
    assert str(error) == (
        "load.sql:3:3: statement 2 (DELETE FROM u WHERE s = '…'): "
        f'ERROR: relation "u" does not exist [statement id {statement_id}]'
    )
    assert (error.index, error.line, error.column, error.statement_id) == (2, 3, 3, statement_id)
    assert error.reason == 'ERROR: relation "u"\n does not exist'
    assert isinstance(error, rs_query.TerminalError)
    kept = [event for event in events if event["event"] == "statement"]
    assert [event["status"] for event in kept] == (["failed"] if transaction else ["finished", "failed"])
    assert (kept[-1]["index"], kept[-1]["line"], kept[-1]["id"]) == (2, 3, statement_id)
    assert (events[-1]["status"], events[-1]["finished"]) == ("failed", 0 if transaction else 1)
    assert "DELETE FROM v" not in [sql for s in api.statements.values() if not s.batch for sql in s.sqls]


PLACES = {
    "in what was written": ("DELETE FROM t\n WHERE é = nowhere", {}, 22, (3, 8)),
    "before a literal": ("CALL p(x, :a)", {"a": "it's"}, 8, (2, 8)),
    "in a literal": ("CALL p(:a, x)", {"a": "it's"}, 10, (2, 8)),
    "after a literal": ("CALL p(:a, x)", {"a": "it's"}, 17, (2, 12)),
    "after two": ("CALL p(:n,\n:m, x)", {"n": 12345, "m": -1}, 21, (3, 5)),
    "past the end": ("CALL p", {}, 999, (2, 7)),
    "after what the server bound": ("SELECT :a, x", {"a": "b"}, 12, (2, 1)),
}


@pytest.mark.parametrize(("sql", "params", "position", "place"), PLACES.values(), ids=PLACES)
def test_a_failure_points_to_where_the_server_does(
    api: ScriptedDataApi, sql: str, params: dict[str, Any], position: int, place: tuple[int, int]
) -> None:
    api.script = lambda sql: Reply(error=f"ERROR: no such thing\n  Position: {position}")
    with pytest.raises(StatementError) as caught:
        run(f"-- first\n{sql}", params=params)
    assert (caught.value.line, caught.value.column) == place
    assert str(caught.value).startswith(f"<sql>:{place[0]}:{place[1]}: statement 1 (")


def test_a_copy_that_fails_says_what_the_server_wrote_about_its_files(api: ScriptedDataApi) -> None:
    def script(sql: str) -> Reply:
        if sql.startswith("COPY"):
            return Reply(error="ERROR: Load into table 't' failed. Check 'sys_load_error_detail'.", query_id=4711)
        if "sys_load_error_detail" in sql:
            assert "query_id = 4711" in sql
            cells = ["s3://b/part-0 ", "7", "fare ", "int4 ", "1207", "Invalid digit, Value 'x', Pos 0 "]
            kinds = [{"longValue": int(c)} if c.isdigit() else {"stringValue": c} for c in cells]
            names = ("file_name", "line_number", "column_name", "column_type", "error_code", "error_message")
            return Reply(columns=tuple((name, "varchar") for name in names), records=(kinds,))
        return Reply()

    api.script = script
    for transaction in (False, True):
        with pytest.raises(StatementError) as caught:
            run("DELETE FROM t; COPY t FROM 's3://b' IAM_ROLE default", transaction=transaction)
        row = "load error in s3://b/part-0, line 7, column fare (int4): Invalid digit, Value 'x', Pos 0 (code 1207)"
        assert caught.value.load_errors == (row,)
        assert str(caught.value).endswith(f"; {row}")
    aside = [request for request in api.made("ExecuteStatement") if "sys_load_error_detail" in request["Sql"]]
    assert all("SessionId" not in request for request in aside), "the failed session can't run it"


def test_the_details_of_a_copy_never_hide_its_failure(api: ScriptedDataApi) -> None:
    def script(sql: str) -> Reply:
        return Reply(error="ERROR: permission denied" if "sys_" in sql else "ERROR: copy failed", query_id=1)

    api.script = script
    events: list[dict[str, Any]] = []
    with pytest.raises(StatementError, match="ERROR: copy failed") as caught:
        run("COPY t FROM 's3://b' IAM_ROLE default", log=events.append)
    assert caught.value.load_errors == ()
    assert [event["error"] for event in events if event["event"] == "aside"] == ["ERROR: permission denied"]


def test_details_of_a_copy_that_may_not_be_read_name_the_missing_action(api: ScriptedDataApi) -> None:
    def script(sql: str) -> Reply:
        found = Reply(columns=(("file_name", "varchar"),), records=([{"stringValue": "s3://b"}],))
        return found if "sys_" in sql else Reply(error="ERROR: copy failed", query_id=1)

    api.script = script
    api.faults["GetStatementResult"] = [Fault(code="AccessDeniedException", status=400)]
    with pytest.raises(StatementError) as caught:
        run("COPY t FROM 's3://b' IAM_ROLE default")
    assert str(caught.value).endswith(
        "; its load errors could not be read: GetStatementResult: AccessDeniedException: scripted AccessDeniedException"
    )
    assert caught.value.reason == "ERROR: copy failed"


@pytest.fixture
def sdk_without_parameters_of_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """botocore's model as before 1.42.90."""
    new = data_api_calls.client

    def old(service: str, *, attempts: int) -> Any:
        client = new(service, attempts=attempts)
        shape = client.meta.service_model.operation_model("BatchExecuteStatement").input_shape
        shape.members.pop("Parameters", None)
        return client

    monkeypatch.setattr(data_api_calls, "client", old)


@pytest.mark.usefixtures("sdk_without_parameters_of_batches")
def test_an_sdk_whose_batches_take_no_parameters_gets_their_values_as_literals(api: ScriptedDataApi) -> None:
    sql = "INSERT INTO t VALUES (:a); SELECT * FROM t WHERE a = :a"
    run(sql, params={"a": "it's"}, transaction=True)
    (batch,) = api.made("BatchExecuteStatement")
    assert "Parameters" not in batch
    assert batch["Sqls"] == ["INSERT INTO t VALUES ('it''s')", "SELECT * FROM t WHERE a = 'it''s'"]
    run(sql, params={"a": "it's"})
    singles = api.made("ExecuteStatement")
    assert [one["Sql"] for one in singles] == sql.split("; ")
    assert [one["Parameters"] for one in singles] == [[{"name": "a", "value": "it's"}]] * 2


REFUSED_IN_A_TRANSACTION = {
    "TRUNCATE t": "TRUNCATE commits the transaction it runs in; use DELETE",
    "vacuum full t": "VACUUM can't run inside a transaction",
    "CREATE /* ; */ EXTERNAL\n SCHEMA s FROM DATA CATALOG": "external DDL can't run inside a transaction",
    "create external table s.t (a int)": "external DDL can't run inside a transaction",
    "ALTER TABLE t ADD PARTITION (d='x') LOCATION 's3://b'": "external DDL can't run inside a transaction",
    "ALTER TABLE s.t SET LOCATION 's3://b'": "external DDL can't run inside a transaction",
    "DROP SCHEMA s DROP EXTERNAL DATABASE": "external DDL can't run inside a transaction",
    "GRANT SELECT ON EXTERNAL TABLE s.t TO u": "permissions of external objects can't be changed inside a transaction",
    "ALTER TABLE t APPEND FROM u": "ALTER TABLE APPEND commits by itself and can't run inside a transaction",
    "ALTER TABLE t ALTER COLUMN c TYPE varchar(9)": "ALTER COLUMN can't run inside a transaction",
    "CREATE DATABASE d": "database DDL can't run inside a transaction",
    "CREATE OR REPLACE LIBRARY l LANGUAGE plpythonu": "library DDL can't run inside a transaction",
    "BEGIN": "the run is one transaction already; leave transaction control out of the file",
    "commit": "the run is one transaction already; leave transaction control out of the file",
    "END TRANSACTION": "the run is one transaction already; leave transaction control out of the file",
}


@pytest.mark.parametrize(("sql", "reason"), REFUSED_IN_A_TRANSACTION.items(), ids=REFUSED_IN_A_TRANSACTION)
def test_refuses_before_anything_runs_what_a_transaction_cannot_hold(
    api: ScriptedDataApi, sql: str, reason: str
) -> None:
    with pytest.raises(PlanError) as caught:
        run(f"DELETE FROM t;\n{sql}", transaction=True)
    assert str(caught.value).startswith("<sql>:2:1: statement 2 (")
    assert str(caught.value).endswith(f"): {reason}; nothing was run")
    assert api.calls == []
    run(f"DELETE FROM t;\n{sql}")
    assert api.sqls() == ["DELETE FROM t", sql], "by itself it may run"


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE TABLE truncate_log (a int)",
        "SELECT 'TRUNCATE t'",
        "CREATE PROCEDURE p() AS $$ BEGIN TRUNCATE t; END $$ LANGUAGE plpgsql",
        "ALTER TABLE t ADD COLUMN c int",
        "ALTER TABLE t RENAME TO partition",
        "ANALYZE t",
        "CREATE EXTERNAL FUNCTION f(int) RETURNS int STABLE LAMBDA 'l' IAM_ROLE default",
    ],
)
def test_takes_into_a_transaction_what_only_looks_like_it(api: ScriptedDataApi, sql: str) -> None:
    run(f"DELETE FROM t; {sql}", transaction=True)
    assert api.sqls() == ["DELETE FROM t", sql]


REFUSED = {
    "no statement": ("-- nothing;\n;", {}, "there is no statement to run"),
    "too long": ("SELECT 1;\nSELECT '" + "é" * 60_000 + "'", {}, "<sql>:2:1: statement 2 (SELECT '…'): 120009 bytes"),
    "unterminated": ("SELECT 1; '", {}, "<sql>:1:11: unterminated string"),
    "no database": ("SELECT 1", {"database": ""}, "name the database: --database"),
    "two places": ("SELECT 1", {"cluster": "c"}, "name either the serverless workgroup or the cluster"),
    "no place": ("SELECT 1", {"workgroup": ""}, "name either the serverless workgroup or the cluster"),
    "no such transport": ("SELECT 1", {"transport": "mail"}, "'mail' is no transport; there are data-api, wire"),
}


@pytest.mark.parametrize(("sql", "options", "message"), REFUSED.values(), ids=REFUSED)
def test_refuses_before_anything_runs(api: ScriptedDataApi, sql: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(rs_query.TerminalError) as caught:
        run(sql, **options)
    assert str(caught.value).startswith(message)
    assert api.calls == []


def test_a_cluster_instead_of_a_workgroup(api: ScriptedDataApi) -> None:
    run("SELECT 1", workgroup="", cluster="c1")
    (request,) = api.made("ExecuteStatement")
    assert (request["ClusterIdentifier"], "WorkgroupName" in request) == ("c1", False)


CELLS = {
    "int4": ({"longValue": 5}, 5),
    "bool": ({"booleanValue": False}, False),
    "float8": ({"doubleValue": 1.5}, 1.5),
    "varchar": ({"stringValue": "x"}, "x"),
    "NULL": ({"isNull": True}, None),
    "empty": ({"stringValue": ""}, ""),
    "numeric": ({"stringValue": "12.50"}, Decimal("12.50")),
    "date": ({"stringValue": "2024-09-01"}, dt.date(2024, 9, 1)),
    "timestamp": ({"stringValue": "2024-09-01 12:30:00.5"}, dt.datetime.fromisoformat("2024-09-01T12:30:00.500000")),
    "timestamptz": (
        {"stringValue": "2024-09-01 12:30:00+00"},
        dt.datetime(2024, 9, 1, 12, 30, tzinfo=dt.timezone.utc),
    ),
    "time": ({"stringValue": "12:30:00"}, dt.time(12, 30)),
    "timetz": (
        {"stringValue": "12:30:00-05:30"},
        dt.time(12, 30, tzinfo=dt.timezone(-dt.timedelta(hours=5, minutes=30))),
    ),
    "super": ({"stringValue": '{"a":1}'}, '{"a":1}'),
    "before Christ": ({"stringValue": "0044-03-15 00:00:00 BC"}, "0044-03-15 00:00:00 BC"),
}
KINDS = {"NULL": "numeric", "empty": "varchar", "before Christ": "timestamp"}


def test_results_are_typed_and_paged(api: ScriptedDataApi) -> None:
    row = [cell for cell, _ in CELLS.values()]
    columns = tuple((name, KINDS.get(name, name)) for name in CELLS)
    api.script = lambda sql: Reply(columns=columns, records=(row,) * 25, page=10)
    (result,) = run("SELECT * FROM t").results
    assert (result.rows, result.has_result_set) == (25, True)
    assert result.columns() == tuple(Column(name, kind) for name, kind in columns)
    expected = tuple(value for _, value in CELLS.values())
    assert result.fetch() == [expected] * 25
    assert [len(page.rows) for page in result.pages()] == [10, 10, 5]


def test_iterating_holds_one_page(api: ScriptedDataApi) -> None:
    records = tuple([{"longValue": n}] for n in range(30))
    api.script = lambda sql: Reply(columns=(("n", "int4"),), records=records, page=10)
    (result,) = run("SELECT n FROM t").results
    rows = iter(result)
    assert [next(rows) for _ in range(10)] == [(n,) for n in range(10)]
    assert len(api.made("GetStatementResult")) == 1, "the second page is not fetched before it is needed"
    assert [row for (row,) in rows] == list(range(10, 30))


def test_an_empty_result_set_is_no_missing_one(api: ScriptedDataApi) -> None:
    api.script = lambda sql: Reply(columns=(("n", "int4"),))
    (result,) = run("SELECT n FROM t").results
    assert (result.has_result_set, result.rows, result.fetch(), result.columns()) == (
        True,
        0,
        [],
        (Column("n", "int4"),),
    )
