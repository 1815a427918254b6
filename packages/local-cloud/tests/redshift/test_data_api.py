"""The Data API as boto3 and the `aws` command drive it: statements, batches, results, cancellation."""

from __future__ import annotations

import base64
import csv
import io
import json
import threading
import uuid
from typing import Any

import pytest

TARGET = {"WorkgroupName": "etl", "Database": "dev"}
ENDLESS = "select count(*) from (with recursive n(i) as (select 1 union all select i + 1 from n) select i from n)"


def test_a_query_from_its_start_to_its_rows(redshift) -> None:
    started = redshift.api.execute_statement(Sql="select 1 as a, 'x' as b", StatementName="first", **TARGET)
    assert started["Database"] == "dev"
    assert started["WorkgroupName"] == "etl"
    assert started["DbUser"] == "IAM:root"
    described = redshift.wait(started["Id"])
    assert described["Status"] == "FINISHED"
    assert described["HasResultSet"] is True
    assert described["ResultRows"] == 1
    assert described["ResultSize"] > 0
    assert described["Duration"] > 0
    assert described["RedshiftPid"] > 0
    assert described["RedshiftQueryId"] > 0
    assert described["QueryString"] == "select 1 as a, 'x' as b"
    assert described["ResultFormat"] == "JSON"
    assert "Error" not in described
    result = redshift.api.get_statement_result(Id=started["Id"])
    assert result["Records"] == [[{"longValue": 1}, {"stringValue": "x"}]]
    assert result["TotalNumRows"] == 1
    assert [(c["name"], c["label"], c["typeName"]) for c in result["ColumnMetadata"]] == [
        ("a", "a", "int4"),
        ("b", "b", "varchar"),
    ]


def test_what_changes_rows_has_a_count_and_no_result(redshift) -> None:
    redshift.done("create table if not exists counted (a int)")
    described = redshift.done("insert into counted values (1), (2), (3)")
    assert (described["ResultRows"], described["ResultSize"], described["HasResultSet"]) == (3, 0, False)
    assert redshift.refused("get_statement_result", Id=described["Id"]) == (
        "ResourceNotFoundException",
        "Query does not have result. Please check query status with DescribeStatement.",
    )


def test_a_failed_statement(redshift) -> None:
    described = redshift.run("select * from nowhere")
    assert described["Status"] == "FAILED"
    assert described["Error"] == 'ERROR: relation "nowhere" does not exist\n  Position: 15'
    assert described["HasResultSet"] is False
    assert described["ResultRows"] == -1
    assert described["ResultSize"] == -1


VALUES: list[tuple[str, Any]] = [
    ("1::smallint", {"longValue": 1}),
    ("9223372036854775807", {"longValue": 9223372036854775807}),
    ("1.50::decimal(10,2)", {"stringValue": "1.50"}),
    ("1.5::float", {"doubleValue": 1.5}),
    ("1.5::real", {"doubleValue": 1.5}),
    ("true", {"booleanValue": True}),
    ("'ü 表 \"q\"'", {"stringValue": 'ü 表 "q"'}),
    ("''", {"stringValue": ""}),
    ("null::int", {"isNull": True}),
    ("null::varchar(5)", {"isNull": True}),
    ("date '2024-01-02'", {"stringValue": "2024-01-02"}),
    ("timestamp '2024-01-02 03:04:05'", {"stringValue": "2024-01-02 03:04:05"}),
    ("timestamp '2024-01-02 03:04:05.120'", {"stringValue": "2024-01-02 03:04:05.12"}),
    ("'2024-01-02 03:04:05+02'::timestamptz", {"stringValue": "2024-01-02 01:04:05+00"}),
    ("json_parse('{\"a\": [1]}')", {"stringValue": '{"a":[1]}'}),
    ("'abc'::varbyte", {"stringValue": "616263"}),
]


