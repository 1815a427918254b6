"""Redshift's functions: every result that the manual prints, by value and by type, and every name that is refused."""

from __future__ import annotations

import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from local_cloud.services.redshift.sql import kinds
from local_cloud.services.redshift.sql.annotate import annotate, type_of
from local_cloud.services.redshift.sql.dialect import read
from local_cloud.services.redshift.sql.functions import FUNCTIONS, ROWS, refused
from local_cloud.services.redshift.sql.functions.table import Function

SHOWN = [row for row in ROWS if row.examples]


@pytest.mark.parametrize("row", SHOWN, ids=[row.names[0] for row in SHOWN])
def test_examples_of_the_manual_by_value_and_type(db, row: Function) -> None:
    query = "select " + ", ".join(sql for sql, _ in row.examples)
    values = db.run(query)[0]
    assert list(values) == [expected for _, expected in row.examples]
    assert [type(value) for value in values] == [type(expected) for _, expected in row.examples]
    tree = read(query)
    annotate(tree, {})
    found = [kinds.redshift_type(type_of(column)) for column in tree.expressions]
    assert [kind and kind.name for kind in found if kind] == [
        column.type.name for column, kind in zip(db.columns, found, strict=True) if kind
    ]


def test_every_function_of_the_index_is_built_or_refused_by_name(db) -> None:
    index = (Path(__file__).parent / "function_index.txt").read_text().split()
    built = {*FUNCTIONS, *db.session.moment().session}
    assert [name for name in index if name not in built and not refused.is_refused(name)] == []


def test_no_function_is_both_built_and_refused() -> None:
    assert [name for name in FUNCTIONS if refused.is_refused(name)] == []


@pytest.mark.parametrize("name", ["checksum", "st_area", "hll"])
def test_a_function_that_is_not_built_is_refused_by_name(db, name: str) -> None:
    assert db.error(f"select {name}(1)") == f"ERROR: {name.upper()} is not supported by the local warehouse"


HINT = "\n  Hint: No function matches the given name and argument types. You may need to add explicit type casts."
ELSEWHERE = [
    ("list_value(1)", "list_value(integer)"),
    ("strftime(timestamp '2024-01-01', '%Y')", "strftime(timestamp without time zone, character varying)"),
    ("string_agg('a', '-')", "string_agg(character varying, character varying)"),
    ("array_agg(1)", "array_agg(integer)"),
    ("if(true, 1, 2)", "if(boolean, integer, integer)"),
    ("epoch_ms(1)", "epoch_ms(integer)"),
    ("uuid()", "uuid()"),
    ("read_csv('/etc/hostname')", "read_csv(character varying)"),
    ("redshift_truncate('a', 1)", "redshift_truncate(character varying, integer)"),
    ("len()", "len()"),
    ("left('a')", "left(character varying)"),
    ("nvl2(1, 2)", "nvl2(integer, integer)"),
]


@pytest.mark.parametrize(("call", "shown"), ELSEWHERE, ids=[call for call, _ in ELSEWHERE])
def test_a_call_that_redshift_does_not_know_does_not_exist(db, call: str, shown: str) -> None:
    assert db.error(f"select {call}") == f"ERROR: function {shown} does not exist{HINT}\n  Position: 8"


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("select distinct on (a) a from t", "SELECT DISTINCT ON is not supported"),
        ("select 1 from t where 1 || '-' || 2 is not null", "operator does not exist: text || boolean"),
        (
            "select sum(a) over (partition by 1) from t",
            "constant expressions are not supported in partition by clauses",
        ),
        ("insert into t values (1) returning a", 'syntax error at or near "returning"'),
        ("select a from t fetch first 1 rows only", 'syntax error at or near "fetch"'),
        ("select [1, 2]", 'syntax error at or near "["'),
        ("select {'a': 1}", 'syntax error at or near "{"'),
        ("select 1::hugeint", 'type "hugeint" does not exist'),
        ("select count(*) filter (where a > 1) from t", 'syntax error at or near "filter"'),
        ("select * from t asof join t u on t.a >= u.a", 'syntax error at or near "asof"'),
        ("select * from (values (1)) v(a)", 'syntax error at or near "values"'),
        ("select a from t intersect all select a from t", 'syntax error at or near "all"'),
        ("select '1'::oid", "the type oid is not supported by the local warehouse"),
        ("select 5.0::bool", "cannot cast type numeric to boolean"),
        ("select true || 'a'", "operator does not exist: text || boolean"),
    ],
    ids=lambda text: text[:40],
)
def test_what_only_duckdb_knows_is_refused_as_redshift_refuses_it(db, statement: str, message: str) -> None:
    db.run("create table t (a int)")
    assert db.error(statement).split("\n")[0] == f"ERROR: {message}"


