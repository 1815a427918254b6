"""The Lambda handler that mails the failures of executions that could not mail themselves.

A pipeline catches what fails in it and mails the cause (its state NotifyFailure). Nothing in it runs any more where it
was stopped or took longer than it may, where an expression outside a Catch fails, or where SNS refused that mail. Of
every execution that does not succeed, EventBridge sends this function one event:
https://docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html

The event names the execution; whether it has mailed, and all else, Step Functions itself is asked: the execution's
history has a NotifyFailure that succeeded, or not. A month of a backfill is left to the backfill, which mails once.

Step Functions' events are best effort, and EventBridge delivers at least once: rarely a mail is lost, or comes twice.
The overdue alarm stands behind a lost one. https://docs.aws.amazon.com/eventbridge/latest/ref/events-ref-states.html
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Mapping
from typing import Any

#: The state that mails a failure, in every pipeline.
NOTIFY = "NotifyFailure"
#: As many of the newest events as the end of an execution can have after NOTIFY was entered, and its retries.
NEWEST = 100
_ENDED = {
    "FAILED": ("failed", "failed and could not mail that itself"),
    "TIMED_OUT": ("timed out", "took longer than it may, and was ended"),
    "ABORTED": ("was stopped", "was stopped"),
}
_NO_CAUSE = {
    "FAILED": "Step Functions gives none",
    "TIMED_OUT": "its TimeoutSeconds were over; the history shows which state it was in",
    "ABORTED": "none was given to StopExecution",
}


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Mail an execution's end, unless somebody has.

    Returns `execution`, its `status`, whether it was `mailed`, and where not the `reason`.
    """
    import boto3

    states = boto3.client("stepfunctions")
    arn = event["detail"]["executionArn"]
    answer: dict[str, Any] = {"execution": arn, "status": event["detail"]["status"], "mailed": False}
    try:
        execution = states.describe_execution(executionArn=arn)
        newest = states.get_execution_history(executionArn=arn, reverseOrder=True, maxResults=NEWEST)["events"]
        reason = why_not(execution, newest)
    except states.exceptions.ExecutionDoesNotExist:
        reason = "it was deleted, with its state machine"
    if reason:
        answer["reason"] = reason
    else:
        subject, text = mail(execution, os.environ["ENVIRONMENT"])
        boto3.client("sns").publish(TopicArn=os.environ["ALERT_TOPIC"], Subject=subject, Message=text)
        answer["mailed"] = True
    print(json.dumps({"event": "ended", **answer}))
    return answer


def why_not(execution: Mapping[str, Any], newest: Iterable[Mapping[str, Any]]) -> str:
    """Return why an execution is not to be mailed about, "" where it is; `newest` are its last events, newest first."""
    if execution["status"] not in _ENDED:
        return f"it is {execution['status']} since"  # it was redriven
    if "backfill" in input_of(execution):
        return "its backfill mails for all of its months"
    if has_mailed(newest):
        return "it has mailed its failure itself"
    return ""


def has_mailed(newest: Iterable[Mapping[str, Any]]) -> bool:
    """Return whether an execution's own mail went out, by its last events, newest first; not before it was redriven."""
    sent = False
    for event in newest:
        if event["type"] == "ExecutionRedriven":
            return False
        if event["type"] == "TaskSucceeded":
            sent = True
        if "stateEnteredEventDetails" in event:
            if event["stateEnteredEventDetails"]["name"] == NOTIFY:
                return sent
            sent = False
    return False


def mail(execution: Mapping[str, Any], environment: str) -> tuple[str, str]:
    """Return subject and text of the mail about an execution, as DescribeExecution gives it."""
    arn, name, status = execution["executionArn"], execution["name"], execution["status"]
    region, machine = arn.split(":")[3], arn.split(":")[6]
    pipeline, given = machine.replace(f"elt-{environment}-", "", 1), input_of(execution)
    what = f"{pipeline} {_period(given) or name}"
    cause = " ".join(": ".join(filter(None, (execution.get("error"), execution.get("cause")))).split())
    look, again = _commands(pipeline, given, name=name, environment=environment)
    short, long = _ENDED[status]
    lines = [
        f"{what} {long}.",
        "",
        f"Cause:     {cause[:1000] or _NO_CAUSE[status]}",
        f"Execution: https://{region}.console.aws.amazon.com/states/home?region={region}#/v2/executions/details/{arn}",
        f"Logs:      {look}",
        f"Try again: {again}",
        "",
        "Trying again is safe: a table holds what a run loads exactly once, or is unchanged.",
        "",
    ]
    # https://docs.aws.amazon.com/sns/latest/api/API_Publish.html: up to 100 characters of printable ASCII.
    return re.sub("[^ -~]", "?", f"[{environment}] {what} {short}")[:99], "\n".join(lines)


def input_of(execution: Mapping[str, Any]) -> dict[str, Any]:
    """Return an execution's input, {} where it is no object: whoever starts one by hand may give anything."""
    found = json.loads(execution.get("input") or "{}")
    return found if isinstance(found, dict) else {}


def _period(given: Mapping[str, Any]) -> str:
    return f"{given['year']}-{given['month']}" if {"year", "month"} <= set(given) else str(given.get("day", ""))


def _commands(pipeline: str, given: Mapping[str, Any], *, name: str, environment: str) -> tuple[str, str]:
    """Return the command that shows more of a run, and the one that runs it again."""
    look, again = f"elt logs {name} --env {environment}", f"elt run {pipeline}"
    months = given.get("months")
    if isinstance(months, list) and months and "pipeline" in given:
        pipeline = given["pipeline"]
        look = f"elt backfill {pipeline} --follow --env {environment}"
        again = f"elt backfill {pipeline} --from {months[0]} --to {months[-1]}"
    elif _period(given) and "day" not in given:
        again += f" --month {_period(given)}"
    return look, str(given.get("rerun") or f"{again} --env {environment}")