def test_values_of_all_types(redshift) -> None:
    columns = ", ".join(f"{expression} as c{i}" for i, (expression, _) in enumerate(VALUES))
    result = redshift.api.get_statement_result(Id=redshift.done(f"select {columns}")["Id"])
    assert result["Records"] == [[value for _, value in VALUES]]


def test_metadata_of_a_stored_column(redshift) -> None:
    redshift.done("create table if not exists described (n numeric(12,3) not null, v varchar(9))")
    result = redshift.api.get_statement_result(Id=redshift.done("select n, v from described")["Id"])
    assert result["ColumnMetadata"] == [
        {"isCaseSensitive": False, "isCurrency": False, "isSigned": True, "label": "n", "length": 0, "name": "n",
         "nullable": 0, "precision": 12, "scale": 3, "schemaName": "public", "tableName": "described",
         "typeName": "numeric"},
        {"isCaseSensitive": True, "isCurrency": False, "isSigned": False, "label": "v", "length": 0, "name": "v",
         "nullable": 1, "precision": 9, "scale": 0, "schemaName": "public", "tableName": "described",
         "typeName": "varchar"},
    ]  # fmt: skip
    assert result["Records"] == []
    assert result["TotalNumRows"] == 0


def test_long_results_come_in_pages(redshift) -> None:
    sql = (
        "with recursive n(i) as (select 0 union all select i + 1 from n where i < 12000)"
        " select i, repeat('x', 200) as v from n order by i"
    )
    identifier = redshift.done(sql)["Id"]
    pages = list(redshift.api.get_paginator("get_statement_result").paginate(Id=identifier))
    assert len(pages) > 2
    assert [record[0]["longValue"] for page in pages for record in page["Records"]] == list(range(12001))
    assert {page["TotalNumRows"] for page in pages} == {12001}
    # A token can be used again.
    again = redshift.api.get_statement_result(Id=identifier, NextToken=pages[0]["NextToken"])
    assert again["Records"] == pages[1]["Records"]
    for token in ("nonsense", base64.urlsafe_b64encode(b"page:99").decode()):
        code, _ = redshift.refused("get_statement_result", Id=identifier, NextToken=token)
        assert code == "ValidationException"


def test_results_as_csv(redshift) -> None:
    sql = "select 1 as a, 'x,\"y' as b, null::int as c, true as d, 1.5::float as e union all select 2, 'z', 3, false, 2"
    started = redshift.api.execute_statement(Sql=sql + " order by 1", ResultFormat="CSV", **TARGET)
    described = redshift.wait(started["Id"])
    assert described["ResultFormat"] == "CSV"
    result = redshift.api.get_statement_result_v2(Id=started["Id"])
    text = "".join(record["CSVRecords"] for record in result["Records"])
    assert list(csv.reader(io.StringIO(text))) == [["1", 'x,"y', "", "t", "1.5"], ["2", "z", "3", "f", "2"]]
    assert result["ResultFormat"] == "CSV"
    assert [column["name"] for column in result["ColumnMetadata"]] == ["a", "b", "c", "d", "e"]
    assert redshift.refused("get_statement_result", Id=started["Id"])[0] == "ValidationException"
    plain = redshift.done("select 1")["Id"]
    assert redshift.refused("get_statement_result_v2", Id=plain)[0] == "ValidationException"


# Parameters.

HOSTILE = ["x", "it's", "'; drop table kept; --", "\\", "\\' or 1=1 --", "$$", ":other", "ü\n\t表🚕", "/*", '"']


def test_parameters_are_values_and_nothing_else(redshift) -> None:
    redshift.done("create table if not exists kept (v varchar(99))")
    for value in HOSTILE:
        given = [{"name": "v", "value": value}, {"name": "n", "value": "7"}]
        assert redshift.rows("select :v as v, :n::int + 1 as n where :n = 7", Parameters=given) == [[value, 8]]
        redshift.done("insert into kept values (:v)", Parameters=given[:1])
    assert {row[0] for row in redshift.rows("select v from kept")} == set(HOSTILE)
    described = redshift.done("select :v", Parameters=[{"name": "v", "value": "x"}])
    assert described["QueryParameters"] == [{"name": "v", "value": "x"}]
    assert described["QueryString"] == "select :v"


