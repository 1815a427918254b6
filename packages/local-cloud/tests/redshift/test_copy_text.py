"""COPY of delimited text, CSV and JSON with the usual options."""

from __future__ import annotations

import bz2
import contextlib
import datetime
import gzip
import json
from typing import Any

import pytest

from local_cloud.services.redshift.errors import LoadError, SqlError

TABLE = "create table t (a int, b varchar(6), c date)"
D = datetime.date(2024, 1, 2)


@pytest.fixture
def place(request: pytest.FixtureRequest) -> str:
    return f"p{abs(hash(request.node.nodeid))}"


@pytest.fixture
def load(engine, db, place: str):
    """Writes a text into the bucket and copies it into `t`."""

    def run(text: str | bytes, options: str = "", columns: str = "", table: str = TABLE) -> None:
        body = text.encode() if isinstance(text, str) else text
        engine.s3.put("b", f"{place}/data", body)
        db.run(table)
        db.run(f"copy t {columns} from 's3://b/{place}/data' iam_role default {options}")

    return run


READ: list[tuple[str, str, str, Any]] = [
    # Options, column list, text, rows.
    ("", "", "1|x|2024-01-02\n2||\n", [(1, "x", D), (2, "", None)]),
    ("", "", "1|x|2024-01-02", [(1, "x", D)]),
    ("", "", "1|\\N|2024-01-02\n", [(1, None, D)]),
    ("delimiter ','", "", "1,x,2024-01-02\n", [(1, "x", D)]),
    ("delimiter '\\t'", "", "1\tx\t2024-01-02\n", [(1, "x", D)]),
    ("delimiter '\\174'", "", "1|x|2024-01-02\n", [(1, "x", D)]),
    ("delimiter as ';' ignoreheader as 1", "", "a;b;c\n1;x;2024-01-02\n", [(1, "x", D)]),
    ("null as 'NA'", "", "NA|NA|NA\n", [(None, None, None)]),
    ("emptyasnull", "", "1||\n", [(1, None, None)]),
    ("blanksasnull", "", "1|   |\n", [(1, None, None)]),
    ("trimblanks", "", "1|x  |\n", [(1, "x", None)]),
    ("truncatecolumns", "", "1|abcdefgh|\n", [(1, "abcdef", None)]),
    ("dateformat 'DD.MM.YYYY'", "", "1|x|02.01.2024\n", [(1, "x", D)]),
    ("dateformat 'auto'", "", "1|x|2024-01-02\n", [(1, "x", D)]),
    ("fillrecord", "", "1|x\n2\n", [(1, "x", None), (2, "", None)]),
    ("fillrecord emptyasnull", "", "1|x\n2\n", [(1, "x", None), (2, None, None)]),
    ("acceptanydate", "", "1|x|someday\n", [(1, "x", None)]),
    ("", "", "1|x||\n", [(1, "x", None)]),
    ("escape", "", "1|a\\|b|\n", [(1, "a|b", None)]),
    ("removequotes", "", '1|"x"|\n', [(1, "x", None)]),
    ("", "", '1|"x"|\n', [(1, '"x"', None)]),
    ("", "(a, c)", "1|2024-01-02\n", [(1, None, D)]),
    ("", "(c, a)", "2024-01-02|1\n", [(1, None, D)]),
    ("csv", "", "1,x,2024-01-02\n", [(1, "x", D)]),
    ("csv", "", '1,"a,b",2024-01-02\n2,"a""b",\n', [(1, "a,b", D), (2, 'a"b', None)]),
    ("csv", "", '1,"a\nb",\n', [(1, "a\nb", None)]),
    ("csv", "", "1,x,2024-01-02\r\n2,y,\r\n", [(1, "x", D), (2, "y", None)]),
    ("format as csv quote as '%' delimiter ';'", "", "1;%a;b%;\n", [(1, "a;b", None)]),
    ("format csv ignoreheader 1 compupdate off statupdate off", "", "a,b,c\n1,x,\n", [(1, "x", None)]),
    ("csv null as 'NULL'", "", "1,NULL,NULL\n", [(1, None, None)]),
    ("csv acceptinvchars", "", "1,x,\n", [(1, "x", None)]),
    ("json 'auto'", "", '{"a": 1, "b": "x", "c": "2024-01-02"}\n{"b": null, "z": 9}',
     [(1, "x", D), (None, None, None)]),
    ("format as json 'auto'", "(b, a)", '{"a": 1, "b": "x"}', [(1, "x", None)]),
    ("escape", "", "1|\\N|\n\\N|b|\n", [(1, None, None), (None, "b", None)]),
    ("escape", "", "1|a\\\nb|\n", [(1, "a\nb", None)]),
    ("acceptinvchars", "", b"1|caf\xe9|\n", [(1, "caf?", None)]),
    ("acceptinvchars as '^'", "", b"1|caf\xe9|\n", [(1, "caf^", None)]),
    ("encoding as utf16", "", "1|\u00e9|\n".encode("utf-16"), [(1, "\u00e9", None)]),
    ("encoding iso88591", "", b"1|\xe9|\n", [(1, "\u00e9", None)]),
    ("ignoreblanklines", "(a)", "1\n\n2\n", [(1, None, None), (2, None, None)]),
    ("csv ignoreblanklines", "(a)", "\n1\n", [(1, None, None)]),
    ("fixedwidth 'a:2,b:3,c:10'", "", "12ab 2024-01-02\n", [(12, "ab", D)]),
    ("bzip2", "", bz2.compress(b"1|x|\n"), [(1, "x", None)]),
    ("noload", "", "1|x|\n", []),
    ("fillrecord", "", "1|x|\n\n", [(1, "x", None), (None, "", None)]),
    ("ignoreblanklines", "", "\n1|x|\n\n\n2|y|\n", [(1, "x", None), (2, "y", None)]),
    ("", "(a)", "1\n\n2\n", [(1, None, None), (2, None, None), (None, None, None)]),
    ("csv", "", '1,"a\n\nb",\n', [(1, "a\n\nb", None)]),
    ("dateformat 'auto'", "", "1|x|01/02/2024\n", [(1, "x", D)]),
    ("dateformat 'auto'", "", "1|x|20240102\n", [(1, "x", D)]),
    ("json 'auto ignorecase'", "", '{"A": 1, "B": "x"}', [(1, "x", None)]),
    ("json 'auto'", "(a)", '{"a": ""}', [(None, None, None)]),
    ("json 'auto' maxerror 2", "", '{"a": 1}\n{"a": "x"}\n{"a":\n{"a": 2}', [(1, None, None), (2, None, None)]),
    ("json 'auto' dateformat 'auto'", "", '{"a":\n 1}\n\n{"a": 2}', [(1, None, None), (2, None, None)]),
]  # fmt: skip


