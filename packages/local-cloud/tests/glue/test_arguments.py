from __future__ import annotations

import pytest

from local_cloud.services.glue.arguments import RunArguments


def merge(defaults=None, run=None, fixed=None):
    return RunArguments.merge("s3://b/job.py", defaults=defaults or {}, run=run or {}, fixed=fixed or {})


def test_the_runs_arguments_override_the_defaults_and_the_fixed_ones_override_both():
    merged = merge(
        defaults={"--a": "default", "--b": "default", "--c": "default"},
        run={"--b": "run", "--c": "run", "--d": "run"},
        fixed={"--c": "fixed"},
    )
    assert merged.values == {"--a": "default", "--b": "run", "--c": "fixed", "--d": "run"}


def test_a_runs_script_location_overrides_the_jobs():
    assert merge().script_location == "s3://b/job.py"
    assert merge(run={"--scriptLocation": "s3://b/v2.py"}).script_location == "s3://b/v2.py"


def test_python_shell_gets_every_argument_where_the_script_lies_and_its_version_but_no_job_name():
    merged = merge(
        defaults={"--extra-py-files": "s3://b/x.whl", "--enable-metrics": ""}, run={"--month": "09", "--note": "a b"}
    )
    seen = [
        *("--extra-py-files", "s3://b/x.whl"),
        "--enable-metrics",
        *("--month", "09"),
        *("--note", "a b"),
        *("--scriptLocation", "s3://b/job.py"),
    ]
    assert merged.python_shell_argv(python_version="3.9") == [*seen, "--python-version", "3.9"]
    assert merged.python_shell_argv(python_version="3") == seen


def test_spark_gets_the_job_the_run_and_the_scripts_own_arguments():
    merged = merge(
        defaults={"--extra-py-files": "s3://b/x.zip", "--enable-metrics": "true", "--TempDir": "s3://b/tmp"},
        run={"--month": "09", "--conf": "spark.a=1"},
    )
    argv = merged.spark_argv(job_name="transform", run_id="jr_1")
    job_id = argv[argv.index("--JOB_ID") + 1]
    assert argv == [
        *("--JOB_NAME", "transform"),
        *("--TempDir", "s3://b/tmp"),
        *("--month", "09"),
        *("--JOB_ID", job_id),
        *("--JOB_RUN_ID", "jr_1"),
        *("--job-bookmark-option", "job-bookmark-disable"),
    ]
    assert merge().spark_argv(job_name="transform", run_id="jr_2")[3] == job_id, "the same job, the same id"


@pytest.mark.parametrize(
    ("values", "modules", "options", "settings"),
    [
        ({}, [], [], {}),
        (
            {"--additional-python-modules": "duckdb==1.4.5, s3://b/w.whl,"},
            ["duckdb==1.4.5", "s3://b/w.whl"],
            [],
            {},
        ),
        (
            {"--python-modules-installer-option": "--no-deps --find-links '/my wheels'"},
            [],
            ["--no-deps", "--find-links", "/my wheels"],
            {},
        ),
        ({"--conf": "spark.a=1"}, [], [], {"spark.a": "1"}),
        (
            {"--conf": "spark.a=1 --conf spark.b=x=y --conf spark.c=p q"},
            [],
            [],
            {"spark.a": "1", "spark.b": "x=y", "spark.c": "p q"},
        ),
    ],
)
def test_what_glue_reads_from_the_arguments(values, modules, options, settings):
    merged = merge(run=values)
    assert (merged.python_modules, merged.installer_options, merged.spark_settings) == (modules, options, settings)
