"""AWS::CloudWatch::Alarm, AWS::CloudWatch::CompositeAlarm, AWS::CloudWatch::Dashboard."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from local_cloud.services.cloudformation.errors import ResourceError
from local_cloud.services.cloudformation.resource_types.base import (
    ResourceType,
    Target,
    generated,
    is_absent,
    tag_list,
    without,
)


class _AnyAlarm(ResourceType):
    service = "cloudwatch"
    name_property = "AlarmName"
    put: str

    def create(self, target: Target) -> str:
        # Putting an alarm overwrites one that is there already.
        kinds = ["MetricAlarm", "CompositeAlarm"]
        found = self.call(target, "describe_alarms", AlarmNames=[target.name], AlarmTypes=kinds)
        if found.get("MetricAlarms") or found.get("CompositeAlarms"):
            raise ResourceError(f"{target.name} already exists")
        given = without(target.properties, "AlarmName", "Tags")
        self.call(target, self.put, given, AlarmName=target.name, Tags=tag_list(target.properties.get("Tags")))
        return target.name

    def update(self, target: Target, before: dict[str, Any]) -> None:
        given = without(target.properties, "AlarmName", "Tags")
        self.call(target, self.put, given, AlarmName=target.physical_id)
        self.retag(target, before, which={"ResourceARN": self.attributes(target)["Arn"]})

    def attributes(self, target: Target) -> dict[str, Any]:
        return {"Arn": target.arn("cloudwatch", f"alarm:{target.physical_id}")}

    def delete(self, target: Target) -> None:
        self.call(target, "delete_alarms", AlarmNames=[target.physical_id])


class Alarm(_AnyAlarm):
    type = "AWS::CloudWatch::Alarm"
    put = "put_metric_alarm"


class CompositeAlarm(_AnyAlarm):
    type = "AWS::CloudWatch::CompositeAlarm"
    put = "put_composite_alarm"


class Dashboard(ResourceType):
    type = "AWS::CloudWatch::Dashboard"
    service = "cloudwatch"
    name_property = "DashboardName"

    def generate_name(self, *, stack_name: str, logical_id: str) -> str:
        return generated(logical_id, limit=self.name_limit)

    def create(self, target: Target) -> str:
        try:
            self.call(target, "get_dashboard", DashboardName=target.name)
        except ClientError as error:
            if not is_absent(error):
                raise
        else:
            raise ResourceError(f"{target.name} already exists")
        return target.name

    def configure(self, target: Target, before: dict[str, Any]) -> None:
        body = target.properties["DashboardBody"]
        self.call(target, "put_dashboard", DashboardName=target.physical_id, DashboardBody=body)

    def delete(self, target: Target) -> None:
        self.call(target, "delete_dashboards", DashboardNames=[target.physical_id])


TYPES = (Alarm, CompositeAlarm, Dashboard)
