"""The events that EventBridge gets of executions of standard machines.

https://docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html
"""

from __future__ import annotations

from typing import Any

from local_cloud.cloud import Cloud
from local_cloud.services import events

from .journal import End, Start
from .model import STANDARD

#: Input and output that together are longer, escaped, are left out of an event, in bytes.
_LONGEST = 248 * 1024


def changed(cloud: Cloud, start: Start, *, end: End | None = None, redrives: int = 0) -> None:
    """Publish that an execution is RUNNING, or has come to its `end`."""
    if start.type != STANDARD:
        return
    status = end.status if end else "RUNNING"
    output = end.output if end else None
    size = len(start.input.encode()) + len((output or "").encode())
    detail: dict[str, Any] = {
        "executionArn": start.arn,
        "stateMachineArn": start.machine_arn,
        "stateMachineVersionArn": start.version_arn or None,
        "stateMachineAliasArn": start.alias_arn or None,
        "name": start.name,
        "status": status,
        "startDate": int(start.started * 1000),
        "stopDate": int(end.stopped * 1000) if end else None,
        "input": start.input if size <= _LONGEST else None,
        "inputDetails": {"included": size <= _LONGEST},
        "output": output if len((output or "").encode()) <= _LONGEST else None,
        "outputDetails": {"included": len(output.encode()) <= _LONGEST} if output is not None else None,
        "error": end.error if end else None,
        "cause": end.cause if end else None,
        "redriveCount": redrives,
    }
    events.publish(
        cloud,
        source="aws.states",
        kind="Step Functions Execution Status Change",
        detail=detail,
        resources=[start.arn],
    )
