"""The job's arguments: what they mean, and every way to get them wrong."""

from __future__ import annotations

import calendar
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glue_ingest import Request
from glue_ingest.arguments import TLC_URL, parse
from glue_ingest.errors import UsageError

MONTH = ["--dataset", "yellow", "--year", "2024", "--month", "09", "--raw_bucket", "raw"]


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        (MONTH, Request("yellow", 2024, 9, "raw")),
        (["--dataset=green", "--year=2024", "--month=9", "--raw_bucket=raw"], Request("green", 2024, 9, "raw")),
        ([*MONTH, "--force", "true"], Request("yellow", 2024, 9, "raw", force=True)),
        ([*MONTH, "--force"], Request("yellow", 2024, 9, "raw", force=True)),
        ([*MONTH, "--force", "false"], Request("yellow", 2024, 9, "raw")),
        ([*MONTH, "--source_url", "http://h/{month}"], Request("yellow", 2024, 9, "raw", "http://h/{month}")),
        ([*MONTH, "--source_url", ""], Request("yellow", 2024, 9, "raw", TLC_URL)),
        ([*MONTH, "--source_url", "s3://b-1/a?b#{year}"], Request("yellow", 2024, 9, "raw", "s3://b-1/a?b#{year}")),
        ([*MONTH, "--prefix", "smoke/1a2b"], Request("yellow", 2024, 9, "raw", prefix="smoke/1a2b")),
        ([*MONTH, "--prefix", ""], Request("yellow", 2024, 9, "raw")),
        ([*MONTH, "--prefix", "--force", "true"], Request("yellow", 2024, 9, "raw", force=True)),
        ([*MONTH, "--execution", "yellow-2024-09-x"], Request("yellow", 2024, 9, "raw", execution="yellow-2024-09-x")),
        ([*MONTH, "--year", "2025"], Request("yellow", 2025, 9, "raw")),
    ],
)
def test_arguments_become_a_request(argv: list[str], expected: Request) -> None:
    assert parse(argv) == expected


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (
            [],
            "missing --dataset, --year, --month, --raw_bucket: give --dataset yellow --year 2024 --month 09 "
            "--raw_bucket BUCKET",
        ),
        (
            [*MONTH[:-2], "--raw-bucket", "x"],
            "missing --raw_bucket: give --dataset yellow --year 2024 --month 09 --raw_bucket BUCKET",
        ),
        (
            [*MONTH, "--raw_bucket"],
            "missing --raw_bucket: give --dataset yellow --year 2024 --month 09 --raw_bucket BUCKET",
        ),
        ([*MONTH, "--dataset", "../x"], "--dataset ../x: not a dataset; give lower-case letters, such as yellow"),
        ([*MONTH, "--month", "13"], "--month 13: give a number from 1 to 12"),
        ([*MONTH, "--month", "٩"], "--month ٩: give a number from 1 to 12"),
        ([*MONTH, "--year", "2008"], "--year 2008: give a number from 2009 to 9999"),
        ([*MONTH, "--year", "24x"], "--year 24x: give a number from 2009 to 9999"),
        ([*MONTH, "--force", "yes"], "--force yes: give true or false"),
        (
            [*MONTH, "--raw_bucket", "s3://raw"],
            "--raw_bucket s3://raw: not a bucket name; give the name alone, no s3://",
        ),
        ([*MONTH, "--source_url", "/tmp/x"], "--source_url /tmp/x: give an http://, https:// or s3:// address"),
        (
            [*MONTH, "--source_url", "http://h:0/x"],
            "--source_url http://h:0/x: port 0 is none, give one from 1 to 65535",
        ),
        ([*MONTH, "--source_url", "http://h:70000/x"], "--source_url http://h:70000/x: Port out of range 0-65535"),
        (
            [*MONTH, "--source_url", "http://h:web/x"],
            "--source_url http://h:web/x: Port could not be cast to integer value as 'web'",
        ),
        ([*MONTH, "--source_url", "file:///x"], "--source_url file:///x: give an http://, https:// or s3:// address"),
        (
            [*MONTH, "--source_url", "http://h/{day}"],
            "--source_url http://h/{day}: no placeholder {day}; there are {dataset}, {year}, {month}",
        ),
        (
            [*MONTH, "--source_url", "http://h/{year.__class__}"],
            "--source_url http://h/{year.__class__}: no placeholder {year.__class__}; there are {dataset}, {year}, "
            "{month}",
        ),
        ([*MONTH, "--source_url", "http://h/{"], "--source_url http://h/{: Single '{' encountered in format string"),
        *(
            (
                [*MONTH, "--source_url", f"s3://{rest}"],
                f"--source_url s3://{rest}: give s3://bucket/key, the key in plain ASCII without spaces",
            )
            for rest in ("", "bucket", "bucket/", "B/key", "bucket/été", "bucket/a b", "me:secret@bucket/key")
        ),
        *(
            (
                [*MONTH, "--prefix", prefix],
                f"--prefix {prefix}: give a path such as smoke/1a2b, with no slash at either end",
            )
            for prefix in ("/a", "a/", "a//b", "..", "a/../b", "_incoming", "a b", "s3://b/a", "a\n", "a" * 201)
        ),
        (
            [*MONTH, "--source_url", "http://me:secret@h/x"],
            "--source_url: an address must not hold a user or password, arguments are logged",
        ),
    ],
)
def test_wrong_arguments_are_one_line(argv: list[str], message: str) -> None:
    with pytest.raises(UsageError) as error:
        parse(argv)
    assert str(error.value) == message


