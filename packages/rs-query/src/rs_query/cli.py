"""The `rs-query` command."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from importlib.metadata import version

from rs_query.api import load
from rs_query.arguments import Parser, add_options, run_with_options
from rs_query.cli_asynchronous import add_commands
from rs_query.cli_options import add_account, add_script, choose_account, text_params
from rs_query.errors import PlanError, RsQueryError, StoppedError, UsageError
from rs_query.log import log_to
from rs_query.signals import interruptible
from rs_query.transactions import refusal


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command: 0 for success, 1 for a failed run, 2 for wrong usage, 128 and its number for a signal.

    Data on stdout, the rest on stderr.
    """
    try:
        with interruptible():
            args = _parser().parse_args(argv)
            choose_account(args)
            args.command(args)
            sys.stdout.flush()
    except RsQueryError as error:
        print(f"rs-query: {error}", file=sys.stderr)
        if isinstance(error, StoppedError) and error.signum:
            return 128 + error.signum
        return 2 if isinstance(error, UsageError) else 1
    except BrokenPipeError:  # whoever read the output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog="rs-query", description="Run SQL files on Amazon Redshift: split, bind, run, wait, cancel.")
    parser.add_argument("--version", action="version", version=f"rs-query {version('rs-query')}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND", parser_class=Parser)

    running = commands.add_parser("run", help="run a SQL file and wait for its end")
    add_script(running)
    add_options(running, flag={"action": "store_true"}, output="table")
    add_account(running)
    running.set_defaults(command=_run)

    add_commands(commands)

    splitting = commands.add_parser("split", help="print the statements of a SQL file, a JSON object each")
    splitting.add_argument("source", metavar="FILE", help="SQL file, s3://bucket/key, or - for standard input")
    splitting.set_defaults(command=_split)

    checking = commands.add_parser("check", help="print statements and parameters, a JSON object each, and run nothing")
    checking.add_argument("source", metavar="FILE", help="SQL file, s3://bucket/key, or - for standard input")
    checking.add_argument("--transaction", action="store_true", help="refuse what can't be in one transaction")
    checking.set_defaults(command=_check)
    return parser


def _run(args: argparse.Namespace) -> None:
    run_with_options(args.source, args, text_params(args.param), log_to(sys.stderr))


def _split(args: argparse.Namespace) -> None:
    for statement in load(args.source).statements():
        _print({"index": statement.index, "line": statement.line, "column": statement.column, "text": statement.text})


def _check(args: argparse.Namespace) -> None:
    statements = load(args.source).statements()
    for statement in statements:
        if args.transaction and (reason := refusal(statement.text)):
            raise PlanError(f"{statement.what}: {reason}")
    for statement in statements:
        parameters = [
            {"name": place.name, "place": statement.where_is(place), "kind": place.kind}
            for place in statement.placeholders
        ]
        place = {"index": statement.index, "line": statement.line, "column": statement.column}
        _print(place | {"statement": statement.first_words, "parameters": parameters})


def _print(document: object) -> None:
    print(json.dumps(document, ensure_ascii=False))
