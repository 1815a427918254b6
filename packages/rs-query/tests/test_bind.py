"""Where parameters stand, and what becomes of their values."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rs_query import ParameterError, Statement, split
from rs_query.binding import bind
from rs_query.literals import literal


def by_name(statement: Statement, name: str, number: int) -> str:
    return f":{name}"


def nothing(statement: Statement, name: str, number: int) -> None:
    return None


FOUND = {
    "a value": ("SELECT :a", ["a"]),
    "several, one twice": ("SELECT :a, :b_1 FROM t WHERE x = :a", ["a", "b_1", "a"]),
    "without space": ("SELECT(:a),x=:b||:c", ["a", "b", "c"]),
    "after an operator": ("SELECT 1-:a, 2+:b, x<:c, y>=:d", ["a", "b", "c", "d"]),
    "cast afterwards": ("SELECT :a::date", ["a"]),
    "in an array": ("SELECT ARRAY[:a]", ["a"]),
    "an identifier": ('SELECT * FROM :"schema".:"table"', ['"schema"', '"table"']),
    "casts": ("SELECT x::date, y :: int", []),
    "cast to a quoted type": ('SELECT x::"my type"', []),
    "assignment": ("CALL p(x := 1, y:=2)", []),
    "in a string": ("SELECT ':a', 'it''s :b', '\\' :c'", []),
    "in a quoted identifier": ('SELECT ":a", "x"":b"', []),
    "in comments": ("SELECT 1 -- :a\n /* :b /* :c */ */", []),
    "in a dollar body": ("CREATE PROCEDURE p() AS $$ SELECT :a $$ LANGUAGE plpgsql", []),
    "in an unloaded query": ("UNLOAD ('SELECT * FROM t WHERE a = :a') TO 's3://b/p'", []),
    "after a word": ("SELECT a:b, a1:b, a_:b, a$:b", []),
    "after a number": ("SELECT x[1:n], 12:n", []),
    "after a closing": ("SELECT 'a':b, \"a\":b, f(x):b, y[0]:b", []),
    "after a dot": ("SELECT t.:a", []),
    "after letters beyond ASCII": ("SELECT é:a", []),
    "not a name": ("SELECT :1, x[:2], : a, :é, :a$, :naïve", []),
    "not an identifier's name": ('SELECT :"a b", :"1", :""', []),
}


@pytest.mark.parametrize(("sql", "names"), FOUND.values(), ids=FOUND)
def test_finds_parameters_where_a_value_may_stand(sql: str, names: list[str]) -> None:
    (statement,) = split(sql)
    assert [f'"{p.name}"' if p.identifier else p.name for p in statement.placeholders] == names
    for place in statement.placeholders:
        assert statement.text[place.start : place.end].strip(':"') == place.name


SERVER = {
    "SELECT": ("SELECT :a", {"a": "x"}, "SELECT :a", {"a": "x"}),
    "in parentheses": ("((SELECT :a))", {"a": "x"}, "((SELECT :a))", {"a": "x"}),
    "after a comment": ("(/* DROP */ WITH q AS (SELECT :a) TABLE q)", {"a": "x"}, None, {"a": "x"}),
    "INSERT": ("insert into t values (:a, :b)", {"a": "x", "b": "it's; --\\"}, None, {"a": "x", "b": "it's; --\\"}),
    "UPDATE": ("UPDATE t SET a = :a", {"a": "x"}, None, {"a": "x"}),
    "DELETE": ("DELETE FROM t WHERE a = :a OR b = :a", {"a": "x"}, None, {"a": "x"}),
    "only text": ("SELECT :a, :b", {"a": "x", "b": 1}, "SELECT :a, 1", {"a": "x"}),
    "NULL": ("SELECT :a", {"a": None}, "SELECT NULL", {}),
    "the empty string": ("SELECT :a", {"a": ""}, "SELECT ''", {}),
    "an identifier beside it": ('SELECT :a FROM :"a"', {"a": "x"}, 'SELECT :a FROM "x"', {"a": "x"}),
    "COPY": (
        "COPY t FROM :uri IAM_ROLE :role FORMAT AS PARQUET MANIFEST",
        {"uri": "s3://b/it's\\x", "role": "arn:aws:iam::123456789012:role/r"},
        "COPY t FROM 's3://b/it''s\\\\x' IAM_ROLE 'arn:aws:iam::123456789012:role/r' FORMAT AS PARQUET MANIFEST",
        {},
    ),
    "UNLOAD": ("UNLOAD ('SELECT 1') TO :to", {"to": "s3://b"}, "UNLOAD ('SELECT 1') TO 's3://b'", {}),
    "DDL": ("CREATE TABLE t AS SELECT :a AS a", {"a": "x"}, "CREATE TABLE t AS SELECT 'x' AS a", {}),
    "CALL": ("CALL p(:a)", {"a": "x"}, "CALL p('x')", {}),
}


@pytest.mark.parametrize(("sql", "params", "sent", "by_server"), SERVER.values(), ids=SERVER)
def test_the_server_binds_text_where_it_can(
    sql: str, params: dict[str, Any], sent: str | None, by_server: dict[str, str]
) -> None:
    (bound,) = bind(split(sql), params, mark=by_name)
    assert (bound.sql, bound.parameters) == (sent or sql, by_server)


LITERALS = {
    "None": (None, "NULL"),
    "true": (True, "TRUE"),
    "false": (False, "FALSE"),
    "integer": (12, "12"),
    "negative": (-12, "(-12)"),
    "decimal": (Decimal("12.50"), "12.50"),
    "decimal with an exponent": (Decimal("-1.5E+3"), "(-1500)"),
    "double": (0.1, "CAST('0.1' AS DOUBLE PRECISION)"),
    "large double": (-1e300, "CAST('-1e+300' AS DOUBLE PRECISION)"),
    "not a number": (float("nan"), "CAST('NaN' AS DOUBLE PRECISION)"),
    "infinity": (float("-inf"), "CAST('-Infinity' AS DOUBLE PRECISION)"),
    "date": (dt.date(2024, 9, 1), "DATE '2024-09-01'"),
    "timestamp": (dt.datetime.fromisoformat("2024-09-01T12:30:00.005000"), "TIMESTAMP '2024-09-01 12:30:00.005000'"),
    "with a zone": (dt.datetime(2024, 9, 1, tzinfo=dt.timezone.utc), "TIMESTAMPTZ '2024-09-01 00:00:00+00:00'"),
    "time": (dt.time(12, 30), "TIME '12:30:00'"),
    "text": ("it's", "'it''s'"),
    "empty text": ("", "''"),
    "a backslash": ("\\", "'\\\\'"),
    "a backslash and a quote": ("\\'; DROP TABLE t; --", "'\\\\''; DROP TABLE t; --'"),
    "an emoji": ("😀", "'😀'"),
}


@pytest.mark.parametrize(("value", "sql"), LITERALS.values(), ids=LITERALS)
def test_a_value_becomes_a_literal_of_redshift(value: Any, sql: str) -> None:
    assert literal(value, "a") == sql


RENDERED = {
    "a list": ("DELETE FROM t WHERE a IN (:l)", {"l": [1, 2]}, "DELETE FROM t WHERE a IN (1, 2)"),
    "a list of text": ("SELECT 1 WHERE a in( :l )", {"l": ["it's", None]}, "SELECT 1 WHERE a in( 'it''s', NULL )"),
    "a list of one": ("SELECT 1 WHERE a NOT IN\n(\n:l\n)", {"l": ("x",)}, "SELECT 1 WHERE a NOT IN\n(\n'x'\n)"),
    "minus a negative is no comment": ("SELECT 1 -:n", {"n": -5}, "SELECT 1 -(-5)"),
    "a string right after": ("CALL p(:a'b')", {"a": "x"}, "CALL p('x' 'b')"),
    "a dot right after": ("SELECT :n.5", {"n": 1}, "SELECT 1 .5"),
    "cast afterwards": ("SELECT :n::int", {"n": -5}, "SELECT (-5)::int"),
    "an identifier right after": ('SELECT 1 AS :"a""b"', {"a": "x"}, 'SELECT 1 AS "x" "b"'),
    "identifiers": ('DROP TABLE :"s".:"t"', {"s": "a", "t": 'b";x'}, 'DROP TABLE "a"."b"";x"'),
}


@pytest.mark.parametrize(("sql", "params", "rendered"), RENDERED.values(), ids=RENDERED)
def test_what_redshift_cannot_bind_is_written_into_the_sql(sql: str, params: dict[str, Any], rendered: str) -> None:
    (bound,) = bind(split(sql), params, mark=by_name)
    assert (bound.sql, bound.parameters) == (rendered, {})


REFUSED = {
    "missing": ("SELECT 1;\nSELECT x, :a", {}, "x.sql:2:11: no value for parameter :a"),
    "missing on a later line": ("SELECT\n  :a", {}, "x.sql:2:3: no value for parameter :a"),
    "unused": ("SELECT :a", {"a": 1, "b": 2, "c": 3}, "x.sql: :b, :c given but used nowhere; its parameters: :a"),
    "unused, none at all": ("SELECT ':a'", {"a": 1}, "x.sql: :a given but used nowhere; its parameters: none"),
    "NUL, bound by the server": ("SELECT :a", {"a": "x\0y"}, "x.sql:1:8: parameter :a holds a NUL character"),
    "NUL, in a literal": ("CALL p(:a)", {"a": "\0"}, "x.sql:1:8: parameter :a holds a NUL character"),
    "half a surrogate pair": ("SELECT :a", {"a": "\ud83d"}, "x.sql:1:8: parameter :a is not valid Unicode text"),
    "a list elsewhere": ("SELECT :l", {"l": [1]}, "x.sql:1:8: the list :l binds only as IN (:l)"),
    "a list among others": ("SELECT 1 IN (:l, 2)", {"l": [1]}, "x.sql:1:14: the list :l binds only as IN (:l)"),
    "a list after a comment's IN (": ("SELECT f( -- IN (\n:l)", {"l": [1]}, "x.sql:2:1: the list :l binds only as"),
    "a list of arguments": ("CALL begin(:l)", {"l": [1]}, "x.sql:1:12: the list :l binds only as IN (:l)"),
    "an empty list": ("SELECT 1 IN (:l)", {"l": []}, "x.sql:1:14: the list :l is empty, and IN () is no SQL"),
    "a nested list": ("SELECT 1 IN (:l)", {"l": [[1]]}, "x.sql:1:14: parameter :l is a list"),
    "a dictionary": ("SELECT :a", {"a": {}}, "x.sql:1:8: parameter :a is a dict"),
    "bytes": ("SELECT :a", {"a": b""}, "x.sql:1:8: parameter :a is a bytes"),
    "no number": ("SELECT :a", {"a": Decimal("NaN")}, "x.sql:1:8: parameter :a is NaN"),
    "a name that is no text": (
        'DROP TABLE :"t"',
        {"t": 1},
        'x.sql:1:12: parameter :"t" names an object, so it is text',
    ),
    "an empty name": ('DROP TABLE :"t"', {"t": ""}, 'x.sql:1:12: parameter :"t" names an object, so it is text'),
    "a name with a NUL": ('DROP TABLE :"t"', {"t": "a\0"}, 'x.sql:1:12: parameter :"t" holds a NUL'),
    "a long name": ('DROP TABLE :"t"', {"t": "é" * 64}, 'x.sql:1:12: parameter :"t" is longer than the 127 bytes'),
}


@pytest.mark.parametrize(("sql", "params", "message"), REFUSED.values(), ids=REFUSED)
def test_a_parameter_that_does_not_fit_is_refused_by_name(sql: str, params: dict[str, Any], message: str) -> None:
    with pytest.raises(ParameterError) as caught:
        bind(split(sql, "x.sql"), params, mark=by_name)
    assert str(caught.value).startswith(message)
    assert f":{caught.value.parameter}" in message.replace('"', "")


PARTITIONS = [{"day": "d'1", "place": "s3://b/1/"}, {"day": "d2", "place": "s3://b/2/"}]
ROWS = {
    "once a row, in order": (
        "CREATE TABLE t (a int); ALTER TABLE t ADD PARTITION (d = :day) LOCATION :place; SELECT :n",
        {"partitions": PARTITIONS, "n": 1},
        [
            ("CREATE TABLE t (a int)", {}),
            ("ALTER TABLE t ADD PARTITION (d = 'd''1') LOCATION 's3://b/1/'", {}),
            ("ALTER TABLE t ADD PARTITION (d = 'd2') LOCATION 's3://b/2/'", {}),
            ("SELECT 1", {}),
        ],
    ),
    "its own values as literals, the others by the server": (
        "INSERT INTO t VALUES (:day, :by)",
        {"rows": [{"day": "a"}, {"day": "b"}], "by": "x"},
        [("INSERT INTO t VALUES ('a', :by)", {"by": "x"}), ("INSERT INTO t VALUES ('b', :by)", {"by": "x"})],
    ),
    "identifiers and numbers": (
        'DROP TABLE :"t"; SELECT :n',
        {"tables": [{"t": "a"}, {"t": 'b"'}], "numbers": ({"n": -1},)},
        [('DROP TABLE "a"', {}), ('DROP TABLE "b"""', {}), ("SELECT (-1)", {})],
    ),
}