def test_parameters_reach_every_statement_of_a_batch(redshift) -> None:
    described = redshift.batch(
        "create temp table p (v varchar(9))", "insert into p values (:v)", "select v from p where v = :v",
        Parameters=[{"name": "v", "value": "b'x"}],
    )  # fmt: skip
    assert described["Status"] == "FINISHED", described
    result = redshift.api.get_statement_result(Id=f"{described['Id']}:3")
    assert result["Records"] == [[{"stringValue": "b'x"}]]


def test_a_parameter_is_no_name(redshift) -> None:
    described = redshift.run("select * from :t", Parameters=[{"name": "t", "value": "kept"}])
    assert described["Error"] == "ERROR: syntax error at or near \"'kept'\"\n  Position: 15"


def test_without_values_the_colon_reaches_the_server(redshift) -> None:
    assert redshift.run("select :v")["Error"] == 'ERROR: syntax error at or near ":"\n  Position: 8'


# Batches.


def test_a_batch_is_one_transaction(redshift) -> None:
    described = redshift.batch(
        "create table batched (a int)", "insert into batched values (1), (2)", "select a from batched order by a"
    )
    assert described["Status"] == "FINISHED"
    assert described["HasResultSet"] is True
    parts = described["SubStatements"]
    assert [part["Id"] for part in parts] == [f"{described['Id']}:{n}" for n in (1, 2, 3)]
    assert [part["Status"] for part in parts] == ["FINISHED"] * 3
    assert [part["HasResultSet"] for part in parts] == [False, False, True]
    assert [part["ResultRows"] for part in parts] == [0, 2, 2]
    assert "QueryString" not in described
    one = redshift.api.describe_statement(Id=parts[1]["Id"])
    assert (one["Status"], one["ResultRows"], one["QueryString"]) == (
        "FINISHED",
        2,
        "insert into batched values (1), (2)",
    )
    result = redshift.api.get_statement_result(Id=parts[2]["Id"])
    assert result["Records"] == [[{"longValue": 1}], [{"longValue": 2}]]
    code, _ = redshift.refused("get_statement_result", Id=described["Id"])
    assert code == "ResourceNotFoundException"


def test_a_failed_batch_takes_everything_back(redshift) -> None:
    redshift.done("create table if not exists untouched (a int)")
    insert = "insert into untouched values (1)"
    described = redshift.batch(insert, "create table never (a int)", "select 1/0", insert)
    assert described["Status"] == "FAILED"
    assert described["Error"] == "Query #3 failed with ERROR: Divide by zero"
    parts = described["SubStatements"]
    assert [part["Status"] for part in parts] == ["FINISHED", "FINISHED", "FAILED", "ABORTED"]
    assert parts[2]["Error"] == "ERROR: Divide by zero"
    assert redshift.rows("select count(*) from untouched") == [[0]]
    assert redshift.run("select * from never")["Status"] == "FAILED"


def test_auto_commit_runs_each_statement_for_itself(redshift) -> None:
    redshift.done("create table if not exists separate (a int)")
    described = redshift.batch(
        "insert into separate values (1)", "select 1/0", "insert into separate values (2)", ExecutionMode="AUTO_COMMIT"
    )
    assert described["Status"] == "FAILED"
    assert [part["Status"] for part in described["SubStatements"]] == ["FINISHED", "FAILED", "FINISHED"]
    assert redshift.rows("select a from separate order by a") == [[1], [2]]


def test_a_batch_may_hold_its_own_transaction(redshift) -> None:
    described = redshift.batch("begin", "create table own (a int)", "lock own", "commit", "select count(*) from own")
    assert described["Status"] == "FINISHED", described
    assert redshift.rows("select count(*) from own") == [[0]]


