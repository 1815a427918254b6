"""The Lambda handler that asks whether a pipeline has done by now what its schedule promises.

CloudWatch itself cannot ask that of a monthly pipeline: an alarm looks at seven days at most
(https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html, EvaluationPeriods), and a
month loaded again says nothing of the month that is due. So a schedule asks once a day, and the answer is a metric,
`ELT` / `Overdue` by environment and pipeline, 0 or 1, for an alarm.

Events::

    {"pipeline": "yellow-trips", "state_machine": ARN, "dataset": "yellow", "lag_months": 2, "due_day": 8}
    {"pipeline": "reviews", "state_machine": ARN, "within_hours": 30}

The first is overdue when, from the `due_day` of a month on, no execution for the month `lag_months` before has
succeeded (before that day, the month one further back is asked for). The second, when none has within that time.
"""

from __future__ import annotations

import datetime
import json
import os
from collections.abc import Iterable, Mapping
from typing import Any

from trigger.handler import EventError, whole_number
from trigger.periods import Month, months_before


def month_due(today: datetime.date, *, lag_months: int, due_day: int) -> Month:
    """The newest month that must be there by `today`."""
    return months_before(today, lag_months if today.day >= due_day else lag_months + 1)


def is_done(name: str, *, dataset: str, month: Month) -> bool:
    """Whether an execution of that name is for the month: `yellow-2024-09`, also with a suffix of its own."""
    wanted = f"{dataset}-{month}"
    return name == wanted or name.startswith(f"{wanted}-")


def is_overdue(event: Mapping[str, Any], succeeded: Iterable[Mapping[str, Any]], *, now: datetime.datetime) -> bool:
    """`succeeded` are the executions that did, as ListExecutions gives them. Errors: EventError."""
    if "within_hours" in event:
        since = now - datetime.timedelta(hours=whole_number(event, "within_hours"))
        return not any(execution["stopDate"] >= since for execution in succeeded)
    dataset = event.get("dataset")
    if not isinstance(dataset, str):
        raise EventError(f"dataset must be text, but is {dataset!r}")
    lag, due_day = whole_number(event, "lag_months"), whole_number(event, "due_day")
    month = month_due(now.date(), lag_months=lag, due_day=due_day)
    return not any(is_done(execution["name"], dataset=dataset, month=month) for execution in succeeded)


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Answer, and put the answer where the alarm looks: `pipeline` and `overdue`."""
    import boto3

    pipeline, machine = event.get("pipeline"), event.get("state_machine")
    if not pipeline or not machine:
        raise EventError("the event must name a pipeline and the ARN of its state_machine")
    pages = (
        boto3.client("stepfunctions")
        .get_paginator("list_executions")
        .paginate(stateMachineArn=machine, statusFilter="SUCCEEDED")
    )
    succeeded = (execution for page in pages for execution in page["executions"])
    overdue = is_overdue(event, succeeded, now=datetime.datetime.now(datetime.timezone.utc))
    dimensions = {"Environment": os.environ["ENVIRONMENT"], "Pipeline": pipeline}
    boto3.client("cloudwatch").put_metric_data(
        Namespace="ELT",
        MetricData=[
            {
                "MetricName": "Overdue",
                "Dimensions": [{"Name": name, "Value": value} for name, value in dimensions.items()],
                "Value": float(overdue),
            }
        ],
    )
    print(json.dumps({"event": "checked", "pipeline": pipeline, "overdue": overdue}))
    return {"pipeline": pipeline, "overdue": overdue}
