"""The Lambda handler that asks whether a pipeline has done by now what its schedule promises, and what still runs.

CloudWatch itself cannot ask that of a monthly pipeline: an alarm looks at seven days at most
(https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html, EvaluationPeriods), and a
month loaded again says nothing of the month that is due. Nor does it see an execution that hangs: ExecutionTime comes
when one has ended. So a schedule asks every hour, and the answers are metrics for alarms, by environment and pipeline:
`ELT` / `Overdue`, 0 or 1, and `ELT` / `RunningTime`, the milliseconds since the oldest execution under way began.

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

from trigger.events import text, whole_number
from trigger.executions import is_of, list_executions
from trigger.periods import Month, months_before


def month_due(today: datetime.date, *, lag_months: int, due_day: int) -> Month:
    """Return the newest month that must be there by `today`."""
    return months_before(today, lag_months if today.day >= due_day else lag_months + 1)


def is_overdue(event: Mapping[str, Any], succeeded: Iterable[Mapping[str, Any]], *, now: datetime.datetime) -> bool:
    """`succeeded` are the executions that did, as ListExecutions gives them. Errors: EventError."""
    if "within_hours" in event:
        since = now - datetime.timedelta(hours=whole_number(event, "within_hours"))
        return not any(execution["stopDate"] >= since for execution in succeeded)
    dataset = text(event, "dataset")
    lag, due_day = whole_number(event, "lag_months"), whole_number(event, "due_day")
    month = month_due(now.date(), lag_months=lag, due_day=due_day)
    return not any(is_of(execution["name"], dataset=dataset, month=month) for execution in succeeded)


def running_time(running: Iterable[Mapping[str, Any]], *, now: datetime.datetime) -> float:
    """Milliseconds since the first of them began, of executions as ListExecutions gives them; 0 of none.

    Never less than 0, though Step Functions' clock may be ahead of the function's.
    """
    milliseconds = [float((now - execution["startDate"]).total_seconds() * 1000) for execution in running]
    return max([0.0, *milliseconds])


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Answer, and put the answers where the alarms look: `pipeline`, `overdue` and `running_ms`."""
    import boto3

    pipeline, machine = text(event, "pipeline"), text(event, "state_machine")
    states = boto3.client("stepfunctions")
    now = datetime.datetime.now(datetime.timezone.utc)
    overdue = is_overdue(event, list_executions(states, machine, "SUCCEEDED"), now=now)
    running = running_time(list_executions(states, machine, "RUNNING"), now=now)
    by = {"Environment": os.environ["ENVIRONMENT"], "Pipeline": pipeline}
    dimensions = [{"Name": name, "Value": value} for name, value in by.items()]
    boto3.client("cloudwatch").put_metric_data(
        Namespace="ELT",
        MetricData=[
            {"MetricName": "Overdue", "Dimensions": dimensions, "Value": float(overdue)},
            {"MetricName": "RunningTime", "Dimensions": dimensions, "Value": running, "Unit": "Milliseconds"},
        ],
    )
    answer = {"pipeline": pipeline, "overdue": overdue, "running_ms": round(running)}
    print(json.dumps({"event": "checked", **answer}))
    return answer
