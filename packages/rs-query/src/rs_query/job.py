"""The Glue Python Shell job: the command's `run`, told by job arguments."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence

from rs_query.arguments import Parser, add_options, run_as_told
from rs_query.log import log_to
from rs_query.signals import interruptible
from rs_query.sources import params_from_json

#: Arguments that Glue gives to a script, or takes for itself and passes on:
#: https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-etl-glue-arguments.html
_GLUES_OWN = frozenset(
    """--JOB_ID --JOB_NAME --JOB_RUN_ID --SECURITY_CONFIGURATION --TempDir --additional-python-modules --class --conf
    --continuous-log-logGroup --continuous-log-logStreamPrefix --customer-driver-env-vars --debug --enable-auto-scaling
    --enable-continuous-cloudwatch-log --enable-continuous-log-filter --enable-glue-datacatalog --enable-job-insights
    --enable-metrics --enable-observability-metrics --encryption-type --extra-files --extra-jars --extra-py-files
    --job-bookmark-option --job-language --library-set --mode --python-modules-installer-option --scriptLocation
    --temp-dir --user-jars-first --job-bookmark-from --job-bookmark-to""".split()  # noqa: SIM905 - one name a line says no more
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
    """The arguments without Glue's own, which come as `--name value` or `--name=value`."""
    arguments = iter(argv)
    for argument in arguments:
        name, equals, _ = argument.partition("=")
        if name not in _GLUES_OWN:
            yield argument
        elif not equals:
            next(arguments, None)