@pytest.mark.parametrize(("options", "columns", "text", "rows"), READ, ids=[f"{c[0]} {c[2][:12]!r}" for c in READ])
def test_read(db, load, options: str, columns: str, text: str, rows: Any) -> None:
    load(text, options, columns)
    assert db.count == len(rows)
    assert db.run("select * from t order by a") == rows


TIMES = [
    ("", "2024-01-02 03:04:05", "2024-01-02 03:04:05"),
    ("", "2024-01-02 03:04:05.678", "2024-01-02 03:04:05.678"),
    ("timeformat 'auto'", "2024-01-02T03:04:05Z", "2024-01-02 03:04:05"),
    ("timeformat 'MM/DD/YYYY HH24:MI:SS'", "01/02/2024 03:04:05", "2024-01-02 03:04:05"),
    ("timeformat 'MM.DD.YYYY HH:MI:SS'", "03.31.2003 18:45:05.123456", "2003-03-31 18:45:05.123456"),
    ("timeformat 'epochsecs'", "1704164645", "2024-01-02 03:04:05"),
    ("timeformat 'epochmillisecs'", "1704164645678", "2024-01-02 03:04:05.678"),
]


@pytest.mark.parametrize(("options", "text", "value"), TIMES)
def test_times(db, load, options: str, text: str, value: str) -> None:
    load(text, options, table="create table t (t timestamp)")
    assert db.run("select t::varchar(30) from t") == [(value,)]


TYPES = [
    ("boolean", "t\nfalse\n1\n0\n", [True, False, True, False]),
    ("smallint", "7\n-1\n", [7, -1]),
    ("decimal(10,2)", "1.239\n-1\n.5\n", ["1.23", "-1.00", "0.50"]),
    ("decimal(3)", "1.9\n2.\n", ["1", "2"]),
    ("float", "1.5e3\n", [1500.0]),
    ("super", '{"a":[1]}\n', ['{"a":[1]}']),
]


