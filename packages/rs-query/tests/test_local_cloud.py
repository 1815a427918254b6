"""Against a real SQL engine behind a real Data API: the local cloud, where it is installed."""

from __future__ import annotations

import datetime as dt
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import boto3
import pytest
import twelve

import rs_query
from rs_query import StatementError

pytest.importorskip("local_cloud", reason="the local cloud is not installed beside this package")

WHERE: dict[str, Any] = {"workgroup": "elt", "database": "dev"}
OPTIONS = ("--workgroup", "elt", "--database", "dev")


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    state = tmp_path_factory.mktemp("cloud")
    kept = {key: value for key, value in os.environ.items() if not key.startswith("AWS_")}
    environment = kept | {"LOCAL_CLOUD_PORT": str(port), "LOCAL_CLOUD_STATE": str(state)}
    with (state / "server.log").open("wb") as log:
        server = subprocess.Popen([sys.executable, "-m", "local_cloud"], env=environment, stdout=log, stderr=log)
        end = time.monotonic() + 60
        while True:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            assert server.poll() is None, (state / "server.log").read_text()
            assert time.monotonic() < end
            time.sleep(0.05)
    yield f"http://127.0.0.1:{port}"
    server.terminate()
    server.wait(30)


@pytest.fixture(scope="module")
def warehouse(endpoint: str) -> None:
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
    session = boto3.session.Session(region_name="us-east-1", **keys)
    serverless = session.client("redshift-serverless", endpoint_url=endpoint)
    iam = session.client("iam", endpoint_url=endpoint)
    trust = {"Effect": "Allow", "Principal": {"Service": "redshift.amazonaws.com"}, "Action": "sts:AssumeRole"}
    role = iam.create_role(RoleName="loader", AssumeRolePolicyDocument=_policy(trust))["Role"]["Arn"]
    reading = _policy({"Effect": "Allow", "Action": "s3:*", "Resource": "*"})
    iam.put_role_policy(RoleName="loader", PolicyName="reading", PolicyDocument=reading)
    serverless.create_namespace(
        namespaceName="elt", dbName="dev", manageAdminPassword=True, iamRoles=[role], defaultIamRoleArn=role
    )
    serverless.create_workgroup(workgroupName="elt", namespaceName="elt", baseCapacity=8)
    session.client("s3", endpoint_url=endpoint).create_bucket(Bucket="scripts")


