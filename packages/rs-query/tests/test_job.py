"""The Glue job: its entry script as a process, with what Glue gives it."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scripted_data_api import Reply, ScriptedDataApi, batches_take_parameters

from rs_query import SourceError
from rs_query.arguments import parse
from rs_query.sources import params_from_argument

SCRIPT = Path(__file__).parents[1] / "glue" / "rs_query_job.py"
WHERE = ("--workgroup", "elt", "--database", "dev")
GLUES = (
    *("--JOB_NAME", "LoadRedshift", "--JOB_RUN_ID", "jr_1", "--JOB_QUEUE_ARN", "a", "--TempDir", "s3://t/"),
    *("--job-language=python", "--enable-job-insights", "--job-bookmark-option", "job-bookmark-disable"),
)


def job(*argv: str) -> tuple[int, list[str], str]:
    """Exit code, lines of stdout, last line of stderr: what becomes the run's ErrorMessage."""
    done = subprocess.run([sys.executable, str(SCRIPT), *argv], capture_output=True, text=True)
    return done.returncode, done.stdout.splitlines(), (done.stderr.splitlines() or [""])[-1]


def test_runs_a_file_from_s3_with_parameters_from_s3(api: ScriptedDataApi) -> None:
    api.script = lambda sql: Reply(rows=7)
    api.objects["a/load.sql"] = b"DELETE FROM t WHERE m = :month;\nCOPY t FROM :manifest IAM_ROLE default;\nSELECT :n"
    api.objects["p/manifest.json"] = b'{"load": {"month": "2024-09-01", "manifest": "s3://p/x", "n": 5}}'
    params = ("--params-uri", "s3://p/manifest.json#/load", "--params", base64.b64encode(b'{"n": 6}').decode())
    options = ("--sql", "s3://a/load.sql", *GLUES, *WHERE, *params, "--transaction", "true", "--timeout", "60")
    code, lines, error = job(*options, "--additional-python-modules", "s3://a/x.whl", "--enable-metrics", "true")
    assert (code, error) == (0, "")
    (request,) = api.made("BatchExecuteStatement")
    bound = batches_take_parameters()
    month = ":month" if bound else "'2024-09-01'"
    assert request["Sqls"] == [
        f"DELETE FROM t WHERE m = {month}",
        "COPY t FROM 's3://p/x' IAM_ROLE default",
        "SELECT 6",
    ]
    assert request.get("Parameters", []) == [{"name": "month", "value": "2024-09-01"}] * bound
    events = [json.loads(line) for line in lines]
    assert [(event["event"], event.get("index"), event.get("rows")) for event in events] == [
        ("passed over", None, None),
        ("statement", 1, 7),
        ("statement", 2, 7),
        ("statement", 3, 7),
        ("run", None, 21),
    ]


def test_runs_a_statement_for_each_row(api: ScriptedDataApi) -> None:
    api.objects["a/x.sql"] = b"ALTER TABLE e.t ADD IF NOT EXISTS PARTITION (c = :c) LOCATION :at"
    rows = json.dumps({"partitions": [{"c": "x", "at": "s3://b/x/"}, {"c": "y", "at": "s3://b/y/"}]})
    code, lines, _ = job("--sql", "s3://a/x.sql", *WHERE, "--params", rows)
    assert [request["Sql"] for request in api.made("ExecuteStatement")] == [
        "ALTER TABLE e.t ADD IF NOT EXISTS PARTITION (c = 'x') LOCATION 's3://b/x/'",
        "ALTER TABLE e.t ADD IF NOT EXISTS PARTITION (c = 'y') LOCATION 's3://b/y/'",
    ]
    assert (code, json.loads(lines[-1])["statements"]) == (0, 2)


def jsonata(text: str) -> str:
    """JSONata's $base64encode($encodeUrlComponent(text)), which escapes all but the characters named here."""
    return base64.b64encode(quote(text, safe="~()*!.'").encode()).decode()


GIVEN = '{"m": "Bücher & 日本", "n": 1.50, "rows": [{"c": "x"}, {"c": "it\'s"}]}'
ENCODED = {
    "plain": GIVEN,
    "in Base64": base64.b64encode(GIVEN.encode()).decode(),
    "in lines of Base64": base64.encodebytes(GIVEN.encode()).decode(),
    "in Base64 with a byte order mark and blanks": base64.b64encode(f"\ufeff \n{GIVEN}".encode()).decode(),
    "in JSONata's Base64": jsonata(GIVEN),
}


@pytest.mark.parametrize("text", ENCODED.values(), ids=ENCODED)
def test_parameters_are_a_json_object_or_the_base64_of_one(text: str) -> None:
    rows = [{"c": "x"}, {"c": "it's"}]
    assert params_from_argument(text, "--params") == {"m": "Bücher & 日本", "n": Decimal("1.50"), "rows": rows}


