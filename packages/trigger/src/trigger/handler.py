"""The Lambda handler: a schedule's event in, one execution of a pipeline out.

Events::

    {"dataset": "yellow", "lag_months": 2}
    {"dataset": "yellow", "year": 2024, "month": 9}
    {"dataset": "reviews", "day": "2024-09-05T06:00:00Z"}

The execution is named after what it loads (`yellow-2024-09`, `reviews-2024-09-05`). Step Functions keeps execution
names for 90 days, so firing twice starts once:
https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html
"""

from __future__ import annotations

import datetime
import json
import os
from collections.abc import Mapping
from typing import Any

from trigger.periods import Day, Month, months_before


class EventError(ValueError):
    """The event does not say which month or day of which dataset; `str()` names the key at fault."""


def period_of(event: Mapping[str, Any], today: datetime.date) -> Day | Month:
    """The day an event names, else the month it means. Errors: EventError."""
    return day_of(event) if "day" in event else month_of(event, today)


def day_of(event: Mapping[str, Any]) -> Day:
    """The day of a date or of a time in UTC, as `<aws.scheduler.scheduled-time>` gives it. Errors: EventError.

    Of the time that was scheduled, not of the clock: a call that is tried again after midnight means the same day.
    """
    text = event["day"]
    try:
        date, _, time = text.partition("T")
        day = datetime.date.fromisoformat(date)
        if time:
            datetime.datetime.strptime(time, "%H:%M:%SZ")  # noqa: DTZ007 - only whether it is one
    except (AttributeError, ValueError):
        raise EventError(f"day must be like 2024-09-05 or 2024-09-05T06:00:00Z, but is {text!r}") from None
    return Day(day)


def month_of(event: Mapping[str, Any], today: datetime.date) -> Month:
    """The month an event means, explicit or counted back from `today`. Errors: EventError."""
    if "year" in event or "month" in event:
        year, number = whole_number(event, "year"), whole_number(event, "month")
        if not (2009 <= year <= 2099 and 1 <= number <= 12):
            raise EventError(f"year {year} and month {number} are no month TLC could have published")
        return Month(year, number)
    lag = whole_number(event, "lag_months")
    if not 0 <= lag <= 240:
        raise EventError(f"lag_months is {lag}; it must be 0 to 240")
    return months_before(today, lag)


def whole_number(event: Mapping[str, Any], key: str) -> int:
    """What the event has under `key`, a number or its digits. Errors: EventError."""
    value = event.get(key)
    if isinstance(value, str) and value.isascii() and value.isdigit():
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise EventError(f"{key} must be a whole number, but is {value!r}")


def state_machine_of(event: Mapping[str, Any], pipelines: Mapping[str, str]) -> tuple[str, str]:
    """Dataset and the ARN it starts. `pipelines` maps a dataset to a state machine or alias ARN."""
    dataset = event.get("dataset")
    if not isinstance(dataset, str) or dataset not in pipelines:
        raise EventError(f"dataset is {dataset!r}; it must be one of {', '.join(sorted(pipelines))}")
    return dataset, pipelines[dataset]


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Start the month's or day's execution, or find that it was started before.

    Returns `executionArn` and `started` (False when an execution of that name exists already).
    """
    import boto3

    dataset, arn = state_machine_of(event, json.loads(os.environ["PIPELINES"]))
    now = datetime.datetime.now(datetime.timezone.utc)
    period = period_of(event, now.date())
    name = f"{dataset}-{period}"
    states = boto3.client("stepfunctions")
    try:
        answer = states.start_execution(stateMachineArn=arn, name=name, input=json.dumps(period.input))
        # Of one that still runs, StartExecution answers with its ARN and when it was started, which is before now.
        execution, started = answer["executionArn"], answer["startDate"] >= now
    except states.exceptions.ExecutionAlreadyExists:
        execution, started = execution_arn(arn, name), False
    print(json.dumps({"event": "triggered", "name": name, "execution": execution, "started": started}))
    return {"executionArn": execution, "started": started}


def execution_arn(target_arn: str, name: str) -> str:
    """The ARN of an execution of a state machine, or of one of its aliases, by its name."""
    parts = target_arn.split(":")
    return ":".join([*parts[:5], "execution", parts[6], name])
