"""Every type that a table's column may have, from every kind of column that can become it, by both engines."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import duckdb
import pytest
from trip_files import read_rows, write_parquet

from glue_transform import datasets, redshift, types
from glue_transform.datasets import Dataset
from glue_transform.datasets.definition import parse
from glue_transform.errors import NothingKept, UncastableColumn

INVALID = object()
"""What the column cannot hold: the row is rejected, or the value NULL."""

DAY = dt.date(2024, 2, 29)
YES_NO = {"Y": True, "N": False, "IN USE": True}

#: The table's type and its codes, the file's type, and what becomes of its values.
CASES: list[tuple[str, Mapping[str, Any], str, Mapping[str, Any]]] = [
    ("SMALLINT", {}, "INTEGER", {"32767": 32767, "32768": INVALID, "-32768": -32768, "-32769": INVALID}),
    ("SMALLINT", {}, "BIGINT", {"-1": -1, "9223372036854775807": INVALID}),
    ("SMALLINT", {}, "DOUBLE", {"7.0": 7, "7.5": INVALID, "40000": INVALID, "NaN": None, "Infinity": INVALID}),
    ("SMALLINT", {}, "VARCHAR", {" 12 ": 12, "1e2": 100, "40000": INVALID, "x": INVALID, " ": None}),
    ("INTEGER", {}, "UINTEGER", {"2147483647": 2147483647, "4294967295": INVALID}),
    ("INTEGER", {}, "DECIMAL(38,20)", {"1": 1, "2147483647.00000000000000000001": INVALID, "2147483648": INVALID}),
    ("BIGINT", {}, "INTEGER", {"-2147483648": -2147483648}),
    ("BIGINT", {}, "BIGINT", {"9223372036854775807": 2**63 - 1, "-9223372036854775808": -(2**63)}),
    ("BIGINT", {}, "UBIGINT", {"9223372036854775807": 2**63 - 1, "18446744073709551615": INVALID}),
    ("BIGINT", {}, "DOUBLE", {"999999999999999": 999999999999999, "9.3e18": INVALID, "-0.5": INVALID}),
    ("BIGINT", {}, "DECIMAL(38,2)", {"9007199254740993": 9007199254740993, "0.01": INVALID, "1e20": INVALID}),
    (
        "BIGINT",
        {},
        "VARCHAR",
        {"9007199254740993": 9007199254740993, "9223372036854775808": INVALID, "1e3": 1000, "2.0": 2, "2.5": INVALID},
    ),
    ("DECIMAL(9,2)", {}, "INTEGER", {"9999999": Decimal("9999999.00"), "10000000": INVALID}),
    ("DECIMAL(18,0)", {}, "BIGINT", {"999999999999999999": Decimal(10**18 - 1), "1000000000000000000": INVALID}),
    ("DECIMAL(18,2)", {}, "INTEGER", {"2147483647": Decimal("2147483647.00")}),
    (
        "DECIMAL(9,2)",
        {},
        "DOUBLE",
        {
            **{"19.99": Decimal("19.99"), "-0.01": Decimal("-0.01"), "9999999.99": Decimal("9999999.99")},
            **{"1.005": INVALID, "0.1000000001": INVALID, "10000000": INVALID, "1e300": INVALID},
            **{"NaN": None, "-Infinity": INVALID},
        },
    ),
    ("DECIMAL(18,6)", {}, "DOUBLE", {"0.000001": Decimal("0.000001"), "999999999": Decimal(999999999), "1e9": INVALID}),
    ("DECIMAL(9,2)", {}, "DECIMAL(7,1)", {"999999.9": Decimal("999999.90")}),
    ("DECIMAL(4,1)", {}, "DECIMAL(38,20)", {"999.9": Decimal("999.9"), "999.95": INVALID, "1000": INVALID}),
    ("DECIMAL(5,0)", {}, "DECIMAL(3,2)", {"9.00": Decimal(9), "9.99": INVALID}),
    (
        "DECIMAL(5,2)",
        {},
        "VARCHAR",
        {
            **{"1.5": Decimal("1.50"), " -.25 ": Decimal("-0.25"), "1.500": Decimal("1.50"), "+7.": Decimal("7.00")},
            **{"999.99": Decimal("999.99"), "-999.99": Decimal("-999.99"), "999.995": INVALID},
            **{"1.505": INVALID, "1000": INVALID, "$1": INVALID, "1,5": INVALID, "NaN": INVALID, "": None},
            **{"0.000000000000000000001": INVALID, "99999999999999999999": INVALID},
        },
    ),
    ("DOUBLE PRECISION", {}, "DOUBLE", {"0.1": 0.1, "NaN": None, "Infinity": INVALID}),
    ("BOOLEAN", {}, "BOOLEAN", {"true": True, "false": False}),
    ("BOOLEAN", {}, "INTEGER", {"1": True, "0": False, "2": INVALID}),
    ("BOOLEAN", {}, "DOUBLE", {"1.0": True, "0": False, "0.5": INVALID, "NaN": None}),
    (
        "BOOLEAN",
        {},
        "VARCHAR",
        {
            **dict.fromkeys(("Y", "y", " Yes", "t", "TRUE", "1"), True),
            **dict.fromkeys(("N", "no", "f", "False ", "0"), False),
            **{"": None, "  ": None, "X": INVALID, "2": INVALID},
        },
    ),
    ("BOOLEAN", YES_NO, "VARCHAR", {"y": True, "N": False, "in use": True, "true": INVALID, " ": None}),
    ("VARCHAR(4)", {}, "VARCHAR", {"abcd": "abcd", "abcde": INVALID, "éé": "éé", "ééé": INVALID, "☕a": "☕a"}),
    ("VARCHAR(4)", {}, "VARCHAR", {"☕ab": INVALID, "": "", "    ": "    ", "     ": INVALID, " a": " a"}),
    ("VARCHAR(3)", {}, "INTEGER", {"-12": "-12", "1234": INVALID}),
    ("VARCHAR(20)", {}, "UBIGINT", {"18446744073709551615": "18446744073709551615"}),
    ("VARCHAR(6)", {"CMT": "Mobile"}, "VARCHAR", {" cmt": "Mobile", "other": "other", "another": INVALID}),
    ("INTEGER", {"CASH": 2}, "VARCHAR", {"Cash": 2, "3": 3, "Card": INVALID}),
    ("DATE", {}, "DATE", {"2024-02-29": DAY}),
    ("DATE", {}, "TIMESTAMP", {"2024-02-29 00:00:00": DAY, "2024-02-29 00:00:01": INVALID}),
    (
        "DATE",
        {},
        "VARCHAR",
        {
            **dict.fromkeys(("2024-02-29", " 2024-02-29 ", "2024-02-29 00:00:00", "2024-02-29T00:00:00.000"), DAY),
            **dict.fromkeys(("2023-02-29", "2024-13-01", "2024-2-9", "02/29/2024", "20240229", "now"), INVALID),
            **{"2024-02-29 10:00:00": INVALID, "": None},
        },
    ),
    ("TIMESTAMP", {}, "VARCHAR", {"2024-02-29 10:11:12": dt.datetime(2024, 2, 29, 10, 11, 12), "10:11": INVALID}),  # noqa: DTZ001
]
VALUES = [(number, text, value) for number, (*_, values) in enumerate(CASES) for text, value in values.items()]
MONTH = (2024, 2)


def dataset(**changes: Any) -> Dataset:
    """A table with a column for each case."""
    columns = [{"name": "id", "type": "INTEGER"}]
    for number, (type_, codes, *_) in enumerate(CASES):
        columns.append({"name": f"c{number}", "type": type_, "values": codes})
    content = {
        "table": "things",
        "file": "things_{year}-{month}.parquet",
        "columns": columns,
        "eras": [{"name": "one", "columns": {column["name"]: column["name"] for column in columns}}],
        "rules": [{"name": "id_missing", "broken": "id IS NULL"}],
    }
    return parse("things", {**content, **changes})


def write_values(lake: Any) -> None:
    """A row a value, with NULL in all other columns."""
    rows = []
    for row, (case, text, _) in enumerate(VALUES):
        fields = (f"'{text}'" if number == case else "NULL" for number in range(len(CASES)))
        rows.append(f"({row}, {', '.join(fields)})")
    columns = ", ".join(f"CAST(v{n} AS {type_}) AS c{n}" for n, (_, _, type_, _) in enumerate(CASES))
    names = ", ".join(f"v{number}" for number in range(len(CASES)))
    file = lake.storage.root / "raw/things/2024/02/things_2024-02.parquet"
    write_parquet(f"SELECT id, {columns} FROM (VALUES {', '.join(rows)}) AS t(id, {names})", file)


def transform(lake: Any, monkeypatch: pytest.MonkeyPatch, engine: str, **changes: Any) -> dict[str, Any]:
    monkeypatch.setattr(datasets, "load", lambda name: dataset(**changes))
    manifest: dict[str, Any] = lake.transform("things", *MONTH, engine=engine)
    return manifest


def test_a_value_becomes_the_columns_or_its_row_is_rejected_by_the_columns_name(lake, engine, monkeypatch):
    write_values(lake)
    manifest = transform(lake, monkeypatch, engine)
    kept = {row[0]: row[1:-1] for row in read_rows(lake.kept(manifest))}
    rejected = {row[0]: row[-1] for row in read_rows(lake.rejected(manifest))}
    for row, (case, text, value) in enumerate(VALUES):
        if value is INVALID:
            assert rejected.get(row) == f"c{case}_invalid", (CASES[case][:3], text, kept.get(row))
        else:
            found = kept[row]
            assert (found[case], type(found[case])) == (value, type(value)), (CASES[case][:3], text)
            assert not any(other is not None for n, other in enumerate(found) if n != case)
    invalid = [f"c{case}_invalid" for case, _, value in VALUES if value is INVALID]
    assert manifest["rejected"] == {**{rule: invalid.count(rule) for rule in invalid}, "id_missing": 0}
    assert manifest["load"]["rows_kept"] + manifest["load"]["rows_rejected"] == len(VALUES)
    assert {line["into"]: line["rows"] for line in manifest["drift"]} == {
        rule.removesuffix("_invalid"): invalid.count(rule) for rule in invalid
    }


def test_where_a_row_is_worth_more_than_a_value_it_is_null_and_counted(lake, engine, monkeypatch):
    write_values(lake)
    manifest = transform(lake, monkeypatch, engine, invalid_values="null")
    kept = {row[0]: row[1:-1] for row in read_rows(lake.kept(manifest))}
    assert {row: found[VALUES[row][0]] for row, found in kept.items()} == {
        row: None if value is INVALID else value for row, (_, _, value) in enumerate(VALUES)
    }
    assert manifest["rejected"] == {"id_missing": 0}
    assert sum(line["rows"] for line in manifest["drift"]) == sum(value is INVALID for *_, value in VALUES)


#: Physical and logical types of the part files' columns (Parquet's own names), by Redshift type.
PARQUET = {
    "SMALLINT": ("INT32", {"INT_16"}),
    "INTEGER": ("INT32", {None, "INT_32"}),
    "BIGINT": ("INT64", {None, "INT_64"}),
    "DOUBLE PRECISION": ("DOUBLE", {None}),
    "BOOLEAN": ("BOOLEAN", {None}),
    "VARCHAR": ("BYTE_ARRAY", {"UTF8"}),
    "DATE": ("INT32", {"DATE"}),
    "TIMESTAMP": ("INT64", {"TIMESTAMP_MICROS"}),
}


def test_the_parquet_is_what_copy_takes(lake, engine, monkeypatch):
    write_values(lake)
    (file,) = lake.kept(transform(lake, monkeypatch, engine))
    with duckdb.connect() as connection:
        query = "SELECT type, converted_type, precision, scale, repetition_type FROM parquet_schema(?) OFFSET 1"
        found = connection.execute(query, [str(file)]).fetchall()
    for column, (physical, converted, precision, scale, repetition) in zip(dataset().columns, found):
        assert repetition == "OPTIONAL"
        if column.type.name == "DECIMAL":
            assert (physical, converted) == ("INT32" if column.type.size <= 9 else "INT64", "DECIMAL")
            assert (precision, scale) == (column.type.size, column.type.scale)
        else:
            assert physical == PARQUET[column.type.name][0]
            assert converted in PARQUET[column.type.name][1]


def test_an_invalid_value_counts_before_the_rules_of_the_dataset(lake, engine, monkeypatch):
    write_values(lake)
    rules = [{"name": "c1_missing", "broken": "c1 IS NULL"}]
    manifest = transform(lake, monkeypatch, engine, rules=rules)
    assert manifest["rejected"]["c1_invalid"] == 1
    assert manifest["rejected"]["c1_missing"] == sum(
        1 for case, _, value in VALUES if case != 1 and value is not INVALID
    )
    assert manifest["load"]["rows_kept"] == 1


def test_a_month_of_invalid_values_names_their_column(lake, engine, monkeypatch):
    content = {
        "columns": [{"name": "name", "type": "VARCHAR(2)"}],
        "eras": [{"name": "one", "columns": {"name": "Name"}}],
        "rules": [{"name": "name_missing", "broken": "name IS NULL"}],
    }
    write_parquet("SELECT 'abc' AS \"Name\"", lake.storage.root / "raw/things/2024/02/things_2024-02.parquet")
    with pytest.raises(NothingKept) as error:
        transform(lake, monkeypatch, engine, **content)
    assert str(error.value) == (
        "s3://raw/things/2024/02/things_2024-02.parquet: none of its 1 rows is kept (name_invalid 1; column 'Name' "
        "holds text that cannot be read as name in 1 rows); the month is left as it was: look at the file, and at the "
        "rules of the dataset"
    )


@pytest.mark.parametrize(
    ("type_", "source", "kind"),
    [
        ("DECIMAL(9,2)", "CAST(0.1 AS FLOAT)", "float"),
        ("VARCHAR(9)", "CAST(0.1 AS DOUBLE)", "double"),
        ("VARCHAR(9)", "TRUE", "boolean"),
        ("BOOLEAN", "DATE '2024-01-01'", "date"),
        ("DATE", "CAST(20240101 AS INTEGER)", "integer"),
        ("SMALLINT", "TRUE", "boolean"),
    ],
)
def test_what_would_have_to_be_guessed_is_refused(lake, engine, monkeypatch, type_: str, source: str, kind: str):
    content = {
        "columns": [{"name": "c", "type": type_}],
        "eras": [{"name": "one", "columns": {"c": "c"}}],
        "rules": [{"name": "c_missing", "broken": "c IS NULL"}],
    }
    write_parquet(f"SELECT {source} AS c", lake.storage.root / "raw/things/2024/02/things_2024-02.parquet")
    with pytest.raises(UncastableColumn, match=f"column 'c' holds {kind} and cannot become c "):
        transform(lake, monkeypatch, engine, **content)


def test_the_ddl_has_every_type_as_redshift_writes_it():
    lines = redshift.create_table(dataset()).splitlines()[2:-2]
    assert [line.split(maxsplit=1)[1].rstrip(",") for line in lines] == [type_ for type_, *_ in CASES]


@pytest.mark.parametrize(
    "text",
    [
        "TEXT",
        "VARCHAR",
        "VARCHAR(0)",
        "VARCHAR(65536)",
        "DECIMAL",
        "DECIMAL(19,2)",
        "DECIMAL(5,6)",
        "INT",
        "integer",
        "",
    ],
)
def test_what_is_no_type_of_a_column(text: str):
    assert types.parse(text) is None
