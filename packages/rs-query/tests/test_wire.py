"""The same runner over redshift_connector, against a real PostgreSQL that lexes as Redshift does."""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import postgres
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import rs_query
from rs_query import Column, DeadlineError, PlanError, StatementError
from rs_query.literals import literal
from rs_query.login import Login
from rs_query.transport import Target
from rs_query.wire import Wire

redshift_connector = pytest.importorskip("redshift_connector", reason="pip install 'rs-query[wire]'")
pytestmark = pytest.mark.skipif(postgres.binaries() is None, reason="this machine has no PostgreSQL")


@pytest.fixture(scope="module")
def server() -> Iterator[postgres.Postgres]:
    folder = postgres.binaries()
    assert folder is not None
    with postgres.running(folder) as running:
        yield running


@pytest.fixture(autouse=True)
def reached(server: postgres.Postgres, monkeypatch: pytest.MonkeyPatch) -> None:
    """The login that AWS would give, and a connection without TLS, which this server doesn't have."""
    connect = redshift_connector.connect
    monkeypatch.setattr(redshift_connector, "connect", lambda **options: connect(**options, ssl=False))
    login = Login("127.0.0.1", server.proxy_port, server.user, server.password)
    monkeypatch.setattr("rs_query.wire.login", lambda target: login)


def run(sql: str, **options: Any) -> rs_query.Run:
    return rs_query.run(sql, **({"workgroup": "elt", "database": "postgres", "transport": "wire"} | options))


def rows(sql: str, **params: Any) -> list[tuple[Any, ...]]:
    return run(sql, params=params).results[-1].fetch()


def test_runs_a_script_in_one_session() -> None:
    events: list[dict[str, Any]] = []
    done = run(
        "CREATE TEMP TABLE t (n int, s varchar); -- one;\n"
        "INSERT INTO t VALUES (:n, :s), (2, ';');\n"
        "SELECT * FROM t WHERE s = :s;",
        params={"n": 1, "s": "it's"},
        log=events.append,
    )
    created, inserted, selected = done.results
    assert (created.rows, created.has_result_set) == (None, False)
    assert (inserted.rows, inserted.has_result_set) == (2, False)
    assert (selected.rows, selected.fetch(), selected.fetch()) == (1, [(1, "it's")], [(1, "it's")])
    assert selected.columns() == (Column("n", "int4"), Column("s", "varchar"))
    assert len({result.statement_id for result in done.results}) == 1
    assert [(event["event"], event.get("index"), event["rows"]) for event in events] == [
        ("statement", 1, None),
        ("statement", 2, 2),
        ("statement", 3, 1),
        ("run", None, 3),
    ]


def test_results_are_typed() -> None:
    (result,) = run(
        "SELECT 1::smallint AS a, 2::int AS b, 3::bigint AS c, 12.50::numeric(9,2) AS d, 1.5::float8 AS e, true AS f,"
        " DATE '2024-09-01' AS g, TIMESTAMP '2024-09-01 12:30:00.5' AS h, TIMESTAMPTZ '2024-09-01 00:00:00+00' AS i,"
        " TIME '12:30:00' AS j, ''::varchar AS k, NULL::int AS l"
    ).results
    assert result.fetch() == [
        (
            *(1, 2, 3, Decimal("12.50"), 1.5, True, dt.date(2024, 9, 1)),
            dt.datetime.fromisoformat("2024-09-01T12:30:00.500000"),
            dt.datetime(2024, 9, 1, tzinfo=dt.timezone.utc),
            *(dt.time(12, 30), "", None),
        )
    ]
    kinds = "int2 int4 int8 numeric float8 bool date timestamp timestamptz time varchar int4"
    assert [column.type for column in result.columns()] == kinds.split()


