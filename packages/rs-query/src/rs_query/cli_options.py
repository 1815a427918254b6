"""Options that several commands of `rs-query` have, and the Glue job has not."""

from __future__ import annotations

import argparse
import os

from rs_query.errors import UsageError


def add_script(parser: argparse.ArgumentParser) -> None:
    """Add the options for the script, and for texts of its parameters."""
    parser.add_argument("source", metavar="FILE_OR_S3_URI", help="SQL file, s3://bucket/key, or - for standard input")
    parser.add_argument("--param", action="append", default=[], metavar="NAME=VALUE", help="text for :NAME")


def text_params(given: list[str]) -> dict[str, str]:
    """Return what every `--param NAME=VALUE` gives. Raises UsageError."""
    params: dict[str, str] = {}
    for one in given:
        name, equals, text = one.partition("=")
        if not equals or not name:
            raise UsageError(f"--param {one}: write NAME=VALUE")
        params[name] = text
    return params


def add_account(parser: argparse.ArgumentParser) -> None:
    """`--profile` and `--region`."""
    parser.add_argument("--profile", default="", metavar="NAME", help="profile of the AWS configuration")
    parser.add_argument("--region", default="", metavar="NAME", help="AWS region")


def choose_account(args: argparse.Namespace) -> None:
    """Set --profile and --region where the SDK looks for them: they count for all that the command calls."""
    for option, variables in (("profile", ["AWS_PROFILE"]), ("region", ["AWS_REGION", "AWS_DEFAULT_REGION"])):
        if given := getattr(args, option, ""):
            os.environ.update(dict.fromkeys(variables, given))
