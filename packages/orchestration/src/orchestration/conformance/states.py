"""Step Functions: the context object in a Catch, the dates of executions, and metrics of an alias."""

from __future__ import annotations

import datetime
import json
from typing import Any

import boto3

from orchestration.conformance.assumption import Probe
from orchestration.conformance.ground import Ground, until

_METRICS_SECONDS = 600


def _execution(ground: Ground) -> dict[str, Any]:
    """Return one execution by the alias, run once for all probes that ask."""
    if "execution" not in ground.answers:
        states = boto3.client("stepfunctions")
        arn = states.start_execution(stateMachineArn=ground.outputs["Alias"])["executionArn"]

        def ask() -> dict[str, Any] | None:
            found: dict[str, Any] = states.describe_execution(executionArn=arn)
            return None if found["status"] == "RUNNING" else found

        ground.answers["execution"] = until(ask, seconds=120, what=f"{arn} has not ended")
    found: dict[str, Any] = ground.answers["execution"]
    return found


def _name_in_a_catch(ground: Ground) -> Any:
    found = _execution(ground)
    return json.loads(found["output"])["failed_at"] if found["status"] == "SUCCEEDED" else found.get("cause")


def _dates(ground: Ground) -> dict[str, bool]:
    """Compare what lists, describes and the context say of an execution's begin: is it the same moment?"""
    found = _execution(ground)
    listed = until(
        lambda: next(
            (
                one
                for one in boto3.client("stepfunctions").list_executions(stateMachineArn=ground.outputs["Machine"])[
                    "executions"
                ]
                if one["executionArn"] == found["executionArn"]
            ),
            None,
        ),
        seconds=60,
        what="the execution is not listed",
    )
    context = datetime.datetime.fromisoformat(json.loads(found["output"])["start"].replace("Z", "+00:00"))
    return {
        "listed as described": listed["startDate"] == found["startDate"],
        "in the context within a millisecond": abs((context - found["startDate"]).total_seconds()) < 0.001,
    }


def _metrics_of_an_alias(ground: Ground) -> list[str]:
    """List the dimensions under which ExecutionsSucceeded of an execution by an alias is found."""
    _execution(ground)
    cloudwatch, machine = boto3.client("cloudwatch"), ground.outputs["Machine"]

    def ask() -> list[str] | None:
        pages = cloudwatch.get_paginator("list_metrics").paginate(
            Namespace="AWS/States", MetricName="ExecutionsSucceeded"
        )
        found = [
            "+".join(sorted(one["Name"] for one in metric["Dimensions"]))
            for page in pages
            for metric in page["Metrics"]
            if any(one["Value"].startswith(machine) for one in metric["Dimensions"])
        ]
        return sorted(set(found)) or None

    answer: list[str] = until(ask, seconds=_METRICS_SECONDS, what="no metric of the machine is listed")
    return answer


PROBES = [
    Probe(
        "state-name-in-catch",
        "$states.context.State.Name in a Catch's Assign is the state that failed",
        "a definition whose Catch blocks are all the same",
        _name_in_a_catch,
    ),
    Probe(
        "start-dates",
        "ListExecutions, DescribeExecution and the context object tell an execution's begin alike",
        "WaitForTurn of reviews",
        _dates,
    ),
    Probe(
        "alias-metrics",
        "Executions by an alias count in the metrics of their machine, without the dimension Alias",
        "the alarms of slow runs",
        _metrics_of_an_alias,
    ),
]