def at(*parts: int) -> datetime.datetime:
    return datetime.datetime(*parts)  # noqa: DTZ001 - Redshift's TIMESTAMP has no zone


TIMES = [
    ("2024-09-01", at(2024, 9, 1)),
    ("20240901", at(2024, 9, 1)),
    ("January 8, 1999", at(1999, 1, 8)),
    ("1/8/1999", at(1999, 1, 8)),
    ("01/02/00", at(2000, 1, 2)),
    ("1999-Jan-08", at(1999, 1, 8)),
    ("08-Jan-1999", at(1999, 1, 8)),
    ("02 Oct 2001", at(2001, 10, 2)),
    ("J2451187", at(1999, 1, 8)),
    ("epoch", at(1970, 1, 1)),
    ("20200430 04:05:06.789", at(2020, 4, 30, 4, 5, 6, 789000)),
    ("19960108 040809", at(1996, 1, 8, 4, 8, 9)),
    ("2024-09-01T10:11:12Z", at(2024, 9, 1, 10, 11, 12)),
    ("2024-09-01 10:00 PM", at(2024, 9, 1, 22)),
    ("2024-09-01 12:30 am", at(2024, 9, 1, 0, 30)),
    ("2024-09-01 24:00:00", at(2024, 9, 2)),
    ("2024-09-01 10:00:00+02", at(2024, 9, 1, 10)),
    ("1.12.1997 07:37:16.00 PST", at(1997, 1, 12, 7, 37, 16)),
]


@pytest.mark.parametrize(("written", "expected"), TIMES, ids=[written for written, _ in TIMES])
def test_a_text_is_read_as_a_timestamp_in_the_forms_of_the_manual(
    db, written: str, expected: datetime.datetime
) -> None:
    db.run("create table t (s varchar(40))")
    db.run(f"insert into t values ('{written}')")
    # A literal is read before the query runs, a column while it does.
    assert db.run(f"select '{written}'::timestamp, s::timestamp, s::date from t") == [
        (expected, expected, expected.date())
    ]


WRONG = [
    ("timestamp", "2024-09-01 10:00 xyz", "invalid input syntax for type timestamp"),
    ("timestamp", "2024-13-01", "date/time field value out of range"),
    ("timestamp", "2024-02-30 10:00:00", "date/time field value out of range"),
    ("timestamp", "2024-09-01 25:00:00", "date/time field value out of range"),
    ("timestamp", "2024-09-01 13:00 PM", "invalid input syntax for type timestamp"),
    ("date", "tomorrow morning", "invalid input syntax for type date"),
]


@pytest.mark.parametrize(("kind", "written", "fault"), WRONG, ids=[written for _, written, _ in WRONG])
def test_a_text_that_is_no_moment_is_refused(db, kind: str, written: str, fault: str) -> None:
    message = f'ERROR: {fault}: "{written}"'
    db.script("create table s (t varchar(40))", f"insert into s values ('{written}')", f"create table d (d {kind})")
    assert db.error(f"select '{written}'::{kind}") == message
    assert db.error(f"select t::{kind} from s") == message
    assert db.error(f"insert into d values ('{written}')") == message


