"""CloudWatch: moto's, with alarms that are evaluated, and the metrics that services of the cloud give out.

series       the values of a metric, or of an expression over several, window by window
expressions  metric math
states       which state the values mean
watch        evaluates alarms and carries out their actions
messages     what an alarm tells a topic
metrics      what the cloud's own services measure
points       data points on disk
"""

from __future__ import annotations

from typing import Any

from local_cloud.cloud import Cloud


def install(cloud: Cloud) -> None:
    from moto.cloudwatch.models import CloudWatchBackend
    from moto.cloudwatch.responses import CloudWatchResponse

    from local_cloud.services.cloudwatch import points
    from local_cloud.services.cloudwatch.watch import Watch

    # Composite alarms are kept and described, not evaluated.
    CloudWatchResponse.put_composite_alarm = CloudWatchResponse.put_metric_alarm
    watch = Watch(cloud)
    put, set_state = CloudWatchBackend.put_metric_alarm, CloudWatchBackend.set_alarm_state

    def put_metric_alarm(self: Any, name: str, *args: Any, **given: Any) -> Any:
        """A new alarm has no state yet; one that is updated keeps its own (PutMetricAlarm)."""
        old = self.alarms.get(name)
        alarm = put(self, name, *args, **given)
        alarm.state_value = "INSUFFICIENT_DATA"
        if old is not None:
            for kept in ("state_value", "state_reason", "state_reason_data", "state_updated_timestamp", "history"):
                setattr(alarm, kept, getattr(old, kept))
        return alarm

    def set_alarm_state(self: Any, alarm_name: str, *args: Any, **given: Any) -> None:
        """By hand: the actions are carried out, and the next evaluation sets what the metric says."""
        before = self.alarms[alarm_name].state_value if alarm_name in self.alarms else ""
        set_state(self, alarm_name, *args, **given)
        watch.act(self.alarms[alarm_name], before)

    CloudWatchBackend.put_metric_alarm = put_metric_alarm
    CloudWatchBackend.set_alarm_state = set_alarm_state
    points.install(cloud)
    cloud.on_start(watch.start)
    cloud.on_stop(watch.stop)
