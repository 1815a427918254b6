"""The footer reader against files that real writers wrote, with DuckDB's own reader as the judge."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glue_ingest.parquet import Column, Footer, Malformed, NeedsKey, footer_length, parse_footer

QUERIES = {
    "every time unit": """SELECT TIMESTAMP '2024-01-05 10:00:00' AS us, TIMESTAMP_MS '2024-01-05 10:00:00' AS ms,
                                 TIMESTAMP_NS '2024-01-05 10:00:00' AS ns, TIMESTAMPTZ '2024-01-05 10:00:00Z' AS tz""",
    "nulls and text": "SELECT NULL::VARCHAR AS nothing, 'ä' AS \"name with space\", 1.5 AS d, true AS b",
    "nested": "SELECT [1, 2] AS list, {'a': 1, 'b': {'c': 'x'}} AS struct, MAP {'k': 1} AS map",
    "no rows": "SELECT 1 AS a WHERE false",
    "many groups": "SELECT n AS id, (n * 7919) % 1000 AS v, 'x' || n AS t FROM range(50000) AS r(n)",
    "many columns": "SELECT " + ", ".join(f"{n} AS c{n}" for n in range(300)),
}


def read(file: Path) -> Footer:
    data = file.read_bytes()
    return parse_footer(data[-8 - footer_length(data[-8:]) : -8])


def judged(file: Path) -> tuple[int, str, list[list[tuple[str, int]]], int]:
    """Rows, writer, (column, end of its chunk) by row group, and where the data ends, as DuckDB reads them."""
    connection = duckdb.connect()
    rows, writer = connection.execute(f"SELECT num_rows, created_by FROM parquet_file_metadata('{file}')").fetchall()[0]
    chunks = connection.execute(
        f"""SELECT row_group_id, replace(path_in_schema, ', ', '.'),
                   least(coalesce(nullif(dictionary_page_offset, 0), data_page_offset), data_page_offset)
                   + total_compressed_size
            FROM parquet_metadata('{file}') ORDER BY row_group_id, column_id"""
    ).fetchall()
    groups: dict[int, list[str]] = {}
    for group, column, _ in chunks:
        groups.setdefault(group, []).append(column)
    return rows, writer, list(groups.values()), max((end for _, _, end in chunks), default=4)


def agree(file: Path) -> None:
    footer = read(file)
    columns = [[column.name for column in group] for group in footer.row_groups]
    assert (footer.rows, footer.created_by, columns, footer.data_end) == judged(file)


@pytest.mark.parametrize("codec", ["uncompressed", "snappy", "zstd"])
@pytest.mark.parametrize("query", QUERIES.values(), ids=QUERIES.keys())
def test_what_duckdb_writes_is_read_alike(tmp_path: Path, query: str, codec: str) -> None:
    file = tmp_path / "file.parquet"
    duckdb.connect().sql(f"COPY ({query}) TO '{file}' (FORMAT parquet, COMPRESSION {codec}, ROW_GROUP_SIZE 10000)")
    agree(file)


def test_what_arrow_writes_is_read_alike(tmp_path: Path) -> None:
    arrow = pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    import pyarrow.parquet

    times = arrow.array([1_704_448_800_000] * 5, arrow.timestamp("ms"))
    table = arrow.table({"pickup_datetime": times, "n": [1, None, 3, 4, 5], "t": list("abcde"), "z": [None] * 5})
    for version in ("1.0", "2.4", "2.6"):
        for page in ("1.0", "2.0"):
            file = tmp_path / f"{version}-{page}.parquet"
            pyarrow.parquet.write_table(table, file, version=version, data_page_version=page, row_group_size=2)
            agree(file)
            assert [group[0].unit for group in read(file).row_groups] == ["ms"] * 3


@pytest.mark.shared_data
def test_the_published_files_are_read_alike(shared_data: Path) -> None:
    files = sorted((shared_data / "tlc/trip-data").glob("*.parquet"))
    assert len(files) == 9
    for file in files:
        agree(file)


def test_bounds_and_units_are_those_of_the_writer(tmp_path: Path) -> None:
    file = tmp_path / "file.parquet"
    duckdb.connect().sql(f"COPY ({QUERIES['every time unit']}) TO '{file}' (FORMAT parquet)")
    second = 1_704_448_800
    assert read(file).row_groups == (
        (
            Column("us", 2, "us", struct.pack("<q", second * 10**6), struct.pack("<q", second * 10**6)),
            Column("ms", 2, "ms", struct.pack("<q", second * 10**3), struct.pack("<q", second * 10**3)),
            Column("ns", 2, "ns", struct.pack("<q", second * 10**9), struct.pack("<q", second * 10**9)),
            Column("tz", 2, "us", struct.pack("<q", second * 10**6), struct.pack("<q", second * 10**6)),
        ),
    )


@pytest.mark.parametrize(
    ("trailer", "message"),
    [
        (b"", "it does not end as one, so it is cut short"),
        (b"\0\0\0\0ABCD", "it does not end as one, so it is cut short"),
    ],
)
def test_a_file_that_does_not_end_as_parquet_is_refused(trailer: bytes, message: str) -> None:
    with pytest.raises(Malformed, match=message):
        footer_length(trailer)


def test_row_groups_must_add_up(month_file: Callable[..., bytes]) -> None:
    data = month_file()
    footer = data[-8 - footer_length(data[-8:]) : -8]
    rows = read_varint_field(footer)
    with pytest.raises(Malformed, match=r"its footer says \d+ rows, its row groups 6553"):
        parse_footer(footer.replace(rows, bytes([rows[0] ^ 2]) + rows[1:], 1))


def read_varint_field(footer: bytes) -> bytes:
    """The first appearance of 6553 (zigzag varint), which is the footer's row count."""
    value = 6553 << 1
    encoded = bytes([value & 0x7F | 0x80, value >> 7])
    assert encoded in footer
    return encoded


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_damaged_footers_are_refused_and_nothing_else(month_file: Callable[..., bytes], data: st.DataObject) -> None:
    whole = month_file()
    footer = bytearray(whole[-8 - footer_length(whole[-8:]) : -8])
    for _ in range(data.draw(st.integers(1, 4))):
        footer[data.draw(st.integers(0, len(footer) - 1))] = data.draw(st.integers(0, 255))
    try:
        parse_footer(bytes(footer[: data.draw(st.integers(0, len(footer)))]))
    except (Malformed, NeedsKey) as error:
        assert str(error)


@given(st.binary(max_size=200))
def test_noise_is_refused(noise: bytes) -> None:
    with pytest.raises((Malformed, NeedsKey)):
        parse_footer(noise)