@pytest.mark.parametrize("written", ["7.5", "7.0", "1e3", "0x10", "1_000", "", "x"])
def test_a_text_that_is_no_integer_is_refused(db, written: str) -> None:
    message = f'ERROR: invalid input syntax for integer: "{written}"'
    assert db.error(f"select '{written}'::int") == message
    db.run("create table t (n int)")
    assert db.error(f"insert into t values ('{written}')") == message


def test_trailing_blanks_count_for_nothing_in_comparisons_groups_and_joins(db) -> None:
    db.script("create table t (s varchar(5))", "insert into t values ('a'), ('a '), ('b')")
    assert db.value("'ab  '::varchar(5) = 'ab'") is True
    assert db.run("select count(*) from t where s = 'a'") == [(2,)]
    assert db.run("select count(*) from t where s in ('a  ', 'c')") == [(2,)]
    assert db.run("select s, count(*) from t group by s order by s") == [("a", 2), ("b", 1)]
    assert db.run("select distinct s from t order by 1") == [("a",), ("b",)]
    assert db.run("select count(distinct s) from t") == [(2,)]
    assert db.run("select count(*) from t x join t y on x.s = y.s") == [(5,)]


ORDERS = [
    # Of c: 1 with orders k=1 (lines p=10, p=20) and k=2 (p=30), 2 with k=3 without lines, 3 with none, 4 with NULL.
    ("select c.id, o.k from c, c.orders o", [(1, "1"), (1, "2"), (2, "3")]),
    ("select c.id, o.k, i from c, c.orders as o at i", [(1, "1", 0), (1, "2", 1), (2, "3", 0)]),
    ("select o.k, l.p::int from c, c.orders as o, o.lines as l", [("1", 10), ("1", 20), ("2", 30)]),
    ("select c.id, o.k from c left join c.orders o on true where c.id > 1", [(2, "3"), (3, None), (4, None)]),
    ("select o from c, c.orders[0].lines o", [('{"p":10}',), ('{"p":20}',)]),
    ("select id from c where exists (select 1 from c.orders o where o.k = 3)", [(2,)]),
    ("select id, (select count(*) from c.orders o) from c", [(1, 2), (2, 1), (3, 0), (4, 0)]),
    ("with d as (select * from c) select o.k, count(*) from d, d.orders o group by o.k order by o.k",
     [("1", 1), ("2", 1), ("3", 1)]),
    ("select a, v from c, unpivot c.orders[1] as v at a where id = 1", [("k", "2"), ("lines", '[{"p":30}]')]),
    ("select o.k, a from c, c.orders as o, unpivot o as v at a where o.k > 2", [("3", "k"), ("3", "lines")]),
    ("select v from (select json_parse('[[1, 2], [3]]') s) t, t.s as inside, inside as v", [("1",), ("2",), ("3",)]),
]  # fmt: skip


@pytest.mark.parametrize(("query", "rows"), ORDERS, ids=range(len(ORDERS)))
def test_a_from_item_iterates_over_a_super(db, query: str, rows: list[Any]) -> None:
    db.script(
        "create table c (id int, orders super)",
        "insert into c values (2, json_parse('[{\"k\": 3, \"lines\": []}]')), (3, json_parse('[]')), (4, null),"
        ' (1, json_parse(\'[{"k": 1, "lines": [{"p": 10}, {"p": 20}]}, {"k": 2, "lines": [{"p": 30}]}]\'))',
    )
    assert sorted(db.run(query)) == rows