@pytest.mark.parametrize(("sql", "params", "bound"), ROWS.values(), ids=ROWS)
def test_rows_become_bound_values(sql: str, params: dict[str, Any], bound: list[tuple[str, dict[str, str]]]) -> None:
    assert [(one.sql, one.parameters) for one in bind(split(sql), params, mark=by_name)] == bound


ROWS_REFUSED = {
    "a row without a value": (
        "SELECT :a, :b",
        {"rows": [{"a": 1, "b": 2}, {"a": 1}]},
        "x.sql:1:12: no value for parameter :b",
    ),
    "a key that nothing uses": (
        "SELECT :a",
        {"rows": [{"a": 1, "b": 2}]},
        "x.sql: :b given but used nowhere; its parameters: :a",
    ),
    "the rows themselves": ("SELECT :rows, :a", {"rows": [{"a": 1}]}, "x.sql:1:8: no value for parameter :rows"),
    "a key that is a parameter too": (
        "SELECT :a",
        {"a": 1, "rows": [{"a": 1}]},
        "parameter :a is given twice, by itself or in rows",
    ),
    "rows in rows": ("SELECT :a", {"rows": [{"a": {"b": 1}}]}, "x.sql:1:8: parameter :a is a dict"),
    "two lists in one statement": (
        "SELECT :a, :b",
        {"m": [{"a": 1}], "n": [{"b": 1}]},
        "x.sql:1:1: statement 1 (SELECT :a, :b): uses rows of both m and n",
    ),
}