def test_forty_statements_and_no_more(redshift) -> None:
    assert len(redshift.batch(*["select 1"] * 40)["SubStatements"]) == 40
    code, message = redshift.refused("batch_execute_statement", Sqls=["select 1"] * 41, **TARGET)
    assert code == "ValidationException"
    assert "less than or equal to 40" in message


# Waiting, cancelling, listing.


def test_waiting_for_the_end(redshift) -> None:
    started = redshift.api.execute_statement(Sql="select 1", WaitTimeSeconds=20, **TARGET)
    assert (started["Status"], started["HasResultSet"]) == ("FINISHED", True)
    started = redshift.api.execute_statement(Sql=ENDLESS, WaitTimeSeconds=1, **TARGET)
    assert started["Status"] == "STARTED"
    assert redshift.api.describe_statement(Id=started["Id"], WaitTimeSeconds=1)["Status"] == "STARTED"
    redshift.api.cancel_statement(Id=started["Id"])
    batch = redshift.api.batch_execute_statement(Sqls=["select 1"], WaitTimeSeconds=20, **TARGET)
    assert redshift.api.get_statement_result(Id=f"{batch['Id']}:1", WaitTimeSeconds=20)["TotalNumRows"] == 1


def test_cancel_stops_the_engine(redshift) -> None:
    identifier = redshift.start(ENDLESS)
    redshift.until(identifier, "STARTED")
    assert redshift.api.cancel_statement(Id=identifier)["Status"] is True
    described = redshift.api.describe_statement(Id=identifier)
    assert described["Status"] == "ABORTED"
    assert "cancelled on user's request" in described["Error"]
    assert redshift.refused("cancel_statement", Id=identifier) == (
        "ValidationException",
        f"Could not cancel a query that is already in ABORTED state with ID: {identifier}",
    )


def test_a_cancelled_batch_takes_everything_back(redshift) -> None:
    redshift.done("create table if not exists cancelled (a int)")
    identifier = redshift.api.batch_execute_statement(
        Sqls=["insert into cancelled values (1)", ENDLESS, "select 1"], **TARGET
    )["Id"]
    redshift.until(identifier, "STARTED")
    redshift.api.cancel_statement(Id=identifier)
    described = redshift.api.describe_statement(Id=identifier)
    assert described["Status"] == "ABORTED"
    assert described["SubStatements"][-1]["Status"] == "ABORTED"
    assert redshift.rows("select count(*) from cancelled") == [[0]]