BLANKS = [
    # Of t ('ab  ', 1), ('cd', 2) and u ('ab', 1), ('ef', 3).
    ("select s from t union select s from u", [("ab",), ("cd",), ("ef",)]),
    ("select * from t union select * from u", [("ab", 1), ("cd", 2), ("ef", 3)]),
    ("select s from t intersect select s from u", [("ab",)]),
    ("select s from t except select s from u", [("cd",)]),
    ("select s from t union all select s from u where n = 1", [("ab",), ("ab  ",), ("cd",)]),
    ("select distinct * from (select * from t union all select * from u)", [("ab", 1), ("cd", 2), ("ef", 3)]),
    ("select distinct upper(s) from (select s from t union all select s from u)", [("AB",), ("CD",), ("EF",)]),
    ("select upper(s), count(*) from (select s from t union all select s from u) group by 1 having upper(s) = 'AB'",
     [("AB", 2)]),
    ("select s, t.n, u.n from t join u using (s)", [("ab", 1, 1)]),
    ("select * from t natural join u", [("ab", 1)]),
    ("select case s when 'ab' then 1 else 0 end from t", [(0,), (1,)]),
    ("select decode(s, 'ab', 1, 0), nullif(s, 'ab') is null from t", [(0, False), (1, True)]),
    ("select n from t where (s, n) in (('ab', 1), ('cd', 9))", [(1,)]),
    ("select count(*) over (partition by s) from (select s from t union all select s from u)",
     [(1,), (1,), (2,), (2,)]),
    ("with c as (select * from t) select n from c where s = 'ab'", [(1,)]),
]  # fmt: skip


@pytest.mark.parametrize(("query", "rows"), BLANKS, ids=range(len(BLANKS)))
def test_trailing_blanks_count_for_nothing(db, query: str, rows: list[Any]) -> None:
    db.script(
        "create table t (s varchar(5), n int)",
        "insert into t values ('ab  ', 1), ('cd', 2)",
        "create table u (s varchar(5), n int)",
        "insert into u values ('ab', 1), ('ef', 3)",
    )
    assert sorted(db.run(query)) == rows


SET_OPERATIONS = [
    ("select avg(x), sum(x), min(x) / 3 from (select 1.5 x union all select 2.25)",
     (Decimal("1.87"), Decimal("3.75"), Decimal("0.50000"))),
    ("with a as (select 1 x union all select 2.25 union all select 10::decimal(12,4)) select avg(x) from a",
     (Decimal("4.4166"),)),
    ("select avg(x) from (select 1 x union all select 2::bigint)", (1,)),
    ("select x || '' from (select 1 x union all select 2.5) where x > 2", ("2.5",)),
]  # fmt: skip


@pytest.mark.parametrize(("query", "row"), SET_OPERATIONS, ids=range(len(SET_OPERATIONS)))
def test_a_column_of_a_set_operation_has_the_digits_of_both(db, query: str, row: tuple[Any, ...]) -> None:
    assert db.run(query) == [row]


def test_columns_behind_a_star_have_their_types(db) -> None:
    db.script(
        "create table t (n decimal(10,2), s varchar(7), j super)", "insert into t select 10, 'x', json_parse('1')"
    )
    assert db.run("with c as (select *, 1 as one from t), d as (select * from c) select n / 3, one from d") == [
        (Decimal("3.3333333333333"), 1)
    ]
    db.run("select c.* from (select * from t) c")
    assert [str(column.type) for column in db.columns] == ["numeric(10,2)", "character varying(7)", "super"]


def test_super_counts_from_zero_and_compares_by_its_own_type(db) -> None:
    db.run('create table t as select json_parse(\'{"o": [{"k": 1}, {"k": 2}], "s": "x"}\') as s')
    assert db.run("select t.s.o[0].k, t.s.o[1].k, t.s.nothing from t") == [("1", "2", None)]
    assert db.run("select 1 from t where t.s.o[0].k + 1 = 2 and t.s.s = 'x'") == [(1,)]
    assert db.run("select 1 from t where t.s.s = 1") == []
    assert db.run("select t.s.s::varchar, t.s.o[1].k::int, t.s.s::int from t") == [("x", 2, None)]
