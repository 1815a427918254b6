"""The `rs-query` command."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence

from rs_query.api import load, run
from rs_query.arguments import Parser, add_target
from rs_query.errors import RsQueryError, UsageError
from rs_query.literals import Value
from rs_query.log import log_to
from rs_query.signals import interruptible
from rs_query.sources import params_from_uri


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command: 0 for success, 1 for a failed run, 2 for wrong usage. Data on stdout, the rest on stderr."""
    try:
        args = _parser().parse_args(argv)
        with interruptible():
            args.command(args)
    except RsQueryError as error:
        print(f"rs-query: {error}", file=sys.stderr)
        return 2 if isinstance(error, UsageError) else 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog="rs-query", description="Run a SQL file on Amazon Redshift.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    running = commands.add_parser("run", help="run a SQL file and wait for its end")
    running.add_argument("source", metavar="FILE_OR_S3_URI", help="SQL file, s3://bucket/key, or - for standard input")
    add_target(running)
    running.add_argument("--param", action="append", default=[], metavar="NAME=VALUE", help="text for :NAME")
    running.add_argument("--params-uri", default="", metavar="URI", help="JSON object, s3://bucket/key.json#/pointer")
    running.add_argument("--transaction", action="store_true", help="all statements in one transaction")
    running.set_defaults(command=_run)
    splitting = commands.add_parser("split", help="print the statements of a SQL file, a JSON object each")
    splitting.add_argument("source", metavar="FILE", help="SQL file, s3://bucket/key, or - for standard input")
    splitting.set_defaults(command=_split)
    return parser


def _run(args: argparse.Namespace) -> None:
    params: dict[str, Value] = params_from_uri(args.params_uri) if args.params_uri else {}
    for given in args.param:
        name, equals, text = given.partition("=")
        if not equals or not name:
            raise UsageError(f"--param {given}: write NAME=VALUE")
        params[name] = text
    run(
        load(args.source),
        database=args.database,
        workgroup=args.workgroup,
        cluster=args.cluster,
        secret_arn=args.secret_arn,
        params=params,
        transaction=args.transaction,
        timeout=args.timeout,
        log=log_to(sys.stderr),
    )


def _split(args: argparse.Namespace) -> None:
    for statement in load(args.source).statements():
        print(
            json.dumps(
                {"index": statement.index, "line": statement.line, "column": statement.column, "text": statement.text},
                ensure_ascii=False,
            )
        )