@given(st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=3))
def test_no_object_is_taken_for_another(params: dict[str, str]) -> None:
    text = json.dumps(params, ensure_ascii=False)
    for one in (text, base64.b64encode(text.encode()).decode(), jsonata(text)):
        assert params_from_argument(one, "--params") == params


WRONG = {
    "nothing": ("", "--params: not JSON: "),
    "no Base64": ("eyJhIjo", "--params: not JSON: "),
    "Base64 of something else": ("aGVsbG8=", "--params: not JSON: "),
    "a word that could be Base64": ("null", "--params: parameters are a JSON object, this is a NoneType"),
    "Base64 of half an object": (base64.b64encode(b'{"a"').decode(), "--params: not JSON: "),
    "what JSONata makes of a name that is not ASCII": (
        base64.b64encode('{"a": "é"}'.encode("latin-1")).decode(),
        "--params: the Base64 of no UTF-8; in JSONata write $base64encode($encodeUrlComponent($string(…)))",
    ),
    "Base64 of a broken URI": (base64.b64encode(b"%7B%22a%FF").decode(), "--params: the Base64 of no UTF-8"),
}


@pytest.mark.parametrize(("text", "message"), WRONG.values(), ids=WRONG)
def test_other_parameters_are_refused(text: str, message: str) -> None:
    with pytest.raises(SourceError) as caught:
        params_from_argument(text, "--params")
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    "more",
    [
        (
            "--extra-py-files",
            "s3://a/x.whl",
            "--job_name",
            "j",
            "--scriptLocation",
            "s3://a/x.py",
            "--python-version",
            "3.9",
        ),
        ("--TempDir", "s3://t/", "--enable-metrics", "--job-language", "python", "--RedshiftTempDir", "s3://t/"),
        ("--not-invented-yet", "--password=secret", "--param", "{}"),
    ],
    ids=" ".join,
)
def test_what_is_not_this_jobs_is_passed_over_and_kept_by_name_alone(more: tuple[str, ...]) -> None:
    own = ("--sql", "s3://a/x.sql", *WHERE)
    names = tuple(word.partition("=")[0] for word in more if word.startswith("--"))
    for argv in ((*more, *own), (*own, *more)):
        assert vars(parse(argv)) == {**vars(parse(own)), "passed_over": names}


def test_prints_result_sets_where_asked_to(api: ScriptedDataApi) -> None:
    api.script = lambda sql: Reply(columns=(("n", "int4"),), records=([{"longValue": 1}],))
    api.objects["a/x.sql"] = b"SELECT 1"
    code, lines, _ = job("--sql", "s3://a/x.sql", *WHERE, "--output", "json")
    assert (code, lines[-1]) == (0, '{"n": 1}')
    assert len(job("--sql", "s3://a/x.sql", *WHERE)[1]) == 2


def test_a_dry_run_calls_nothing(api: ScriptedDataApi) -> None:
    api.objects["a/x.sql"] = b"SELECT 1"
    code, lines, _ = job("--sql", "s3://a/x.sql", *WHERE, "--dry-run", "true")
    assert (code, [json.loads(line).get("sql") for line in lines]) == (0, ["SELECT 1", None])
    assert api.statements == {}


FAILURES = {
    "no SQL": (WHERE, "UsageError: the following arguments are required: --sql"),
    "no truth": (
        ("--sql", "x", *WHERE, "--transaction", "yes"),
        "UsageError: argument --transaction: 'yes' is neither",
    ),
    "no JSON": (("--sql", "s3://a/x.sql", *WHERE, "--params", "{"), "SourceError: --params: not JSON: "),
    "no object": (
        ("--sql", "s3://a/x.sql", *WHERE, "--params", "[]"),
        "SourceError: --params: parameters are a JSON ob",
    ),
    "no file": (("--sql", "s3://a/no.sql", *WHERE), "SourceError: s3://a/no.sql: GetObject: NoSuchKey: "),
    "unterminated": (("--sql", "s3://a/open.sql", *WHERE), "LexicalError: s3://a/open.sql:1:1: unterminated comment"),
    "a failing statement": (
        ("--sql", "s3://a/x.sql", *WHERE),
        "StatementError: s3://a/x.sql:1:1: statement 1 (SELECT 1): ERROR: no really [statement id ",
    ),
}


@pytest.mark.parametrize(("argv", "message"), FAILURES.values(), ids=FAILURES)
def test_fails_with_one_line_of_class_and_message(api: ScriptedDataApi, argv: tuple[str, ...], message: str) -> None:
    api.script = lambda sql: Reply(error="ERROR: no\n  really")
    api.objects |= {"a/x.sql": b"SELECT 1", "a/open.sql": b"/*"}
    code, _, error = job(*argv)
    assert code == 1
    assert error.startswith(f"rs_query.errors.{message}")
