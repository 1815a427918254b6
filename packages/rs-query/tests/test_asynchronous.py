"""By statement id: submit, status, wait, cancel and result, as functions and as commands."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from scripted_data_api import Fault, Reply, ScriptedDataApi, batches_take_parameters

import rs_query
from rs_query import PlanError, StatementError, UnfinishedError
from rs_query.cli import main

WHERE: dict[str, Any] = {"workgroup": "elt", "database": "dev"}
OPTIONS = ("--workgroup", "elt", "--database", "dev")
UNKNOWN = "00000000-0000-0000-0000-000000000000"


def outcome(capsys: pytest.CaptureFixture[str], *argv: str) -> tuple[int, str, str]:
    code = main(argv)
    out, err = capsys.readouterr()
    return code, out, err


def slow(sql: str) -> Reply:
    return Reply(seconds=60.0 if "slow" in sql else 0.0, rows=2)


def test_submit_prints_the_id_of_one_call_and_waits_for_nothing(
    api: ScriptedDataApi, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    api.script = slow
    (tmp_path / "x.sql").write_text("DELETE FROM slow WHERE m = :month;\nCOPY slow FROM :uri IAM_ROLE default")
    (tmp_path / "p.json").write_text('{"load": {"uri": "s3://b/m"}}')
    given = ("--param", "month=2024-09", "--params-uri", f"{tmp_path}/p.json#/load")
    code, out, err = outcome(capsys, "submit", f"{tmp_path}/x.sql", *OPTIONS, *given, "--transaction")
    (statement_id,) = api.statements
    assert (code, out, err) == (0, f"{statement_id}\n", "")
    ((operation, request),) = api.calls
    assert len(request.pop("ClientToken")) == 32
    bound = batches_take_parameters()
    month = ":month" if bound else "'2024-09'"
    assert (operation, request.pop("Parameters", [])) == (
        "BatchExecuteStatement",
        [{"name": "month", "value": "2024-09"}] * bound,
    )
    assert request == (
        {
            "Sqls": [f"DELETE FROM slow WHERE m = {month}", "COPY slow FROM 's3://b/m' IAM_ROLE default"],
            "WorkgroupName": "elt",
            "Database": "dev",
        }
    )
    assert api.still_running()


def test_submit_of_one_statement_is_one_statement(api: ScriptedDataApi) -> None:
    statement_id = rs_query.submit("DELETE FROM t WHERE a = :a;", **WHERE, params={"a": "x"}, secret_arn="arn:s")
    assert statement_id == next(iter(api.statements))
    (request,) = api.made("ExecuteStatement")
    assert (request["SecretArn"], request["Parameters"]) == ("arn:s", [{"name": "a", "value": "x"}])


def test_submit_is_idempotent_by_its_token(
    api: ScriptedDataApi, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "x.sql").write_text("DELETE FROM t")
    submit = ("submit", f"{tmp_path}/x.sql", *OPTIONS, "--token")
    first, again, other = (outcome(capsys, *submit, token)[1] for token in ("2024-09", "2024-09", "2024-10"))
    assert (first == again, first == other, len(api.statements)) == (True, False, 2)
    assert rs_query.submit("DELETE FROM t", **WHERE, token="2024-10") == other.strip()


def test_a_dry_run_of_submit_submits_nothing(
    api: ScriptedDataApi, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "x.sql").write_text("DELETE FROM t")
    code, out, _ = outcome(capsys, "submit", f"{tmp_path}/x.sql", *OPTIONS, "--dry-run")
    assert (code, json.loads(out)["sql"], api.calls) == (0, "DELETE FROM t", [])


REFUSED = {
    "an expectation": (
        "-- @expect no rows\nSELECT 1",
        {},
        "x.sql:2:1: statement 1 (SELECT 1): an @expect is looked at by `run`, while its transaction can still be "
        "undone, and by nobody once it is submitted; nothing was submitted",
    ),
    "several statements that are no transaction": (
        "a; b",
        {},
        "2 statements are submitted as one transaction: add --transaction, or run them; nothing was submitted",
    ),
    "more than a call takes": (
        "a;" * 41,
        {"transaction": True},
        "41 statements, and one submission takes 40: run them; nothing was submitted",
    ),
    "what can't be in a transaction": (
        "a; VACUUM t",
        {"transaction": True},
        "x.sql:1:4: statement 2 (VACUUM t): VACUUM can't run inside a transaction; nothing was run",
    ),
}


@pytest.mark.parametrize(("sql", "options", "message"), REFUSED.values(), ids=REFUSED)
def test_what_one_call_cannot_do_is_refused(
    api: ScriptedDataApi, sql: str, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(PlanError) as caught:
        rs_query.submit(rs_query.Script(sql, "x.sql"), **WHERE, **options)
    assert (str(caught.value), api.calls) == (message, [])


WRONG = {
    "the wire": (("submit", "x", *OPTIONS, "--transport", "wire"), "unrecognized arguments: --transport wire"),
    "a long token": (("submit", "x.sql", *OPTIONS, "--token", "t" * 65), "a token has up to 64 characters, this one"),
    "no database": (("submit", "x.sql", "--workgroup", "elt"), "name the database: --database"),
    "no id": (("wait",), "the following arguments are required: ID"),
    "no time": (("wait", UNKNOWN, "--timeout", "0"), "argument --timeout: '0' is no positive number of seconds"),
}


@pytest.mark.parametrize(("argv", "message"), WRONG.values(), ids=WRONG)
def test_wrong_usage_is_exit_code_2(
    api: ScriptedDataApi,
    argv: tuple[str, ...],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("x.sql").write_text("SELECT 1")
    code, out, err = outcome(capsys, *argv)
    assert (code, out, err.startswith(f"rs-query: {message}"), err.count("\n"), api.calls) == (2, "", True, 1, [])


@pytest.mark.parametrize("command", ["status", "wait", "cancel", "result"])
def test_an_unknown_id_is_one_line(api: ScriptedDataApi, command: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = outcome(capsys, command, UNKNOWN)
    says = f"rs-query: DescribeStatement: ResourceNotFoundException: Query {UNKNOWN} does not exist.\n"
    assert (code, out, err) == (1, "", says)


def test_status_describes_a_transaction_and_its_statements(
    api: ScriptedDataApi, capsys: pytest.CaptureFixture[str]
) -> None:
    api.script = slow
    statement_id = rs_query.submit("DELETE FROM t WHERE a = 'secret'; DELETE FROM slow", **WHERE, transaction=True)
    code, out, err = outcome(capsys, "status", statement_id)
    shown = json.loads(out)
    for one in (shown, *shown["statements"]):
        assert one.pop("seconds") >= 0
    assert (code, err) == (0, "")
    assert shown == {
        "id": statement_id,
        "status": "STARTED",
        "rows": None,
        "error": None,
        "statements": [
            {
                "id": f"{statement_id}:1",
                "status": "FINISHED",
                "rows": 2,
                "error": None,
                "statement": "DELETE FROM t WHERE a = '…'",
            },
            {
                "id": f"{statement_id}:2",
                "status": "STARTED",
                "rows": None,
                "error": None,
                "statement": "DELETE FROM slow",
            },
        ],
    }
    status = rs_query.status(statement_id)
    assert (status.ended, [one.ended for one in status.statements]) == (False, [True, False])


def test_wait_returns_what_run_would_have(api: ScriptedDataApi, capsys: pytest.CaptureFixture[str]) -> None:
    api.script = lambda sql: (
        Reply(columns=(("n", "int4"),), records=([{"longValue": 1}],)) if sql == "SELECT 1" else Reply(0.2, rows=3)
    )
    statement_id = rs_query.submit("DELETE FROM t; SELECT 1", **WHERE, transaction=True)
    deleted, selected = rs_query.wait(statement_id).results
    assert (deleted.rows, deleted.has_result_set, selected.rows, selected.fetch()) == (3, False, 1, [(1,)])
    assert (selected.statement.index, selected.statement.text) == (2, "SELECT 1")
    code, out, err = outcome(capsys, "wait", statement_id)
    events = [json.loads(line) for line in err.splitlines()]
    assert (code, out) == (0, "")
    assert [(event["event"], event["index"], event["id"], event["rows"]) for event in events] == [
        ("statement", 1, f"{statement_id}:1", 3),
        ("statement", 2, f"{statement_id}:2", 1),
    ]


@pytest.mark.parametrize("command", ["wait", "result"])
def test_a_failed_statement_fails_as_it_would_have_in_run(
    api: ScriptedDataApi, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    api.script = lambda sql: Reply(error="ERROR: no\n  Position: 13" if "u" in sql else "")
    statement_id = rs_query.submit("DELETE FROM t;\nDELETE FROM u", **WHERE, transaction=True)
    code, out, err = outcome(capsys, command, statement_id)
    said = "<sql>:1:13: statement 2 (DELETE FROM u): ERROR: no Position: 13"
    assert (code, out, err) == (1, "", f"rs-query: {said} [statement id {statement_id}:2]\n")
    with pytest.raises(StatementError) as caught:
        rs_query.wait(statement_id)
    assert (caught.value.index, caught.value.statement_id) == (2, f"{statement_id}:2")
    with pytest.raises(rs_query.ConflictError):
        api.script = lambda sql: Reply(error="ERROR: 1023 DETAIL: Serializable isolation violation on table")
        rs_query.wait(rs_query.submit("DELETE FROM t", **WHERE))


def test_wait_gives_up_in_time_and_cancels_nothing(api: ScriptedDataApi, capsys: pytest.CaptureFixture[str]) -> None:
    api.script = slow
    statement_id = rs_query.submit("DELETE FROM slow", **WHERE)
    code, out, err = outcome(capsys, "wait", statement_id, "--timeout", "0.3")
    says = "has not ended within 0.3 s, and was not cancelled: wait for it again, or cancel it"
    assert (code, out, err) == (1, "", f"rs-query: {statement_id} {says}\n")
    assert api.still_running() == ["DELETE FROM slow"]


def test_a_signal_ends_wait_and_not_the_statement(api: ScriptedDataApi) -> None:
    api.script = slow
    statement_id = rs_query.submit("DELETE FROM slow", **WHERE)
    command = [sys.executable, "-m", "rs_query", "wait", statement_id]
    waiting = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    while not api.made("DescribeStatement"):
        assert waiting.poll() is None
        time.sleep(0.01)
    waiting.send_signal(signal.SIGTERM)
    _, err = waiting.communicate(timeout=60)
    assert (waiting.returncode, err) == (
        143,
        f"rs-query: stopped by SIGTERM; {statement_id} was not cancelled\n",
    )
    assert api.still_running() == ["DELETE FROM slow"]


def test_cancel_is_idempotent(api: ScriptedDataApi, capsys: pytest.CaptureFixture[str]) -> None:
    api.script = slow
    statement_id = rs_query.submit("DELETE FROM slow", **WHERE)
    for _ in range(2):
        code, out, err = outcome(capsys, "cancel", statement_id)
        assert (code, json.loads(out)["status"], err) == (0, "ABORTED", "")
    assert len(api.made("CancelStatement")) == 1
    finished = rs_query.submit("DELETE FROM t", **WHERE)
    assert rs_query.cancel(finished).status == "FINISHED"
    code, _, err = outcome(capsys, "wait", statement_id)
    assert (code, "cancelled by somebody else" in err) == (1, True)


def test_a_statement_that_ends_while_it_is_cancelled_is_no_error(
    api: ScriptedDataApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    statement_id = rs_query.submit("DELETE FROM t", **WHERE)
    monkeypatch.setattr("rs_query.asynchronous.ENDED", frozenset())  # as if it had not yet when it was looked at
    assert rs_query.cancel(statement_id).status == "FINISHED"
    assert len(api.made("CancelStatement")) == 1


def test_a_refused_cancellation_is_an_error(api: ScriptedDataApi, capsys: pytest.CaptureFixture[str]) -> None:
    api.script = slow
    statement_id = rs_query.submit("DELETE FROM slow", **WHERE)
    api.faults["CancelStatement"] = [Fault(code="AccessDeniedException")]
    says = "rs-query: CancelStatement: AccessDeniedException: scripted AccessDeniedException\n"
    assert outcome(capsys, "cancel", statement_id) == (1, "", says)


NUMBERS = Reply(columns=(("n", "int4"),), records=tuple([{"longValue": n}] for n in range(3)), page=2)


def test_result_prints_every_result_set_page_by_page(api: ScriptedDataApi, capsys: pytest.CaptureFixture[str]) -> None:
    api.script = lambda sql: NUMBERS if sql == "SELECT n" else Reply(rows=1)
    statement_id = rs_query.submit("DELETE FROM t; SELECT n; SELECT n", **WHERE, transaction=True)
    rs_query.wait(statement_id)
    set_ = "n\n-\n0\n1\n2\n(3 rows)\n"
    assert outcome(capsys, "result", statement_id)[:2] == (0, f"{set_}\n{set_}")
    assert outcome(capsys, "result", f"{statement_id}:2", "--output", "csv")[:2] == (0, "n\n0\n1\n2\n")
    pages = [request.get("NextToken") for request in api.made("GetStatementResult")]
    assert pages == [None, "2"] * 3
    (second,) = rs_query.result(f"{statement_id}:3").results
    assert (second.statement.index, second.fetch()) == (3, [(0,), (1,), (2,)])


def test_what_goes_on_has_no_result(api: ScriptedDataApi, capsys: pytest.CaptureFixture[str]) -> None:
    api.script = slow
    statement_id = rs_query.submit("SELECT slow", **WHERE)
    says = f"{statement_id} has no result yet, it is STARTED: wait for it"
    assert outcome(capsys, "result", statement_id) == (1, "", f"rs-query: {says}\n")
    with pytest.raises(UnfinishedError):
        rs_query.result(statement_id)


@pytest.mark.parametrize("answered", [True, False], ids=["its answer comes at the second attempt", "never"])
@pytest.mark.parametrize("token", ["", "mine"], ids=["without a token", "with a token"])
def test_a_submission_whose_answer_is_lost_says_what_is_known_of_it(
    api: ScriptedDataApi, *, answered: bool, token: str
) -> None:
    """The time is over before a retry: without a token what was submitted is cancelled, with one it is the caller's."""
    api.script = slow
    api.faults["ExecuteStatement"] = [Fault(drop=True, after=True)] * (1 if answered else 2)
    with pytest.raises(rs_query.ConnectionLostError) as caught:
        rs_query.submit("DELETE FROM slow", **WHERE, token=token, timeout=0.2)
    (statement_id,) = api.statements
    if token:
        assert str(caught.value).endswith("; if it was submitted, another submit with this token gives its id")
        assert rs_query.submit("DELETE FROM slow", **WHERE, token=token) == statement_id
    elif answered:
        assert str(caught.value).endswith(f"; it was submitted as {statement_id}, and cancelled")
        assert api.still_running() == []
    else:
        assert str(caught.value).endswith("; whether it was submitted is unknown (its submission got no answer)")


