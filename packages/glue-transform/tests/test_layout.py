"""Where files go, how many there are, and which of earlier loads are in the way."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glue_transform.layout import LARGEST_FILE, SLICES, SMALLEST_FILE, Layout, find_superseded, new_load_id, part_files

NOON = dt.datetime(2024, 11, 3, 12, tzinfo=dt.timezone.utc)


@pytest.mark.parametrize(("prefix", "before"), [("", ""), ("smoke/1a2b", "smoke/1a2b/")])
def test_the_urls_of_a_load(prefix: str, before: str):
    layout = Layout(
        dataset="yellow",
        year=2024,
        month=9,
        raw_bucket="r",
        processed_bucket="p",
        file_name="yellow_tripdata_2024-09.parquet",
        load_id="L",
        prefix=prefix,
    )
    assert layout.raw == f"s3://r/{before}yellow/2024/09/yellow_tripdata_2024-09.parquet"
    assert layout.kept == f"s3://p/{before}yellow/2024/09/L/"
    assert layout.rejected == f"s3://p/{before}yellow_rejected/2024/09/L/"
    assert layout.sample == f"s3://p/{before}yellow/2024/09/L-sample/"
    assert layout.manifest == f"s3://p/{before}yellow/2024/09/manifest.json"


@pytest.mark.parametrize(
    ("megabytes", "files"),
    [(0, 1), (1, 1), (31, 1), (32, 2), (63, 2), (64, 4), (127, 4), (128, 8), (1000, 8), (1001, 16), (2001, 24)],
)
def test_the_number_of_part_files(megabytes: int, files: int):
    assert part_files(megabytes * 1000, bytes_per_row=1000) == files


@given(st.integers(0, 10**10), st.integers(1, 200))
def test_part_files_are_neither_too_large_nor_too_small(rows: int, bytes_per_row: int):
    files = part_files(rows, bytes_per_row=bytes_per_row)
    size = rows * bytes_per_row
    assert size / files <= LARGEST_FILE or files == 1
    assert size / files >= SMALLEST_FILE or files == 1
    assert files % SLICES == 0 or SLICES % files == 0


def test_load_ids_sort_by_time_and_never_repeat():
    ids = [new_load_id(NOON) for _ in range(100)]
    assert len(set(ids)) == 100
    assert all(re.fullmatch(r"20241103T120000Z-[0-9a-f]{8}", load_id) for load_id in ids)
    assert new_load_id(NOON + dt.timedelta(seconds=1)) > max(ids)


def test_the_load_of_an_execution_ends_with_the_digest_of_its_name():
    # printf yellow-2024-09 | sha256sum
    assert new_load_id(NOON, execution="yellow-2024-09") == "20241103T120000Z-51c5fe51"


@pytest.mark.parametrize(
    ("load_ids", "replaced", "gone"),
    [
        ([], None, []),
        (["20241103T120000Z-current0"], None, []),
        (["20241103T110000Z-earlier0"], "20241103T110000Z-earlier0", ["20241103T110000Z-earlier0"]),
        (["20241103T110000Z-running0"], None, []),
        (["20241103T130000Z-running0"], "20241103T110000Z-earlier0", []),
        (["20241102T120000Z-dayold00"], None, []),
        (["20241102T115959Z-killed00"], None, ["20241102T115959Z-killed00"]),
        (["20241102T115959Z-killed00"] * 3, None, ["20241102T115959Z-killed00"]),
        (["20241102T115959Z-killed00-sample"], None, ["20241102T115959Z-killed00-sample"]),
        (["20230101T000000Z-replaced"], "20230101T000000Z-replaced", ["20230101T000000Z-replaced"]),
    ],
)
def test_what_a_new_load_supersedes(load_ids: list[str], replaced: str | None, gone: list[str]):
    assert find_superseded(load_ids, current="20241103T120000Z-current0", replaced=replaced) == gone
