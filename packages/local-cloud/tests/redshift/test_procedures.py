"""Stored procedures: what PL/pgSQL runs, and what says that it does not."""

from __future__ import annotations

from typing import Any

import pytest

from local_cloud.services.redshift.errors import SqlError


def procedure(body: str, arguments: str = "", declare: str = "", name: str = "p") -> str:
    return (
        f"create or replace procedure {name}({arguments}) as $$\n{f'declare {declare}' if declare else ''}\n"
        f"begin\n{body}\nend;\n$$ language plpgsql"
    )


#: Declarations and body that leave an answer in the INOUT argument `x`, which comes in as 3.
BODIES: list[tuple[str, str, Any]] = [
    ("", "x := x + 1;", 4),
    ("", "x = x * 2;", 6),
    ("y int := 5; z int default 2;", "x := y * z;", 10),
    ("y constant int := 7;", "x := y;", 7),
    ("y int;", "if y is null then x := 1; end if;", 1),
    ("", "if x > 5 then x := 1; elsif x > 2 then x := 2; else x := 9; end if;", 2),
    ("", "if x > 5 then x := 1; else x := 9; end if;", 9),
    ("", "while x < 10 loop x := x + 4; end loop;", 11),
    ("", "loop x := x + 1; exit when x = 8; end loop;", 8),
    ("", "loop if x > 20 then exit; end if; x := x * 2; end loop;", 24),
    ("", "for i in 1..4 loop x := x + i; end loop;", 13),
    ("", "for i in reverse 4..1 loop x := x * 10 + i; end loop;", 34321),
    ("", "for i in 1..9 by 4 loop x := x + i; end loop;", 18),
    ("", "for i in 1..4 loop continue when i = 2; x := x + i; end loop;", 11),
    ("r record;", "for r in select 1 as a, 2 as b union all select 3, 4 loop x := x + r.a * r.b; end loop;", 17),
    ("r record;", "select into r 5 as a, 6 as b; x := r.a + r.b;", 11),
    ("", "select 4 + 4 into x;", 8),
    ("y int;", "select into x, y 1, 2; x := x * 10 + y;", 12),
    ("", "select count(*) into x from t;", 2),
    ("", "insert into t values (3), (4); get diagnostics x := row_count;", 2),
    ("", "delete from t where a = 1; select count(*) into x from t;", 1),
    ("", "execute 'insert into t values (9)'; select max(a) into x from t;", 9),
    ("q varchar(99);", "q := 'select max(a) from t where a < ' || x; execute q into x;", 2),
    ("q varchar(99);", "q := 'insert into t values (' || quote_literal('7') || '::int)'; execute q;"
     " select max(a) into x from t;", 7),
    ("", "perform count(*) from t; null; x := 5;", 5),
    ("", "x := 5; return; x := 6;", 5),
    ("", "begin x := 6; end;", 6),
    ("y int;", "declare y int := 4; begin x := y; end;", 4),
    ("", "create temp table tmp_x (a int); insert into tmp_x select x; select a + 1 into x from tmp_x;"
     " drop table tmp_x;", 4),
    ("", "call inner_one(x); x := x + 0;", 3),
    ("s varchar(20) := 'it''s';", "select len(s) into x;", 4),
    ("", "/* a ; comment */ x := 1; -- another ;\n x := x + 1;", 2),
    ("", "raise info 'x is %, 100%%', x;", 3),
]  # fmt: skip


@pytest.fixture
def tables(db) -> None:
    db.script("create table t (a int)", "insert into t values (1), (2)", procedure("null;", "n int", name="inner_one"))


@pytest.mark.parametrize(("declare", "body", "value"), BODIES, ids=[case[1][:40] for case in BODIES])
def test_body(db, tables, declare: str, body: str, value: Any) -> None:
    db.run(procedure(body, "x inout bigint", declare))
    assert db.run("call p(3)") == [(value,)]
    assert [column.name for column in db.columns] == ["x"]


def test_arguments_in_and_out(db) -> None:
    db.run(procedure("c := b || a; d := a + 1;", "a in int, b varchar(9), c out varchar(20), d out int"))
    assert db.run("call p(1, 'x')") == [("x1", 2)]
    db.run(procedure("null;", "a int, b int"))
    assert db.run("call p(1, 2)") == []


HOSTILE = ["it's", "'; drop table t; --", "$$", "\\", "x\ny", "%s"]


