"""The options that the command and the Glue job share, and what they mean together."""

from __future__ import annotations

import argparse
from typing import NoReturn

from rs_query.api import TIMEOUT
from rs_query.errors import UsageError


class Parser(argparse.ArgumentParser):
    """A parser whose mistakes are UsageErrors; no abbreviations, so that a new option breaks nobody."""

    def __init__(self, **kwargs: object) -> None:
        super().__init__(allow_abbrev=False, **kwargs)  # type: ignore[arg-type]

    def error(self, message: str) -> NoReturn:
        raise UsageError(message)


def add_target(parser: argparse.ArgumentParser) -> None:
    """Where to run."""
    parser.add_argument("--workgroup", default="", help="Redshift Serverless workgroup")
    parser.add_argument("--cluster", default="", help="provisioned cluster, instead of a workgroup")
    parser.add_argument("--database", default="", help="database to connect to")
    parser.add_argument("--secret-arn", default="", help="Secrets Manager secret to log in with, instead of IAM")
    parser.add_argument("--timeout", type=seconds, default=TIMEOUT, help="seconds for the whole run (default 900)")


def seconds(text: str) -> float:
    """A positive number of seconds."""
    value = float(text)
    if not 0 < value < 10**9:
        raise argparse.ArgumentTypeError(f"{text!r} is no positive number of seconds")
    return value