def test_a_signal_during_submit_leaves_nothing_running(api: ScriptedDataApi, tmp_path: Path) -> None:
    api.script = slow
    api.faults["ExecuteStatement"] = [Fault(after=True, seconds=2)]
    (tmp_path / "x.sql").write_text("DELETE FROM slow")
    command = [sys.executable, "-m", "rs_query", "submit", f"{tmp_path}/x.sql", *OPTIONS]
    submitting = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while not api.statements:
        assert submitting.poll() is None
        time.sleep(0.01)
    submitting.send_signal(signal.SIGTERM)
    out, err = submitting.communicate(timeout=60)
    (statement_id,) = api.statements
    assert (submitting.returncode, out) == (143, "")
    assert err.splitlines()[-1] == (f"rs-query: stopped by SIGTERM; it was submitted as {statement_id}, and cancelled")
    assert api.still_running() == []


def test_an_id_that_nobody_reads_is_cancelled(api: ScriptedDataApi, tmp_path: Path) -> None:
    api.script = slow
    (tmp_path / "x.sql").write_text("DELETE FROM slow")
    read, write = os.pipe()
    os.close(read)
    command = [sys.executable, "-m", "rs_query", "submit", f"{tmp_path}/x.sql", *OPTIONS]
    done = subprocess.run(command, stdout=write, stderr=subprocess.PIPE, text=True)
    os.close(write)
    assert (done.returncode, done.stderr, api.still_running()) == (1, "", [])
