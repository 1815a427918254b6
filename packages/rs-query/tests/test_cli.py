"""The command: whole outputs and exit codes."""

from __future__ import annotations

import importlib.metadata
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from scripted_data_api import Reply, ScriptedDataApi, batches_take_parameters

from rs_query.cli import main

SQL = """-- the month
DELETE FROM trips WHERE source_month = :month;
COPY trips FROM :manifest IAM_ROLE default; /* ; */
SELECT 'x;y' AS "a;b", count(*) FROM :"table" WHERE n IN (:ids)
"""


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    Path("load.sql").write_text(SQL)
    return "load.sql"


def outcome(capsys: pytest.CaptureFixture[str], *argv: str) -> tuple[int, str, str]:
    code = main(argv)
    out, err = capsys.readouterr()
    return code, out, err


def test_split_prints_an_object_a_statement(script: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = outcome(capsys, "split", script)
    assert (code, err) == (0, "")
    assert [json.loads(line) for line in out.splitlines()] == [
        {"index": 1, "line": 2, "column": 1, "text": "DELETE FROM trips WHERE source_month = :month"},
        {"index": 2, "line": 3, "column": 1, "text": "COPY trips FROM :manifest IAM_ROLE default"},
        {
            "index": 3,
            "line": 4,
            "column": 1,
            "text": 'SELECT \'x;y\' AS "a;b", count(*) FROM :"table" WHERE n IN (:ids)',
        },
    ]


def test_split_reads_standard_input_and_keeps_text_as_written() -> None:
    text = "\ufeffSELECT 'é\r\n;';\r\nb"
    done = subprocess.run([sys.executable, "-m", "rs_query", "split", "-"], input=text.encode(), capture_output=True)
    assert (done.returncode, done.stderr) == (0, b"")
    assert [json.loads(line)["text"] for line in done.stdout.decode().splitlines()] == ["SELECT 'é\r\n;'", "b"]


def test_check_lists_statements_and_parameters(script: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = outcome(capsys, "check", script, "--transaction")
    assert (code, err) == (0, "")
    assert [json.loads(line) for line in out.splitlines()] == [
        {
            "index": 1,
            "line": 2,
            "column": 1,
            "statement": "DELETE FROM trips WHERE source_month = :month",
            "parameters": [{"name": "month", "place": "load.sql:2:40", "kind": "value"}],
        },
        {
            "index": 2,
            "line": 3,
            "column": 1,
            "statement": "COPY trips FROM :manifest IAM_ROLE default",
            "parameters": [{"name": "manifest", "place": "load.sql:3:17", "kind": "value"}],
        },
        {
            "index": 3,
            "line": 4,
            "column": 1,
            "statement": 'SELECT \'…\' AS "a;b", count(*) FROM :"table" WHERE n IN (:ids)'[:59] + "…",
            "parameters": [
                {"name": "table", "place": "load.sql:4:38", "kind": "identifier"},
                {"name": "ids", "place": "load.sql:4:59", "kind": "value"},
            ],
        },
    ]


def test_a_dry_run_prints_what_would_be_sent_and_calls_nothing(
    api: ScriptedDataApi, script: str, capsys: pytest.CaptureFixture[str]
) -> None:
    api.objects["p/month.json"] = json.dumps(
        {"load": {"manifest": "s3://b/m", "table": "trips", "ids": [1, 2]}}
    ).encode()
    where = ["--workgroup", "elt", "--database", "dev", "--transaction", "--dry-run"]
    params = ["--param", "month=it's", "--params-uri", "s3://p/month.json#/load"]
    code, out, err = outcome(capsys, "run", script, *where, *params)
    bound, literal = batches_take_parameters(), "'it''s'"
    assert code == 0
    assert [json.loads(line) for line in out.splitlines()] == [
        {
            "index": 1,
            "line": 2,
            "column": 1,
            "sql": f"DELETE FROM trips WHERE source_month = {':month' if bound else literal}",
            "parameters": {"month": "it's"} if bound else {},
        },
        {
            "index": 2,
            "line": 3,
            "column": 1,
            "sql": "COPY trips FROM 's3://b/m' IAM_ROLE default",
            "parameters": {},
        },
        {
            "index": 3,
            "line": 4,
            "column": 1,
            "sql": 'SELECT \'x;y\' AS "a;b", count(*) FROM "trips" WHERE n IN (1, 2)',
            "parameters": {},
        },
    ]
    assert json.loads(err) == {"event": "dry run", "statements": 3, "mode": "one call, one transaction"}
    assert [operation for operation, _ in api.calls] == ["GetObject"]


RESULT = Reply(
    columns=(("day", "date"), ("trips", "int8"), ("total", "numeric"), ("note", "varchar")),
    records=(
        [{"stringValue": "2024-09-01"}, {"longValue": 12}, {"stringValue": "1.50"}, {"isNull": True}],
        [{"stringValue": "2024-09-02"}, {"longValue": 7}, {"stringValue": "10.00"}, {"stringValue": ""}],
    ),
)
OUTPUTS = {
    "table": (
        "day         trips  total  note\n"
        "----------  -----  -----  ----\n"
        "2024-09-01     12   1.50  NULL\n"
        "2024-09-02      7  10.00\n"
        "(2 rows)\n"
    ),
    "json": (
        '{"day": "2024-09-01", "trips": 12, "total": 1.50, "note": null}\n'
        '{"day": "2024-09-02", "trips": 7, "total": 10.00, "note": ""}\n'
    ),
    "csv": 'day,trips,total,note\n2024-09-01,12,1.50,\n2024-09-02,7,10.00,""\n',
}


@pytest.mark.parametrize("form", OUTPUTS)
def test_run_prints_results_and_logs_a_line_a_statement(
    api: ScriptedDataApi, form: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    api.script = lambda sql: RESULT if sql.startswith("SELECT") else Reply(rows=4)
    (tmp_path / "x.sql").write_text("DELETE FROM t;\nSELECT * FROM t")
    options = ["--workgroup", "elt", "--database", "dev", "--output", form]
    code, out, err = outcome(capsys, "run", str(tmp_path / "x.sql"), *options)
    assert (code, out) == (0, OUTPUTS[form])
    events = [json.loads(line) for line in err.splitlines()]
    for event in events:
        assert event.pop("seconds") >= 0
    first, second = api.statements
    assert events == [
        {"event": "statement", "status": "finished", "index": 1, "line": 1, "id": first, "rows": 4},
        {"event": "statement", "status": "finished", "index": 2, "line": 2, "id": second, "rows": 2},
        {"event": "run", "status": "finished", "statements": 2, "finished": 2, "rows": 6},
    ]


def test_a_failed_run_prints_no_result(api: ScriptedDataApi, script: str, capsys: pytest.CaptureFixture[str]) -> None:
    api.script = lambda sql: RESULT if sql.startswith("SELECT") else Reply(error="ERROR: no")
    Path("x.sql").write_text("SELECT 1;\nbad")
    code, out, err = outcome(capsys, "run", "x.sql", "--workgroup", "elt", "--database", "dev")
    assert (code, out) == (1, "")
    failed = list(api.statements)[1]
    assert err.splitlines()[-1] == f"rs-query: x.sql:2:1: statement 2 (bad): ERROR: no [statement id {failed}]"


WHERE = ("--workgroup", "elt", "--database", "dev")
FAILURES: dict[str, tuple[tuple[str, ...], int, str]] = {
    "no command": ((), 2, "the following arguments are required: COMMAND"),
    "no such command": (("walk",), 2, "argument COMMAND: invalid choice: 'walk'"),
    "no file": (("run",), 2, "the following arguments are required: FILE_OR_S3_URI"),
    "no database": (("run", "load.sql", "--workgroup", "elt"), 2, "name the database: --database"),
    "nowhere": (("run", "load.sql", "--database", "d"), 2, "name either the serverless workgroup or the cluster"),
    "both": (("run", "load.sql", *WHERE, "--cluster", "c"), 2, "name either the serverless workgroup or the cluster"),
    "an abbreviation": (("run", "load.sql", *WHERE, "--trans"), 2, "unrecognized arguments: --trans"),
    "no timeout": (("run", "load.sql", *WHERE, "--timeout", "0"), 2, "argument --timeout: '0' is no positive number"),
    "a word for a timeout": (("run", "x", *WHERE, "--timeout", "soon"), 2, "argument --timeout: 'soon' is no positive"),
    "no form": (("run", "load.sql", *WHERE, "--output", "xml"), 2, "argument --output: invalid choice: 'xml'"),
    "half a parameter": (("run", "load.sql", *WHERE, "--param", "month"), 2, "--param month: write NAME=VALUE"),
    "a nameless parameter": (("run", "load.sql", *WHERE, "--param", "=x"), 2, "--param =x: write NAME=VALUE"),
    "missing file": (("split", "no.sql"), 1, "no.sql: No such file or directory"),
    "a folder": (("split", "."), 1, ".: Is a directory"),
    "not UTF-8": (("split", "latin.sql"), 1, "latin.sql: not UTF-8: byte 8 is 0xe9"),
    "half an S3 URI": (("split", "s3://b"), 1, "s3://b: an S3 URI is s3://bucket/key"),
    "missing object": (
        ("split", "s3://b/no.sql"),
        1,
        "s3://b/no.sql: GetObject: NoSuchKey: The specified key does not",
    ),
    "unterminated": (("split", "open.sql"), 1, "open.sql:1:8: unterminated string"),
    "missing parameter": (("run", "load.sql", *WHERE), 1, "load.sql:2:40: no value for parameter :month"),
    "unused parameter": (
        ("run", "one.sql", *WHERE, "--param", "b=1"),
        1,
        "one.sql: :b given but used nowhere; its parameters: none",
    ),
    "no such transport": (("run", "one.sql", *WHERE, "--transport", "mail"), 2, "argument --transport: invalid choice"),
    "not in a transaction": (
        ("check", "vacuum.sql", "--transaction"),
        1,
        "vacuum.sql:1:1: statement 1 (VACUUM t): VACUUM can't run inside a transaction",
    ),
    "parameters that are no JSON": (("run", "one.sql", *WHERE, "--params-uri", "one.sql"), 1, "one.sql: not JSON: "),
    "parameters that are no object": (
        ("run", "one.sql", *WHERE, "--params-uri", "list.json"),
        1,
        "list.json: parameters are a JSON object, this is a list",
    ),
    "nested parameters": (
        ("run", "one.sql", *WHERE, "--params-uri", "nested.json"),
        1,
        "nested.json: parameter a is nested; give text, a number",
    ),
    "no such pointer": (
        ("run", "one.sql", *WHERE, "--params-uri", "nested.json#/a/c"),
        1,
        "nested.json#/a/c: the document has no /a/c",
    ),
    "a number that is none": (
        ("run", "one.sql", *WHERE, "--params-uri", "nan.json"),
        1,
        "nan.json: not JSON: NaN is no",
    ),
}


@pytest.mark.parametrize(("argv", "code", "message"), FAILURES.values(), ids=FAILURES)
def test_failures_are_one_line(
    api: ScriptedDataApi,
    script: str,
    argv: tuple[str, ...],
    code: int,
    message: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    Path("one.sql").write_text("SELECT 1")
    Path("open.sql").write_text("SELECT 'x")
    Path("vacuum.sql").write_text("VACUUM t")
    Path("latin.sql").write_bytes("SELECT 'é'".encode("latin-1"))
    Path("list.json").write_text("[]")
    Path("nested.json").write_text('{"a": {"b": 1}}')
    Path("nan.json").write_text('{"a": NaN}')
    exit_code, out, err = outcome(capsys, *argv)
    assert (exit_code, out) == (code, "")
    assert err.startswith(f"rs-query: {message}")
    assert err.count("\n") == 1
    assert not [operation for operation, _ in api.calls if operation != "GetObject"]


POINTERS = {
    "all of it": ("", {"load": {"a": "x"}, "a/b": [{"~c": {"a": "y"}}], "é": {"a": "z"}}, None),
    "a key": ("#/load", None, {"a": "x"}),
    "escapes and an index": ("#/a~1b/0/~0c", None, {"a": "y"}),
    "percent escapes": ("#/%C3%A9", None, {"a": "z"}),
}


@pytest.mark.parametrize("name", [name for name in POINTERS if name != "all of it"])
def test_parameters_come_from_the_place_that_the_fragment_points_to(
    api: ScriptedDataApi, name: str, capsys: pytest.CaptureFixture[str], script: str
) -> None:
    document = POINTERS["all of it"][1]
    fragment, _, params = POINTERS[name]
    api.objects["p/all.json"] = json.dumps(document).encode()
    Path("a.sql").write_text("SELECT :a")
    options = ["--params-uri", f"s3://p/all.json{fragment}", "--dry-run"]
    code, out, _ = outcome(capsys, "run", "a.sql", *WHERE, *options)
    assert (code, json.loads(out)["parameters"]) == (0, params)


def test_json_parameters_keep_their_types_and_digits(
    script: str, capsys: pytest.CaptureFixture[str], api: ScriptedDataApi
) -> None:
    Path("p.json").write_text('\ufeff{"a": 1, "b": 1.10, "c": true, "d": null, "e": "x", "f": [1, "y"], "g": 1e2}')
    Path("t.sql").write_text("SELECT :a, :b, :c, :d, :e, :g WHERE 1 IN (:f)")
    code, out, _ = outcome(capsys, "run", "t.sql", *WHERE, "--params-uri", "p.json", "--dry-run")
    assert (code, json.loads(out)["sql"]) == (0, "SELECT 1, 1.10, TRUE, NULL, :e, 100 WHERE 1 IN (1, 'y')")


def test_a_param_wins_over_the_document(script: str, capsys: pytest.CaptureFixture[str], api: ScriptedDataApi) -> None:
    Path("p.json").write_text('{"a": 1}')
    Path("t.sql").write_text("SELECT :a")
    options = ["--params-uri", "p.json", "--param", "a=b=c", "--dry-run"]
    code, out, _ = outcome(capsys, "run", "t.sql", *WHERE, *options)
    assert (code, json.loads(out)["parameters"]) == (0, {"a": "b=c"})


def test_a_reader_that_has_seen_enough_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "x.sql").write_text("SELECT 1;" * 50_000)
    command = f"{sys.executable} -m rs_query split {tmp_path}/x.sql | head -1"
    done = subprocess.run(command, shell=True, capture_output=True, text=True)
    assert (json.loads(done.stdout)["index"], done.stderr) == (1, "")


def test_the_command_starts_without_the_sdk() -> None:
    """What only splits and checks does not pay for boto3."""
    program = "import sys, rs_query.cli; sys.exit(any(m in sys.modules for m in ('boto3', 'redshift_connector')))"
    assert subprocess.run([sys.executable, "-c", program]).returncode == 0


def test_no_password_in_arguments_logs_errors_or_process_lists(api: ScriptedDataApi, tmp_path: Path) -> None:
    """A secret is passed on by its ARN; SQL and parameters may hold a password, which no line repeats."""
    secret = "hunter2-Correct-Horse"
    api.script = lambda sql: Reply(seconds=0.5, error="" if "CREATE" in sql else "ERROR: permission denied")
    script = f"CREATE USER ann PASSWORD '{secret}';\nALTER USER ann PASSWORD $${secret}$$ -- {secret}\n"
    (tmp_path / "x.sql").write_text(script)
    arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:redshift-AbCdEf"
    command = [sys.executable, "-m", "rs_query", "run", str(tmp_path / "x.sql"), *WHERE, "--secret-arn", arn]
    environment = os.environ | {"AWS_SECRET_ACCESS_KEY": secret + "-key"}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
    seen = Path(f"/proc/{process.pid}/cmdline").read_text() if Path("/proc").exists() else ""
    out, err = process.communicate(timeout=30)
    assert process.returncode == 1
    assert "statement 2 (ALTER USER ann PASSWORD '…')" in err
    assert secret not in out + err + seen
    requests: list[dict[str, Any]] = api.made("ExecuteStatement")
    assert requests[0]["SecretArn"] == arn
    assert secret in requests[0]["Sql"], "the statement itself goes only to the server"


def test_the_version_is_the_packages() -> None:
    done = subprocess.run([sys.executable, "-m", "rs_query", "--version"], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, f"rs-query {importlib.metadata.version('rs-query')}\n")


def test_profile_and_region_are_those_that_are_given(
    api: ScriptedDataApi,
    script: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The keys and the region that a request is signed with: the profile's, then the region's own."""
    (tmp_path / "config").write_text(
        "[profile other]\nregion = eu-west-1\naws_access_key_id = OTHER\naws_secret_access_key = x\n"
    )
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION", "AWS_REGION", "AWS_PROFILE"):
        monkeypatch.setenv(name, "")  # so that it is as before in the end, whatever the command sets
        monkeypatch.delenv(name)
    Path("one.sql").write_text("DELETE FROM a")
    where = ("--workgroup", "elt", "--database", "dev", "--profile", "other")
    for more, region in (((), "eu-west-1"), (("--region", "eu-west-2"), "eu-west-2")):
        api.authorizations.clear()
        assert outcome(capsys, "run", "one.sql", *where, *more)[0] == 0
        signed = {re.search(r"Credential=(\w+)/\d+/([\w-]+)/", one).groups() for one in api.authorizations}
        assert signed == {("OTHER", region)}
