"""CloudWatch: moto's, with composite alarms, which it can keep and describe but not take."""

from __future__ import annotations

from local_cloud.cloud import Cloud


def install(cloud: Cloud) -> None:
    from moto.cloudwatch.responses import CloudWatchResponse

    CloudWatchResponse.put_composite_alarm = CloudWatchResponse.put_metric_alarm
