"""Executions of a pipeline, as Step Functions lists them, and which month their names are of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from trigger.periods import Month


def list_executions(states: Any, target: str, status: str = "") -> Iterator[Mapping[str, Any]]:
    """Yield the executions of a state machine, newest first, whatever alias started them; `status` limits them.

    `target` is the ARN of the machine or of an alias, by which ListExecutions would give only its own:
    https://docs.aws.amazon.com/step-functions/latest/apireference/API_ListExecutions.html
    """
    given = {"statusFilter": status} if status else {}
    for page in states.get_paginator("list_executions").paginate(stateMachineArn=machine_arn(target), **given):
        yield from page["executions"]


def machine_arn(target: str) -> str:
    """Return the ARN of a state machine, of its own or of one of its aliases' or versions'."""
    return ":".join(target.split(":")[:7])


def execution_arn(target: str, name: str) -> str:
    """Return the ARN of an execution by its name; `target` as for `machine_arn`."""
    parts = target.split(":")
    return ":".join([*parts[:5], "execution", parts[6], name])


def is_of(name: str, *, dataset: str, month: Month) -> bool:
    """Return whether an execution of that name is for the month: `yellow-2024-09`, also with a suffix of its own."""
    wanted = f"{dataset}-{month}"
    return name == wanted or name.startswith(f"{wanted}-")