@pytest.mark.parametrize(("kind", "text", "values"), TYPES, ids=[case[0] for case in TYPES])
def test_types(db, load, kind: str, text: str, values: list[Any]) -> None:
    load(text, table=f"create table t (v {kind})")
    found = [row[0] for row in db.run("select v from t")]
    assert [str(v) if isinstance(w, str) else v for v, w in zip(found, values, strict=True)] == values


def test_a_decimal_is_cut_or_rounded(db, load) -> None:
    load("1.239\n", "roundec", table="create table t (v decimal(10,2))")
    assert db.run("select v::varchar(9) from t") == [("1.24",)]


def test_compressed_files(db, load) -> None:
    load(gzip.compress(b"1,x,\n2,y,\n"), "csv gzip")
    assert db.run("select a, b from t order by a") == [(1, "x"), (2, "y")]


def test_several_files_and_a_manifest_without_lengths(engine, db, place: str) -> None:
    for name in "abc":
        engine.s3.put("b", f"{place}/{name}", f"{ord(name)}|{name}|\n".encode())
    entries = [{"url": f"s3://b/{place}/{name}", "mandatory": name == "a"} for name in "acz"]
    engine.s3.put("b", f"{place}.json", json.dumps({"entries": entries}).encode())
    db.script(TABLE, f"copy t from 's3://b/{place}.json' iam_role default manifest")
    assert db.run("select b from t order by b") == [("a",), ("c",)]
    db.run(f"copy t from 's3://b/{place}/' iam_role default")
    assert db.count == 3


def test_timeformat_auto_reads_compact_times(db, load) -> None:
    load("19960108 040809\n", "timeformat 'auto'", table="create table t (t timestamp)")
    assert db.run("select t::varchar(30) from t") == [("1996-01-08 04:08:09",)]


EXACT = [
    ("numeric(38,19)", "0.1234567890123456789", "0.1234567890123456789"),
    ("varchar(40)", "12345678901234567890123.10", "12345678901234567890123.10"),
    ("numeric(5,2)", "1.005", "1.00"),
]


@pytest.mark.parametrize(("kind", "written", "value"), EXACT)
def test_json_numbers_keep_their_digits(db, load, kind: str, written: str, value: str) -> None:
    load(f'{{"a": {written}}}', "json 'auto'", table=f"create table t (a {kind})")
    assert [str(row[0]) for row in db.run("select a from t")] == [value]


REFUSED = [
    # Options, text, what SYS_LOAD_ERROR_DETAIL tells: line, column, code, message.
    ("", "1|x|\nfoo|x|\n", (2, "a", 1207, "Invalid digit, Value 'foo', Pos 0, Type: Integer")),
    ("", "1|x\n", (1, "", 1214, "Delimiter not found")),
    ("", "1|x||y\n", (1, "", 1202, "Extra column(s) found")),
    ("", "1|x|notadate\n", (1, "c", 1205, "Invalid Date Format")),
    ("", "1|abcdefgh|\n", (1, "b", 1204, "String length exceeds DDL length")),
    ("ignoreheader 2", "h\nh\n1|x|\n3|x|bad\n", (4, "c", 1205, "Invalid Date Format")),
    ("", "7.0|x|\n", (1, "a", 1207, "Invalid digit, Value '7.0', Pos 0, Type: Integer")),
    ("", "1e3|x|\n", (1, "a", 1207, "Invalid digit, Value '1e3', Pos 0, Type: Integer")),
    ("json 'auto'", '{"a": 1.7}', (1, "a", 1207, "Invalid digit, Value '1.7', Pos 0, Type: Integer")),
    ("json 'auto'", '{"a": 1}\n{"a": 1,}', (2, "", 1224, "Invalid JSON value")),
    ("json 'auto'", '[{"a": 1}]', (1, "", 1224, "Invalid JSONPath format: Member is not an object.")),
    ("", "1|x|\n\n2|y|\n", (2, "", 1214, "Delimiter not found")),
    ("csv", "1,x,\n\n", (2, "", 1214, "Delimiter not found")),
    ("csv", '1,"x,\n', (1, "", 1216, "Invalid quote formatting for CSV")),
]