def test_a_result_set_is_an_arrow_table_of_its_types() -> None:
    pa = pytest.importorskip("pyarrow")
    sql = (
        "SELECT 1::smallint AS a, 2::int AS b, 3::bigint AS c, 0.5::real AS d, 0.1::float8 AS e,"
        " 12.50::numeric(9,2) AS f, 0.125::numeric AS g, true AS h, DATE '2024-09-01' AS i,"
        " TIMESTAMP '2024-09-01 12:30:00.5' AS j,"
        " TIMESTAMPTZ '2024-09-01 12:30:00+02' AS k, TIME '12:30:00' AS l, 'x'::varchar AS m, NULL::numeric(38,10) AS n"
    )
    made = run(sql).arrow()
    microseconds, utc = pa.timestamp("us"), dt.timezone.utc
    numbers = [
        pa.int16(),
        pa.int32(),
        pa.int64(),
        pa.float32(),
        pa.float64(),
        pa.decimal128(9, 2),
        pa.decimal128(38, 3),
    ]
    others = [pa.bool_(), pa.date32(), microseconds, pa.timestamp("us", tz="UTC"), pa.time64("us"), pa.string()]
    assert made.schema.types == [*numbers, *others, pa.decimal128(38, 10)]
    assert list(made.to_pylist()[0].values()) == [
        *(1, 2, 3, 0.5, 0.1, Decimal("12.50"), Decimal("0.125"), True, dt.date(2024, 9, 1)),
        dt.datetime.fromisoformat("2024-09-01T12:30:00.500000"),
        dt.datetime(2024, 9, 1, 10, 30, tzinfo=utc),
        *(dt.time(12, 30), "x", None),
    ]
    empty = run(f"SELECT * FROM ({sql}) AS t WHERE false").arrow()
    unknown = made.schema.set(6, pa.field("g", pa.decimal128(38, 0)))
    assert (empty.num_rows, empty.schema) == (0, unknown)


VALUES = {
    "quote": "it's",
    "quotes": "''';'",
    "backslash": "\\",
    "backslash quote": "\\'",
    "the end of a statement": "'; DROP TABLE t; --",
    "the end after a backslash": "\\'; DROP TABLE t; --",
    "comments": "/* -- */",
    "dollars": "$$ $1 $x$",
    "a parameter": ":a ::b ?",
    "a format": "%s %(a)s %%",
    "double quotes": '"a"',
    "emoji": "😀",
    "line ends": "a\r\nb\tc",
}


@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES)
def test_hostile_text_comes_back_as_it_is(value: str) -> None:
    assert rows("SELECT :v, 'c'", v=value) == [(value, "c")], "bound by the server"
    assert rows("SELECT :v, '?'", v=value) == [(value, "?")], "as a literal, since the driver would touch the ?"
    assert rows("SELECT 1 WHERE :v IN (:l)", v=value, l=["x", value]) == [(1,)], "in a list"
    assert rows('SELECT 1 AS :"n"', n=value[:60]) == [(1,)], "as an identifier"
    assert run('SELECT 1 AS :"n"', params={"n": value[:60]}).results[0].columns()[0].name == value[:60]


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_comes_back_as_it_is(value: str) -> None:
    assert rows("SELECT :v UNION ALL SELECT " + literal(value, "v"), v=value) == [(value,), (value,)]


SCALARS = {
    "null": None,
    "true": True,
    "false": False,
    "integer": 12,
    "negative": -12,
    "large": 2**62,
    "decimal": Decimal("-12.50"),
    "many digits": Decimal("12345678901234567890.123456789"),
    "double": 0.1,
    "large double": -1.5e300,
    "infinity": float("inf"),
    "date": dt.date(2024, 9, 1),
    "timestamp": dt.datetime.fromisoformat("2024-09-01T12:30:00.005000"),
    "with a zone": dt.datetime(2024, 9, 1, 12, tzinfo=dt.timezone(dt.timedelta(hours=2))),
    "time": dt.time(12, 30),
    "empty": "",
}


@pytest.mark.parametrize("value", SCALARS.values(), ids=SCALARS)
def test_values_keep_their_type(value: Any) -> None:
    ((back, again),) = rows("SELECT :v, :v", v=value)
    assert back == again == value
    assert type(back) is type(value)


def test_arithmetic_stays_arithmetic() -> None:
    assert rows("SELECT 1 -:n, 2*:n, :n::int", n=-5) == [(6, -10, -5)]


