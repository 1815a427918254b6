"""CloudWatch: what an alarm does when it is made, before its metric has data."""

from __future__ import annotations

import time

import boto3

from orchestration.conformance.assumption import Probe
from orchestration.conformance.ground import Ground


def _mails_at_its_creation(ground: Ground) -> str:
    """Watch whether an alarm on a metric without data sends anything in the minutes after its making."""
    sqs, end = boto3.client("sqs"), time.monotonic() + ground.watch_seconds
    while (left := end - time.monotonic()) > 0:
        received = sqs.receive_message(QueueUrl=ground.outputs["Queue"], WaitTimeSeconds=min(20, int(left) + 1))
        if received.get("Messages"):
            return "mails"
    return "silent"


PROBES = [
    Probe(
        "alarm-at-creation",
        "An alarm of missing data is silent when it is made",
        "the overdue alarms, which would mail with every first deployment",
        _mails_at_its_creation,
    ),
]
