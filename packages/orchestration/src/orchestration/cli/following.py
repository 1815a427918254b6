"""An execution shown until it is final, and what is said of one that failed."""

from __future__ import annotations

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

    states = boto3.client("stepfunctions")
    try:
        with following(detail) as show:
            for execution in executions.follow(states, arn):
                show(execution)
    except KeyboardInterrupt:
        name = arn.rsplit(":", 1)[-1]
        if serves:
            states.stop_execution(executionArn=arn, cause="its source is no longer served")
            raise Interrupted(f"{name} is stopped, because this command served its file") from None
        raise Interrupted(f"no longer followed, but it runs on: elt logs {name} --follow") from None
    return execution


def failure_text(execution: Execution, rerun: str) -> str:
    """Which state failed, the cause in one line, and the command to try again."""
    cause = " ".join((execution.cause or execution.error or "no cause given").split())
    where = execution.failed_state or "its start"
    cause = cause.removeprefix(f"{where}: ")
    return f"{execution.name} {execution.status.lower()} at {where}: {cause}\ntry again: {rerun}"
