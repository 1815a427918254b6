"""What services of the cloud measure: executions of state machines, and how many messages wait in a queue.

https://docs.aws.amazon.com/step-functions/latest/dg/procedure-cw-metrics.html
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html

Times are moto's: in UTC, without a zone.
"""

from __future__ import annotations

import contextlib
import datetime
from typing import Any

from moto.core.common_models import CloudWatchMetricProvider
from moto.core.utils import utcnow

from local_cloud import moto_state
from local_cloud.cloud import Cloud
from local_cloud.errors import StateNotSaved

#: The count that goes up when an execution ends so.
_ENDS = {
    "SUCCEEDED": "ExecutionsSucceeded",
    "FAILED": "ExecutionsFailed",
    "TIMED_OUT": "ExecutionsTimedOut",
    "ABORTED": "ExecutionsAborted",
}


class QueueMetrics(CloudWatchMetricProvider):  # type: ignore[misc]
    """Read when somebody asks; nothing of it is kept. moto finds the class by itself."""

    @staticmethod
    def get_cloudwatch_metrics(account_id: str, region: str) -> list[Any]:
        return queue_metrics(account_id, region, now=utcnow())


def queue_metrics(account_id: str, region: str, *, now: datetime.datetime) -> list[Any]:
    """How long the queues are, as data points of `now`."""
    from moto.cloudwatch.models import MetricDatum
    from moto.sqs.models import sqs_backends

    found = []
    for queue in list(sqs_backends[account_id][region].queues.values()):
        dimensions = [{"Name": "QueueName", "Value": queue.name}]
        for name, value in (
            ("ApproximateNumberOfMessagesVisible", queue.approximate_number_of_messages),
            ("ApproximateNumberOfMessagesNotVisible", queue.approximate_number_of_messages_not_visible),
            ("ApproximateNumberOfMessagesDelayed", queue.approximate_number_of_messages_delayed),
        ):
            found.append(MetricDatum("AWS/SQS", name, float(value), dimensions, now, "Count"))
    return found


def execution_started(cloud: Cloud, machine_arn: str) -> None:
    _put(cloud, machine_arn, [("ExecutionsStarted", 1.0, "Count")])


def execution_ended(cloud: Cloud, machine_arn: str, *, status: str, seconds: float) -> None:
    """`seconds` is how long it took."""
    took = ("ExecutionTime", seconds * 1000, "Milliseconds")
    _put(cloud, machine_arn, [(_ENDS[status], 1.0, "Count"), took])


def _put(cloud: Cloud, machine_arn: str, values: list[tuple[str, float, str]]) -> None:
    from moto.cloudwatch.models import cloudwatch_backends

    backend = cloudwatch_backends[cloud.settings.account_id][cloud.settings.region]
    now = utcnow()
    dimensions = [{"Name": "StateMachineArn", "Value": machine_arn}]
    data = [
        {"MetricName": name, "Value": value, "Unit": unit, "Timestamp": now, "Dimensions": dimensions}
        for name, value, unit in values
    ]

    def put() -> None:
        with moto_state.held():
            backend.put_metric_data("AWS/States", data)

    with contextlib.suppress(StateNotSaved):  # the cloud stops
        cloud.persistence.saving.until_done(f"metrics of {machine_arn}", put)
