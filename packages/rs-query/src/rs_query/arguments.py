"""What the command and the Glue job share: their options, and a run as these say."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from rs_query.api import TIMEOUT, TRANSPORTS, connect, load, plan_for
from rs_query.deadline import Deadline
from rs_query.errors import UsageError
from rs_query.literals import Value
from rs_query.output import FORMS, write
from rs_query.plan import Plan
from rs_query.retries import Log
from rs_query.runner import run_plan
from rs_query.sources import params_from_uri
from rs_query.transport import Target, Transport


class Parser(argparse.ArgumentParser):
    """A parser whose mistakes are UsageErrors; no abbreviations, so that a new option breaks nobody."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(allow_abbrev=False, **kwargs)

    def error(self, message: str) -> NoReturn:
        raise UsageError(message)


def add_options(parser: argparse.ArgumentParser, *, flag: Mapping[str, Any], output: str | None) -> None:
    """Add every option of a run. `flag` is how an option that is true or false is given, `output` the default form."""
    add_script_options(parser, flag=flag)
    add_timeout(parser, "for the whole run")
    add_output(parser, output)
    parser.add_argument(
        "--transport", choices=TRANSPORTS, default="data-api", help="Data API (default), or wire protocol"
    )


def add_script_options(parser: argparse.ArgumentParser, *, flag: Mapping[str, Any]) -> None:
    """Add the options for what a script runs on and with."""
    option = parser.add_argument
    option("--workgroup", default="", metavar="NAME", help="Redshift Serverless workgroup")
    option("--cluster", default="", metavar="NAME", help="provisioned cluster, instead of a workgroup")
    option("--database", default="", metavar="NAME", help="database to connect to")
    option("--secret-arn", default="", metavar="ARN", help="secret to log in with; without one, by IAM")
    option("--params-uri", default="", metavar="URI", help="JSON object of parameters: s3://bucket/key.json#/pointer")
    option("--transaction", help="all statements in one transaction", **flag)
    option("--dry-run", help="print the statements as they would be sent, run nothing", **flag)


def add_timeout(parser: argparse.ArgumentParser, what: str) -> None:
    """`--timeout`, of what."""
    parser.add_argument(
        "--timeout", type=_seconds, default=TIMEOUT, metavar="SECONDS", help=f"{what} (default {TIMEOUT:g})"
    )


def add_output(parser: argparse.ArgumentParser, default: str | None) -> None:
    """`--output`, with its default form."""
    parser.add_argument("--output", choices=FORMS, default=default, help="form of result sets on standard output")


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """Read the Glue job's arguments, and pass over what is not this job's: Glue's own, old and new.

    `passed_over` are their names, for a value might be a secret. Raises UsageError.
    """
    parser = Parser(prog="rs_query_job", add_help=False)
    parser.add_argument("--sql", required=True)
    add_options(parser, flag={"type": _boolean, "default": False}, output=None)
    parser.add_argument("--params", default="{}")
    known, rest = parser.parse_known_args(list(argv))
    known.passed_over = tuple(word.partition("=")[0] for word in rest if word.startswith("--"))
    return known


def run_with_options(source: str, args: argparse.Namespace, params: Mapping[str, Value], log: Log) -> None:
    """Run the script at `source` as the options say; `params` win over those of --params-uri."""
    deadline = Deadline(args.timeout)
    transport = connect(target(args), transport=args.transport, log=log)
    plan = plan_of(source, args, params, transport)
    if args.dry_run:
        print_plan(plan, log)
        return
    results = run_plan(plan, transport, deadline=deadline, log=log).results
    if args.output:
        write((result.until(deadline) for result in results), args.output, sys.stdout)


def target(args: argparse.Namespace) -> Target:
    """Return the database that the options name."""
    return Target(args.database, args.workgroup, args.cluster, args.secret_arn)


def plan_of(source: str, args: argparse.Namespace, params: Mapping[str, Value], transport: Transport) -> Plan:
    """Return the script at `source` with the options' parameters; `params` win over those of --params-uri."""
    given = {**(params_from_uri(args.params_uri) if args.params_uri else {}), **params}
    return plan_for(load(source), given, transaction=args.transaction, transport=transport)


def print_plan(plan: Plan, log: Log) -> None:
    """Print the statements as they would be sent, a JSON object each."""
    for one in plan.bound:
        statement = one.statement
        shown = {"index": statement.index, "line": statement.line, "column": statement.column}
        print(json.dumps(shown | {"sql": one.sql, "parameters": one.parameters}, ensure_ascii=False))
    log({"event": "dry run", "statements": len(plan.bound), "mode": plan.mode.value})


def _boolean(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise argparse.ArgumentTypeError(f"{text!r} is neither true nor false")
    return text.lower() == "true"


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < 10**9:
        raise argparse.ArgumentTypeError(f"{text!r} is no positive number of seconds")
    return value
