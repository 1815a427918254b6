"""Show an execution until it is final, and say how one failed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from orchestration.errors import Interrupted

if TYPE_CHECKING:
    from orchestration.executions import Execution
    from orchestration.progress import Detail


def follow_with(detail: Detail, arn: str, *, serves: bool = False) -> Execution:
    """Show an execution, with a few words on each finished state, until it is final; return its last reading."""
    import boto3

    from orchestration import executions
    from orchestration.progress import following

    with (
        interruptible(arn, serves=serves, ways_on=f"follow it: elt logs {arn.rsplit(':', 1)[-1]} --follow"),
        following(detail) as show,
    ):
        for execution in executions.follow(boto3.client("stepfunctions"), arn):
            show(execution)
    return execution


@contextmanager
def interruptible(arn: str, *, serves: bool, ways_on: str) -> Iterator[None]:
    """Stop the execution on Ctrl-C if this process `serves` its source; another runs on, and `ways_on` says how.

    Errors: Interrupted.
    """
    import boto3

    try:
        yield
    except KeyboardInterrupt:
        name = arn.rsplit(":", 1)[-1]
        if serves:
            boto3.client("stepfunctions").stop_execution(executionArn=arn, cause="its source is no longer served")
            raise Interrupted(f"{name} is stopped, because this command served its source") from None
        raise Interrupted(f"{name} is no longer followed, but runs on; {ways_on}") from None


def failure_text(execution: Execution, rerun: str) -> str:
    """Say which state failed, the cause in one line, and the command to try again."""
    cause = " ".join((execution.cause or execution.error or "no cause given").split())
    where = execution.failed_state or "its start"
    cause = cause.removeprefix(f"{where}: ")
    return f"{execution.name} {execution.status.lower()} at {where}: {cause}\ntry again: {rerun}"
