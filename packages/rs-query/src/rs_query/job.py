"""The Glue Python Shell job: the command's `run` with job arguments."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from rs_query.api import load, run
from rs_query.arguments import Parser, add_target
from rs_query.log import log_to
from rs_query.signals import interruptible
from rs_query.sources import params_from_json, params_from_uri

#: Arguments that Glue itself gives to a script, or takes for itself:
#: https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-etl-glue-arguments.html
_GLUES_OWN = frozenset({"--JOB_NAME", "--JOB_RUN_ID", "--JOB_ID", "--TempDir", "--scriptLocation"})


def main(argv: Sequence[str]) -> None:
    """Run the SQL file that the job arguments name. Raises the errors of rs_query; logs lines on stdout."""
    args = _parser().parse_args(_own(argv))
    params = params_from_uri(args.params_uri) if args.params_uri else {}
    params.update(params_from_json(args.params, "--params"))
    with interruptible():
        run(
            load(args.sql),
            database=args.database,
            workgroup=args.workgroup,
            cluster=args.cluster,
            secret_arn=args.secret_arn,
            params=params,
            transaction=args.transaction,
            timeout=args.timeout,
            log=log_to(sys.stdout),
        )


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog="rs-query", add_help=False)
    parser.add_argument("--sql", required=True)
    add_target(parser)
    parser.add_argument("--params", default="{}")
    parser.add_argument("--params-uri", default="")
    parser.add_argument("--transaction", type=_boolean, default=False)
    return parser


def _boolean(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise argparse.ArgumentTypeError(f"{text!r} is neither true nor false")
    return text.lower() == "true"


def _own(argv: Sequence[str]) -> list[str]:
    """The arguments without Glue's own. They come in pairs; `--name=value` is one argument."""
    own: list[str] = []
    rest = iter(argv)
    for name in rest:
        pair = (
            [name]
            if "=" in name or not name.startswith("--")
            else [name, *([] if (v := next(rest, None)) is None else [v])]
        )
        if name.partition("=")[0] not in _GLUES_OWN:
            own += pair
    return own
