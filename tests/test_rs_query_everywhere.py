"""One script of 12 statements, run by the wheel alone: as command and library on the oldest and newest Python, and
as a Glue job of the local cloud. The same result everywhere."""

from __future__ import annotations

import base64
import json
import os
import runpy
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest

from laptop import BIN, ROOT, free_port

pytest.importorskip("local_cloud", reason="the local cloud is not installed")

PACKAGE = ROOT / "packages" / "rs-query"
TWELVE = runpy.run_path(str(PACKAGE / "tests" / "support" / "twelve.py"))
VERSIONS = ("3.9", "3.13")
WHERE = ("--workgroup", "elt", "--database", "dev")


@dataclass(frozen=True)
class Place:
    """A local cloud with a workgroup and a bucket of artifacts, and what finds it."""

    environment: dict[str, str]
    role: str

    def client(self, service: str) -> Any:
        keys = {name: self.environment[name.upper()] for name in ("aws_access_key_id", "aws_secret_access_key")}
        endpoint = self.environment["AWS_ENDPOINT_URL"]
        return boto3.session.Session(region_name="us-east-1", **keys).client(service, endpoint_url=endpoint)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=PACKAGE, check=True, capture_output=True)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, wheel: Path) -> Iterator[Place]:
    state, port = tmp_path_factory.mktemp("cloud"), free_port()
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "LOCAL_CLOUD_"))}
    environment = kept | {
        "LOCAL_CLOUD_STATE": str(state),
        "LOCAL_CLOUD_PORT": str(port),
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    with (state / "server.log").open("wb") as log:
        server = subprocess.Popen([BIN / "python", "-m", "local_cloud"], env=environment, stdout=log, stderr=log)
    try:
        found = Place(environment, "arn:aws:iam::123456789012:role/runner")
        _furnish(found, wheel)
        yield found
    finally:
        server.terminate()
        server.wait(30)


def _furnish(place: Place, wheel: Path) -> None:
    serverless = place.client("redshift-serverless")
    _patiently(lambda: serverless.create_namespace(namespaceName="elt", dbName="dev", manageAdminPassword=True))
    serverless.create_workgroup(workgroupName="elt", namespaceName="elt", baseCapacity=8)
    iam = place.client("iam")
    trust = {"Effect": "Allow", "Principal": {"Service": "glue.amazonaws.com"}, "Action": "sts:AssumeRole"}
    iam.create_role(RoleName="runner", AssumeRolePolicyDocument=_policy(trust))
    allowed = ["s3:GetObject", "redshift-data:*", "redshift-serverless:GetCredentials", "logs:*"]
    statement = {"Effect": "Allow", "Action": allowed, "Resource": "*"}
    iam.put_role_policy(RoleName="runner", PolicyName="running", PolicyDocument=_policy(statement))
    s3 = place.client("s3")
    s3.create_bucket(Bucket="artifacts")
    s3.upload_file(str(wheel), "artifacts", wheel.name)
    s3.upload_file(str(PACKAGE / "glue" / "rs_query_job.py"), "artifacts", "rs_query_job.py")
    s3.put_object(Bucket="artifacts", Key="twelve.sql", Body=TWELVE["SQL"].encode())
    s3.put_object(Bucket="artifacts", Key="params.json", Body=json.dumps({"all/of": TWELVE["PARAMS"]}).encode())


def _policy(statement: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def _patiently(call: Any) -> None:
    end = time.monotonic() + 60
    while True:
        try:
            call()
            return
        except Exception as error:
            if "Could not connect" not in str(error) or time.monotonic() > end:
                raise
            time.sleep(0.1)


def _interpreter(version: str) -> str | None:
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    found = sorted(root.glob(f"versions/{version}.*/bin/python"))
    return str(found[-1]) if found else shutil.which(f"python{version}")


@pytest.fixture(scope="module", params=VERSIONS)
def alone(request: pytest.FixtureRequest, wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `bin` of an environment that holds nothing but the wheel and what it needs."""
    python = _interpreter(request.param)
    if python is None:
        pytest.skip(f"this machine has no Python {request.param}")
    folder = tmp_path_factory.mktemp("alone") / "venv"
    subprocess.run([python, "-m", "venv", str(folder)], check=True)
    install = [str(folder / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check", str(wheel)]
    done = subprocess.run(install, capture_output=True, text=True)
    if "No matching distribution found for boto3" in done.stderr:
        pytest.skip("no package index to get boto3 from")
    assert done.returncode == 0, done.stderr
    return folder / "bin"


def test_as_a_command(place: Place, alone: Path, tmp_path: Path) -> None:
    params = ("--params-uri", "s3://artifacts/params.json#/all~1of", "--output", "json")
    command = [str(alone / "rs-query"), "run", "s3://artifacts/twelve.sql", *WHERE, *params]
    done = subprocess.run(command, env=place.environment, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert [json.loads(line) for line in done.stdout.splitlines()][-9:] == TWELVE["ROWS"]
    events = [json.loads(line) for line in done.stderr.splitlines()]
    assert [event.get("index") for event in events] == [*range(1, 13), None]
    assert (events[-1]["status"], events[-1]["finished"]) == ("finished", 12)


PROGRAM = """
import datetime, json, sys, rs_query
plain = lambda cell: str(cell) if isinstance(cell, datetime.date) else float(cell)
sql, params = json.load(sys.stdin)
results = rs_query.run(sql, workgroup="elt", database="dev", params=params).results
assert [result.statement.index for result in results] == list(range(1, 13))
for result in [result for result in results if result.has_result_set][-3:]:
    names = [column.name for column in result.columns()]
    for row in result:
        print(json.dumps(dict(zip(names, row)), default=plain))
"""


def test_as_a_library(place: Place, alone: Path, tmp_path: Path) -> None:
    given = json.dumps([TWELVE["SQL"], TWELVE["PARAMS"]])
    command = [str(alone / "python"), "-c", PROGRAM]
    done = subprocess.run(command, input=given, env=place.environment, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert [json.loads(line) for line in done.stdout.splitlines()] == TWELVE["ROWS"]


def test_as_a_glue_job(place: Place, wheel: Path) -> None:
    glue = place.client("glue")
    glue.create_job(
        Name="twelve",
        Role=place.role,
        Command={"Name": "pythonshell", "PythonVersion": "3.9", "ScriptLocation": "s3://artifacts/rs_query_job.py"},
        DefaultArguments={
            "--additional-python-modules": f"s3://artifacts/{wheel.name}",
            "--sql": "s3://artifacts/twelve.sql",
            "--workgroup": "elt",
            "--database": "dev",
            "--output": "json",
        },
    )
    done = _run(glue, {"--params-uri": "s3://artifacts/params.json#/all~1of"})
    assert done["JobRunState"] == "SUCCEEDED", done.get("ErrorMessage")
    lines = [json.loads(line) for line in _output(place, done["Id"]) if line.startswith("{")]
    assert [line["index"] for line in lines if line.get("event") == "statement"] == list(range(1, 13))
    assert [line for line in lines if "event" not in line][-9:] == TWELVE["ROWS"]

    nowhere = json.dumps({**TWELVE["PARAMS"], "schema": "nowhere"})
    failed = _run(glue, {"--params": base64.b64encode(nowhere.encode()).decode()})
    assert failed["JobRunState"] == "FAILED"
    expected = "StatementError: s3://artifacts/twelve.sql:"
    assert failed["ErrorMessage"].startswith(expected), failed["ErrorMessage"]
    assert 'statement 11 (SELECT * FROM :"schema".notes ORDER BY id): ERROR: ' in failed["ErrorMessage"]
    assert "\n" not in failed["ErrorMessage"]


def _run(glue: Any, arguments: dict[str, str]) -> dict[str, Any]:
    run_id = glue.start_job_run(JobName="twelve", Arguments=arguments)["JobRunId"]
    end = time.monotonic() + 200
    while True:
        run: dict[str, Any] = glue.get_job_run(JobName="twelve", RunId=run_id)["JobRun"]
        if run["JobRunState"] in {"SUCCEEDED", "FAILED", "STOPPED", "TIMEOUT", "ERROR"}:
            return run
        assert time.monotonic() < end
        time.sleep(0.2)


def _output(place: Place, run_id: str) -> Iterator[str]:
    logs = place.client("logs")
    token: dict[str, str] = {}
    while True:
        group = "/aws-glue/python-jobs/output"
        page = logs.get_log_events(logGroupName=group, logStreamName=run_id, startFromHead=True, **token)
        if not page["events"]:
            return
        for event in page["events"]:
            yield from event["message"].splitlines()
        token = {"nextToken": page["nextForwardToken"]}
