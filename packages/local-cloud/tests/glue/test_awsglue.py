"""getResolvedOptions, as AWS's own: https://github.com/awslabs/aws-glue-libs/blob/master/awsglue/utils.py"""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

import local_cloud.services.glue as glue_service

_FILE = Path(glue_service.__file__).parent / "runtime" / "site" / "awsglue" / "utils.py"
_SPEC = importlib.util.spec_from_file_location("awsglue_utils", _FILE)
utils = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(utils)

GLUES_OWN = {
    "job_bookmark_option": "job-bookmark-disable",
    "job_bookmark_from": None,
    "job_bookmark_to": None,
    "JOB_ID": None,
    "JOB_RUN_ID": None,
    "SECURITY_CONFIGURATION": None,
    "encryption_type": None,
    "RedshiftTempDir": None,
    "TempDir": None,
}


def resolve(argv, options):
    return utils.getResolvedOptions(["job.py", *argv], options)


@pytest.mark.parametrize(
    ("argv", "options", "expected"),
    [
        ([], [], {}),
        (["--month", "09"], ["month"], {"month": "09"}),
        (["--month=09"], ["month"], {"month": "09"}),
        (["--month", "09", "--other", "x"], ["month"], {"month": "09"}),
        (["--my-key", "v"], ["my-key"], {"my_key": "v"}),
        (["--JOB_NAME", "j", "--JOB_RUN_ID", "jr_1"], ["JOB_NAME"], {"JOB_NAME": "j", "JOB_RUN_ID": "jr_1"}),
        (["--TempDir", "s3://t"], ["TempDir"], {"TempDir": "s3://t", "RedshiftTempDir": "s3://t"}),
        (["--RedshiftTempDir", "s3://t"], [], {"TempDir": "s3://t", "RedshiftTempDir": "s3://t"}),
        (["--job-bookmark-option", "job-bookmark-enable"], [], {"job_bookmark_option": "job-bookmark-enable"}),
        (["--continuation-option", "continuation-readonly"], [], {"job_bookmark_option": "job-bookmark-pause"}),
        (["--mon", "09"], ["month"], {"month": "09"}),
    ],
)
def test_options_resolve_as_on_aws(argv, options, expected):
    assert resolve(argv, options) == GLUES_OWN | expected


@pytest.mark.parametrize(
    ("argv", "options", "error", "message"),
    [
        ([], ["month"], utils.GlueArgumentError, "the following arguments are required: --month"),
        (["--month"], ["month"], utils.GlueArgumentError, "argument --month: expected one argument"),
        ([], ["JOB_RUN_ID"], RuntimeError, "Using reserved arguments JOB_RUN_ID"),
        ([], ["job-bookmark-option"], RuntimeError, "Using reserved arguments job-bookmark-option"),
        (
            ["--job-bookmark-option", "job-bookmark-pause", "--job-bookmark-from", "a"],
            [],
            RuntimeError,
            "Missing option or value for --job-bookmark-to",
        ),
        (
            ["--job-bookmark-from", "a", "--job-bookmark-to", "b"],
            [],
            RuntimeError,
            "Invalid option(s) --job-bookmark-from --job-bookmark-to",
        ),
    ],
)
def test_what_cannot_be_resolved_raises_as_on_aws(argv, options, error, message):
    with pytest.raises(error) as raised:
        resolve(argv, options)
    assert str(raised.value) == message
