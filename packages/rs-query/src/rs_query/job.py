"""The Glue Python Shell job: the command's `run`, told by job arguments."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator, Sequence

from rs_query.arguments import Parser, add_options, run_as_told
from rs_query.log import log_to
from rs_query.signals import interruptible
from rs_query.sources import params_from_json

#: Arguments that Glue gives to a script, or takes for itself and passes on; whole families of them, since it gets new
#: ones: https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-etl-glue-arguments.html
_GLUES_OWN = re.compile(
    r"--(JOB_\w+|WORKFLOW_\w+|SECURITY_CONFIGURATION|TempDir|temp-dir|additional-python-modules|class|conf|debug|mode"
    r"|(continuous-log|customer-driver|customer-executor|enable|extra|job)-[\w-]+|encryption-type|library-set"
    r"|python-modules-installer-option|scriptLocation|user-jars-first)"
)


def main(argv: Sequence[str]) -> None:
    """Run the SQL file that the job arguments name.

    Logs a JSON line an event on stdout. Raises the errors of rs_query, whose one line Glue makes the run's
    ErrorMessage.
    """
    with interruptible():
        args = parse(argv)
        run_as_told(args.sql, args, params_from_json(args.params, "--params"), log_to(sys.stdout))


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """The job's arguments, Glue's own left aside. Raises UsageError."""
    parser = Parser(prog="rs_query_job", add_help=False)
    parser.add_argument("--sql", required=True)
    add_options(parser, flag={"type": _boolean, "default": False}, output=None)
    parser.add_argument("--params", default="{}")
    return parser.parse_args(list(_ours(argv)))


def _boolean(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise argparse.ArgumentTypeError(f"{text!r} is neither true nor false")
    return text.lower() == "true"


def _ours(argv: Sequence[str]) -> Iterator[str]:
    """The arguments without Glue's own, which come as `--name value`, `--name=value`, or without a value."""
    skip = False
    for argument in argv:
        name, equals, _ = argument.partition("=")
        if argument.startswith("--"):
            glues = _GLUES_OWN.fullmatch(name) is not None
            skip = glues and not equals
            if not glues:
                yield argument
        elif skip:
            skip = False
        else:
            yield argument