def test_a_transaction_is_all_or_nothing() -> None:
    run("DROP TABLE IF EXISTS kept; CREATE TABLE kept (n int)")
    run("INSERT INTO kept VALUES (1); INSERT INTO kept VALUES (2)", transaction=True)
    assert rows("SELECT count(*) FROM kept") == [(2,)]
    with pytest.raises(StatementError, match=r"statement 2 \(INSERT INTO nowhere VALUES \(1\)\): ERROR: relation"):
        run("DELETE FROM kept; INSERT INTO nowhere VALUES (1)", transaction=True)
    assert rows("SELECT count(*) FROM kept") == [(2,)]
    with pytest.raises(StatementError):
        run("INSERT INTO kept VALUES (3); bad; INSERT INTO kept VALUES (4)")
    assert rows("SELECT n FROM kept ORDER BY n") == [(1,), (2,), (3,)], "without one, what had finished stays done"
    with pytest.raises(PlanError, match="TRUNCATE commits"):
        run("DELETE FROM kept; TRUNCATE kept", transaction=True)


def test_errors_name_place_and_reason() -> None:
    script = rs_query.Script("SELECT 1;\n  SELECT 'secret' FROM nowhere", "x.sql")
    with pytest.raises(StatementError) as caught:
        rs_query.run(script, workgroup="elt", database="postgres", transport="wire")
    what = "x.sql:2:3: statement 2 (SELECT '…' FROM nowhere)"
    assert str(caught.value).startswith(f'{what}: ERROR: relation "nowhere" does not exist [statement id pid ')


def test_a_conflict_runs_the_whole_transaction_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("random.uniform", lambda low, high: 0.0)
    run(
        "DROP SEQUENCE IF EXISTS attempts; CREATE SEQUENCE attempts; DROP TABLE IF EXISTS u; CREATE TABLE u (n int);"
        "CREATE OR REPLACE FUNCTION clash() RETURNS int AS $$ BEGIN"
        "  IF nextval('attempts') < 3 THEN RAISE EXCEPTION 'Serializable isolation violation on table'; END IF;"
        "  RETURN 1; END $$ LANGUAGE plpgsql"
    )
    events: list[dict[str, Any]] = []
    run("INSERT INTO u VALUES (1); SELECT clash()", transaction=True, log=events.append)
    assert rows("SELECT count(*) FROM u") == [(1,)]
    assert [event["attempt"] for event in events if event["event"] == "retry"] == [1, 2]


def test_a_copy_that_fails_says_what_the_server_wrote_about_its_files() -> None:
    run(
        "DROP VIEW IF EXISTS sys_load_error_detail; CREATE TABLE IF NOT EXISTS c (n int);"
        "CREATE VIEW sys_load_error_detail AS SELECT pg_backend_pid() AS session_id, now() AS start_time,"
        " 's3://b/part-0 '::varchar AS file_name, 7 AS line_number, 'n'::varchar AS column_name,"
        " 'int4'::varchar AS column_type, 1207 AS error_code, 'Invalid digit'::varchar AS error_message"
    )
    row = "load error in s3://b/part-0, line 7, column n (int4): Invalid digit (code 1207)"
    for transaction in (False, True):
        with pytest.raises(StatementError) as caught:
            run("DELETE FROM c; COPY c FROM 's3://b'", transaction=transaction)
        assert caught.value.load_errors == (row,)
        assert str(caught.value).endswith(f"; {row}")


def _others_running(text: str) -> list[tuple[Any, ...]]:
    return rows("SELECT query FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND query LIKE :t", t=f"{text}%")


def test_the_deadline_ends_what_runs() -> None:
    run("DROP TABLE IF EXISTS d; CREATE TABLE d (n int)")
    with pytest.raises(DeadlineError) as caught:
        run("INSERT INTO d VALUES (1); SELECT pg_sleep(60); SELECT 1", timeout=3, transaction=True)
    assert "statement 2 (SELECT pg_sleep(60)) was cancelled [statement id pid " in str(caught.value)
    assert str(caught.value).endswith("; the transaction is rolled back, nothing was changed")
    assert rows("SELECT * FROM d") == []
    assert _others_running("SELECT pg_sleep") == []


