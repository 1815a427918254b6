"""Sessions of the Data API, and the events that WithEvent asks for."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

TARGET = {"WorkgroupName": "etl", "Database": "dev"}


@pytest.fixture
def session(redshift) -> str:
    started = redshift.api.execute_statement(Sql="select 1", SessionKeepAliveSeconds=300, **TARGET)
    redshift.wait(started["Id"])
    return str(started["SessionId"])


def test_a_session_keeps_temporary_tables_and_settings(redshift, session: str) -> None:
    redshift.done("create temp table kept (a int)", SessionId=session)
    redshift.done("insert into kept values (7)", SessionId=session)
    redshift.done("set query_group to 'mine'", SessionId=session)
    assert redshift.rows("select a from kept", SessionId=session) == [[7]]
    assert redshift.rows("show query_group", SessionId=session) == [["mine"]]
    assert redshift.run("select a from kept")["Status"] == "FAILED"
    described = redshift.done("select 1", SessionId=session)
    assert described["SessionId"] == session


def test_statements_of_a_session_run_in_one_process(redshift, session: str) -> None:
    pids = {redshift.done("select 1", SessionId=session)["RedshiftPid"] for _ in range(3)}
    assert len(pids) == 1
    assert redshift.done("select 1")["RedshiftPid"] not in pids


def test_a_session_keeps_its_transaction(redshift, session: str) -> None:
    redshift.done("create table if not exists open_work (a int)")
    redshift.done("begin", SessionId=session)
    redshift.done("insert into open_work values (1)", SessionId=session)
    assert redshift.rows("select count(*) from open_work") == [[0]]
    redshift.done("rollback", SessionId=session)
    redshift.done("begin", SessionId=session)
    redshift.done("insert into open_work values (2)", SessionId=session)
    redshift.done("commit", SessionId=session)
    assert redshift.rows("select a from open_work") == [[2]]


def test_a_failed_statement_fails_the_transaction_of_its_session(redshift, session: str) -> None:
    redshift.done("begin", SessionId=session)
    assert redshift.run("select 1/0", SessionId=session)["Status"] == "FAILED"
    assert "current transaction is aborted" in redshift.run("select 1", SessionId=session)["Error"]
    redshift.done("rollback", SessionId=session)
    redshift.done("select 1", SessionId=session)


def test_a_batch_in_a_session(redshift, session: str) -> None:
    redshift.done("create temp table mine (a int)", SessionId=session)
    described = redshift.batch("insert into mine values (1)", "select count(*) from mine", SessionId=session)
    assert described["Status"] == "FINISHED"
    described = redshift.batch("insert into mine values (2)", "select 1/0", SessionId=session)
    assert described["Status"] == "FAILED"
    assert redshift.rows("select count(*) from mine", SessionId=session) == [[1]]


def test_one_statement_at_a_time(redshift, session: str) -> None:
    slow = "select count(*) from (with recursive n(i) as (select 1 union all select i + 1 from n) select i from n)"
    running = redshift.start(slow, SessionId=session)
    assert redshift.refused("execute_statement", Sql="select 1", SessionId=session) == (
        "ValidationException",
        "Session is not available",
    )
    redshift.until(running, "STARTED")
    listed = redshift.api.list_sessions(SessionId=session)["Sessions"][0]
    assert (listed["Status"], listed["CurrentStatementId"]) == ("BUSY", running)
    redshift.api.cancel_statement(Id=running)
    redshift.done("select 1", SessionId=session)


@pytest.mark.parametrize("field", ["WorkgroupName", "Database"])
def test_a_session_already_knows_its_target(redshift, session: str, field: str) -> None:
    code, message = redshift.refused("execute_statement", Sql="select 1", SessionId=session, **{field: TARGET[field]})
    assert (code, message) == ("ValidationException", f"{field} can't be provided with SessionId.")


def test_a_session_ends_when_nobody_uses_it(redshift) -> None:
    redshift.done("create table if not exists held (a int)")
    started = redshift.api.execute_statement(Sql="begin", SessionKeepAliveSeconds=1, **TARGET)
    redshift.wait(started["Id"])
    redshift.done("lock held", SessionId=started["SessionId"])
    # Its lock goes with it.
    redshift.done("insert into held values (1)")
    assert redshift.refused("execute_statement", Sql="select 1", SessionId=started["SessionId"])[1] in (
        "Session is not available",
        f"Session with Id: {started['SessionId']} is invalid",
    )
    closed = redshift.api.list_sessions(SessionId=started["SessionId"])["Sessions"][0]
    assert closed["Status"] == "CLOSED"


def test_keep_alive_can_be_changed_and_ended(redshift, session: str) -> None:
    redshift.done("select 1", SessionId=session, SessionKeepAliveSeconds=600)
    assert redshift.api.list_sessions(SessionId=session)["Sessions"][0]["SessionAliveSeconds"] == 600
    redshift.done("select 1", SessionId=session, SessionKeepAliveSeconds=0)
    deadline = time.monotonic() + 20
    while redshift.api.list_sessions(SessionId=session)["Sessions"][0]["Status"] != "CLOSED":
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_list_sessions(redshift, session: str) -> None:
    def listed(**request: Any) -> list[str]:
        pages = redshift.api.get_paginator("list_sessions").paginate(**request)
        return [item["SessionId"] for page in pages for item in page["Sessions"]]

    assert session in listed()
    assert session in listed(Status="AVAILABLE", PaginationConfig={"PageSize": 1})
    assert session not in listed(Status="BUSY")
    assert session not in listed(Database="other")
    described = redshift.api.list_sessions(SessionId=session)["Sessions"][0]
    assert (described["Database"], described["WorkgroupName"]) == ("dev", "etl")


def test_an_event_tells_of_the_end(redshift) -> None:
    arn = "arn:aws:sqs:us-east-1:123456789012:ended"
    may = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sqs:SendMessage"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [may | {"Resource": arn}]})
    queue = redshift.client("sqs").create_queue(QueueName="ended", Attributes={"Policy": policy})["QueueUrl"]
    events = redshift.client("events")
    events.put_rule(Name="ended", EventPattern=json.dumps({"source": ["aws.redshift-data"]}))
    events.put_targets(Rule="ended", Targets=[{"Id": "queue", "Arn": arn}])
    described = redshift.run("select 1/0", WithEvent=True, StatementName="told")
    redshift.done("select 1")
    messages = redshift.client("sqs").receive_message(QueueUrl=queue, WaitTimeSeconds=10)["Messages"]
    assert len(messages) == 1
    event = json.loads(messages[0]["Body"])
    assert event["detail-type"] == "Redshift Data Statement Status Change"
    assert event["resources"][0].startswith("arn:aws:redshift-serverless:")
    detail = event["detail"]
    assert (detail["statementId"], detail["statementName"], detail["state"]) == (described["Id"], "told", "FAILED")
