"""The Lambda handler: a schedule's event in, at most one execution of a pipeline out.

Events; `state_machine` is the ARN of the machine or of its alias::

    {"state_machine": ARN, "dataset": "yellow", "lag_months": 2, "pipeline": "yellow-trips", "source": "https://…"}
    {"state_machine": ARN, "dataset": "yellow", "year": 2024, "month": 9}
    {"state_machine": ARN, "dataset": "reviews", "day": "2024-09-05T06:00:00Z"}

The execution is named after what it loads (`yellow-2024-09`, `reviews-2024-09-05`). Step Functions keeps execution
names for 90 days, so firing twice starts once:
https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html

An event with a `source` may come every day: its month is started once, as soon as the source has its file and nobody
has loaded it. A month that this function started and that failed is left to a person: the failure was mailed, with the
command that runs it again; a retry a day would only mail it every day.
"""

from __future__ import annotations

import datetime
import json
import os
from collections.abc import Mapping
from typing import Any

from trigger.events import EventError, period_of, text
from trigger.executions import execution_arn, is_of, list_executions
from trigger.periods import Day, Month
from trigger.source import address_of, why_missing

#: Which of several executions of a month decides: one that loaded it, then one that may yet.
_ORDER = {"SUCCEEDED": 0, "RUNNING": 1}


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Start the month's or day's execution, unless there is a reason not to.

    Returns `name`, `started`, the `execution`'s ARN where there is one, and where `started` is False the `reason`.
    Errors: EventError; SourceError, of which the next call may know more.
    """
    import boto3

    dataset, machine = text(event, "dataset"), text(event, "state_machine")
    now = datetime.datetime.now(datetime.timezone.utc)
    period = period_of(event, now.date())
    name = f"{dataset}-{period}"
    states = boto3.client("stepfunctions")
    waits = _reason_to_wait(states, event, period) if "source" in event else None
    if waits:
        answer = {"name": name, "started": False, **waits}
    else:
        started = _start(states, machine, name=name, given=period.input, now=now)
        answer = {"name": name, "started": started, "execution": execution_arn(machine, name)}
        if not started:
            answer["reason"] = f"already started as {name}"
    print(json.dumps({"event": "triggered", **answer}, ensure_ascii=False))
    return answer


def _start(states: Any, machine: str, *, name: str, given: Mapping[str, str], now: datetime.datetime) -> bool:
    """Start an execution; False where one of that name was started before."""
    try:
        answer = states.start_execution(stateMachineArn=machine, name=name, input=json.dumps(given))
    except states.exceptions.ExecutionAlreadyExists:
        return False
    # Of one that still runs, StartExecution answers with its ARN and when it was started, which is before now.
    return bool(answer["startDate"] >= now)


def _reason_to_wait(states: Any, event: Mapping[str, Any], month: Day | Month) -> dict[str, str] | None:
    """Return why a month is not to be started now, with the execution that it is about; None where it is.

    The source is asked last: a month that is loaded needs nothing of it. Errors: EventError, SourceError.
    """
    dataset, pipeline = text(event, "dataset"), text(event, "pipeline")
    if not isinstance(month, Month):
        raise EventError("source is of a month: it goes with lag_months, or with year and month, not with day")
    address = address_of(text(event, "source"), dataset=dataset, month=month)
    known = [
        one
        for one in list_executions(states, event["state_machine"])
        if is_of(one["name"], dataset=dataset, month=month)
    ]
    rerun = f"elt run {pipeline} --month {month} --env {os.environ['ENVIRONMENT']}"
    for execution in sorted(known, key=lambda one: _ORDER.get(one["status"], len(_ORDER))):
        name, status, began = execution["name"], execution["status"], execution["startDate"]
        reason = ""
        if status == "SUCCEEDED":
            reason = f"already loaded by {name}"
        elif status == "RUNNING":
            reason = f"already running as {name}"
        elif name == f"{dataset}-{month}":
            reason = f"failed on {began:%Y-%m-%d} as {name}: run it again with {rerun}"
        if reason:
            return {"execution": execution["executionArn"], "reason": reason}
    answer = why_missing(address)
    return {"reason": f"not published yet: {address.partition('?')[0]} answered {answer}"} if answer else None
