"""Redshift's functions and operators: what each gives, on one row with `a` 1, `b` 2, `d` a timestamp, `s` a text."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Any

import pytest

ROW = "(select 1 as a, 2 as b, timestamp '2024-02-29 13:14:15' as d, 'abc def'::varchar(20) as s)"


def at(*parts: int) -> datetime.datetime:
    return datetime.datetime(*parts)  # noqa: DTZ001 - Redshift's TIMESTAMP has no zone


def day(*parts: int) -> datetime.date:
    return datetime.date(*parts)


EXPRESSIONS: list[tuple[str, Any]] = [
    # Arithmetic: integers divide to integers, decimals keep digits.
    ("7/2", 3),
    ("-7/2", -3),
    ("a/b", 0),
    ("7.0/2", Decimal("3.50000")),
    ("7::float/2", 3.5),
    ("1.0::decimal(10,2)/3", Decimal("0.3333333333333")),
    ("mod(7,3)", 1),
    ("-7 % 3", -1),
    ("power(2,3)", 8.0),
    ("round(1.555,2)", Decimal("1.56")),
    ("trunc(1.789)", Decimal(1)),
    ("trunc(1.789,1)", Decimal("1.7")),
    ("trunc(-3.5::float)", -3.0),
    ("ceil(1.2)", Decimal(2)),
    ("floor(-1.2)", Decimal(-2)),
    ("abs(-3)", 3),
    ("sign(-3)", -1),
    ("cast(1.239 as decimal(10,2))", Decimal("1.24")),
    ("cast('3.7' as decimal)", Decimal(4)),
    ("'12'::int + 1", 13),
    ("strtol('ff',16)", 255),
    ("to_hex(255)", "ff"),
    # Dates and times.
    ("dateadd(day,1,d)", at(2024, 3, 1, 13, 14, 15)),
    ("dateadd(month,a,d)", at(2024, 3, 29, 13, 14, 15)),
    ("dateadd(day,-1,'2024-03-01')", at(2024, 2, 29)),
    ("dateadd('year',-1,d)", at(2023, 3, 1, 13, 14, 15)),
    ("dateadd(minute,30,d)", at(2024, 2, 29, 13, 44, 15)),
    ("datediff(day,'2024-01-01',d)", 59),
    ("datediff('month','2023-12-31'::date,d)", 2),
    ("datediff(hour,'2024-02-29 12:59:00',d)", 1),
    ("datediff(year,'2023-12-31','2024-01-01')", 1),
    ("date_trunc('month',d)", at(2024, 2, 1)),
    ("date_trunc('week',d)", at(2024, 2, 26)),
    ("trunc(d)", day(2024, 2, 29)),
    ("d::date", day(2024, 2, 29)),
    ("date_part(dow,d)", 4.0),
    ("date_part('year',d)", 2024.0),
    ("extract(epoch from d)", 1709212455),
    ("extract(hour from d)", 13),
    ("last_day(d)", day(2024, 2, 29)),
    ("add_months(d,1)", at(2024, 3, 31, 13, 14, 15)),
    ("months_between('2024-03-31','2024-02-29')", 1.0),
    ("next_day(d,'Mon')", day(2024, 3, 4)),
    ("date_cmp('2024-01-01','2024-01-02')", -1),
    ("to_char(d,'YYYY-MM-DD HH24:MI:SS')", "2024-02-29 13:14:15"),
    ("to_char(d,'Mon DD, YYYY')", "Feb 29, 2024"),
    ("to_date('20240131','YYYYMMDD')", day(2024, 1, 31)),
    ("convert_timezone('US/Eastern',d)", at(2024, 2, 29, 8, 14, 15)),
    ("convert_timezone('US/Eastern','UTC',d)", at(2024, 2, 29, 18, 14, 15)),
    ("'2024-01-01'::date + 5", day(2024, 1, 6)),
    ("d::date - '2024-01-01'::date", 59),
    ("d + interval '2 hours'", at(2024, 2, 29, 15, 14, 15)),
    ("d between '2024-01-01' and '2025-01-01'", True),
    ("date '2024-01-01' = '2024-01-01'", True),
    # NULLs and choices.
    ("nvl(null,a)", 1),
    ("nvl2(null,1,2)", 2),
    ("nvl2(a,1,2)", 1),
    ("isnull(null,3)", 3),
    ("coalesce(null,2)", 2),
    ("nullif(a,1)", None),
    ("decode(a,1,'x','y')", "x"),
    ("decode(null,null,'n','y')", "n"),
    ("greatest(1,null,3)", 3),
    ("least(1,2)", 1),
    ("case when null then 1 else 2 end", 2),
    ("'a'||null||'b'", None),
    ("concat('a',null)", None),
    ("1 = '1'", True),
    # Text. Lengths of types are bytes, LEN counts characters.
    ("len(s)", 7),
    ("len('héllo')", 5),
    ("octet_length('é')", 2),
    ("charindex('d',s)", 5),
    ("strpos(s,'d')", 5),
    ("position('d' in s)", 5),
    ("left(s,2)", "ab"),
    ("right(s,2)", "ef"),
    ("substring(s,2,3)", "bc "),
    ("substr(s,2)", "bc def"),
    ("initcap('hello wOrld')", "Hello World"),
    ("btrim('xxaxx','x')", "a"),
    ("trim(both 'x' from 'xax')", "a"),
    ("lpad('a',3)", "  a"),
    ("lpad('a',3,'0')", "00a"),
    ("translate('abc','ab','xy')", "xyc"),
    ("split_part('a,b,c',',',2)", "b"),
    ("reverse('abc')", "cba"),
    ("'a' || 1", "a1"),
    ("cast('abcdef' as varchar(3))", "abc"),
    ("'abcdef'::char(2)", "ab"),
    ("'héllo'::varchar(3)", "hé"),
    ("'héllo'::varchar(2)", "h"),
    ("'ab '::char(5) = 'ab'", True),
    ("md5('a')", "0cc175b9c0f1b6a831c399e269772661"),
    ("sha1('a')", "86f7e437faa5a7fce15d1ddcb9eaeaea377667b8"),
    ("regexp_replace('aXbX','X','-')", "a-b-"),
    ("regexp_substr('abc123','[0-9]+')", "123"),
    ("regexp_count('a1b2','[0-9]')", 2),
    ("'abc' ~ '^a'", True),
    ("'abc' similar to '(a|b)b_'", True),
    ("'abc' similar to 'a'", False),
    ("'a_c' like 'a\\\\_c'", True),
    ("'abc' like 'a\\\\_c'", False),
    ("'abc' ilike 'AB%'", True),
    ("quote_literal('it''s')", "'it''s'"),
    # JSON.
    ("json_extract_path_text('{\"a\":{\"b\":1}}','a','b')", "1"),
    ("json_array_length('[1,2]')", 2),
    ("json_extract_array_element_text('[1,\"x\"]',1)", "x"),
    ("is_valid_json('{')", False),
    # Aggregates.
    ("count(*)", 1),
    ("count(distinct a)", 1),
    ("approximate count(distinct a)", 1),
    ("sum(a)", 1),
    ("avg(a)", 1),
    ("median(a)", 1.0),
    ("listagg(a,',') within group (order by b)", "1"),
    ("listagg(distinct s,';')", "abc def"),
    ("bool_and(a = 1)", True),
    ("any_value(a)", 1),
    ("percentile_cont(0.5) within group (order by a)", 1.0),
    # Windows.
    ("row_number() over (order by a)", 1),
    ("rank() over (partition by a order by b desc)", 1),
    ("lag(a) over (order by a)", None),
    ("ratio_to_report(a) over ()", 1.0),
    ("sum(a) over (order by b rows unbounded preceding)", 1),
    ("first_value(a) over (order by a rows between unbounded preceding and current row)", 1),
    # The session.
    ("current_user", "admin"),
    ("user", "admin"),
    ("current_database()", "dev"),
    ("pg_last_copy_count()", 0),
    # A call inside a call.
    ("concat(nvl2(null,'a',concat('b','c')),isnull(null,'d'))", "bcd"),
    ("len(concat('x'::varchar(5)::char(3),1))", 2),
    ("datediff(day,dateadd(day,-1,getdate()),getdate())", 1),
    ("nvl2(getdate(),sysdate,null) >= getdate()", True),
    # Parts of a statement's time.
    ("getdate() - getdate()", datetime.timedelta(0)),
    ("current_date - trunc(getdate())", 0),
]

TYPES = [
    ("1", "int4"),
    ("1::bigint", "int8"),
    ("1::smallint + 1::smallint", "int2"),
    ("3000000000", "int8"),
    ("1.5", "numeric"),
    ("1.5::real", "float4"),
    ("1.5::float", "float8"),
    ("true", "bool"),
    ("'a'::varchar(3)", "varchar"),
    ("'a'::char(3)", "bpchar"),
    ("date '2024-01-01'", "date"),
    ("getdate()", "timestamp"),
    ("'2024-01-01 00:00:00+01'::timestamptz", "timestamptz"),
    ("json_parse('[1]')", "super"),
    ("count(*)", "int8"),
    ("sum(1)", "int8"),
    ("avg(1)", "int8"),
    ("sum(1.5::decimal(10,2))", "numeric"),
    ("len('a')", "int4"),
]

NAMES = [
    ("1", "?column?"),
    ("a", "a"),
    ("A as Total", "total"),
    ('a as "Total"', "total"),
    ("count(*)", "count"),
    ("max(a)", "max"),
    ("sum(a) + 1", "?column?"),
    ("nvl(a, 1)", "coalesce"),
    ("a::int", "a"),
    ("case when a = 1 then 2 end", "case"),
    ("'x'", "?column?"),
    ("upper(s)", "upper"),
]


@pytest.mark.parametrize(("expression", "expected"), EXPRESSIONS, ids=[case[0] for case in EXPRESSIONS])
def test_value(db, expression: str, expected: Any) -> None:
    value = db.run(f"select {expression} from {ROW}")[0][0]
    assert value == expected
    assert type(value) is type(expected)


@pytest.mark.parametrize(("expression", "name"), TYPES, ids=[case[0] for case in TYPES])
def test_type(db, expression: str, name: str) -> None:
    db.run(f"select {expression}")
    assert db.columns[0].type.api_name == name


@pytest.mark.parametrize(("expression", "name"), NAMES, ids=[case[0] for case in NAMES])
def test_name_of_a_column(db, expression: str, name: str) -> None:
    db.run(f"select {expression} from {ROW}")
    assert db.columns[0].name == name


def test_random_numbers_lie_between_zero_and_one(db) -> None:
    assert db.value("random() between 0 and 1") is True


def test_nulls_come_last_going_up_and_first_going_down(db) -> None:
    rows = "(select 1 as a union all select null)"
    assert db.run(f"select a from {rows} order by a") == [(1,), (None,)]
    assert db.run(f"select a from {rows} order by a desc") == [(None,), (1,)]


def test_one_time_for_a_statement_and_one_for_a_transaction(db) -> None:
    db.run("begin")
    first, then = db.value("sysdate"), db.value("sysdate")
    assert first == then
    assert db.value("getdate()").microsecond == 0