def _policy(statement: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@pytest.fixture(autouse=True)
def sdk(endpoint: str, warehouse: None, monkeypatch: pytest.MonkeyPatch) -> None:
    for key in [key for key in os.environ if key.startswith("AWS_")]:
        monkeypatch.delenv(key)
    for key, value in {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(key, value)


def rows(sql: str, **params: Any) -> list[tuple[Any, ...]]:
    return rs_query.run(sql, **WHERE, params=params).results[-1].fetch()


def test_twelve_statements_by_library_and_command_and_job(tmp_path: Path) -> None:
    by_library = rs_query.run(twelve.SQL, **WHERE, params=twelve.PARAMS).results
    assert [result.statement.index for result in by_library] == list(range(1, 13))
    sets = [result for result in by_library if result.has_result_set][-3:]
    names = [[column.name for column in result.columns()] for result in sets]
    library = [
        {name: str(value) if isinstance(value, dt.date) else value for name, value in zip(columns, row)}
        for columns, result in zip(names, sets)
        for row in result
    ]
    assert library == twelve.ROWS

    s3 = boto3.client("s3")
    s3.put_object(Bucket="scripts", Key="twelve.sql", Body=twelve.SQL.encode())
    s3.put_object(Bucket="scripts", Key="params.json", Body=json.dumps({"of": [twelve.PARAMS]}).encode())
    options = [*OPTIONS, "--params-uri", "s3://scripts/params.json#/of/0", "--output", "json"]
    command = [sys.executable, "-m", "rs_query", "run", "s3://scripts/twelve.sql", *options]
    by_command = subprocess.run(command, capture_output=True, text=True)
    assert by_command.returncode == 0, by_command.stderr
    assert [json.loads(line) for line in by_command.stdout.splitlines()][-9:] == twelve.ROWS

    script = Path(__file__).parents[1] / "glue" / "rs_query_job.py"
    job = [sys.executable, str(script), "--sql", "s3://scripts/twelve.sql", *options]
    by_job = subprocess.run(job, capture_output=True, text=True)
    assert by_job.returncode == 0, by_job.stderr
    assert [json.loads(line) for line in by_job.stdout.splitlines()][-9:] == twelve.ROWS


def test_a_transaction_is_all_or_nothing() -> None:
    rs_query.run("DROP TABLE IF EXISTS kept; CREATE TABLE kept (n int); INSERT INTO kept VALUES (1)", **WHERE)
    script = rs_query.Script("DELETE FROM kept;\nINSERT INTO kept SELECT nothing FROM kept", "x.sql")
    with pytest.raises(StatementError) as caught:
        rs_query.run(script, **WHERE, transaction=True)
    assert (caught.value.index, caught.value.line) == (2, 2)
    assert str(caught.value).startswith("x.sql:2:")
    assert rows("SELECT count(*) FROM kept") == [(1,)]
    rs_query.run("DELETE FROM kept; INSERT INTO kept VALUES (2), (3)", **WHERE, transaction=True)
    assert rows("SELECT n FROM kept ORDER BY n") == [(2,), (3,)]


def test_a_long_transaction_is_all_or_nothing_too() -> None:
    rs_query.run("DROP TABLE IF EXISTS long; CREATE TABLE long (n int)", **WHERE)
    inserts = ";".join(f"INSERT INTO long VALUES ({n})" for n in range(45))
    with pytest.raises(StatementError, match="statement 46"):
        rs_query.run(f"{inserts}; INSERT INTO nowhere VALUES (1)", **WHERE, transaction=True)
    assert rows("SELECT count(*) FROM long") == [(0,)]
    rs_query.run(inserts, **WHERE, transaction=True)
    assert rows("SELECT count(*) FROM long") == [(45,)]


def test_logs_in_by_iam_or_by_a_secret_of_which_only_the_arn_is_known_here() -> None:
    namespace = boto3.client("redshift-serverless").get_namespace(namespaceName="elt")["namespace"]
    arn = namespace["adminPasswordSecretArn"]
    assert rows("SELECT current_user") != [(namespace["adminUsername"],)]
    (result,) = rs_query.run("SELECT current_user", **WHERE, secret_arn=arn).results
    assert result.fetch() == [(namespace["adminUsername"],)]
    with pytest.raises(rs_query.ServiceError, match="ExecuteStatement: "):
        rs_query.run("SELECT 1", **WHERE, secret_arn=arn.replace("secret:", "secret:no-"))


@pytest.mark.parametrize(
    "value",
    ["it's", "\\", "\\'", "'; DROP TABLE kept; --", "/* -- */", "$$ $1 $x$", ":a ::b ?", '"a"', "😀", "a\r\nb\tc"],
)
def test_hostile_text_comes_back_as_it_is(value: str) -> None:
    assert rows("SELECT :v", v=value) == [(value,)], "bound by the server"
    assert rows("CREATE TEMP TABLE t AS SELECT :v AS v; SELECT v FROM t", v=value) == [(value,)], "as a literal"
    assert rows("SELECT 1 WHERE :v IN (:l)", v=value, l=["x", value]) == [(1,)], "in a list"


@pytest.mark.parametrize(
    "value",
    [
        *(None, True, False, 12, -12, 2**62, Decimal("-12.50"), 0.1, -1.5e300, float("inf"), ""),
        dt.date(2024, 9, 1),
        dt.datetime.fromisoformat("2024-09-01T12:30:00.005000"),
        dt.datetime(2024, 9, 1, 12, tzinfo=dt.timezone.utc),
        dt.time(12, 30),
    ],
    ids=repr,
)
def test_values_keep_their_type(value: Any) -> None:
    ((back,),) = rows("SELECT :v", v=value)
    assert (back, type(back)) == (value, type(value))


def test_a_copy_that_fails_says_which_file_and_why(tmp_path: Path) -> None:
    duckdb = pytest.importorskip("duckdb")
    duckdb.connect().sql(f"COPY (SELECT 'x' AS n) TO '{tmp_path}/a.parquet'")
    boto3.client("s3").upload_file(str(tmp_path / "a.parquet"), "scripts", "data/a.parquet")
    rs_query.run("DROP TABLE IF EXISTS loaded; CREATE TABLE loaded (n int)", **WHERE)
    script = rs_query.Script("DELETE FROM loaded;\nCOPY loaded FROM :uri IAM_ROLE default FORMAT PARQUET", "x.sql")
    for transaction in (False, True):
        with pytest.raises(StatementError) as caught:
            rs_query.run(script, **WHERE, params={"uri": "s3://scripts/data/"}, transaction=transaction)
        assert caught.value.line == 2
        (row,) = caught.value.load_errors
        assert row.startswith("load error in s3://scripts/data/a.parquet, line ")
        assert str(caught.value).endswith(f"; {row}")


def test_a_result_of_many_pages_comes_whole() -> None:
    rs_query.run("DROP TABLE IF EXISTS many; CREATE TABLE many (n int)", **WHERE)
    rs_query.run("INSERT INTO many VALUES " + ",".join(f"({n})" for n in range(1000)), **WHERE)
    (result,) = rs_query.run(
        "SELECT a.n * 1000 + b.n AS n FROM many a CROSS JOIN many b WHERE a.n < 12", **WHERE
    ).results
    assert sorted(n for (n,) in result) == list(range(12_000))
    assert result.rows == 12_000


def command(*argv: str) -> tuple[int, str, str]:
    """Exit code, stdout and last line of stderr of an `rs-query` process of its own."""
    done = subprocess.run([sys.executable, "-m", "rs_query", *argv], capture_output=True, text=True)
    return done.returncode, done.stdout, (done.stderr.splitlines() or [""])[-1]


def test_one_process_submits_another_waits_and_a_third_reads(tmp_path: Path) -> None:
    (tmp_path / "x.sql").write_text(
        "DROP TABLE IF EXISTS submitted; CREATE TABLE submitted (n int, s varchar(9));"
        "INSERT INTO submitted VALUES (1, :s), (2, NULL); SELECT n, s FROM submitted ORDER BY n"
    )
    submit = ("submit", f"{tmp_path}/x.sql", *OPTIONS, "--transaction", "--param", "s=it's", "--token", "submitted-1")
    code, out, _ = command(*submit)
    statement_id = out.strip()
    assert code == 0
    assert command("wait", statement_id)[:2] == (0, "")
    assert command("result", statement_id, "--output", "csv") == (0, "n,s\n1,it's\n2,\n", "")
    assert command(*submit) == (0, out, ""), "the same token, the same statement"
    assert rows("SELECT count(*) FROM submitted") == [(2,)]
    (read,) = rs_query.result(f"{statement_id}:4").results
    assert read.fetch() == [(1, "it's"), (2, None)]
    status = rs_query.status(statement_id)
    assert [(one.status, one.statement.partition(" ")[0]) for one in (status, *status.statements)] == [
        ("FINISHED", ""),
        *(("FINISHED", word) for word in ("DROP", "CREATE", "INSERT", "SELECT")),
    ]


def test_a_submitted_statement_that_fails_fails_who_waits_for_it(tmp_path: Path) -> None:
    (tmp_path / "x.sql").write_text("DROP TABLE IF EXISTS fails; CREATE TABLE fails (n int); SELECT nothing FROM fails")
    code, out, _ = command("submit", f"{tmp_path}/x.sql", *OPTIONS, "--transaction")
    statement_id = out.strip()
    code, out, error = command("wait", statement_id)
    assert (code, out) == (1, "")
    assert error.startswith("rs-query: <sql>:1:8: statement 3 (SELECT nothing FROM fails): ERROR: ")
    assert error.endswith(f"[statement id {statement_id}:3]")
    assert command("result", statement_id) == (1, "", error)
    assert [one.status for one in rs_query.status(statement_id).statements] == ["FINISHED", "FINISHED", "FAILED"]


def test_a_submitted_copy_that_fails_says_which_file_and_why() -> None:
    boto3.client("s3").put_object(Bucket="scripts", Key="copied/a.csv", Body=b"1\nx\n")
    rs_query.run("DROP TABLE IF EXISTS copied; CREATE TABLE copied (n int)", **WHERE)
    statement_id = rs_query.submit("COPY copied FROM 's3://scripts/copied/' IAM_ROLE default CSV", **WHERE)
    with pytest.raises(StatementError) as caught:
        rs_query.wait(statement_id)
    (row,) = caught.value.load_errors
    assert row.startswith("load error in s3://scripts/copied/a.csv, line 2, column n (")


def test_a_submitted_transaction_that_is_cancelled_is_undone(tmp_path: Path) -> None:
    rs_query.run("DROP TABLE IF EXISTS cancelled; CREATE TABLE cancelled (n int)", **WHERE)
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
    statement_id = rs_query.submit(f"INSERT INTO cancelled VALUES (1); {endless}", **WHERE, transaction=True)
    for _ in range(2):
        code, out, _ = command("cancel", statement_id)
        assert (code, json.loads(out)["status"]) == (0, "ABORTED")
    code, _, error = command("wait", statement_id)
    assert (code, "cancelled" in error) == (1, True)
    assert rows("SELECT count(*) FROM cancelled") == [(0,)]


def test_a_result_set_is_an_arrow_table_of_its_types() -> None:
    pa = pytest.importorskip("pyarrow")
    sql = (
        "SELECT 1::smallint AS a, 2 AS b, 3::bigint AS c, 12.50::numeric(9, 2) AS d, 0.5::real AS e, 0.1::float8 AS f,"
        " true AS g, DATE '2024-09-01' AS h, TIMESTAMP '2024-09-01 12:30:00.5' AS i,"
        " TIMESTAMPTZ '2024-09-01 12:30:00+02' AS j, 'x'::varchar(9) AS k, 'abc'::varbyte AS l,"
        " json_parse('{\"a\":[1]}') AS m, NULL::numeric(38, 10) AS n"
    )
    made = rs_query.run(sql, **WHERE).arrow()
    microseconds, utc = pa.timestamp("us"), dt.timezone.utc
    numbers = [pa.int16(), pa.int32(), pa.int64(), pa.decimal128(9, 2), pa.float32(), pa.float64(), pa.bool_()]
    times = [pa.date32(), microseconds, pa.timestamp("us", tz="UTC")]
    assert made.schema.types == [*numbers, *times, pa.string(), pa.binary(), pa.string(), pa.decimal128(38, 10)]
    assert list(made.to_pylist()[0].values()) == [
        *(1, 2, 3, Decimal("12.50"), 0.5, 0.1, True, dt.date(2024, 9, 1)),
        dt.datetime.fromisoformat("2024-09-01T12:30:00.500000"),
        dt.datetime(2024, 9, 1, 10, 30, tzinfo=utc),
        *("x", b"abc", '{"a":[1]}', None),
    ]
    empty = rs_query.run(f"SELECT * FROM ({sql}) AS t WHERE false", **WHERE).arrow()
    assert (empty.num_rows, empty.schema) == (0, made.schema)


@pytest.mark.parametrize("own", [True, False], ids=["the script's own BEGIN", "--transaction"])
def test_what_a_script_expects_fails_its_transaction(own: bool) -> None:
    rs_query.run("DROP TABLE IF EXISTS held; CREATE TABLE held (n int); INSERT INTO held VALUES (1)", **WHERE)
    expecting = (
        "DELETE FROM held; INSERT INTO held VALUES (2), (3);\n"
        "-- @expect no rows: held has {rows} rows, not 1\n"
        "SELECT count(*) AS rows FROM held HAVING count(*) <> 1;"
    )
    script = rs_query.Script(f"BEGIN; {expecting} COMMIT;" if own else expecting, "x.sql")
    with pytest.raises(rs_query.ExpectationError) as caught:
        rs_query.run(script, **WHERE, transaction=not own)
    index = 4 if own else 3
    assert str(caught.value) == (
        f"x.sql:3:1: statement {index} (SELECT count(*) AS rows FROM held HAVING count(*) <> 1): held has 2 rows, not 1"
    )
    assert (caught.value.reason, caught.value.line) == ("held has 2 rows, not 1", 3)
    assert rows("SELECT n FROM held") == [(1,)]
    met = script.text.replace("VALUES (2), (3)", "VALUES (4)")
    rs_query.run(met, **WHERE, transaction=not own)
    assert rows("SELECT n FROM held") == [(4,)]