def test_many_statements_at_once(redshift) -> None:
    redshift.done("create table if not exists crowd (a int)")
    identifiers: list[str] = []

    def send(number: int) -> None:
        identifiers.append(redshift.start(f"insert into crowd values ({number})"))

    threads = [threading.Thread(target=send, args=(number,)) for number in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {redshift.wait(identifier)["Status"] for identifier in identifiers} == {"FINISHED"}
    assert redshift.rows("select count(distinct a) from crowd") == [[30]]


def test_a_client_token_is_one_statement(redshift) -> None:
    redshift.done("create table if not exists once (a int)")
    token = str(uuid.uuid4())
    request = {"Sql": "insert into once values (1)", "ClientToken": token, **TARGET}
    identifiers = {redshift.api.execute_statement(**request)["Id"] for _ in range(3)}
    assert len(identifiers) == 1
    redshift.wait(identifiers.pop())
    assert redshift.rows("select count(*) from once") == [[1]]
    code, _ = redshift.refused("execute_statement", **{**request, "Sql": "select 2"})
    assert code == "ValidationException"


def test_list_statements(redshift) -> None:
    name = f"listed-{uuid.uuid4()}"
    first = redshift.done("select 1", StatementName=f"{name}-a")["Id"]
    second = redshift.batch("select 1", "select 2", StatementName=f"{name}-b")["Id"]
    third = redshift.run("select 1/0", StatementName=f"{name}-c")["Id"]

    def listed(**request: Any) -> list[str]:
        pages = redshift.api.get_paginator("list_statements").paginate(StatementName=name, **request)
        return [statement["Id"] for page in pages for statement in page["Statements"]]

    assert listed() == [second, first]
    assert listed(Status="ALL", PaginationConfig={"PageSize": 1}) == [third, second, first]
    assert listed(Status="FAILED") == [third]
    assert listed(Status="ALL", Database="other") == []
    assert listed(Status="ALL", WorkgroupName="etl") == [third, second, first]
    statement = redshift.api.list_statements(StatementName=f"{name}-b")["Statements"][0]
    assert statement["QueryStrings"] == ["select 1", "select 2"]
    assert statement["IsBatchStatement"] is True
    assert statement["StatementName"] == f"{name}-b"


def test_history_is_a_table(redshift) -> None:
    query = redshift.run("select 1/0")["RedshiftQueryId"]
    rows = redshift.rows(f"select status, query_text, error_message from sys_query_history where query_id = {query}")
    assert rows == [["failed", "select 1/0", "ERROR: Divide by zero"]]


# What cannot be asked.

UNKNOWN = str(uuid.UUID(int=7))
WRONG: list[tuple[str, dict[str, Any], str, str]] = [
    ("execute_statement", {"Sql": "select 1"}, "ValidationException",
     "Either ClusterIdentifier, WorkgroupName or SessionId must be provided."),
    ("execute_statement", {"Sql": "select 1", "WorkgroupName": "etl", "ClusterIdentifier": "c", "Database": "dev"},
     "ValidationException", "ClusterIdentifier and WorkgroupName can't be provided together."),
    ("execute_statement", {"Sql": "select 1", "WorkgroupName": "none", "Database": "dev"}, "ValidationException",
     "Redshift endpoint doesn't exist in this region."),
    ("execute_statement", {"Sql": "select 1", "ClusterIdentifier": "c", "Database": "dev", "DbUser": "u"},
     "ValidationException", "Redshift endpoint doesn't exist in this region."),
    ("execute_statement", {"Sql": "select 1", "WorkgroupName": "etl"}, "ValidationException",
     "Database must be provided."),
    ("execute_statement", {"Sql": "select 1", "DbUser": "u", **TARGET}, "ValidationException",
     "DbUser can't be provided with WorkgroupName: the database user is derived from the IAM identity."),
    ("execute_statement", {"Sql": " ", **TARGET}, "ValidationException", "SQL statement is empty."),
    ("execute_statement", {"Sql": "select '" + "x" * 102_400 + "'", **TARGET}, "ValidationException",
     "SQL statement is larger than 100 KB."),
    ("execute_statement", {"Sql": "select 1", "Parameters": [{"name": "v", "value": "1"}], **TARGET},
     "ValidationException", "Parameters list contains unused parameters. Unused parameters: [v]"),
    ("execute_statement", {"Sql": "select ':v'", "Parameters": [{"name": "v", "value": "1"}], **TARGET},
     "ValidationException", "Parameters list contains unused parameters. Unused parameters: [v]"),
    ("execute_statement", {"Sql": "select :v, :w", "Parameters": [{"name": "v", "value": "1"}], **TARGET},
     "ValidationException", "Missing parameters: [w]"),
    ("execute_statement", {"Sql": "select :v", "Parameters": [{"name": "v", "value": "1"}] * 2, **TARGET},
     "ValidationException", "Duplicate parameters: [v]"),
    ("execute_statement", {"Sql": "select :v", "Parameters": [{"name": "v-1", "value": "1"}], **TARGET},
     "ValidationException", "must satisfy regex pattern: [0-9a-zA-Z_]+"),
    ("execute_statement", {"Sql": "select 1", "WaitTimeSeconds": 31, **TARGET}, "ValidationException",
     "WaitTimeSeconds must be between 1 and 30."),
    ("execute_statement", {"Sql": "select 1", "SessionKeepAliveSeconds": 86_401, **TARGET}, "ValidationException",
     "SessionKeepAliveSeconds must be between 0 and 86400."),
    ("execute_statement", {"Sql": "select 1", "SessionId": UNKNOWN}, "ValidationException",
     f"Session with Id: {UNKNOWN} is invalid"),
    ("execute_statement", {"Sql": "select 1", "SecretArn": "arn:aws:secretsmanager:us-east-1:123456789012:secret:no",
                           **TARGET}, "ResourceNotFoundException", "Secrets Manager can't find the specified secret."),
    ("describe_statement", {"Id": "x"}, "ValidationException", "id must satisfy regex pattern"),
    ("describe_statement", {"Id": UNKNOWN}, "ResourceNotFoundException", "Query does not exist."),
    ("get_statement_result", {"Id": UNKNOWN}, "ResourceNotFoundException", "Query does not exist."),
    ("cancel_statement", {"Id": UNKNOWN}, "ResourceNotFoundException", "Query does not exist."),
    ("list_tables", {"Database": "dev"}, "ValidationException", "must be provided."),
    ("list_tables", {"Database": "none", "WorkgroupName": "etl"}, "DatabaseConnectionException",
     'database "none" does not exist'),
    ("describe_table", {"Table": "nowhere", **TARGET}, "ValidationException", "does not exist"),
]  # fmt: skip


@pytest.mark.parametrize(("operation", "request_", "code", "message"), WRONG, ids=range(len(WRONG)))
def test_wrong_requests(redshift, operation: str, request_: dict[str, Any], code: str, message: str) -> None:
    found = redshift.refused(operation, **request_)
    assert found[0] == code
    assert message in found[1]


def test_a_part_that_is_not_there(redshift) -> None:
    identifier = redshift.batch("select 1")["Id"]
    for wrong in (f"{identifier}:2", f"{identifier}:0", f"{redshift.done('select 1')['Id']}:1"):
        assert redshift.refused("describe_statement", Id=wrong)[1] == "Query does not exist."


def test_a_database_that_is_not_there_fails_the_statement(redshift) -> None:
    described = redshift.run("select 1", Database="none")
    assert described["Status"] == "FAILED"
    assert 'database "none" does not exist' in described["Error"]


def test_too_many_statements_at_once(redshift, make_workgroup) -> None:
    make_workgroup(redshift, "busy", "crowded")
    target = {"WorkgroupName": "busy", "Database": "dev"}
    redshift.done("create table t (a int)", **target)
    session = redshift.api.execute_statement(Sql="begin", SessionKeepAliveSeconds=60, **target)
    redshift.wait(session["Id"])
    redshift.done("lock t", SessionId=session["SessionId"])
    waiting = [redshift.start("insert into t values (1)", **target) for _ in range(500)]
    code, _ = redshift.refused("execute_statement", Sql="select 1", **target)
    assert code == "ActiveStatementsExceededException"
    redshift.done("select 1")
    code, _ = redshift.refused("execute_statement", Sql="commit", SessionId=session["SessionId"])
    assert code == "ActiveStatementsExceededException"
    redshift.api.cancel_statement(Id=waiting[0])
    redshift.done("commit", SessionId=session["SessionId"])
    assert {redshift.wait(identifier)["Status"] for identifier in waiting[1:]} == {"FINISHED"}
    assert redshift.rows("select count(*) from t", **target) == [[499]]


# Who runs a statement.


def test_the_administrator_logs_in_with_the_secret(redshift) -> None:
    secret = redshift.serverless.get_namespace(namespaceName="analytics")["namespace"]["adminPasswordSecretArn"]
    started = redshift.api.execute_statement(Sql="select current_user", SecretArn=secret, **TARGET)
    assert started["SecretArn"] == secret
    assert redshift.rows("select current_user", SecretArn=secret) == [["admin"]]


def test_a_wrong_password_fails_the_statement(redshift) -> None:
    secret = redshift.client("secretsmanager").create_secret(
        Name="wrong", SecretString=json.dumps({"username": "admin", "password": "Wrong1234"})
    )["ARN"]
    described = redshift.run("select 1", SecretArn=secret)
    assert described["Status"] == "FAILED"
    assert 'password authentication failed for user "admin"' in described["Error"]


def test_iam_identities_are_users_of_the_database(redshift, cloud) -> None:
    assert redshift.rows("select current_user") == [["IAM:root"]]
    iam = redshift.client("iam")
    iam.create_user(UserName="ada")
    policy = "arn:aws:iam::aws:policy/AmazonRedshiftDataFullAccess"
    iam.attach_user_policy(UserName="ada", PolicyArn=policy)
    api = cloud.with_keys("redshift-data", iam.create_access_key(UserName="ada")["AccessKey"])
    with pytest.raises(api.exceptions.ClientError, match="redshift-serverless:GetCredentials on resource: arn:"):
        api.execute_statement(Sql="select 1", **TARGET)  # AWS's policy lets in only to workgroups with a certain tag
    may = {"Effect": "Allow", "Action": "redshift-serverless:GetCredentials", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [may]})
    iam.put_user_policy(UserName="ada", PolicyName="in", PolicyDocument=document)
    assert api.execute_statement(Sql="select 1", **TARGET)["DbUser"] == "IAM:ada"


