"""Result sets as Arrow tables, typed by what the server says of their columns."""

from __future__ import annotations

import datetime as dt
import sys
from decimal import Decimal
from typing import Any

import pytest
from scripted_data_api import Reply, ScriptedDataApi

import rs_query
from rs_query import ResultError, UsageError

pa = pytest.importorskip("pyarrow", reason="pip install pyarrow")

WHERE: dict[str, Any] = {"workgroup": "elt", "database": "dev"}
UTC = dt.timezone.utc
#: Column as the Data API describes it, a field of it, the type in Arrow, and the value there.
COLUMNS: tuple[tuple[tuple[Any, ...], dict[str, Any], Any, Any], ...] = (
    (("a", "int2"), {"longValue": 1}, pa.int16(), 1),
    (("b", "int4"), {"longValue": 2}, pa.int32(), 2),
    (("c", "int8"), {"longValue": 2**62}, pa.int64(), 2**62),
    (("d", "float4"), {"doubleValue": 0.5}, pa.float32(), 0.5),
    (("e", "float8"), {"doubleValue": 0.1}, pa.float64(), 0.1),
    (("f", "numeric", 38, 4), {"stringValue": "1234567890123456789012345678901234.5670"}, pa.decimal128(38, 4), None),
    (("g", "bool"), {"booleanValue": True}, pa.bool_(), True),
    (("h", "date"), {"stringValue": "2024-09-01"}, pa.date32(), dt.date(2024, 9, 1)),
    (
        ("i", "timestamp"),
        {"stringValue": "2024-09-01 12:30:00.000005"},
        pa.timestamp("us"),
        dt.datetime.fromisoformat("2024-09-01T12:30:00.000005"),
    ),
    (
        ("j", "timestamptz"),
        {"stringValue": "2024-09-01 12:30:00.5+02"},
        pa.timestamp("us", tz="UTC"),
        dt.datetime(2024, 9, 1, 10, 30, 0, 500_000, tzinfo=UTC),
    ),
    (("k", "time"), {"stringValue": "12:30:00"}, pa.time64("us"), dt.time(12, 30)),
    (("l", "timetz"), {"stringValue": "12:30:00+00"}, pa.string(), "12:30:00+00:00"),
    (("m", "varchar"), {"stringValue": ""}, pa.string(), ""),
    (("n", "bpchar"), {"stringValue": "x "}, pa.string(), "x "),
    (("o", "super"), {"stringValue": '{"a":[1]}'}, pa.string(), '{"a":[1]}'),
    (("p", "varbyte"), {"stringValue": "00ff61"}, pa.binary(), b"\x00\xffa"),
    (("q", "varbyte"), {"blobValue": "AP9h"}, pa.binary(), b"\x00\xffa"),
    (("r", "geometry"), {"stringValue": "0101"}, pa.string(), "0101"),
    (("a", "oid"), {"longValue": 7}, pa.int64(), 7),
)
NULLS = [{"isNull": True}] * len(COLUMNS)


def table(api: ScriptedDataApi, columns: tuple[tuple[Any, ...], ...], *records: Any, page: int = 1000) -> Any:
    api.script = lambda sql: Reply(columns=columns, records=records, page=page)
    return rs_query.run("SELECT 1", **WHERE).arrow()


def test_every_type_has_its_own_and_null_stays_null(api: ScriptedDataApi) -> None:
    described = tuple(column for column, *_ in COLUMNS)
    made = table(api, described, [field for _, field, *_ in COLUMNS], NULLS)
    assert made.schema == pa.schema([(column[0], kind) for column, _, kind, _ in COLUMNS])
    values = [column.to_pylist() for column in made.columns]
    expected = [value for *_, value in COLUMNS]
    expected[5] = Decimal("1234567890123456789012345678901234.5670")
    assert values == [[value, None] for value in expected]


def test_an_empty_result_is_typed_too(api: ScriptedDataApi) -> None:
    made = table(api, tuple(column for column, *_ in COLUMNS))
    assert (made.num_rows, made.schema.types) == (0, [kind for _, _, kind, _ in COLUMNS])


def test_pages_are_chunks_each_fetched_once(api: ScriptedDataApi) -> None:
    made = table(api, (("n", "int4"),), *([{"longValue": n}] for n in range(5)), page=2)
    assert [chunk.to_pylist() for chunk in made.column("n").chunks] == [[0, 1], [2, 3], [4]]
    assert len(api.made("GetStatementResult")) == 3


def test_a_numeric_of_unknown_digits_has_the_scale_of_its_values(api: ScriptedDataApi) -> None:
    texts = ("1", "-0.125", "20.5")
    made = table(api, (("n", "numeric"),), *([{"stringValue": text}] for text in texts), [{"isNull": True}], page=1)
    assert made.schema.types == [pa.decimal128(38, 3)]
    assert made.column(0).to_pylist() == [Decimal("1.000"), Decimal("-0.125"), Decimal("20.500"), None]
    assert table(api, (("n", "numeric"),)).schema.types == [pa.decimal128(38, 0)]


def test_the_result_set_is_the_last_or_the_one_that_is_asked_for(api: ScriptedDataApi) -> None:
    api.script = lambda sql: (
        Reply(columns=((sql[-1], "int4"),), records=([{"longValue": 1}],)) if sql.startswith("SELECT") else Reply()
    )
    run = rs_query.run("SELECT a; DELETE FROM t; SELECT b; DELETE FROM t", **WHERE)
    assert [run.arrow(*index).column_names for index in ((), (0,), (1,), (-2,))] == [["b"], ["a"], ["b"], ["a"]]
    with pytest.raises(ResultError, match=r"^there is no result set 2, the run has 2$"):
        run.arrow(2)
    with pytest.raises(ResultError, match=r"^<sql>:1:11: statement 2 \(DELETE FROM t\): has no result set$"):
        run.results[1].arrow()


UNFIT = {
    "a date beyond Python's": (("n", "date"), "10000-01-01", "'10000-01-01' fits no date32[day]"),
    "a timestamp before Christ": (
        ("n", "timestamp"),
        "0044-03-15 00:00:00 BC",
        "'0044-03-15 00:00:00 BC' fits no time",
    ),
    "more digits than are declared": (("n", "numeric", 5, 2), "1.005", "'1.005' fits no decimal128(5, 2)"),
    "no hexadecimal": (("n", "varbyte"), "xyz", "'xyz' fits no binary"),
}


@pytest.mark.parametrize(("column", "text", "says"), UNFIT.values(), ids=UNFIT)
def test_a_value_that_its_type_cannot_hold_is_named(
    api: ScriptedDataApi, column: tuple[Any, ...], text: str, says: str
) -> None:
    with pytest.raises(ResultError) as caught:
        table(api, (column,), [{"isNull": True}], [{"stringValue": text}])
    assert str(caught.value).startswith(f"<sql>:1:1: statement 1 (SELECT 1): column n: {says}")


def test_without_pyarrow_it_says_what_to_install(api: ScriptedDataApi, monkeypatch: pytest.MonkeyPatch) -> None:
    run = rs_query.run("SELECT 1", **WHERE)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    api.script = lambda sql: Reply(columns=(("n", "int4"),))
    with pytest.raises(UsageError) as caught:
        rs_query.run("SELECT 1", **WHERE).arrow()
    assert str(caught.value) == "an Arrow table needs pyarrow, which rs-query[arrow] brings: pip install pyarrow"
    with pytest.raises(ResultError, match="there is no result set -1, the run has 0"):
        run.arrow()
