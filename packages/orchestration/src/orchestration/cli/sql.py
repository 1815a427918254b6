"""`elt sql`: ask the warehouse."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from orchestration.cli.options import env_option
from orchestration.environments import Environment
from orchestration.errors import UsageError
from orchestration.whole_file import replacing

if TYPE_CHECKING:
    from orchestration.releases.environment.deployment import Deployment
    from rs_query import Result, Script

    Results = tuple[Result, ...] | list[Result]

#: The first words of statements that only read.
_READING = ("SELECT", "WITH", "SHOW", "EXPLAIN", "DESC")
#: What a SELECT or a WITH may lead up to, and changes something: WITH … DELETE, SELECT … INTO.
#: https://docs.aws.amazon.com/redshift/latest/dg/r_DELETE.html, r_SELECT_INTO.html
_CHANGING = re.compile(r"\b(INTO|DELETE|UPDATE|INSERT|MERGE)\b")


@click.command("sql")
@click.argument("text", metavar="[SQL]", required=False)
@click.option(
    "-f", "--file", "source", metavar="FILE", help="SQL from a file, s3://bucket/key, or - for standard input."
)
@click.option("--param", "params", multiple=True, metavar="NAME=VALUE", help="The text for :NAME; once for each name.")
@click.option(
    "--output",
    type=click.Choice(["table", "csv", "json", "parquet"]),
    default="table",
    show_default=True,
    help="How results are written; json is an object a line.",
)
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="The file to write. [default: stdout]")
@click.option("--write", is_flag=True, help="Run also what changes the warehouse.")
@env_option
def command(  # noqa: PLR0917
    text: str | None,
    source: str | None,
    params: tuple[str, ...],
    output: str,
    out: Path | None,
    write: bool,
    environment: Environment,
) -> None:
    """Ask the warehouse: run SQL and print what it finds.

    Several statements are separated by semicolons; each is a transaction of its own. Without SQL, and without -f, this
    is a prompt with history and completion, or standard input is read.

    One of the environment's readers asks as itself, anybody else as the warehouse's administrator. So statements that
    change anything are refused, before any of them runs, unless --write is given.
    """
    import rs_query
    from orchestration import warehouse
    from orchestration.cli.deploy import find
    from orchestration.cli.local import connect
    from orchestration.progress import stderr
    from rs_query.cli_options import text_params

    if text is not None and source is not None:
        raise UsageError("give the SQL or -f FILE, not both")
    if output == "parquet" and out is None:
        raise UsageError("Parquet goes to a file: --out FILE")
    values = text_params(list(params))
    prompt = text is None and source is None and sys.stdin.isatty()
    if prompt and out is not None:
        raise UsageError("--out is for SQL that is given, not for a prompt")
    script = None if prompt else rs_query.load(source or "-") if text is None else rs_query.Script(text)
    if script:
        refuse_changes(script, allowed=write)
    connect(environment)
    deployment, as_caller = find(environment), warehouse.is_reader(environment)

    def run(asked: Script) -> Results:
        with stderr().status("asking the warehouse"):
            return warehouse.run(deployment, asked, params=values, as_caller=as_caller).results

    if script:
        write_results(run(script), output, out)
        return
    from orchestration.cli import sql_prompt

    def answer(line: str) -> None:
        asked = rs_query.Script(line)
        refuse_changes(asked, allowed=write)
        write_results(run(asked), output, None)

    sql_prompt.repeat(
        answer,
        environment=environment.name,
        names=lambda: _names(deployment, as_caller=as_caller),
    )


def refuse_changes(script: Script, *, allowed: bool) -> None:
    """Refuse a script of which a statement does more than read. Errors: UsageError names the first one."""
    from rs_query.lexer import first_word, skeleton

    for statement in () if allowed else script.statements():
        first, words = first_word(statement.text), skeleton(statement.text)
        if first not in _READING or (first in ("SELECT", "WITH") and _CHANGING.search(words)):
            raise UsageError(f"{statement.what} is none that only reads; --write runs it")


def write_results(results: Results, output: str, out: Path | None) -> None:
    """Write result sets to a file, which is there whole or not at all, or to stdout.

    A page of rows at a time, but Parquet, which is made of one result set as a whole. Statements without a result set
    are named on stderr with the rows they changed. Errors: UsageError.
    """
    from rs_query.output import write

    for result in results:
        if not result.has_result_set:
            rows = f", {result.rows:,} rows" if result.rows else ""
            click.echo(f"{result.statement.first_words}: done{rows}", err=True)
    found = [result for result in results if result.has_result_set]
    if output == "parquet":
        _write_parquet(found, out or Path())
    elif out is None:
        write(found, output, sys.stdout)
    else:
        with replacing(out) as unfinished, unfinished.open("w", encoding="utf-8", newline="") as stream:
            write(found, output, stream)
    if out is not None:
        click.echo(out)


def _write_parquet(found: list[Result], out: Path) -> None:
    if len(found) != 1:
        raise UsageError(f"a Parquet file holds one result set, and there are {len(found)}")
    table = found[0].arrow()
    from pyarrow import parquet

    with replacing(out) as unfinished:
        parquet.write_table(table, unfinished)


def _names(deployment: Deployment, *, as_caller: bool) -> list[str]:
    """List the tables and columns that there are, for completion."""
    from orchestration import warehouse

    rows = warehouse.query(
        deployment,
        "SELECT table_schema, table_name, column_name FROM svv_columns "
        "WHERE table_schema NOT IN ('pg_catalog', 'information_schema', 'pg_internal')",
        as_caller=as_caller,
    )
    return sorted({name for schema, table, column in rows for name in (table, f"{schema}.{table}", column)})