@pytest.mark.parametrize(("sql", "params", "message"), ROWS_REFUSED.values(), ids=ROWS_REFUSED)
def test_rows_that_do_not_fit_are_refused(sql: str, params: dict[str, Any], message: str) -> None:
    with pytest.raises(ParameterError) as caught:
        bind(split(sql, "x.sql"), params, mark=by_name)
    assert str(caught.value).startswith(message)


def test_a_parameter_of_one_statement_serves_the_whole_script() -> None:
    first, second = bind(split("DELETE FROM t WHERE a = :a; SELECT 1"), {"a": "x"}, mark=by_name)
    assert (first.parameters, second.parameters) == ({"a": "x"}, {})


def test_numbered_marks_count_distinct_parameters() -> None:
    (bound,) = bind(split("SELECT :a, :b, :a, :c"), {"a": "x", "b": "y", "c": 1}, mark=lambda s, name, n: f"${n}")
    assert (bound.sql, list(bound.parameters)) == ("SELECT $1, $2, $1, 1", ["a", "b"])


@given(st.text(max_size=30) | st.text(alphabet="'\"\\;:$-/*\n a", max_size=30))
@settings(max_examples=500, deadline=None)
def test_no_value_changes_the_shape(value: str) -> None:
    """Whatever text a literal holds, the statement around it lexes as before and the literal gives it back."""
    sql = "SELECT :a, :b FROM t; DELETE FROM u WHERE x = :a OR y = :b"
    try:
        bound = bind(split(sql), {"a": value, "b": "z"}, mark=nothing)
    except ParameterError:
        assert "\0" in value or any("\ud800" <= c <= "\udfff" for c in value)
        return
    again = split(";".join(one.sql for one in bound))
    assert [statement.text for statement in again] == [one.sql for one in bound]
    inner = bound[0].sql[len("SELECT '") : -len("', 'z' FROM t")]
    assert inner.replace("\\\\", "\\").replace("''", "'") == value