#: What Glue puts before and among a job's arguments: recorded of Python Shell 3.9 and 3.6, and documented.
GLUES = (
    [
        "--extra-py-files",
        "s3://a/x.whl",
        "--job_name",
        "j",
        "--scriptLocation",
        "s3://a/x.py",
        "--python-version",
        "3.9",
    ],
    [
        *("--enable-metrics", "--continuous-log-logGroup", "g", "--enable-continuous-log-filter", "false"),
        *("--job-bookmark-option", "job-bookmark-disable", "--scriptLocation", "s3://a/x.py"),
        *("--job-language", "python", "--TempDir", "s3://t/"),
    ],
    [
        "--JOB_NAME",
        "j",
        "--JOB_RUN_ID",
        "jr_1",
        "--library-set=none",
        "--additional-python-modules",
        "urllib3==1.26.20",
    ],
    ["--not-invented-yet", "--password=secret", "--yea", "2023"],
)


@pytest.mark.parametrize("more", GLUES, ids=" ".join)
def test_what_is_not_this_jobs_is_passed_over_and_kept_by_name_alone(more: list[str]) -> None:
    names = tuple(word.partition("=")[0] for word in more if word.startswith("--"))
    for argv in ([*more, *MONTH], [*MONTH, *more]):
        assert parse(argv) == Request("yellow", 2024, 9, "raw")
        assert parse(argv).passed_over == names


def test_a_request_names_its_file_key_and_address() -> None:
    request = Request("green", 2009, 3, "raw", "https://host/été/{dataset}/{year}/{month}?a=b&c={month}")
    assert request.label == "green 2009-03"
    assert request.key == "green/2009/03/green_tripdata_2009-03.parquet"
    assert replace(request, prefix="a/b").key == "a/b/green/2009/03/green_tripdata_2009-03.parquet"
    assert request.url == "https://host/%C3%A9t%C3%A9/green/2009/03?a=b&c=03"
    assert Request("yellow", 2024, 9, "raw").url == (
        "https://d37ci6vzurychx.cloudfront.net/trip-data/yellow_tripdata_2024-09.parquet"
    )


@given(st.integers(2009, 9998), st.integers(1, 12))
def test_a_month_ends_where_the_calendar_says(year: int, month: int) -> None:
    request = Request("yellow", year, month, "raw")
    assert (request.first_day.day, request.last_day.day) == (1, calendar.monthrange(year, month)[1])
    assert (request.last_day.year, request.last_day.month) == (year, month)
