"""The Glue Python Shell job: the command's `run`, with job arguments for options."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from rs_query.arguments import parse, run_with_options
from rs_query.log import log_to
from rs_query.signals import interruptible
from rs_query.sources import params_from_argument


def main(argv: Sequence[str]) -> None:
    """Run the SQL file that the job arguments name.

    Logs a JSON line an event on stdout. Raises the errors of rs_query, whose one line Glue makes the run's
    ErrorMessage.
    """
    with interruptible():
        log = log_to(sys.stdout)
        args = parse(argv)
        if args.passed_over:
            log({"event": "passed over", "arguments": args.passed_over})
        run_with_options(args.sql, args, params_from_argument(args.params, "--params"), log)