# Metadata.


def test_databases_schemas_tables_and_columns(redshift) -> None:
    redshift.done("create database second")
    redshift.done("create schema if not exists meta")
    redshift.done("create table meta.one (a int not null default 5, v varchar(7), n numeric(9,2))")
    redshift.done("create view meta.seen as select a from meta.one")
    api = redshift.api
    assert {"dev", "second"} <= set(api.list_databases(**TARGET)["Databases"])
    assert "meta" in api.list_schemas(**TARGET)["Schemas"]
    assert api.list_schemas(SchemaPattern="me%", **TARGET)["Schemas"] == ["meta"]
    assert api.list_tables(SchemaPattern="meta", **TARGET)["Tables"] == [
        {"name": "one", "schema": "meta", "type": "TABLE"},
        {"name": "seen", "schema": "meta", "type": "VIEW"},
    ]
    assert [t["name"] for t in api.list_tables(SchemaPattern="meta", TablePattern="o__", **TARGET)["Tables"]] == ["one"]
    pages = api.get_paginator("list_tables").paginate(SchemaPattern="meta", PaginationConfig={"PageSize": 1}, **TARGET)
    assert [len(page["Tables"]) for page in pages] == [1, 1]
    columns = api.describe_table(Schema="meta", Table="one", **TARGET)["ColumnList"]
    assert [(c["name"], c["typeName"], c["length"], c["nullable"], c.get("columnDefault")) for c in columns] == [
        ("a", "int4", 10, 0, "5"),
        ("v", "varchar", 7, 1, None),
        ("n", "numeric", 9, 1, None),
    ]


def test_two_databases_are_two(redshift) -> None:
    redshift.run("create database third")
    redshift.done("create table only_here (a int)", Database="third")
    assert redshift.run("select * from only_here")["Status"] == "FAILED"
    assert redshift.rows("select count(*) from only_here", Database="third") == [[0]]
    redshift.done("drop database third")
    assert redshift.run("select 1", Database="third")["Status"] == "FAILED"


# The unmodified command.


def test_the_aws_command(cloud, redshift) -> None:
    def aws(*arguments: str) -> Any:
        done = cloud.aws("redshift-data", *arguments)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    where = ("--workgroup-name", "etl", "--database", "dev")
    started = aws("execute-statement", *where, "--sql", "select :n::int as n", "--parameters", "name=n,value=3")
    redshift.wait(started["Id"])
    assert aws("get-statement-result", "--id", started["Id"])["Records"] == [[{"longValue": 3}]]
    failed = cloud.aws("redshift-data", "describe-statement", "--id", UNKNOWN)
    assert failed.returncode != 0
    assert "(ResourceNotFoundException) when calling the DescribeStatement" in failed.stderr
