"""The `elt` command: one module per command, imported when it is called."""

from __future__ import annotations

import importlib
import sys
import textwrap
from collections.abc import Sequence

import click

from orchestration.errors import EltError, Terminated

# Command -> module and one line of help, so that `elt --help` imports none of them.
COMMANDS = {
    "demo": ("orchestration.cli.demo", "The whole pipeline on this machine, on a generated month."),
    "local": ("orchestration.cli.local", "Start, stop and look at AWS on this machine."),
    "doctor": ("orchestration.cli.doctor", "What an account lacks, and what helps."),
    "conformance": ("orchestration.cli.conformance", "What is taken for granted of AWS, asked of an account."),
    "plan": ("orchestration.cli.plan", "What a deployment would change."),
    "deploy": ("orchestration.cli.deploy", "Bring an environment to a release, or to the checkout."),
    "destroy": ("orchestration.cli.destroy", "Delete everything deployed that holds no data."),
    "release": ("orchestration.cli.release", "Build, publish and list releases."),
    "smoke": ("orchestration.cli.smoke", "A small month through what is deployed, checked and cleaned up."),
    "promote": ("orchestration.cli.promote", "Deploy to one environment what passed in another."),
    "rollback": ("orchestration.cli.rollback", "Deploy the release that was there before."),
    "diff": ("orchestration.cli.diff", "What differs between an environment and a release."),
    "new": ("orchestration.cli.new", "Write the files of a new dataset, era or pipeline."),
    "run": ("orchestration.cli.run", "Run a pipeline and follow it."),
    "backfill": ("orchestration.cli.backfill", "Load the months of a range that are missing, some at a time."),
    "status": ("orchestration.cli.status", "Recent executions."),
    "logs": ("orchestration.cli.logs", "What the jobs of an execution logged."),
    "rejects": ("orchestration.cli.rejects", "The rows of a month that were rejected, and why."),
    "sql": ("orchestration.cli.sql", "Ask the warehouse."),
    "verify": ("orchestration.cli.verify", "Compare the warehouse with the manifests, month by month."),
    "report": ("orchestration.cli.report", "One execution as a page to open."),
    "dashboard": ("orchestration.cli.dashboard", "A pipeline's report as a page to open."),
}


class LazyGroup(click.Group):
    """A group that knows its commands' names and help, and imports a command's module when it runs."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(COMMANDS[cmd_name][0]).command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="orchestration", prog_name="elt")
def elt() -> None:
    """A serverless ELT for AWS that also runs, unchanged, on this machine.

    Every command takes --env local|dev|prod (default: ELT_ENV, else local). Data goes to stdout, progress to
    stderr. Exit codes: 0 success, 1 a run failed, 2 wrong usage.
    """


def main(argv: Sequence[str] | None = None) -> None:
    """Run `elt` and exit with its code; every failure is one line on stderr."""
    sys.exit(invoke(sys.argv[1:] if argv is None else argv))


def invoke(argv: Sequence[str]) -> int:
    """Run `elt` with these arguments and return the exit code."""
    try:
        result = elt.main(args=list(argv), prog_name="elt", standalone_mode=False)
    except click.exceptions.Exit as done:
        return done.exit_code
    except click.exceptions.NoArgsIsHelpError as bare:
        click.echo(bare.ctx.get_help() if bare.ctx else "")
        return 0
    except BrokenPipeError:
        return 0
    except Exception as error:
        line, code = _failure(error)
        click.echo(f"elt: {line}", err=True)
        return code
    return result if isinstance(result, int) else 0


def _failure(error: Exception) -> tuple[str, int]:
    """Return one line and an exit code; what no user can fix is raised again, being a bug."""
    if isinstance(error, EltError):
        return str(error), error.exit_code
    if isinstance(error, click.Abort):
        return "interrupted", 143 if isinstance(error.__cause__, Terminated) else 130
    if isinstance(error, click.ClickException):
        context = getattr(error, "ctx", None)
        return f"{error.format_message()} (see `{context.command_path if context else 'elt'} --help`)", 2
    if isinstance(error, OSError) and error.filename:
        return f"{error.filename}: {error.strerror}", 1
    line = _sdk_failure(error)
    if line is None:
        raise error
    return line, 1


def _sdk_failure(error: Exception) -> str | None:
    """Return one line for what the AWS SDK or rs-query raised; None for anything else, which is a bug."""
    from boto3.exceptions import Boto3Error
    from botocore.exceptions import BotoCoreError, ClientError, EndpointConnectionError, NoCredentialsError

    from rs_query import RsQueryError

    if isinstance(error, NoCredentialsError):
        return "no AWS credentials found; sign in (for example `aws sso login`) or set AWS_PROFILE"
    if isinstance(error, EndpointConnectionError):
        return f"nothing answers at {error.kwargs.get('endpoint_url')}; is the endpoint right and reachable?"
    if isinstance(error, (Boto3Error, BotoCoreError, ClientError, RsQueryError)):
        return textwrap.shorten(str(error), 600)
    return None