@pytest.mark.parametrize("value", HOSTILE)
def test_a_value_stays_a_value(db, tables, value: str) -> None:
    written = value.replace("\\", "\\\\").replace("'", "''")
    db.run("create table texts (v varchar(50))")
    db.run(procedure("insert into texts values (v_in); v_in := v_in || '!';", "v_in inout varchar(50)"))
    assert db.run(f"call p('{written}')") == [(f"{value}!",)]
    assert db.run("select v from texts") == [(value,)]
    assert db.run("select count(*) from t") == [(2,)]


ERRORS = [
    ("raise exception 'none of % and %', 1, 'a%b';", "none of 1 and a%b"),
    ("select 1/0;", "Divide by zero"),
    ("insert into nowhere values (1);", 'relation "nowhere" does not exist'),
    ("x := 1;", '"x" is not a known variable'),
    ("call p();", "stored procedure nested too deep, the limit is 16"),
    ("begin null; exception when division_by_zero then null; end;", 'syntax error at or near "division_by_zero"'),
    ("begin select 1/0; exception when others then insert into nowhere values (1); end;",
     'relation "nowhere" does not exist'),
    ("open c;", "cursors in procedures are not supported"),
    ("return 1;", "RETURN with a value is not supported in procedures"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "message"), ERRORS, ids=[case[0][:30] for case in ERRORS])
def test_error(db, tables, body: str, message: str) -> None:
    with pytest.raises(SqlError) as raised:
        db.script(procedure(f"insert into t values (9); {body}"), "call p()")
    assert message in raised.value.message
    # A procedure that fails leaves nothing behind.
    assert db.run("select count(*) from t") == [(2,)]


STATEMENTS = [
    ("call nope(1)", "procedure nope(unknown) does not exist"),
    ("call p(1, 2)", "procedure p(unknown, unknown) does not exist"),
    ("create procedure p() as $$ begin null; end; $$ language plpgsql",
     'function "p" already exists with same argument types'),
    ("create procedure q() as $$ begin $$ language plpgsql", "syntax error at end of input"),
    ("create procedure q() as $$ begin null; end; $$ language sql", 'language "sql" does not exist'),
    ("drop procedure nope(int)", "procedure nope does not exist"),
]  # fmt: skip


@pytest.mark.parametrize(("statement", "message"), STATEMENTS, ids=[case[0][:30] for case in STATEMENTS])
def test_statement_error(db, statement: str, message: str) -> None:
    db.run(procedure("null;"))
    assert message in db.error(statement)


def test_drop(db) -> None:
    db.script(procedure("null;"), "drop procedure p()", "drop procedure if exists p()")
    assert "does not exist" in db.error("call p()")


def test_a_call_is_part_of_its_transaction(db, tables) -> None:
    db.script(procedure("insert into t values (3);"), "begin", "call p()", "rollback")
    assert db.run("select count(*) from t") == [(2,)]


def test_commit_and_rollback_inside_a_procedure(db, tables) -> None:
    db.run(procedure("insert into t values (3); commit; insert into t values (4); rollback; insert into t values (5);"))
    db.run("call p()")
    assert db.run("select a from t order by a") == [(1,), (2,), (3,), (5,)]
    assert "invalid transaction termination" in db.error("begin", "call p()")


def test_notices_are_kept_for_the_session(db) -> None:
    db.script(procedure("raise info 'a %', 1; raise warning 'b';"), "call p()")
    assert db.session.notices[-2:] == ["INFO: a 1", "WARNING: b"]


def test_a_load_inside_a_procedure(engine, db) -> None:
    engine.s3.parquet("proc/a", "select 7 as v")
    db.run("create table loaded (v int)")
    db.run(procedure("execute 'copy loaded from ''' || url || ''' iam_role default parquet';", "url varchar(99)"))
    db.run("call p('s3://b/proc/')")
    assert db.run("select * from loaded") == [(7,)]


def test_a_handler_keeps_its_own_work_and_passes_the_error_on(db, tables) -> None:
    db.run("create table log (v varchar(99))")
    db.run(procedure("insert into t values (3); select 1/0; exception when others then"
                     " insert into log values ('failed: ' || sqlerrm); raise info 'seen %', sqlerrm;"))  # fmt: skip
    assert db.error("call p()") == "ERROR: Divide by zero"
    assert db.run("select a from t order by a") == [(1,), (2,)]
    assert db.run("select v from log") == [("failed: Divide by zero",)]
    assert db.session.notices[-1] == "INFO: seen Divide by zero"
    db.run("truncate log")
    assert db.error("begin", "call p()") == "ERROR: Divide by zero"
    db.run("rollback")
    assert db.run("select count(*) from log") == [(0,)]
