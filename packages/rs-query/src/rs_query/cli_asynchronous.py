"""`rs-query submit`, and what takes the id that it prints: `status`, `wait`, `cancel`, `result`."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from rs_query import asynchronous
from rs_query.api import check_target
from rs_query.arguments import add_output, add_script_options, add_timeout, plan_of, print_plan, target
from rs_query.cli_options import add_account, add_script, text_params
from rs_query.data_api import DataApi
from rs_query.deadline import Deadline
from rs_query.log import log_to
from rs_query.output import write
from rs_query.plan import check_one_call

_ID = "what submit printed; ID:2 is the second statement of a transaction"


def add_commands(commands: Any) -> None:
    """Add the commands to the parser's subparsers."""
    submitting = commands.add_parser("submit", help="submit a SQL file, print its statement id, and don't wait")
    add_script(submitting)
    add_script_options(submitting, flag={"action": "store_true"})
    submitting.add_argument("--token", default="", help="submit once for all submissions with this token")
    add_timeout(submitting, "for the submission alone")
    add_account(submitting)
    submitting.set_defaults(command=_submit)

    for name, command, text in (
        ("status", _status, "print what became of a submitted statement, as a JSON object"),
        ("wait", _wait, "wait for the end of a submitted statement; its exit code is that of run"),
        ("cancel", _cancel, "cancel a submitted statement, unless it has ended, and print its status"),
        ("result", _result, "print the result sets of a statement that has finished"),
    ):
        parser = commands.add_parser(name, help=text)
        parser.add_argument("id", metavar="ID", help=_ID)
        if name == "wait":
            add_timeout(parser, "before giving up, which cancels nothing")
        if name == "result":
            add_output(parser, "table")
        add_account(parser)
        parser.set_defaults(command=command)


def _submit(args: argparse.Namespace) -> None:
    log = log_to(sys.stderr)
    deadline = Deadline(args.timeout)
    transport = DataApi(check_target(target(args)), log=log)
    plan = plan_of(args.source, args, text_params(args.param), transport)
    check_one_call(plan, limit=transport.batch_limit)
    if args.dry_run:
        print_plan(plan, log)
        return
    statement_id = asynchronous.submit_plan(plan, transport, token=args.token, deadline=deadline)
    try:
        print(statement_id, flush=True)
    except BaseException:  # nobody has the id
        if not args.token:
            asynchronous.cancel(statement_id, log=log)
        raise


def _status(args: argparse.Namespace) -> None:
    _print(asynchronous.status(args.id, log=log_to(sys.stderr)))


def _wait(args: argparse.Namespace) -> None:
    asynchronous.wait(args.id, timeout=args.timeout, log=log_to(sys.stderr))


def _cancel(args: argparse.Namespace) -> None:
    _print(asynchronous.cancel(args.id, log=log_to(sys.stderr)))


def _result(args: argparse.Namespace) -> None:
    write(asynchronous.result(args.id, log=log_to(sys.stderr)).results, args.output, sys.stdout)


def _print(status: asynchronous.Status) -> None:
    print(json.dumps(_as_json(status), ensure_ascii=False))


def _as_json(status: asynchronous.Status) -> dict[str, Any]:
    shown: dict[str, Any] = {"id": status.statement_id, "status": status.status, "seconds": round(status.seconds, 3)}
    shown |= {"rows": status.rows, "error": status.error or None}
    if status.statements:
        return shown | {"statements": [_as_json(one) for one in status.statements]}
    return shown | {"statement": status.statement}