def test_a_signal_ends_what_runs(server: postgres.Postgres, tmp_path: Path) -> None:
    program = (
        "import functools, sys, redshift_connector as driver, rs_query.wire, rs_query.cli\n"
        "from rs_query.login import Login\n"
        "driver.connect = functools.partial(driver.connect, ssl=False)\n"
        f"login = Login('127.0.0.1', {server.proxy_port}, {server.user!r}, input())\n"
        "rs_query.wire.login = lambda target: login\n"
        "sys.exit(rs_query.cli.main(sys.argv[1:]))\n"
    )
    (tmp_path / "x.sql").write_text("SELECT pg_sleep(59)")
    options = ["--workgroup", "elt", "--database", "postgres", "--transport", "wire"]
    process = subprocess.Popen(
        [sys.executable, "-c", program, "run", str(tmp_path / "x.sql"), *options],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    process.stdin.write(f"{server.password}\n")
    process.stdin.flush()
    end = time.monotonic() + 20
    while not _others_running("SELECT pg_sleep(59)"):
        assert time.monotonic() < end
        time.sleep(0.05)
    process.terminate()
    _, err = process.communicate(timeout=20)
    assert process.returncode == 143
    place = f"{tmp_path}/x.sql:1:1: statement 1 (SELECT pg_sleep(59))"
    assert f"rs-query: stopped by SIGTERM; {place} was cancelled [statement id pid " in err
    assert _others_running("SELECT pg_sleep(59)") == []


def test_large_results_stay_out_of_memory() -> None:
    tracemalloc.start()
    (result,) = run("SELECT n, repeat('x', 100) AS s FROM generate_series(1, 50000) AS g(n)").results
    total = sum(n for n, _ in result)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (result.rows, total) == (50_000, 50_000 * 50_001 // 2)
    assert [len(page.rows) for page in result.pages()] == [1000] * 50
    assert peak < 4_000_000, "the rows alone would be 12 MB"


def test_an_empty_result_set_has_its_columns() -> None:
    (result,) = run("SELECT 1 AS n WHERE false").results
    assert (result.rows, result.has_result_set, result.fetch()) == (0, True, [])
    assert result.columns() == (Column("n", "int4"),)


def test_a_lost_connection_is_told_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(rs_query.ConnectionLostError, match=r"BrokenPipe: .*; whether it ran is unknown"):
        run("SELECT pg_terminate_backend(pg_backend_pid())")
    monkeypatch.setattr("random.uniform", lambda low, high: 0.0)
    monkeypatch.setattr("rs_query.wire.login", lambda target: Login("127.0.0.1", postgres.free_port(), "u", "p"))
    with pytest.raises(rs_query.ConnectionLostError, match=r"127.0.0.1:\d+: communication error"):
        run("SELECT 1")


def test_a_refused_login_is_told_without_the_password(server: postgres.Postgres, monkeypatch: Any) -> None:
    login = Login("127.0.0.1", server.proxy_port, server.user, "hunter2")
    monkeypatch.setattr("rs_query.wire.login", lambda target: login)
    with pytest.raises(rs_query.RsQueryError, match="password authentication failed") as caught:
        run("SELECT 1")
    assert "hunter2" not in str(caught.value) + repr(login)


def test_without_the_driver_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "redshift_connector", None)
    with pytest.raises(rs_query.UsageError) as caught:
        run("SELECT 1")
    assert str(caught.value) == (
        "the wire needs redshift-connector, which rs-query[wire] brings: pip install redshift-connector"
    )


def test_psql_agrees_on_what_a_statement_is(server: postgres.Postgres) -> None:
    """psql splits by the rules that Redshift inherited: as many results as we see statements, each the same."""
    text = """SELECT 'a;b'; SELECT 'it''s', 'it\\'s;', '\\\\'; /* /* ; */ ; */
    SELECT $t$;$$;$t$, "a;" FROM (SELECT 1 AS "a;") x;; -- ;"""
    values = [[str(cell) for cell in rows(statement.text)[0]] for statement in rs_query.split(text)]
    assert values == [["a;b"], ["it's", "it's;", "\\"], [";$$;", "1"]]
    psql = subprocess.run(
        f"psql -h 127.0.0.1 -p {server.port} -U {server.user} -qtAX -F | postgres".replace("|", "'|'"),
        shell=True,
        input=text,
        env=os.environ | {"PGPASSWORD": server.password},
        capture_output=True,
        text=True,
    )
    assert [line.split("|") for line in psql.stdout.splitlines()] == values


def test_a_mark_is_none_where_the_driver_would_look_for_its_own() -> None:
    transport = Wire(Target("dev", workgroup="elt"), log=lambda event: None)
    plain, question = rs_query.split("SELECT :a; SELECT :a, '?'")
    assert (transport.mark(plain, "a", 2), transport.mark(question, "a", 2)) == ("$2", None)