@pytest.mark.parametrize(("options", "text", "told"), REFUSED, ids=[case[2][3] for case in REFUSED])
def test_refused(db, load, place: str, options: str, text: str, told: tuple[Any, ...]) -> None:
    with pytest.raises(LoadError) as raised:
        load(text, options)
    assert raised.value.message == (
        "Load into table 't' failed.  Check 'sys_load_error_detail' system table for details."
    )
    rows = db.run(
        "select line_number, column_name, error_code, error_message, file_name from sys_load_error_detail"
        f" where file_name like '%{place}%'"
    )
    assert [(line, column.strip(), code, message.strip()) for line, column, code, message, _ in rows] == [told]
    assert db.run("select count(*) from t") == [(0,)]


def test_a_value_that_is_missing_for_a_not_null_column(db, load, place: str) -> None:
    with pytest.raises(LoadError):
        load("1,x\n,y\n", "csv", table="create table t (a int not null, b varchar(3))")
    rows = db.run(
        "select line_number, column_name, error_code, error_message from sys_load_error_detail"
        f" where file_name like '%{place}%'"
    )
    assert [(n, name.strip(), code, said.strip()) for n, name, code, said in rows] == [
        (2, "a", 1213, "Missing data for not-null field")
    ]


def test_a_multibyte_character_does_not_fit_into_char(db, load, place: str) -> None:
    with pytest.raises(LoadError):
        load("a\u00a3\n", table="create table t (a char(9))")
    rows = db.run(f"select error_code, error_message from sys_load_error_detail where file_name like '%{place}%'")
    assert [(code, said.strip()) for code, said in rows] == [
        (1220, "Multibyte character not supported for CHAR (Hint: try using VARCHAR). Invalid char: c2 a3")
    ]


def test_maxerror_leaves_out_that_many(db, load, place: str) -> None:
    text = "1|x|\nfoo|x|\n2\n3|toolong!|\n4|y|\n"
    load(text, "maxerror 3")
    assert db.run("select a from t order by a") == [(1,), (4,)]
    assert db.count == 2
    errors = f"select line_number, error_code from sys_load_error_detail where file_name like '%{place}%' order by 1"
    assert db.run(errors) == [(2, 1207), (3, 1214), (4, 1204)]
    db.run("truncate t")
    assert "failed" in db.error(f"copy t from 's3://b/{place}/data' iam_role default maxerror 1")
    assert db.run("select count(*) from t") == [(0,)]


@pytest.mark.parametrize("options", ["maxerror 2", "maxerror 0"], ids=["loaded", "rolled back"])
def test_load_errors_name_their_transaction(db, load, place: str, options: str) -> None:
    with contextlib.suppress(LoadError):
        load("1|x|\nfoo|x|\n2\n", options)
    rows = db.run(f"select distinct transaction_id from sys_load_error_detail where file_name like '%{place}%'")
    assert [number > 0 for (number,) in rows] == [True]


def test_jsonpaths(engine, db, load, place: str) -> None:
    paths = {"jsonpaths": ["$.id", "$['name']['last']", "$.when[0]"]}
    engine.s3.put("b", f"{place}/paths.json", json.dumps(paths).encode())
    load('{"id": 1, "name": {"last": "x"}, "when": ["2024-01-02"]}', f"json 's3://b/{place}/paths.json'")
    assert db.run("select * from t") == [(1, "x", D)]
    engine.s3.put("b", f"{place}/paths.json", b'{"jsonpaths": ["$.id"]}')
    said = db.error(f"copy t from 's3://b/{place}/data' iam_role default json 's3://b/{place}/paths.json'")
    assert "Number of jsonpaths and the number of columns should match. JSONPath size: 1" in said


def test_json_whole_into_super(db, load) -> None:
    load('{"a": {"b": [1]}}\n{"a": 2}\n', "json 'noshred'", table="create table t (v super)")
    assert db.run("select count(*) from t") == [(2,)]


def test_json_with_a_value_that_does_not_fit(db, load, place: str) -> None:
    with pytest.raises(SqlError, match="Load into table 't' failed"):
        load('{"a": "x"}', "json 'auto'")
    assert db.run(f"select count(*) from sys_load_error_detail where file_name like '%{place}%'") == [(1,)]


UNSUPPORTED = ["lzop", "orc", "avro 'auto'"]


@pytest.mark.parametrize("options", UNSUPPORTED)
def test_what_is_left_out_says_so(load, options: str) -> None:
    with pytest.raises(SqlError, match="not supported"):
        load("1|x|\n", options)
