"""The job's arguments: its own, Glue's, and what is neither."""

from __future__ import annotations

import pytest

from glue_transform.arguments import Request, parse
from glue_transform.errors import UsageError

GIVEN = {
    "dataset": "yellow",
    "year": "2024",
    "month": "09",
    "raw_bucket": "raw",
    "processed_bucket": "processed",
    "engine": "duckdb",
}
ALL = ", ".join(f"--{name}" for name in (*GIVEN, "prefix", "execution"))


def argv(**changes: str | None) -> list[str]:
    values = {**GIVEN, **changes}
    return [word for name, value in values.items() if value is not None for word in (f"--{name}", value)]


def test_what_must_be_given_makes_a_request():
    assert parse(argv()) == Request("yellow", 2024, 9, "raw", "processed", "duckdb")


def test_an_empty_prefix_is_none():
    expected = Request("yellow", 2024, 9, "raw", "processed", "duckdb", "smoke/1a2b")
    assert parse(argv(prefix="smoke/1a2b")) == expected
    assert parse(argv(prefix="")) == parse([*argv(), "--prefix"]) == parse(["--prefix", *argv()]) == parse(argv())


def test_the_execution_that_started_the_job_is_kept():
    assert parse(argv(execution="yellow-2024-09-x")).execution == "yellow-2024-09-x"


@pytest.mark.parametrize(
    "more",
    [
        ["--JOB_NAME", "transform-trips", "--JOB_RUN_ID", "jr_1", "--JOB_ID", "j_1"],
        ["--TempDir", "s3://t/", "--job-language", "python", "--job-bookmark-option", "job-bookmark-disable"],
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
        ["--enable-metrics", "--enable-continuous-cloudwatch-log", "true", "--conf", "spark.sql.adaptive.enabled=true"],
        ["--not-invented-yet", "--password=secret", "--yea", "2023"],
    ],
    ids=" ".join,
)
def test_what_is_not_this_jobs_is_passed_over_and_kept_by_name_alone(more: list[str]):
    names = tuple(word.partition("=")[0] for word in more if word.startswith("--"))
    for given in ([*more, *argv()], [*argv(), *more]):
        assert parse(given) == parse(argv())
        assert parse(given).passed_over == names


def test_a_value_may_follow_an_equals_sign():
    assert parse([f"--{name}={value}" for name, value in GIVEN.items()]) == parse(argv())


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([], f"--dataset is missing; the arguments are {ALL}"),
        (argv(engine=None), f"--engine is missing; the arguments are {ALL}"),
        (argv(raw_bucket=""), f"--raw_bucket is missing; the arguments are {ALL}"),
        (argv()[:-1], f"--engine is missing; the arguments are {ALL}"),
        (argv(dataset="fhv"), "--dataset fhv: choose one of fhvhv, green, yellow"),
        (argv(engine="polars"), "--engine polars: choose one of duckdb, spark"),
        (argv(year="24"), "--year 24: give a year from 2009 on, such as 2024"),
        (argv(year="2024.0"), "--year 2024.0: give a year from 2009 on, such as 2024"),
        (argv(month="13"), "--month 13: give a month from 01 to 12"),
        (argv(month="00"), "--month 00: give a month from 01 to 12"),
        (argv(month="-1"), "--month -1: give a month from 01 to 12"),
        (argv(month="٩"), "--month ٩: give a month from 01 to 12"),
        (["--month", *argv(month=None)], f"--month is missing; the arguments are {ALL}"),
        *(
            (argv(prefix=bad), f"--prefix {bad}: give a path such as smoke/1a2b, with no slash at either end")
            for bad in ("/a", "a/", "a//b", "..", "a/../b", "_x", "a b", "s3://b/a", "a" * 201)
        ),
    ],
)
def test_what_is_missing_or_malformed_is_refused_by_name(given: list[str], message: str):
    with pytest.raises(UsageError) as error:
        parse(given)
    assert str(error.value) == message
