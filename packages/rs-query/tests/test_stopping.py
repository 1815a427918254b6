"""Deadline, SIGTERM and Ctrl-C: nothing keeps running, and the error says what had been done."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest
from scripted_data_api import Fault, Reply, ScriptedDataApi

import rs_query
from rs_query import DeadlineError
from rs_query.deadline import Deadline
from rs_query.signals import defer_signals, interruptible

WHERE = {"workgroup": "elt", "database": "dev"}


def slow(sql: str) -> Reply:
    return Reply(seconds=60.0 if "slow" in sql else 0.0)


@pytest.fixture
def over(api: ScriptedDataApi, monkeypatch: pytest.MonkeyPatch) -> None:
    """A deadline that passes as soon as something slow runs, however busy the machine is."""

    class Passing(Deadline):
        def remaining(self) -> float:
            return 0.0 if api.still_running() else super().remaining()

    monkeypatch.setattr("rs_query.api.Deadline", Passing)


def test_a_real_deadline_cancels(api: ScriptedDataApi) -> None:
    api.script = slow
    with pytest.raises(DeadlineError, match=r"the deadline of 2.5 s passed; .* \(DELETE FROM slow\) was cancelled"):
        rs_query.run("DELETE FROM slow", **WHERE, timeout=2.5)
    assert api.still_running() == []


@pytest.mark.usefixtures("over")
def test_the_deadline_cancels_and_tells(api: ScriptedDataApi) -> None:
    api.script = slow
    events: list[dict[str, Any]] = []
    script = rs_query.Script("DELETE FROM a;\nDELETE FROM slow;\nDELETE FROM b", "x.sql")
    with pytest.raises(DeadlineError) as caught:
        rs_query.run(script, **WHERE, log=events.append)
    running = list(api.statements)[1]
    assert str(caught.value) == (
        "the deadline of 900 s passed; x.sql:2:1: statement 2 (DELETE FROM slow) was cancelled "
        f"[statement id {running}]; of 3 statements 1 had finished before and stay done"
    )
    assert (caught.value.statement_id, caught.value.ended) == (running, "ABORTED")
    assert isinstance(caught.value, rs_query.TransientError)
    assert api.sqls() == ["DELETE FROM a", "DELETE FROM slow", "ROLLBACK"]
    assert api.still_running() == []
    assert {"event": "cancel", "id": running, "ended": "ABORTED"} in events
    assert (events[-1]["status"], events[-1]["finished"]) == ("stopped", 1)


@pytest.mark.usefixtures("over")
def test_the_deadline_undoes_what_the_script_itself_began(api: ScriptedDataApi) -> None:
    api.script = slow
    with pytest.raises(DeadlineError) as caught:
        rs_query.run("BEGIN; a; COMMIT; b;\nBEGIN; c; slow; COMMIT", **WHERE)
    assert str(caught.value).endswith(
        "; of 8 statements 4 had finished before and stay done; what follows the BEGIN on line 2 is rolled back"
    )
    assert api.sqls()[-1] == "ROLLBACK"


@pytest.mark.usefixtures("over")
def test_the_deadline_undoes_a_transaction(api: ScriptedDataApi) -> None:
    api.script = slow
    with pytest.raises(DeadlineError) as caught:
        rs_query.run("DELETE FROM a; DELETE FROM slow", **WHERE, transaction=True)
    (batch,) = api.statements
    assert str(caught.value) == (
        f"the deadline of 900 s passed; <sql>:1:1: the transaction of 2 statements was cancelled [statement id {batch}]"
        "; the transaction is rolled back, nothing was changed"
    )
    assert api.still_running() == []


@pytest.mark.usefixtures("over")
def test_the_deadline_undoes_a_long_transaction(api: ScriptedDataApi) -> None:
    api.script = slow
    sql = ";".join(["DELETE FROM a"] * 50 + ["DELETE FROM slow"])
    with pytest.raises(DeadlineError, match="rolled back, nothing was changed"):
        rs_query.run(sql, **WHERE, transaction=True)
    assert api.sqls()[-1] == "ROLLBACK"
    assert api.still_running() == []


@pytest.mark.usefixtures("over")
def test_a_statement_faster_than_its_cancellation_is_told_as_finished(
    api: ScriptedDataApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    api.script = slow
    refuse = api._CancelStatement

    def too_late(request: dict[str, Any]) -> dict[str, Any]:
        api.statements[request["Id"]].began -= 120
        return refuse(request)

    monkeypatch.setattr(api, "_CancelStatement", too_late)
    with pytest.raises(DeadlineError, match=r"statement 1 \(DELETE FROM slow\) had just finished"):
        rs_query.run("DELETE FROM slow", **WHERE)
    with pytest.raises(DeadlineError, match=r"had just finished .*; the transaction is committed"):
        rs_query.run("DELETE FROM slow; DELETE FROM b", **WHERE, transaction=True)


@pytest.mark.usefixtures("over")
def test_what_could_not_be_cancelled_is_told(api: ScriptedDataApi, monkeypatch: pytest.MonkeyPatch) -> None:
    api.script = slow
    monkeypatch.setattr("random.uniform", lambda low, high: 0.0)
    api.faults["CancelStatement"] = [Fault(drop=True)] * 9
    api.faults["DescribeStatement"] = [Fault()] + [Fault(drop=True)] * 9
    with pytest.raises(DeadlineError) as caught:
        rs_query.run("DELETE FROM slow; DELETE FROM b", **WHERE, transaction=True)
    assert "is in an unknown state: unknown (Connection was closed" in str(caught.value)
    assert "look at the tables before running it again" in str(caught.value)


def test_a_deadline_before_the_first_statement_starts_nothing(api: ScriptedDataApi) -> None:
    with pytest.raises(DeadlineError) as caught:
        rs_query.run("DELETE FROM a", **WHERE, timeout=1e-9)
    assert str(caught.value) == "the deadline of 1e-09 s passed; of 1 statements 0 had finished before and stay done"
    assert api.calls == []


@pytest.mark.usefixtures("over")
def test_cancelling_is_tried_again(api: ScriptedDataApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("random.uniform", lambda low, high: 0.0)
    api.script = slow
    api.faults["CancelStatement"] = [Fault(code="ThrottlingException"), Fault(drop=True)]
    with pytest.raises(DeadlineError, match="was cancelled"):
        rs_query.run("DELETE FROM slow", **WHERE)
    assert api.still_running() == []


def _until(true: Callable[[], object]) -> None:
    end = time.monotonic() + 20
    while not true():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.01)


def _start(*command: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, *command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ.copy(),
    )


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_cancels_and_tells(api: ScriptedDataApi, signum: signal.Signals) -> None:
    api.script = slow
    api.objects["b/x.sql"] = b"DELETE FROM a; DELETE FROM slow; DELETE FROM b"
    process = _start("-m", "rs_query", "run", "s3://b/x.sql", "--workgroup", "elt", "--database", "dev")
    _until(lambda: len(api.statements) == 2 and len(api.made("DescribeStatement")) == 2)
    process.send_signal(signum)
    out, err = process.communicate(timeout=20)
    running = list(api.statements)[1]
    assert (process.returncode, out) == (128 + signum, "")
    *events, message = err.splitlines()
    assert message == (
        f"rs-query: stopped by {signum.name}; s3://b/x.sql:1:16: statement 2 (DELETE FROM slow) was cancelled "
        f"[statement id {running}]; of 3 statements 1 had finished before and stay done"
    )
    assert [json.loads(event)["event"] for event in events] == ["statement", "cancel", "run"]
    assert api.still_running() == []


def test_a_signal_while_a_statement_is_submitted_waits_for_its_name(api: ScriptedDataApi) -> None:
    """Between a submission and its answer nobody knows what to cancel."""
    api.script = slow
    api.objects["b/x.sql"] = b"DELETE FROM slow"
    api.faults["ExecuteStatement"] = [Fault(seconds=1.0, after=True)]
    process = _start("-m", "rs_query", "run", "s3://b/x.sql", "--workgroup", "elt", "--database", "dev")
    _until(lambda: api.statements)
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=20)
    assert process.returncode == 143
    assert "statement 1 (DELETE FROM slow) was cancelled" in err
    assert api.still_running() == []


def test_ctrl_c_in_a_program_that_uses_the_library_cancels(api: ScriptedDataApi) -> None:
    api.script = slow
    program = "import rs_query; rs_query.run('DELETE FROM slow', workgroup='elt', database='dev')"
    process = _start("-c", program)
    _until(lambda: api.made("DescribeStatement"))
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=20)
    assert err.rstrip().endswith("KeyboardInterrupt")
    assert process.returncode != 0
    assert api.still_running() == []
    assert len(api.made("CancelStatement")) == 1


def test_sigterm_in_a_program_that_uses_the_library_cancels(api: ScriptedDataApi) -> None:
    api.script = slow
    program = "import rs_query; rs_query.run('DELETE FROM slow', workgroup='elt', database='dev')"
    process = _start("-c", program)
    _until(lambda: api.made("DescribeStatement"))
    process.terminate()
    _, err = process.communicate(timeout=20)
    assert err.splitlines()[-1].startswith("rs_query.errors.RunInterrupted: stopped by SIGTERM; ")
    assert api.still_running() == []


def test_a_program_that_handles_sigterm_keeps_its_handler(api: ScriptedDataApi) -> None:
    seen: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda signum, frame: seen.append(signum))
    try:
        api.script = lambda sql: (signal.raise_signal(signal.SIGTERM), Reply())[1]  # type: ignore[func-returns-value]
        rs_query.run("DELETE FROM a", **WHERE)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert seen == [signal.SIGTERM]


def test_a_shield_holds_the_first_signal_and_lets_the_second_through() -> None:
    done: list[str] = []
    with pytest.raises(rs_query.RunInterrupted), interruptible(), defer_signals():
        signal.raise_signal(signal.SIGTERM)
        done.append("held")
        signal.raise_signal(signal.SIGTERM)
        done.append("never")
    with pytest.raises(rs_query.RunInterrupted), interruptible(), defer_signals():
        signal.raise_signal(signal.SIGINT)
        raise OSError("what failed within does not hide the signal")
    assert done == ["held"]


def test_the_job_stops_too(api: ScriptedDataApi) -> None:
    api.script = slow
    api.objects["b/x.sql"] = b"DELETE FROM slow"
    job = "import sys; from rs_query.job import main; main(sys.argv[1:])"
    process = _start("-c", job, "--sql", "s3://b/x.sql", "--workgroup", "elt", "--database", "dev")
    _until(lambda: api.made("DescribeStatement"))
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=20)
    assert process.returncode == 1
    assert err.splitlines()[-1].startswith("rs_query.errors.RunInterrupted: stopped by SIGTERM; s3://b/x.sql:1:1: ")
    assert api.still_running() == []
