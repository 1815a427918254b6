"""What a kill leaves behind, and what is not loaded before it is needed."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pytest

ENDLESS = "select count(*) from (with recursive n(i) as (select 1 union all select i + 1 from n) select i from n)"
COPY = "copy t from 's3://lake/in/' iam_role default format parquet"


@pytest.fixture
def own_cloud(new_cloud, data_api_of, make_workgroup, tmp_path: Path):
    """A cloud that the test may kill, with a bucket of one file of 100,000 rows."""
    cloud = new_cloud()
    cloud.start()
    redshift = data_api_of(cloud)
    make_workgroup(redshift)
    file = tmp_path / "a.parquet"
    duckdb.connect().execute(f"copy (select range as id from range(100000)) to '{file}' (format parquet)")
    redshift.client("s3").create_bucket(Bucket="lake")
    redshift.client("s3").upload_file(str(file), "lake", "in/a.parquet")
    yield cloud
    cloud.stop()


def restarted(cloud, data_api_of, how: int) -> Any:
    cloud.stop(how)
    cloud.start()
    return data_api_of(cloud)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM], ids=["kill", "stop"])
def test_a_restart_in_the_middle_of_everything(own_cloud, data_api_of, how: int) -> None:
    redshift = data_api_of(own_cloud)
    redshift.done("create table t (id bigint)")
    redshift.done("create view seen as select count(*) as n from t")
    redshift.done(COPY)
    finished = redshift.done("select n from seen")["Id"]
    token = redshift.api.execute_statement(
        Sql="insert into t values (-1)", ClientToken="once", WorkgroupName="etl", Database="dev"
    )["Id"]
    redshift.wait(token)
    session = redshift.api.execute_statement(
        Sql="begin", SessionKeepAliveSeconds=3600, WorkgroupName="etl", Database="dev"
    )
    redshift.wait(session["Id"])
    for sql in ("delete from t", COPY, COPY):
        redshift.done(sql, SessionId=session["SessionId"])
    running = redshift.start(ENDLESS)
    batch = redshift.api.batch_execute_statement(
        Sqls=["create table half (a int)", "insert into half values (1)", ENDLESS], WorkgroupName="etl", Database="dev"
    )["Id"]
    redshift.until(running, "STARTED")
    redshift.until(batch, "STARTED")

    redshift = restarted(own_cloud, data_api_of, how)

    # Nothing half loaded, nothing lost.
    assert redshift.rows("select count(*), count(distinct id) from t") == [[100_001, 100_001]]
    assert redshift.rows("select n from seen") == [[100_001]]
    assert redshift.run("select * from half")["Status"] == "FAILED"
    # What ran has failed, what had ended is as it was.
    for identifier in (running, batch):
        assert redshift.api.describe_statement(Id=identifier)["Status"] in ("FAILED", "ABORTED")
    assert redshift.api.describe_statement(Id=finished)["Status"] == "FINISHED"
    assert redshift.api.get_statement_result(Id=finished)["Records"] == [[{"longValue": 100_000}]]
    # The session is gone, and its locks.
    code, _ = redshift.refused("execute_statement", Sql="select 1", SessionId=session["SessionId"])
    assert code == "ValidationException"
    redshift.done("truncate t")
    # A token that was used stands for the same statement.
    again = redshift.api.execute_statement(
        Sql="insert into t values (-1)", ClientToken="once", WorkgroupName="etl", Database="dev"
    )
    assert again["Id"] == token
    assert redshift.rows("select count(*) from t") == [[0]]


def test_the_control_plane_comes_back(own_cloud, data_api_of) -> None:
    before = data_api_of(own_cloud).serverless
    arn = before.get_workgroup(workgroupName="etl")["workgroup"]["workgroupArn"]
    before.tag_resource(resourceArn=arn, tags=[{"key": "a", "value": "b"}])
    before.create_usage_limit(resourceArn=arn, usageType="serverless-compute", amount=5)
    namespace = before.get_namespace(namespaceName="analytics")["namespace"]
    workgroup = before.get_workgroup(workgroupName="etl")["workgroup"]
    redshift = restarted(own_cloud, data_api_of, signal.SIGKILL)
    after = redshift.serverless
    assert after.get_namespace(namespaceName="analytics")["namespace"] == namespace
    assert after.get_workgroup(workgroupName="etl")["workgroup"] == workgroup
    assert after.list_tags_for_resource(resourceArn=arn)["tags"] == [{"key": "a", "value": "b"}]
    assert len(after.list_usage_limits(resourceArn=arn)["usageLimits"]) == 1
    secret = namespace["adminPasswordSecretArn"]
    assert redshift.rows("select current_user", SecretArn=secret) == [["admin"]]


def test_the_engine_is_loaded_with_the_first_statement() -> None:
    """Nobody waits for DuckDB and sqlglot who does not use the warehouse."""
    program = (
        "import sys, local_cloud.services.redshift.wiring, local_cloud.services.redshift.serverless.responses;"
        " print([name for name in ('duckdb', 'sqlglot') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout.replace("'", '"')) == []


def test_an_idle_server_has_not_loaded_the_engine(new_cloud) -> None:
    cloud = new_cloud()
    cloud.start()
    try:
        cloud.client("redshift-serverless").list_workgroups()
        maps = Path(f"/proc/{cloud.process.pid}/maps").read_text()
    except FileNotFoundError:
        pytest.skip("needs /proc")
    finally:
        cloud.stop()
    assert "duckdb" not in maps
