"""Result sets as tables, JSON lines and CSV: whole outputs."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
from decimal import Decimal
from typing import Any

import pytest

from rs_query import Column, Page, Result, split
from rs_query.output import write

(STATEMENT,) = split("SELECT 1")
COLUMNS = tuple(
    Column(name, kind)
    for name, kind in {
        "n": "int4",
        "amount": "numeric",
        "name": "varchar",
        "at": "timestamp",
        "ok": "bool",
    }.items()
)
ROWS = [
    (1, Decimal("1234567890123456789.50"), "Ada", dt.datetime.fromisoformat("2024-09-01T12:30:00"), True),
    (-20, Decimal("0.00"), "", None, False),
    (None, None, None, None, None),
    (300, Decimal("1E+3"), 'a "b", c\n\x1b[31m😀', dt.datetime.fromisoformat("2024-09-01T00:00:00.500000"), None),
]


def result(columns: tuple[Column, ...], *pages: list[tuple[Any, ...]]) -> Result:
    return Result(STATEMENT, "id", 0.0, None, lambda: iter([Page(columns, rows) for rows in pages]))


WITHOUT = Result(STATEMENT, "id", 0.0, 5)


def written(form: str, *results: Result) -> str:
    stream = io.StringIO()
    write(results, form, stream)
    return stream.getvalue()


def test_a_table_is_for_people() -> None:
    assert written("table", WITHOUT, result(COLUMNS, ROWS[:2], ROWS[2:]), WITHOUT) == (
        "   n                  amount  name                 at                          ok\n"
        "----  ----------------------  -------------------  --------------------------  -----\n"
        "   1  1234567890123456789.50  Ada                  2024-09-01 12:30:00         true\n"
        " -20                    0.00                       NULL                        false\n"
        "NULL                    NULL  NULL                 NULL                        NULL\n"
        ' 300                    1000  a "b", c\\n\\x1b[31m😀  2024-09-01 00:00:00.500000  NULL\n'
        "(4 rows)\n"
    )


def test_json_lines_keep_every_digit_and_null_apart_from_empty() -> None:
    text = written("json", result(COLUMNS, ROWS[:2], ROWS[2:]))
    assert text == (
        '{"n": 1, "amount": 1234567890123456789.50, "name": "Ada", "at": "2024-09-01 12:30:00", "ok": true}\n'
        '{"n": -20, "amount": 0.00, "name": "", "at": null, "ok": false}\n'
        '{"n": null, "amount": null, "name": null, "at": null, "ok": null}\n'
        '{"n": 300, "amount": 1000, "name": "a \\"b\\", c\\n\\u001b[31m😀",'
        ' "at": "2024-09-01 00:00:00.500000", "ok": null}\n'
    )
    assert json.loads(text.splitlines()[0], parse_float=Decimal)["amount"] == ROWS[0][1]


def test_csv_keeps_null_apart_from_empty() -> None:
    text = written("csv", result(COLUMNS, ROWS[:2], ROWS[2:]))
    assert text == (
        "n,amount,name,at,ok\n"
        "1,1234567890123456789.50,Ada,2024-09-01 12:30:00,true\n"
        '-20,0.00,"",,false\n'
        ",,,,\n"
        '300,1000,"a ""b"", c\n\x1b[31m😀",2024-09-01 00:00:00.500000,\n'
    )
    assert list(csv.reader(io.StringIO(text)))[4][2] == ROWS[3][2]


EMPTY = result((Column("n", "int4"),), [])
ONE = result((Column("n", "int4"),), [(1,)])
FORMS = {
    "table": "n\n-\n(0 rows)\n\nn\n-\n1\n(1 row)\n",
    "json": '{"n": 1}\n',
    "csv": "n\n\nn\n1\n",
}


@pytest.mark.parametrize(("form", "text"), FORMS.items(), ids=FORMS)
def test_several_result_sets_follow_each_other(form: str, text: str) -> None:
    assert written(form, EMPTY, WITHOUT, ONE) == text


@pytest.mark.parametrize("form", FORMS)
def test_no_result_set_is_no_output(form: str) -> None:
    assert written(form, WITHOUT) == ""


def test_columns_of_the_same_name_stay_apart_in_json() -> None:
    columns = tuple(Column(name, "int4") for name in ("count", "count", "count_2", "é"))
    assert written("json", result(columns, [(1, 2, 3, 4)])) == '{"count": 1, "count_2": 2, "count_2_2": 3, "é": 4}\n'


def test_what_json_has_no_number_for_is_text() -> None:
    columns = tuple(Column(name, "float8") for name in "abcd")
    row = (float("nan"), float("-inf"), 1e300, 0.1)
    assert written("json", result(columns, [row])) == '{"a": "nan", "b": "-inf", "c": 1e+300, "d": 0.1}\n'


def test_bytes_are_hexadecimal() -> None:
    assert written("csv", result((Column("b", "varbyte"),), [(b"\x00\xff",)])) == "b\n00ff\n"


def test_a_long_table_is_written_as_it_comes() -> None:
    pages = [[(n,) for n in range(start, start + 1000)] for start in (0, 1000, 2000)]
    lines = written("table", result((Column("n", "int4"),), *pages)).splitlines()
    assert lines[2:5] == ["  0", "  1", "  2"]
    assert lines[-2:] == ["2999", "(3000 rows)"]
